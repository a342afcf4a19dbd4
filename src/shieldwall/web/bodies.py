"""What comes in: size, encoding and form of a body are held to limits before anything looks at it."""

from __future__ import annotations

import re
from typing import Any

from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shieldwall.errors import BadText
from shieldwall.model.strictjson import parse_json
from shieldwall.web.problems import problem

JSON_MOST = 1 << 20  # bytes of a JSON body
CEREMONY_MOST = 64 << 10  # bytes of what somebody sends who is not known yet
UPLOAD_MOST = 64 << 20  # bytes of a file
UPLOADS_AT_ONCE = 4
PATH_MOST = 4096  # characters of path and query


class Limits:
    """Refuses what is too large or packed before the application sees it.

    Args:
        app: What comes behind.
        uploads: What paths look like that take files, and so more than JSON.
        ceremonies: Paths that anybody may write to, and so less.
    """

    def __init__(self, app: ASGIApp, uploads: re.Pattern[str], ceremonies: frozenset[str]) -> None:
        self._ceremonies = ceremonies
        self._app = app
        self._uploads = uploads
        self._uploading = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        refused = self._refused(scope, headers)
        if refused is not None:
            await refused(scope, receive, send)
            return
        if self._uploads.fullmatch(scope["path"]) and scope["method"] == "POST":
            if self._uploading >= UPLOADS_AT_ONCE:
                busy = problem(429, "too-many", "several files are coming in already", headers={"Retry-After": "5"})
                await busy(scope, receive, send)
                return
            self._uploading += 1
            try:
                await self._counted(scope, receive, send)
            finally:
                self._uploading -= 1
        else:
            await self._counted(scope, receive, send)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through as long as its body stays within its limit."""
        most, taken = self._most(scope), 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise HTTPException(413, _words(most))
            return message

        await self._app(scope, counted, send)

    def _most(self, scope: Scope) -> int:
        if self._uploads.fullmatch(scope["path"]):
            return UPLOAD_MOST
        return CEREMONY_MOST if scope["path"] in self._ceremonies else JSON_MOST

    def _refused(self, scope: Scope, headers: dict[bytes, bytes]) -> Response | None:
        if len(scope["path"]) + len(scope.get("query_string", b"")) > PATH_MOST:
            return problem(414, "too-large", f"an address here has at most {PATH_MOST} characters")
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            return problem(
                415, "packed", "packed bodies are not taken", hint="send it as it is, without Content-Encoding"
            )
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or len(length) > 15 or int(length) > self._most(scope):
            return _too_large(self._most(scope))
        return None


def _words(most: int) -> str:
    return f"at most {most:,} bytes are taken here"


def _too_large(most: int) -> Response:
    return problem(413, "too-large", _words(most), hint="send less, or in parts")


class BadBody(HTTPException):
    """A body that is no JSON, or means more than one thing; `error` says why. FastAPI lets only its own errors through."""

    def __init__(self, error: BadText) -> None:
        super().__init__(422, error.message)
        self.error = error


class StrictRequest(Request):
    """A request whose JSON means one thing: see `model.strictjson`."""

    async def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """The body as JSON.

        Raises:
            BadBody: It is none, or means more than one thing.
        """
        try:
            return parse_json(await self.body(), "the request's body")
        except BadText as error:
            raise BadBody(error) from None
