"""Envelopes open where they were sealed and nowhere else; in a database that others read, nothing secret can be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from store_support import MARA, NORA, PAUL, SECRETS, Ticking, add, claim, into, subject, who

from shieldwall.errors import Tampered, WrongKey
from shieldwall.model.access import Handling, Role
from shieldwall.model.marking import Marking
from shieldwall.store import Secrets, Store
from shieldwall.store.envelope import Envelope, Whole
from shieldwall.store.schema import approvals, audit_leaves, cases, claims, file_parts, metadata

BOX = Envelope(bytes(32))
TITLE, CONTENT, NAME, REASON = "Kestrel-title", b"content-of-the-file", "name-of-file.csv", "reason-for-it"
LABEL, SOURCE = "Label-of-service", "https://example.org/source-of-it"


@given(st.text(), st.text(), st.binary(), st.binary())
def test_what_was_sealed_opens_in_its_place(table, column, row, plain):
    assert BOX.open(table, column, row, BOX.seal(table, column, row, plain)) == plain


@given(st.binary(max_size=40), st.integers(0, 2**31))
def test_a_flipped_bit_is_found(plain, where):
    sealed = bytearray(BOX.seal("t", "c", "r", plain))
    sealed[where // 8 % len(sealed)] ^= 1 << where % 8
    with pytest.raises(Tampered):
        BOX.open("t", "c", "r", bytes(sealed))


@pytest.mark.parametrize("place", [("u", "c", "r"), ("t", "d", "r"), ("t", "c", "s"), ("t", "cr", ""), ("tc", "", "r")])
def test_elsewhere_it_does_not_open(place):
    with pytest.raises(Tampered):
        BOX.open(*place, BOX.seal("t", "c", "r", b"plain"))


@pytest.mark.parametrize("raw", [b"", b"\x01", b"\x02" + bytes(40), bytes(12), b"\x01" + bytes(27)])
def test_what_is_no_envelope(raw):
    with pytest.raises(Tampered):
        BOX.open("t", "c", "r", raw)


def test_each_purpose_has_a_key_of_its_own():
    secrets = Secrets(bytes(32))
    keys = {secrets.database, secrets.index, secrets.derive("envelope"), secrets.derive("x"), Secrets(b"1" * 32).index}
    assert len(keys) == 5
    assert "master" not in repr(secrets)
    with pytest.raises(ValueError, match="32 bytes"):
        Secrets(b"short")


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_keyed_hashes_tell_parts_apart(one, other):
    secrets = Secrets(bytes(32))
    assert (secrets.keyed(*one) == secrets.keyed(*other)) == (one == other)
    assert secrets.keyed(*one) == secrets.keyed(*(part.encode() for part in one))
    assert -(2**63) <= secrets.keyed_number(*one) < 2**63


def fill(store):
    """Something secret in every room of the store that is this file's."""
    with store.act(who(MARA), "case.add") as work:
        case = work.cases.add(TITLE).id
    mara = into(who(MARA), case)
    add(store, mara, [claim(1, LABEL, source=SOURCE, marking=Marking.RED), claim(2)], case=case)
    with store.act(mara, "claim.retract") as work:
        work.claims.retract(claim(2).id, REASON)
    with store.act(mara, "file.add") as work:
        file = work.files.add(NAME, "text/csv", [CONTENT], "upload", Handling(owner=MARA, case=case))
        work.approvals.ask("marking", {"thing": "file", "id": file.id, "case": case, "marking": "TLP:GREEN"}, REASON)
    return mara, file


