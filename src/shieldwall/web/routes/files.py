"""Files: brought by people or made by the program; kept as they are, and never unpacked, run or shown as anything but bytes."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from shieldwall.model.access import Handling, Permission
from shieldwall.model.marking import parse_marking, parse_pap
from shieldwall.node.node import Node
from shieldwall.store.files import File
from shieldwall.web.bodies import UPLOAD_MOST
from shieldwall.web.door import Routes
from shieldwall.web.moments import moment
from shieldwall.web.paging import Cursor, Most, open_cursor, seal_cursor
from shieldwall.web.placing import OfCase, OfGroup
from shieldwall.web.rules import Caller, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import HandlingShape, Id, PapWord, Tlp
from shieldwall.web.shapes.files import Files, FileShape
from shieldwall.web.threads import at_length
from shieldwall.web.versions import tagged

routes = Routes("files")

FileId = Annotated[Id, Path(description="Id of the file.")]
OURS = ("trace", "screening", "report", "sheet", "letter", "pack")
"""Kinds of files that the program itself makes."""

_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_CONTENT = {
    200: {
        "description": "The bytes.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@routes.get("/files", Rule("file.list", Permission.READ))
def list_files(
    node: NodeHere,
    caller: CallerHere,
    kind: Annotated[Literal["", "upload", "trace", "screening", "report"], Query(description="Only these.")] = "",
    case: OfCase = None,
    cursor: Cursor = "",
    most: Most = 50,
) -> Files:
    """Files, the newest first."""
    after = open_cursor(node, caller, cursor) or ""
    with node.store.look(caller.identity, caller.act) as work:
        found = work.files.page(after=after, most=most + 1, case=case, kind=kind)
    following = seal_cursor(node, caller, found[most - 1].id) if len(found) > most else None
    return Files(files=[file_shape(file) for file in found[:most]], next=following)


@routes.post("/files", Rule("file.add", Permission.WRITE), status_code=201, openapi_extra=_UPLOAD)
async def add_file(
    node: NodeHere,
    caller: CallerHere,
    request: Request,
    name: Annotated[str, Query(min_length=1, max_length=500)],
    media_type: Annotated[str, Query(max_length=100)] = "application/octet-stream",
    marking: Annotated[Tlp, Query(description="Who may see it.")] = "TLP:RED",
    pap: Annotated[PapWord, Query(description="What may be done with it.")] = "PAP:RED",
    case: OfCase = None,
    group: OfGroup = None,
) -> FileShape:
    """Keep a file: its bytes are the body. What is not said of its handling is the strictest."""

    content = await request.body()
    handling = Handling(
        marking=parse_marking(marking), pap=parse_pap(pap), owner=caller.identity.person, case=case, group=group
    )

    def keep() -> File:
        with node.store.act(caller.identity, caller.act) as work:
            return work.files.add(name, media_type, [content], "upload", handling, most_bytes=UPLOAD_MOST)

    return file_shape(await at_length(request, keep))


@routes.get("/files/{file_id}", Rule("file.show", Permission.READ), response_model=FileShape)
def show_file(
    node: NodeHere, caller: CallerHere, file_id: FileId, request: Request, response: Response
) -> FileShape | Response:
    """What is known of a file."""
    with node.store.look(caller.identity, caller.act, file=file_id) as work:
        file = work.files.get(file_id)
    return tagged(request, response, file_shape(file))


@routes.get(
    "/files/{file_id}/content",
    Rule("file.export", Permission.READ, confirm=True),
    response_class=StreamingResponse,
    responses=_CONTENT,
)
def read_file(node: NodeHere, caller: CallerHere, file_id: FileId) -> Response:
    """A file's bytes, to be saved: never to be shown in a page of this node."""
    return file_answer(node, caller, file_id)


def file_answer(node: Node, caller: Caller, file_id: str) -> Response:
    """The bytes of a file as what is saved, under its own name as far as every system takes it.

    What came from elsewhere gets an ending that nothing opens by itself.
    """
    with node.large(), node.store.look(caller.identity, caller.act, file=file_id) as work:
        file, content = work.files.get(file_id), work.files.read(file_id)
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "._-") else "_" for sign in file.name).strip(
        "._"
    )
    name = (plain[-150:] or file_id) + ("" if file.kind in OURS else ".bin")
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type="application/octet-stream", headers={**headers, "ETag": f'"{file.sha256}"'})


def file_shape(file: File) -> FileShape:
    """A file, shaped."""
    return FileShape(
        id=file.id,
        name=file.name,
        kind=file.kind,
        media_type=file.media_type,
        size=file.size,
        sha256=file.sha256,
        created=moment(file.created_at),
        handling=HandlingShape.of(file.handling),
    )
