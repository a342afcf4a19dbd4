"""Sign in, sign out, and the language of the pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response

from shieldwall.node.people.sessions import Signed
from shieldwall.web.pages.door import FormHere, Pages, own_place, seen
from shieldwall.web.pages.rendering import LANGUAGE, page
from shieldwall.web.routes.door import signed_of
from shieldwall.web.rules import OPEN, PEOPLE, CallerHere, NodeHere, Rule, client_of
from shieldwall.web.words import LANGUAGES

pages = Pages("signing")

_YEAR = 31_536_000  # seconds


@pages.get("/sign-in", Rule("page.sign-in", kinds=OPEN))
def show_sign_in(
    node: NodeHere,
    request: Request,
    next: Annotated[str, Query(max_length=2000)] = "/",  # noqa: A002
) -> Response:
    """The page that signs people in: the one page that needs script, since passkeys do."""
    node.doors.stranger(client_of(request))
    return page(request, "sign-in", None, next=own_place(next), oidc=node.config.oidc is not None)


@pages.post("/sign-out", Rule("session.end", kinds=PEOPLE))
def sign_out(node: NodeHere, caller: CallerHere) -> Response:
    """Sign out."""
    signed: Signed = signed_of(caller)
    node.doors.sign_out(signed)
    response = seen("/sign-in")
    response.delete_cookie(node.cookie, secure=node.has_tls, httponly=True, samesite="strict")
    return response


@pages.post("/language", Rule("page.language", kinds=OPEN))
def choose_language(node: NodeHere, request: Request, form: FormHere) -> Response:
    """Keep the language that somebody chose, in a cookie that says nothing else."""
    node.doors.stranger(client_of(request))
    response = seen(own_place(form.text("back", "/")))
    language = form.text("language")
    if language in LANGUAGES:
        response.set_cookie(
            LANGUAGE, language, max_age=_YEAR, path="/", httponly=True, secure=node.has_tls, samesite="strict"
        )
    return response
