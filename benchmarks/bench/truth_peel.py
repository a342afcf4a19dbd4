"""How often the peel rules name the true change, and how far they expand clusters, on the simulator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.data import Chain
from bench.truths import ENTITIES, PEEL_KIND, Named, Truth, as_code, by_mix, count_named, main_owner, percent
from bench.wholes import co_spend_clusters
from shieldwall.chain.many import payers
from shieldwall.chain.store import ChainStore
from shieldwall.trace.peel.rules import RULES
from shieldwall.trace.peel.table import PeelTable

MOST_CLUSTERS = 50_000  # that are expanded: every k-th of those of two addresses and more
MOST_HOPS = 1_000  # of a chain
_ABOUT = """\
The clusters are those of co-spend, CoinJoins left out. A rule is asked for the next hop of every transaction that one cluster
alone pays in, with that cluster's own profile; its answer is right when the output is the true change.

Expansion, as Kappos and others measure it: from each cluster the chains are followed forward out of every transaction that it
pays in, and who pays in the hops is added to it. Expansion: addresses added over addresses before, summed over all clusters.
False discovery: of the added, those that are not owned by whoever owns most of the cluster. Several clusters of one owner may
reach the same addresses; each counts them. Published figures are of real clusters of known services, which are far larger
than most of these."""

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Expansion:
    """What following out of some clusters added, counted in addresses."""

    clusters: int
    before: int
    added: int
    false: int

    def row(self) -> list[Any]:
        """As cells."""
        return [
            self.clusters, self.before, self.added, percent(self.added, self.before), self.false,
            percent(self.false, self.added),
        ]  # fmt: skip


def measure(chain: Chain) -> dict[str, Any]:
    """See `bench.accuracy`."""
    with ChainStore.open(chain.store) as store:
        truth = Truth.of(chain, store)
        table = PeelTable.of_clusters(store, co_spend_clusters(store))
        everything = np.arange(store.rows("tx"))
        answers = {name: table.next_outputs(everything, table.payer, whole=rule.whole) for name, rule in RULES.items()}
        main = owners(table, truth)
        expansions = [_expansion_row(table, truth, main, name) for name in RULES]
        by_owner = [row for name in RULES for row in _by_owner(table, truth, main, name)]
    hops = truth.kind == PEEL_KIND
    rows = [
        [what, as_code(name), *_cells(count_named(truth, found, part))]
        for what, part in (("all", None), ("hops of peel chains", hops))
        for name, found in answers.items()
    ]
    columns = ["clusters", "addresses", "added", "expansion", "false", "false discovery"]
    return {
        "title": "Peel chains",
        "about": _ABOUT,
        "tables": [
            {
                "title": "The next hop",
                "columns": ["transactions with one change", "rule", "number", "named", "precision", "recall", "wrong"],
                "rows": rows,
            },
            *by_mix(truth, answers.items()),
            {
                "title": "Expansion of clusters",
                "columns": ["rule", *columns, "published expansion", "published false discovery", "source"],
                "rows": expansions,
            },
            {
                "title": "Expansion of clusters by who owns most of them",
                "columns": ["owner", "rule", *columns],
                "rows": by_owner,
            },
        ],
    }


def _cells(found: Named) -> list[Any]:
    return [found.true, found.named, found.precision, found.recall, found.wrong]


def _expansion_row(table: PeelTable, truth: Truth, main: Numbers, name: str) -> list[Any]:
    found = expand(table, truth, main, starts(table), whole=RULES[name].whole)
    expansion, false = RULES[name].published
    return [as_code(name), *found.row(), expansion.value, false.value, expansion.source]


def _by_owner(table: PeelTable, truth: Truth, main: Numbers, name: str) -> list[list[Any]]:
    chosen = starts(table)
    kind = truth.entity_kind[main[chosen]]
    return [
        [
            ENTITIES[code],
            as_code(name),
            *expand(table, truth, main, chosen[kind == code], whole=RULES[name].whole).row(),
        ]
        for code in np.unique(kind).tolist()
    ]


def starts(table: PeelTable) -> Numbers:
    """int64[k]: the clusters of two addresses and more, or evenly spread ones where there are very many."""
    clusters = np.flatnonzero(table.size > 1)
    return clusters[:: max(1, -(-len(clusters) // MOST_CLUSTERS))]


def owners(table: PeelTable, truth: Truth) -> Numbers:
    """int64[h]: at each cluster's number, who owns most of its addresses; 0 elsewhere."""
    known = truth.holder_owner >= 0
    found = np.zeros(len(table.cluster), np.int64)
    main = main_owner(table.cluster[known].astype(np.int64), truth.holder_owner[known])
    found[: len(main)] = main
    return found


def expand(table: PeelTable, truth: Truth, main: Numbers, clusters: Numbers, *, whole: bool) -> Expansion:
    """Follow the chains out of clusters, and count who is added.

    Args:
        table: Of the clustering.
        truth: Who owns what.
        main: int64[h], of `owners`.
        clusters: int64[k].
        whole: True for `find-next2`.
    """
    transactions = len(table.payer)
    wanted = np.zeros(len(table.cluster), bool)
    wanted[clusters] = True
    paid = np.flatnonzero(table.payer >= 0)
    front = paid[wanted[table.payer[paid]]]
    of = table.payer[front]
    passed: list[Numbers] = []
    for _ in range(MOST_HOPS):
        output = table.next_outputs(front, of, whole=whole)
        found = output >= 0
        spender = table.store.column("output_spender")[output[found].astype(np.uint64)].astype(np.int64)
        cluster = of[found]
        outside = table.payer[spender] != cluster  # its own transactions are followed from the beginning
        keys = np.unique(cluster[outside] * transactions + spender[outside])
        if not len(keys):
            break
        passed.append(keys)
        of, front = keys // transactions, keys % transactions
    keys = np.unique(np.concatenate(passed)) if passed else np.empty(0, np.int64)
    added = _added(table, keys)
    holders = len(table.cluster)
    false = truth.holder_owner[added % holders] != main[added // holders]
    return Expansion(len(clusters), int(table.size[clusters].sum()), len(added), int(false.sum()))


def _added(table: PeelTable, passed: Numbers) -> Numbers:
    """int64[k]: cluster * h + holder for every address that pays in the transactions passed and is not of the cluster itself."""
    transactions, holders = len(table.payer), len(table.cluster)
    holder, place = payers(table.store, passed % transactions)
    cluster = (passed // transactions)[place]
    there = holder < holders
    number, cluster = holder[there].astype(np.int64), cluster[there]
    outside = table.cluster[number] != cluster
    return np.unique(cluster[outside] * holders + number[outside])
