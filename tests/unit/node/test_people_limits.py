"""Limits and bans: they hold for sessions, tokens and codes alike, over restarts, and do not fill the log."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from people_support import DAY, HERE, HOUR, MINUTE, House

from shieldwall.errors import NotSignedIn, TooMany
from shieldwall.model.access import Permission, Role
from shieldwall.model.marking import Marking
from shieldwall.node.people.config import PeopleConfig
from shieldwall.node.people.doors import Doors
from shieldwall.node.people.limits import Buckets, place_of
from shieldwall.store.attempts import Attempts, BanRules

SECOND = 1_000_000


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.store.close()


def ways(house, person):
    """Every way in, with right credentials, from an address."""
    _, key, signed = person
    secret, _ = house.sign_in_with_secret(key, "203.0.113.200")
    text, _ = house.doors.issue_token(
        signed[1], "feed", scopes=[Permission.READ], highest=Marking.GREEN, seconds=DAY, signed=signed
    )
    admin = house.sign_in(house.ada, "203.0.113.200")
    invited = house.doors.people.add(admin[1], "Nora", roles=[Role.VIEWER], signed=admin)
    link = house.doors.invite(admin[1], invited.id, admin)
    return {
        "session": lambda client: house.doors.session(secret, client),
        "token": lambda client: house.doors.token(text, client),
        "link": lambda client: house.doors.begin_registration(client, invitation=link),
        "sign-in": lambda client: house.sign_in(key, client),
    }


def attempts(house):
    """Every way to fail."""

    def bad_passkey(client):
        challenge, options = house.doors.begin_sign_in(client)
        answer = house.ada.sign_in(options)
        answer["id"] = answer["rawId"] = "AAAA"
        house.doors.finish_sign_in(client, challenge, answer)

    return {
        "session": lambda client: house.doors.session("x" * 43, client),
        "token": lambda client: house.doors.token("sw_" + "0" * 32 + "_" + "0" * 64, client),
        "no token": lambda client: house.doors.token("nonsense", client),
        "link": lambda client: house.doors.begin_registration(client, invitation="x" * 43),
        "challenge": lambda client: house.doors.finish_sign_in(client, "0" * 32, {}),
        "passkey": bad_passkey,
    }


@pytest.mark.parametrize("failing", ["session", "token", "no token", "link", "challenge", "passkey"])
def test_ten_failures_of_any_kind_shut_an_address_out_of_every_door(house, failing):
    good = ways(house, house.person("Mara"))
    bad = attempts(house)[failing]
    for _ in range(10):
        with pytest.raises(NotSignedIn):
            bad(HERE)
    for way in good.values():
        with pytest.raises(TooMany) as caught:
            way(HERE)
        assert 0 < caught.value.seconds <= 15 * MINUTE
    for way in good.values():
        way("203.0.113.9")
    bans = house.leaves("door.ban")
    assert {leaf["detail"]["what"] for leaf in bans} >= {"client"}
    house.clock.pass_seconds(15 * MINUTE)
    good["token"](HERE)
    good["sign-in"](HERE)


def test_nine_failures_do_not_and_old_ones_do_not_count(house):
    good = ways(house, house.person("Mara"))
    bad = attempts(house)["session"]
    for _ in range(3):
        for _ in range(9):
            with pytest.raises(NotSignedIn):
                bad(HERE)
        good["session"](HERE)
        good["token"](HERE)
        house.clock.pass_seconds(14 * MINUTE)
        good["session"](HERE)
        house.clock.pass_seconds(1 * MINUTE + 1)


def test_ban_outlives_the_process(house):
    for _ in range(10):
        with pytest.raises(NotSignedIn):
            house.doors.session("x" * 43, HERE)
    again = Doors(house.store, PeopleConfig(), house.clock)
    for door in (again.session, again.token):
        with pytest.raises(TooMany):
            door("x", HERE)


def test_attempts_on_one_person_from_everywhere_ban_their_sign_in(house):
    _, key, _ = house.person("Mara")
    secret, _ = house.sign_in_with_secret(key)
    for _ in range(10):
        here = house.somewhere()
        challenge, options = house.doors.begin_sign_in(here)
        answer = key.sign_in(options)
        answer["response"]["signature"] = "AAAA"
        with pytest.raises(NotSignedIn):
            house.doors.finish_sign_in(here, challenge, answer)
    with pytest.raises(TooMany):
        house.sign_in(key, house.somewhere())
    house.doors.session(secret, HERE)
    house.sign_in(house.ada, house.somewhere())


def test_attempts_on_one_token_from_everywhere_ban_it(house):
    _, _, signed = house.person("Mara")
    text, token = house.doors.issue_token(
        signed[1], "feed", scopes=[Permission.READ], highest=Marking.GREEN, seconds=DAY, signed=signed
    )
    for _ in range(10):
        with pytest.raises(NotSignedIn):
            house.doors.token(f"sw_{token.id}_{'0' * 64}", house.somewhere())
    with pytest.raises(TooMany):
        house.doors.token(text, house.somewhere())


def test_what_a_banned_client_tries_does_not_fill_the_log(house):
    for _ in range(10):
        with pytest.raises(NotSignedIn):
            house.doors.session("x" * 43, HERE)
    before = house.store.audit_size()
    for _ in range(200):
        with pytest.raises(TooMany):
            house.doors.session("x" * 43, HERE)
        house.clock.pass_seconds(0.5)
    leaves = house.leaves()[before:]
    assert len(leaves) == 2
    assert leaves[1]["detail"] == {"client": HERE, "why": "banned", "times": 120}


def test_strangers_and_known_people_have_their_own_rates(tmp_path):
    house = House(tmp_path, stranger_rate=5.0, stranger_burst=30)
    secret, _ = house.sign_in_with_secret(house.ada, "203.0.113.1")
    for _ in range(30):
        house.doors.stranger("203.0.113.2")
    with pytest.raises(TooMany) as caught:
        house.doors.begin_sign_in("203.0.113.2")
    assert caught.value.seconds == 1
    house.clock.pass_seconds(1)
    for _ in range(5):
        house.doors.begin_sign_in("203.0.113.2")
    with pytest.raises(TooMany):
        house.doors.begin_sign_in("203.0.113.2")
    for _ in range(200):
        house.doors.session(secret, "203.0.113.1")
    with pytest.raises(TooMany):
        house.doors.session(secret, "203.0.113.1")
    house.clock.pass_seconds(1)
    for _ in range(50):
        house.doors.session(secret, "203.0.113.3")
    with pytest.raises(TooMany):
        house.doors.session(secret, "203.0.113.4")
    house.store.close()


def test_one_network_of_ipv6_is_one_client(house):
    for number in range(10):
        with pytest.raises(NotSignedIn):
            house.doors.session("x" * 43, f"2001:db8::{number}")
    with pytest.raises(TooMany):
        house.doors.session("x" * 43, "2001:db8::ffff:1")
    with pytest.raises(NotSignedIn):
        house.doors.session("x" * 43, "2001:db8:0:1::1")


@given(address=st.ip_addresses())
def test_place_of_any_address_is_a_network_that_has_it(address):
    place = place_of(str(address))
    network = ipaddress.ip_network(place)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    assert (mapped or address) in network


@given(text=st.text())
def test_place_of_any_text_is_printable(text):
    assert place_of(text).isascii()


@given(
    rate=st.floats(0.1, 100),
    burst=st.integers(1, 50),
    pauses=st.lists(st.integers(-10 * SECOND, 10 * SECOND), max_size=100),
)
def test_bucket_never_lets_through_more_than_burst_and_rate(rate, burst, pauses):
    buckets = Buckets(rate, burst)
    now, taken, forward = 1_000 * SECOND, 0, 0
    for pause in pauses:
        now += pause
        forward += max(0, pause)
        taken += buckets.take("a", now) == 0
        assert taken <= burst + rate * forward / SECOND + 1e-6
    assert buckets.take("b", now) == 0


@given(failures=st.lists(st.integers(0, 2 * HOUR), max_size=80))
def test_bans_grow_and_stay_within_a_day(failures):
    rules = BanRules(failures=3)
    known, now, before = Attempts(), 1_000 * SECOND, 0
    for pause in failures:
        now = max(now + pause * SECOND, known.banned_until)
        after = known.failed(now, rules)
        if after.banned_until != known.banned_until:
            length = after.banned_until - now
            assert 900 * SECOND <= length <= 86_400 * SECOND
            quiet = known.banned_until == 0 or now - known.banned_until > 86_400 * SECOND
            assert length == (900 * SECOND if quiet else min(2 * before, 86_400 * SECOND))
            before = length
        else:
            assert after.failures < rules.failures
        known = after
