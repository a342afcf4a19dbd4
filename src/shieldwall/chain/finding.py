"""Find rows of a chain store by what a person knows of them: a txid, a script, a holder.

Each question goes to every run of the index, newest rows last, and then to the rows that no run covers yet: those of a build
that goes on, or was stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from shieldwall.chain.manifest import IndexRun
from shieldwall.chain.mapping import place_of
from shieldwall.kernels.plain.ordering import payload_key
from shieldwall.model.address import key_hash
from shieldwall.model.script import Script, ScriptKind

if TYPE_CHECKING:
    from shieldwall.chain.store import ChainStore


class Finder:
    """Looks things up in a store's indexes; a part of `ChainStore`.

    Args:
        store: The store that it is part of.
    """

    def __init__(self, store: ChainStore) -> None:
        self._store = store

    def transaction(self, txid: bytes) -> int | None:
        """Number of the transaction with this internal txid, the latest of equals; None when it is not here."""
        txids = self._store.column("tx_txid")
        key = int.from_bytes(txid[:8], "little")
        covered = self._store.manifest.indexed["tx"]
        if covered < len(txids):  # a build that goes on, or was stopped
            late = np.flatnonzero((txids[covered:] == np.frombuffer(txid, np.uint8)).all(axis=1))
            if len(late):
                return covered + int(late[-1])
        for run in reversed(self._store.manifest.runs):
            found = [number for number in self._bucket(run, "txid", key) if txids[number].tobytes() == txid]
            if found:
                return found[-1]
        return None

    def _bucket(self, run: IndexRun, name: str, key: int) -> list[int]:
        """The numbers, ascending, that a run has in the bucket of a key."""
        heads = self._store.index(run, f"{name}_first")
        bucket = key & (run.buckets[name] - 1)
        numbers: list[int] = self._store.index(run, f"{name}_number")[
            int(heads[bucket]) : int(heads[bucket + 1])
        ].tolist()
        return numbers

    def holder(self, script: Script) -> int | None:
        """Number of the holder with this script; None when it is not here."""
        return next((number for number in self._holders("holder", script) if self._is(number, script)), None)

    def _is(self, number: int, script: Script) -> bool:
        """True for a holder's own script; looks no further than it must."""
        ends = self._store.column("holder_end")
        first, last = ends[number - 1] if number else 0, ends[number]
        if last - first != len(script.payload):
            return False
        same = self._store.column("payload_bytes")[first:last].tobytes() == script.payload
        return same and int(self._store.column("holder_kind")[number]) == script.kind

    def _holders(self, name: str, script: Script) -> Iterator[int]:
        """Holders that may be looked for, by their payload ("holder") or the hash of their key ("key")."""
        key = payload_key(script.payload)
        for run in self._store.manifest.runs:
            yield from self._bucket(run, name, key)
        covered = self._store.manifest.indexed["holder"]
        if covered < self._store.rows("holder"):  # a build that goes on, or was stopped
            wanted = ScriptKind.P2PK if name == "key" else script.kind
            yield from (np.flatnonzero(self._store.column("holder_kind")[covered:] == wanted) + covered).tolist()

    def same_key(self, script: Script) -> int | None:
        """The holder of the same key in its other form; None for none."""
        if script.kind == ScriptKind.P2PK:
            return self.holder(key_hash(script.payload))
        if script.kind != ScriptKind.P2PKH:
            return None
        found = (
            number for number in self._holders("key", script) if key_hash(self._store.holder(number).payload) == script
        )
        return next(found, None)

    def outputs_of(self, number: int) -> list[int]:
        """Numbers of the outputs paid to a holder, ascending."""
        outputs: list[int] = []
        for run in self._store.manifest.runs:
            named = self._store.index(run, "paid_holder")
            row = place_of(named, number) if len(named) else number
            first = self._store.index(run, "paid_first")
            if row + 1 >= len(first) or (len(named) and int(named[row]) != number):
                continue
            outputs += self._store.index(run, "paid_output")[first[row] : first[row + 1]].tolist()
        covered = self._store.manifest.indexed["output"]
        return outputs + (np.flatnonzero(self._store.column("output_holder")[covered:] == number) + covered).tolist()
