"""Answers of TAXII: bytes under one media type, and errors in one form (section 3.6.1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shieldwall.errors import (
    BadInput,
    Conflict,
    NotAllowed,
    NotFound,
    NotSignedIn,
    ShieldwallError,
    TooMany,
    UsageError,
)
from shieldwall.sharing.stix.instant import taxii_time

MEDIA_TYPE = "application/taxii+json;version=2.1"

CHALLENGES = ('Basic realm="taxii", charset="UTF-8"', 'Bearer realm="taxii"')
"""How somebody may say who they are (RFC 7235), a header each."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: its status, its body, and headers beside the media type."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = field(default=())


class Refusal(Exception):
    """An answer that ends the matter.

    Args:
        status: Of HTTP.
        title: What the matter is.
        description: What to do next.
        headers: Further ones.
    """

    def __init__(
        self, status: int, title: str, description: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(title)
        self.answer = error(status, title, description, tuple((headers or {}).items()))


def plain(value: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:  # noqa: ANN401 - any JSON value
    """A value as an answer."""
    return Answer(
        status, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"), headers
    )


def error(status: int, title: str, description: str = "", headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """An error; its `http_status` is that of the answer, as text."""
    body = {"title": title, "description": description, "http_status": str(status)}
    return plain({name: value for name, value in body.items() if value}, status, headers)


def of_error(raised: ShieldwallError) -> Answer:
    """The answer to an error of ours."""
    status, headers = _status_of(raised), ()
    if status == 401:
        return error(401, raised.message, raised.hint, tuple(("WWW-Authenticate", each) for each in CHALLENGES))
    if isinstance(raised, TooMany) and raised.seconds:
        return error(status, raised.message, raised.hint, (("Retry-After", str(raised.seconds)),))
    return error(status, raised.message, raised.hint, headers)


def dates(first: int, last: int) -> tuple[tuple[str, str], ...]:
    """The headers that say when the first and the last object of this page were added (section 3.3)."""
    return (
        ("X-TAXII-Date-Added-First", taxii_time(first)),
        ("X-TAXII-Date-Added-Last", taxii_time(last)),
    )


def _status_of(raised: ShieldwallError) -> int:
    match raised:
        case NotSignedIn():
            return 401
        case NotAllowed():
            return 403
        case NotFound():
            return 404
        case Conflict():
            return 409
        case TooMany():
            return 429
        case BadInput() | UsageError():
            return 400
        case _:
            return 500
