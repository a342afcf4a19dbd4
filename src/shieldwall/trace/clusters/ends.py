"""Where money went, or came from, summed by cluster: one owner's many addresses as one line, by inference."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.kernels import walks
from shieldwall.model.amount import share
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.facts import Facts
from shieldwall.trace.record import EndKind, Walked
from shieldwall.trace.touched import KINDS, Touched

SHOWN = 20  # clusters listed; the others are counted


def ends_by_cluster(facts: Facts, walk: Walked, clustering: Clustering, shown: int = SHOWN) -> dict[str, Any]:
    """The field `clusters` of a result (docs/spec/trace-result.md): ends of known holders, fees left out, by cluster.

    Args:
        facts: Transactions and addresses of the store that was walked.
        walk: What it found.
        clustering: A clustering of the store.
        shown: Clusters to list, the largest amounts first.
    """
    holders, amounts, kinds = _ends(facts, walk)
    clusters, group = np.unique(clustering.clusters_of(holders), return_inverse=True)
    sums = [0] * len(clusters)
    by_kind: list[dict[str, int]] = [{} for _ in clusters]
    for place, amount, kind in zip(group.tolist(), amounts.tolist(), kinds.tolist(), strict=True):
        sums[place] += amount
        by_kind[place][KINDS[kind].value] = by_kind[place].get(KINDS[kind].value, 0) + amount
    order = sorted(range(len(sums)), key=lambda place: (-sums[place], int(clusters[place])))
    rows = [
        _row(facts, clustering, int(clusters[place]), holders[group == place], sums[place], by_kind[place], walk)
        for place in order[:shown]
    ]
    rest = order[shown:]
    return {
        "ends": rows,
        "omitted": len(rest),
        "omitted_amount": sum(sums[place] for place in rest),
        "layer": "inference",
    }


def _row(
    facts: Facts,
    clustering: Clustering,
    cluster: int,
    holders: npt.NDArray[np.uint32],
    amount: int,
    by_kind: dict[str, int],
    walk: Walked,
) -> dict[str, Any]:
    labels = [facts.holders.label(holder) for holder in np.unique(holders).tolist()]
    named = next((label for label in labels if label.service is not None), None)
    return {
        "named_after": facts.holders.identity(cluster),
        "size": clustering.size(cluster),
        "addresses": len(labels),
        "amount": amount,
        "share": share(amount, walk.seed_amount),
        "amounts": dict(sorted(by_kind.items())),
        "service": None if named is None else named.service,
    }


def _ends(facts: Facts, walk: Walked) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Holder, amount and kind (a place in `KINDS`) of every end that has a holder and is no fee."""
    fee = KINDS.index(EndKind.FEE)
    if isinstance(walk, Touched):
        outputs = walk.ends[:, walks.END_OUTPUT]
        kept = (outputs >= 0) & (walk.kind != fee)
        return facts.holder_of(outputs[kept]), walk.ends[kept, walks.END_AMOUNT], walk.kind[kept]
    rows = [
        (ending.output, ending.outside, ending.amount, KINDS.index(ending.kind))
        for ending in walk.endings
        if ending.kind != EndKind.FEE
    ]
    own = facts.holder_of(np.array([output or 0 for output, *_ in rows], np.int64)).tolist()
    found = [
        (own[place] if output is not None else None if outside is None else outside.holder, amount, kind)
        for place, (output, outside, amount, kind) in enumerate(rows)
    ]
    known = [(holder, amount, kind) for holder, amount, kind in found if holder is not None]
    holders, amounts, kinds = zip(*known, strict=True) if known else ((), (), ())
    return np.array(holders, np.uint32), np.array(amounts, np.int64), np.array(kinds, np.uint8)
