"""The Python API of `shieldwall choke` and `shieldwall family`: what cuts a network, and what families took."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from shieldwall.chain.store import ChainStore
from shieldwall.errors import UsageError
from shieldwall.intel import TagIndex, TagSets
from shieldwall.node.config import Config, load
from shieldwall.node.wiring import labels
from shieldwall.trace.choke.find import Question, find_choke_points
from shieldwall.trace.choke.result import ChokeResult
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.families.family import choose, families_of, located_families
from shieldwall.trace.families.payments import payment_targets
from shieldwall.trace.families.result import FamilyResult
from shieldwall.trace.families.services import services_by_inflow
from shieldwall.trace.families.statistics import payment_statistics
from shieldwall.trace.follow import DEFAULT_METHOD
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
        tags: Tag sets to use; None for all.

    Raises:
        UsageError: Neither targets nor families.
        ShieldwallError: As `find_targets` and `find_choke_points` say.
    """
    if not targets and not families:
        raise UsageError("nothing to start from", hint="give targets, families, or both")
    config = _config(data)
    found = find_targets(chain, list(targets), clustering=clustering) if targets else []
    located = located_families(chain, _index(config, tags), families) if families else []
    return find_choke_points(
        chain,
        found + payment_targets(chain, located, clustering),
        question,
        method=method,
        limits=limits,
        labels=labels(config, chain.network, tags or ()),
        clustering=clustering,
        apart=[holder for each in located for holder in each.holders],
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
    known = labels(config, chain.network, tags or ())
    return services_by_inflow(
        chain, found, known, method=method, limits=limits, clustering=clustering, engine=config.engine
    )


def _config(data: str | Path | None) -> Config:
    return load(os.environ, {"data": str(data) if data is not None else None})


def _index(config: Config, tags: Sequence[str] | None) -> TagIndex:
    return TagSets(config.tags).select(tags)
