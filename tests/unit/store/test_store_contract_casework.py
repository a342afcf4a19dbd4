"""Timelines, evidence, requests and ways, on either engine: only added to, in one order, for those alone who may see them."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from store_support import MARA, PAUL, START, claim, into, who

from shieldwall.errors import Conflict, NotAllowed, NotFound, Tampered
from shieldwall.model.access import Handling, Role
from shieldwall.model.marking import Marking, Pap
from shieldwall.store.schema import custody, request_deeds
from shieldwall.store.timeline import NewEntry

SECOND = 1_000_000


def case_of(store, person=MARA, **given_):
    with store.act(who(person), "test.case") as work:
        case = work.cases.add(given_.pop("title", "Waterworks"), marking=Marking.AMBER, **given_).id
    return case, Handling(marking=Marking.AMBER, pap=Pap.RED, owner=person, case=case), into(who(person), case)


def entry(ref, happened_at=None, kind="event", **body):
    return NewEntry(kind=kind, ref=ref, body=body, happened_at=happened_at)


def refs(store, identity, case, **given_):
    with store.inside(identity) as work:
        return [each.ref for each in work.timeline.page(case, **{"most": 50, **given_})]


def test_the_latest_that_happened_comes_first_and_pages_join_without_a_gap(store):
    case, handling, mara = case_of(store)
    moments = [5, 1, 3, 3, 3, 9, 2]
    with store.act(mara, "test.add") as work:
        work.timeline.add([entry(f"{place}", at * SECOND) for place, at in enumerate(moments)], handling)
    whole = refs(store, mara, case)
    assert [moments[int(ref)] for ref in whole] == sorted(moments, reverse=True)
    read, before = [], None
    with store.inside(mara) as work:
        while page := work.timeline.page(case, most=2, before=before):
            read += [each.ref for each in page]
            before = (page[-1].happened_at, page[-1].id)
        assert work.timeline.counts(case) == {"event": 7}
    assert read == whole


def test_what_was_known_then_is_what_had_come_and_had_not_gone(store):
    case, handling, mara = case_of(store)
    times = []
    for ref in ("a", "b"):
        with store.act(mara, "test.add") as work:
            work.timeline.add([entry(ref, START)], handling)
            times.append(work.now)
    with store.act(mara, "test.go") as work:
        assert work.timeline.go("event", "a", case) == 1
        times.append(work.now)
    assert refs(store, mara, case) == ["b"]
    assert [sorted(refs(store, mara, case, known_at=at)) for at in times] == [["a"], ["a", "b"], ["b"]]
    assert refs(store, mara, case, known_at=times[0] - 1) == []
    assert refs(store, mara, case, happened_by=START - 1) == []
    with store.inside(mara) as work:
        assert work.timeline.counts(case, known_at=times[1]) == {"event": 2}
        assert work.timeline.there(case, "event", ["a", "b", "c"]) == {"b"}


@settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=12))
def test_a_replay_is_the_page_of_that_moment(sqlite_template, tmp_path_factory, plan):
    from store_support import copy_of

    with copy_of(sqlite_template, tmp_path_factory.mktemp("replay")) as store:
        case, handling, mara = case_of(store)
        seen = {}
        for place, (number, gone) in enumerate(plan):
            with store.act(mara, "test.do") as work:
                if gone:
                    work.timeline.go("event", str(number), case)
                else:
                    work.timeline.add([entry(str(number), place)], handling)
                at = work.now
            seen[at] = refs(store, mara, case)
        assert {at: refs(store, mara, case, known_at=at) for at in seen} == seen


def test_nobody_else_sees_any_of_it(store):
    case, handling, mara = case_of(store)
    paul = who(PAUL)
    with store.act(mara, "test.add") as work:
        work.timeline.add([entry("a")], handling)
        file = work.files.add("a.txt", "text/plain", [b"x"], "evidence", handling)
        piece = work.evidence.add(file.id, {"method": "copied"}, handling).id
        work.evidence.append(piece, 1, {"number": 1})
        request = work.requests.add("freeze", "draft", {}, handling).id
        work.requests.append(request, 0, deed="draft", body={}, state="draft", due_at=START)
        work.travels.add(["x"], by="request", carrier=request, to="them", handling=handling)
        work.travels.recall("x", case)
    with store.inside(paul) as work:
        assert work.timeline.page(case, most=9) == []
        assert work.timeline.counts(case) == {}
        assert work.evidence.of_case(case) == []
        assert work.requests.page(most=9) == work.requests.due(by=START * 2, most=9) == []
        assert work.requests.count(states=()) == 0
        assert work.travels.of("x") == work.travels.to_tell(most=9) == []
        assert work.cases.search("waterworks", most=9) == []
        for read in (work.evidence.get, work.evidence.log):
            with pytest.raises(NotFound):
                read(piece)
        for read in (work.requests.get, work.requests.deeds):
            with pytest.raises(NotFound):
                read(request)
    with store.inside(mara) as work:
        (way,) = work.travels.of("x")
    for do in (
        lambda work: work.timeline.add([entry("b")], replace(handling, owner=PAUL)),
        lambda work: work.timeline.add_for([entry("b")], handling),
        lambda work: work.evidence.append(piece, 2, {"number": 2}),
        lambda work: work.requests.append(request, 1, deed="submit", body={}, state="x", due_at=None),
        lambda work: work.travels.told(way.id),
    ):
        with pytest.raises(NotFound), store.act(paul, "test.do") as work:
            do(work)


def test_whoever_may_not_write_writes_nothing(store):
    case, handling, mara = case_of(store, people=[PAUL])
    with store.act(mara, "test.add") as work:
        request = work.requests.add("freeze", "draft", {}, handling).id
    viewer = into(who(PAUL, Role.VIEWER), case)
    for do in (
        lambda work: work.timeline.add([entry("b")], handling),
        lambda work: work.requests.add("freeze", "draft", {}, handling),
        lambda work: work.requests.append(request, 0, deed="draft", body={}, state="draft", due_at=None),
    ):
        with pytest.raises(NotAllowed), store.act(viewer, "test.do") as work:
            do(work)


def test_a_closed_case_takes_nothing_more(store):
    case, handling, mara = case_of(store)
    with store.act(mara, "test.add") as work:
        file = work.files.add("a.txt", "text/plain", [b"x"], "evidence", handling)
        piece = work.evidence.add(file.id, {}, handling).id
        request = work.requests.add("freeze", "draft", {}, handling).id
        work.cases.close(case, work.cases.get(case).version)
    for do in (
        lambda work: work.timeline.add([entry("b")], handling),
        lambda work: work.timeline.add_for([entry("b")], handling),
        lambda work: work.evidence.add(file.id, {}, handling),
        lambda work: work.evidence.append(piece, 1, {}),
        lambda work: work.requests.add("freeze", "draft", {}, handling),
        lambda work: work.requests.append(request, 0, deed="draft", body={}, state="draft", due_at=None),
        lambda work: work.travels.add(["x"], by="request", carrier=request, to="them", handling=handling),
    ):
        with pytest.raises(Conflict), store.act(mara, "test.do") as work:
            do(work)


def test_of_many_who_go_on_from_the_same_place_one_does(store, again):
    _, handling, mara = case_of(store)
    with store.act(mara, "test.add") as work:
        file = work.files.add("a.txt", "text/plain", [b"x"], "evidence", handling)
        piece = work.evidence.add(file.id, {}, handling).id
        work.evidence.append(piece, 1, {"number": 1})
        request = work.requests.add("freeze", "draft", {}, handling).id
    outcomes = []

    def try_both(number, own):
        for name, do in (
            ("custody", lambda work: work.evidence.append(piece, 2, {"number": 2, "by": number})),
            ("deed", lambda work: work.requests.append(request, 0, deed="draft", body={}, state="draft", due_at=None)),
        ):
            try:
                with own.act(mara, "test.race") as work:
                    do(work)
                outcomes.append(name)
            except Conflict:
                pass

    stores = [store, again(), again()]
    threads = [threading.Thread(target=try_both, args=(number, own)) for number, own in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["custody", "deed"]
    with store.inside(mara) as work:
        assert len(work.evidence.log(piece)) == 2
        assert [deed.number for deed in work.requests.deeds(request)] == [1]


def test_numbers_count_within_a_case(store):
    for title in ("one", "two"):
        _, handling, mara = case_of(store, title=title)
        with store.act(mara, "test.add") as work:
            assert [work.requests.add("freeze", "draft", {}, handling).number for _ in range(3)] == [1, 2, 3]


def test_a_log_or_line_of_deeds_that_lost_its_end_is_tampered(store):
    _, handling, mara = case_of(store)
    with store.act(mara, "test.add") as work:
        file = work.files.add("a.txt", "text/plain", [b"x"], "evidence", handling)
        piece = work.evidence.add(file.id, {}, handling).id
        for number in (1, 2):
            work.evidence.append(piece, number, {"number": number})
        request = work.requests.add("freeze", "draft", {}, handling).id
        for number in (0, 1):
            work.requests.append(request, number, deed="draft", body={}, state="draft", due_at=None)
    with store.backend.engine.begin() as connection:
        connection.execute(delete(custody).where(custody.c.number == 2))
        connection.execute(delete(request_deeds).where(request_deeds.c.number == 2))
    with store.inside(mara) as work:
        with pytest.raises(Tampered):
            work.evidence.log(piece)
        with pytest.raises(Tampered):
            work.requests.deeds(request)


def test_what_is_due_comes_first_by_its_moment(store):
    _, handling, mara = case_of(store)
    with store.act(mara, "test.add") as work:
        for due_at in (START + 9, START + 1, None, START + 5):
            request = work.requests.add("freeze", "sent", {"due": due_at}, handling)
            work.requests.append(request.id, 0, deed="send", body={}, state="sent", due_at=due_at)
    with store.inside(mara) as work:
        assert [row.due_at for row in work.requests.due(by=START + 5, most=9)] == [START + 1, START + 5]
        assert work.requests.count(states=["sent"]) == 4


def test_a_retraction_reaches_every_way_once_until_somebody_was_told(store):
    case, handling, mara = case_of(store)
    for to in ("Exchange", "Court"):
        with store.act(mara, "test.add") as work:
            work.travels.add(["claim-1", "claim-2", "claim-1"], by="request", carrier=to, to=to, handling=handling)
    with store.act(mara, "test.recall") as work:
        assert work.travels.recall("claim-1", case) == 2
        assert work.travels.recall("claim-1", case) == 0
    with store.inside(mara) as work:
        ways = work.travels.to_tell(most=9)
        assert [(way.what, way.to) for way in ways] == [("claim-1", "Exchange"), ("claim-1", "Court")]
    with store.act(mara, "test.told") as work:
        work.travels.told(ways[0].id)
        with pytest.raises(NotFound):
            work.travels.told(next(way.id for way in work.travels.of("claim-2")))
    with store.inside(mara) as work:
        assert [way.to for way in work.travels.to_tell(most=9)] == ["Court"]


def test_a_case_is_found_by_all_of_the_words_in_title_number_or_what_is_told(store):
    case, _, mara = case_of(store, title="Halden waterworks", number="NW-2026-0417")
    other, _, _ = case_of(store, title="Harbour", number="NW-2026-0418")
    mara = into(mara, other)
    with store.act(mara, "test.words") as work:
        work.cases.find_by(case, "LockBit Northwind")
    with store.inside(mara) as work:

        def found(text):
            return {each.id for each in work.cases.search(text, most=9)}

        assert found("WATER") == found("lockbit halden") == found("0417") == {case}
        assert found("nw-2026") == {case, other}
        assert found("lockbit harbour") == found("%") == found("_") == found("zzz") == set()


def test_what_is_searched_is_what_stands_now_also_where_it_was_searched_before(store, again):
    case, _, mara = case_of(store, title="Halden waterworks", number="NW-1")
    other = again()

    def found(text):
        counts = []
        for each in (store, other):
            with each.inside(mara) as work:
                counts.append(len(work.cases.search(text, most=9)))
        assert len(set(counts)) == 1
        return counts[0]

    assert (found("halden"), found("harbour"), found("nw-1"), found("lockbit")) == (1, 0, 1, 0)
    with store.act(mara, "test.words") as work:
        work.cases.find_by(case, "LockBit")
    assert (found("halden"), found("lockbit")) == (1, 1)
    with other.act(mara, "test.title") as work:
        work.cases.change(case, work.cases.get(case).version, title="Harbour", number="NW-2")
    assert (found("halden"), found("harbour"), found("nw-1"), found("lockbit")) == (0, 1, 0, 1)
    with store.act(mara, "test.words") as work:
        work.cases.find_by(case, "")
    assert found("lockbit") == 0


def test_cases_point_at_each_other_for_those_who_are_in_both(store):
    first, _, mara = case_of(store, title="one")
    second, _, paul = case_of(store, PAUL, title="two", people=[MARA])
    for identity, case in ((mara, first), (paul, second)):
        with store.act(identity, "test.mark") as work:
            work.cases.mark(case, [7, 8] if case == first else [8, 9], Marking.AMBER)
    with store.inside(into(mara, second)) as work:
        assert work.cases.shared(first, work.cases.marks(first)) == {8: {second}}
    with store.inside(mara) as work:
        assert work.cases.shared(first, work.cases.marks(first)) == {}


def test_claims_of_a_case_as_they_were_known(store):
    case, _, mara = case_of(store)
    times, ids = [], []
    for number in range(2):
        with store.act(mara, "test.claim") as work:
            one = claim(number, marking=Marking.AMBER, pap=Pap.RED)
            work.claims.add([one], case=case)
            ids.append(one.id)
            times.append(work.now)
    with store.act(mara, "test.back") as work:
        work.claims.retract(ids[0], "wrong")
    with store.inside(mara) as work:

        def known(at):
            return [kept.id for kept in work.claims.of_case(case, ["tag"], most=9, known_at=at)]

        assert known(None) == [ids[1]]
        assert [known(at) for at in times] == [ids[:1], ids]
        assert [(kept.id, kept.reason) for kept in work.claims.taken_back(case, most=9)] == [(ids[0], "wrong")]
