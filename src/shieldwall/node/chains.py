"""The chain store as a server reads it: one open snapshot, opened again when the store has grown."""

from __future__ import annotations

import threading
from pathlib import Path

from shieldwall.chain.manifest import MANIFEST
from shieldwall.chain.store import ChainStore
from shieldwall.chain.unconfirmed import FILE, Unconfirmed, read_unconfirmed
from shieldwall.errors import StoreError, UsageError

_Stamp = tuple[int, int, int]


class ChainShelf:
    """One chain store for many readers.

    Args:
        folder: The store's folder; None where the node has none.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._stamp: _Stamp | None = None
        self._store: ChainStore | None = None
        self._layer_stamp: _Stamp | None = None
        self._layer: Unconfirmed | None = None

    @property
    def is_there(self) -> bool:
        """Whether there is a store to open."""
        return self.folder is not None and (self.folder / MANIFEST).is_file()

    def stamp(self) -> _Stamp | None:
        """Changes whenever the store was committed; None where there is none."""
        return None if self.folder is None else _stamp_of(self.folder / MANIFEST)

    def open(self) -> ChainStore:
        """A snapshot of the store as it stands; close it after use, it costs nothing.

        Raises:
            UsageError: The node has none.
            StoreError: It is damaged, or not there yet.
        """
        if self.folder is None:
            raise UsageError("this node has no chain store", hint='write chain = "DIR" into node.toml')
        with self._lock:
            stamp = self.stamp()
            if self._store is None or stamp != self._stamp:
                if stamp is None:
                    raise StoreError("the node's chain store is not there yet", hint="build it: shieldwall chain build")
                self._store, self._stamp = ChainStore.open(self.folder), stamp
            return self._store.kept()

    def layer(self) -> Unconfirmed | None:
        """What waits for a block; None where no node is followed."""
        if self.folder is None:
            return None
        with self._lock:
            stamp = _stamp_of(self.folder / FILE)
            if stamp != self._layer_stamp:
                self._layer, self._layer_stamp = read_unconfirmed(self.folder), stamp
            return self._layer


def _stamp_of(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
