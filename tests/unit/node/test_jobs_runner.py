"""The runner: a job is done once, tells how far it is, stops when asked, and outlives whoever ran it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from store_support import ADA, MARA, PAUL, START, verify_log, who
from work_support import fresh_store, identity_of, open_store

from shieldwall.errors import BadText, NotAllowed, NotFound, UsageError
from shieldwall.intel import TagSets
from shieldwall.model.access import Handling, Role
from shieldwall.model.marking import Marking, Pap
from shieldwall.node.chains import Chains
from shieldwall.node.config import Config
from shieldwall.node.jobs.context import NODE, Cancelled, Means
from shieldwall.node.jobs.events import Subscription
from shieldwall.node.jobs.runner import Runner, RunnerConfig
from shieldwall.store.jobs import State

GREEN = Handling(marking=Marking.GREEN, pap=Pap.GREEN, owner=MARA)
SCRIPT: dict[str, Any] = {}


@dataclass(frozen=True)
class Scripted:
    """A job that does what the test says."""

    name: ClassVar[str] = "scripted"
    endless: ClassVar[bool] = False
    does: str = ""

    @classmethod
    def parse(cls, given):
        if set(given) - {"does"}:
            raise BadText("scripted: no such parameter")
        return cls(given.get("does", ""))

    def run(self, context):
        return SCRIPT[self.does](context)


@dataclass(frozen=True)
class Endless(Scripted):
    name: ClassVar[str] = "endless"
    endless: ClassVar[bool] = True


KINDS = {"scripted": Scripted, "endless": Endless}


class Clock:
    """Stands still until the test moves it."""

    def __init__(self, at: int = START + 3_600_000_000) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    with fresh_store(tmp_path, clock) as store:
        yield store


def no_tags(identity, names):
    return TagSets(Path("no tags")).select(())


def runner_of(store, people=identity_of, **more):
    means = Means(store=store, config=Config(None, Path("data")), chains=Chains(()), tags=no_tags)
    config = RunnerConfig(**{"lease": 60.0, "idle": 0.05, "told": 0.0, **more})
    return Runner(means, people, config, kinds=KINDS)


@pytest.fixture
def runner(store):
    SCRIPT.clear()
    SCRIPT["nothing"] = lambda _context: lambda _: {"did": "nothing"}
    return runner_of(store)


def add(runner, does="nothing", key="k", handling=GREEN, kind="scripted", identity=None):
    return runner.add(identity or who(MARA), kind, {"does": does}, key, handling)[0]


def get(store, job, identity=None):
    with store.look(identity or who(MARA), "job.get") as work:
        return work.jobs.get(job.id)


def test_the_result_is_committed_with_the_end_and_its_leaf(store, runner):
    SCRIPT["files"] = lambda context: (
        lambda work: {"file": work.files.add("a.txt", "text/plain", [b"a"], "trace", context.handling).id}
    )
    job = add(runner, "files")
    assert runner.run_one()
    assert not runner.run_one()
    done = get(store, job)
    assert done.state is State.DONE
    with store.look(who(MARA), "file.read") as work:
        assert work.files.read(done.outcome["file"]) == b"a"
    with store.inside(NODE) as work:
        (leaf,) = [leaf for leaf in work.audit.leaves() if leaf.entry["verb"] == "job.finish"]
    assert leaf.entry["detail"]["job"] == job.id
    assert leaf.entry["who"]["person"] == MARA
    verify_log(store)


def test_what_fails_says_why_and_what_breaks_says_nothing_of_its_words(store, runner):
    def fail(context):
        raise UsageError("no such thing", hint="name another")

    def broken(context):
        raise KeyError("1BoatSLRHtKNngkdXEeobR76b53LETtpyT")

    SCRIPT.update(fail=fail, broken=broken)
    one, two = add(runner, "fail", "a"), add(runner, "broken", "b")
    own = add(runner, "fail", "c", handling=Handling(owner=MARA))
    for _ in range(3):
        assert runner.run_one()
    assert get(store, own).outcome == {"error": "UsageError", "message": "no such thing", "hint": "name another"}
    told = get(store, one).outcome  # its words may name what others must not know of
    assert told["error"] == "UsageError"
    assert "no such thing" not in str(told)
    found = get(store, two)
    assert found.state is State.FAILED
    assert "1Boat" not in str(found.outcome)


def test_a_result_that_cannot_be_written_fails_the_job_and_leaves_nothing(store, runner):
    def finish(work):
        work.files.add("a.txt", "text/plain", [b"a"], "trace", GREEN)
        work.files.add("b.txt", "text/plain", [b"bb"], "trace", GREEN, most_bytes=1)
        return {}

    SCRIPT["large"] = lambda _: finish
    job = add(runner, "large")
    assert runner.run_one()
    assert get(store, job).outcome["error"] == "TooMany"
    with store.look(who(MARA), "file.page") as work:
        assert work.files.page(most=10) == []


def test_a_job_runs_with_the_rights_of_now(store, runner):
    seen = []

    def note(context):
        seen.append(context.identity)
        return lambda _: {}

    SCRIPT["note"] = note
    add(runner, "note", identity=who(MARA, highest=Marking.AMBER))
    runner.run_one()
    assert (seen[0].person, seen[0].kind, seen[0].highest) == (MARA, NODE.kind, Marking.AMBER)


@pytest.mark.parametrize("during", [False, True])
def test_who_lost_their_rights_gets_no_result(store, runner, during):
    lost = []

    def people(person):
        if lost:
            raise NotAllowed("that person is disabled")
        return who(person)

    def lose(context):
        lost.append(True)
        return lambda _: {"secret": 1}

    SCRIPT["lose"] = lose
    runner = runner_of(store, people)
    job = add(runner, "lose")
    if not during:
        lost.append(True)
    assert runner.run_one()
    found = get(store, job)
    assert (found.state, found.outcome["error"]) == (State.FAILED, "NotAllowed")


@pytest.mark.parametrize("roles", [[Role.VIEWER], [Role.ADMINISTRATOR]])
def test_a_role_that_was_taken_away_fails_the_job(store, runner, roles):
    job = add(runner)
    assert runner_of(store, lambda person: who(person, *roles)).run_one()
    assert get(store, job).outcome["error"] == "NotAllowed"


def test_the_result_is_handled_as_strictly_as_what_went_in(store, runner):
    def take(context):
        context.took(Handling(marking=Marking.RED, pap=Pap.RED, owner=MARA, case="c" * 32))
        return lambda _: {"about": "the case"}

    SCRIPT["take"] = take
    job = add(runner, "take")
    assert get(store, job, who(PAUL)).id == job.id
    runner.run_one()
    with pytest.raises(NotFound):
        get(store, job, who(PAUL))
    assert get(store, job).handling == Handling(owner=MARA)


def test_cancelling_stops_at_the_next_step(store, runner):
    steps = []

    def walk(context):
        for step in range(1000):
            steps.append(step)
            context.progress("walking", step, 1000)
            if step == 3:
                runner.cancel(who(MARA), job.id)
        return lambda _: {}

    SCRIPT["walk"] = walk
    job = add(runner, "walk")
    runner.run_one()
    assert len(steps) == 5
    assert get(store, job).state is State.CANCELLED


def test_cancelling_is_heard_from_another_process(store, runner, tmp_path, clock):
    def walk(context):
        with open_store(tmp_path, clock) as other, other.act(who(MARA), "job.cancel") as work:
            work.jobs.ask_to_cancel(context.job.id)
        context.progress("walking", 1, 2)
        raise AssertionError("it went on")

    SCRIPT["walk"] = walk
    job = add(runner, "walk")
    runner.run_one()
    assert get(store, job).state is State.CANCELLED


def test_a_worker_that_slept_too_long_changes_nothing(store, runner, clock):
    other = runner_of(store)

    def sleep(context):
        if not context.job.resumed:
            clock.at += 3_600_000_000
            assert other.run_one()
        return lambda _: {"by": context.job.attempt}

    SCRIPT["sleep"] = sleep
    job = add(runner, "sleep")
    assert runner.run_one()
    found = get(store, job)
    assert (found.state, found.outcome) == (State.DONE, {"by": 2})


def test_a_worker_that_slept_too_long_is_told_at_its_next_step(store, runner, clock):
    told = []

    def sleep(context):
        if not context.job.resumed:
            clock.at += 3_600_000_000
            assert runner_of(store).run_one()
            try:
                context.progress("walking", 1, 2)
            except Cancelled as error:
                told.append(type(error).__name__)
                raise
        return lambda _: {}

    SCRIPT["sleep"] = sleep
    job = add(runner, "sleep")
    runner.run_one()
    assert (told, get(store, job).state) == (["Lost"], State.DONE)


def test_a_job_that_takes_the_process_down_three_times_is_failed(store, runner, clock):
    job = add(runner)
    for attempt in range(3):
        with store.upkeep(NODE) as work:
            assert work.jobs.claim(f"dead {attempt}", 1) is not None
        clock.at += 1_000_000
    assert runner.run_one()
    found = get(store, job)
    assert found.state is State.FAILED
    assert "cut off 3 times" in found.outcome["message"]


def test_parameters_are_checked_when_they_come(runner):
    with pytest.raises(BadText):
        runner.add(who(MARA), "scripted", {"more": 1}, "k", GREEN)
    with pytest.raises(UsageError):
        runner.add(who(MARA), "other", {}, "k", GREEN)


# threads


def test_started_and_stopped_and_gone_on_with(store, runner):
    begun, seen = threading.Event(), []

    def walk(context):
        seen.append(context.job.attempt)
        begun.set()
        while len(seen) == 1:
            context.progress("walking", 0, 0)
            time.sleep(0.005)
        return lambda _: {"runs": len(seen)}

    SCRIPT["walk"] = walk
    job = add(runner, "walk")
    runner.start()
    assert begun.wait(10)
    assert runner.stop(10)
    assert get(store, job).state is State.QUEUED
    runner.start()
    last = until_over(runner, job)
    assert runner.stop(10)
    assert (last.state, last.outcome, seen) == (State.DONE, {"runs": 2}, [1, 1])


def until_over(runner, job):
    hears, last = runner.subscribe(who(MARA), job.id), None
    end = time.monotonic() + 20
    while not hears.over and time.monotonic() < end:
        last = hears.next(5) or last
    return last


def test_a_long_step_keeps_its_job(tmp_path, runner):
    from shieldwall.store.engine import wall_clock

    folder = tmp_path / "real"
    folder.mkdir()
    with fresh_store(folder, wall_clock) as store, open_store(folder, wall_clock) as other:
        first, second = runner_of(store, lease=0.4), runner_of(other, lease=0.4)
        begun = threading.Event()

        def long(context):
            begun.set()
            time.sleep(1.0)
            return lambda _: {"attempt": context.job.attempt}

        SCRIPT["long"] = long
        job = add(first, "long")
        first.start()
        assert begun.wait(10)
        while get(store, job).state is State.RUNNING:
            assert not second.run_one()
            time.sleep(0.05)
        assert first.stop(10)
        assert get(store, job).outcome == {"attempt": 1}


def test_the_endless_keep_nobody_waiting(store, runner):
    def follow(context):
        while not context.wait(60):
            pass
        context.progress("following", 1, 1)

    SCRIPT["follow"] = follow
    endless, job = add(runner, "follow", "a", kind="endless"), add(runner, key="b")
    runner.start()
    assert until_over(runner, job).state is State.DONE
    deadline = time.monotonic() + 10
    while get(store, endless).state is State.QUEUED and time.monotonic() < deadline:
        time.sleep(0.02)
    runner.cancel(who(MARA), endless.id)
    assert until_over(runner, endless).state is State.CANCELLED
    assert runner.stop(10)


def test_an_endless_job_that_ran_well_begins_to_count_anew(store, runner, clock):
    def follow(context):
        context.progress("following", 1, 1)
        return lambda _: {}

    SCRIPT["follow"] = follow
    job = add(runner, "follow", kind="endless")
    for attempt in range(2):
        with store.upkeep(NODE) as work:
            work.jobs.claim(f"dead {attempt}", 1)
        clock.at += 1_000_000
    assert runner_of(store, settled=0.0).run_one(endless=True)
    assert (get(store, job).attempt, get(store, job).state) == (1, State.DONE)


# listeners


def test_a_listener_hears_the_last_state_first_and_then_every_change(store, runner, tmp_path):
    job = add(runner)
    hears = runner.subscribe(who(PAUL), job.id)
    assert hears.next(0).state is State.QUEUED
    assert hears.next(0) is None
    runner.run_one()
    assert hears.next(0).state is State.DONE
    assert hears.over
    assert hears.next(5) is None


def test_a_listener_hears_of_another_process(store, runner, tmp_path, clock):
    job = add(runner)
    with open_store(tmp_path, clock) as other:
        hears = Subscription(other, lambda: who(MARA), job.id, runner_of(other)._bell, every=0.02)
        hears.next(0)
        timer = threading.Timer(0.1, runner.run_one)
        timer.start()
        assert hears.next(10).state in (State.RUNNING, State.DONE)
        timer.join()


def test_a_listener_who_may_no_longer_see_hears_no_more(store, runner):
    SCRIPT["take"] = lambda context: context.took(Handling(owner=MARA)) or (lambda _: {"secret": True})
    job = add(runner, "take")
    hears = runner.subscribe(who(PAUL), job.id)
    assert hears.next(0) is not None
    runner.run_one()
    assert hears.next(1) is None
    assert hears.over
    with pytest.raises(NotFound):
        runner.subscribe(who(PAUL), job.id)
    with pytest.raises(NotFound):
        runner.subscribe(who(ADA), "0" * 32)


DRIVER = """
import sys
from pathlib import Path
from typing import ClassVar
from dataclasses import dataclass
sys.path[:0] = sys.argv[2:]
from work_support import open_store, identity_of
from shieldwall.node.chains import Chains
from shieldwall.node.config import Config
from shieldwall.node.jobs.context import Means
from shieldwall.node.jobs.runner import Runner, RunnerConfig
from shieldwall.store.engine import wall_clock
import time

