"""One way to write a value as bytes, so that a digest means the same everywhere.

JSON by the rules of RFC 8785 for what Shieldwall stores: keys sorted, no spaces, UTF-8, integers only (a float raises).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

_WRITING = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_SORTING = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)
_PLAIN = frozenset((str, int, bool, type(None)))


def canonical_json(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """`value` as canonical JSON.

    Raises:
        TypeError: A float, or something that JSON has no form for.
    """
    try:
        return (_SORTING.encode(value) if _is_plain(value) else _WRITING.encode(_ordered(value))).encode()
    except UnicodeEncodeError:
        raise TypeError("a text with half a surrogate pair has no form in UTF-8") from None


def digest(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """SHA-256 (hex) of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _is_plain(value: Any) -> bool:  # noqa: ANN401
    """Whether the encoder may sort by itself: keys of ASCII alone, where all orders are one, and nothing that must raise."""
    kind = type(value)
    if kind is dict:
        try:
            if not "".join(value).isascii():
                return False
        except TypeError:
            return False
        value = value.values()
    elif kind is not list:
        return kind in _PLAIN
    kinds = set(map(type, value))
    if kinds <= _PLAIN:
        return True
    return all(_is_plain(item) for item in value if type(item) not in _PLAIN)


def _ordered(value: Any) -> Any:  # noqa: ANN401
    """The value with the keys of its objects in the order of RFC 8785, section 3.2.3: by UTF-16 code units."""
    if isinstance(value, float):
        raise TypeError("a float has no canonical form here: amounts are integers, shares are strings")
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("a key of an object must be text")
        keys = sorted(value) if all(map(str.isascii, value)) else sorted(value, key=_utf16)
        return {key: _ordered(value[key]) for key in keys}
    if isinstance(value, list | tuple):
        return [_ordered(item) for item in value]
    return value


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")
