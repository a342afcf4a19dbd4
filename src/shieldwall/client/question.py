"""The words of a question: path, query and body, quoted so that each stays what it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from urllib.parse import quote, urlencode

from shieldwall.client.reading import plain
from shieldwall.errors import UsageError


def segment(value: object, place: str) -> str:
    """One part of a path, quoted.

    Raises:
        UsageError: It is empty, or would name another path.
    """
    text = str(value)
    if text in ("", ".", ".."):
        raise UsageError(f"{place}: an id is missing", hint="give the id as the node gave it")
    return _quoted(lambda: quote(text, safe=""), place)


def target_of(path: str, query: Mapping[str, object] | None) -> str:
    """Path and query of a request; parameters that are None are left out.

    Raises:
        UsageError: A text is no Unicode.
    """
    given = {name: _word(value) for name, value in (query or {}).items() if value is not None}
    return f"{path}?{_quoted(lambda: urlencode(given, quote_via=quote), 'the question')}" if given else path


def _quoted(quoted: Callable[[], str], place: str) -> str:
    try:
        return quoted()
    except UnicodeEncodeError:
        raise UsageError(f"{place}: a text that is no Unicode") from None


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def json_of(body: Mapping[str, object], place: str) -> bytes:
    """A JSON body; fields that are None are left out.

    Args:
        body: The fields; shapes and sequences within.
        place: What is asked, for errors.

    Raises:
        UsageError: JSON cannot write a value.
    """
    try:
        given = {name: plain(value) for name, value in body.items() if value is not None}
        return json.dumps(given, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError):
        raise UsageError(
            f"{place}: a value that JSON cannot write", hint="give text, whole numbers, lists, shapes"
        ) from None
