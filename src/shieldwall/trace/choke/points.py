"""The points of a trace: the services, clusters or single addresses that its money passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from shieldwall.chain.columns import NO_HOLDER
from shieldwall.trace.holders import Holders

BY_SERVICE, BY_ADDRESS = "service", "address"
GROUPINGS = (BY_SERVICE, BY_ADDRESS)


@dataclass(slots=True)
class Point:
    """Where money passes.

    Attributes:
        kind: service (by tags), cluster (by an inference), address; or unknown, only where a trace starts.
        key: The service's name, the cluster's number, or the holder's number; see `Points.name`.
        holders: Holders of it that the trace met, in the order met; more may belong to it.
    """

    kind: str
    key: str
    holders: list[int] = field(default_factory=list)


class Points:
    """Numbers the points of one trace in the order in which they are met.

    Args:
        holders: Addresses, and what the tags say of them.
        by: service: all addresses of one service are one point; address: each address is one.
        cluster_of: The cluster of a holder, where a clustering is used; a service's name goes before it.

    Attributes:
        met: The points by number.
    """

    def __init__(self, holders: Holders, by: str = BY_SERVICE, cluster_of: Callable[[int], int] | None = None) -> None:
        self._holders = holders
        self._by = by
        self._cluster_of = cluster_of
        self._numbers: dict[tuple[str, str], int] = {}
        self._of: dict[int, int] = {}
        self.met: list[Point] = []

    def of(self, holder: int) -> int:
        """The number of the point that a holder belongs to."""
        found = self._of.get(holder)
        if found is None:
            key = self._key(holder)
            found = self._numbers.get(key)
            if found is None:
                found = self._numbers[key] = len(self.met)
                self.met.append(Point(*key))
            self.met[found].holders.append(holder)
            self._of[holder] = found
        return found

    def _key(self, holder: int) -> tuple[str, str]:
        if holder == NO_HOLDER:  # what an input to start from spends, where no source gives its script
            return "unknown", ""
        service = self._holders.label(holder).service if self._by == BY_SERVICE else None
        if service is not None:
            return "service", service
        if self._cluster_of is not None:
            return "cluster", str(self._cluster_of(holder))
        return "address", str(holder)

    def name(self, number: int) -> str:
        """What a point is called: the service's name, the address of the cluster's least holder, or the address."""
        point = self.met[number]
        if point.kind == "cluster":
            return self._holders.identity(int(point.key))
        return self._holders.identity(point.holders[0]) if point.kind == "address" else point.key
