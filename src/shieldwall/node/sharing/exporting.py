"""Make STIX of what a case says: every claim of it, and what each is about, kept under the markings of the claims.

Making it lets nothing go: it stands beside other objects, for the members of the case, until somebody releases it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shieldwall.model.access import Handling, Identity
from shieldwall.model.canonical import canonical_json
from shieldwall.model.marking import Marking, Pap
from shieldwall.sharing.claims import Maker, claim_objects, identity_object
from shieldwall.sharing.extensions import definitions_for
from shieldwall.sharing.stix.object import object_of
from shieldwall.store.stixobjects import NewObject

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.claims import Kept

MOST = 100_000
"""Claims of a case that are made STIX at once."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was made of a case.

    Attributes:
        claims: How many claims it has.
        added: How many objects, or versions of them, are new.
        ids: Identifiers of all objects that stand for the case.
    """

    claims: int
    added: int
    ids: tuple[str, ...]


def make_stix(node: Node, identity: Identity, act: str, case_id: str) -> Made:
    """Make STIX of the claims of a case, those that were taken back among them: these are revoked.

    Raises:
        NotAllowed: Whoever asks may not write.
        NotFound: No such case that they are a member of.
        Conflict: The case is closed.
    """
    maker = maker_of(node)
    with node.store.act(identity, act, case=case_id) as work:
        work.cases.get(case_id)
        claims = work.claims.page(most=MOST, case=case_id)
        new = list(_objects(claims, maker, identity.person, case_id))
        taken = work.stix.add(new)
        return Made(len(claims), taken.added, tuple(dict.fromkeys(each.id for each in new)))


def maker_of(node: Node) -> Maker:
    """Who shares from here: the node, under the identity that its first key gave it."""
    known = node.keys().identity
    return Maker.of(known.node, node.config.name, known.generations[0].created_at)


def _objects(claims: Iterable[Kept], maker: Maker, owner: str, case_id: str) -> Iterable[NewObject]:
    everybody = Handling(marking=Marking.CLEAR, pap=Pap.CLEAR, owner=owner, case=case_id)
    used: dict[str, dict[str, Any]] = {}
    for kept in claims:
        standing = kept.standing
        at, retracted = standing.received_at, kept.retracted_at
        bodies = claim_objects(standing.claim, maker, at=at, retracted_at=retracted)
        claimed = standing.claim
        handling = Handling(marking=claimed.marking, pap=claimed.pap, owner=owner, case=case_id)
        for body in bodies:
            yield _new(body, handling)
        used |= {body["id"]: body for body in definitions_for(bodies)}
    for body in (identity_object(maker), *used.values()):
        yield _new(body, everybody)


def _new(body: dict[str, Any], handling: Handling) -> NewObject:
    raw = canonical_json(body)
    thing = object_of(body, raw, body["id"])
    return NewObject(
        id=thing.id,
        version=thing.version,
        type=thing.type,
        spec=thing.spec_version,
        content=thing.content,
        raw=raw,
        handling=handling,
    )