@dataclass(frozen=True)
class Slow:
    name: ClassVar[str] = "scripted"
    endless: ClassVar[bool] = False
    @classmethod
    def parse(cls, given):
        return cls()
    def run(self, context):
        print("begun", context.job.attempt, flush=True)
        while not context.job.resumed:
            context.progress("walking", 1, 2)
            time.sleep(0.01)
        return lambda work: {"file": work.files.add("a", "text/plain", [b"a"], "trace", context.handling).id}

store = open_store(Path(sys.argv[1]), wall_clock)
means = Means(store=store, config=Config(None, Path("data")), chains=Chains(()), tags=None)
config = RunnerConfig(lease=1.0, told=0.0)
runner = Runner(means, identity_of, config, kinds={"scripted": Slow})
end = time.monotonic() + 30
while not runner.run_one() and time.monotonic() < end:
    time.sleep(0.05)
"""


@pytest.mark.full
def test_a_process_that_is_killed_in_the_middle(tmp_path):
    from shieldwall.store.engine import wall_clock

    command = [sys.executable, "-c", DRIVER, str(tmp_path), *sys.path]
    with fresh_store(tmp_path, wall_clock) as store:
        runner = runner_of(store)
        job = add(runner)
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"begun 1\n"
            time.sleep(0.2)
            os.kill(process.pid, signal.SIGKILL)
        assert get(store, job).state is State.RUNNING
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        found = get(store, job)
        assert (found.state, found.attempt) == (State.DONE, 2)
        with store.look(who(MARA), "file.page") as work:
            assert len(work.files.page(most=10)) == 1
        verify_log(store)
        assert replace(found, outcome=None).resumed
