"""A transaction taken from its raw bytes: what a store's columns do not keep (exact version, locktime, sequences, sizes)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shieldwall.chain.proof import rules_of
from shieldwall.chain.store import ChainStore
from shieldwall.errors import StoreError
from shieldwall.kernels.engine import Engine
from shieldwall.model.script import ScriptKind, classify

_WITNESS_KINDS = (ScriptKind.P2WPKH, ScriptKind.P2WSH, ScriptKind.P2TR, ScriptKind.WITNESS)
_COMMITMENT = bytes.fromhex("6a24aa21a9ed")  # how the output begins that says a block has witnesses (BIP 141)


@dataclass(frozen=True, slots=True)
class RawForm:
    """A transaction as its bytes say.

    Attributes:
        raw: The bytes.
        version: Signed, as Bitcoin Core prints it.
        lock_time: Height below 500,000,000, else Unix seconds.
        inputs: (script, sequence) of each, a coinbase's too.
        outputs: (satoshi, locking script) of each.
        stripped: Bytes without marker, flag and witness.
        size: Bytes; None where the source may have left out the witness.
    """

    raw: bytes
    version: int
    lock_time: int
    inputs: Sequence[tuple[bytes, int]]
    outputs: Sequence[tuple[int, bytes]]
    stripped: int
    size: int | None

    @property
    def virtual_size(self) -> int | None:
        """A quarter of the weight, rounded up (BIP 141)."""
        return None if self.size is None else (3 * self.stripped + self.size + 3) // 4


class RawForms:
    """Takes a store's transactions from their raw bytes.

    Args:
        store: With raw bytes, or with its source files where they were.
    """

    def __init__(self, store: ChainStore) -> None:
        self._store = store
        self._decode = Engine("plain", rules_of(store.network)).decode

    def of(self, transaction: int) -> RawForm:
        """The form of a transaction.

        Raises:
            StoreError: The store has no raw bytes, or its source files are gone.
        """
        raw = self._store.raw(transaction)
        if not raw:
            raise StoreError(
                f"{self._store.folder}: the store has no raw bytes of transaction {self._store.txid(transaction)}",
                hint="build a store of these blocks with raw bytes kept, or from block files that stay where they are",
            )
        decoded = self._decode(np.frombuffer(raw, np.uint8), np.array([0]), np.array([1]), np.array([len(raw)]))
        witness = int(decoded.witness[0])
        scripts = zip(decoded.script_start.tolist(), decoded.script_end.tolist(), strict=True)
        values = zip(decoded.value.tolist(), scripts, strict=True)
        inputs = [_input(raw, at + 36) for at in decoded.outpoint.tolist()]
        outputs = [(value, raw[first:last]) for value, (first, last) in values]
        complete = witness or not _may_lack_witness(inputs, outputs, coinbase=self._store.is_coinbase(transaction))
        return RawForm(
            raw=raw,
            version=int.from_bytes(raw[:4], "little", signed=True),
            lock_time=int.from_bytes(raw[-4:], "little"),
            inputs=inputs,
            outputs=outputs,
            stripped=witness + 2 if witness else len(raw),  # without marker, flag and witness
            size=len(raw) if complete else None,
        )


def _input(raw: bytes, place: int) -> tuple[bytes, int]:
    """The script and sequence of the input whose script's length stands at `place`."""
    first = raw[place]
    width = 0 if first < 0xFD else 2 << (first - 0xFD)
    size = int.from_bytes(raw[place + 1 : place + 1 + width], "little") if width else first
    begin = place + 1 + width
    return raw[begin : begin + size], int.from_bytes(raw[begin + size : begin + size + 4], "little")


def _may_lack_witness(
    inputs: Sequence[tuple[bytes, int]], outputs: Sequence[tuple[int, bytes]], *, coinbase: bool
) -> bool:
    """True when bytes without a witness may be those of a transaction that has one, which its source did not give.

    An input with a witness has an empty script, or one that only pushes a witness program (BIP 141); a coinbase has one
    exactly when it commits to those of its block.
    """
    if coinbase:
        return any(script.startswith(_COMMITMENT) for _, script in outputs)
    return any(
        not script or (script[0] == len(script) - 1 and classify(script[1:]).kind in _WITNESS_KINDS)
        for script, _ in inputs
    )
