"""Haircut over a whole chain at once: what every output holds of the money that was started from.

`follow` goes along with the money and needs room only for what it touches; on a chain whose money has mixed for years, haircut
touches most of it. This is one pass over all transactions in order, with one number for each output of the store (8 bytes):
a job of its own, for statistics and for comparing methods, without stops, limits or paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shieldwall.chain.graph import graph_of
from shieldwall.chain.store import ChainStore
from shieldwall.errors import StoreError
from shieldwall.kernels.engine import EngineName, is_compiled, kernel
from shieldwall.kernels.walks import UNSPENDABLE
from shieldwall.trace.targets import Target

COMPILED_FROM = 100_000  # transactions of a store: some seconds in plain Python


@dataclass(frozen=True, slots=True)
class WholeHaircut:
    """Where the money of some outputs is, by haircut.

    For `seed` satoshi: what stands on outputs that nothing in the store spends, `fees` and `stuck` make `seed` together.

    Attributes:
        tainted: uint64[outputs], tainted satoshi of every output that money came to, also of those spent since.
        seed: Satoshi started from, each once.
        returned: Satoshi that came back to a seed by its own money and are not counted again.
        fees: Tainted satoshi that miners took.
        stuck: Tainted satoshi on outputs that a transaction spends whose division needs an amount that nobody gives.
    """

    tainted: npt.NDArray[np.uint64]
    seed: int
    returned: int
    fees: int
    stuck: int

    def unspent(self, store: ChainStore) -> int:
        """Tainted satoshi on outputs that nothing in the store spends, those that nobody can ever spend among them."""
        spender = store.column("output_spender")
        return int(self.tainted[spender >= store.rows("tx")].sum())

    def burnt(self, store: ChainStore) -> int:
        """Tainted satoshi of these on outputs that nobody can ever spend."""
        return int(self.tainted[store.column("output_spender") == UNSPENDABLE].sum())


def haircut_whole(store: ChainStore, seeds: Sequence[int], engine: EngineName = "auto") -> WholeHaircut:
    """Follow the whole of some outputs by haircut to the end of the chain, exact to the satoshi.

    The rule is that of `methods.haircut`; services do not stop it, and no money is followed beyond the store. Litecoin's
    extension block is divided like any other transaction, which says nothing of what happens inside: use `follow` there.

    Args:
        store: The chain; 8 bytes of memory are needed for each of its outputs.
        seeds: Numbers of the outputs to start from, in any order; each counts once.
        engine: auto (compiled from 100,000 transactions on), plain or compiled; the answer is the same.

    Raises:
        StoreError: Rows of the store are damaged.
    """
    wanted = np.unique(np.asarray(seeds, np.int64))
    if not len(wanted):
        return WholeHaircut(np.zeros(store.rows("output"), np.uint64), 0, 0, 0, 0)
    kernels = kernel("taint", compiled=is_compiled(engine, large=store.rows("tx") >= COMPILED_FROM))
    taint, sums, broken = kernels.haircut(graph_of(store), wanted, store.transaction_of(int(wanted[0])))
    if broken >= 0:
        raise StoreError(
            f"{store.folder}: rows of transaction {broken} point beyond the store",
            hint="shieldwall chain verify names what is damaged; restore the store from a copy, or build it again",
        )
    fees, stuck, seed, returned = (int(value) for value in sums)
    return WholeHaircut(taint.view(np.uint64), seed, returned, fees, stuck)


def haircut_targets(store: ChainStore, targets: Sequence[Target], engine: EngineName = "auto") -> WholeHaircut:
    """The same for the outputs of targets (`targets.find_targets`); what inputs brought is not started from."""
    return haircut_whole(store, [output for target in targets for output in target.outputs], engine)
