"""The rules that say which output of a transaction a peel chain goes on with, and what was published of their error.

Source of both: Kappos, Yousaf, Stütz, Rollet, Haslhofer and Meiklejohn, "How to Peel a Million: Validating and Expanding Bitcoin
Clusters" (USENIX Security 2022; arXiv 2205.13882), Table 4 for the figures. The paper's algorithms were not at hand when this
was written: what stands here follows a summary of their definitions, and where that leaves a choice, the choice is said and is
the stricter one, which names fewer outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from shieldwall.errors import UsageError
from shieldwall.trace.published_rates import PublishedRate

FIND_NEXT, FIND_NEXT2 = "find-next", "find-next2"
KAPPOS = "Kappos et al., How to Peel a Million (USENIX Security 2022), Table 4"
EXPANSION = "expansion of clusters, addresses added over addresses before"
FALSE_DISCOVERY = "false discovery rate, addresses added that are not of the cluster"


@dataclass(frozen=True, slots=True)
class PeelRule:
    """One of the rules.

    Attributes:
        name: As on the command line.
        whole: True where the payers of the next hop must be a whole co-spend cluster.
        definition: In a sentence.
        published: What was published of it.
    """

    name: str
    whole: bool
    definition: str
    published: tuple[PublishedRate, ...]


def _published(expansion: str, false_discovery: str) -> tuple[PublishedRate, ...]:
    return PublishedRate(EXPANSION, expansion, KAPPOS), PublishedRate(FALSE_DISCOVERY, false_discovery, KAPPOS)


_FIRST = PeelRule(
    FIND_NEXT,
    False,
    "The next hop is the only spent output whose place, address type and spending transaction fit the cluster's profile.",
    _published("147.43 %", "0.62 %"),
)
_SECOND = PeelRule(
    FIND_NEXT2,
    True,
    "As find-next; and who pays in the next hop is a whole co-spend cluster, or the chain's own.",
    _published("124.46 %", "0.02 %"),
)

RULES: Mapping[str, PeelRule] = MappingProxyType({rule.name: rule for rule in (_FIRST, _SECOND)})


def rule_named(name: str) -> PeelRule:
    """The rule with this name; `find_next2` and `findNext2` are understood too.

    Raises:
        UsageError: There is none.
    """
    plain = {key.replace("-", ""): rule for key, rule in RULES.items()}
    found = plain.get(name.lower().replace("-", "").replace("_", ""))
    if found is None:
        raise UsageError(f"no peel rule is called {name!r}", hint=f"use {' or '.join(RULES)}")
    return found
