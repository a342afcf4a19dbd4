"""Let objects go to an audience, take them back, and show beforehand what exactly would go.

Nothing goes without a decision of an approver, with a reason. What goes may not name what does not: an object that names another
one that is kept here and not in the collection stays, for its name alone would tell that there is something.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shieldwall.errors import NotAllowed, NotFound
from shieldwall.model.access import Identity, Permission, may_do
from shieldwall.model.marking import Action, Marking
from shieldwall.node.sharing.pulling import Ask, Remote
from shieldwall.node.sharing.pulling import push as send
from shieldwall.sharing.markings import BUILT_IN
from shieldwall.sharing.stix.object import StixObject, read_object
from shieldwall.store.collections import Asked, Collection, Had, Item
from shieldwall.store.partners import HIGHEST, Partner
from shieldwall.store.stixobjects import KeptObject

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.work import Work

_CARRIED = ("marking-definition", "extension-definition")
"""Types that go along with what uses them: without them nobody can read it as it is meant."""


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


@dataclass(frozen=True, slots=True)
class Preview:
    """What a partner gets of a collection: the objects as their bytes, and what it does not get, with the reason."""

    collection: Collection
    items: tuple[Item, ...]
    withheld: tuple[Withheld, ...]


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
        collection = work.collections.get(collection_id)
        chosen: list[KeptObject] = []
        for stix_id in dict.fromkeys(stix_ids):
            versions = work.stix.newest(stix_id, every=every_version)
            if not versions:
                raise NotFound(f"there is no object {stix_id[:80]}")
            chosen += versions
        going, withheld = _decided(work, identity, collection, chosen)
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
    node: Node, identity: Identity, act: str, collection_id: str, stix_id: str, reason: str
) -> list[tuple[Partner, Had]]:
    """Take an object out of a collection; returns the partners who may have it already, and since when.

    Raises:
        NotAllowed: Whoever asks may not approve.
        NotFound: No such collection, or nothing of the object in it.
        UsageError: No reason.
    """
    with node.store.act(identity, act) as work:
        had = work.collections.withdraw(collection_id, stix_id, reason)
        return [(work.partners.get(each.partner), each) for each in had]


def preview(node: Node, identity: Identity, act: str, partner_id: str, *, most: int) -> list[Preview]:
    """What a partner gets now, collection by collection: the bytes that its machine would be given, and what it is not given.

    Args:
        node: Where.
        identity: Whoever asks; what they may not see is counted in no list.
        act: As the audit log calls it.
        partner_id: The partner.
        most: Objects of each collection.

    Raises:
        NotAllowed: They may not approve.
        NotFound: No such partner.
    """
    with node.store.look(identity, act, partner=partner_id) as work:
        work.must(Permission.APPROVE)
        partner = work.partners.get(partner_id)
        return [_previewed(work, collection, partner, most) for collection in work.collections.all()]


def push(
    node: Node, identity: Identity, act: str, remote: Remote, stix_ids: Sequence[str], *, ask: Ask | None = None
) -> dict[str, Any]:
    """Add objects to another server's collection; the act is written down before anything leaves. Returns its status.

    Raises:
        NotAllowed: Whoever asks may not approve, or an object may not go to another organisation.
        NotFound: An object that they may not see.
        Unreachable: The server does not take them; that it was tried stays in the audit log.
    """
    with node.store.act(identity, act, objects=len(stix_ids)) as work:
        work.must(Permission.APPROVE)
        going: list[KeptObject] = []
        for stix_id in dict.fromkeys(stix_ids):
            found = work.stix.newest(stix_id)
            if not found:
                raise NotFound(f"there is no object {stix_id[:80]}")
            going += found
        for kept in going:
            if kept.handling.marking > HIGHEST or not may_do(identity, kept.handling, Action.TELL):
                marked = f"{kept.handling.marking.label}, {kept.handling.pap.label}"
                raise NotAllowed(f"an object marked {marked} goes to no other organisation")
    return send(remote, [kept.raw for kept in going], ask=ask)


def _previewed(work: Work, collection: Collection, partner: Partner, most: int) -> Preview:
    items = work.collections.items(collection, partner, Asked(every=True), most=most)
    given = {item.raw for item in items}
    why_not = _why_nothing(collection, partner)
    withheld = []
    for kept in work.stix.at(work.collections.numbers_in(collection.id)[:most]):
        if kept.raw in given:
            continue
        above = f"marked {kept.handling.marking.label}, above {collection.ceiling(partner).label}"
        withheld.append(Withheld(read_object(kept.raw, "kept").id, why_not or above))
    return Preview(collection, tuple(items), tuple(withheld))


def _why_nothing(collection: Collection, partner: Partner) -> str:
    """Why nothing of a collection goes to a partner; "" where something may."""
    if partner.ended_at is not None:
        return "the partner has ended"
    if not collection.is_for(partner):
        return "the partner is not in the group that the collection is for"
    return "" if collection.readable else "partners only add to that collection"


def _decided(
    work: Work, identity: Identity, collection: Collection, chosen: Iterable[KeptObject]
) -> tuple[list[tuple[KeptObject, StixObject]], list[Withheld]]:
    """What of the chosen objects may go, with the definitions that it uses; and what stays, with the reason."""
    pairs = [(kept, read_object(kept.raw, "kept")) for kept in chosen]
    there = {kept.seq for kept, _ in pairs}
    for kept in _carried(work, [thing for _, thing in pairs]):
        if kept.seq not in there:
            there.add(kept.seq)
            pairs.append((kept, read_object(kept.raw, "kept")))
    going, withheld = [], []
    for kept, thing in pairs:
        reason = _why_not(identity, collection, kept)
        if reason:
            withheld.append(Withheld(thing.id, reason))
        else:
            going.append((kept, thing))
    while True:  # what stays may be named by what was to go
        told = _telling(work, collection, going)
        if not told:
            return going, withheld
        withheld += [Withheld(thing.id, told[kept.seq]) for kept, thing in going if kept.seq in told]
        going = [(kept, thing) for kept, thing in going if kept.seq not in told]


def _telling(work: Work, collection: Collection, going: Sequence[tuple[KeptObject, StixObject]]) -> dict[int, str]:
    """Those of some objects, by number, that name one that not everybody who gets them may know of, and why they stay.

    What is named must go to the same collection, and be at most as strict as what names it; what is not kept here tells nothing
    of us.
    """
    open_to: dict[str, Marking] = {}
    for kept, thing in going:
        open_to[thing.id] = min(kept.handling.marking, open_to.get(thing.id, kept.handling.marking))
    named = {ref for _, thing in going for ref in thing.references()} - BUILT_IN.keys()
    for ref, level in work.collections.markings_of(collection.id, named).items():
        open_to[ref] = min(level, open_to.get(ref, level))
    missing = work.stix.kept_by_anyone(named - open_to.keys())
    found: dict[int, str] = {}
    for kept, thing in going:
        names = thing.references()
        if names & missing:
            found[kept.seq] = "it names an object that does not go to them"
        elif any(open_to.get(ref, Marking.CLEAR) > kept.handling.marking for ref in names):
            found[kept.seq] = "it names an object that is marked stricter than itself"
    return found


def _carried(work: Work, things: Sequence[StixObject]) -> list[KeptObject]:
    """The definitions that objects use and that whoever asks may see, and those that these use in turn."""
    found: dict[str, KeptObject] = {}
    front = list(things)
    while front:
        wanted = {
            ref
            for thing in front
            for ref in (*thing.references(), *_extensions(thing))
            if ref.partition("--")[0] in _CARRIED and ref not in BUILT_IN and ref not in found
        }
        front = []
        for ref in sorted(wanted):
            for kept in work.stix.newest(ref):
                found[ref] = kept
                front.append(read_object(kept.raw, "kept"))
    return list(found.values())


def _extensions(thing: StixObject) -> list[str]:
    extensions = thing.body.get("extensions")
    return [name for name in extensions if isinstance(name, str)] if isinstance(extensions, dict) else []


def _why_not(identity: Identity, collection: Collection, kept: KeptObject) -> str:
    """Why an object does not go into a collection; "" where it may."""
    highest = min(collection.highest, HIGHEST)
    if kept.handling.marking > highest:
        return f"marked {kept.handling.marking.label}; the collection holds at most {highest.label}"
    if not may_do(identity, kept.handling, Action.TELL):
        return f"{kept.handling.pap.label} allows telling nobody"
    return ""
