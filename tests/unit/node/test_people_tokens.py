"""Machine tokens: what they may be, whom they act for, and when they stop."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from people_support import DAY, HERE, OPERATOR, House

from shieldwall.errors import ConfirmFirst, NotAllowed, NotFound, NotSignedIn, TooMany, UsageError
from shieldwall.model.access import GRANTS, Kind, Permission, Role
from shieldwall.model.marking import Marking

READ, WRITE = Permission.READ, Permission.WRITE


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def shared_house(tmp_path_factory):
    made = House(tmp_path_factory.mktemp("house"))
    made.mara = made.person("Mara", Role.ANALYST, highest=Marking.AMBER)[1]
    yield made
    made.store.close()


@pytest.fixture
def mara(house):
    return house.person("Mara", Role.ANALYST, highest=Marking.AMBER)[2]


def issue(house, signed, **given):
    wanted = {"scopes": [READ, WRITE], "highest": Marking.AMBER, "seconds": DAY} | given
    return house.doors.issue_token(signed[1], "feed", signed=signed, **wanted)


def test_token_acts_for_its_person_within_its_scope_and_marking(house, mara):
    text, token = issue(house, mara, scopes=[READ], highest=Marking.GREEN)
    assert text.startswith(f"sw_{token.id}_")
    identity = house.doors.token(text, HERE)
    assert (identity.kind, identity.person, identity.token) == (Kind.TOKEN, mara[1].person, token.id)
    assert identity.permissions == {READ}
    assert identity.highest == Marking.GREEN


def test_token_never_has_more_than_its_person_has_now(house, mara):
    text, _ = issue(house, mara)
    admin = house.sign_in(house.ada)
    house.doors.people.change(
        admin[1], mara[1].person, 1, roles=[Role.VIEWER, Role.APPROVER], highest=Marking.CLEAR, signed=admin
    )
    identity = house.doors.token(text, HERE)
    assert (identity.permissions, identity.highest) == ({READ}, Marking.CLEAR)
    house.doors.people.disable(admin[1], mara[1].person, 2, admin)
    with pytest.raises(NotSignedIn):
        house.doors.token(text, HERE)
    house.doors.people.enable(admin[1], mara[1].person, 3, admin)
    with pytest.raises(NotSignedIn):
        house.doors.token(text, HERE)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"scopes": []}, UsageError),
        ({"scopes": [Permission.APPROVE]}, UsageError),
        ({"scopes": [READ, Permission.MANAGE]}, UsageError),
        ({"scopes": [Permission.AUDIT]}, NotAllowed),
        ({"highest": Marking.AMBER_STRICT}, UsageError),
        ({"highest": Marking.RED}, UsageError),
        ({"seconds": 0}, UsageError),
        ({"seconds": 366 * DAY}, UsageError),
    ],
)
def test_token_that_cannot_be_is_not_issued(shared_house, wrong, error):
    house, mara = shared_house, shared_house.sign_in(shared_house.mara)
    before = house.doors.list_tokens(mara[1])
    with pytest.raises(error):
        issue(house, mara, **wrong)
    assert house.doors.list_tokens(mara[1]) == before
    assert house.leaves("token.issue")[-1]["outcome"] == "refused"


def test_token_never_sees_red_even_for_one_who_does(house):
    _, _, rune = house.person("Rune", Role.ANALYST, highest=Marking.RED)
    with pytest.raises(UsageError):
        issue(house, rune, highest=Marking.RED)
    text, _ = issue(house, rune, highest=Marking.AMBER_STRICT)
    assert house.doors.token(text, HERE).highest == Marking.AMBER_STRICT


def test_only_oneself_issues_a_token_and_an_administrator_becomes_nobody_by_one(house, mara):
    admin = house.sign_in(house.ada)
    with pytest.raises(NotAllowed):
        issue(house, admin, person=mara[1].person)
    text, _ = issue(house, mara)
    with pytest.raises(NotAllowed):
        house.doors.issue_token(
            house.doors.token(text, HERE), "more", scopes=[READ], highest=Marking.CLEAR, seconds=DAY
        )
    stale = house.sign_in(house.ada)
    house.clock.pass_seconds(301)
    with pytest.raises(ConfirmFirst):
        issue(house, stale)
    made, _ = house.doors.issue_token(
        OPERATOR, "cron", scopes=[READ], highest=Marking.GREEN, seconds=DAY, person=mara[1].person
    )
    assert house.doors.token(made, HERE).person == mara[1].person
    with pytest.raises(NotFound):
        house.doors.issue_token(OPERATOR, "cron", scopes=[READ], highest=Marking.GREEN, seconds=DAY, person="0" * 32)


def test_token_ends_on_its_day_and_when_it_is_revoked(house, mara):
    short, _ = issue(house, mara, seconds=60)
    text, token = issue(house, mara)
    house.clock.pass_seconds(60)
    with pytest.raises(NotSignedIn):
        house.doors.token(short, HERE)
    house.doors.token(text, HERE)
    house.doors.revoke_token(mara[1], token.id)
    with pytest.raises(NotSignedIn):
        house.doors.token(text, HERE)


def test_who_may_revoke_and_list(house, mara):
    _, _, rune = house.person("Rune", Role.ANALYST)
    text, token = issue(house, mara)
    _, other = issue(house, mara)
    for asks, which in ((rune[1], token.id), (mara[1], "0" * 32), (mara[1], "../..")):
        with pytest.raises(NotFound):
            house.doors.revoke_token(asks, which)
    as_token = house.doors.token(text, HERE)
    with pytest.raises(NotFound):
        house.doors.revoke_token(as_token, other.id)
    assert house.doors.list_tokens(rune[1]) == []
    with pytest.raises(NotAllowed):
        house.doors.list_tokens(rune[1], everybody=True)
    admin = house.sign_in(house.ada)
    assert {each.id for each in house.doors.list_tokens(admin[1], everybody=True)} == {token.id, other.id}
    house.doors.revoke_token(admin[1], token.id)
    house.doors.revoke_token(OPERATOR, other.id)
    assert all(each.revoked_at for each in house.doors.list_tokens(mara[1]))


def test_secret_of_a_token_is_shown_once(house, mara):
    text, token = issue(house, mara)
    house.doors.token(text, HERE)
    secret = text.split("_")[2]
    assert secret not in repr(token) + repr(house.doors.list_tokens(mara[1])) + json.dumps(house.leaves())


@pytest.mark.parametrize("change", ["secret", "id", "short", "long", "empty", "case", "prefix", "line"])
def test_token_that_is_a_little_wrong_opens_nothing(shared_house, change):
    house, mara = shared_house, shared_house.sign_in(shared_house.mara)
    text, token = issue(house, mara)
    wrong = {
        "secret": text[:-1] + ("0" if text[-1] != "0" else "1"),
        "id": text.replace(token.id, "0" * 32),
        "short": text[:-1],
        "long": text + "0",
        "empty": "",
        "case": text.upper(),
        "prefix": text[3:],
        "line": text + "\n",
    }[change]
    with pytest.raises(NotSignedIn):
        house.doors.token(wrong, house.somewhere())
    assert house.leaves("token.use")[-1]["detail"]["why"] == "wrong"
    house.doors.token(text, HERE)


def test_forgotten_script_bans_its_token_and_not_the_office(house, mara):
    dead, token = issue(house, mara)
    live, _ = issue(house, mara)
    house.doors.revoke_token(mara[1], token.id)
    for _ in range(30):
        with pytest.raises((NotSignedIn, TooMany)):
            house.doors.token(dead, HERE)
    assert len(house.leaves("token.use")) == 10, "a ban also keeps the log from being filled"
    house.doors.token(live, HERE)
    house.sign_in(house.ada)


@given(roles=st.sets(st.sampled_from(Role)), scopes=st.sets(st.sampled_from(Permission)))
def test_permissions_of_a_token_are_those_of_person_and_scope(roles, scopes):
    from shieldwall.model.access import Identity

    identity = Identity(kind=Kind.TOKEN, person="p", name="n", roles=frozenset(roles), scopes=frozenset(scopes))
    granted = {permission for role in roles for permission in GRANTS[role]}
    assert identity.permissions == granted & scopes
