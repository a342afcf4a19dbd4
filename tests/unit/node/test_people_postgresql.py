"""Doors over PostgreSQL, where several may write at once: what is used up is used up once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from passkey_support import Authenticator
from people_support import DAY, House

from shieldwall.errors import NotSignedIn, ShieldwallError, TooMany
from shieldwall.model.access import Permission
from shieldwall.model.marking import Marking

pytestmark = [pytest.mark.needs("postgresql")]


@pytest.fixture(scope="module")
def house(postgresql, tmp_path_factory):
    name = postgresql.database()
    made = House(tmp_path_factory.mktemp("house"), database=postgresql.url(name))
    yield made
    made.store.close()
    postgresql.drop(name)


def at_once(call, times=8):
    """The outcomes of `call`: what it gives, or the kind of its error."""

    def one(number):
        try:
            return call(number)
        except ShieldwallError as error:
            return type(error)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_one_answer_signs_in_once(house):
    challenge, options = house.doors.begin_sign_in(house.somewhere())
    answer = house.ada.sign_in(options)
    outcomes = at_once(lambda number: house.doors.finish_sign_in(f"203.0.113.{number}", challenge, answer)[0])
    assert outcomes.count(NotSignedIn) == 7
    (secret,) = [each for each in outcomes if isinstance(each, str)]
    assert house.doors.session(secret, house.somewhere())[1].name == "Ada"


def test_one_link_makes_one_passkey(house):
    admin = house.sign_in(house.ada)
    person = house.doors.people.add(admin[1], "Lena", roles=[], signed=admin)
    link = house.doors.invite(admin[1], person.id, admin)
    begun = [house.doors.begin_registration(house.somewhere(), invitation=link) for _ in range(6)]
    answers = [(challenge, Authenticator().register(options)) for challenge, options in begun]
    outcomes = at_once(lambda number: house.doors.finish_registration(house.somewhere(), *answers[number]), times=6)
    assert len([each for each in outcomes if not isinstance(each, type)]) == 1
    with house.store.inside(admin[1]) as work:
        assert len(work.credentials.passkeys(person.id)) == 1


def test_tokens_and_bans_hold(house):
    _, _, signed = house.person("Mara")
    text, token = house.doors.issue_token(
        signed[1], "feed", scopes=[Permission.READ], highest=Marking.GREEN, seconds=DAY, signed=signed
    )
    assert house.doors.token(text, "198.18.0.1").token == token.id
    outcomes = at_once(lambda _: house.doors.session("x" * 43, "198.18.0.1"), times=12)
    assert set(outcomes) <= {NotSignedIn, TooMany}
    with pytest.raises(TooMany):
        house.doors.token(text, "198.18.0.1")
    assert house.doors.token(text, "198.18.0.2").token == token.id


def test_nobody_has_more_tries_at_a_code_by_trying_at_once(house):
    person, _, signed = house.person("Rune")
    enrolment, secret, _ = house.doors.begin_code(signed)
    house.doors.finish_code(house.somewhere(), signed, enrolment, pyotp.TOTP(secret).at(house.clock.now // 1_000_000))
    admin = house.sign_in(house.ada)
    link = house.doors.invite_with_code(admin[1], person, admin)
    outcomes = at_once(
        lambda number: house.doors.begin_registration(f"198.18.1.{number}", invitation=link, code="000000"), times=12
    )
    assert (outcomes.count(NotSignedIn), outcomes.count(TooMany)) == (5, 7)
