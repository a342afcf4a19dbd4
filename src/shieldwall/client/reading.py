"""Read what a node answers into shapes, and write what it is asked, by the types that each shape names."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, NamedTuple, Self, Union, cast, get_args, get_origin, get_type_hints

from shieldwall.errors import BadText

_ETAG = "etag"
_WORDS = {str: "text", int: "a whole number", bool: "true or false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What every shape is.

    Attributes:
        etag: Which version of a single object this is, for a change of it; empty where the node gave none.
    """

    etag: str = field(default="", compare=False, repr=False)

    @classmethod
    def from_json(cls, value: object, place: str = "the answer", *, etag: str = "") -> Self:
        """The shape that parsed JSON writes. Fields that it does not know are those of a newer node, and are left.

        Args:
            value: Parsed JSON.
            place: Where it was read, for errors.
            etag: The version that came with it.

        Raises:
            BadText: A field is missing, or is no such thing; the field is named, never what stood in it.
        """
        if not isinstance(value, dict):
            raise BadText(f"{place} is no object", hint=_HINT)
        found: dict[str, Any] = {_ETAG: etag}
        for each in _fields(cast("Hashable", cls)):  # mypy takes its instances' `__hash__` for its own
            if each.name in value:
                found[each.name] = _read(value[each.name], each.kind, f"{place}.{each.name}")
            elif each.required:
                raise BadText(f"{place}: the field {each.name} is missing", hint=_HINT)
        return cls(**found)


def plain(value: object) -> Any:  # noqa: ANN401 - any JSON value
    """What JSON can write: shapes as objects without what is None, every other sequence as a list."""
    if isinstance(value, Shape):
        named = {each.name: getattr(value, each.name) for each in dataclasses.fields(value) if each.name != _ETAG}
        return {name: plain(inner) for name, inner in named.items() if inner is not None}
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain(inner) for inner in value)
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray)):
        return [plain(inner) for inner in value]
    return value


_HINT = "is the node of another version? this program's is `shieldwall --version`"


class _Field(NamedTuple):
    name: str
    kind: Any
    required: bool


@cache
def _fields(shape: type[Any]) -> tuple[_Field, ...]:
    kinds = get_type_hints(shape)
    return tuple(
        _Field(each.name, kinds[each.name], each.default is dataclasses.MISSING)
        for each in dataclasses.fields(shape)
        if each.name != _ETAG
    )


def _read(value: object, kind: Any, place: str) -> Any:  # noqa: ANN401 - a type, and a value of that type
    if kind is Any:
        return value
    if kind in _WORDS:
        if type(value) is not kind:  # a truth is no number
            raise BadText(f"{place} is not {_WORDS[kind]}", hint=_HINT)
        return value
    if isinstance(kind, type) and issubclass(kind, Shape):
        return kind.from_json(value, place)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (only,) = (one for one in inner if one is not type(None))
        return None if value is None else _read(value, only, place)
    if origin is Literal:
        if not any(type(value) is type(word) and value == word for word in inner):
            raise BadText(f"{place} is none of {', '.join(map(str, inner))}", hint=_HINT)
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise BadText(f"{place} is no list", hint=_HINT)
        return tuple(_read(each, inner[0], f"{place}[{number}]") for number, each in enumerate(value))
    if not isinstance(value, dict):  # what is left is Mapping[str, ...]
        raise BadText(f"{place} is no object", hint=_HINT)
    return {name: _read(each, inner[1], f"{place}.*") for name, each in value.items()}
