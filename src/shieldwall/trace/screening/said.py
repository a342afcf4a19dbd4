"""What tag sets say of many addresses; each tagged one is read once, most have nothing said of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shieldwall.intel import Known, KnownTag, Sourced, TagIndex, know
from shieldwall.model.claim import Subject
from shieldwall.model.network import NETWORKS
from shieldwall.trace.screening.recognising import Recognized

SANCTION = "sanction"
_MOST_KEPT = 10_000  # answers kept for when an address comes again

Said = tuple[dict[str, Any], ...]


class SaidOfAddresses:
    """Looks addresses up in tag sets, and keeps what it read.

    Args:
        index: The tag sets; all of them are asked.
    """

    def __init__(self, index: TagIndex) -> None:
        self._index = index
        self._kept: dict[Subject, Known] = {}

    def of(self, found: Recognized) -> dict[int, dict[str, Any]]:
        """The fields of a row for each address of which something is said, by its place.

        Raises:
            StoreError: A set on disk is not what its manifest says.
        """
        known: dict[int, list[Known]] = {}
        for network, (places, names) in found.subjects.items():
            chain = NETWORKS[network].caip2
            for row, sourced in self._index.lookup_names("address", chain, names).items():
                subject = Subject("address", chain, names[row])
                known.setdefault(int(places[row]), []).append(self._known(subject, sourced))
        return {place: said_fields(every) for place, every in known.items()}

    def of_subjects(self, subjects: Sequence[Subject]) -> dict[str, Any]:
        """The fields of one row whose thing tag sets may call by any of `subjects`."""
        said: Mapping[Subject, Sequence[Sourced]] = self._index.lookup(subjects)
        return said_fields([self._known(subject, said[subject]) for subject in subjects if subject in said])

    def _known(self, subject: Subject, sourced: Iterable[Sourced]) -> Known:
        found = self._kept.get(subject)
        if found is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            found = self._kept[subject] = know(subject, sourced)
        return found


def said_fields(known: Sequence[Known]) -> dict[str, Any]:
    """`tags`, `finding`, `sanctioned`, `contradictions` and `retracted` of a row; sanctions first."""
    tags = sorted((_tag(tag) for each in known for tag in each.tags), key=lambda tag: not tag["sanctioned"])
    return {
        "finding": any(tag["abuse"] or tag["sanctioned"] for tag in tags),
        "sanctioned": any(tag["sanctioned"] for tag in tags),
        "tags": tags,
        "contradictions": [entry.text for each in known for entry in each.contradictions],
        "retracted": sum(each.retracted for each in known),
    }


def _tag(tag: KnownTag) -> dict[str, Any]:
    """One thing said, with the source that is surest and, among equals, latest."""
    best = max(tag.sources, key=lambda source: (-1 if source.confidence is None else source.confidence, source.at))
    return {
        "label": tag.label,
        "category": tag.category,
        "abuse": tag.abuse,
        "actor": tag.actor,
        "sanctioned": SANCTION in (tag.abuse, tag.category),
        "confidence": tag.confidence,
        "said_by": tag.count,
        "set": best.set,
        "source": best.source or best.made_by,
        "source_date": best.at,
    }
