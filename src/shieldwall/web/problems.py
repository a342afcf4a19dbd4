"""Errors as RFC 9457 writes them: problem details, with what to do next. Nothing of the question is said back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shieldwall.errors import (
    AuditFailed,
    BadInput,
    ConfirmFirst,
    Conflict,
    NotAllowed,
    NotFound,
    NotSignedIn,
    PartialData,
    Refused,
    ShieldwallError,
    StoreError,
    TooMany,
    UsageError,
)

MEDIA_TYPE = "application/problem+json"


class Stale(Conflict):
    """The version that the caller names is not the one that stands."""


class Unversioned(Refused):
    """A change must name the version that it changes."""


_STATUS: tuple[tuple[type[ShieldwallError], int, str], ...] = (
    (NotSignedIn, 401, "not-signed-in"),
    (ConfirmFirst, 403, "confirm-first"),
    (NotAllowed, 403, "not-allowed"),
    (NotFound, 404, "not-found"),
    (Stale, 412, "stale"),
    (Unversioned, 428, "say-which-version"),
    (Conflict, 409, "conflict"),
    (TooMany, 429, "too-many"),
    (Refused, 403, "refused"),
    (AuditFailed, 503, "no-audit-no-answer"),
    (StoreError, 503, "store"),
    (PartialData, 404, "not-in-this-data"),
    (BadInput, 422, "bad-input"),
    (UsageError, 400, "wrong-usage"),
    (ShieldwallError, 500, "failed"),
)
_TITLES = {
    400: "Wrong usage",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "No such method here",
    409: "Changed or done in the meantime",
    412: "Changed in the meantime",
    413: "Too large",
    414: "Too long",
    415: "Not a media type for this",
    422: "Bad input",
    428: "Say which version",
    429: "Too many",
    500: "Failed",
    503: "Not now",
}


def problem(
    status: int, name: str, detail: str, *, hint: str = "", headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """A problem details answer (RFC 9457, 3): type, title, status, detail; `hint` is what to do next."""
    body: dict[str, Any] = {
        "type": f"urn:shieldwall:problem:{name}",
        "title": _TITLES.get(status, "Failed"),
        "status": status,
        "detail": detail,
    }
    if hint:
        body["hint"] = hint
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def status_of(error: ShieldwallError) -> tuple[int, str]:
    """The HTTP status of one of our errors, and what the problem is called."""
    return next((status, name) for kind, status, name in _STATUS if isinstance(error, kind))


def of_error(error: ShieldwallError) -> JSONResponse:
    """The answer to one of our errors."""
    status, name = status_of(error)
    headers = {}
    if isinstance(error, TooMany) and error.seconds:
        headers["Retry-After"] = str(error.seconds)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="shieldwall"'
    return problem(status, name, error.message, hint=error.hint, headers=headers)


def of_validation(error: RequestValidationError) -> JSONResponse:
    """The answer to parameters or a body that do not fit: where, and what was expected, never what stood there."""
    places = [f"{_place(entry)}: {entry['msg']}" for entry in error.errors()[:5]]
    return problem(422, "bad-input", "; ".join(places) or "the request does not fit", hint="see /api/v1/openapi.json")


def _place(entry: Mapping[str, Any]) -> str:
    """Where something does not fit, in our own names: that of a field which we do not know is what the caller wrote."""
    parts = entry["loc"][:-1] if entry["type"] == "extra_forbidden" else entry["loc"]
    return ".".join(str(part) for part in parts)


def install(app: FastAPI) -> None:
    """Answer every error as problem details."""

    def ours(_: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, ShieldwallError):
            raise error
        return of_error(error)

    def validation(_: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, RequestValidationError):
            raise error
        return of_validation(error)

    def http(_: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, HTTPException):
            raise error
        names = {404: "not-found", 405: "no-such-method", 413: "too-large", 422: "bad-input"}
        words = {404: "there is nothing here", 405: "not with this method"}
        status = error.status_code
        detail = words.get(status) or error.detail or "the request does not fit"
        return problem(status, names.get(status, "wrong-usage"), detail, headers=error.headers)

    def unforeseen(_: Request, __: Exception) -> JSONResponse:
        return problem(
            500, "failed", "the node failed at this; its log says where", hint="tell the node's administrator"
        )

    app.add_exception_handler(ShieldwallError, ours)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unforeseen)
