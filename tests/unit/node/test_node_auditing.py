"""Whatever is done to the log behind the program's back is found, and the right leaf is named."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from home_support import OPERATOR, START, act, made
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from shieldwall.errors import BadText, NotFound, ShieldwallError, Tampered
from shieldwall.model.canonical import canonical_json
from shieldwall.model.merkle import Frontier, leaf_hash
from shieldwall.node.auditing import examine, verify_log
from shieldwall.node.exported import PURPOSE, SignedRoot, root_message
from shieldwall.node.identity import Generation, PublicIdentity, SecretPair
from shieldwall.node.proofs import check_proof, prove
from shieldwall.store.audit import Head, RawLeaf, Root
from shieldwall.store.schema import audit_leaves

NODE = "ab" * 16
PAIR = SecretPair(bytes(32), bytes(32))
KNOWN = PublicIdentity(NODE, (Generation(public=PAIR.public, created_at=0, retired_at=None, certified=None),))
SIZE = 12


def log(size=SIZE, changed=None):
    """Rows and head of a log; `changed` is the number of a leaf from which on another history is told."""
    edge, rows = Frontier(), []
    for number in range(size):
        verb = "test.act" if changed is None or number < changed else "test.other"
        entry = canonical_json({"number": number, "at": START + number * 1000, "verb": verb, "salt": f"{number:032x}"})
        edge = edge.append(leaf_hash(entry))
        rows.append(RawLeaf(number, START + number * 1000, entry, leaf_hash(entry), edge.root))
    return rows, Head(edge, rows[-1].at if rows else 0)


ROWS, HEAD = log()


def signed(size, rows=ROWS, accepts="", at=None):
    root = rows[size - 1].root
    moment = at if at is not None else START + size * 1000
    envelope = PAIR.sign(PURPOSE, root_message(NODE, size, moment, root, accepts))
    return SignedRoot(node=NODE, size=size, at=moment, root=root, accepts=accepts, envelope=envelope)


def kept(line):
    raw = canonical_json({"accepts": line.accepts, "signature": dict(line.envelope)})
    return Root(line.size, line.at, line.root, raw)


LINES = [signed(4), signed(9)]
KEPT = [kept(line) for line in LINES]


def found(rows, head=HEAD, kept_roots=KEPT, lines=LINES):
    return examine(sorted(rows, key=lambda row: row.number), head, kept_roots, lines, KNOWN)


def covers(result, number):
    first = result.findings[0]
    return first.first <= number <= first.last


def test_an_untouched_log_is_good():
    result = found(ROWS)
    assert result.findings == ()
    assert (result.size, result.root, result.kept, result.exported) == (SIZE, HEAD.frontier.root, 2, 2)
    assert found([], *[Head(Frontier(), 0), [], []]).findings == ()


@given(st.integers(0, SIZE - 1), st.data())
def test_any_edit_of_any_column_names_that_leaf(number, data):
    row = ROWS[number]
    column = data.draw(st.sampled_from(["number", "at", "entry", "leaf", "root"]))
    value = data.draw(
        {
            "number": st.integers(-5, 40).filter(lambda other: not 0 <= other < SIZE),
            "at": st.integers(0, 1 << 62),
            "entry": st.none() | st.binary(max_size=80) | st.sampled_from([other.entry for other in ROWS]),
            "leaf": st.binary(min_size=32, max_size=32) | st.sampled_from([other.leaf for other in ROWS]),
            "root": st.binary(min_size=32, max_size=32) | st.sampled_from([other.root for other in ROWS]),
        }[column].filter(lambda value: value != getattr(row, column))
    )
    result = found([*ROWS[:number], replace(row, **{column: value}), *ROWS[number + 1 :]])
    assert any(finding.first <= number <= finding.last for finding in result.findings)
    if column != "number" or value > 0:
        assert covers(result, number)


@given(st.integers(0, SIZE - 1), st.text(max_size=20))
def test_an_entry_edited_together_with_its_hash_names_that_leaf_alone(number, verb):
    entry = canonical_json({"number": number, "at": ROWS[number].at, "verb": verb, "salt": ""})
    result = found([*ROWS[:number], replace(ROWS[number], entry=entry, leaf=leaf_hash(entry)), *ROWS[number + 1 :]])
    assert covers(result, number)
    assert result.findings[0].last == number


@given(st.integers(0, SIZE - 1))
def test_any_removal_names_that_leaf(number):
    result = found([*ROWS[:number], *ROWS[number + 1 :]])
    assert (result.findings[0].first, result.findings[0].last) == (number, number)
    assert "removed" in result.findings[0].text


@given(st.lists(st.integers(0, SIZE - 1), min_size=2, max_size=2, unique=True))
def test_any_swap_names_both_leaves(places):
    one, two = sorted(places)
    rows = list(ROWS)
    rows[one], rows[two] = replace(ROWS[two], number=one), replace(ROWS[one], number=two)
    result = found(rows)
    assert covers(result, one)
    named = {finding.first for finding in result.findings if "reordered" in finding.text}
    assert {one, two} <= named


@given(st.integers(0, SIZE - 1))
def test_a_history_told_anew_fits_itself_and_is_found_by_the_exported_roots(number):
    rows, head = log(changed=number)
    alone = found(rows, head, [], [])
    assert alone.findings == ()  # nothing within the database tells
    result = found(rows, head, [])
    exported = [line.size for line in LINES if line.size > number]
    assert bool(result.findings) == bool(exported)
    if exported:
        assert covers(result, number)
        assert result.findings[0].last == exported[0] - 1
    with_kept = found(rows, head, KEPT, [])
    assert bool(with_kept.findings) == bool(exported)


@given(st.integers(0, SIZE))
def test_an_older_copy_is_found_by_the_exported_roots(size):
    rows, head = log(size)
    result = found(rows, head, [])
    missing = [line for line in LINES if line.size > size]
    assert bool(result.findings) == bool(missing)
    if missing:
        assert (result.findings[0].first, result.findings[0].last) == (size, missing[0].size - 1)
        assert "older copy" in result.findings[0].text


@given(st.integers(1, SIZE - 1))
def test_an_end_cut_off_without_the_head_is_named(size):
    result = found(ROWS[:size], kept_roots=[], lines=[])
    assert (result.findings[0].first, result.findings[0].last) == (size, SIZE - 1)


@pytest.mark.parametrize(
    "head", [None, Head(log(5)[1].frontier, HEAD.at), replace(HEAD, at=5), Head(log(changed=3)[1].frontier, HEAD.at)]
)
def test_a_head_that_does_not_fit_is_found(head):
    assert found(ROWS, head).findings


def test_a_root_with_a_signature_that_does_not_hold_is_found():
    other = SecretPair(bytes(range(32)), bytes(32))
    forged = replace(LINES[0], envelope=other.sign(PURPOSE, LINES[0].message))
    assert "signature" in found(ROWS, lines=[forged]).findings[0].text
    assert found(ROWS, kept_roots=[kept(forged)]).findings
    assert found(ROWS, lines=[replace(LINES[0], node="cd" * 16)]).findings
    assert found(ROWS, kept_roots=[replace(KEPT[0], signature=b"{}")]).findings


def test_what_an_administrator_accepted_is_told_and_is_no_finding():
    rows, head = log(changed=6)
    late = START + 10**9
    accepted = signed(SIZE, rows, accepts="restored", at=late)
    result = found(rows, head, [*KEPT, kept(accepted)], [*LINES, accepted])
    assert result.findings == ()
    assert len(result.accepted) == 1
    assert "restored" in result.accepted[0]
    forged = replace(accepted, accepts="never mind")  # nobody accepts without the node's keys
    assert found(rows, head, KEPT, [*LINES, forged]).findings


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    with made(tmp_path_factory.mktemp("home") / "node") as home:
        act(home, 9)
        home.witness.sign(OPERATOR)
        yield home


def test_the_log_of_a_node_verifies(home):
    result = verify_log(home.store, OPERATOR, home.keys.identity, home.exported)
    assert result.findings == ()
    assert (result.kept, result.exported) == (2, 2)
    assert result.size == home.store.audit_size()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.needs("postgresql")])])
def written(request, tmp_path):
    """A node on either engine with a few leaves and an exported root over them."""
    settings = {}
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        settings["database"] = server.url(server.database())
    with made(tmp_path / "node", **settings) as home:
        act(home, 6)
        home.witness.sign(OPERATOR)
        yield home


def test_what_is_done_in_the_database_itself_is_named(written):
    def behind_its_back(*statements):
        with written.store._writing() as connection:
            for statement in statements:
                connection.execute(statement)
        result = verify_log(written.store, OPERATOR, written.keys.identity, written.exported)
        return {(finding.first, finding.text.split(":")[0].split(",")[0]) for finding in result.findings}

    table = audit_leaves
    with written.store.inside(OPERATOR) as work:
        kept = {row.number: dict(row._mapping) for row in work.connection.execute(select(table))}
    moved = {"entry_sealed": kept[5]["entry_sealed"]}
    named = behind_its_back(update(table).where(table.c.number == 4).values(**moved))
    assert named & {(4, "edited"), (4, "reordered")}
    assert behind_its_back(update(table).where(table.c.number == 4).values(**kept[4])) == set()
    assert (3, "removed") in behind_its_back(delete(table).where(table.c.number == 3))
    assert behind_its_back(insert(table).values(**kept[3])) == set()
    last = max(kept)
    assert (last, "removed from the end") in behind_its_back(delete(table).where(table.c.number == last))


def test_a_proof_holds_without_the_node(home):
    line = home.exported.last()
    document = PublicIdentity.from_dict(json.loads(json.dumps(home.keys.identity.as_dict())))
    act(home, 3)
    for number in range(line.size):
        proof = json.loads(json.dumps(prove(home.store, OPERATOR, number, line)))
        assert check_proof(proof, document)["number"] == number
    for number in (line.size, 10**6):
        with pytest.raises(NotFound):
            prove(home.store, OPERATOR, number, line)


def test_a_changed_proof_shows_nothing(home):
    line = home.exported.last()
    proof = prove(home.store, OPERATOR, 5, line)
    changed = {
        "entry": proof["entry"] | {"verb": "test.other"},
        "number": 4,
        "inclusion": proof["inclusion"][1:],
        "signed": proof["signed"] | {"size": line.size - 1},
        "now": proof["now"] | {"root": "00" * 32},
    }
    for field, value in changed.items():
        with pytest.raises((Tampered, BadText)):
            check_proof(proof | {field: value}, home.keys.identity)
    with pytest.raises(Tampered):
        check_proof(proof, KNOWN)
    for bad in (None, [], {}, proof | {"inclusion": None}, proof | {"version": 9}):
        with pytest.raises(ShieldwallError):
            check_proof(bad, home.keys.identity)
