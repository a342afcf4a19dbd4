"""Desk: one box that takes anything, and below it what needs an answer."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Query, Request, Response

from shieldwall.errors import BadInput
from shieldwall.model.access import Handling, Permission
from shieldwall.node.desk import look_at_desk
from shieldwall.node.pasting import Pasted, paste_of, read_pasted
from shieldwall.web.pages.door import Pages, seen, sent_form
from shieldwall.web.pages.rendering import page
from shieldwall.web.rules import PEOPLE, Caller, CallerHere, NodeHere, Rule
from shieldwall.web.threads import at_length

pages = Pages("desk")

SHORT = 400  # characters of a text that stands in the address of its answer; a longer one is kept as a file


@pages.get("/", Rule("desk.show", kinds=PEOPLE))
def show_desk(node: NodeHere, caller: CallerHere, request: Request) -> Response:
    """What needs an answer; whoever runs the node and reads no cases is sent to the node."""
    if not caller.identity.may(Permission.READ):
        return seen("/node")
    return page(request, "desk", caller, desk=look_at_desk(node, caller.identity, caller.act), pasted=None, text="")


@pages.post("/find", Rule("paste.read", Permission.READ, PEOPLE))
async def take_anything(
    node: NodeHere, caller: CallerHere, request: Request, file: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Take what was put into the box: a text, or a file as the body, whose name is in the address."""
    if file:
        body = await request.body()
        return await at_length(request, lambda: _keep(node, caller, request, file, body))
    text = (await sent_form(request)).text("q", most=1 << 20).strip()
    if not text:
        return seen("/")
    if len(text) <= SHORT and "\n" not in text:
        return seen(f"/find?q={quote(text, safe='')}")
    return await at_length(request, lambda: _keep(node, caller, request, "pasted.txt", text.encode()))


@pages.get("/find", Rule("search", Permission.READ, PEOPLE))
def show_found(
    node: NodeHere, caller: CallerHere, request: Request, q: Annotated[str, Query(max_length=2000)] = ""
) -> Response:
    """What a short text names."""
    if not q.strip():
        return seen("/")
    found = read_pasted(node, caller.identity, caller.act, q.strip().encode(), "")
    place = _only(found)
    return seen(place) if place else page(request, "found", caller, pasted=found, text=q, file=None)


@pages.get("/pasted/{file_id}", Rule("paste.show", Permission.READ, PEOPLE))
def show_pasted(node: NodeHere, caller: CallerHere, request: Request, file_id: str) -> Response:
    """What a text or file names that was kept."""
    file, found = paste_of(node, caller.identity, caller.act, file_id)
    return page(request, "found", caller, pasted=found, text="", file=file)


def _keep(node: NodeHere, caller: Caller, request: Request, name: str, raw: bytes) -> Response:
    """Keep what was brought, for its owner alone, and show what it names; who may not keep anything is shown it all the same."""
    if not raw:
        raise BadInput("that file is empty")
    if not caller.identity.may(Permission.WRITE):
        found = read_pasted(node, caller.identity, caller.act, raw, name)
        return page(request, "found", caller, pasted=found, text="", file=None)
    with node.store.act(caller.identity, "file.add") as work:
        handling = Handling(owner=caller.identity.person)
        file = work.files.add(name, "application/octet-stream", [raw], "upload", handling)
    place = f"/pasted/{file.id}"
    if request.headers.get("x-requested-with") == "drop":
        return Response(place, media_type="text/plain; charset=utf-8")
    return seen(place)


def _only(found: Pasted) -> str:
    """Where to go at once, where a text is one thing and nothing else."""
    if found.is_one and len(found.things) == 1 and not found.near:
        return found.things[0].path
    return ""
