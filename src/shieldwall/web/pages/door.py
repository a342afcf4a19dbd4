"""The door of every page: the same rule as of a route of the API, but whoever is refused gets a page, or is sent to sign in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote, urlsplit

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from shieldwall.errors import BadInput, NotSignedIn, ShieldwallError, UsageError
from shieldwall.web.door import Handler, Routes
from shieldwall.web.pages.rendering import page
from shieldwall.web.problems import status_of
from shieldwall.web.rules import RULES, Caller, guard

_MOST_FIELDS = 120
_LONGEST_NEXT = 2000  # characters of the place that one is sent to after signing in


class PageRoute(APIRoute):
    """A route that answers with a page, also where it refuses.

    Raises:
        KeyError: At the start, where an endpoint has no rule.
    """

    def get_route_handler(self) -> Handler:
        """FastAPI's own handler behind the door."""
        rule = RULES[self.endpoint]
        handler = super().get_route_handler()

        async def door(request: Request) -> Response:
            try:
                await run_in_threadpool(guard, request, rule)
                return await handler(request)
            except NotSignedIn as error:
                if request.method == "GET":
                    return to_sign_in(request)
                return await run_in_threadpool(refused, request, error)
            except ShieldwallError as error:
                return await run_in_threadpool(refused, request, error)
            except (RequestValidationError, HTTPException):
                wrong = BadInput("that address or form does not fit", hint="go back, and try again")
                return await run_in_threadpool(refused, request, wrong)

        return door


class Pages(Routes):
    """Pages of one part of the node, each with its rule; no part of the API's description."""

    route_class = PageRoute
    described = False


def to_sign_in(request: Request) -> Response:
    """Send somebody to sign in, and back here afterwards."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    place = f"/sign-in?next={quote(here, safe='')}" if here != "/" and len(here) <= _LONGEST_NEXT else "/sign-in"
    if request.headers.get("hx-request"):
        return Response(status_code=200, headers={"HX-Redirect": place})
    return seen(place)


def seen(place: str) -> Response:
    """Where the answer to a form is (303)."""
    return Response(status_code=303, headers={"Location": place})


def refused(request: Request, error: ShieldwallError) -> Response:
    """The page of an error: what happened, and what to do next."""
    status, name = status_of(error)
    caller: Caller | None = getattr(request.state, "caller", None)
    came = urlsplit(request.headers.get("referer", ""))
    back = own_place(came.path + (f"?{came.query}" if came.query else ""))
    if request.headers.get("hx-request"):
        if isinstance(error, NotSignedIn):  # the session ended while the page was open
            return Response(status_code=200, headers={"HX-Redirect": f"/sign-in?next={quote(back, safe='')}"})
        answer = page(request, "said", caller, status=status, error=error.message, hint=error.hint or "")
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#said", "innerHTML"
        answer.headers["HX-Reselect"] = "#words"
        return answer
    back = "" if back in ("/", request.url.path) else back
    return page(
        request, "refused", caller, status=status, error=error.message, hint=error.hint or "", problem=name, back=back
    )


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form that somebody sent; of several of one name the last."""

    fields: dict[str, str]

    def text(self, name: str, default: str = "", *, most: int = 4000) -> str:
        """A text.

        Raises:
            BadInput: It is too long.
        """
        found = self.fields.get(name, default)
        if len(found) > most:
            raise BadInput(f"{name}: at most {most:,} characters")
        return found

    def number(self, name: str) -> int | None:
        """A whole number; None where the field is empty or not there.

        Raises:
            BadInput: It is no number.
        """
        text = self.fields.get(name, "").strip()
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            raise BadInput(f"{name}: a whole number is needed")
        return int(text)

    def flag(self, name: str) -> bool:
        """Whether a box was ticked."""
        return bool(self.fields.get(name))

    def several(self, name: str) -> list[str]:
        """The words of a field with a line or comma between."""
        return [word for word in self.fields.get(name, "").replace(",", "\n").split() if word]


async def sent_form(request: Request) -> Form:
    """Dependency: the form (application/x-www-form-urlencoded).

    Raises:
        BadInput: It is none.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    raw = await request.body()
    if kind != "application/x-www-form-urlencoded" and raw:
        raise BadInput("that is no form", hint="send application/x-www-form-urlencoded")
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, encoding="utf-8", errors="strict"
        )
    except (ValueError, UnicodeDecodeError):
        raise BadInput("that form cannot be read") from None
    return Form(dict(pairs))


FormHere = Annotated[Form, Depends(sent_form)]

Endpoint = Callable[..., Any]


def own_place(text: str) -> str:
    """A place on this node that somebody may be sent to; "/" for anything else.

    Example:
        >>> own_place("/traces/1?box=2"), own_place("//evil.example"), own_place("https://evil.example"), own_place("/\\\\evil")
        ('/traces/1?box=2', '/', '/', '/')
    """
    fits = text.startswith("/") and not text.startswith(("//", "/\\")) and len(text) <= _LONGEST_NEXT
    return text if fits and text.isprintable() and "\\" not in text else "/"


def must_be_one(value: str, among: tuple[str, ...], name: str) -> str:
    """One of several words.

    Raises:
        UsageError: It is none of them.
    """
    if value not in among:
        raise UsageError(f"{name}: one of {', '.join(among)}")
    return value
