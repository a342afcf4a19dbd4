"""By which rules holders are put together: what a clustering is stamped with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shieldwall.errors import UsageError
from shieldwall.intel import SERVICE_CATEGORIES

DROP, KEEP = "drop", "keep"
MOST = 10_000


@dataclass(frozen=True, slots=True)
class ClusterRules:
    """The parameters of a clustering.

    Attributes:
        coinjoin: "drop": payers of a CoinJoin are not joined; "keep": they are.
        change: Expression of change heuristics (`shieldwall.trace.change`); "" joins payers only.
        most: Change never makes a cluster of more addresses than this; 0 for no such limit. Co-spend knows no such limit, and
            what it made larger takes in no change. Without one, change heuristics build one supercluster of most of the
            chain (Möser and Narayanan 2022, section 4: 223.9 million addresses).
        constrained: Sets that tags give to two services are never joined.
        stop: Tag categories that make an address a service's.
    """

    coinjoin: str = DROP
    change: str = ""
    most: int = MOST
    constrained: bool = True
    stop: frozenset[str] = field(default=SERVICE_CATEGORIES)

    def __post_init__(self) -> None:
        if self.coinjoin not in (DROP, KEEP):
            raise UsageError(f"--coinjoin {self.coinjoin!r} is not known", hint="use drop or keep")
        if self.most < 0:
            raise UsageError(f"--most {self.most}: a limit below 0", hint="use 0 for no limit")

    def stamp(self, tag_sets: Sequence[dict[str, Any]], overrules: Sequence[str]) -> dict[str, Any]:
        """The parameters as they stand in every result.

        Args:
            tag_sets: The sets whose services constrain merges, with versions.
            overrules: Ids of the claims that overrule a change.
        """
        return {
            "co_spend": True,
            "coinjoin": self.coinjoin,
            "change": self.change or None,
            "most_by_change": self.most if self.change else None,
            "constrained": self.constrained and bool(tag_sets),
            "service_categories": sorted(self.stop) if self.constrained and tag_sets else [],
            "tag_sets": list(tag_sets) if self.constrained else [],
            "overrules": list(overrules) if self.change else [],
        }
