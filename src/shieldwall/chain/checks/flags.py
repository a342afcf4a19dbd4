"""Flags of transactions: what their bits say must go together, and with the rows of the inputs."""

from __future__ import annotations

import numpy as np

from shieldwall.chain.checks.check import Check, Tally, runs
from shieldwall.chain.columns import KEPT_FLAGS
from shieldwall.chain.store import ChainStore
from shieldwall.kernels.arrays import COINBASE, FINAL, REPLACEABLE


def check_flags(store: ChainStore, first: int = 0) -> Check:
    """A coinbase and no other has no inputs; no flags contradict each other, or are none of this format.

    Version, locktime and sequences themselves are bound by the txid only: `check_source` holds the flags to the bytes.

    Args:
        store: The store.
        first: The block to begin with.
    """
    tally = Tally("flags")
    for run in runs(store, first):
        flags = store.column("tx_flags")[run.txs]
        inputs = np.diff(run.first_input)
        tally.checked += len(flags)
        coinbase = (flags & COINBASE) != 0
        replaceable = (flags & REPLACEABLE) != 0
        for wrong, text in (
            ((flags & ~np.uint8(KEPT_FLAGS)) != 0, "bits that mean nothing"),
            (coinbase != (inputs == 0), "a coinbase with inputs, or another without"),
            (replaceable & (coinbase | ((flags & FINAL) != 0)), "replaceable, and final or a coinbase"),
        ):
            if wrong.any():
                number = run.txs.start + int(np.argmax(wrong))
                tally.fault(f"tx_flags: transaction {number}: {text}", int(np.count_nonzero(wrong)))
    return tally.result()
