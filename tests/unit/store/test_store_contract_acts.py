"""Acts, on either engine: what is done and its record stand or fall together, and many at once make one log."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from sqlalchemy import insert
from store_support import MARA, PAUL, START, add, claim, into, subject, verify_log, who

from shieldwall.errors import AuditFailed, BadText, Conflict, NotAllowed, NotFound, StoreError
from shieldwall.model.access import Role
from shieldwall.store.schema import claims, groups


def last(store):
    with store.inside(who(MARA)) as work:
        return list(work.audit.leaves())[-1].entry


def count(store):
    with store.inside(who(MARA)) as work:
        return work.claims.count()


def test_an_act_leaves_one_leaf_with_who_what_and_how_many(store):
    before = store.audit_size()
    with store.act(who(MARA), "claim.add", source="upload") as work:
        work.note(added=work.claims.add([claim(1)]).added)
    assert store.audit_size() == before + 1
    entry = last(store)
    assert (entry["verb"], entry["outcome"], entry["detail"]) == ("claim.add", "done", {"source": "upload", "added": 1})
    assert entry["who"] == {"kind": "person", "person": MARA, "name": "Mara", "token": ""}
    assert verify_log(store) == before + 1


def test_a_look_is_recorded_before_anyone_has_an_answer(store):
    with store.look(who(MARA), "claim.find") as work:
        work.claims.find(subject(1))
        work.note(found=0)
    assert (last(store)["verb"], last(store)["detail"]) == ("claim.find", {"found": 0})


@pytest.mark.parametrize(
    ("error", "outcome"), [(NotAllowed("no"), "refused"), (BadText("no"), "failed"), (ZeroDivisionError(), "failed")]
)
def test_what_fails_is_undone_and_recorded_as_such(store, error, outcome):
    before = store.audit_size()

    def broken():
        yield claim(1)
        raise error

    with pytest.raises(type(error)):
        add(store, who(MARA), broken())
    assert count(store) == 0
    assert store.audit_size() == before + 1
    assert (last(store)["outcome"], last(store)["detail"]) == (outcome, {"error": type(error).__name__})


def test_no_audit_no_act(store, monkeypatch):
    monkeypatch.setattr(type(store.backend.sealer), "seal", _fail_for("audit_leaves", type(store.backend.sealer).seal))
    before = store.audit_size()
    with pytest.raises(AuditFailed), store.act(who(MARA), "claim.add") as work:
        work.claims.add([claim(1)])
    with pytest.raises(AuditFailed), store.look(who(MARA), "claim.find") as work:
        work.claims.find(subject(1))
    monkeypatch.undo()
    assert store.audit_size() == before
    assert count(store) == 0


def _fail_for(table, whole):
    def seal(self, name, column, row, plain):
        if name == table:
            raise StoreError("no space left on the device")
        return whole(self, name, column, row, plain)

    return seal


def test_a_driver_error_is_one_of_ours(store):
    twice = [{"id": letter * 32, "name": "twice", "created_at": START} for letter in "89"]
    with pytest.raises(StoreError), store.act(who(MARA), "group.add") as work:
        work.connection.execute(insert(groups), twice)
    assert verify_log(store) == store.audit_size()


def test_a_time_is_never_before_the_last_entry(store):
    with store.act(who(MARA), "first"):
        pass
    store.clock.at -= 3_600_000_000
    with store.act(who(MARA), "second"):
        pass
    assert last(store)["clock_back"] > 0
    with store.inside(who(MARA)) as work:
        times = [leaf.entry["at"] for leaf in work.audit.leaves()]
    assert times == sorted(times)
    assert store.now() >= times[-1]


def test_many_at_once_make_one_log(store, again):
    before = store.audit_size()
    stores = [store, again()]
    failures = []

    def work_on(number):
        each = stores[number % 2]
        try:
            for turn in range(4):
                add(each, who(MARA), [claim(100 * number + turn), claim(1)])
                with each.look(who(PAUL), "claim.find") as work:
                    assert len(work.claims.find(subject(100 * number + turn))) == 1
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=work_on, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert verify_log(store) == before + 4 * 4 * 2
    assert count(store) == 4 * 4 + 1


def test_a_look_sees_one_state(store, again):
    add(store, who(MARA), [claim(1)])
    other = again()
    with store.look(who(MARA), "claim.count") as work:
        assert work.claims.count() == 1
        add(other, who(MARA), [claim(2)])
        assert work.claims.count() == 1
    assert count(store) == 2


@pytest.mark.needs("postgresql")
def test_a_look_writes_nothing(postgresql_store):
    with pytest.raises(StoreError), postgresql_store.look(who(MARA), "claim.find") as work:
        work.connection.execute(claims.delete())


def test_of_two_changes_from_one_version_one_holds(store, again):
    with store.act(who(MARA), "case.add") as work:
        case = work.cases.add("Case").id
    other, barrier, outcomes = again(), threading.Barrier(2), []

    def change(each, title):
        barrier.wait()
        try:
            with each.act(into(who(MARA), case), "case.change") as work:
                work.cases.change(case, 1, title=title)
            outcomes.append(title)
        except Conflict:
            outcomes.append(None)

    threads = [threading.Thread(target=change, args=(each, title)) for each, title in ((store, "one"), (other, "two"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(title is None for title in outcomes) == [False, True]
    with store.look(into(who(MARA), case), "case.get") as work:
        assert work.cases.get(case).title in outcomes


def test_two_that_come_at_once_meet(store, again):
    made = {}
    for person in (MARA, PAUL):
        with store.act(who(person), "case.add") as work:
            made[person] = work.cases.add("Case").id
    stores, barrier = {MARA: store, PAUL: again()}, threading.Barrier(2)

    def put(person):
        barrier.wait()
        add(stores[person], into(who(person), made[person]), [claim(1)], case=made[person])

    threads = [threading.Thread(target=put, args=(person,)) for person in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for person, case in made.items():
        with store.look(into(who(person), case), "case.meetings") as work:
            assert len(work.cases.meetings()) == 1


def test_who_runs_the_node_reads_no_cases(store):
    with store.act(who(MARA), "case.add") as work:
        case = work.cases.add("Case").id
    for role in (Role.ADMINISTRATOR, Role.AUDITOR):
        with pytest.raises(NotFound), store.look(into(who(PAUL, role), case), "case.get") as work:
            work.cases.get(case)


PROCESS = """
import sys
from shieldwall.model.access import Identity, Kind, Role
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.marking import Marking
from shieldwall.store import Secrets, Store
place, number = sys.argv[1], sys.argv[2]
who = Identity(kind=Kind.PERSON, person=number * 32, name=number, roles=frozenset((Role.ANALYST,)), highest=Marking.RED)
with Store.open(place, Secrets(bytes(range(32)))) as store:
    for turn in range(20):
        claim = Claim(
            subject=Subject("address", "x", f"{number}-{turn}"), kind="tag", statement={"label": "x"},
            layer=Layer.ATTRIBUTION, source="s", made_by="m", marking=Marking.GREEN,
        )
        with store.act(who, "claim.add") as work:
            work.claims.add([claim])
        with store.look(who, "claim.find") as work:
            assert len(work.claims.find(claim.subject)) == 1
"""


@pytest.mark.full
def test_several_processes_make_one_log(store):
    before = store.audit_size()
    started = [subprocess.Popen([sys.executable, "-c", PROCESS, store.place, number]) for number in "123"]
    assert [process.wait(120) for process in started] == [0, 0, 0]
    assert verify_log(store) == before + 3 * 20 * 2
    assert count(store) == 60
