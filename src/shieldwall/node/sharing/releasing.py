"""Let objects go to an audience, take them back, and show beforehand what exactly would go.

Nothing goes without a decision of an approver, with a reason. What goes may not name what does not: an object that names another
one that is kept here and not in the collection stays, for its name alone would tell that there is something.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shieldwall.errors import Conflict, NotAllowed, NotFound
from shieldwall.model.access import Identity, Permission, may_do
from shieldwall.model.marking import Action, Marking, Pap
from shieldwall.node.sharing.pulling import Ask, Remote
from shieldwall.node.sharing.pulling import push as send
from shieldwall.sharing.markings import BUILT_IN
from shieldwall.sharing.stix.object import StixObject, id_of, read_object
from shieldwall.store.collections import Collection, checked_reason
from shieldwall.store.partners import HIGHEST, Partner
from shieldwall.store.served import Asked, Had, Item
from shieldwall.store.stixobjects import KeptObject

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.work import Work

_CARRIED = ("marking-definition", "extension-definition")
"""Types that go along with what uses them: without them nobody can read it as it is meant. So does who made it."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """An object that does not go, by its identifier, and why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What became of a release.

    Attributes:
        collection: The collection.
        added: Identifiers of what is new in it.
        known: How many were there already.
        withheld: What stays, and why.
    """

    collection: Collection
    added: tuple[str, ...]
    known: int
    withheld: tuple[Withheld, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What became of a withdrawal.

    Attributes:
        ids: Identifiers of what was taken out and may be seen, the one that was named first.
        had: Partners who may have some of it already, and since when.
        unseen: How many more were taken out that whoever decided may not see.
    """

    ids: tuple[str, ...]
    unseen: int
    had: tuple[tuple[Partner, Had], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What goes to a partner by another way than a collection.

    Attributes:
        partner: Whom to.
        things: The objects.
        marking, pap: Of the strictest of them.
        withheld: What stays, and why.
    """

    partner: Partner
    things: tuple[StixObject, ...]
    marking: Marking
    pap: Pap
    withheld: tuple[Withheld, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a partner gets of a collection, and what it does not.

    Attributes:
        collection: The collection.
        items: The objects as the bytes that its machine would be given, in their order, as far as whoever asks may see them.
        unseen: How many of them whoever asks may not see.
        has: Moments of those of them that went to it already.
        more: How many more it gets than stand in `items`.
        withheld: What it is not given, and why.
        withheld_more: How many more there are.
        gone: How many objects went to it that were taken out since: it has them.
    """

    collection: Collection
    items: tuple[Item, ...]
    unseen: int
    has: frozenset[int]
    more: int
    withheld: tuple[Withheld, ...]
    withheld_more: int
    gone: int


def release(
    node: Node,
    identity: Identity,
    act: str,
    collection_id: str,
    stix_ids: Sequence[str],
    reason: str,
    *,
    every_version: bool = False,
) -> Released:
    """Let objects go to the audience of a collection, with the definitions that they use.

    Args:
        node: Where.
        identity: Whoever decides.
        act: As the audit log calls it.
        collection_id: The collection.
        stix_ids: Identifiers of the objects.
        reason: Why, in their words.
        every_version: All versions that are kept, not the newest alone.

    Raises:
        NotAllowed: They may not approve.
        NotFound: No such collection, or an object that they may not see.
        UsageError: No reason.
    """
    with node.store.act(identity, act) as work:
        work.must(Permission.APPROVE)
        collection = work.collections.lock(collection_id)  # nothing of it is taken out while this is decided
        chosen, withheld = _chosen(work, stix_ids, every_version=every_version)
        highest = min(collection.highest, HIGHEST)
        going, staying = decided(work, identity, highest, chosen, collection)
        withheld += staying
        placed = work.collections.release(collection.id, [kept.seq for kept, _ in going], reason)
        by_seq = {kept.seq: thing.id for kept, thing in going}
        withheld += [
            Withheld(by_seq[seq], "another content with this version is there already") for seq in placed.contradicted
        ]
        work.note(withheld=len(withheld))
        return Released(
            collection=work.collections.get(collection.id),
            added=tuple(dict.fromkeys(by_seq[seq] for seq in placed.added)),
            known=len(placed.known),
            withheld=tuple(withheld),
        )


def withdraw(
    node: Node,
    identity: Identity,
    act: str,
    collection_id: str,
    stix_id: str,
    reason: str,
    *,
    along: bool = False,
) -> Withdrawn:
    """Take an object out of a collection, and with it what names it, since that would go on telling of it.

    Args:
        node: Where.
        identity: Whoever decides.
        act: As the audit log calls it.
        collection_id: The collection.
        stix_id: The object.
        reason: Why, in their words.
        along: That what names it goes as well; without it nothing is done where there is any.

    Raises:
        NotAllowed: They may not approve.
        NotFound: No such collection, or nothing of the object in it.
        Conflict: Others name it, and `along` was not said.
        UsageError: No reason.
    """
    with node.store.act(identity, act) as work:
        work.must(Permission.APPROVE)
        collection = work.collections.lock(collection_id)
        naming = _naming(work, collection, stix_id)
        if naming and not along:
            raise Conflict(
                f"{len(naming)} more objects of the collection name it and would tell of it",
                hint="withdraw them as well (--along)",
            )
        seen = {kept.seq for kept in work.stix.at(sorted(naming))}
        work.collections.withdraw(collection.id, stix_id, reason, also=list(naming))
        ids = tuple(dict.fromkeys((stix_id, *naming.values())))
        had: dict[str, int] = {}
        for each in ids:
            for one in work.served.who_has(collection.id, each):
                had[one.partner] = max(one.at, had.get(one.partner, 0))
        partners = tuple((work.partners.get(partner), Had(partner, at)) for partner, at in sorted(had.items()))
        shown = tuple(dict.fromkeys((stix_id, *(name for seq, name in naming.items() if seq in seen))))
        return Withdrawn(ids=shown, unseen=len(ids) - len(shown), had=partners)


def preview(node: Node, identity: Identity, act: str, partner_id: str, *, most: int) -> list[Preview]:
    """What a partner gets now, collection by collection: the bytes that its machine would be given, and what it is not given.

    Args:
        node: Where.
        identity: Whoever asks; what they may not see is counted in no list.
        act: As the audit log calls it.
        partner_id: The partner.
        most: Objects of each collection that are shown, of those that go and of those that do not.

    Raises:
        NotAllowed: They may not approve.
        NotFound: No such partner.
    """
    with node.store.look(identity, act, partner=partner_id) as work:
        work.must(Permission.APPROVE)
        partner = work.partners.get(partner_id)
        held = {each.collection: each.gone for each in work.served.holdings(partner_id, seen=True)}
        return [
            _previewed(work, collection, partner, most, held.get(collection.id, 0))
            for collection in work.collections.all()
        ]


def push(
    node: Node,
    identity: Identity,
    act: str,
    remote: Remote,
    stix_ids: Sequence[str],
    reason: str,
    *,
    ask: Ask | None = None,
) -> dict[str, Any]:
    """Add objects to another server's collection, with the definitions that they use; the act is written down before they leave.

    Returns:
        The server's status.

    Raises:
        NotAllowed: Whoever asks may not approve; an object goes to no other organisation, or names one that does not go along.
        NotFound: An object that they may not see.
        UsageError: No reason.
        Unreachable: The server does not take them; that it was tried stays in the audit log.
    """
    with node.store.act(identity, act, url=remote.url, reason=checked_reason(reason)) as work:
        work.must(Permission.APPROVE)
        pairs = _all_going(work, identity, HIGHEST, stix_ids)
    return send(remote, [kept.raw for kept, _ in pairs], ask=ask)


def export(node: Node, identity: Identity, act: str, partner_id: str, stix_ids: Sequence[str], reason: str) -> Exported:
    """Let objects go to one partner by another way than a collection: as a file, or into its MISP.

    What goes is written down before anybody has it; what the partner may not have stays, with the reason.

    Args:
        node: Where.
        identity: Whoever decides.
        act: As the audit log calls it.
        partner_id: The partner.
        stix_ids: Identifiers of the objects.
        reason: Why, in their words.

    Raises:
        NotAllowed: They may not approve.
        NotFound: No such partner, or an object that they may not see.
        Conflict: The partner has ended.
        UsageError: No reason.
    """
    with node.store.act(identity, act, partner=partner_id, reason=checked_reason(reason)) as work:
        work.must(Permission.APPROVE)
        partner = work.partners.get(partner_id)
        if partner.ended_at is not None:
            raise Conflict("that partner has ended")
        chosen, withheld = _chosen(work, stix_ids, every_version=False)
        going, staying = decided(work, identity, min(partner.highest, HIGHEST), chosen)
        work.note(objects=[thing.id for _, thing in going], withheld=len(withheld) + len(staying))
        return Exported(
            partner=partner,
            things=tuple(thing for _, thing in going),
            marking=max((kept.handling.marking for kept, _ in going), default=Marking.CLEAR),
            pap=max((kept.handling.pap for kept, _ in going), default=Pap.CLEAR),
            withheld=(*withheld, *staying),
        )


def _all_going(
    work: Work, identity: Identity, highest: Marking, stix_ids: Sequence[str]
) -> list[tuple[KeptObject, StixObject]]:
    """Objects that may go all together, with the definitions that they use.

    Raises:
        NotAllowed: One of them may not.
        NotFound: One that whoever asks may not see.
    """
    chosen, withheld = _chosen(work, stix_ids, every_version=False)
    going, staying = decided(work, identity, highest, chosen)
    for each in (*withheld, *staying):
        raise NotAllowed(f"{each.id}: {each.reason}", hint="send what it names along, or leave it out")
    work.note(objects=[thing.id for _, thing in going])
    return going


def _chosen(work: Work, stix_ids: Sequence[str], *, every_version: bool) -> tuple[list[KeptObject], list[Withheld]]:
    """Versions of objects that are meant; and those that a newer one, marked stricter, forbids."""
    chosen: list[KeptObject] = []
    withheld: list[Withheld] = []
    for stix_id in dict.fromkeys(stix_ids):
        versions = work.stix.newest(stix_id, every=every_version)
        if not versions:
            raise NotFound(f"there is no object {stix_id[:80]}")
        highest = Marking.CLEAR
        for kept in reversed(versions):
            highest = max(highest, kept.handling.marking)
            if kept.handling.marking < highest:
                withheld.append(Withheld(stix_id, f"a newer version is marked {highest.label}"))
            else:
                chosen.append(kept)
    return chosen, withheld


def superseded(work: Work, kept: KeptObject) -> bool:
    """Whether a newer version of an object is marked stricter, as far as whoever asks may see: then the older one stays, too."""
    later = (each for each in work.stix.versions(id_of(kept.raw)) if each.version > kept.version)
    return any(each.handling.marking > kept.handling.marking for each in later)


def _naming(work: Work, collection: Collection, stix_id: str) -> dict[int, str]:
    """Objects of a collection that name one, or one that does so in turn: their identifiers by their numbers."""
    front, found = {stix_id.lower()}, dict[int, str]()
    while front:
        words, wanted, front = {each[-36:].encode() for each in front}, front, set()
        for seq, raw in work.collections.raws(collection.id):
            plain = raw.lower()
            if seq in found or not (b"\\" in plain or any(word in plain for word in words)):
                continue
            thing = read_object(raw, "kept")
            if thing.references() & wanted:
                found[seq] = thing.id
                front.add(thing.id.lower())
    return found


def _previewed(work: Work, collection: Collection, partner: Partner, most: int, gone: int) -> Preview:
    items: list[Item] = []
    every, after = work.served.moments(collection, partner, Asked()), -1
    seen = work.served.seen(collection)
    while len(items) < most:
        page = work.served.items(collection, partner, Asked(after=after), most=most)
        if not page:
            break
        after = page[-1].added_at
        items += [item for item in page if item.added_at in seen][: most - len(items)]
    unseen = sum(at not in seen for at in every)
    why_not, ceiling = _why_nothing(collection, partner), collection.ceiling(partner)
    stays = [(seq, level) for seq, level in work.collections.contents(collection.id) if why_not or level > ceiling]
    levels = dict(stays)
    staying = work.stix.at([seq for seq, _ in stays])
    withheld = tuple(
        Withheld(id_of(kept.raw), why_not or f"marked {levels[kept.seq].label}, above {ceiling.label}")
        for kept in staying[:most]
    )
    return Preview(
        collection=collection,
        items=tuple(items),
        unseen=unseen,
        has=work.served.has(partner.id, collection.id),
        more=len(every) - unseen - len(items),
        withheld=withheld,
        withheld_more=len(staying) - len(withheld),
        gone=gone,
    )


def _why_nothing(collection: Collection, partner: Partner) -> str:
    """Why nothing of a collection goes to a partner; "" where something may."""
    if partner.ended_at is not None:
        return "the partner has ended"
    if not collection.is_for(partner):
        return "the partner is not in the group that the collection is for"
    return "" if collection.readable else "partners only add to that collection"


def decided(
    work: Work,
    identity: Identity,
    highest: Marking,
    chosen: Iterable[KeptObject],
    collection: Collection | None = None,
    *,
    never_back: bool = False,
) -> tuple[list[tuple[KeptObject, StixObject]], list[Withheld]]:
    """What of the chosen objects may go, with the definitions that it uses; and what stays, with the reason.

    Args:
        work: The act.
        identity: Whoever decides.
        highest: The highest marking that goes to those whom it is for.
        chosen: The objects.
        collection: Where they go, and what is there already; None for those who have nothing yet.
        never_back: What was taken out of the collection once stays out.
    """
    going, withheld = [], []
    pairs = _with_carried(work, chosen)
    out: frozenset[str] = frozenset()
    if never_back and collection is not None:
        out = work.rules.taken_out(collection.id, {thing.id for _, thing in pairs})
    for kept, thing in pairs:
        reason = "it was taken out of there" if thing.id in out else _why_not(identity, highest, kept)
        if reason:
            withheld.append(Withheld(thing.id, reason))
        else:
            going.append((kept, thing))
    there: dict[str, Marking] = {}
    if collection is not None:
        named = {ref for _, thing in going for ref in thing.references()} - BUILT_IN.keys()
        there = work.collections.markings_of(collection.id, named | {thing.id.lower() for _, thing in going})
    told = _telling(work, there, going)
    withheld += [Withheld(thing.id, told[kept.seq]) for kept, thing in going if kept.seq in told]
    return [(kept, thing) for kept, thing in going if kept.seq not in told], withheld


def _with_carried(work: Work, chosen: Iterable[KeptObject]) -> list[tuple[KeptObject, StixObject]]:
    """Objects, and the definitions that they use."""
    pairs = [(kept, read_object(kept.raw, "kept")) for kept in chosen]
    there = {kept.seq for kept, _ in pairs}
    carried = [kept for kept in _carried(work, [thing for _, thing in pairs]) if kept.seq not in there]
    return pairs + [(kept, read_object(kept.raw, "kept")) for kept in carried]


def _telling(
    work: Work, there: Mapping[str, Marking], going: Sequence[tuple[KeptObject, StixObject]]
) -> dict[int, str]:
    """Those of some objects, by number, that name one that not everybody who gets them may know of, and why they stay.

    What is named must go along or be there already, and be at most as strict as what names it; what is not kept here tells
    nothing of us. What stays may be named by another one, which then stays too.

    Args:
        work: The act.
        there: What those whom it is for have already, and up from which marking.
        going: What is to go.
    """
    names = {kept.seq: thing.references() - BUILT_IN.keys() for kept, thing in going}
    kept_here = work.stix.kept_by_anyone({ref for refs in names.values() for ref in refs})
    versions: dict[str, dict[int, Marking]] = {}
    namers: dict[str, list[KeptObject]] = {}
    ids: dict[int, str] = {}
    for kept, thing in going:
        ids[kept.seq] = thing.id.lower()
        versions.setdefault(ids[kept.seq], {})[kept.seq] = kept.handling.marking
        for ref in names[kept.seq] & kept_here:
            namers.setdefault(ref, []).append(kept)
    found: dict[int, str] = {}
    asked = list(namers)
    while asked:
        ref = asked.pop()
        levels = [*versions.get(ref, {}).values(), *([there[ref]] if ref in there else [])]
        for kept in namers.get(ref, ()):
            if kept.seq in found or (levels and min(levels) <= kept.handling.marking):
                continue
            found[kept.seq] = (
                "it names an object that is marked stricter than itself"
                if levels
                else "it names an object that does not go to them"
            )
            del versions[ids[kept.seq]][kept.seq]
            asked.append(ids[kept.seq])
    return found


def _carried(work: Work, things: Sequence[StixObject]) -> list[KeptObject]:
    """The definitions that objects use, and their makers, as far as whoever asks may see them; and what these use in turn."""
    found: dict[str, KeptObject] = {}
    front = list(things)
    while front:
        wanted = {
            ref
            for thing in front
            for ref in thing.references()
            if (ref.partition("--")[0] in _CARRIED or ref == thing.created_by.lower())
            and ref not in BUILT_IN
            and ref not in found
        }
        front = []
        for ref in sorted(wanted):
            for kept in work.stix.newest(ref):
                found[ref] = kept
                front.append(read_object(kept.raw, "kept"))
    return list(found.values())


def _why_not(identity: Identity, highest: Marking, kept: KeptObject) -> str:
    """Why an object does not go to those who may have up to a marking; "" where it may."""
    if kept.handling.marking > highest:
        return f"marked {kept.handling.marking.label}; at most {highest.label} goes there"
    if not may_do(identity, kept.handling, Action.TELL):
        return f"{kept.handling.pap.label} allows telling nobody"
    return ""
