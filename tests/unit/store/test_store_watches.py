"""Watches in their tables: rung once, in one act with what was seen; seen by those who may; told outside one at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from store_support import ADA, CHAIN, MARA, PAUL, UNIT, into, verify_log, who

from shieldwall.errors import Conflict, NotAllowed, NotFound
from shieldwall.model.access import Handling, Identity, Kind
from shieldwall.model.claim import Subject
from shieldwall.model.marking import Marking, Pap
from shieldwall.store.watches import DeliveryState, NewAlarm

NODE = Identity(kind=Kind.NODE, person="", name="node")
GREEN = Handling(marking=Marking.GREEN, pap=Pap.GREEN, owner=MARA)
SUBJECT = Subject("address", CHAIN, "bc1qexample")


def add(store, handling=GREEN, identity=None, subject=SUBJECT):
    with store.act(identity or who(MARA), "watch.add") as work:
        return work.watches.add("address", {"address": subject.name}, {"tip": 1}, subject, handling)


def new(number, handling=GREEN):
    return NewAlarm(event=("received", str(number)), body={"txid": str(number)}, handling=handling)


def ring(store, watch, seen, *alarms, ways=()):
    with store.act(NODE, "watch.ring") as work:
        return work.watches.ring(watch, seen, alarms, ways)


def alarms(store, identity=None, **more):
    with store.look(identity or who(MARA), "alarm.page") as work:
        return work.watches.alarms(most=more.pop("most", 50), **more)


def test_an_alarm_rings_once_and_what_was_seen_goes_with_it(store):
    watch = add(store)
    assert len(ring(store, watch, {"tip": 2}, new(1), new(2))) == 2
    with store.inside(NODE) as work:
        (now,) = work.watches.active()
    assert now.seen == {"tip": 2}
    assert ring(store, now, {"tip": 3}, new(2)) == []
    with pytest.raises(Conflict):
        ring(store, watch, {"tip": 4}, new(3))
    assert [alarm.body["txid"] for alarm in alarms(store)] in (["2", "1"], ["1", "2"])
    verify_log(store)


def test_what_fails_leaves_neither_alarm_nor_what_was_seen(store):
    watch = add(store)

    def fail(work):
        work.watches.ring(watch, {"tip": 2}, [new(1)], [("mail", MARA)])
        raise NotAllowed("no")

    with pytest.raises(NotAllowed), store.act(NODE, "watch.ring") as work:
        fail(work)
    assert alarms(store) == []
    with store.inside(NODE) as work:
        assert work.watches.active()[0].seen == {"tip": 1}
        assert work.watches.due(9) == []


def test_deliveries_are_made_one_at_a_time(store, again):
    watch = add(store)
    (alarm,) = ring(store, watch, {"tip": 2}, new(1), ways=[("mail", MARA), ("webhook", "https://example.org/")])
    other = again()
    with store.inside(NODE) as work:
        due = work.watches.due(9)
    assert {(delivery.channel, delivery.to) for delivery, _ in due} == {
        ("mail", MARA),
        ("webhook", "https://example.org/"),
    }
    with store.act(NODE, "delivery.attempt") as work:
        held = work.watches.attempt(due[0][0])
    with pytest.raises(Conflict), other.act(NODE, "delivery.attempt") as work:
        work.watches.attempt(due[0][0])
    with other.act(NODE, "delivery.sent") as work:
        work.watches.sent(held, withheld=False)
    with store.look(who(MARA), "delivery.page") as work:
        states = {each.id: each.state for each in work.watches.deliveries(alarm.id)}
    assert states == {held.id: DeliveryState.SENT, due[1][0].id: DeliveryState.WAITING}


def test_who_may_see_a_watch_and_its_alarms(store):
    mine, shared = add(store, Handling(owner=MARA)), add(store)
    grouped = add(store, replace(GREEN, owner=ADA, group=UNIT), who(ADA, groups=[UNIT]))
    for watch in (mine, shared, grouped):
        ring(store, watch, {"tip": 2}, new(1, watch.handling))

    def seen(identity):
        with store.look(identity, "watch.page") as work:
            found = {watch.id for watch in work.watches.page(most=9)}
            assert {alarm.watch for alarm in work.watches.alarms(most=9)} == found
            assert work.watches.unanswered() == len(found)
        return found

    assert seen(who(MARA)) == {mine.id, shared.id}
    assert seen(who(PAUL)) == {shared.id}
    assert seen(who(PAUL, groups=[UNIT])) == {shared.id, grouped.id}
    assert seen(who(PAUL, highest=Marking.CLEAR)) == set()
    for call in (
        lambda w: w.get(mine.id),
        lambda w: w.stop(mine.id),
        lambda w: w.get("0" * 32),
        lambda w: w.alarm("0" * 32),
    ):
        with pytest.raises(NotFound), store.act(who(PAUL), "test") as work:
            call(work.watches)


def test_pages_of_alarms_follow_each_other(sqlite_store):
    store = sqlite_store
    watch = add(store)
    ring(store, watch, {"tip": 2}, *map(new, range(8)))
    found, after = [], ""
    while part := alarms(store, most=3, after=after):
        found += [alarm.id for alarm in part]
        after = found[-1]
    assert len(found) == len(set(found)) == 8
    with pytest.raises(NotFound):
        alarms(store, who(PAUL), after="0" * 32)
    assert alarms(store, watch="0" * 32) == []


def test_a_stopped_watch_rings_no_more(sqlite_store):
    store = sqlite_store
    watch = add(store)
    with store.act(who(MARA), "watch.stop") as work:
        work.watches.stop(watch.id)
    with pytest.raises(Conflict):
        ring(store, watch, {"tip": 2}, new(1))
    with pytest.raises(Conflict), store.act(who(MARA), "watch.stop") as work:
        work.watches.stop(watch.id)
    with store.look(who(MARA), "watch.page") as work:
        assert work.watches.page(most=9, active=True) == []
        assert len(work.watches.page(most=9, active=False)) == 1


def test_two_teams_that_watch_the_same_are_told_that_they_meet(sqlite_store):
    store = sqlite_store
    cases = []
    for person in (MARA, PAUL):
        with store.act(who(person), "case.add") as work:
            cases.append(work.cases.add(f"Case of {person}").id)
    for person, case in zip((MARA, PAUL), cases, strict=True):
        add(store, replace(GREEN, owner=person, case=case), into(who(person), case))
    with store.look(into(who(MARA), cases[0]), "case.meetings") as work:
        assert [meeting.contact for meeting in work.cases.meetings()] == ["Paul"]
