"""Put the parts of a command together: the store that is meant, the tags that apply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from shieldwall.chain.readers.interface import Progress, silent
from shieldwall.chain.store import ChainStore
from shieldwall.errors import StoreError, UsageError
from shieldwall.intel import TagSets, read_directory, shipped
from shieldwall.intel.manifest import check_name
from shieldwall.model.network import Network
from shieldwall.node.config import Config
from shieldwall.trace.change.chainwide import ChainChanges
from shieldwall.trace.change.overrule import Overrules
from shieldwall.trace.choke.find import Question
from shieldwall.trace.clusters.building import BuildReport, build_clustering
from shieldwall.trace.clusters.clustering import MANIFEST, Clustering, chain_digest
from shieldwall.trace.clusters.rules import ClusterRules
from shieldwall.trace.clusters.why import Reasons
from shieldwall.trace.families.family import coverage, located_families
from shieldwall.trace.families.payments import payment_targets
from shieldwall.trace.tagged import TagLabels
from shieldwall.trace.tagged_holders import TaggedHolders
from shieldwall.trace.targets import Target

CO_SPEND = "co-spend"
"""What a clustering is called unless it is named."""


def chain_folder(config: Config) -> Path:
    """The folder of the chain store.

    Raises:
        UsageError: Nothing names one.
    """
    if config.chain is None:
        raise UsageError(
            "no chain store is named",
            hint='say --chain DIR, set SHIELDWALL_CHAIN, or write chain = "DIR" into the configuration file',
        )
    return config.chain


def open_chain(config: Config) -> ChainStore:
    """The chain store that the configuration names.

    Raises:
        UsageError: Nothing names one.
        StoreError: None there, or damaged.
    """
    return ChainStore.open(chain_folder(config))


def labels(config: Config, network: Network, sets: Sequence[str] = (), stop: Sequence[str] | None = None) -> TagLabels:
    """The member's tag sets (all, or `sets`) and the directory of who can freeze, as labels of a trace."""
    directory = shipped()
    if config.directory is not None:
        directory = directory.with_further(read_directory(config.directory))
    return TagLabels(TagSets(config.tags).select(list(sets) or None), directory, network, stop)


@dataclass(frozen=True, slots=True)
class Disruption:
    """What choke points are looked for in.

    Attributes:
        targets: What the money starts from.
        question: What is asked, families named.
        apart: Holders that are no points: the families' own.
        coverage: How much of the families the store holds, in words; "" without families.
    """

    targets: list[Target]
    question: Question
    apart: list[int]
    coverage: str = ""


def disruption(
    config: Config,
    store: ChainStore,
    targets: list[Target],
    families: Sequence[str],
    question: Question,
    sets: Sequence[str] | None = None,
    clustering: Clustering | None = None,
) -> Disruption:
    """The targets, and the payments to families as the tag sets (None for all) name them.

    Raises:
        UsageError: Neither targets nor families, or no family is called so.
        PartialData: None of the families' addresses is in this store.
    """
    if not targets and not families:
        raise UsageError("nothing to start from", hint="name a TARGET, or --family NAME: shieldwall family list")
    if not families:
        return Disruption(targets, question, [])
    located = located_families(store, TagSets(config.tags).select(sets), families)
    return Disruption(
        targets + payment_targets(store, located, clustering),
        replace(question, family=tuple(each.family.name for each in located)),
        [holder for each in located for holder in each.holders],
        coverage(located),
    )


def tagged_holders(config: Config, store: ChainStore, sets: Sequence[str] = ()) -> TaggedHolders:
    """The holders of the store that the member's tag sets (all, or `sets`) speak of."""
    return TaggedHolders.of(store, TagSets(config.tags).select(list(sets) or None))


def clustering_folder(config: Config, store: ChainStore, name: str) -> Path:
    """Where the clustering called `name` of a store is kept: stores that begin with other blocks do not meet there."""
    begin = chain_digest(store, min(1, store.rows("block")))[:8]
    return config.clusters / f"{store.network.name}-{begin}" / check_name(name, "clustering", "--name")


def open_clustering(config: Config, store: ChainStore, name: str = CO_SPEND) -> Clustering:
    """The clustering called `name` of this store.

    Raises:
        StoreError: None there, damaged, or made of another store.
    """
    return Clustering.open(clustering_folder(config, store, name), store)


def clusterings(config: Config) -> tuple[list[Clustering], list[str]]:
    """Every clustering of every store, by network and name; and of each that is damaged what is wrong with it."""
    found, damaged = [], []
    for path in sorted(config.clusters.glob(f"*/*/{MANIFEST}")):
        try:
            found.append(Clustering.open(path.parent))
        except StoreError as error:
            damaged.append(str(error))
    return found, damaged


def build_clusters(
    config: Config,
    store: ChainStore,
    name: str,
    rules: ClusterRules,
    sets: Sequence[str] = (),
    *,
    again: bool = False,
    threads: int = 2,
    progress: Progress = silent,
) -> BuildReport:
    """Build or extend the clustering called `name`, constrained by the member's tags (all sets, or `sets`)."""
    tagged = tagged_holders(config, store, sets) if rules.constrained else None
    return build_clustering(
        clustering_folder(config, store, name),
        store,
        rules,
        tagged=tagged,
        changes=changes_of(config, store, rules.change),
        again=again,
        threads=threads,
        engine=config.engine,
        progress=progress,
    )


def overrules(config: Config) -> Overrules:
    """What people said of the change of single transactions."""
    return Overrules(config.claims / "change.jsonl")


def changes_of(config: Config, store: ChainStore, rule: str) -> ChainChanges | None:
    """A rule of change with what people said of single transactions; None where no rule is named.

    Raises:
        UsageError: The text says no rule.
    """
    if not rule:
        return None
    return ChainChanges(store, rule, overrules(config).standing(store.network).values(), engine=config.engine)


def reasons_of(config: Config, store: ChainStore, clustering: Clustering) -> Reasons:
    """Why members of a clustering belong together: by its own rules and the tag sets that it was made with."""
    parameters = clustering.body["parameters"]
    services = None
    if parameters["constrained"]:
        sets = [f"{entry['set']}@{entry['version']}" for entry in parameters["tag_sets"]]
        tagged = tagged_holders(config, store, sets)
        services = tagged.holders[tagged.service_places(frozenset(parameters["service_categories"]))]
    changes = changes_of(config, store, parameters["change"] or "")
    return Reasons(store, clustering, changes=changes, services=services, engine=config.engine)
