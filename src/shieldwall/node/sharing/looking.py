"""What pages show of sharing: who gets what and why, what was fetched, where it comes from, what contradicts itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shieldwall.errors import NotFound
from shieldwall.model.access import Identity
from shieldwall.node.sharing.meeting import MOST as MOST_MEETING
from shieldwall.node.sharing.meeting import Met, meet
from shieldwall.sharing.claims import Maker, subject_object
from shieldwall.sharing.stix.object import StixObject, read_object
from shieldwall.sharing.values import names_of, values_of

if TYPE_CHECKING:
    from shieldwall.model.claim import Subject
    from shieldwall.node.node import Node
    from shieldwall.store.collections import Collection, Lying, Release
    from shieldwall.store.partners import Partner, PartnerGroup
    from shieldwall.store.rules import ReleaseRule
    from shieldwall.store.served import Had, Held
    from shieldwall.store.sources import Source
    from shieldwall.store.stixobjects import KeptObject

_LONGEST = 160  # characters of a title
_MOST_CLAIMS = 200  # of a case, whose subjects are looked for elsewhere
_MOST_REFS = 500  # objects whose sightings are looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All collections and partners.

    Attributes:
        collections: With how many objects each has, and the partners that it is for.
        partners: With what each fetched.
        groups: By id.
        objects, versions: How many objects of the node whoever asks may see.
    """

    collections: Sequence[tuple[Collection, int, Sequence[Partner]]]
    partners: Sequence[tuple[Partner, Sequence[Held]]]
    groups: dict[str, PartnerGroup]
    objects: int
    versions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An object in a collection: how it lies there, itself, by whose decision, and which partners fetched it."""

    lying: Lying
    kept: KeptObject
    thing: StixObject
    decision: Release
    fetched: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionView:
    """One collection.

    Attributes:
        collection: It.
        group: Whom for; None for the public.
        partners: Those of the group.
        placed: What lies in it and may be seen, what was added last first.
        more: The moment before which there is more; None for none.
        decisions: The newest first.
        rules: What goes there by itself.
        names: Of people and partners, by id.
    """

    collection: Collection
    group: PartnerGroup | None
    partners: Sequence[Partner]
    placed: Sequence[Placed]
    more: int | None
    decisions: Sequence[Release]
    rules: Sequence[ReleaseRule]
    names: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectView:
    """One object.

    Attributes:
        versions: That may be seen, the newest first; several of one version contradict each other.
        title: What people call it.
        contradicted: Versions of which there are several contents.
        collections: Where it lies, with the partners who may have it.
        met: Others that say the same.
        common: Values that very many say.
        about: Sightings of it and opinions on it.
    """

    versions: Sequence[tuple[KeptObject, StixObject]]
    title: str
    contradicted: frozenset[int]
    collections: Sequence[tuple[Collection, Sequence[tuple[Partner, Had]]]]
    met: Sequence[Met]
    common: Sequence[tuple[str, str]]
    about: Sequence[Met]


def overview(node: Node, identity: Identity, act: str) -> Overview:
    """All collections and partners."""
    with node.store.look(identity, act) as work:
        partners, sizes = work.partners.all(), work.collections.sizes()
        objects, versions = work.stix.count()
        return Overview(
            collections=[(each, sizes.get(each.id, 0), _of_group(each, partners)) for each in work.collections.all()],
            partners=[(each, work.served.holdings(each.id, seen=True)) for each in partners],
            groups={each.id: each for each in work.partners.groups()},
            objects=objects,
            versions=versions,
        )


def collection_view(
    node: Node, identity: Identity, act: str, collection_id: str, *, before: int | None = None, most: int
) -> CollectionView:
    """One collection.

    Raises:
        NotFound: None.
    """
    with node.store.look(identity, act, collection=collection_id) as work:
        collection = work.collections.get(collection_id)
        partners = work.partners.all()
        lying = work.collections.page(collection.id, before=1 << 62 if before is None else before, most=most + 1)
        kept = {each.seq: each for each in work.stix.at([each.seq for each in lying[:most]])}
        went = {each.id: work.served.has(each.id, collection.id) for each in partners}
        decided = {each: work.collections.decision(each) for each in {one.release for one in lying[:most]}}
        decisions = work.collections.decisions(collection.id, most=most)
        rules = work.rules.all(collection=collection.id)
        by = {each.by for each in (*decisions, *decided.values())} | {each.by for each in rules}
        names = work.people.names(by - {each.id for each in partners})
        return CollectionView(
            collection=collection,
            group=None if collection.group is None else work.partners.group(collection.group),
            partners=_of_group(collection, partners),
            placed=[
                Placed(
                    lying=each,
                    kept=kept[each.seq],
                    thing=read_object(kept[each.seq].raw, "kept"),
                    decision=decided[each.release],
                    fetched=[partner.name for partner in partners if each.added_at in went[partner.id]],
                )
                for each in lying[:most]
                if each.seq in kept
            ],
            more=lying[most - 1].added_at if len(lying) > most else None,
            decisions=decisions,
            rules=rules,
            names=names | {each.id: each.name for each in partners},
        )


def object_view(node: Node, identity: Identity, act: str, stix_id: str) -> ObjectView:
    """One object.

    Raises:
        NotFound: None that whoever asks may see.
    """
    with node.store.look(identity, act) as work:
        found = [(kept, read_object(kept.raw, stix_id)) for kept in work.stix.versions(stix_id)]
        if not found:
            raise NotFound("there is no such object")
        several: dict[int, set[bytes]] = {}
        for kept, _ in found:
            several.setdefault(kept.version, set()).add(kept.same)
        values = {value for _, thing in found for value in values_of(thing.body)}
        met, common = meet(work, values)
        about, _ = meet(work, [("ref", stix_id.lower())])
        own = stix_id.lower()
        held = []
        for each in work.collections.holding([kept.seq for kept, _ in found]):
            had = [(work.partners.get(one.partner), one) for one in work.served.who_has(each, stix_id)]
            held.append((work.collections.get(each), had))
        return ObjectView(
            versions=found[::-1],
            title=title_of(found[-1][1]),
            contradicted=frozenset(version for version, contents in several.items() if len(contents) > 1),
            collections=held,
            met=[each for each in met if each.thing.id.lower() != own][:MOST_MEETING],
            common=common,
            about=about,
        )


def sources_view(
    node: Node, identity: Identity, act: str, *, most: int
) -> tuple[list[tuple[Source, int]], list[tuple[KeptObject, StixObject]]]:
    """The sources with how many objects came from each, and what contradicts itself."""
    with node.store.look(identity, act) as work:
        sources = [(each, work.sources.objects_of(each.id)) for each in work.sources.all()]
        conflicts = [(kept, read_object(kept.raw, "kept")) for kept in work.stix.conflicts(most=most)]
        return sources, conflicts


def said_elsewhere(
    node: Node, identity: Identity, case_id: str, subjects: Sequence[Subject], *, most: int
) -> tuple[list[Met], int]:
    """What objects that are not of a case say of the things that it is about, and sightings of these; the newest first.

    Args:
        node: Where.
        identity: Whoever looks; what they may not see is counted in no list.
        case_id: The case.
        subjects: What it is about, beside what its newest claims are about.
        most: Objects.

    Returns:
        The objects, and how many more there are.

    Raises:
        NotFound: No such case that they are a member of.
    """
    maker = Maker("identity--00000000-0000-4000-8000-000000000000", "", 0)  # only values are looked at
    with node.store.inside(identity) as work:
        work.cases.get(case_id)
        claims = work.claims.page(most=_MOST_CLAIMS, case=case_id)
        about = {*subjects, *(each.standing.claim.subject for each in claims)}
        values = {value for subject in about for value in values_of(subject_object(subject, maker))}
        met, _ = meet(work, values)
        refs = {("ref", each.thing.id.lower()) for each in met}
        told, _ = meet(work, sorted(refs)[:_MOST_REFS])
    by_seq = {each.kept.seq: each for each in (*met, *told) if each.kept.handling.case != case_id}
    found = [by_seq[seq] for seq in sorted(by_seq, reverse=True)]
    return found[:most], max(0, len(found) - most)


def title_of(thing: StixObject) -> str:
    """What people call an object: its name, or the beginning of what it says."""
    body: Any = thing.body
    for name in ("name", "value", "address", "txid", "abstract", "content", "pattern", "relationship_type", "opinion"):
        if isinstance(body.get(name), str) and body[name]:
            return str(body[name])[:_LONGEST]
    names = names_of(body)
    return names[0][:_LONGEST] if names else thing.id


def _of_group(collection: Collection, partners: Iterable[Partner]) -> list[Partner]:
    return [each for each in partners if collection.group in each.groups and each.ended_at is None]
