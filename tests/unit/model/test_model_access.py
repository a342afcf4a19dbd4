"""Who may see what: each rule, and the laws that hold for all of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.model.access import GRANTS, Handling, Identity, Kind, Permission, Role, joint, may_do, may_see
from shieldwall.model.marking import Action, Marking, Pap
from shieldwall.model.opening import opens

PERSONS, CASES, GROUPS = ("", "p1", "p2"), ("c1", "c2"), ("g1", "g2")

identities = st.builds(
    Identity,
    kind=st.sampled_from(Kind),
    person=st.sampled_from(PERSONS),
    name=st.just("someone"),
    roles=st.frozensets(st.sampled_from(Role)),
    highest=st.sampled_from(Marking),
    groups=st.frozensets(st.sampled_from(GROUPS)),
    cases=st.frozensets(st.sampled_from(CASES)),
    scopes=st.none() | st.frozensets(st.sampled_from(Permission)),
)
handlings = st.builds(
    Handling,
    marking=st.sampled_from(Marking),
    pap=st.sampled_from(Pap),
    owner=st.sampled_from(PERSONS),
    case=st.none() | st.sampled_from(CASES),
    group=st.none() | st.sampled_from(GROUPS),
)


def reader(**changes):
    body = {
        "kind": Kind.PERSON,
        "person": "p1",
        "name": "Mara",
        "roles": frozenset((Role.VIEWER,)),
        "highest": Marking.RED,
    }
    return Identity(**body | changes)


@pytest.mark.parametrize(
    ("who", "handling", "sees"),
    [
        (reader(), Handling(marking=Marking.GREEN), True),
        (reader(highest=Marking.CLEAR), Handling(marking=Marking.GREEN), False),
        (reader(roles=frozenset((Role.ADMINISTRATOR, Role.AUDITOR))), Handling(marking=Marking.CLEAR), False),
        (reader(scopes=frozenset()), Handling(marking=Marking.CLEAR), False),
        (reader(), Handling(), False),  # nobody's
        (reader(), Handling(owner="p1"), True),
        (reader(), Handling(owner="p2"), False),
        (reader(person=""), Handling(owner=""), False),
        (reader(), Handling(marking=Marking.CLEAR, case="c1"), False),
        (reader(cases=frozenset(("c1",))), Handling(case="c1"), True),
        (reader(cases=frozenset(("c1",))), Handling(case="c1", group="g1"), False),
        (reader(groups=frozenset(("g1",))), Handling(group="g1"), True),
        (reader(), Handling(owner="p1", group="g1"), False),  # the owner left the group
    ],
)
def test_each_rule(who, handling, sees):
    assert may_see(who, handling) is sees


@given(identities, handlings)
def test_a_token_never_sees_more_than_its_person(who, handling):
    assert not may_see(who, handling) or may_see(replace(who, scopes=None), handling)


@given(identities, handlings)
def test_more_rights_never_show_less(who, handling):
    more = replace(
        who, roles=who.roles | {Role.VIEWER}, highest=Marking.RED, cases=frozenset(CASES), groups=frozenset(GROUPS)
    )
    more = replace(more, scopes=None)
    assert not may_see(who, handling) or may_see(more, handling)


@given(identities, handlings, handlings)
def test_what_does_not_open_shows_nobody_anything_new(who, before, after):
    if not opens(before, after):
        assert not may_see(who, after) or may_see(who, before)
        for action in Action:
            assert not may_do(who, after, action) or may_do(who, before, action)


@given(handlings)
def test_what_stays_as_it_is_does_not_open(handling):
    assert not opens(handling, handling)


@given(identities, handlings, st.lists(handlings, max_size=3))
def test_what_is_made_of_several_shows_no_more_than_each(who, first, others):
    made = joint(first, *others)
    if may_see(who, made) and made.owner != who.person:  # its maker has seen all of them
        assert all(may_see(who, each) for each in (first, *others))
    assert all(made.marking >= each.marking and made.pap >= each.pap for each in (first, *others))


def test_nobody_who_runs_the_node_reads_and_nobody_who_writes_approves():
    for role in (Role.ADMINISTRATOR, Role.AUDITOR):
        assert Permission.READ not in GRANTS[role]
    assert not any({Permission.WRITE, Permission.APPROVE} <= granted for granted in GRANTS.values())
    assert not any({Permission.MANAGE, Permission.READ} <= granted for granted in GRANTS.values())
