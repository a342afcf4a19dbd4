"""What tests of the store share: people who ask, claims to keep, and a store of either kind."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from shieldwall.model.access import Identity, Kind, Role
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.marking import Marking, Pap
from shieldwall.store import Secrets, Store
from shieldwall.store.proving import proven
from shieldwall.store.schema import group_members, groups, people

SECRETS = Secrets(bytes(range(32)))
CHAIN = "bip122:000000000019d6689c085ae165831e93"
START = 1_750_000_000_000_000  # microseconds

MARA, PAUL, ADA, NORA = (letter * 32 for letter in "abcd")
UNIT, DESK = "1" * 32, "2" * 32
NAMES = {MARA: "Mara", PAUL: "Paul", ADA: "Ada", NORA: "Nora"}


class Ticking:
    """A clock that goes on by a second with each look at it."""

    def __init__(self, at: int = START) -> None:
        self.at = at

    def __call__(self) -> int:
        self.at += 1_000_000
        return self.at


def who(
    person: str,
    *roles: Role,
    highest: Marking = Marking.RED,
    cases: Iterable[str] = (),
    groups: Iterable[str] = (),
) -> Identity:
    """Someone who is signed in: an analyst who may see everything, unless said otherwise."""
    return Identity(
        kind=Kind.PERSON,
        person=person,
        name=NAMES.get(person, person),
        roles=frozenset(roles or (Role.ANALYST,)),
        highest=highest,
        cases=frozenset(cases),
        groups=frozenset(groups),
    )


def into(identity: Identity, *cases: str) -> Identity:
    """The same one as a member of cases."""
    return replace(identity, cases=identity.cases | set(cases))


def populate(store: Store) -> None:
    """The people and groups of `NAMES`, as rows."""
    with store.act(who(NORA), "test.populate") as work:
        for person, name in NAMES.items():
            values: dict[str, Any] = {"id": person, "name": name, "organisation": "", "roles": "analyst", "highest": 4}
            values |= {"mail": "", "created_at": START, "version": 1}
            work.connection.execute(insert(people).values(proven(work, people, values)))
        for group, name in ((UNIT, "unit"), (DESK, "desk")):
            values = {"id": group, "name": name, "created_at": START}
            work.connection.execute(insert(groups).values(proven(work, groups, values)))
        member = {"group_id": UNIT, "person_id": ADA}
        work.connection.execute(insert(group_members).values(proven(work, group_members, member)))


def subject(number: int) -> Subject:
    """An address; no real one."""
    return Subject("address", CHAIN, f"bc1q{number:038d}")


def claim(number: int = 0, label: str = "Example service", **changes: Any) -> Claim:
    """A tag on `subject(number)`."""
    fields: dict[str, Any] = {
        "subject": subject(number),
        "kind": "tag",
        "statement": {"label": label, "category": "exchange"},
        "layer": Layer.ATTRIBUTION,
        "source": "https://example.org/reserves",
        "made_by": "Example desk",
        "at": "2026-01-01",
        "confidence": 50,
        "marking": Marking.GREEN,
        "pap": Pap.GREEN,
    }
    return Claim(**fields | changes)


def copy_of(template: Path, folder: Path) -> Store:
    """A new SQLite store, as a copy of one that lies ready."""
    place = folder / "node.db"
    shutil.copyfile(template, place)
    return Store.open(str(place), SECRETS, Ticking())


def add(store: Store, identity: Identity, given: Iterable[Claim], **where: Any) -> int:
    """Add claims in an act of their own; returns how many were new."""
    with store.act(identity, "claim.add") as work:
        return work.claims.add(given, **where).added


def verify_log(store: Store) -> int:
    """Recompute the audit log from its entries; returns how many leaves it has."""
    from shieldwall.model.merkle import Frontier, leaf_hash

    edge = Frontier()
    with store.inside(who(NORA)) as work:
        for row in work.audit.raw_leaves():
            assert row.number == edge.size
            assert row.entry is not None
            assert row.leaf == leaf_hash(row.entry)
            edge = edge.append(row.leaf)
            assert edge.root == row.root
        head = work.audit.head().frontier
    assert (head.size, head.root) == (edge.size, edge.root)
    return edge.size
