"""How far clusterings are right on the simulator: co-spend with and without CoinJoins, and with rules of change."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data import Chain
from bench.truths import ENTITIES, Truth, as_code, main_owner, percent, rate, together
from bench.wholes import clusters_by, tags_of_services
from shieldwall.chain.store import ChainStore
from shieldwall.trace.change.expression import DEFAULT
from shieldwall.trace.clusters.rules import DROP, KEEP, MOST, ClusterRules

FRESH = "fresh_address"
STRICT = "unique(locktime & version & rbf & address_type)"
CASES: tuple[tuple[str, ClusterRules, bool], ...] = (
    ("co-spend, CoinJoins left out", ClusterRules(coinjoin=DROP), False),
    ("co-spend, CoinJoins kept", ClusterRules(coinjoin=KEEP), False),
    ("co-spend, CoinJoins kept, tags constrain", ClusterRules(coinjoin=KEEP), True),
    *(
        (f"with change by {as_code(rule)}{', tags constrain' if tags else ''}", ClusterRules(change=rule), tags)
        for rule in (DEFAULT, FRESH, STRICT)
        for tags in (False, True)
    ),
)
"""What it is called, by which rules, and whether tags of services constrain merges."""
_PUBLISHED = {FRESH: ("79.94 %", "51.64 %", "Meiklejohn's heuristic, by Kappos et al., Table 4")}
_ABOUT = f"""\
Two addresses are one pair. Precision: of the pairs that a clustering joins, those of one owner. Recall: of the pairs of one
owner, those that it joins. Mixed: clusters of two addresses and more with several owners. Strangers: addresses that are not
owned by whoever owns most of their cluster, of all addresses.

Expansion: what a clustering adds to the clusters of co-spend (of two addresses and more, CoinJoins left out): addresses added
over addresses before, summed over all of them; false discovery: of the added, those that are not owned by whoever owns most
of the cluster before. A cluster that swallows many is counted for each that it swallowed. Change comes
after all co-spend and never makes a cluster of more than {MOST:,} addresses; what co-spend made larger takes in none. Where
tags constrain, a member knows up to fifty addresses of each service. Of co-spend alone, none published."""

Numbers = npt.NDArray[Any]


def measure(chain: Chain) -> dict[str, Any]:
    """See `bench.accuracy`."""
    with ChainStore.open(chain.store) as store, tags_of_services(chain, store) as tagged:
        truth = Truth.of(chain, store)
        found = [
            (name, rules, *clusters_by(store, rules, tagged if constrained else None))
            for name, rules, constrained in CASES
        ]
    base = found[0][2]
    owned = truth.holder_owner >= 0
    owner = truth.holder_owner[owned]
    pairs = [(name, rules, _least(cluster[owned]), refused) for name, rules, cluster, refused in found]
    kind = truth.entity_kind[owner]
    kinds = np.unique(kind).tolist()
    return {
        "title": "Clusters",
        "about": _ABOUT,
        "tables": [
            {
                "title": f"{len(owner):,} addresses of {len(np.unique(owner)):,} owners",
                "columns": [
                    "clustering", "clusters of many", "largest", "mixed", "precision", "recall", "strangers", "expansion",
                    "false discovery", "published expansion", "published false discovery", "source", "merges refused",
                ],
                "rows": [
                    [*_row(name, rules, cluster, _least(base[owned]), owner), *_published(rules, constrained), refused]
                    for (name, rules, cluster, refused), (_, _, constrained) in zip(pairs, CASES, strict=True)
                ],
            },
            {
                "title": "Recall by who owns the addresses",
                "columns": ["clustering", *(ENTITIES[code] for code in kinds)],
                "rows": [
                    [name, *(_recall(cluster[kind == code], owner[kind == code]) for code in kinds)]
                    for name, _, cluster, _ in pairs
                ],
            },
            {
                "title": "Strangers, of all addresses in clusters that the named own most of",
                "columns": ["clustering", *(ENTITIES[code] for code in kinds)],
                "rows": [
                    [name, *_strangers_by_kind(cluster, owner, truth.entity_kind, kinds)] for name, _, cluster, _ in pairs
                ],
            },
        ],
    }  # fmt: skip


def _least(cluster: Numbers) -> Numbers:
    """int64[a]: clusters numbered from 0."""
    return np.unique(cluster, return_inverse=True)[1].astype(np.int64)


def _row(name: str, rules: ClusterRules, cluster: Numbers, base: Numbers, owner: Numbers) -> list[Any]:
    sizes = np.bincount(cluster)
    both, count = together(cluster, owner)
    owners_of = np.bincount(both // (int(owner.max()) + 1), minlength=len(sizes))
    joined, right, of_owner = _pairs(sizes), _pairs(count), _pairs(np.bincount(owner))
    added = false = before = 0
    if rules.change:
        before, added, false = expansion(base, cluster, owner)
    return [
        name,
        int((sizes > 1).sum()),
        int(sizes.max()),
        int(((sizes > 1) & (owners_of > 1)).sum()),
        rate(right, joined),
        rate(right, of_owner),
        rate(int((main_owner(cluster, owner)[cluster] != owner).sum()), len(owner)),
        percent(added, before),
        percent(false, added),
    ]


def _published(rules: ClusterRules, constrained: bool) -> tuple[str | None, str | None, str]:
    """Expansion, false discovery, and whose figures these are; of clusterings that tags constrain nobody publishes any."""
    nothing = (None, None, "none published")
    return nothing if constrained else _PUBLISHED.get(rules.change, nothing)


def _pairs(counts: Numbers) -> int:
    """Pairs of addresses in groups of these sizes; exact, for they may be many."""
    sizes, times = np.unique(counts, return_counts=True)
    return sum(size * (size - 1) // 2 * number for size, number in zip(sizes.tolist(), times.tolist(), strict=True))


def _recall(cluster: Numbers, owner: Numbers) -> str | None:
    return rate(_pairs(together(cluster, owner)[1]), _pairs(np.bincount(owner)))


def _strangers_by_kind(cluster: Numbers, owner: Numbers, entity_kind: Numbers, kinds: list[int]) -> list[str | None]:
    main = main_owner(cluster, owner)[cluster]
    kind, wrong = entity_kind[main], main != owner
    return [rate(int((wrong & (kind == code)).sum()), int((kind == code).sum())) for code in kinds]


def expansion(base: Numbers, cluster: Numbers, owner: Numbers) -> tuple[int, int, int]:
    """What a coarser clustering adds to the clusters of two addresses and more of a finer one.

    Args:
        base: int64[a], the finer.
        cluster: int64[a], the coarser: it joins what the finer joins.
        owner: int64[a].

    Returns:
        Addresses before, added, and falsely added, each summed over the clusters of `base`.
    """
    sizes, wholes = np.bincount(base), np.bincount(cluster)
    first = np.zeros(len(sizes), np.int64)
    first[base] = cluster  # the cluster that each finer one is in
    several = sizes > 1
    before, added = int(sizes[several].sum()), int((wholes[first] - sizes)[several].sum())
    main, entities = main_owner(base, owner), int(owner.max()) + 1
    own_inside = np.bincount(base[main[base] == owner], minlength=len(sizes))
    both, count = together(cluster, owner)
    wanted = first * entities + main
    at = np.searchsorted(both, wanted).clip(max=len(both) - 1)
    own_whole = np.where(both[at] == wanted, count[at], 0)
    return before, added, added - int((own_whole - own_inside)[several].sum())
