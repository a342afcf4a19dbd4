"""How rare a value is among the transactions around: agreement on what most have in common says little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import NO_HEIGHT
from shieldwall.chain.store import ChainStore
from shieldwall.trace.fingerprint.table import UNKNOWN, Codes, fingerprint_table

BLOCKS = 72  # on either side: about half a day each way on Bitcoin
MOST = 20_000  # transactions looked at around each of the two
FEWEST = 100  # others of which a value must be known before it is called rare or common
RARE, UNCOMMON = 20, 4  # at most one in so many


@dataclass(frozen=True, slots=True)
class Share:
    """How many others have a value.

    Attributes:
        same: Transactions around that have it.
        of: Transactions around of which it is known, without the two that are compared.
    """

    same: int
    of: int

    @property
    def word(self) -> str:
        """ "rare" (at most one in 20), "uncommon" (one in 4), "common", or "too few to tell" (of fewer than 100)."""
        if self.of < FEWEST:
            return "too few to tell"
        return "rare" if self.same * RARE <= self.of else "uncommon" if self.same * UNCOMMON <= self.of else "common"


@dataclass(frozen=True, slots=True)
class Window:
    """Transactions around some of a store; coinbases and these themselves are left out.

    Attributes:
        blocks: Blocks on either side that were asked for.
        ranges: (first, one past the last) transactions looked at.
        left_out: Transactions in those blocks beyond the most that are looked at.
        columns: As of `FingerprintTable`, only of those counted.
    """

    blocks: int
    ranges: tuple[tuple[int, int], ...]
    left_out: int
    columns: Mapping[str, Codes]

    def share(self, name: str, code: int) -> Share:
        """How many have `code` for the attribute `name`."""
        return self.joint({name: code})

    def joint(self, codes: Mapping[str, int]) -> Share:
        """How many have all these codes at once, of those of which all are known."""
        known = np.ones(len(self.columns["version"]), np.bool_)
        same: npt.NDArray[np.bool_] = known.copy()
        for name, code in codes.items():
            known &= self.columns[name] != UNKNOWN
            same &= self.columns[name] == code
        return Share(int(np.count_nonzero(same & known)), int(np.count_nonzero(known)))


def window_around(store: ChainStore, transactions: Sequence[int], blocks: int = BLOCKS, most: int = MOST) -> Window:
    """The transactions in the blocks around each of `transactions`.

    Args:
        store: The chain. Where blocks are missing, those further than `blocks` heights away do not count.
        transactions: Numbers, at least one.
        blocks: On either side.
        most: Transactions around each that are looked at, the nearest; the others are counted.
    """
    spans = [_span(store, transaction, blocks) for transaction in transactions]
    cut = [_nearest(span, transaction, most) for span, transaction in zip(spans, transactions, strict=True)]
    ranges, wanted = _merged(cut), _merged(spans)
    tables = [fingerprint_table(store, first, last) for first, last in ranges]
    keep = [table.columns["coinbase"] == 0 for table in tables]
    for (first, last), kept in zip(ranges, keep, strict=True):
        for transaction in transactions:
            if first <= transaction < last:
                kept[transaction - first] = False
    columns = {
        name: np.concatenate([table.columns[name][kept] for table, kept in zip(tables, keep, strict=True)])
        for name in tables[0].columns
    }
    return Window(blocks, tuple(ranges), _size(wanted) - _size(ranges), columns)


def _span(store: ChainStore, transaction: int, blocks: int) -> tuple[int, int]:
    block = store.block_of(transaction)
    heights, firsts = store.column("block_height"), store.column("block_first_tx")
    low, high = max(0, block - blocks), min(store.rows("block") - 1, block + blocks)
    own = int(heights[block])
    while low < block and _far(own, int(heights[low]), blocks):
        low += 1
    while high > block and _far(own, int(heights[high]), blocks):
        high -= 1
    last = int(firsts[high + 1]) if high + 1 < store.rows("block") else store.rows("tx")
    return int(firsts[low]), last


def _far(own: int, other: int, blocks: int) -> bool:
    """A block whose height, or whose distance, is not known is not near."""
    return NO_HEIGHT in (own, other) or abs(own - other) > blocks


def _nearest(span: tuple[int, int], transaction: int, most: int) -> tuple[int, int]:
    first, last = span
    if last - first <= most:
        return span
    begin = min(max(first, transaction - most // 2), last - most)
    return begin, begin + most


def _merged(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _size(ranges: Sequence[tuple[int, int]]) -> int:
    return sum(last - first for first, last in ranges)
