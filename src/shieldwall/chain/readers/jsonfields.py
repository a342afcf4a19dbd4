"""Fields of JSON that others wrote, taken one by one: right in type and range, or an error that names the place.

Every function raises BadText where a value is not what it must be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Any

from shieldwall.errors import BadText
from shieldwall.model.network import COIN
from shieldwall.model.transaction import TXID, internal

_EXACT = Context(prec=64, traps=[Inexact, InvalidOperation, Overflow])  # refuses what it would have to round


def parse_json(raw: bytes | str, place: str) -> Any:  # noqa: ANN401
    """JSON with its decimal numbers as they are written: money never becomes a float."""
    try:
        return json.loads(raw, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise BadText(f"{place}: not JSON ({error})") from None


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")


def amount_field(fields: Mapping[str, Any], name: str, place: str, *, most: int) -> int:
    """A field that is an amount in coins with at most eight decimals; satoshi, at most `most`."""
    value = fields.get(name)
    if not isinstance(value, Decimal | int) or isinstance(value, bool) or not 0 <= value <= most:
        raise BadText(f"{place}.{name}: expected an amount of coins, found {short(value)}")
    try:
        exact = _EXACT.multiply(Decimal(value), COIN)
        satoshi = int(_EXACT.to_integral_exact(exact)) if exact <= most else -1
    except ArithmeticError:
        satoshi = -1
    if satoshi < 0:
        raise BadText(f"{place}.{name}: {short(value)} is no amount in whole satoshi up to {most}")
    return satoshi


def as_object(body: object, place: str) -> Mapping[str, Any]:
    """A JSON object."""
    if not isinstance(body, dict):
        raise BadText(f"{place}: expected an object, found {type(body).__name__}")
    return body


def as_items(body: object, place: str) -> list[Any]:
    """A JSON list."""
    if not isinstance(body, list):
        raise BadText(f"{place}: expected a list, found {type(body).__name__}")
    return body


def list_field(fields: Mapping[str, Any], name: str, place: str) -> list[Any]:
    """A field that is a list."""
    return as_items(fields.get(name), f"{place}.{name}")


def integer_field(fields: Mapping[str, Any], name: str, place: str, *, least: int = 0, most: int) -> int:
    """A field that is a whole number from `least` to `most`."""
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadText(f"{place}.{name}: expected a whole number, found {short(value)}")
    if not least <= value <= most:
        raise BadText(f"{place}.{name}: {short(value)} is not between {least} and {most}")
    return value


def short(value: object) -> str:
    """A value as text of at most 60 characters, for messages."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to print integers of more than 4,300 digits
        text = "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."


def hash_field(fields: Mapping[str, Any], name: str, place: str) -> bytes:
    """A field of 64 hex digits, in internal byte order."""
    value = fields.get(name)
    if not isinstance(value, str) or not TXID.fullmatch(value):
        raise BadText(f"{place}.{name}: expected 64 hex digits, found {short(value)}")
    return internal(value)


def as_hex(value: object, place: str) -> bytes:
    """Bytes written as hex."""
    if isinstance(value, str):
        try:
            return bytes.fromhex(value)
        except ValueError:
            pass
    raise BadText(f"{place}: expected hex, found {short(value)}")
