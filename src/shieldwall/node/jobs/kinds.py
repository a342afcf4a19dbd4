"""The kinds of job that a node can run, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shieldwall.errors import UsageError
from shieldwall.node.jobs.building import BuildChain, BuildClusters, FollowChain
from shieldwall.node.jobs.context import JobKind
from shieldwall.node.jobs.tracing import Screening, Trace

KINDS: dict[str, type[JobKind]] = {
    kind.name: kind for kind in (BuildChain, FollowChain, BuildClusters, Trace, Screening)
}


def parse(kind: str, given: Mapping[str, Any]) -> JobKind:
    """The checked parameters of a job.

    Raises:
        UsageError: No such kind.
        BadText: They do not fit.
    """
    if kind not in KINDS:
        raise UsageError(f"no job is called {kind[:40]!r}", hint=f"use one of {', '.join(sorted(KINDS))}")
    return KINDS[kind].parse(given)
