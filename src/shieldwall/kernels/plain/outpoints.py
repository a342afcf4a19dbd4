"""Resolve inputs: which output does each spend? Only outputs that can still be spent are kept."""

from __future__ import annotations

import numpy as np

from shieldwall.kernels.arrays import NONE64, Bytes, Numbers, Offsets, raw_view


class LiveOutputs:
    """Outputs by txid and index that no input has spent yet."""

    def __init__(self) -> None:
        self._live: dict[bytes, int] = {}

    def add(self, txid: Bytes, index: Numbers, output: Numbers) -> None:
        """Add outputs that were live before: uint8[n, 32] txids, uint64[n] indexes, uint64[n] output numbers."""
        for row, (place, number) in enumerate(zip(index.tolist(), output.tolist(), strict=True)):
            self._live[txid[row].tobytes() + place.to_bytes(4, "little")] = number

    def resolve(
        self,
        data: Bytes,
        outpoint: Offsets,
        first_input: Offsets,
        first_output: Offsets,
        txid: Bytes,
        spendable: Bytes,
        base: int,
    ) -> tuple[Numbers, Numbers]:
        """Take the transactions in order: each spends its inputs, then adds its outputs.

        Args:
            data: uint8, where the outpoints stand.
            outpoint: int64[i], place of each input's 36-byte outpoint.
            first_input: int64[n + 1]
            first_output: int64[n + 1]
            txid: uint8[n, 32]
            spendable: uint8[o], 0 for an output that nobody can spend; it is not added.
            base: number of the first output of these transactions.

        Returns:
            uint64[i]: the output that each input spends, NONE64 where it is not among the live ones; and
            uint64[k]: outputs that a later transaction with the same txid overwrote (BIP 30).
        """
        raw = raw_view(data)
        spent = np.full(len(outpoint), NONE64, np.uint64)
        overwritten: list[int] = []
        live = self._live
        places = outpoint.tolist()
        for n in range(len(txid)):
            for i in range(int(first_input[n]), int(first_input[n + 1])):
                number = live.pop(raw[places[i] : places[i] + 36].tobytes(), None)
                if number is not None:
                    spent[i] = number
            name = txid[n].tobytes()
            first = int(first_output[n])
            for o in range(first, int(first_output[n + 1])):
                if spendable[o]:
                    key = name + (o - first).to_bytes(4, "little")
                    if key in live:
                        overwritten.append(live[key])
                    live[key] = base + o
        return spent, np.array(overwritten, np.uint64)
