"""What members of a cluster inherit of each other's tags: by inference, and said so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from shieldwall.chain.store import ChainStore
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.holders import Holders
from shieldwall.trace.labels import NOTHING_KNOWN, Label, Labels
from shieldwall.trace.tagged import TagLabels, TagTable


class ClusterLabels:
    """Labels that holders have of the tagged members of their clusters (`trace.holders.Inherited`).

    A cluster with a service among its members is that service's; else it has what is said of the member with the surest tag.

    Args:
        store: The chain.
        clustering: The clustering of it.
        table: The labels of tagged holders.

    Attributes:
        services: uint32[k], ascending: every member of a service's cluster.
    """

    def __init__(self, store: ChainStore, clustering: Clustering, table: TagTable) -> None:
        self._store = store
        self._clustering = clustering
        self._table = table
        self._holders = table.tagged.holders
        clusters = clustering.clusters_of(self._holders)
        order = np.lexsort((self._holders, clusters))
        self._clusters, self._members = clusters[order], self._holders[order]
        self._made: dict[int, Label] = {}
        self._set: npt.NDArray[np.uint32] | None = None
        served = np.unique(clustering.clusters_of(table.services)).tolist()
        members = [clustering.members(cluster) for cluster in served]
        self.services: npt.NDArray[np.uint32] = np.sort(np.concatenate([np.empty(0, np.uint32), *members]))

    def once(self, make: Callable[[], npt.NDArray[np.uint32]]) -> npt.NDArray[np.uint32]:
        """What `make` gives, worked out once."""
        if self._set is None:
            self._set = make()
        return self._set

    def label(self, holder: int) -> Label:
        """What a holder of which no tag speaks has of its cluster; nothing where no member is tagged."""
        cluster = self._clustering.cluster_of(holder)
        found = self._made.get(cluster)
        if found is None:
            found = self._made[cluster] = self._of(cluster)
        return found

    def tagged_members(self, cluster: int) -> npt.NDArray[np.uint32]:
        """uint32[k]: the tagged members of a cluster, ascending."""
        first, last = (int(self._clusters.searchsorted(np.uint32(cluster), side)) for side in ("left", "right"))
        return self._members[first:last]

    def _of(self, cluster: int) -> Label:
        labels = [(self._table.label(member), member) for member in self.tagged_members(cluster).tolist()]
        if not labels:
            return NOTHING_KNOWN
        best, member = min(labels, key=lambda entry: (entry[0].service is None, -_surest(entry[0]), entry[1]))
        return replace(best, inherited=self._store.identity(member))


def labelled_holders(store: ChainStore, labels: Labels, clustering: Clustering | None = None) -> Holders:
    """The holders of a store with their labels; members of a clustering have those of their clusters, too.

    Nothing is inherited of labels that cannot be listed. What is inherited is worked out once for a table of labels.
    """
    if clustering is None or not isinstance(labels, TagLabels):
        return Holders(store, labels)
    table = labels.table(store)
    inherited = table.derived.get(clustering.digest)
    if inherited is None:
        inherited = table.derived[clustering.digest] = ClusterLabels(store.kept(), clustering.kept(), table)
    return Holders(store, labels, inherited)


def _surest(label: Label) -> int:
    return max((tag["confidence"] or 0 for tag in label.tags), default=0)
