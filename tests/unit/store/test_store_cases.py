"""Cases, and the meeting of two teams that learn no more than that they meet."""

from __future__ import annotations

import pytest
from store_support import ADA, MARA, NORA, PAUL, UNIT, add, claim, into, who

from shieldwall.errors import Conflict, NotAllowed, NotFound, UsageError
from shieldwall.model.access import Role
from shieldwall.model.marking import Marking, Pap


def opened(store, person, title="Case", **more):
    with store.act(who(person), "case.add") as work:
        return work.cases.add(title, **more)


def told(store, identity):
    with store.look(identity, "case.meetings") as work:
        return work.cases.meetings()


def test_the_maker_is_member_contact_and_owner(store):
    case = opened(store, MARA, "  Case \n one ", groups=[UNIT], people=[PAUL], marking=Marking.AMBER, pap=Pap.AMBER)
    assert (case.title, case.contact, case.handling.owner) == ("Case one", MARA, MARA)
    assert (case.people, case.groups, case.status, case.version) == ({MARA, PAUL}, {UNIT}, "open", 1)
    with store.look(into(who(MARA), case.id), "case.get") as work:
        assert work.cases.get(case.id) == case


def test_only_members_see_it_and_only_up_to_their_marking(store):
    case = opened(store, MARA, marking=Marking.AMBER)
    for stranger in (who(MARA), who(PAUL), into(who(PAUL, highest=Marking.GREEN), case.id)):
        with store.look(stranger, "case.page") as work:
            assert work.cases.page(most=9) == []
            with pytest.raises(NotFound):
                work.cases.get(case.id)


def test_unmarked_is_red_for_its_members(store):
    case = opened(store, MARA)
    assert (case.handling.marking, case.handling.pap) == (Marking.RED, Pap.RED)
    with store.look(into(who(MARA), case.id), "case.get") as work:
        assert work.cases.get(case.id).id == case.id


def test_pages_follow_each_other_with_the_newest_first(store):
    made = [opened(store, MARA, f"Case {number}").id for number in range(5)]
    mara = into(who(MARA), *made)
    with store.look(mara, "case.page") as work:
        first = work.cases.page(most=2)
        second = work.cases.page(most=9, after=first[-1].id)
        assert [case.id for case in (*first, *second)] == made[::-1]
        with pytest.raises(NotFound):
            work.cases.page(most=9, after="0" * 32)


def test_a_change_from_an_old_version_is_a_conflict(store):
    case = opened(store, MARA)
    mara = into(who(MARA), case.id)
    with store.act(mara, "case.change") as work:
        changed = work.cases.change(case.id, case.version, title="Other", silent=True)
    assert (changed.title, changed.silent, changed.version) == ("Other", True, 2)
    with pytest.raises(Conflict), store.act(mara, "case.change") as work:
        work.cases.change(case.id, case.version, title="Third")


def test_a_more_open_marking_needs_a_second_person(store):
    case = opened(store, MARA, marking=Marking.AMBER, pap=Pap.AMBER)
    mara = into(who(MARA), case.id)
    for change in ({"marking": Marking.GREEN}, {"pap": Pap.GREEN}):
        with pytest.raises(NotAllowed), store.act(mara, "case.change") as work:
            work.cases.change(case.id, 1, **change)
    with store.act(mara, "case.change") as work:
        assert work.cases.change(case.id, 1, marking=Marking.RED).handling.marking == Marking.RED


def test_words_that_cannot_be(store):
    case = opened(store, MARA)
    mara = into(who(MARA), case.id)
    for change in ({"title": " "}, {"title": "x" * 201}, {"status": "gone"}):
        with pytest.raises(UsageError), store.act(mara, "case.change") as work:
            work.cases.change(case.id, 1, **change)
    with pytest.raises(NotFound), store.act(mara, "case.change") as work:
        work.cases.change(case.id, 1, contact=PAUL)
    with pytest.raises(NotAllowed), store.act(who("", Role.ANALYST), "case.add") as work:
        work.cases.add("Case")


def test_members_change_but_the_contact_stays(store):
    case = opened(store, MARA)
    mara = into(who(MARA), case.id)
    with pytest.raises(Conflict), store.act(mara, "case.members") as work:
        work.cases.set_members(case.id, 1, people=[PAUL], groups=[])
    with pytest.raises(NotFound), store.act(mara, "case.members") as work:
        work.cases.set_members(case.id, 1, people=[MARA, "f" * 32], groups=[])
    with store.act(mara, "case.members") as work:
        changed = work.cases.set_members(case.id, 1, people=[MARA], groups=[UNIT])
        changed = work.cases.change(case.id, changed.version, contact=ADA)  # a member by her group
        changed = work.cases.set_members(case.id, changed.version, people=[], groups=[UNIT])
    assert (changed.people, changed.groups, changed.contact, changed.version) == (set(), {UNIT}, ADA, 4)


