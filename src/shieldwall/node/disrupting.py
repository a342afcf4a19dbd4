"""The Python API of `shieldwall choke` and `shieldwall family`: what cuts a network, and what families took."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from shieldwall.chain.store import ChainStore
from shieldwall.intel import TagIndex, TagSets
from shieldwall.node.config import Config, load
from shieldwall.node.wiring import disruption, labels
from shieldwall.trace.choke.find import Question, find_choke_points
from shieldwall.trace.choke.result import ChokeResult
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.families.family import choose, families_of
from shieldwall.trace.families.result import FamilyResult
from shieldwall.trace.families.services import services_by_inflow
from shieldwall.trace.families.statistics import payment_statistics
from shieldwall.trace.follow import DEFAULT_METHOD
from shieldwall.trace.labels import Labels, NoLabels
from shieldwall.trace.limits import Limits
from shieldwall.trace.targets import find_targets


def choke_points(
    chain: ChainStore,
    targets: Sequence[str] = (),
    *,
    families: Sequence[str] = (),
    question: Question | None = None,
    method: str = DEFAULT_METHOD,
    limits: Limits | None = None,
    clustering: Clustering | None = None,
    data: str | Path | None = None,
    tags: Sequence[str] | None = None,
) -> ChokeResult:
    """Through which few points must the money of targets, and of payments to families, pass?

    Args:
        chain: From `open_chain`.
        targets: As in `trace_money`.
        families: Ransomware families by name.
        question: How many points, from when, which may be chosen.
        method: fifo, lifo, haircut or tiho.
        limits: How far to follow.
        clustering: From `open_clusters`: members of one cluster are one point. An inference.
        data: The member's own data; the configured one by default.
        tags: Tag sets to use; None for all, an empty list for none.

    Raises:
        UsageError: Neither targets nor families.
        ShieldwallError: As `find_targets` and `find_choke_points` say.
    """
    config = _config(data)
    found = find_targets(chain, list(targets), clustering=clustering) if targets else []
    asked = disruption(config, chain, found, families, question or Question(), tags, clustering)
    return find_choke_points(
        chain,
        asked.targets,
        asked.question,
        method=method,
        limits=limits,
        labels=_labels(config, chain, tags),
        clustering=clustering,
        apart=asked.apart,
        engine=config.engine,
    )


def family_payments(
    chain: ChainStore,
    names: Sequence[str] = (),
    *,
    clustering: Clustering | None = None,
    data: str | Path | None = None,
    tags: Sequence[str] | None = None,
) -> FamilyResult:
    """Payments to families (none named: all): count, sum, median, by month, beside what others published.

    Raises:
        UsageError: No family is called so.
    """
    index = _index(_config(data), tags)
    found = choose(families_of(index, chain.network), names)
    return payment_statistics(chain, found, index.versions, clustering=clustering, everybody=not names)


def family_services(
    chain: ChainStore,
    names: Sequence[str] = (),
    *,
    method: str = DEFAULT_METHOD,
    limits: Limits | None = None,
    clustering: Clustering | None = None,
    data: str | Path | None = None,
    tags: Sequence[str] | None = None,
) -> FamilyResult:
    """Services ranked by what they received of the payments to families (none named: all).

    Raises:
        UsageError: No family is called so, or a method that counts nothing.
    """
    config = _config(data)
    found = choose(families_of(_index(config, tags), chain.network), names)
    known = _labels(config, chain, tags)
    return services_by_inflow(
        chain, found, known, method=method, limits=limits, clustering=clustering, engine=config.engine
    )


def _config(data: str | Path | None) -> Config:
    return load(os.environ, {"data": str(data) if data is not None else None})


def _labels(config: Config, chain: ChainStore, tags: Sequence[str] | None) -> Labels:
    """Of the tag sets asked for: None for all, an empty list for none."""
    return NoLabels() if tags is not None and not tags else labels(config, chain.network, tags or ())


def _index(config: Config, tags: Sequence[str] | None) -> TagIndex:
    return TagSets(config.tags).select(tags)
