"""From which transaction of a store on a kind can be: a program makes no CoinJoin before it exists."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shieldwall.chain.store import ChainStore
from shieldwall.kernels.arrays import COINJOIN_NAMES, GENERIC, JOINMARKET
from shieldwall.model.network import MAIN
from shieldwall.trace.coinjoin.kinds import KINDS

_BITCOIN = "BTC"


def starts_of(store: ChainStore) -> npt.NDArray[np.int64]:
    """The first transaction that may be of each kind.

    On Bitcoin's main network by the first heights of Dumplings (`Kind.first_height`): a block of a height that is not known is
    not held against a kind. On its test networks 0. On another currency's only JoinMarket and the generic shape are looked
    for, as graphsense-lib does.

    Returns:
        int64[8], by code; the store's number of transactions where none can be. Read-only, for kernels.
    """
    starts = np.zeros(len(COINJOIN_NAMES), np.int64)
    rows = store.rows("tx")
    if store.network.coin != _BITCOIN:
        starts[:] = rows
        starts[[GENERIC, JOINMARKET]] = 0
    elif store.network == MAIN and store.rows("block"):
        heights = np.asarray(store.column("block_height"))
        firsts = store.column("block_first_tx")
        for code, kind in KINDS.items():
            may = heights >= kind.first_height  # an unknown height reads as the largest
            block = int(np.argmax(may))
            starts[code] = int(firsts[block]) if may[block] else rows
    starts.flags.writeable = False
    return starts
