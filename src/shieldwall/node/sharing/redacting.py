"""Redact an object for those who may have less: another object of another identifier, without the parts that are marked stricter.

The object itself is never changed: a version with fewer properties would contradict it wherever both are known. That one is made
of the other is said by a relationship that is marked as the other is, so whoever has the redacted one alone learns of nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from shieldwall.errors import Conflict, NotAllowed
from shieldwall.model.access import Identity, Permission
from shieldwall.model.marking import STRICTEST, Marking
from shieldwall.node.sharing.exporting import maker_of, own_object
from shieldwall.sharing.claims import identity_object
from shieldwall.sharing.documents import Frame
from shieldwall.sharing.markings import BUILT_IN, Demands, demands_of_definition, joined, refs_of, together
from shieldwall.sharing.stix.object import StixObject, read_object
from shieldwall.sharing.stix.selectors import without

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.work import Work


def redact(node: Node, identity: Identity, act: str, stix_id: str, highest: Marking) -> str:
    """Make an object without its parts that are marked above a level; returns the identifier of the new one.

    Args:
        node: Where.
        identity: Whoever decides: what is said of whole and parts is theirs to judge.
        act: As the audit log calls it.
        stix_id: The object.
        highest: The highest marking of what is to stay.

    Raises:
        NotAllowed: They may not approve; or the object as a whole is marked above that, or must not be told of.
        NotFound: No such object that they may see.
        Conflict: It has no part that is marked stricter, or nothing sensible is left.
    """
    maker = maker_of(node)
    with node.store.act(identity, act) as work:
        work.must(Permission.APPROVE)
        kept = work.stix.get(stix_id)
        thing = read_object(kept.raw, stix_id)
        known = _definitions(work, thing, kept.source)
        whole = joined(thing.markings, known)
        marking = _strictest(whole)
        if marking > highest:
            raise NotAllowed(f"the object as a whole is marked {marking.label}", hint="it is no part that is stricter")
        gone = [each for ref, selectors in thing.granular if ref and _level(ref, known) > highest for each in selectors]
        if not gone:
            raise Conflict("no part of it is marked stricter", hint="release it as it is")
        body = without(thing.body, gone, stix_id)
        if body is None:
            raise Conflict("nothing sensible is left of it", hint="what makes it an object is marked stricter")
        stays = [level for ref, _ in thing.granular if ref and (level := _level(ref, known)) <= highest]
        marking = max([marking, *stays])
        frame = Frame(maker=maker, created=work.now, modified=work.now, marking=marking, pap=kept.handling.pap)
        made = frame.of(thing.type, "redacted", thing.id, str(kept.version), str(int(highest)))
        observable = "created" not in thing.body
        kept_names = {name: value for name, value in body.items() if name not in ("id", "object_marking_refs", *_OWN)}
        made = {**kept_names, **{name: made[name] for name in made if not (observable and name in _OWN)}}
        made["object_marking_refs"] = refs_of(marking, kept.handling.pap)
        handling = replace(kept.handling, marking=marking, owner=identity.person)
        derived = replace(frame, marking=kept.handling.marking).of("relationship", made["id"], thing.id)
        derived |= {"relationship_type": "derived-from", "source_ref": made["id"], "target_ref": thing.id}
        work.stix.add(
            [
                own_object(made, handling),
                own_object(derived, replace(kept.handling, owner=identity.person)),
                own_object(identity_object(maker), replace(handling, marking=Marking.CLEAR)),
            ]
        )
        work.note(redacted=made["id"])
        return str(made["id"])


_OWN = ("created", "modified", "created_by_ref")


def _definitions(work: Work, thing: StixObject, source: str) -> Mapping[str, Demands]:
    """What the markings of an object mean that are not built in."""
    found: dict[str, Demands] = {}
    for ref in {*thing.markings, *(ref for ref, _ in thing.granular if ref)} - BUILT_IN.keys():
        said = [demands_of_definition(read_object(one.raw, ref).body) for one in work.stix.trusted(ref, source)]
        if said:
            found[ref] = together(said)
    return found


def _level(ref: str, known: Mapping[str, Demands]) -> Marking:
    return _strictest(joined([ref], known))


def _strictest(demands: Demands) -> Marking:
    return STRICTEST if demands.unknown or demands.marking is None else demands.marking
