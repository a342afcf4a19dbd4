"""Every row out of a store of one kind and into one of the other: the same rows, and sealed values that open there."""

from __future__ import annotations

import proving_support
import pytest
from sqlalchemy import insert, select, update
from store_support import MARA, NORA, SECRETS, START, Ticking, claim, subject, verify_log, who

from shieldwall.errors import BadText
from shieldwall.model.access import Handling
from shieldwall.model.canonical import canonical_json
from shieldwall.model.strictjson import parse_json
from shieldwall.store import Store
from shieldwall.store.dump import counts, dump, engine_problems, load, tables, unsound
from shieldwall.store.proving import LEFT_OUT
from shieldwall.store.schema import claims, metadata, node_keys


def fill(store):
    """A row in each table that seals something in a way of its own."""
    with store.act(who(MARA), "test.fill") as work:
        work.claims.add([claim(number) for number in range(3)])
        work.claims.retract(work.claims.find(subject(1))[0].claim.id, "wrong")
        work.files.add("note.txt", "text/plain", [b"a" * 300_000], "upload", Handling(owner=MARA))
        work.cases.add("The case of the locked files")
        work.node_keys.add(key_row())


def key_row():
    from shieldwall.store.nodekeys import KeyRow

    return KeyRow(id="0" * 16, public=b"public", secret=b"secret", created_at=START)


def rows_of(store):
    with store.inside(who(NORA)) as work:
        return list(dump(work))


def other_kind(store, request, tmp_path):
    """A new, empty store of the other engine."""
    if store.backend.name == "postgresql":
        return Store.create(str(tmp_path / "other.db"), SECRETS, Ticking())
    server = request.getfixturevalue("postgresql")
    return Store.create(server.url(server.database()), SECRETS, Ticking())


@pytest.mark.needs("postgresql")
def test_from_one_engine_to_the_other(store, request, tmp_path):
    fill(store)
    proving_support.fill(store)
    proving_support.fill_casework(store)
    proving_support.fill_sharing(store)
    rows = rows_of(store)
    as_text = [parse_json(canonical_json([name, row]), "row") for name, row in rows]  # as a backup writes it
    with other_kind(store, request, tmp_path) as other:
        with other.upkeep(who(NORA)) as work:
            loaded = load(work, ((name, row) for name, row in as_text))
        assert sum(loaded.values()) == len(rows)
        assert rows_of(other) == rows
        verify_log(other)
        with other.look(who(MARA), "claim.find") as work:
            assert [kept.reason for kept in work.claims.find(subject(1))] == ["wrong"]
            assert [row.secret for row in work.node_keys.all()] == [b"secret"]
            assert list(unsound(work)) == []
            proofs = [
                work.connection.execute(select(metadata.tables[name].c.proof)).scalars().all() for name in LEFT_OUT
            ]
            assert all(found and all((proof is None) == other.backend.whole for proof in found) for found in proofs)
        with other.act(who(MARA), "claim.add") as work:  # numbers go on behind those that came
            assert work.claims.add([claim(99)]).added == 1


def test_tables_come_after_those_that_they_point_to():
    places = {name: place for place, name in enumerate(tables())}
    for table in metadata.sorted_tables:
        for key in table.foreign_keys:
            assert places[key.column.table.name] <= places[table.name]


def test_tables_can_be_left_out_and_counted(store):
    with store.inside(who(NORA)) as work:
        assert {name for name, _ in dump(work, leave_out=frozenset(("people",)))}.isdisjoint({"people"})
        assert counts(work)["people"] == 4


def test_a_claim_under_another_id_and_a_value_that_does_not_open_are_named(store):
    fill(store)
    with store.inside(who(NORA)) as work:
        assert list(unsound(work)) == []
    with store._writing() as connection:
        connection.execute(update(node_keys).values(secret_sealed=b"\x01" + bytes(40)))
        connection.execute(update(claims).where(claims.c.seq == 1).values(id=bytes(32)))
    with store.inside(who(NORA)) as work:
        found = "; ".join(unsound(work))
    assert "table claims" in found
    if store.backend.name == "postgresql":
        assert "table node_keys, row 0000000000000000: secret_sealed does not open" in found
    assert engine_problems(store) == []


def empty(tmp_path):
    return Store.create(str(tmp_path / "new.db"), SECRETS, Ticking())


GROUP = {"id": "0" * 32, "name": "unit", "created_at": 1}


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("no_such_table", {}),
        ("groups", GROUP | {"more": 1}),
        ("groups", {"id": "0" * 32}),
        ("groups", GROUP | {"created_at": "1"}),
        ("groups", GROUP | {"created_at": 1 << 63}),
        ("groups", GROUP | {"created_at": True}),
        ("groups", GROUP | {"name": None}),
        ("meta", {"name": "x", "value": "no base64!"}),
    ],
)
def test_rows_that_do_not_fit_are_refused(tmp_path, name, row):
    with empty(tmp_path) as store:
        with pytest.raises(BadText), store.upkeep(who(NORA)) as work:
            load(work, [(name, row)])
        with store.inside(who(NORA)) as work:
            assert work.audit.head().frontier.size == 0  # as it was


def test_the_proof_of_the_key_stays_behind(store, tmp_path):
    assert "meta" not in {name for name, _ in rows_of(store)}
    with store._writing() as connection:
        connection.execute(insert(metadata.tables["meta"]).values(name="another", value=b"v"))
    assert ("meta", {"name": "another", "value": "dg=="}) in rows_of(store)
