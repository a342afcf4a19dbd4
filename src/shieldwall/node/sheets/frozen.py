"""Frozen traces, read and held to their digest once, and kept open while they are looked at: they never change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from shieldwall.errors import NotFound, Tampered
from shieldwall.model.canonical import digest
from shieldwall.model.strictjson import parse_json
from shieldwall.store.files import File

if TYPE_CHECKING:
    from shieldwall.store.work import Work

_ROOM = 24 << 20  # bytes of JSON that are kept open, all together: some ten times as many in memory
_MOST_MADE = 64

MadeT = TypeVar("MadeT")


@dataclass(frozen=True, slots=True)
class Frozen:
    """A saved trace or sheet: its file, and what it says."""

    file: File
    body: dict[str, Any]


class FrozenShelf:
    """Opens saved traces and sheets.

    Args:
        large: Room to hold a large thing in memory; see `Node.large`.
        room: Bytes of JSON that are kept open.
    """

    def __init__(self, large: Callable[[], AbstractContextManager[None]], room: int = _ROOM) -> None:
        self._large = large
        self._room = room
        self._kept: OrderedDict[str, tuple[int, dict[str, Any]]] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, work: Work, file_id: str, kind: str = "trace") -> Frozen:
        """A saved trace, for someone who may see it: that is asked each time, also of what is kept open.

        Args:
            work: The act within which it is looked at.
            file_id: Its file.
            kind: trace or sheet.

        Raises:
            NotFound: None that whoever asks may see.
            BadText: It is no JSON.
            Tampered: It is not what its digest says.
        """
        file = work.files.get(file_id)
        if file.kind != kind:
            raise NotFound(f"there is no such {kind}")
        with self._lock:
            kept = self._kept.get(file.sha256)
            if kept is not None:
                self._kept.move_to_end(file.sha256)
                return Frozen(file, kept[1])
        with self._large():
            body = _checked(work.files.read(file_id), f"the saved {kind}")
        with self._lock:
            self._kept[file.sha256] = (file.size, body)
            while len(self._kept) > 1 and sum(size for size, _ in self._kept.values()) > self._room:
                self._kept.popitem(last=False)
        return Frozen(file, body)


class Made(Generic[MadeT]):
    """What is made of frozen things again and again, kept for the same question."""

    def __init__(self, most: int = _MOST_MADE) -> None:
        self._most = most
        self._kept: OrderedDict[object, MadeT] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, question: object, make: Callable[[], MadeT]) -> MadeT:
        """The answer to a question, made where it is new."""
        with self._lock:
            if question in self._kept:
                self._kept.move_to_end(question)
                return self._kept[question]
        made = make()
        with self._lock:
            self._kept[question] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made


def _checked(raw: bytes, place: str) -> dict[str, Any]:
    body = parse_json(raw, place)
    plain: Mapping[str, Any] = body if isinstance(body, dict) else {}
    bare = {name: value for name, value in plain.items() if name != "digest"}
    if not bare or digest(bare) != plain.get("digest"):
        raise Tampered(f"{place} is not what its digest says", hint="shieldwall node check")
    return dict(plain)
