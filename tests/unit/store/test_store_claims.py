"""Claims: every version is kept, the same one counts once, and nobody finds what they may not see."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from store_support import ADA, MARA, NORA, PAUL, UNIT, add, claim, into, subject, who

from shieldwall.errors import BadText, Conflict, NotAllowed, NotFound, StoreError, Tampered
from shieldwall.model.access import Role
from shieldwall.model.claim import Layer, Subject
from shieldwall.model.marking import Marking, Pap
from shieldwall.model.standing import State, standing
from shieldwall.store import claims as module
from shieldwall.store.schema import claims

words = st.text(st.characters(codec="utf-8"), max_size=12)
values = st.recursive(
    st.integers(-(2**60), 2**60) | st.booleans() | words, lambda inner: st.lists(inner, max_size=3), max_leaves=5
)
any_claims = st.builds(
    claim,
    number=st.integers(0, 5),
    statement=st.dictionaries(words, values, max_size=4),
    layer=st.sampled_from(Layer),
    source=words,
    made_by=words,
    at=words,
    confidence=st.none() | st.integers(0, 100),
    marking=st.sampled_from(Marking),
    pap=st.sampled_from(Pap),
    evidence=st.lists(st.just("a" * 64), max_size=2).map(tuple),
    signature=words,
)


def find(store, identity, number):
    with store.look(identity, "claim.find") as work:
        return work.claims.find(subject(number))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=st.lists(any_claims, max_size=6))
def test_what_comes_in_comes_out(module_store, given):
    mara = who(MARA)
    add(module_store, mara, given)
    kept = {}
    for number in range(6):
        for each in find(module_store, mara, number):
            kept.setdefault(each.id, each.claim)
    for each in given:
        assert kept[each.id] == each
        assert each.marking == kept[each.id].marking


def test_the_same_claim_in_the_same_place_counts_once(store):
    given = [claim(1), claim(2), claim(1)]
    with store.act(who(MARA), "claim.add") as work:
        assert work.claims.add(given) == module.Taken(2, 1)
        assert work.claims.add(given) == module.Taken(0, 3)
    assert add(store, who(PAUL), given) == 2  # another's is another place
    assert [kept.handling.owner for kept in find(store, who(ADA), 1)] == [MARA, PAUL]


@pytest.mark.full
@pytest.mark.parametrize("many", [module.AT_ONCE - 1, 2 * module.AT_ONCE + 1_234])
def test_many_at_once_behind_the_back(sqlite_store, many):
    given = [claim(number % (many - 10)) for number in range(many)]
    with sqlite_store.act(who(MARA), "claim.add") as work:
        assert work.claims.add(iter(given)) == module.Taken(many - 10, 10)
        assert work.claims.count() == many - 10


def test_batches_behind_the_back_on_either_engine(store, monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 200)
    with store.act(who(MARA), "claim.add") as work:
        assert work.claims.add(claim(number % 900) for number in range(1000)) == module.Taken(900, 100)
    assert [len(find(store, who(PAUL), number)) for number in (0, 199, 200, 899, 900)] == [1, 1, 1, 1, 0]


@pytest.mark.needs("postgresql")
def test_a_driver_that_fails_while_it_copies_is_an_error_of_ours(postgresql_store):
    rows = [{"id": b"x", "place": "no number"}] * 200
    with pytest.raises(StoreError), postgresql_store.act(who(MARA), "claim.add") as work:
        postgresql_store.backend.insert_new(work.connection, claims, rows)


def test_a_batch_that_fails_behind_the_back_undoes_the_act(store, monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 20)
    whole = type(store.backend).insert_new
    calls = []

    def failing(self, connection, table, rows):
        calls.append(table.name)
        if len(calls) == 3:
            raise StoreError("no space left on the device")
        return whole(self, connection, table, rows)

    monkeypatch.setattr(type(store.backend), "insert_new", failing)
    with pytest.raises(StoreError, match="no space"):
        add(store, who(MARA), (claim(number) for number in range(200)))
    monkeypatch.undo()
    with store.look(who(MARA), "claim.count") as work:
        assert work.claims.count() == 0


def test_a_source_that_breaks_off_leaves_nothing(store, monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 200)

    def broken():
        for number in range(500):
            yield claim(number)
        raise BadText("line 501: not a claim")

    with pytest.raises(BadText):
        add(store, who(MARA), broken())
    with store.look(who(MARA), "claim.count") as work:
        assert work.claims.count() == 0
    assert add(store, who(MARA), [claim(1)]) == 1


def test_only_who_may_see_it_finds_it(store):
    add(store, who(MARA), [claim(1, marking=Marking.AMBER), claim(1, "Other", marking=Marking.RED)])
    add(store, who(MARA, groups=[UNIT]), [claim(1, "Third", marking=Marking.RED)], group=UNIT)
    seen = {
        "own": (who(MARA), 2),
        "group": (who(ADA, groups=[UNIT]), 2),
        "amber": (who(PAUL, highest=Marking.AMBER), 1),
        "green": (who(PAUL, highest=Marking.GREEN), 0),
        "administrator": (who(NORA, Role.ADMINISTRATOR, Role.AUDITOR), 0),
    }
    for name, (identity, number) in seen.items():
        assert len(find(store, identity, 1)) == number, name
        with store.look(identity, "claim.page") as work:
            assert len(work.claims.page(most=9)) == work.claims.count() == number, name
            assert len(work.claims.find_many([subject(1), subject(2)]).get(subject(1), [])) == number, name


def test_what_is_hidden_and_what_is_absent_look_the_same(store):
    add(store, who(MARA), [claim(1, marking=Marking.RED)])
    texts = set()
    for wanted in (claim(1, marking=Marking.RED).id, claim(2).id, "zz", "", "0" * 63):
        with pytest.raises(NotFound) as caught, store.look(who(PAUL), "claim.get") as work:
            work.claims.get(wanted)
        texts.add(str(caught.value))
    assert len(texts) == 1


def test_what_cannot_be_added(store):
    for identity in (who(MARA, Role.VIEWER), who(MARA, Role.APPROVER), who(MARA, Role.ADMINISTRATOR)):
        with pytest.raises(NotAllowed):
            add(store, identity, [claim()])
    for where in ({"case": "9" * 32}, {"group": UNIT}):
        with pytest.raises(NotFound):
            add(store, who(MARA), [claim()], **where)
    with pytest.raises(NotFound):  # a member of a case that there is not
        add(store, into(who(MARA), "9" * 32), [claim()], case="9" * 32)
    for broken in ({"kind": "x" * 41}, {"kind": "a\0b"}, {"source": "\ud800"}, {"statement": {"label": 1.5}}):
        with pytest.raises(BadText):
            add(store, who(MARA), [claim(**broken)])


def test_a_claim_that_was_taken_back_stays_with_the_reason(store):
    add(store, who(MARA), [claim(1)])
    with store.act(who(MARA), "claim.retract") as work:
        kept = work.claims.retract(claim(1).id, "the address was mistyped")
    assert (kept.id, kept.reason, kept.claim.retracted[:4]) == (claim(1).id, "the address was mistyped", "2025")
    assert find(store, who(PAUL), 1) == [kept]
    with pytest.raises(Conflict), store.act(who(MARA), "claim.retract") as work:
        work.claims.retract(claim(1).id, "again")
    with pytest.raises(NotAllowed), store.act(who(MARA, Role.VIEWER), "claim.retract") as work:
        work.claims.retract(claim(1).id, "again")


def test_nobody_takes_back_what_another_said(store):
    add(store, who(MARA), [claim(1)])
    with pytest.raises(NotAllowed), store.act(who(PAUL), "claim.retract") as work:
        work.claims.retract(claim(1).id, "I do not like it")


def test_what_stands_and_what_stood(store):
    old, new = claim(1, "Old name", at="2026-01-01"), claim(1, "New name", at="2026-02-01")
    other = claim(1, "Third name", made_by="Another desk", source="https://example.net")
    for each in (old, new, other):
        add(store, who(MARA), [each])
    before = find(store, who(MARA), 1)
    with store.act(who(MARA), "claim.retract") as work:
        work.claims.retract(other.id, "a mistake")
    kept = find(store, who(MARA), 1)
    now = standing(kept, store.now())
    assert [each.id for each in now.those(kept)] == [new.id]
    assert now.states == {old.id: State.SUPERSEDED, new.id: State.STANDS, other.id: State.RETRACTED}
    then = standing(kept, before[-1].received_at)
    assert [each.id for each in then.those(kept)] == [new.id, other.id]
    assert then.disputes[0].sides == tuple(sorted([(new.id,), (other.id,)]))


def test_pages_follow_each_other(store):
    add(store, who(MARA), [claim(number) for number in range(5)])
    add(store, who(MARA), [claim(9, kind="note", statement={})])
    with store.look(who(MARA), "claim.page") as work:
        first = work.claims.page(most=3, kind="tag")
        rest = work.claims.page(after=first[-1].seq, most=9, kind="tag")
        assert [kept.claim.subject for kept in (*first, *rest)] == [subject(number) for number in range(5)]


def test_subjects_that_share_a_key_are_told_apart(store, monkeypatch):
    monkeypatch.setattr(type(store.secrets), "framed_number", lambda *_: 7)
    add(store, who(MARA), [claim(1), claim(2)])
    assert [kept.claim.subject for kept in find(store, who(MARA), 2)] == [subject(2)]
    with store.look(who(MARA), "claim.find") as work:
        assert set(work.claims.find_many([subject(1), subject(2), subject(3)])) == {subject(1), subject(2)}


def test_words_of_a_subject_do_not_run_into_each_other(store):
    with store.inside(who(MARA)) as work:
        keys = {
            work.claims.subject_key(Subject(*parts))
            for parts in (("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("", "a", "bc"))
        }
    assert len(keys) == 4


def test_a_claim_that_was_changed_in_the_database_is_named(store):
    add(store, who(MARA), [claim(1)])
    with store.upkeep(who(NORA)) as work:
        body = work.connection.execute(select(claims.c.body_sealed)).scalar_one()
        work.connection.execute(update(claims).values(body_sealed=body[:-2] + b"!!"))
    with pytest.raises(Tampered):
        find(store, who(MARA), 1)


def test_a_marking_that_was_changed_in_the_database_is_found(store):
    """Its columns say who may see a claim, and its body what its maker said: the stricter holds no secret from the other."""
    add(store, who(MARA), [claim(1, marking=Marking.RED)])
    with store.upkeep(who(NORA)) as work:
        work.connection.execute(update(claims).values(marking=0))
    with pytest.raises(Tampered):
        find(store, who(PAUL), 1)


NASTY = ["\0", "\ud800", "a\0b", "'; DROP TABLE claims; --", "%", "\u202e", "x" * 100_000]


@pytest.mark.parametrize("text", NASTY)
def test_texts_from_outside_find_nothing_and_break_nothing(store, text):
    mara = into(who(MARA), "9" * 32)
    with store.look(mara, "search") as work:
        assert work.claims.page(most=9, kind=text) == work.claims.page(most=9, case=text) == []
        assert work.files.page(most=9, kind=text) == work.files.page(most=9, case=text) == []
        assert work.cases.page(most=9, status=text) == work.approvals.page(most=9, decision=text) == []
        assert work.claims.find(Subject("address", "x", text)) == []
        gets = (work.claims, work.files, work.cases, work.approvals)
        for room in gets:
            with pytest.raises(NotFound):
                room.get(text)
        for room in gets[1:]:
            with pytest.raises(NotFound):
                room.page(after=text, most=9)