@pytest.mark.needs("postgresql")
def test_nothing_secret_is_in_the_tables_of_postgresql(postgresql_store):
    _, file = fill(postgresql_store)
    with postgresql_store.backend.engine.connect() as connection:
        dump = b"".join(
            value if isinstance(value, bytes) else str(value).encode()
            for table in metadata.sorted_tables
            for row in connection.execute(select(table))
            for value in row
        )
    assert file.id.encode() in dump
    names = [subject(1).name, subject(2).name, LABEL, SOURCE, TITLE, NAME, REASON, file.sha256]
    for secret in [
        *(name.encode() for name in names),
        CONTENT,
        bytes.fromhex(file.sha256),
        SECRETS.master,
        SECRETS.index,
    ]:
        assert secret not in dump
    for each in (claim(1, LABEL, source=SOURCE, marking=Marking.RED), claim(2)):  # a bare digest would tell who guesses
        assert bytes.fromhex(each.id) not in dump


def test_nothing_at_all_is_to_be_read_in_the_file_of_sqlite(sqlite_store):
    fill(sqlite_store)
    raw = b"".join(path.read_bytes() for path in Path(sqlite_store.place).parent.glob("node.db*"))
    for secret in (b"SQLite format", b"CREATE TABLE", b"claims", b"Mara", TITLE.encode(), CONTENT, SECRETS.database):
        assert secret not in raw


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (claims, "body_sealed"),
        (cases, "title_sealed"),
        (file_parts, "content_sealed"),
        (audit_leaves, "entry_sealed"),
        (approvals, "body_sealed"),
    ],
)
@pytest.mark.needs("postgresql")
def test_an_envelope_that_was_moved_does_not_open(postgresql_store, table, column):
    store = postgresql_store
    mara, file = fill(store)
    fill(store)
    key = list(table.primary_key)
    with store.upkeep(who(NORA)) as work:
        rows = work.connection.execute(select(*key, table.c[column]).order_by(*key)).all()
        for row, other in ((rows[0], rows[-1]), (rows[-1], rows[0])):
            place = [part == value for part, value in zip(key, row, strict=False)]
            work.connection.execute(update(table).where(*place).values({column: other[-1]}))
    reads = {
        "claims": lambda work: work.claims.page(most=99),
        "cases": lambda work: work.cases.page(most=99),
        "file_parts": lambda work: work.files.read(file.id),
        "audit_leaves": lambda work: list(work.audit.leaves()),
        "approvals": lambda work: work.approvals.page(most=99),
    }
    everyone = who(MARA, cases=[*mara.cases, *_cases(store)])
    with store.inside(everyone) as work, pytest.raises(Tampered):
        reads[table.name](work)


def _cases(store):
    with store.backend.engine.connect() as connection:
        return list(connection.execute(select(cases.c.id)).scalars())


def test_another_key_opens_nothing(store):
    with pytest.raises(WrongKey):
        Store.open(store.place, Secrets(b"\x01" * 32), Ticking())


def test_sqlcipher_needs_no_envelope():
    assert Whole().open("t", "c", "r", Whole().seal("t", "c", "r", b"plain")) == b"plain"


def test_the_columns_that_must_be_sealed_are(store):
    """What is bytes and is neither a hash nor public is sealed, and every sealed column is one of these."""
    sealed = {f"{t.name}.{c.name}" for t in metadata.sorted_tables for c in t.columns if c.name.endswith("_sealed")}
    assert {
        "claims.body_sealed", "cases.title_sealed", "files.name_sealed", "files.sha256_sealed", "file_parts.content_sealed",
        "approvals.body_sealed", "retractions.reason_sealed", "audit_leaves.entry_sealed", "tag_sets.info_sealed",
    } <= sealed  # fmt: skip


def test_an_administrator_of_the_database_does_not_open_a_marking(store):
    """On PostgreSQL who runs the server can write the columns that say who may see; that is found when it is read."""
    add(store, who(MARA), [claim(1, marking=Marking.RED)])
    for change in ({"owner": PAUL}, {"marking": 1}):
        with store.upkeep(who(NORA, Role.ADMINISTRATOR)) as work:
            work.connection.execute(update(claims).values(change))
        with pytest.raises(Tampered), store.look(who(PAUL), "claim.find") as work:
            work.claims.find(subject(1))
