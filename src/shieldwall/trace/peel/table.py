"""The peel rules over arrays: the profiles of all clusters at once, and the next hop of many transactions at once.

The same answers as `profile_of` and `next_hop`, for clusters of any number; for measuring, and for whoever asks of millions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import NO_HOLDER
from shieldwall.chain.graph import graph_of
from shieldwall.chain.many import STATES, payees, payers, spend_states
from shieldwall.chain.spend import SpendState
from shieldwall.chain.store import ChainStore
from shieldwall.kernels.engine import kernel
from shieldwall.kernels.profile_bits import PROFILE_SEGWIT, PROFILE_UNKNOWN
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.peel.profile import AT_FIRST, AT_LAST, ELSEWHERE, FEATURES

_CHUNK = 1 << 19  # transactions whose outputs are looked at together
_COMPILED_FROM = 20_000  # transactions
_SPENT, _UNKNOWN = (
    STATES.index(SpendState.SPENT),
    (STATES.index(SpendState.UNKNOWN), STATES.index(SpendState.SPENT_OUTSIDE)),
)

Transactions = npt.NDArray[np.int64]


class PeelTable(NamedTuple):
    """Profiles of n transactions and of the clusters of h holders.

    Attributes:
        store: The chain.
        cluster: uint32[h], the cluster of each holder.
        payer: int64[n], the cluster that alone pays in each transaction; -1 where there is no such one.
        whole: uint8[n], 1 where those who pay in a transaction are the whole of that cluster.
        word: uint16[n], profiles of transactions with the bits of `kernels.profile_bits`.
        features: uint32[h], at each cluster's number: 1 << features for each combination that was seen.
        kinds: uint16[h], likewise: 1 << kind for the script kinds of its members.
        seen: uint8[h], likewise: where its change was seen, as bits of `peel.profile`.
        size: uint32[h], likewise: how many members.
    """

    store: ChainStore
    cluster: npt.NDArray[np.uint32]
    payer: npt.NDArray[np.int64]
    whole: npt.NDArray[np.uint8]
    word: npt.NDArray[np.uint16]
    features: npt.NDArray[np.uint32]
    kinds: npt.NDArray[np.uint16]
    seen: npt.NDArray[np.uint8]
    size: npt.NDArray[np.uint32]

    @classmethod
    def of(cls, store: ChainStore, clustering: Clustering) -> PeelTable:
        """The table of a clustering."""
        return cls.of_clusters(store, clustering.clusters_of(np.arange(store.rows("holder"), dtype=np.uint32)))

    @classmethod
    def of_clusters(cls, store: ChainStore, cluster: npt.NDArray[np.uint32]) -> PeelTable:
        """The table of clusters given as uint32[h]: the least member of each holder's cluster."""
        holders, transactions = store.rows("holder"), store.rows("tx")
        module = kernel("profiles", compiled=transactions >= _COMPILED_FROM)
        word = module.profile_bits(graph_of(store), store.column("holder_kind"), 0, transactions)
        size = np.bincount(cluster, minlength=holders).astype(np.uint32)
        kinds = np.zeros(holders, np.uint16)
        np.bitwise_or.at(kinds, cluster, np.uint16(1) << store.column("holder_kind").astype(np.uint16))
        payer, whole = np.full(transactions, -1, np.int64), np.zeros(transactions, np.uint8)
        seen = np.zeros(holders, np.uint8)
        for first in range(0, transactions, _CHUNK):
            chunk = np.arange(first, min(first + _CHUNK, transactions))
            payer[chunk], whole[chunk] = _who_pays(store, cluster, size, chunk)
            _see_change(store, cluster, payer, chunk, seen)
        features = np.zeros(holders, np.uint32)
        paid = payer >= 0
        np.bitwise_or.at(features, payer[paid], np.uint32(1) << (word[paid] & FEATURES).astype(np.uint32))
        return cls(store, cluster, payer, whole, word, features, kinds, seen, size)

    def next_outputs(self, transactions: Transactions, clusters: Transactions, *, whole: bool) -> Transactions:
        """int64[k]: the output that the chain goes on with in each of the transactions; -1 for none.

        Args:
            transactions: int64[k].
            clusters: int64[k], the cluster whose profile each is held to; below 0 for none.
            whole: True for `find-next2`.
        """
        parts = [
            self._next(transactions[first : first + _CHUNK], clusters[first : first + _CHUNK], whole=whole)
            for first in range(0, len(transactions), _CHUNK)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def _next(self, transactions: Transactions, clusters: Transactions, *, whole: bool) -> Transactions:
        store = self.store
        outputs, place = payees(store, transactions)
        index, count = _indexes(place, len(transactions))
        of = clusters[place]
        fits = (of >= 0) & _fits_place(self.seen[of.clip(min=0)], index, count)
        outputs, place, of = outputs[fits], place[fits], of[fits]
        kind = store.column("holder_kind")[store.column("output_holder")[outputs]]
        fits = (self.kinds[of] >> kind.astype(np.uint16) & 1).astype(bool)
        outputs, place, of = outputs[fits], place[fits], of[fits]
        state = spend_states(store, outputs)
        spender = store.column("output_spender")[outputs].astype(np.int64)
        spent = state == _SPENT
        yes, perhaps = np.zeros(len(outputs), bool), np.isin(state, _UNKNOWN)
        yes[spent], perhaps[spent] = self._fits_features(spender[spent], of[spent])
        counts = np.bincount(place[yes], minlength=len(transactions))
        open_ = np.bincount(place[perhaps], minlength=len(transactions))
        found = np.full(len(transactions), -1, np.int64)
        alone = yes & (counts[place] == 1) & (open_[place] == 0)
        if whole:
            then = self.payer[spender[alone]]
            own = (then == of[alone]) | (then == self.payer[transactions[place[alone]]])
            alone[alone] = (then >= 0) & (own | self.whole[spender[alone]].astype(bool))
        found[place[alone]] = outputs[alone].astype(np.int64)
        return found

    def _fits_features(
        self, spenders: Transactions, clusters: Transactions
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Whether each spender is like its cluster, and whether this is not known."""
        word, mask = self.word[spenders], self.features[clusters]
        own = (word & FEATURES).astype(np.uint32)
        plain = (mask >> own & 1).astype(bool)
        segwit = (mask >> (own | PROFILE_SEGWIT) & 1).astype(bool)
        unknown = (word & PROFILE_UNKNOWN > 0) & (word & PROFILE_SEGWIT == 0)
        perhaps = unknown & (plain != segwit)
        return plain & ~perhaps, perhaps


def _indexes(place: Transactions, transactions: int) -> tuple[Transactions, Transactions]:
    """The index of each output in its transaction, and how many outputs that has."""
    counts = np.bincount(place, minlength=transactions)
    firsts = np.cumsum(counts) - counts
    return np.arange(len(place)) - firsts[place], counts[place]


def _fits_place(seen: npt.NDArray[np.uint8], index: Transactions, count: Transactions) -> npt.NDArray[np.bool_]:
    anywhere = (seen == 0) | (seen & ELSEWHERE > 0)
    first, last = (seen & AT_FIRST > 0) & (index == 0), (seen & AT_LAST > 0) & (index == count - 1)
    fits: npt.NDArray[np.bool_] = anywhere | first | last
    return fits


def _who_pays(
    store: ChainStore, cluster: npt.NDArray[np.uint32], size: npt.NDArray[np.uint32], chunk: Transactions
) -> tuple[Transactions, npt.NDArray[np.uint8]]:
    """The cluster that alone pays in each transaction, or -1; and whether all of it does."""
    holders, place = payers(store, chunk)
    counts = np.bincount(place, minlength=len(chunk))
    known = holders != NO_HOLDER
    of = np.where(known, cluster[np.where(known, holders, 0)].astype(np.int64), -1)
    first = np.full(len(chunk), -1, np.int64)
    some = counts > 0
    first[some] = of[(np.cumsum(counts) - counts)[some]]
    other = np.bincount(place[of != first[place]], minlength=len(chunk))
    payer = np.where((other == 0) & some, first, -1)
    distinct = np.unique(place.astype(np.uint64) << np.uint64(32) | holders.astype(np.uint64))
    payers_of = np.bincount((distinct >> np.uint64(32)).astype(np.int64), minlength=len(chunk))
    whole = (payer >= 0) & (payers_of == size[payer.clip(min=0)])
    return payer, whole.astype(np.uint8)


def _see_change(
    store: ChainStore,
    cluster: npt.NDArray[np.uint32],
    payer: npt.NDArray[np.int64],
    chunk: Transactions,
    seen: npt.NDArray[np.uint8],
) -> None:
    """Note where the change of the clusters stands in a chunk of transactions."""
    outputs, place = payees(store, chunk)
    index, count = _indexes(place, len(chunk))
    of = payer[chunk][place]
    own = cluster[store.column("output_holder")[outputs]] == of
    backs = np.bincount(place[own], minlength=len(chunk))
    certain = own & (backs[place] == 1) & (count > 1)
    at, among = index[certain], count[certain]
    bits = np.where(at == 0, AT_FIRST, np.where(at == among - 1, AT_LAST, ELSEWHERE)).astype(np.uint8)
    np.bitwise_or.at(seen, of[certain], bits)
