"""Requests as a machine: whatever people try, nobody approves what they wrote, and nothing goes out unapproved."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shieldwall.cases.tracker import MAY, OUT, REMIND_BEFORE, Deed, Done, Outcome, State, Track, after, due, track_of
from shieldwall.errors import BadInput, Conflict, NotAllowed
from shieldwall.model.moment import utc

PEOPLE = ("mara", "paul", "ines", "")
DAY = 86_400


class Requests(RuleBasedStateMachine):
    """Anyone tries anything; a model beside the tracker knows what must hold."""

    @initialize(writer=st.sampled_from(PEOPLE[:3]))
    def begin(self, writer):
        self.deeds = []
        self.content = 0
        self.approved_content = self.submitted_content = None
        self.wrote = set()  # since the request began: an edit does not make an earlier writer a stranger
        self.track = Track()
        self.do(writer, Deed.DRAFT)

    def do(self, who, deed, **body):
        done = Done(number=len(self.deeds) + 1, at=1000 * (len(self.deeds) + 1), by=who, deed=deed, body=body)
        try:
            track = after(self.track, done)
        except (Conflict, NotAllowed, BadInput):
            return False
        self.deeds.append(done)
        self.track = track
        return True

    @rule(who=st.sampled_from(PEOPLE))
    def change(self, who):
        if self.do(who, Deed.DRAFT):
            self.content += 1
            self.wrote.add(who)

    @rule(who=st.sampled_from(PEOPLE))
    def submit(self, who):
        if self.do(who, Deed.SUBMIT, digest=str(self.content)):
            self.submitted_content = self.content
            self.wrote.add(who)

    @rule(who=st.sampled_from(PEOPLE), seen=st.integers(-1, 0))
    def approve(self, who, seen):
        if self.do(who, Deed.APPROVE, digest=str(self.content + seen)):
            assert who
            assert who not in self.wrote
            assert who != self.deeds[0].by
            assert self.content + seen == self.submitted_content
            self.approved_content = self.submitted_content

    @rule(who=st.sampled_from(PEOPLE), reason=st.sampled_from(["", "not enough"]))
    def give_back(self, who, reason):
        if self.do(who, Deed.GIVE_BACK, reason=reason):
            assert reason
            assert who not in self.wrote

    @rule(who=st.sampled_from(PEOPLE), seen=st.integers(-1, 0))
    def send(self, who, seen):
        if self.do(who, Deed.SEND, digest=str(self.content + seen)):
            assert self.content + seen == self.approved_content

    @rule(who=st.sampled_from(PEOPLE), deed=st.sampled_from([Deed.WITHDRAW, Deed.ACKNOWLEDGE]))
    def other(self, who, deed):
        self.do(who, deed)

    @rule(
        who=st.sampled_from(PEOPLE),
        outcome=st.sampled_from([*(each.value for each in Outcome), "", "kept"]),
        amount=st.sampled_from([0, 5, -1, 1 << 63, True]),
        until=st.sampled_from(["", "2026-12-31"]),
    )
    def answer(self, who, outcome, amount, until):
        if self.do(who, Deed.ANSWER, outcome=outcome, amount=amount, until=until):
            assert self.track.outcome == outcome
            assert self.track.amount in (0, 5)
            assert self.track.amount == 0 or outcome in ("held", "partly held")

    @rule(
        who=st.sampled_from(PEOPLE),
        deed=st.sampled_from([Deed.RENEW, Deed.RETRACT]),
        words=st.sampled_from(["", "2027-01-01"]),
    )
    def later(self, who, deed, words):
        if self.do(who, deed, until=words, reason=words):
            assert words

    @invariant()
    def what_follows_from_the_deeds_is_where_it_stands(self):
        if hasattr(self, "track"):
            assert track_of(self.deeds) == self.track
            assert (self.track.sent_at is not None) == (self.track.state in OUT | {State.RETRACTED})
            assert self.track.sent_at is None or self.track.approved_by
            assert set(MAY) == set(State)

    @invariant()
    def an_end_is_an_end(self):
        if hasattr(self, "track") and self.track.state in (State.WITHDRAWN, State.RETRACTED):
            assert not MAY[self.track.state]

    @invariant()
    def only_what_is_out_is_due(self):
        if hasattr(self, "track"):
            found = due(self.track, now=10**9, urgent=True, expires="2020-01-01", clocks=[("10 days", 10 * DAY)])
            assert not found or self.track.state in OUT
            assert [each.at for each in found] == sorted(each.at for each in found)


TestRequests = Requests.TestCase
TestRequests.settings = settings(max_examples=60, stateful_step_count=25)


def sent(at=0):
    return track_of(
        [
            Done(number=1, at=at, by="mara", deed=Deed.DRAFT, body={}),
            Done(number=2, at=at, by="mara", deed=Deed.SUBMIT, body={"digest": "d"}),
            Done(number=3, at=at, by="paul", deed=Deed.APPROVE, body={"digest": "d"}),
            Done(number=4, at=at, by="mara", deed=Deed.SEND, body={"digest": "d"}),
        ]
    )


@pytest.mark.parametrize(("urgent", "days"), [(True, 1), (False, 3)])
def test_silence_is_reminded_of_sooner_where_it_is_urgent(urgent, days):
    (one,) = due(sent(), now=days * DAY + 1, urgent=urgent, expires="")
    assert (one.what, one.at, one.over) == ("acknowledge", days * DAY, True)


def test_the_clocks_of_the_law_run_from_the_sending_until_the_answer():
    found = due(
        sent(100), now=101, urgent=False, expires="1970-02-01", clocks=[("8 hours", 8 * 3600), ("10 days", 10 * DAY)]
    )
    assert [(each.what, each.at, each.over) for each in found] == [
        ("8 hours", 100 + 8 * 3600, False),
        ("acknowledge", 100 + 3 * DAY, False),
        ("10 days", 100 + 10 * DAY, False),
        ("expires", 31 * DAY, False),
    ]
    answered = after(sent(), Done(number=5, at=5, by="mara", deed=Deed.ANSWER, body={"outcome": "refused"}))
    assert due(answered, now=10**9, urgent=True, expires="1970-02-01", clocks=[("8 hours", 1)]) == []


def test_a_hold_is_reminded_of_before_it_ends():
    until = 100 * DAY
    body = {"outcome": "held", "amount": 7, "until": utc(until)}
    held = after(sent(), Done(number=5, at=5, by="mara", deed=Deed.ANSWER, body=body))
    (one,) = due(held, now=until - REMIND_BEFORE + 1, urgent=False, expires="")
    assert (one.what, one.at, one.over) == ("renew", until - REMIND_BEFORE, True)
    moved = after(held, Done(number=6, at=6, by="mara", deed=Deed.ANSWER, body={"outcome": "moved on", "amount": 7}))
    assert (moved.amount, moved.until) == (0, "")
