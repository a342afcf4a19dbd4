"""Resolve inputs: which output does each spend? Only outputs that can still be spent are kept."""

from __future__ import annotations

import numpy as np

from shieldwall.kernels.arrays import NONE32, NONE64, Bytes, Counts32, Numbers, Offsets, raw_view


class LiveOutputs:
    """Outputs by txid and index that no input has spent yet."""

    def __init__(self) -> None:
        self._live: dict[bytes, tuple[int, int]] = {}

    def add(self, txid: Bytes, index: Numbers, output: Numbers, holder: Counts32) -> None:
        """Add outputs that were live before.

        Args:
            txid: uint8[n, 32]
            index: uint64[n], place among the outputs of its transaction.
            output: uint64[n], numbers.
            holder: uint32[n], whom each pays.
        """
        for row, (place, number, whom) in enumerate(zip(index.tolist(), output.tolist(), holder.tolist(), strict=True)):
            self._live[txid[row].tobytes() + place.to_bytes(4, "little")] = number, whom

    def resolve(
        self,
        data: Bytes,
        outpoint: Offsets,
        first_input: Offsets,
        first_output: Offsets,
        txid: Bytes,
        spendable: Bytes,
        holder: Counts32,
        base: int,
    ) -> tuple[Numbers, Counts32, Numbers]:
        """Take the transactions in order: each spends its inputs, then adds its outputs.

        Args:
            data: uint8, where the outpoints stand.
            outpoint: int64[i], place of each input's 36-byte outpoint.
            first_input: int64[n + 1]
            first_output: int64[n + 1]
            txid: uint8[n, 32]
            spendable: uint8[o], 0 for an output that nobody can spend; it is not added.
            holder: uint32[o], whom each output pays.
            base: number of the first output of these transactions.

        Returns:
            uint64[i]: the output that each input spends, NONE64 where it is not among the live ones;
            uint32[i]: whom it paid, NONE32 likewise; and
            uint64[k]: outputs that a later transaction with the same txid overwrote (BIP 30).
        """
        raw = raw_view(data)
        spent = np.full(len(outpoint), NONE64, np.uint64)
        holders = np.full(len(outpoint), NONE32, np.uint32)
        overwritten: list[int] = []
        live = self._live
        places = outpoint.tolist()
        for n in range(len(txid)):
            for i in range(int(first_input[n]), int(first_input[n + 1])):
                found = self.take(raw[places[i] : places[i] + 36].tobytes())
                if found is not None:
                    spent[i], holders[i] = found
            name = txid[n].tobytes()
            met_before = self.met_before(name)
            first = int(first_output[n])
            for o in range(first, int(first_output[n + 1])):
                if spendable[o]:
                    key = name + (o - first).to_bytes(4, "little")
                    before = self.take(key) if met_before or key in live else None
                    if before is not None:
                        overwritten.append(before[0])
                    live[key] = base + o, int(holder[o])
        return spent, holders, np.array(overwritten, np.uint64)

    def take(self, outpoint: bytes) -> tuple[int, int] | None:
        """Number and holder of an output that nothing has spent, which now is spent; None when there is none."""
        return self._live.pop(outpoint, None)

    def met_before(self, txid: bytes) -> bool:  # noqa: ARG002 - for those that know more than what they were given
        """True when a transaction of this id may have outputs that only `take` finds."""
        return False
