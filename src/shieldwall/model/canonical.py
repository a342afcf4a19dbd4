"""One way to write a value as bytes, so that a digest means the same everywhere.

JSON by the rules of RFC 8785 for what Shieldwall stores: keys sorted, no spaces, UTF-8, integers only (a float raises).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """`value` as canonical JSON.

    Raises:
        TypeError: A float, or something that JSON has no form for.
    """
    _refuse_floats(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """SHA-256 (hex) of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _refuse_floats(value: Any) -> None:  # noqa: ANN401
    if isinstance(value, float):
        raise TypeError("a float has no canonical form here: amounts are integers, shares are strings")
    if isinstance(value, dict):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)
