"""Jobs in the table: one worker at a time, the same key once, ended once, seen by those who may."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from store_support import ADA, MARA, PAUL, UNIT, into, who

from shieldwall.errors import Conflict, NotAllowed, NotFound
from shieldwall.model.access import Handling, Identity, Kind, Role
from shieldwall.model.marking import Marking, Pap
from shieldwall.store.jobs import MOST_ATTEMPTS, Job, State

NODE = Identity(kind=Kind.NODE, person="", name="node")
MINUTE = 60_000_000  # microseconds
GREEN = Handling(marking=Marking.GREEN, pap=Pap.GREEN, owner=MARA)
OPEN = Handling(marking=Marking.CLEAR, pap=Pap.CLEAR, owner=MARA)


def queue(store, key="one", identity=None, handling=GREEN, kind="trace", params=None) -> Job:
    with store.act(identity or who(MARA), "job.add") as work:
        return work.jobs.add(kind, params or {"targets": ["x"]}, key, handling)[0]


def claim(store, worker="w", lease=MINUTE, **which) -> Job | None:
    with store.upkeep(NODE) as work:
        return work.jobs.claim(worker, lease, **which)


def finish(store, job, state=State.DONE, outcome=None, handling=None) -> Job:
    with store.act(NODE, "job.finish") as work:
        return work.jobs.finish(job, state, outcome or {"rows": 1}, handling)


def get(store, job_id, identity=None) -> Job:
    with store.look(identity or who(MARA), "job.get") as work:
        return work.jobs.get(job_id)


def test_a_job_goes_from_queued_to_done(store):
    job = queue(store)
    assert (job.state, job.attempt, job.params) == (State.QUEUED, 0, {"targets": ["x"]})
    held = claim(store)
    assert (held.id, held.state, held.attempt, held.resumed) == (job.id, State.RUNNING, 1, False)
    assert claim(store, "other") is None
    with store.upkeep(NODE) as work:
        assert work.jobs.heartbeat(held, MINUTE, ("walking", 3, 1 << 70)) is False
    seen = get(store, job.id)
    assert (seen.stage, seen.done, seen.total) == ("walking", 3, (1 << 63) - 1)
    done = finish(store, held, outcome={"rows": 7})
    assert (done.state, done.outcome) == (State.DONE, {"rows": 7})
    assert done.ended_at is not None
    assert claim(store) is None


def test_the_same_key_is_the_same_job(sqlite_store):
    store = sqlite_store
    first = queue(store, "k")
    with store.act(who(MARA), "job.add") as work:
        again, new = work.jobs.add("trace", {"targets": ["x"]}, "k", GREEN)
    assert (again.id, new) == (first.id, False)
    with pytest.raises(Conflict):
        queue(store, "k", params={"targets": ["y"]})
    other = queue(store, "k", who(PAUL), replace(GREEN, owner=PAUL))
    assert other.id != first.id


def test_a_lease_that_ran_out_goes_to_another_and_the_first_can_end_nothing(store):
    queue(store)
    first = claim(store, "first", lease=1)
    second = claim(store, "second")
    assert (second.id, second.attempt, second.resumed) == (first.id, 2, True)
    for late in (
        lambda work: work.jobs.heartbeat(first, MINUTE),
        lambda work: work.jobs.finish(first, State.DONE, {}),
        lambda work: work.jobs.release(first),
    ):
        with pytest.raises(Conflict), store.act(NODE, "job.late") as work:
            late(work)
    assert finish(store, second).state is State.DONE
    with pytest.raises(Conflict):
        finish(store, second)


def test_a_refused_end_takes_its_result_with_it(sqlite_store):
    store = sqlite_store
    queue(store)
    first = claim(store, "first", lease=1)
    claim(store, "second")

    def end(work):
        work.files.add("a.txt", "text/plain", [b"a"], "trace", GREEN)
        work.jobs.finish(first, State.DONE, {})

    with pytest.raises(Conflict), store.act(who(MARA), "job.finish") as work:
        end(work)
    with store.look(who(MARA), "file.page") as work:
        assert work.files.page(most=10) == []


def test_a_job_that_is_cut_off_again_and_again_wears_out(sqlite_store):
    store = sqlite_store
    queue(store)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        held = claim(store, f"w{attempt}", lease=1)
        assert (held.attempt, held.worn_out) == (attempt, False)
    assert claim(store, "last").worn_out


def test_a_job_that_is_given_back_loses_no_attempt(sqlite_store):
    store = sqlite_store
    job = queue(store)
    for number in range(MOST_ATTEMPTS + 2):
        held = claim(store, f"w{number}")
        assert held.attempt == 1
        with store.upkeep(NODE) as work:
            work.jobs.release(held)
    assert get(store, job.id).state is State.QUEUED


def test_cancelling(sqlite_store):
    store = sqlite_store
    waits, runs = queue(store, "a"), queue(store, "b")
    with store.act(who(MARA), "job.cancel") as work:
        assert work.jobs.ask_to_cancel(waits.id).state is State.CANCELLED
    held = claim(store)
    assert held.id == runs.id
    with store.act(who(MARA), "job.cancel") as work:
        assert work.jobs.ask_to_cancel(runs.id).state is State.RUNNING
    with store.upkeep(NODE) as work:
        assert work.jobs.heartbeat(held, MINUTE)
    finish(store, held, State.CANCELLED)
    with pytest.raises(Conflict), store.act(who(MARA), "job.cancel") as work:
        work.jobs.ask_to_cancel(runs.id)
    with pytest.raises(NotAllowed), store.act(who(MARA, Role.VIEWER), "job.cancel") as work:
        work.jobs.ask_to_cancel(runs.id)


def test_kinds_are_taken_apart(sqlite_store):
    store = sqlite_store
    trace, follow = queue(store, "a"), queue(store, "b", kind="chain.follow")
    assert claim(store, "w", only=["chain.follow"]).id == follow.id
    assert claim(store, "v", never=["chain.follow"]).id == trace.id
    with store.inside(NODE) as work:
        assert not work.jobs.waiting()


def test_who_may_see_a_job(store):
    red = queue(store, "red", handling=Handling(owner=MARA))
    green = queue(store, "green")
    grouped = queue(
        store, "g", who(ADA, groups=[UNIT]), Handling(marking=Marking.GREEN, pap=Pap.GREEN, owner=ADA, group=UNIT)
    )
    assert {job.id for job in page(store, who(MARA))} == {red.id, green.id}
    assert {job.id for job in page(store, who(PAUL))} == {green.id}
    assert {job.id for job in page(store, who(PAUL, groups=[UNIT]))} == {green.id, grouped.id}
    assert page(store, who(PAUL, Role.ADMINISTRATOR)) == []
    with pytest.raises(NotFound):
        get(store, red.id, who(PAUL))
    with pytest.raises(NotFound):
        get(store, "0" * 32)


def page(store, identity, **more):
    with store.look(identity, "job.page") as work:
        return work.jobs.page(most=more.pop("most", 50), **more)


def test_a_result_that_is_stricter_makes_its_job_so(sqlite_store):
    store = sqlite_store
    job = queue(store, handling=OPEN)
    assert get(store, job.id, who(PAUL)).id == job.id
    finish(store, claim(store), handling=Handling(owner=MARA))
    with pytest.raises(NotFound):
        get(store, job.id, who(PAUL))
    assert get(store, job.id).handling.marking is Marking.RED


def test_pages_follow_each_other(sqlite_store):
    store = sqlite_store
    ids = [queue(store, str(number)).id for number in range(7)][::-1]
    found, after = [], ""
    while part := page(store, who(MARA), most=3, after=after):
        found += [job.id for job in part]
        after = found[-1]
    assert found == ids
    assert [job.id for job in page(store, who(MARA), state="done")] == []
    with pytest.raises(NotFound):
        page(store, who(MARA), after="0" * 32)


@pytest.mark.parametrize(
    ("identity", "handling"),
    [
        (who(MARA, Role.VIEWER), GREEN),
        (who(MARA, Role.ADMINISTRATOR), GREEN),
        (who(MARA), replace(GREEN, owner=PAUL)),
        (who(MARA, highest=Marking.CLEAR), GREEN),
        (who(MARA), replace(GREEN, group=UNIT)),
        (into(who(MARA)), replace(GREEN, case="9" * 32)),
        (NODE, GREEN),
    ],
)
def test_a_job_is_put_only_where_whoever_asks_may_put_it(sqlite_store, identity, handling):
    store = sqlite_store
    with pytest.raises((NotAllowed, NotFound)):
        queue(store, identity=identity, handling=handling)


def test_only_the_node_takes_jobs(sqlite_store):
    store = sqlite_store
    queue(store)
    with pytest.raises(NotAllowed), store.upkeep(who(MARA)) as work:
        work.jobs.claim("w", MINUTE)


def test_many_workers_take_each_job_once(store, again):
    wanted = {queue(store, str(number)).id for number in range(12)}
    other = again()
    taken: list[str] = []

    def take(place, name):
        while (job := claim(place, f"{name} {len(taken)} {threading.get_ident()}")) is not None:
            taken.append(job.id)

    threads = [threading.Thread(target=take, args=(place, str(n))) for n, place in enumerate((store, other, store))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(wanted)
