"""Bundles and TAXII envelopes as streams: one object after another, whatever their number, each as the bytes that came.

A bundle (section 8) is read piece by piece; no more of it is held than one object and a piece. What stands beside the objects
may come before or behind them. A bare list of objects and one object alone are read too. STIX 1.x is XML, and is told so.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from shieldwall.errors import BadText
from shieldwall.model.strictjson import parse_json
from shieldwall.sharing.stix.object import MOST_BYTES, SPEC_VERSIONS, StixObject, object_of

PIECE = 1 << 20
"""Bytes that are read at a time."""

_SPACE = re.compile(r"[ \t\n\r]*")
_MOST_BESIDE = 1 << 20  # characters of all that is no object
_SCAN = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class Refusal:
    """An object of a bundle that could not be read, and why; the ones around it are read all the same.

    Attributes:
        number: Of the object in the bundle, from 1.
        raw: Its bytes.
        reason: A sentence, with its place.
    """

    number: int
    raw: bytes
    reason: str


class BundleReader:
    """The objects of a bundle or envelope, as an iterator.

    Args:
        stream: Where it is read from.
        place: Its name, for errors.
        envelope: Take a TAXII envelope alone (TAXII 2.1, section 3.7).

    Attributes:
        beside: What stood beside the objects: `type`, `id`, and of a TAXII envelope `more` and `next`; whole at the end.
        objects: How many objects were met.
    """

    def __init__(self, stream: BinaryIO, place: str, *, envelope: bool = False) -> None:
        self._envelope = envelope
        self._text = _Text(stream, place)
        self._place = place
        self.beside: dict[str, Any] = {}
        self.objects = 0

    def __iter__(self) -> Iterator[StixObject | Refusal]:
        """Each object in turn, or the refusal of one.

        Raises:
            BadText: It is no bundle, or its end is missing; what was given before stands.
        """
        text = self._text
        first = text.peek()
        if first == "<":
            raise BadText(f"{self._place}: STIX 1.x or other XML", hint="ask for STIX 2.1, or convert it")
        if first == "[" and not self._envelope:
            yield from self._objects()
        elif first == "{":
            yield from self._members()
        else:
            raise BadText(f"{self._place}: neither a bundle nor an envelope", hint='it begins with {"type": "bundle"')
        if text.peek():
            raise BadText(f"{self._place}: something stands behind the bundle")

    def _members(self) -> Iterator[StixObject | Refusal]:
        text = self._text
        text.hold()
        text.take("{")
        several, beside = False, 0
        while text.peek() != "}" or self.beside or several:
            name = text.value()
            if not isinstance(name, str) or name in self.beside or (name == "objects" and several):
                raise BadText(f"{self._place}: {str(name)[:40]!r} stands twice, or is no name")
            text.take(":")
            if name == "objects" and text.peek() == "[":
                several = True
                text.held()
                yield from self._objects()
            else:
                begun = text.consumed
                self.beside[name] = text.value()
                beside += text.consumed - begun
                if several and beside > _MOST_BESIDE:
                    raise BadText(f"{self._place}: more than {_MOST_BESIDE:,} characters beside its objects")
            if text.peek() == "}":
                break
            text.take(",")
        text.take("}")
        kind, envelope = self.beside.get("type"), not set(self.beside) - {"more", "next"}
        if self._envelope and not several:
            raise BadText(f"{self._place}: no list of objects", hint='send {"objects": [...]}')
        if kind == "bundle" or envelope or (kind is None and several):
            self._spec_version()  # it may stand behind the objects, and be none
            return
        if several:
            raise BadText(f"{self._place}: a {str(kind)[:40]!r}, not a bundle")
        self.objects, self.beside = 1, {}
        yield self._object(text.held())

    def _spec_version(self) -> str:
        """Of a 2.0 bundle, which says it for its objects; "" for others."""
        stated = self.beside.get("spec_version", "")
        if stated not in ("", *SPEC_VERSIONS):
            raise BadText(f"{self._place}: spec_version {str(stated)[:20]!r} is not read")
        return stated if stated == "2.0" else ""

    def _objects(self) -> Iterator[StixObject | Refusal]:
        text = self._text
        text.take("[")
        if text.peek() == "]":
            text.take("]")
            return
        while True:
            self.objects += 1
            yield self._object(text.raw())
            if text.peek() == "]":
                text.take("]")
                return
            text.take(",")

    def _object(self, raw: str) -> StixObject | Refusal:
        place = f"{self._place}, object {self.objects}"
        try:
            body = parse_json(raw, place, floats=True)
            return object_of(body, raw.encode(), place, spec_version=self._spec_version())
        except BadText as error:
            return Refusal(self.objects, raw.encode(), error.message)


class _Text:
    """Text that is read as it is needed, and let go of behind; what is being held is kept."""

    def __init__(self, stream: BinaryIO, place: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._place = place
        self._held = ""
        self._at = 0
        self._gone = 0
        self._ended = False
        self._kept: int | None = None  # where what is being held begins

    def hold(self) -> None:
        """Keep all from here on."""
        self.peek()
        self._kept = self._at

    def held(self) -> str:
        """What was kept since `hold`, which ends."""
        start, self._kept = self._kept, None
        return self._held[start : self._at]

    @property
    def consumed(self) -> int:
        """Characters that lie behind."""
        return self._gone + self._at

    def peek(self) -> str:
        """The next character that is no space; "" at the end."""
        while True:
            self._at = _end(_SPACE, self._held, self._at)
            if self._at < len(self._held) or not self._more():
                return self._held[self._at : self._at + 1]

    def take(self, wanted: str) -> None:
        """Go past a character that must be next."""
        found = self.peek()
        if found != wanted:
            what = f"{found!r} where {wanted!r} is wanted" if found else "it ends too early"
            raise BadText(f"{self._place}: not JSON, character {self.consumed}: {what}")
        self._at += 1

    def value(self) -> Any:  # noqa: ANN401 - any JSON value
        """The next value."""
        return parse_json(self.raw(), self._place, floats=True)

    def raw(self) -> str:
        """The next value as it is written."""
        if not self.peek():
            raise BadText(f"{self._place}: not JSON, character {self.consumed}: it ends too early")
        while True:
            end = self._end_of_value()
            if end is not None and (end < len(self._held) or self._ended):
                text = self._held[self._at : end]
                self._at = end
                return text
            if len(self._held) - self._at > MOST_BYTES:
                raise BadText(f"{self._place}: not JSON, or larger than {MOST_BYTES:,}, from character {self.consumed}")
            if not self._more() and end is None:
                raise BadText(f"{self._place}: not JSON from character {self.consumed}, or it ends too early")

    def _end_of_value(self) -> int | None:
        try:
            return _SCAN(self._held, self._at)[1]
        except ValueError:
            return None
        except RecursionError:
            raise BadText(f"{self._place}: too deep, from character {self.consumed}") from None

    def _more(self) -> bool:
        """Read a piece; False at the end."""
        if self._ended:
            return False
        piece = self._stream.read(PIECE)
        try:
            text = self._decoder.decode(piece, final=not piece)
        except UnicodeDecodeError:
            raise BadText(f"{self._place}: not UTF-8, behind character {self._gone + len(self._held)}") from None
        if not piece:
            self._ended = True
        start = self._at if self._kept is None else self._kept
        if self._at - start > MOST_BYTES:
            raise BadText(f"{self._place}: an object of more than {MOST_BYTES:,} bytes", hint="give it as a bundle")
        self._gone += start
        self._held, self._at = self._held[start:] + text, self._at - start
        if self._kept is not None:
            self._kept = 0
        if self._gone == 0 and self._held.startswith("\ufeff"):
            self._held = self._held[1:]
        return bool(piece)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    form = pattern.match(text, at)
    return form.end() if form else at


def bundle_of(objects: Iterable[bytes], bundle_id: str) -> Iterator[bytes]:
    """A bundle as pieces of bytes, for objects as they are."""
    head = json.dumps({"type": "bundle", "id": bundle_id})[:-1].encode()
    begun = False
    for raw in objects:
        yield (b", " if begun else head + b', "objects": [') + raw
        begun = True
    yield b"]}" if begun else head + b"}"
