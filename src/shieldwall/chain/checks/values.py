"""Value conservation: no transaction pays more than it spends, no block claims more than subsidy and fees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shieldwall.chain.checks.check import Check, Run, Tally, runs
from shieldwall.chain.columns import NO_HEIGHT, NO_OUTPUT, NO_VALUE, WHOLE
from shieldwall.chain.store import ChainStore
from shieldwall.model.network import COIN

_LIKELY = 2.0**62  # satoshi; beyond it 64 bits may have wrapped, and no true sum is that large


@dataclass(frozen=True, slots=True)
class BlockFees:
    """What a block's miner could take and took; satoshi.

    Attributes:
        block: Number of the block in the store.
        height: None when not known.
        fees: Inputs less outputs of all its transactions; None when not all are here or an input's value is not known.
        coinbase: What the coinbase pays out; None when it is not here.
        subsidy: What the block may create; None when its height is not known.
    """

    block: int
    height: int | None
    fees: int | None
    coinbase: int | None
    subsidy: int | None

    @property
    def unclaimed(self) -> int | None:
        """What the miner could have taken and did not; below zero: took and could not. None when not known."""
        if self.fees is None or self.coinbase is None or self.subsidy is None:
            return None
        return self.subsidy + self.fees - self.coinbase


@dataclass(slots=True)
class _Sums:
    """Satoshi of one run's transactions; a fee is true where `known`, and possible where not `absurd`."""

    paid: npt.NDArray[np.int64]
    fee: npt.NDArray[np.int64]
    known: npt.NDArray[np.bool_]
    absurd: npt.NDArray[np.bool_]
    coinbase: npt.NDArray[np.bool_]


def block_fees(store: ChainStore) -> list[BlockFees]:
    """Fees, coinbase and subsidy of every block, in the store's order."""
    return [entry for run in runs(store) for entry in _fees(store, run, _sums(store, run))]


def check_values(store: ChainStore, first: int = 0) -> tuple[Check, Check, list[BlockFees]]:
    """Conservation in each transaction and in each block, and what the blocks' miners left unclaimed."""
    by_transaction, by_block = Tally("transaction values"), Tally("block values")
    blocks: list[BlockFees] = []
    most = store.network.max_money
    for run in runs(store, first):
        values = store.column("output_value")[run.outputs]
        if (values > most).any():
            at = run.outputs.start + int(np.argmax(values > most))
            by_transaction.fault(f"output {at} of more than {most // COIN:,} coins", int((values > most).sum()))
        sums = _sums(store, run)
        spending = ~sums.coinbase
        by_transaction.checked += int((spending & sums.known).sum())
        by_transaction.skipped += int((spending & ~sums.known).sum())
        wrong = spending & sums.known & ((sums.fee < 0) | sums.absurd)
        for number in np.flatnonzero(wrong)[:4].tolist():
            by_transaction.fault(f"transaction {store.txid(run.txs.start + number)} pays more than it spends", 1)
        by_transaction.faults += max(0, int(wrong.sum()) - 4)
        for entry in _fees(store, run, sums):
            blocks.append(entry)
            if entry.unclaimed is None:
                by_block.skipped += 1
                continue
            by_block.checked += 1
            if entry.unclaimed < 0:
                by_block.fault(
                    f"block {entry.height} pays its miner {entry.coinbase} satoshi, and subsidy and fees are "
                    f"{(entry.subsidy or 0) + (entry.fees or 0)}"
                )
    left = [entry for entry in blocks if (entry.unclaimed or 0) > 0]
    total = sum(entry.unclaimed or 0 for entry in left)
    heights = ", ".join(str(entry.height) for entry in left[:5]) + (", ..." if len(left) > 5 else "")
    said = f"{total} satoshi left unclaimed, at height {heights}" if left else ""
    if by_block.skipped:
        said += ("; " if said else "") + "blocks of which an input's value, a transaction or the height is not known"
    note = "transactions with an input whose value is not known" if by_transaction.skipped else ""
    return by_transaction.result(note), by_block.result(said), blocks


def _sums(store: ChainStore, run: Run) -> _Sums:
    paid_values = store.column("output_value")[run.outputs]
    links = store.column("input_output")[run.inputs]
    spent = np.full(len(links), NO_VALUE, np.uint64)
    there = links < store.rows("output")
    spent[there] = store.column("output_value")[links[there]]
    outside = store.column("outside_input")
    rows = slice(*np.searchsorted(outside, np.array([run.inputs.start, run.inputs.stop], np.uint64)).tolist())
    places = (outside[rows] - np.uint64(run.inputs.start)).astype(np.int64)
    elsewhere = links[places] == np.uint64(NO_OUTPUT)
    spent[places[elsewhere]] = store.column("outside_value")[rows][elsewhere]
    unknown = spent == np.uint64(NO_VALUE)
    spent[unknown] = 0
    counts = np.diff(run.first_input)
    paid, paid_about = _by_transaction(paid_values, run.first_output)
    brought, brought_about = _by_transaction(spent, run.first_input)
    return _Sums(
        paid=paid,
        fee=brought - paid,
        known=_by_transaction(unknown.astype(np.uint64), run.first_input)[0] == 0,
        absurd=np.maximum(paid_about, brought_about) > _LIKELY,
        coinbase=counts == 0,
    )


def _by_transaction(
    values: npt.NDArray[np.uint64], edges: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Sums between edges: exact modulo 2^64, and about, to tell when that is not enough."""
    running = np.concatenate((np.zeros(1, np.uint64), np.cumsum(values, dtype=np.uint64)))
    about = np.concatenate((np.zeros(1), np.cumsum(values, dtype=np.float64)))
    exact = running[edges].view(np.int64)
    return exact[1:] - exact[:-1], np.diff(about[edges])


def _fees(store: ChainStore, run: Run, sums: _Sums) -> Iterator[BlockFees]:
    usable = sums.known & ~sums.absurd
    fee = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.where(sums.coinbase | ~usable, 0, sums.fee))))
    unusable = np.concatenate((np.zeros(1, np.int64), np.cumsum(~usable & ~sums.coinbase)))
    heights = store.column("block_height")[run.blocks].tolist()
    flags = store.column("block_flags")[run.blocks].tolist()
    for place, (height, flag) in enumerate(zip(heights, flags, strict=True)):
        first, last = int(run.first_tx[place]), int(run.first_tx[place + 1])
        whole = bool(flag & WHOLE)
        yield BlockFees(
            block=run.blocks.start + place,
            height=None if height == NO_HEIGHT else height,
            fees=int(fee[last] - fee[first]) if whole and unusable[last] == unusable[first] else None,
            coinbase=int(sums.paid[first]) if whole and sums.coinbase[first] else None,
            subsidy=None if height == NO_HEIGHT else store.network.subsidy(height),
        )
