"""The condition of a query selects exactly what `may_see` lets through, on either engine."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from store_support import DESK, MARA, NORA, PAUL, START, UNIT, who

from shieldwall.model.access import Handling, Identity, Kind, Permission, Role, may_see
from shieldwall.model.marking import Marking, Pap
from shieldwall.store.schema import cases, files
from shieldwall.store.visible import columns_of, handling_of, visible

CASES = ("e" * 32, "f" * 32)
PERSONS = ("", MARA, PAUL)

identities = st.builds(
    Identity,
    kind=st.sampled_from(Kind),
    person=st.sampled_from(PERSONS),
    name=st.just("someone"),
    roles=st.frozensets(st.sampled_from((Role.VIEWER, Role.ANALYST, Role.AUDITOR))),
    highest=st.sampled_from(Marking),
    groups=st.frozensets(st.sampled_from((UNIT, DESK))),
    cases=st.frozensets(st.sampled_from(CASES)),
    scopes=st.none() | st.frozensets(st.sampled_from(Permission)),
)
ALL = [
    Handling(marking=marking, pap=Pap(int(marking) % 4), owner=owner, case=case, group=group)
    for marking in Marking
    for owner in PERSONS
    for case in (None, *CASES)
    for group in (None, UNIT, DESK)
]
READER = who(MARA, Role.VIEWER, cases=CASES, groups=(UNIT, DESK))


@pytest.fixture(scope="module")
def filled(module_store):
    """A store with one row for each handling that there can be, and cases of every marking."""
    with module_store.upkeep(who(NORA)) as work:
        rows = [
            {
                "id": case, "title_sealed": b"", "status": "open", "silent": False, "contact": MARA, "owner": MARA,
                "marking": 4, "pap": 3, "created_at": START, "version": 1,
            }
            for case in CASES
        ]  # fmt: skip
        work.connection.execute(insert(cases), rows)
        for number, handling in enumerate(ALL):
            row = {"kind": "upload", "name_sealed": b"", "media_type": "a/b", "size": 0, "sha256_sealed": b""}
            work.connection.execute(
                insert(files).values(id=f"{number:032}", created_at=START, **row, **columns_of(handling))
            )
    return module_store


def selected(store, identity):
    with store.inside(identity) as work:
        query = select(files).where(visible(identity, files)).order_by(files.c.id)
        return [handling_of(row) for row in work.connection.execute(query)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(identity=identities)
def test_the_query_selects_what_may_be_seen(filled, identity):
    assert selected(filled, identity) == [handling for handling in ALL if may_see(identity, handling)]


@pytest.mark.parametrize("highest", Marking)
def test_each_marking(filled, highest):
    for identity in (READER, replace(READER, cases=frozenset()), replace(READER, groups=frozenset(), person="")):
        chosen = replace(identity, highest=highest)
        assert selected(filled, chosen) == [handling for handling in ALL if may_see(chosen, handling)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(identity=identities)
def test_a_case_belongs_to_itself(filled, identity):
    with filled.inside(identity) as work:
        rows = work.connection.execute(select(cases).where(visible(identity, cases, cases.c.id))).all()
        everything = work.connection.execute(select(cases)).all()
    assert {row.id for row in rows} == {row.id for row in everything if may_see(identity, handling_of(row, row.id))}
