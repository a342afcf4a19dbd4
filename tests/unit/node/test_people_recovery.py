"""Links and codes: how someone comes in who has no passkey, and that nobody else does by that."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from passkey_support import Authenticator
from people_support import DAY, HERE, OPERATOR, House

from shieldwall.errors import Conflict, NotAllowed, NotFound, NotSignedIn, ShieldwallError, TooMany
from shieldwall.model.access import Role
from shieldwall.node.people.recovery import begin_recovery, first_administrator, matching_step

BASE32 = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.store.close()


def code_at(house, secret, steps=0):
    return pyotp.TOTP(secret).at(house.clock.now // 1_000_000 + 30 * steps)


def enrol(house, signed):
    enrolment, secret, uri = house.doors.begin_code(signed)
    assert uri.startswith("otpauth://totp/")
    house.doors.finish_code(HERE, signed, enrolment, code_at(house, secret))
    house.clock.pass_seconds(60)
    return secret


def test_first_administrator_of_a_new_node_and_no_second_one(house):
    assert house.admin[1].roles == {Role.ADMINISTRATOR}
    with pytest.raises(Conflict):
        first_administrator(house.store, OPERATOR, "Eve")
    with pytest.raises(NotAllowed):
        first_administrator(house.store, house.admin[1], "Eve")


def test_link_makes_one_passkey_once(house):
    person = house.doors.people.add(house.admin[1], "Mara", roles=[Role.ANALYST], signed=house.admin)
    link = house.doors.invite(house.admin[1], person.id, house.admin)
    one, first = house.doors.begin_registration(HERE, invitation=link)
    two, second = house.doors.begin_registration(HERE, invitation=link)
    key, other = Authenticator(), Authenticator()
    house.doors.finish_registration(HERE, one, key.register(first))
    with pytest.raises(NotSignedIn):
        house.doors.finish_registration(HERE, two, other.register(second))
    with pytest.raises(NotSignedIn):
        house.doors.begin_registration(HERE, invitation=link)
    assert house.sign_in(key)[1].person == person.id
    assert link not in json.dumps(house.leaves())


def test_link_ends_after_a_day_and_with_the_next_one(house):
    person = house.doors.people.add(house.admin[1], "Mara", roles=[Role.ANALYST], signed=house.admin)
    old = house.doors.invite(house.admin[1], person.id, house.admin)
    new = house.doors.invite(house.admin[1], person.id, house.admin)
    with pytest.raises(NotSignedIn):
        house.doors.begin_registration(HERE, invitation=old)
    house.clock.pass_seconds(DAY)
    with pytest.raises(NotSignedIn):
        house.doors.begin_registration(HERE, invitation=new)
    for nonsense in ("", "\ud800", "x" * 100_000):
        with pytest.raises(NotSignedIn):
            house.doors.begin_registration(HERE, invitation=nonsense)


def test_administrator_cannot_become_someone_who_has_a_passkey(house):
    person, _, _ = house.person("Mara")
    admin = house.sign_in(house.ada)
    with pytest.raises(Conflict):
        house.doors.invite(admin[1], person, admin)
    with pytest.raises(Conflict):
        house.doors.invite_with_code(admin[1], person, admin)
    with pytest.raises(NotAllowed):
        begin_recovery(house.store, admin[1], "Mara")


def test_disabled_person_is_not_invited_and_their_link_is_void(house):
    person = house.doors.people.add(house.admin[1], "Mara", roles=[Role.ANALYST], signed=house.admin)
    link = house.doors.invite(house.admin[1], person.id, house.admin)
    challenge, options = house.doors.begin_registration(HERE, invitation=link)
    house.doors.people.disable(house.admin[1], person.id, 1, house.admin)
    with pytest.raises(NotSignedIn):
        house.doors.finish_registration(HERE, challenge, Authenticator().register(options))
    with pytest.raises(NotSignedIn):
        house.doors.begin_registration(HERE, invitation=link)
    with pytest.raises(Conflict):
        house.doors.invite(house.admin[1], person.id, house.admin)
    with pytest.raises(Conflict):
        begin_recovery(house.store, OPERATOR, "Mara")


def test_offline_recovery_replaces_all_passkeys_ends_sessions_and_leaves_a_trace(house):
    person, lost, _ = house.person("Mara")
    secret, _ = house.sign_in_with_secret(lost)
    link = begin_recovery(house.store, OPERATOR, "Mara")
    with pytest.raises(NotSignedIn):
        house.doors.session(secret, HERE)
    leaf = house.leaves("recovery.begin")[-1]
    assert leaf["who"]["kind"] == "operator"
    assert leaf["detail"] == {"person": person, "ended": 2}
    found = Authenticator()
    still, _ = house.sign_in_with_secret(lost)
    house.use(link, found)
    assert house.sign_in(found)[1].person == person
    for call in (lambda: house.sign_in(lost), lambda: house.doors.session(still, HERE)):
        with pytest.raises(NotSignedIn):
            call()
    with pytest.raises(NotFound):
        begin_recovery(house.store, OPERATOR, "Nobody")


def test_code_and_link_together_recover_and_neither_does_alone(house):
    person, key, mara = house.person("Mara")
    secret = enrol(house, mara)
    admin = house.sign_in(house.ada)
    link = house.doors.invite_with_code(admin[1], person, admin)
    for code in ("", "000000", "not a code", code_at(house, secret)[:5]):
        with pytest.raises(NotSignedIn):
            house.doors.begin_registration(house.somewhere(), invitation=link, code=code)
    with pytest.raises(NotSignedIn):
        house.doors.begin_registration(HERE, code=code_at(house, secret))
    found = Authenticator()
    house.use(link, found, code_at(house, secret))
    assert house.sign_in(found)[1].person == person
    with pytest.raises(NotSignedIn):
        house.sign_in(key)


def test_no_code_is_taken_twice_and_none_before_it(house):
    person, _, mara = house.person("Mara")
    enrolment, secret, _ = house.doors.begin_code(mara)
    first = code_at(house, secret)
    house.doors.finish_code(HERE, mara, enrolment, first)
    admin = house.sign_in(house.ada)
    link = house.doors.invite_with_code(admin[1], person, admin)
    with pytest.raises(NotSignedIn):
        house.doors.begin_registration(HERE, invitation=link, code=first)
    house.clock.pass_seconds(90)
    now, before = code_at(house, secret), code_at(house, secret, -1)
    house.doors.begin_registration(HERE, invitation=link, code=now)
    for code in (now, before):
        with pytest.raises(NotSignedIn):
            house.doors.begin_registration(HERE, invitation=link, code=code)


def test_five_wrong_codes_ban_the_code_from_everywhere(house):
    person, _, mara = house.person("Mara")
    secret = enrol(house, mara)
    admin = house.sign_in(house.ada)
    link = house.doors.invite_with_code(admin[1], person, admin)
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            house.doors.begin_registration(house.somewhere(), invitation=link, code="000000")
    with pytest.raises(TooMany) as caught:
        house.doors.begin_registration(house.somewhere(), invitation=link, code=code_at(house, secret))
    assert 0 < caught.value.seconds <= 900
    assert house.leaves("door.ban")[-1]["detail"]["what"] == "code"
    house.clock.pass_seconds(caught.value.seconds)
    house.doors.begin_registration(HERE, invitation=link, code=code_at(house, secret))


def test_nobody_has_more_tries_by_trying_at_once(house):
    person, _, mara = house.person("Mara")
    enrol(house, mara)
    admin = house.sign_in(house.ada)
    link = house.doors.invite_with_code(admin[1], person, admin)

    def attempt(number):
        with pytest.raises(ShieldwallError) as caught:
            house.doors.begin_registration(f"203.0.113.{number}", invitation=link, code="000000")
        return type(caught.value)

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(16)))
    assert outcomes.count(NotSignedIn) == 5
    assert outcomes.count(TooMany) == 11


def test_enrolment_needs_a_code_that_is_right_in_time_and_of_the_same_person(house):
    _, _, mara = house.person("Mara")
    _, _, rune = house.person("Rune")
    enrolment, secret, _ = house.doors.begin_code(mara)
    with pytest.raises(NotSignedIn):
        house.doors.finish_code(HERE, rune, enrolment, code_at(house, secret))
    enrolment, secret, _ = house.doors.begin_code(mara)
    with pytest.raises(NotSignedIn):
        house.doors.finish_code(HERE, mara, enrolment, "abcdef")
    enrolment, secret, _ = house.doors.begin_code(mara)
    house.clock.pass_seconds(299)
    house.doors.finish_code(HERE, mara, enrolment, code_at(house, secret))
    mara = house.sign_in(house.ada)
    assert not house.doors.remove_code(mara)
    assert secret not in json.dumps(house.leaves())


def test_code_can_be_forgotten(house):
    person, key, mara = house.person("Mara")
    enrol(house, mara)
    assert house.doors.remove_code(house.sign_in(key))
    admin = house.sign_in(house.ada)
    with pytest.raises(Conflict):
        house.doors.invite_with_code(admin[1], person, admin)


def test_recovery_lets_a_person_make_a_passkey_and_nothing_else(house):
    person, _, mara = house.person("Mara")
    secret = enrol(house, mara)
    admin = house.sign_in(house.ada)
    link = house.doors.invite_with_code(admin[1], person, admin)
    house.doors.begin_registration(HERE, invitation=link, code=code_at(house, secret))
    for text in (link, code_at(house, secret, 1), secret):
        for door in (house.doors.session, house.doors.token):
            with pytest.raises(NotSignedIn):
                door(text, HERE)


@given(at=st.integers(1_000_000, 1 << 33), off=st.integers(-3, 3), last=st.integers(-3, 3))
def test_step_is_found_within_one_step_and_after_the_last_one(at, off, last):
    now = at // 30
    totp = pyotp.TOTP(BASE32)
    code = totp.generate_otp(now + off)
    takes = {step for step in (now - 1, now, now + 1) if step > now + last and totp.generate_otp(step) == code}
    found = matching_step(BASE32, code, at, now + last)
    assert found == max(takes, default=None)
    assert (now + off in takes) == (abs(off) <= 1 and off > last)


@given(code=st.text(max_size=8))
def test_what_is_not_six_digits_is_no_code(code):
    assert matching_step(BASE32, code, 1_700_000_000) is None or (code.isascii() and len(code) == 6)
