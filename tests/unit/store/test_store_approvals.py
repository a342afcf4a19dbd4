"""Two persons for what opens something, one for what closes it."""

from __future__ import annotations

import pytest
from store_support import ADA, MARA, NORA, PAUL, UNIT, add, claim, into, subject, who

from shieldwall.errors import Conflict, NotAllowed, NotFound, UsageError
from shieldwall.model.access import Handling, Role
from shieldwall.model.marking import Marking, Pap
from shieldwall.store.approvals import Remarking

AMBER = Marking.AMBER
OPEN = {"marking": "TLP:GREEN", "pap": "PAP:GREEN"}


def approver(person, **more):
    return who(person, Role.APPROVER, **more)


@pytest.fixture
def case(store):
    with store.act(who(MARA), "case.add") as work:
        return work.cases.add("Case", marking=AMBER, pap=Pap.AMBER, people=[PAUL]).id


@pytest.fixture
def file(store, case):
    with store.act(into(who(MARA), case), "file.add") as work:
        return work.files.add(
            "a", "", [b"x"], "upload", Handling(marking=AMBER, pap=Pap.AMBER, owner=MARA, case=case)
        ).id


def ask(store, identity, thing, thing_id, body, **more):
    with store.act(identity, "approval.ask") as work:
        return work.approvals.ask("marking", {"thing": thing, "id": thing_id, **body}, "needed by the partner", **more)


def decide(store, identity, approval, approve=True):
    with store.act(identity, "approval.decide") as work:
        return work.approvals.decide(approval.id, approve=approve)


def test_a_file_is_opened_by_two(store, case, file):
    mara, paul = into(who(MARA), case), into(approver(PAUL), case)
    asked = ask(store, mara, "file", file, {**OPEN, "case": case})
    with store.look(who(ADA), "file.get") as work, pytest.raises(NotFound):
        work.files.get(file)
    decided = decide(store, paul, asked)
    assert (decided.decision, decided.decided_by, decided.asked_by) == ("approved", PAUL, MARA)
    with store.look(into(who(MARA, highest=Marking.GREEN), case), "file.get") as work:
        assert work.files.get(file).handling == Handling(marking=Marking.GREEN, pap=Pap.GREEN, owner=MARA, case=case)
    with store.look(paul, "approval.page") as work:
        assert work.approvals.get(asked.id) == decided
        assert work.approvals.page(most=9, decision="open") == []
        assert work.approvals.page(most=9) == [decided]


def test_a_refusal_changes_nothing_and_is_final(store, case, file):
    mara, paul = into(who(MARA), case), into(approver(PAUL), case)
    asked = ask(store, mara, "file", file, OPEN)
    assert decide(store, paul, asked, approve=False).decision == "refused"
    with pytest.raises(Conflict):
        decide(store, paul, asked)
    with store.look(mara, "file.get") as work:
        assert work.files.get(file).handling.marking == AMBER


def test_nobody_decides_on_their_own_request(store, case, file):
    both = into(who(MARA, Role.ANALYST, Role.APPROVER), case)
    asked = ask(store, both, "file", file, OPEN)
    with pytest.raises(NotAllowed):
        decide(store, both, asked)
    for other, error in (
        (into(who(PAUL), case), NotAllowed),  # an analyst
        (approver(PAUL), NotFound),  # no member
        (into(approver(PAUL, highest=Marking.GREEN), case), NotFound),
        (who(PAUL, Role.ADMINISTRATOR, Role.AUDITOR), NotAllowed),
    ):
        with pytest.raises(error):
            decide(store, other, asked)


def test_who_asked_takes_it_back(store, case, file):
    asked = ask(store, into(who(MARA), case), "file", file, OPEN)
    with pytest.raises(NotAllowed), store.act(into(who(PAUL), case), "approval.withdraw") as work:
        work.approvals.withdraw(asked.id)
    with store.act(into(who(MARA), case), "approval.withdraw") as work:
        assert work.approvals.withdraw(asked.id).decision == "withdrawn"
    with pytest.raises(Conflict):
        decide(store, into(approver(PAUL), case), asked)


def test_a_thing_that_changed_since_is_not_opened(store, case, file):
    mara, paul = into(who(MARA), case), into(approver(PAUL), case)
    asked = ask(store, mara, "file", file, OPEN)
    strict = Remarking(thing="file", id=file, marking=Marking.RED, pap=Pap.RED, case=case)
    with store.act(mara, "file.remark") as work:
        work.approvals.remark(strict)
    with pytest.raises(Conflict):
        decide(store, paul, asked)
    with store.look(paul, "approval.get") as work:
        assert work.approvals.get(asked.id).decision == "open"  # the act was undone whole


def test_a_claim_becomes_a_new_one_and_the_old_one_is_taken_back(store, case):
    mara, paul = into(who(MARA), case), into(approver(PAUL), case)
    old = claim(1, marking=AMBER, pap=Pap.AMBER, signature="x")
    add(store, mara, [old], case=case)
    decide(store, paul, ask(store, mara, "claim", old.id, OPEN))
    with store.look(mara, "claim.find") as work:
        first, second = work.claims.find(subject(1))
    assert (first.id, first.reason, bool(first.claim.retracted)) == (old.id, "marked TLP:GREEN, PAP:GREEN since", True)
    assert (second.claim.marking, second.claim.pap, second.claim.signature, second.reason) == (1, 1, "", "")
    assert second.handling == Handling(marking=Marking.GREEN, pap=Pap.GREEN, owner=MARA)
    with store.look(who(ADA), "claim.find") as work:
        assert [kept.id for kept in work.claims.find(subject(1))] == [second.claim.id]
    with pytest.raises(NotFound):
        ask(store, mara, "claim", old.id, OPEN)  # it was taken back


