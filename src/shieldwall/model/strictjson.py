"""Read JSON from outside so that it means one thing: no key twice, no depth or number without a bound, no NaN, no half character.

`json` and most others keep the last of two equal keys, so that two programs that read one signed text may see two values.
Half of a surrogate pair has no form in UTF-8: what holds one could be read, and never be written or signed (RFC 7493, 2.1).
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

from shieldwall.errors import BadText

DEPTH = 64
"""How deep lists and objects may lie in each other."""

DIGITS = 20
"""Digits of a number: 64 bits and a sign fit."""

_STRING = re.compile(
    r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL
)  # one without its end goes to the last: tried once, never again
_HALF = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F]")
_BRACKET = re.compile(r"[\[\]{}]")


def parse_json(raw: bytes | str, place: str, *, floats: bool = False, depth: int = DEPTH) -> Any:  # noqa: ANN401 - any JSON value
    """The value that `raw` writes.

    Args:
        raw: UTF-8 bytes, or text.
        place: Where it was read, for errors.
        floats: Take numbers that are no integers.
        depth: How deep lists and objects may lie in each other.

    Raises:
        BadText: It is no JSON, or means more than one thing, or is built to break the reader.

    Example:
        >>> parse_json('{"a": 1}', "here")
        {'a': 1}
        >>> parse_json('{"a": 1, "a": 2}', "here")
        Traceback (most recent call last):
        shieldwall.errors.BadText: here: the key 'a' stands twice in one object
    """
    try:
        text = raw if isinstance(raw, str) else raw.decode()
    except UnicodeDecodeError as error:
        raise BadText(f"{place}: not UTF-8 (byte {error.start})") from None
    _check_depth(text, depth, place)

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        plain = dict(found)
        if len(plain) < len(found):
            counts = Counter(key for key, _ in found)
            twice = next(key for key, _ in found if counts[key] > 1)
            raise BadText(f"{place}: the key {twice[:40]!r} stands twice in one object")
        return plain

    def integer(digits: str) -> int:
        if len(digits.lstrip("-")) > DIGITS:
            raise BadText(f"{place}: a number of {len(digits)} digits")
        return int(digits)

    def real(digits: str) -> float:
        if not floats or len(digits) > DIGITS + 12:
            raise BadText(f"{place}: {digits[:20]} is no integer")
        number = float(digits)
        if not math.isfinite(number):
            raise BadText(f"{place}: {digits[:20]} is too large")
        return number

    def constant(word: str) -> None:
        raise BadText(f"{place}: {word} is no JSON")

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_int=integer, parse_float=real, parse_constant=constant)
        if _HALF.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except BadText:
        raise
    except UnicodeEncodeError:
        raise BadText(f"{place}: a text with half a surrogate pair") from None
    except (ValueError, RecursionError) as error:
        raise BadText(f"{place}: not JSON ({error})") from None
    return value


def _check_depth(text: str, most: int, place: str) -> None:
    """Refuse what lies too deep before it is parsed: a parser takes a stack frame for each level."""
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > most:
            raise BadText(f"{place}: more than {most} lists and objects lie in each other")
