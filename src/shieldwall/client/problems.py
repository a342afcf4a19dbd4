"""Problem details (RFC 9457) that a node answers, as the errors of this program's one tree."""

from __future__ import annotations

from collections.abc import Mapping

from shieldwall.errors import (
    AuditFailed,
    BadInput,
    BadText,
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
from shieldwall.model.strictjson import parse_json

MEDIA_TYPE = "application/problem+json"

_PREFIX = "urn:shieldwall:problem:"
_BY_NAME: Mapping[str, type[ShieldwallError]] = {
    "not-signed-in": NotSignedIn,
    "confirm-first": ConfirmFirst,
    "not-allowed": NotAllowed,
    "not-found": NotFound,
    "stale": Conflict,
    "conflict": Conflict,
    "say-which-version": Refused,
    "too-many": TooMany,
    "refused": Refused,
    "no-audit-no-answer": AuditFailed,
    "store": StoreError,
    "not-in-this-data": PartialData,
    "bad-input": BadInput,
    "too-large": BadInput,
    "packed": UsageError,
    "wrong-usage": UsageError,
    "no-such-method": UsageError,
    "other-host": UsageError,
    "failed": ShieldwallError,
}
_BY_STATUS: Mapping[int, type[ShieldwallError]] = {
    401: NotSignedIn,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    413: BadInput,
    422: BadInput,
    428: Refused,
    429: TooMany,
}
_LONGEST = 2000  # characters of another program's words
_PATIENCE = 86_400  # seconds that a node may ask one to wait


def error_of(status: int, media_type: str, body: bytes, retry_after: str, place: str) -> ShieldwallError:
    """The error that an answer tells of.

    Args:
        status: The answer's status, 300 or more.
        media_type: Of the answer.
        body: Its body, or as much of it as was taken.
        retry_after: The header Retry-After; "" for none.
        place: What was asked, for errors.

    Returns:
        An error with the node's words, without control characters; by its name (`type`), else by its status.
    """
    if 300 <= status < 400:
        return BadText(
            f"{place}: the node sends one elsewhere ({status})", hint="name the node itself, not another page"
        )
    name, detail, hint = _words(media_type, body)
    kind = _BY_NAME.get(name) or _BY_STATUS.get(status) or (UsageError if status < 500 else ShieldwallError)
    message = f"{place}: {detail or f'the node answered with status {status}'}"
    if issubclass(kind, TooMany):
        return TooMany(message, hint=hint, seconds=_seconds(retry_after))
    return kind(message, hint=hint or ("try again later" if status == 503 else ""))


def _words(media_type: str, body: bytes) -> tuple[str, str, str]:
    if media_type != MEDIA_TYPE:
        return "", "", ""
    try:
        value = parse_json(body, "a problem", depth=4)
    except BadText:
        return "", "", ""
    if not isinstance(value, dict):
        return "", "", ""
    return _text(value, "type").removeprefix(_PREFIX), _text(value, "detail"), _text(value, "hint")


def _text(value: Mapping[str, object], name: str) -> str:
    """A text of another program, made harmless for a terminal."""
    text = value.get(name)
    if not isinstance(text, str):
        return ""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_LONGEST])


def _seconds(retry_after: str) -> int:
    plain = retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 10
    return min(int(retry_after), _PATIENCE) if plain else 0
