"""Clusterings of a bench chain, made by the program itself in a folder that goes again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.data import Chain
from bench.services import make_member, member_folder
from shieldwall.chain.store import ChainStore
from shieldwall.intel import TagSets
from shieldwall.trace.change.chainwide import ChainChanges
from shieldwall.trace.clusters.building import build_clustering
from shieldwall.trace.clusters.rules import DROP, ClusterRules
from shieldwall.trace.tagged_holders import TaggedHolders


def co_spend_clusters(store: ChainStore, coinjoin: str = DROP) -> npt.NDArray[np.uint32]:
    """uint32[h]: the cluster of each holder, by co-spend."""
    return clusters_by(store, ClusterRules(coinjoin=coinjoin))[0]


def clusters_by(
    store: ChainStore, rules: ClusterRules, tagged: TaggedHolders | None = None
) -> tuple[npt.NDArray[np.uint32], int]:
    """uint32[h]: the cluster of each holder, by these rules; and how many merges were refused.

    Args:
        store: The chain.
        rules: By what holders are put together.
        tagged: Tags that constrain; None for none.
    """
    changes = ChainChanges(store, rules.change) if rules.change else None
    with tempfile.TemporaryDirectory(prefix="shieldwall-bench-") as name:
        report = build_clustering(Path(name) / "clusters", store, rules, tagged=tagged, changes=changes)
        with report.clustering as clustering:
            cluster = clustering.clusters_of(np.arange(store.rows("holder"), dtype=np.uint32))
            return np.array(cluster), int(clustering.body["refused"])


@contextmanager
def tags_of_services(chain: Chain, store: ChainStore) -> Iterator[TaggedHolders]:
    """What a member would know of a chain's services, as `bench.services` makes it, in a folder that goes again."""
    with tempfile.TemporaryDirectory(prefix="shieldwall-bench-") as name:
        folder = Path(name)
        for part in ("store", "truth"):
            (folder / part).symlink_to((chain.folder / part).resolve())
        make_member(Chain(folder, chain.transactions))
        yield TaggedHolders.of(store, TagSets(member_folder(Chain(folder, chain.transactions)) / "tags").select(None))