def test_a_claim_that_moves_stays_the_same_and_meets(store, case):
    with store.act(who(ADA), "case.add") as work:
        other = work.cases.add("Other").id
    add(store, into(who(ADA), other), [claim(1)], case=other)
    add(store, who(MARA), [claim(1)])
    with store.act(into(who(MARA), case), "claim.remark") as work:
        change = Remarking(thing="claim", id=claim(1).id, marking=Marking.GREEN, pap=Pap.GREEN, case=case)
        assert work.approvals.remark(change).case == case
    with store.look(into(who(MARA), case), "claim.find") as work:
        (kept,) = work.claims.find(subject(1))
        assert (kept.id, kept.handling.case, kept.reason) == (claim(1).id, case, "")
        assert [meeting.contact for meeting in work.cases.meetings()] == ["Ada"]


def test_stricter_needs_one_person_and_more_open_two(store, case, file):
    mara = into(who(MARA), case)
    for body in (OPEN | {"case": case}, {"marking": "TLP:AMBER", "pap": "PAP:AMBER"}):
        with pytest.raises(NotAllowed), store.act(mara, "file.remark") as work:
            work.approvals.remark(Remarking.from_dict({"thing": "file", "id": file, **body}))
    with store.act(into(who(PAUL), case), "file.remark") as work:
        assert (
            work.approvals.remark(Remarking.from_dict({"thing": "file", "id": file, "case": case})).marking
            == Marking.RED
        )


def test_a_stranger_does_not_hide_what_all_may_see(store):
    add(store, who(MARA), [claim(1)])
    change = Remarking.from_dict({"thing": "claim", "id": claim(1).id})
    with pytest.raises(NotAllowed), store.act(who(PAUL), "claim.remark") as work:
        work.approvals.remark(change)
    with store.act(who(MARA), "claim.remark") as work:
        assert work.approvals.remark(change).marking == Marking.RED


def test_a_case_is_marked_anew_by_two(store, case):
    mara, paul = into(who(MARA), case), into(approver(PAUL), case)
    decide(store, paul, ask(store, mara, "case", case, OPEN))
    with store.look(mara, "case.get") as work:
        changed = work.cases.get(case)
    assert (changed.handling.marking, changed.handling.pap, changed.version) == (Marking.GREEN, Pap.GREEN, 2)
    with pytest.raises(UsageError):
        ask(store, mara, "case", case, {**OPEN, "case": case})


def test_what_one_person_alone_sees_is_shown_to_an_approver_by_its_owner(store, case):
    red = claim(1, marking=Marking.RED)
    add(store, who(MARA), [red])
    mara, paul = into(who(MARA), case), into(approver(PAUL), case)
    target = {"marking": "TLP:AMBER", "pap": "PAP:RED", "case": case}
    hidden = ask(store, mara, "claim", red.id, target)
    with pytest.raises(NotFound):
        decide(store, paul, hidden)
    shown = ask(store, mara, "claim", red.id, target, handling=Handling(marking=AMBER, case=case))
    decide(store, paul, shown)
    with store.look(into(who(PAUL), case), "claim.find") as work:
        assert [kept.claim.marking for kept in work.claims.find(subject(1))] == [AMBER]


def test_only_the_owner_says_who_sees_a_request(store, case, file):
    with pytest.raises(NotAllowed):
        ask(store, into(who(PAUL), case), "file", file, OPEN, handling=Handling(marking=Marking.CLEAR))


def test_targets_must_be_within_reach(store, case, file):
    mara = into(who(MARA), case)
    for where in ({"case": "9" * 32}, {"group": UNIT}):
        with pytest.raises(NotFound):
            ask(store, mara, "file", file, OPEN | where)
    with pytest.raises(NotFound):
        ask(store, who(PAUL), "file", file, OPEN)
    with pytest.raises(NotAllowed):
        ask(store, into(who(PAUL, Role.VIEWER), case), "file", file, OPEN)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"thing": "door", "id": "1"},
        {"thing": "claim", "id": 5},
        {"thing": "claim", "id": "x", "marking": "TLP:PURPLE"},
        {"thing": "claim", "id": "x", "further": "y"},
    ],
)
def test_bodies_that_are_none(store, body):
    with pytest.raises(UsageError), store.act(who(NORA), "approval.ask") as work:
        work.approvals.ask("marking", body, "why")


def test_a_request_needs_a_known_kind_and_a_reason(store, file, case):
    body = {"thing": "file", "id": file}
    for kind, reason in (("else", "why"), ("marking", " "), ("marking", "x" * 2001)):
        with pytest.raises(UsageError), store.act(into(who(MARA), case), "approval.ask") as work:
            work.approvals.ask(kind, body, reason)