def test_who_may_only_read_changes_nothing(store):
    case = opened(store, MARA)
    viewer = into(who(MARA, Role.VIEWER), case.id)
    with pytest.raises(NotAllowed), store.act(viewer, "case.add") as work:
        work.cases.add("Case")
    for method in ("change", "close"):
        with pytest.raises(NotAllowed), store.act(viewer, "case.change") as work:
            getattr(work.cases, method)(case.id, 1)
    with pytest.raises(NotAllowed), store.act(viewer, "case.change") as work:
        work.cases.set_members(case.id, 1, people=[MARA], groups=[])


def test_nothing_is_put_into_a_closed_case(store):
    case = opened(store, MARA)
    mara = into(who(MARA), case.id)
    with store.act(mara, "case.close") as work:
        assert work.cases.close(case.id, 1).status == "closed"
    with pytest.raises(Conflict):
        add(store, mara, [claim()], case=case.id)
    with store.act(mara, "case.change") as work:
        work.cases.change(case.id, 2, status="open")
    assert add(store, mara, [claim()], case=case.id) == 1


def test_two_teams_are_told_whom_to_call_and_no_more(store):
    one, two = opened(store, MARA, "Kestrel"), opened(store, PAUL, "Osprey")
    mara, paul = into(who(MARA), one.id), into(who(PAUL), two.id)
    add(store, mara, [claim(1), claim(2), claim(3)], case=one.id)
    assert told(store, mara) == told(store, paul) == []
    add(store, paul, [claim(2, "Another label"), claim(3), claim(9)], case=two.id)
    (for_mara,), (for_paul,) = told(store, mara), told(store, paul)
    assert (for_mara.case, for_mara.contact) == (one.id, "Paul")
    assert (for_paul.case, for_paul.contact) == (two.id, "Mara")
    assert for_mara.day % 86_400_000_000 == 0
    assert told(store, who(ADA)) == told(store, who(MARA)) == []


def test_a_meeting_is_in_the_audit_log_without_the_subject(store):
    one, two = opened(store, MARA, "Kestrel"), opened(store, PAUL, "Osprey")
    add(store, into(who(MARA), one.id), [claim(1)], case=one.id)
    add(store, into(who(PAUL), two.id), [claim(1)], case=two.id)
    with store.inside(who(NORA)) as work:
        last = list(work.audit.leaves())[-1].entry
    assert last["detail"]["met"] == [one.id]
    assert claim(1).subject.name not in str(last)


def test_a_silent_case_hears_and_is_not_heard_of(store):
    loud, silent = opened(store, MARA), opened(store, PAUL, silent=True)
    mara, paul = into(who(MARA), loud.id), into(who(PAUL), silent.id)
    add(store, paul, [claim(1)], case=silent.id)
    add(store, mara, [claim(1)], case=loud.id)
    assert told(store, mara) == []
    assert [meeting.contact for meeting in told(store, paul)] == ["Mara"]
    with store.act(paul, "case.change") as work:
        work.cases.change(silent.id, 1, silent=False)
    assert [meeting.contact for meeting in told(store, mara)] == ["Paul"]


def test_two_silent_cases_hear_nothing(store):
    one, two = opened(store, MARA, silent=True), opened(store, PAUL, silent=True)
    for person, case in ((MARA, one), (PAUL, two)):
        add(store, into(who(person), case.id), [claim(1)], case=case.id)
        assert told(store, into(who(person), case.id)) == []


def test_a_team_with_two_cases_is_named_once(store):
    own = opened(store, MARA)
    mara = into(who(MARA), own.id)
    add(store, mara, [claim(1)], case=own.id)
    for _ in range(2):
        other = opened(store, PAUL)
        add(store, into(who(PAUL), other.id), [claim(1)], case=other.id)
    assert [meeting.contact for meeting in told(store, mara)] == ["Paul"]


def test_who_is_in_both_cases_or_in_a_closed_one_is_told_nothing(store):
    one, two = opened(store, MARA), opened(store, PAUL)
    for person, case in ((MARA, one), (PAUL, two)):
        add(store, into(who(person), case.id), [claim(1)], case=case.id)
    assert told(store, into(who(MARA), one.id, two.id)) == []
    with store.act(into(who(PAUL), two.id), "case.close") as work:
        work.cases.close(two.id, 1)
    assert told(store, into(who(MARA), one.id)) == []


def test_claims_outside_of_cases_meet_nobody(store):
    case = opened(store, MARA)
    add(store, into(who(MARA), case.id), [claim(1)], case=case.id)
    add(store, who(PAUL), [claim(1)])
    assert told(store, into(who(MARA), case.id)) == told(store, who(PAUL)) == []
