"""Sessions: how long they last, what they confirm, and how they end."""

from __future__ import annotations

import pytest
from passkey_support import Authenticator
from people_support import HERE, HOUR, MINUTE, OPERATOR, House
from sqlalchemy import update

from shieldwall.errors import ConfirmFirst, Conflict, NotAllowed, NotFound, NotSignedIn
from shieldwall.model.access import Role
from shieldwall.model.marking import Marking
from shieldwall.store.schema import people


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.store.close()


def test_session_ends_when_it_is_idle(house):
    secret, _ = house.sign_in_with_secret(house.ada)
    for _ in range(3):
        house.clock.pass_seconds(14 * MINUTE)
        house.doors.session(secret, HERE)
    house.clock.pass_seconds(15 * MINUTE)
    with pytest.raises(NotSignedIn):
        house.doors.session(secret, HERE)


def test_session_ends_after_eight_hours_in_any_case(house):
    secret, _ = house.sign_in_with_secret(house.ada)
    for _ in range(8 * 6 - 1):
        house.clock.pass_seconds(10 * MINUTE)
        house.doors.session(secret, HERE)
    house.clock.pass_seconds(10 * MINUTE)
    with pytest.raises(NotSignedIn):
        house.doors.session(secret, HERE)


def test_use_of_a_session_is_written_once_a_minute_and_is_no_act(house):
    secret, (session, _) = house.sign_in_with_secret(house.ada)
    leaves = house.store.audit_size()
    seen = []
    for _ in range(10):
        house.clock.pass_seconds(20)
        seen.append(house.doors.session(secret, HERE)[0].seen_at - session.created_at)
    assert [at // 1_000_000 for at in seen] == [0, 0, 0, 60, 60, 60, 120, 120, 120, 180]
    assert house.store.audit_size() == leaves


def test_setting_the_clock_back_wins_nobody_time(house):
    secret, _ = house.sign_in_with_secret(house.ada)
    house.clock.pass_seconds(14 * MINUTE)
    house.store.record(house.admin[1], "test.now")
    house.clock.pass_seconds(-10 * HOUR)
    with pytest.raises(ConfirmFirst):
        house.doors.must_confirm(house.doors.session(secret, HERE)[0])


@pytest.mark.parametrize("secret", ["", "x", "x" * 43, "\ud800", "ü" * 300, "x" * 100_000])
def test_unknown_secret_opens_nothing_and_is_recorded(house, secret):
    with pytest.raises(NotSignedIn):
        house.doors.session(secret, HERE)
    assert house.leaves("session.use")[-1]["detail"]["why"] == "unknown secret"


def test_every_sign_in_has_a_secret_of_its_own(house):
    secrets = {house.sign_in_with_secret(house.ada)[0] for _ in range(5)}
    assert len(secrets) == 5
    assert all(len(secret) == 43 for secret in secrets)


def test_confirmation_gives_the_session_a_new_secret_and_the_old_one_is_over(house):
    old, signed = house.sign_in_with_secret(house.ada)
    house.clock.pass_seconds(6 * MINUTE)
    with pytest.raises(ConfirmFirst):
        house.doors.must_confirm(signed[0])
    challenge, options = house.doors.begin_confirmation(signed)
    new, session, identity = house.doors.finish_confirmation(HERE, signed, challenge, house.ada.sign_in(options))
    house.doors.must_confirm(session)
    assert (new != old, identity) == (True, signed[1])
    assert house.doors.session(new, HERE)[0].expires_at == signed[0].expires_at
    with pytest.raises(NotSignedIn):
        house.doors.session(old, HERE)
    assert house.leaves("session.use") == [], "an old cookie is no guess"


def test_confirmation_is_bound_to_person_and_session(house):
    _, mara_key, mara = house.person("Mara")
    challenge, options = house.doors.begin_confirmation(mara)
    options["allowCredentials"] = []
    with pytest.raises(NotSignedIn):
        house.doors.finish_confirmation(HERE, mara, challenge, house.ada.sign_in(options))
    challenge, options = house.doors.begin_confirmation(mara)
    other = house.sign_in(mara_key)
    with pytest.raises(NotSignedIn):
        house.doors.finish_confirmation(HERE, other, challenge, mara_key.sign_in(options))


def test_confirmation_of_a_session_that_ended_is_refused(house):
    challenge, options = house.doors.begin_confirmation(house.admin)
    house.doors.sign_out(house.admin)
    with pytest.raises(NotSignedIn):
        house.doors.finish_confirmation(HERE, house.admin, challenge, house.ada.sign_in(options))


def test_sign_out_here_and_everywhere(house):
    one, first = house.sign_in_with_secret(house.ada)
    two, second = house.sign_in_with_secret(house.ada)
    three, _ = house.sign_in_with_secret(house.ada)
    house.doors.sign_out(first)
    with pytest.raises(NotSignedIn):
        house.doors.session(one, HERE)
    house.doors.session(two, HERE)
    assert house.doors.sign_out_everywhere(second) == 3  # with the one that the house began with
    for secret in (two, three):
        with pytest.raises(NotSignedIn):
            house.doors.session(secret, HERE)
    assert [leaf["verb"] for leaf in house.leaves()[-2:]] == ["session.end", "session.end_all"]


def test_roles_groups_and_marking_hold_from_the_next_request_on(house):
    person, key, _ = house.person("Mara", Role.ANALYST)
    secret, _ = house.sign_in_with_secret(key)
    admin = house.sign_in(house.ada)
    group = house.doors.people.add_group(admin[1], "Wolf", admin)
    house.doors.people.join(admin[1], group.id, person, admin)
    house.doors.people.change(admin[1], person, 1, roles=[Role.VIEWER], highest=Marking.GREEN, signed=admin)
    identity = house.doors.session(secret, HERE)[1]
    assert (identity.roles, identity.highest, identity.groups) == ({Role.VIEWER}, Marking.GREEN, {group.id})
    house.doors.people.disable(admin[1], person, 2, admin)
    with pytest.raises(NotSignedIn):
        house.doors.session(secret, HERE)


def test_session_of_someone_who_was_shut_out_behind_the_programs_back_is_over(house):
    person, key, _ = house.person("Mara")
    secret, _ = house.sign_in_with_secret(key)
    with house.store.upkeep(OPERATOR) as work:
        work.connection.execute(update(people).where(people.c.id == person).values(disabled_at=1))
    with pytest.raises(NotSignedIn):
        house.doors.session(secret, HERE)


def test_further_passkey_needs_a_fresh_ceremony(house):
    house.clock.pass_seconds(6 * MINUTE)
    with pytest.raises(ConfirmFirst):
        house.doors.begin_registration(HERE, signed=house.admin)
    admin = house.confirm(house.admin, house.ada)
    challenge, options = house.doors.begin_registration(HERE, signed=admin)
    key = Authenticator()
    answer = key.register(options)
    with pytest.raises(NotSignedIn):
        house.doors.finish_registration(HERE, challenge, answer, "spare")
    challenge, options = house.doors.begin_registration(HERE, signed=admin)
    made = house.doors.finish_registration(HERE, challenge, key.register(options), "spare", signed=admin)
    assert [each.name for each in house.doors.passkeys(admin[1])] == ["passkey", "spare"]
    assert made.person == admin[1].person
    assert house.sign_in(key)[1].person == admin[1].person


def test_last_passkey_stays_and_removing_one_ends_other_sessions(house):
    other, _ = house.sign_in_with_secret(house.ada)
    secret, admin = house.sign_in_with_secret(house.ada)
    first = house.ada.keys[0].id
    with pytest.raises(Conflict):
        house.doors.remove_passkey(admin, first)
    spare = Authenticator()
    challenge, options = house.doors.begin_registration(HERE, signed=admin)
    house.doors.finish_registration(HERE, challenge, spare.register(options), signed=admin)
    _, _, mara = house.person("Mara")
    with pytest.raises(NotFound):
        house.doors.remove_passkey(mara, first)
    house.doors.remove_passkey(admin, first)
    house.doors.session(secret, HERE)
    for call in (lambda: house.doors.session(other, HERE), lambda: house.sign_in(house.ada)):
        with pytest.raises(NotSignedIn):
            call()


def test_grave_things_want_a_fresh_ceremony_and_never_a_token(house):
    person, _key, _ = house.person("Mara")
    directory, admin = house.doors.people, house.admin
    house.clock.pass_seconds(6 * MINUTE)
    grave = [
        lambda: directory.add(admin[1], "Eve", roles=[Role.ADMINISTRATOR], signed=admin),
        lambda: directory.change(admin[1], person, 1, roles=[Role.ADMINISTRATOR], signed=admin),
        lambda: directory.disable(admin[1], person, 1, admin),
        lambda: directory.add_group(admin[1], "Wolf", admin),
        lambda: directory.link(admin[1], person, "https://issuer.example", "mara", admin),
        lambda: house.doors.invite(admin[1], person, admin),
        lambda: house.doors.remove_passkey(admin, house.ada.keys[0].id),
        lambda: house.doors.begin_code(admin),
    ]
    for call in grave:
        with pytest.raises(ConfirmFirst):
            call()
        assert house.leaves()[-1]["outcome"] == "refused"
    with pytest.raises(NotAllowed):
        house.doors.must_confirm(None)


def test_nobody_manages_by_another_persons_session_or_without_the_role(house):
    _person, key, mara = house.person("Mara")
    with pytest.raises(NotAllowed):
        house.doors.people.add(mara[1], "Eve", roles=[Role.ADMINISTRATOR], signed=mara)
    stale = house.sign_in(house.ada)
    house.clock.pass_seconds(6 * MINUTE)
    fresh = house.sign_in(key)
    with pytest.raises(NotAllowed):
        house.doors.people.add(stale[1], "Eve", roles=[Role.ADMINISTRATOR], signed=(fresh[0], stale[1]))
    with pytest.raises(NotAllowed):
        house.doors.people.add(stale[1], "Eve", roles=[Role.ADMINISTRATOR])
