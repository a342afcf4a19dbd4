"""Who is told of whom: a law over all orders in which things come into cases, and what may never be told."""

from __future__ import annotations

from dataclasses import fields
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_support import ADA, MARA, NAMES, PAUL, add, claim, into, who

from shieldwall.store.cases import Meeting

TEAMS = (MARA, PAUL, ADA)
_fresh = count(1000, 100)

puts = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=8)  # which team, which subject
silences = st.tuples(st.booleans(), st.booleans(), st.booleans())


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(puts=puts, silent=silences, later=silences)
def test_each_team_is_told_of_those_that_are_not_silent_and_share_a_subject(module_store, puts, silent, later):
    store, base = module_store, next(_fresh)
    cases = []
    for person, quiet in zip(TEAMS, silent, strict=True):
        with store.act(who(person), "case.add") as work:
            cases.append(work.cases.add("Case", silent=quiet))
    for team, number in puts:
        add(store, into(who(TEAMS[team]), cases[team].id), [claim(base + number)], case=cases[team].id)
    for person, case, quiet in zip(TEAMS, cases, later, strict=True):
        with store.act(into(who(person), case.id), "case.change") as work:
            work.cases.change(case.id, 1, silent=quiet)
    has = [{number for team, number in puts if team == each} for each in range(3)]
    for each, person in enumerate(TEAMS):
        with store.look(into(who(person), cases[each].id), "case.meetings") as work:
            told = work.cases.meetings()
        expected = {
            NAMES[TEAMS[other]] for other in range(3) if other != each and has[each] & has[other] and not later[other]
        }
        assert {meeting.contact for meeting in told} == expected
        assert len(told) == len(expected)
        assert all(meeting.case == cases[each].id for meeting in told)


def test_a_meeting_has_no_room_for_more():
    assert {field.name for field in fields(Meeting)} == {"case", "contact", "day"}
