"""Ids of what the store keeps, and texts from outside that are looked for in it."""

from __future__ import annotations

import secrets

from shieldwall.errors import UsageError


def new_id() -> str:
    """A random id of 128 bits, 32 hex digits."""
    return secrets.token_hex(16)


def ordered_id(at: int, place: int = 0) -> str:
    """An id of 32 hex digits that stands after those of earlier moments, and of one moment after those with a lesser place.

    Args:
        at: Microseconds of Unix time.
        place: Below 65,536 told apart; later ones stand in no order.
    """
    return f"{at:016x}{min(place, 0xFFFF):04x}{secrets.token_hex(6)}"


def searchable(text: str) -> str:
    """A text from outside as it may stand in a query: what no row can hold (NUL, half a surrogate) becomes what none has."""
    return text if text.isprintable() else "?"


def utf8(text: str) -> bytes:
    """A text from outside as bytes.

    Raises:
        UsageError: It has half a surrogate pair, which has no form in UTF-8.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise UsageError("a text with half a surrogate pair cannot be kept", hint="send it as UTF-8") from None
