"""Passkeys, links, challenges, codes, sessions, tokens and attempts in the store, on both databases."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select
from store_support import MARA, NORA, PAUL, who

from shieldwall.errors import Conflict, NotFound, Tampered, TooMany
from shieldwall.model.access import Permission, Role
from shieldwall.model.marking import Marking
from shieldwall.store import credentials as module
from shieldwall.store.attempts import BanRules
from shieldwall.store.credentials import MOST_PASSKEYS, RecoveryCode
from shieldwall.store.schema import challenges, recovery_codes
from shieldwall.store.sessions import Session, Token, due

CHIEF = who(NORA, Role.ADMINISTRATOR)
SECOND = 1_000_000
HOUR, DAY = 3600 * SECOND, 86_400 * SECOND


def act(store, call):
    with store.act(CHIEF, "test.credentials") as work:
        return call(work)


def at_once(stores, call, times=8):
    """The outcomes of `call` from several threads, over several openings of one store."""
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(lambda number: act(stores[number % len(stores)], call), range(times)))


def session(work, name=b"s", **given):
    times = {"created_at": work.now, "seen_at": work.now, "confirmed_at": work.now, "expires_at": work.now + HOUR}
    return Session(**({"hash": name * 32, "person": MARA, "way": "passkey"} | times | given))


def test_a_passkey_comes_back_and_is_used_once_at_a_time(store):
    made = act(store, lambda work: work.credentials.add_passkey(MARA, b"id", b"key", 3, "laptop"))
    assert act(store, lambda work: work.credentials.passkey(b"id")) == made
    assert act(store, lambda work: work.credentials.passkeys(PAUL)) == []
    assert act(store, lambda work: work.credentials.use_passkey(made, 4))
    assert not act(store, lambda work: work.credentials.use_passkey(made, 5)), "it was read before another ceremony"
    found = act(store, lambda work: work.credentials.passkey(b"id"))
    assert (found.sign_count, found.used_at is not None) == (4, True)
    with pytest.raises(Conflict):
        act(store, lambda work: work.credentials.add_passkey(PAUL, b"id", b"key", 0, "stolen"))
    assert "key" not in repr(made).replace("passkey", "").replace("Passkey", "")


def test_a_person_has_no_end_of_passkeys_and_the_last_one_stays(sqlite_store):
    for number in range(MOST_PASSKEYS):
        act(sqlite_store, lambda work, number=number: work.credentials.add_passkey(MARA, bytes([number]), b"k", 0, "n"))
    with pytest.raises(Conflict):
        act(sqlite_store, lambda work: work.credentials.add_passkey(MARA, b"more", b"k", 0, "n"))
    for number in range(MOST_PASSKEYS - 1):
        act(sqlite_store, lambda work, number=number: work.credentials.remove_passkey(MARA, bytes([number])))
    for wrong, error in ((bytes([MOST_PASSKEYS - 1]), Conflict), (b"none", NotFound)):
        with pytest.raises(error):
            act(sqlite_store, lambda work, wrong=wrong: work.credentials.remove_passkey(MARA, wrong))
    with pytest.raises(NotFound):
        act(sqlite_store, lambda work: work.credentials.remove_passkey(PAUL, bytes([MOST_PASSKEYS - 1])))


def test_two_passkeys_are_not_both_removed_at_once(store, again):
    for name in (b"a", b"b"):
        act(store, lambda work, name=name: work.credentials.add_passkey(MARA, name, b"k", 0, "n"))
    other = again()

    def remove(which):
        at, name = which
        try:
            act(at, lambda work: work.credentials.remove_passkey(MARA, name))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, [(store, b"a"), (other, b"b")])) == [False, True]


def test_a_link_is_used_once_however_many_try_at_once(store, again):
    act(store, lambda work: work.credentials.invite(MARA, "first", b"h" * 32, work.now + HOUR))
    outcomes = at_once([store, again()], lambda work: work.credentials.use_invitation(b"h" * 32))
    assert sorted(outcomes) == [False] * 7 + [True]
    assert act(store, lambda work: work.credentials.invitation(b"h" * 32)) is None


def test_a_link_ends_in_time_and_with_the_next_one(sqlite_store):
    act(sqlite_store, lambda work: work.credentials.invite(MARA, "first", b"a" * 32, work.now + HOUR))
    act(sqlite_store, lambda work: work.credentials.invite(PAUL, "first", b"p" * 32, work.now + HOUR))
    act(sqlite_store, lambda work: work.credentials.invite(MARA, "first", b"b" * 32, work.now + HOUR))
    assert act(sqlite_store, lambda work: work.credentials.invitation(b"a" * 32)) is None
    assert act(sqlite_store, lambda work: work.credentials.invitation(b"b" * 32)).purpose == "first"
    sqlite_store.clock.at += HOUR
    for name in (b"b", b"p"):
        assert act(sqlite_store, lambda work, name=name: work.credentials.invitation(name * 32)) is None
        assert not act(sqlite_store, lambda work, name=name: work.credentials.use_invitation(name * 32))


def test_a_challenge_is_taken_once_for_its_purpose_in_time(store, again):
    value = {"challenge": "00ff"}
    begun = act(store, lambda work: work.credentials.begin("sign in", "", value, 300))
    taken = at_once([store, again()], lambda work: work.credentials.take(begun.id, "sign in"))
    assert [each.value for each in taken if each] == [value]
    begun = act(store, lambda work: work.credentials.begin("make", MARA, value, 300))
    assert act(store, lambda work: work.credentials.take(begun.id, "sign in")) is None
    assert act(store, lambda work: work.credentials.take(begun.id, "make")) is None, "a wrong try uses it up"
    begun = act(store, lambda work: work.credentials.begin("make", MARA, value, 300))
    store.clock.at += 300 * SECOND
    assert act(store, lambda work: work.credentials.take(begun.id, "make")) is None
    for nonsense in ("", "x" * 500, "\u00fc"):
        assert act(store, lambda work, nonsense=nonsense: work.credentials.take(nonsense, "make")) is None


def test_challenges_do_not_grow_without_end(store, monkeypatch):
    monkeypatch.setattr(module, "MOST_CHALLENGES", 5)
    first = act(store, lambda work: work.credentials.begin("sign in", "", {}, 300))
    for _ in range(5):
        act(store, lambda work: work.credentials.begin("make", MARA, {}, 300))
    assert act(store, lambda work: work.credentials.take(first.id, "sign in")) is None, "strangers make room"
    with pytest.raises(TooMany):
        act(store, lambda work: work.credentials.begin("make", MARA, {}, 300))
    store.clock.at += 300 * SECOND
    act(store, lambda work: work.credentials.begin("make", MARA, {}, 300))
    with store.inside(CHIEF) as work:
        assert len(work.connection.execute(select(challenges)).all()) == 1


def test_a_step_of_a_code_is_taken_once_however_many_try_at_once(store, again):
    act(store, lambda work: work.credentials.keep_recovery_code(RecoveryCode(MARA, "BASE32", 10)))
    outcomes = at_once([store, again()], lambda work: work.credentials.use_step(MARA, 11))
    assert sorted(outcomes) == [False] * 7 + [True]
    for step in (9, 10, 11):
        assert not act(store, lambda work, step=step: work.credentials.use_step(MARA, step))
    assert act(store, lambda work: work.credentials.recovery_code(MARA)).last_step == 11
    assert not act(store, lambda work: work.credentials.use_step(PAUL, 99))
    assert act(store, lambda work: work.credentials.remove_recovery_code(MARA))
    assert act(store, lambda work: work.credentials.recovery_code(MARA)) is None


@pytest.mark.needs("postgresql")
def test_codes_and_challenges_are_sealed_where_the_database_is_not(postgresql_store):
    store = postgresql_store
    act(store, lambda work: work.credentials.keep_recovery_code(RecoveryCode(MARA, "SECRETBASE32", 1)))
    act(store, lambda work: work.credentials.keep_recovery_code(RecoveryCode(PAUL, "OTHERBASE32", 1)))
    act(store, lambda work: work.credentials.begin("make", MARA, {"challenge": "deadbeef"}, 300))
    with store.act(CHIEF, "test.look") as work:
        rows = work.connection.execute(select(recovery_codes).order_by(recovery_codes.c.person_id)).all()
        everything = repr(rows) + repr(work.connection.execute(select(challenges)).all())
        assert "BASE32" not in everything
        assert "deadbeef" not in everything
        moved = recovery_codes.update().where(recovery_codes.c.person_id == MARA)
        work.connection.execute(moved.values(secret_sealed=rows[1].secret_sealed))
        with pytest.raises(Tampered):
            work.credentials.recovery_code(MARA)


def test_a_subject_of_a_provider_is_one_person(sqlite_store):
    act(sqlite_store, lambda work: work.credentials.link("https://a.example", "7", MARA))
    act(sqlite_store, lambda work: work.credentials.link("https://b.example", "7", PAUL))
    with pytest.raises(Conflict):
        act(sqlite_store, lambda work: work.credentials.link("https://a.example", "7", PAUL))
    assert act(sqlite_store, lambda work: work.credentials.linked("https://a.example", "7")) == MARA
    assert act(sqlite_store, lambda work: work.credentials.linked("https://c.example", "7")) == ""
    assert act(sqlite_store, lambda work: work.credentials.links(PAUL)) == [("https://b.example", "7")]
    act(sqlite_store, lambda work: work.credentials.unlink("https://a.example", "7"))
    with pytest.raises(NotFound):
        act(sqlite_store, lambda work: work.credentials.unlink("https://a.example", "7"))


def test_a_session_that_ended_is_known_for_a_day_and_stays_ended(store):
    made = act(store, lambda work: work.sessions.begin(made := session(work)) or made)
    act(store, lambda work: work.sessions.end(made))
    ended = act(store, lambda work: work.sessions.find(made.hash))
    assert ended.expires_at < made.expires_at
    act(store, lambda work: work.sessions.touch(made))
    assert act(store, lambda work: work.sessions.find(made.hash)) == ended
    assert act(store, lambda work: work.sessions.confirm(made, b"n" * 32)) is None
    store.clock.at += DAY + HOUR
    act(store, lambda work: work.sessions.begin(session(work, b"2")))
    assert act(store, lambda work: work.sessions.find(made.hash)) is None


def test_sessions_of_one_person_end_and_others_do_not(sqlite_store):
    made = [
        act(sqlite_store, lambda work, name=name: work.sessions.begin(s := session(work, name)) or s)
        for name in (b"a", b"b", b"c")
    ]
    act(sqlite_store, lambda work: work.sessions.begin(session(work, b"p", person=PAUL)))
    assert act(sqlite_store, lambda work: work.sessions.end_all(MARA, but=made[1])) == 2
    assert [each.hash for each in act(sqlite_store, lambda work: work.sessions.of(MARA))] == [b"b" * 32]
    assert len(act(sqlite_store, lambda work: work.sessions.of(PAUL))) == 1


def test_a_confirmed_session_goes_on_under_a_new_name_as_long_as_the_old_one_would(store):
    made = act(store, lambda work: work.sessions.begin(s := session(work, confirmed_at=0)) or s)
    fresh = act(store, lambda work: work.sessions.confirm(made, b"n" * 32))
    assert fresh.confirmed_at > 0
    assert replace(fresh, hash=made.hash, confirmed_at=0, seen_at=made.seen_at) == made
    assert act(store, lambda work: work.sessions.find(fresh.hash)) == fresh
    assert [each.hash for each in act(store, lambda work: work.sessions.of(MARA))] == [fresh.hash]


def test_a_token_comes_back_and_is_revoked_for_good(store):
    token = Token(
        id="7" * 32,
        person=MARA,
        hash=b"t" * 32,
        name="feed",
        scopes=frozenset([Permission.READ, Permission.AUDIT]),
        highest=Marking.AMBER,
        created_at=1,
        expires_at=2,
    )
    act(store, lambda work: work.tokens.add(token))
    assert act(store, lambda work: work.tokens.find(token.id)) == token
    act(store, lambda work: work.tokens.touch(token))
    act(store, lambda work: work.tokens.revoke(token))
    first = act(store, lambda work: work.tokens.find(token.id))
    act(store, lambda work: work.tokens.revoke(token))
    assert act(store, lambda work: work.tokens.of(None)) == [first]
    assert first.revoked_at
    assert first.used_at
    assert act(store, lambda work: work.tokens.of(PAUL)) == []
    assert "tttt" not in repr(first)


def test_failures_count_one_by_one_even_from_several_processes(store, again):
    rules = BanRules(failures=100)
    found = at_once([store, again()], lambda work: work.attempts.failed(b"k" * 32, rules).failures, times=10)
    assert sorted(found) == list(range(1, 11))


def test_a_ban_holds_for_its_key_until_it_ends(sqlite_store):
    rules = BanRules(failures=2, first=60)
    for _ in range(2):
        after = act(sqlite_store, lambda work: work.attempts.failed(b"a" * 32, rules))
    until = after.banned_until
    assert act(sqlite_store, lambda work: work.attempts.banned_until([b"b" * 32, b"a" * 32])) == until
    assert act(sqlite_store, lambda work: work.attempts.banned_until([b"b" * 32])) == 0
    assert act(sqlite_store, lambda work: work.attempts.banned_until([])) == 0
    sqlite_store.clock.at = until
    assert act(sqlite_store, lambda work: work.attempts.banned_until([b"a" * 32])) == 0


def test_what_counts_no_longer_is_forgotten(sqlite_store):
    rules = BanRules(failures=2)
    act(sqlite_store, lambda work: work.attempts.failed(b"a" * 32, rules))
    sqlite_store.clock.at += 3 * DAY
    act(sqlite_store, lambda work: work.attempts.failed(b"b" * 32, rules))
    assert act(sqlite_store, lambda work: work.attempts.failed(b"a" * 32, rules)).failures == 1


@pytest.mark.parametrize(("seen", "answer"), [(None, True), (0, True), (1, False), (60 * SECOND, False)])
def test_being_seen_is_noted_once_a_minute(seen, answer):
    assert due(seen, 60 * SECOND) == answer


def test_nothing_of_a_secret_is_in_the_log(sqlite_store):
    act(sqlite_store, lambda work: work.credentials.keep_recovery_code(RecoveryCode(MARA, "SECRETBASE32", 1)))
    with sqlite_store.inside(CHIEF) as work:
        assert "SECRETBASE32" not in json.dumps([dict(leaf.entry) for leaf in work.audit.leaves()])
