"""What is known about one subject, from all that was said of it: merged, counted, contradictions shown. Pure.

Two tags say the same when their actor (or, without one, their label) agrees in letters and digits, and category and
abuse agree. They become one `KnownTag` that counts and names its sources: two lists that copy each other stay two
sources here, so a count is how often it was said, not how often it was found out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shieldwall.intel.interface import Sourced
from shieldwall.intel.tag import SERVICE_CATEGORIES, TAG
from shieldwall.model.claim import Subject


@dataclass(frozen=True, slots=True, order=True)
class TagSource:
    """Who said it, where, when, and in which set: what a `KnownTag` was merged from."""

    set: str
    version: str
    source: str
    made_by: str
    at: str
    label: str
    confidence: int | None
    claim: str  # the claim's id

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class KnownTag:
    """One thing said of a subject.

    Attributes:
        label: The label of the most confident source; among equals the most frequent, then the first in order.
        category: What it is; "" when no source says.
        abuse: What it did; "" when no source says.
        actor: Id of the actor; "" when no source says.
        confidence: The highest of its sources; None when none gives one.
        count: How many claims say it.
        sources: These claims, in order.
    """

    label: str
    category: str
    abuse: str
    actor: str
    confidence: int | None
    count: int
    sources: tuple[TagSource, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, keys in a fixed order."""
        return {
            "label": self.label,
            "category": self.category,
            "abuse": self.abuse,
            "actor": self.actor,
            "confidence": self.confidence,
            "count": self.count,
            "sources": [source.as_dict() for source in self.sources],
        }


@dataclass(frozen=True, slots=True, order=True)
class Contradiction:
    """What sources do not agree on.

    Attributes:
        about: "actor", "category" (two kinds of service), or "name" (two names for the doer of one abuse).
        values: What they say, in order.
        text: The same for people.
    """

    about: str
    values: tuple[str, ...]
    text: str

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"about": self.about, "values": list(self.values), "text": self.text}


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known about one subject; no tags means unknown, never clean.

    Attributes:
        subject: The subject.
        tags: The most confident first.
        contradictions: What the sources do not agree on.
        retracted: Tags that their makers took back; they count for nothing else here.
    """

    subject: Subject
    tags: tuple[KnownTag, ...]
    contradictions: tuple[Contradiction, ...]
    retracted: int = 0

    def services(self, stop: frozenset[str] = SERVICE_CATEGORIES) -> tuple[KnownTag, ...]:
        """The tags that make the subject a service: their category is one of `stop`; none means that it is not one."""
        return tuple(tag for tag in self.tags if tag.category in stop)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, keys and lists in a fixed order."""
        subject = self.subject
        return {
            "subject": {"type": subject.type, "chain": subject.chain, "name": subject.name},
            "tags": [tag.as_dict() for tag in self.tags],
            "contradictions": [entry.as_dict() for entry in self.contradictions],
            "retracted": self.retracted,
        }


def plain_name(text: str) -> str:
    """A name as it is compared: letters and digits, without case.

    Example:
        >>> plain_name("Binance.com"), plain_name("BINANCE COM")
        ('binancecom', 'binancecom')
    """
    return "".join(c for c in text.casefold() if c.isalnum()) or text.casefold()


def know(subject: Subject, sourced: Iterable[Sourced]) -> Known:
    """What `sourced` says of `subject`, merged. The order of `sourced` does not matter; claims of other subjects or
    kinds are let be, and the same claim of the same set counts once.
    """
    groups: dict[tuple[str, str, str], dict[TagSource, str]] = {}
    retracted: set[TagSource] = set()
    for entry in sourced:
        claim = entry.claim
        if claim.kind != TAG.name or claim.subject != subject:
            continue
        said = claim.statement
        source = TagSource(
            entry.set,
            entry.version,
            claim.source,
            claim.made_by,
            claim.at,
            said["label"],
            claim.confidence,
            claim.id,
        )
        if claim.retracted:
            retracted.add(source)
            continue
        actor = said.get("actor", "")
        key = (plain_name(actor or said["label"]), said.get("category", ""), said.get("abuse", ""))
        groups.setdefault(key, {})[source] = actor
    tags = sorted((_merge(key, group) for key, group in groups.items()), key=_rank)
    return Known(subject, tuple(tags), contradictions(tags), len(retracted))


def contradictions(tags: Iterable[KnownTag]) -> tuple[Contradiction, ...]:
    """Where tags on one subject do not agree: two actors, two kinds of service, two names behind one abuse."""
    tags = list(tags)
    found = []
    actors = {plain_name(tag.actor): tag.actor for tag in tags if tag.actor}
    if len(actors) > 1:
        found.append(_contradiction("actor", actors.values(), "sources name different actors"))
    services = {tag.category for tag in tags if tag.category in SERVICE_CATEGORIES}
    if len(services) > 1:
        found.append(_contradiction("category", services, "sources name different kinds of service"))
    for abuse in sorted({tag.abuse for tag in tags if tag.abuse}):
        names = {plain_name(tag.label): tag.label for tag in tags if tag.abuse == abuse and not tag.actor}
        # "Netwalker" and "Netwalker (Mailto)" are one name, the second only says more
        apart = {a for a in names if any(not a.startswith(b) and not b.startswith(a) for b in names)}
        if apart:
            found.append(_contradiction("name", (names[a] for a in apart), f"sources name {abuse} differently"))
    return tuple(sorted(found))


def _contradiction(about: str, values: Iterable[str], what: str) -> Contradiction:
    ordered = tuple(sorted(values))
    return Contradiction(about, ordered, f"{what}: {', '.join(ordered)}")


def _merge(key: tuple[str, str, str], group: dict[TagSource, str]) -> KnownTag:
    sources = tuple(sorted(group, key=_source_order))
    confidences = [source.confidence for source in sources if source.confidence is not None]
    best = max(confidences, default=None)
    labels = Counter(source.label for source in sources if source.confidence == best)
    label = min(labels, key=lambda text: (-labels[text], text))
    actor = min((actor for actor in group.values() if actor), default="")
    return KnownTag(label, key[1], key[2], actor, best, len(sources), sources)


def _source_order(source: TagSource) -> tuple[Any, ...]:
    return (source.set, source.version, source.source, source.made_by, source.at, source.label, source.claim)


def _rank(tag: KnownTag) -> tuple[Any, ...]:
    return (-(tag.confidence if tag.confidence is not None else -1), tag.label, tag.category, tag.abuse, tag.actor)
