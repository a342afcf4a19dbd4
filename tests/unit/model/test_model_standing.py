"""What stands of what was said: the rules, and that the order in which it is looked at does not matter."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.standing import State, standing

SECOND = 1_000_000
DAY = 86_400 * SECOND
SUBJECT = Subject("address", "btc", "a")


@dataclass(frozen=True)
class Kept:
    claim: Claim
    thread: int = 1
    received_at: int = 0
    retracted_at: int | None = None

    @property
    def id(self):
        return self.claim.id


def said(text="x", at="", **changes):
    body = {
        "subject": SUBJECT,
        "kind": "tag",
        "statement": {"label": text},
        "layer": Layer.ATTRIBUTION,
        "source": "s",
        "made_by": "m",
    }
    return Claim(**body | {"at": at} | changes)


def states(kept, at):
    found = standing(kept, at)
    return [found.states.get(each.id) for each in kept]


def test_the_newest_of_a_thread_holds():
    kept = [Kept(said("b", "1970-01-03"), received_at=1), Kept(said("a", "1970-01-02"), received_at=2)]
    assert states(kept, DAY) == [State.STANDS, State.SUPERSEDED]


def test_without_a_time_of_its_own_arrival_decides():
    kept = [Kept(said("a"), received_at=5), Kept(said("b", "no date"), received_at=6)]
    assert states(kept, 5) == [State.STANDS, None]
    assert states(kept, 6) == [State.SUPERSEDED, State.STANDS]


def test_what_came_together_stands_together():
    kept = [Kept(said("a", "1970-01-01")), Kept(said("b", "1970-01-01"))]
    found = standing(kept, 0)
    assert set(found.states.values()) == {State.STANDS}
    assert found.disputes == ()  # one source says both


def test_a_retraction_does_not_bring_the_older_one_back():
    kept = [Kept(said("a", "1970-01-01")), Kept(said("b", "1970-01-02"), received_at=2, retracted_at=9)]
    assert states(kept, 8) == [State.SUPERSEDED, State.STANDS]
    assert states(kept, 9) == [State.SUPERSEDED, State.RETRACTED]


def test_a_retraction_that_comes_as_a_claim():
    first = said("a", "1970-01-01")
    kept = [Kept(first), Kept(replace(first, statement=dict(first.statement), retracted="1970-01-02"), received_at=3)]
    assert states(kept, 2) == [State.STANDS, None]
    assert states(kept, DAY - 1) == [State.SUPERSEDED, State.STANDS]  # it says when, and that is not yet
    assert states(kept, DAY) == [State.RETRACTED, State.RETRACTED]


def test_what_expires():
    kept = [Kept(said("a", expires="1970-01-02")), Kept(said("b", expires="1970-01-02T00:00:01Z"), thread=2)]
    assert states(kept, DAY) == [State.EXPIRED, State.STANDS]
    assert states(kept, DAY + SECOND) == [State.EXPIRED, State.EXPIRED]


def test_an_end_that_cannot_be_read_is_an_end():
    assert states([Kept(said("a", expires="soon"))], 0) == [State.EXPIRED]


def test_threads_that_do_not_agree():
    kept = [Kept(said("a")), Kept(said("b", made_by="n"), thread=2), Kept(said("a", made_by="o"), thread=3)]
    found = standing(kept, 0)
    assert [dispute.kind for dispute in found.disputes] == ["tag"]
    assert set(found.disputes[0].sides) == {tuple(sorted((kept[0].id, kept[2].id))), (kept[1].id,)}
    gone = [kept[0], replace(kept[1], retracted_at=1), kept[2]]
    assert standing(gone, 1).disputes == ()


def test_who_says_more_does_not_contradict():
    kept = [Kept(said("a")), Kept(said("b")), Kept(said("a", made_by="n"), thread=2)]
    assert standing(kept, 0).disputes == ()


def test_different_kinds_do_not_contradict():
    assert standing([Kept(said("a")), Kept(said("b", kind="note"), thread=2)], 0).disputes == ()


times = st.integers(0, 3 * DAY)
days = st.sampled_from(["", "1970-01-01", "1970-01-02", "1970-01-03", "soon", "0001-01-01T00:00+23:59"])
anything = st.builds(
    Kept,
    claim=st.builds(said, st.sampled_from("abc"), days, expires=days, retracted=days, made_by=st.sampled_from("mn")),
    thread=st.integers(1, 3),
    received_at=times,
    retracted_at=st.none() | times,
)


@given(st.lists(anything, max_size=8), times, st.randoms())
def test_order_does_not_matter(kept, at, random):
    shuffled = list(kept)
    random.shuffle(shuffled)
    assert standing(shuffled, at) == standing(kept, at)


@given(st.lists(anything, max_size=8), times)
def test_the_same_twice_counts_once(kept, at):
    assert standing([*kept, *kept], at) == standing(kept, at)


@given(st.lists(anything, max_size=8), times)
def test_what_comes_later_changes_nothing_now(kept, at):
    assert standing([each for each in kept if each.received_at <= at], at) == standing(kept, at)


@given(st.lists(anything, max_size=8), times, times)
def test_taken_back_and_expired_stay_so(kept, one, two):
    first, second = standing(kept, min(one, two)), standing(kept, max(one, two))
    for claim_id, state in first.states.items():
        if state == State.RETRACTED:
            assert second.states[claim_id] == State.RETRACTED
        if state != State.STANDS:
            assert second.states[claim_id] != State.STANDS


@given(st.lists(anything, max_size=8), times)
def test_each_state_is_somebodys_and_disputes_are_among_what_stands(kept, at):
    found = standing(kept, at)
    assert set(found.states) == {each.id for each in kept if each.received_at <= at}
    for dispute in found.disputes:
        assert len(dispute.sides) > 1
        assert all(found.states[claim_id] == State.STANDS for side in dispute.sides for claim_id in side)
