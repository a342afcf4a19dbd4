"""The rows of a screening: everything that is known of each address, in batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shieldwall.chain.columns import NO_HOLDER
from shieldwall.chain.store import ChainStore
from shieldwall.intel import TagIndex
from shieldwall.kernels.engine import EngineName
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.screening.exposure import HOPS, Exposures
from shieldwall.trace.screening.figures import NOTHING, HoldingsOf, figures
from shieldwall.trace.screening.recognising import Recognized
from shieldwall.trace.screening.said import SaidOfAddresses, said_fields
from shieldwall.trace.tagged_holders import TaggedHolders

TAGGED, IN_STORE, UNKNOWN = "tagged", "in store, no tag", "unknown"
_UNSAID = said_fields(())
_MOST_MEMBERS = 20  # tagged members of a cluster that a row names


class Inherited:
    """What the cluster of an address is called: by tags on its other members, inherited and said so.

    Args:
        clustering: Of the store.
        tagged: Its tagged holders.
    """

    def __init__(self, clustering: Clustering, tagged: TaggedHolders) -> None:
        self.clustering = clustering
        self._tagged = tagged
        self._places: dict[int, list[int]] = {}
        for place, cluster in enumerate(clustering.clusters_of(tagged.holders).tolist()):
            self._places.setdefault(cluster, []).append(place)

    def of(self, holder: int) -> dict[str, Any]:
        """The field `cluster` of a row."""
        cluster = self.clustering.cluster_of(holder)
        places = self._places.get(cluster, [])
        others = [place for place in places if int(self._tagged.holders[place]) != holder]
        tags = [
            {
                "address": self._tagged.subjects[place].name,
                **{name: getattr(tag, name) for name in ("label", "category", "abuse", "actor", "confidence")},
            }
            for place in others[:_MOST_MEMBERS]
            for tag in self._tagged.known(place).tags
        ]
        return {
            "size": self.clustering.size(cluster),
            "tagged_others": len(others),
            "inherited": tags,
            "layer": "inference",
        }


class Screener:
    """Says what is known of addresses.

    Args:
        index: The tag sets; all of them are asked.
        store: A chain store; None where there is none, and then whether an address is in use is not known.
        exposures: Who is looked for around an address; None for nobody.
        inherited: What clusters are called; None where no clustering is used.
    """

    def __init__(
        self,
        index: TagIndex,
        store: ChainStore | None = None,
        exposures: Exposures | None = None,
        inherited: Inherited | None = None,
    ) -> None:
        self.index = index
        self.said = SaidOfAddresses(index)
        self.store = store
        self.exposures = exposures
        self.inherited = inherited
        self._held = None if store is None else HoldingsOf(store)

    @classmethod
    def of(
        cls,
        index: TagIndex,
        store: ChainStore | None = None,
        *,
        hops: int = HOPS,
        clustering: Clustering | None = None,
        threads: int = 2,
        engine: EngineName = "auto",
    ) -> Screener:
        """A screener that looks `hops` transactions around each address (0: at the address itself), and at its cluster.

        Args:
            index: The tag sets.
            store: The chain; without one neither hops nor clusters are looked at.
            hops: From 0 to `exposure.MOST_HOPS`.
            clustering: Of the store; None leaves clusters out.
            threads: How many kernels work at once.
            engine: Which kernels.

        Raises:
            UsageError: Too many hops.
            StoreError: A tag set on disk is not what its manifest says.
        """
        if store is None or not (hops or clustering):
            return cls(index, store)
        tagged = TaggedHolders.of(store, index)
        exposures = Exposures(store, tagged, hops, threads=threads, engine=engine) if hops else None
        return cls(index, store, exposures, None if clustering is None else Inherited(clustering, tagged))

    def rows(self, found: Recognized) -> list[dict[str, Any]]:
        """One row for each address; words that are none must not be among them.

        Raises:
            StoreError: A tag set on disk is not what its manifest says.
        """
        rows = [
            {"address": name, "kind": "address", "networks": list(networks), "verdict": UNKNOWN, **_UNSAID, **NOTHING}
            for name, networks in zip(found.names, found.networks, strict=True)
        ]
        if self.exposures is not None:
            for row in rows:
                row["exposure"] = None
        if self.inherited is not None:
            for row in rows:
                row["cluster"] = None
        self._look_up(rows, found)
        for place, fields in self.said.of(found).items():
            rows[place].update(fields)
        for row in rows:
            row["verdict"] = TAGGED if row["tags"] else IN_STORE if row["in_store"] else UNKNOWN
        return rows

    def _look_up(self, rows: list[dict[str, Any]], found: Recognized) -> None:
        """What the store says, each address asked once however often it stands there."""
        if self.store is None or self._held is None:
            return
        on = self.store.network.name
        places = [place for place, networks in enumerate(found.networks) if on in networks]
        once: dict[str, int] = {}
        for place in places:
            once.setdefault(found.names[place], len(once))
        held = self._held.of(list(once))
        told = figures(self.store, held)
        exposed = None if self.exposures is None else self.exposures.of(held)
        for place in places:
            number = once[found.names[place]]
            rows[place].update(told[number])
            if exposed is not None:
                rows[place]["exposure"] = exposed[number]
            if self.inherited is not None and held.counts[number]:
                holder = next(int(each) for each in held.own[number] if each != NO_HOLDER)
                rows[place]["cluster"] = self.inherited.of(holder)


def exposed_to(row: dict[str, Any]) -> bool:
    """Whether money went to, or came from, a sanctioned or abuse-tagged address within the hops."""
    return any(entry["finding"] for entry in (row.get("exposure") or {}).get("reached", ()))


def urgency(row: dict[str, Any]) -> tuple[bool, bool, bool, int]:
    """Sanctioned first, then other findings, then those exposed to either, then tagged ones."""
    verdict: Sequence[str] = (TAGGED, IN_STORE, UNKNOWN)
    return not row["sanctioned"], not row["finding"], not exposed_to(row), verdict.index(row["verdict"])
