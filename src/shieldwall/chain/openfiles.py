"""Pieces of many files by place: a bounded number of them open at once, and a node's scrambling undone.

Bitcoin Core keeps thousands of block files, more than a process may have open; since version 28 it scrambles them with
the eight bytes of `xor.dat` beside them (`-blocksxor`), repeated over each file from its beginning.
"""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock

import numpy as np

from shieldwall.errors import BadInput

_MOST_OPEN = 64
_KEY_BYTES = 8
KEY_FILE = "xor.dat"


class OpenFiles:
    """Reads pieces of files, by any thread; call `close` at the end."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._handles: dict[Path, int] = {}
        self._keys: dict[Path, bytes] = {}

    def read(self, path: Path, place: int, size: int, *, scrambled: bool = True) -> bytes:
        """Up to `size` bytes from `place` on, fewer at the end of the file; `scrambled=False` leaves them as they lie."""
        with self._lock:  # over the reading too: nobody may close the file meanwhile
            handle = self._handles.pop(path, None)
            if handle is None:
                while len(self._handles) >= _MOST_OPEN:
                    os.close(self._handles.pop(next(iter(self._handles))))
                handle = os.open(path, os.O_RDONLY)
            self._handles[path] = handle  # behind the others: the first is the one not used for longest
            data = os.pread(handle, size, place)
            if path.parent not in self._keys:
                self._keys[path.parent] = key_of(path.parent)
        return plain(data, place, self._keys[path.parent]) if scrambled else data

    def close(self) -> None:
        """Close them all."""
        for handle in self._handles.values():
            os.close(handle)
        self._handles.clear()


def key_of(folder: Path) -> bytes:
    """The key that a node scrambles the block files of `folder` with, b"" for none.

    Raises:
        BadInput: A key of another length.
    """
    path = folder / KEY_FILE
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        key = file.read(_KEY_BYTES + 1)
    if len(key) != _KEY_BYTES:
        raise BadInput(f"{path}: a key of {len(key)} bytes, not {_KEY_BYTES}", hint="copy it again from the node")
    return key if any(key) else b""


def plain(data: bytes, place: int, key: bytes) -> bytes:
    """Bytes that stand at `place` of a file, unscrambled."""
    if not key or not data:
        return data
    mask = np.resize(np.roll(np.frombuffer(key, np.uint8), -(place % len(key))), len(data))
    return (np.frombuffer(data, np.uint8) ^ mask).tobytes()
