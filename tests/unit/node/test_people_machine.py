"""Doors against a model of them: whatever happens in whatever order, who comes in is who should, as what they should be."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from passkey_support import Authenticator
from people_support import HERE, OPERATOR, House

from shieldwall.errors import ConfirmFirst, Conflict, NotAllowed, NotSignedIn, ShieldwallError, TooMany, UsageError
from shieldwall.model.access import GRANTS, Kind, Permission, Role
from shieldwall.model.marking import Marking
from shieldwall.node.people.recovery import begin_recovery
from shieldwall.store.attempts import Attempts, BanRules

SECOND = 1_000_000
IDLE, LONGEST, CONFIRM = 900 * SECOND, 28_800 * SECOND, 300 * SECOND
ROLES = st.sets(st.sampled_from([Role.ANALYST, Role.VIEWER, Role.AUDITOR, Role.APPROVER]), min_size=1)
NUMBER = st.integers(0, 9)
BANS = BanRules(failures=3)


@dataclass
class Someone:
    id: str
    keys: list[Authenticator]
    roles: set[Role]
    highest: Marking
    version: int = 1
    active: bool = True
    failed: Attempts = field(default_factory=Attempts)


@dataclass
class Cookie:
    secret: str
    who: Someone
    began: int
    confirmed: int
    seen: int
    over: bool = False


@dataclass
class Machine:
    text: str
    id: str
    who: Someone
    scopes: set[Permission]
    highest: Marking
    until: int
    over: bool = False


@dataclass
class Model:
    people: list[Someone] = field(default_factory=list)
    cookies: list[Cookie] = field(default_factory=list)
    tokens: list[Machine] = field(default_factory=list)


class Doorkeeping(RuleBasedStateMachine):
    """People with passkeys, their sessions and tokens, and a clock."""

    @initialize()
    def move_in(self):
        self.folder = tempfile.TemporaryDirectory()
        self.house = House(Path(self.folder.name), bans=BANS, identity_rate=1e9, identity_burst=10**9)
        self.model = Model()
        for name in ("Mara", "Rune"):
            person, key, _ = self.house.person(name, Role.ANALYST, highest=Marking.AMBER)
            someone = Someone(person, [key], {Role.ANALYST}, Marking.AMBER)
            self.model.people.append(someone)

    def teardown(self):
        if hasattr(self, "house"):
            self.house.store.close()
            self.folder.cleanup()

    @property
    def now(self) -> int:
        return self.house.store.now()

    def alive(self, cookie: Cookie) -> bool:
        now = self.now
        fresh = now - cookie.began < LONGEST and now - cookie.seen < IDLE
        return cookie.who.active and not cookie.over and fresh

    def banned(self, who: Someone) -> bool:
        """Whether they came with their passkey too often while shut out."""
        return who.failed.banned_until > self.now

    def end(self, who: Someone, but: Cookie | None = None) -> None:
        for cookie in self.model.cookies:
            cookie.over = cookie.over or (cookie.who is who and cookie is not but)

    @rule(seconds=st.sampled_from([1, 30, 61, 299, 301, 899, 901, 7200]))
    def time_passes(self, seconds):
        self.house.clock.pass_seconds(seconds)

    @rule(which=NUMBER, key=NUMBER)
    def sign_in(self, which, key):
        who = self.model.people[which % 2]
        try:
            secret, (session, _) = self.house.sign_in_with_secret(who.keys[key % len(who.keys)], self.house.somewhere())
        except TooMany:
            assert self.banned(who)
            return
        except NotSignedIn:
            assert not who.active
            assert not self.banned(who)
            who.failed = who.failed.failed(self.now, BANS)
            return
        assert who.active
        assert not self.banned(who)
        at = session.created_at
        self.model.cookies.append(Cookie(secret, who, at, at, at))

    @precondition(lambda self: self.model.cookies)
    @rule(
        which=NUMBER, what=st.sampled_from(["use", "confirm", "sign out", "everywhere", "key", "token"]), data=st.data()
    )
    def come_with_a_cookie(self, which, what, data):
        house = self.house
        cookie = self.model.cookies[which % len(self.model.cookies)]
        alive, now = self.alive(cookie), self.now
        try:
            signed = house.doors.session(cookie.secret, house.somewhere())
        except NotSignedIn:
            assert not alive
            return
        assert alive
        who = cookie.who
        identity = signed[1]
        assert (identity.person, identity.kind, identity.roles) == (who.id, Kind.PERSON, who.roles)
        assert identity.highest == who.highest
        if now - cookie.seen >= 60 * SECOND:
            cookie.seen = now
        recent = self.now - cookie.confirmed <= CONFIRM
        if what == "confirm":
            challenge, options = house.doors.begin_confirmation(signed)
            answer = who.keys[-1].sign_in(options)
            try:
                secret, session, _ = house.doors.finish_confirmation(house.somewhere(), signed, challenge, answer)
            except TooMany:
                assert self.banned(who)
                return
            assert not self.banned(who)
            cookie.over = True
            at = session.confirmed_at
            self.model.cookies.append(Cookie(secret, who, cookie.began, at, at))
        elif what == "sign out":
            house.doors.sign_out(signed)
            cookie.over = True
        elif what == "everywhere":
            house.doors.sign_out_everywhere(signed)
            self.end(who)
        elif what == "key":
            self.change_key(signed, cookie, recent=recent)
        elif what == "token":
            self.issue(signed, who, data, recent=recent)

    def change_key(self, signed, cookie, *, recent):
        house, who = self.house, cookie.who
        try:
            if len(who.keys) > 1:
                house.doors.remove_passkey(signed, who.keys[0].keys[-1].id)
                who.keys.pop(0)
                self.end(who, but=cookie)
            else:
                challenge, options = house.doors.begin_registration(HERE, signed=signed)
                made = Authenticator()
                house.doors.finish_registration(HERE, challenge, made.register(options), signed=signed)
                who.keys.append(made)
        except ConfirmFirst:
            assert not recent
        else:
            assert recent

    def issue(self, signed, who, data, *, recent):
        scopes = data.draw(st.sets(st.sampled_from(Permission)))
        highest = data.draw(st.sampled_from(Marking))
        seconds = data.draw(st.sampled_from([60, 3600, 86_400]))
        granted = {permission for role in who.roles for permission in GRANTS[role]}
        may_be = scopes and scopes <= {Permission.READ, Permission.WRITE, Permission.AUDIT}
        sound = may_be and scopes <= granted and highest <= min(who.highest, Marking.AMBER_STRICT)
        try:
            text, token = self.house.doors.issue_token(
                signed[1], "t", scopes=scopes, highest=highest, seconds=seconds, signed=signed
            )
        except ConfirmFirst:
            assert not recent
            return
        except (UsageError, NotAllowed):
            assert recent
            assert not sound
            return
        assert sound
        assert recent
        until = token.created_at + seconds * SECOND
        self.model.tokens.append(Machine(text, token.id, who, set(scopes), highest, until))

    @precondition(lambda self: self.model.tokens)
    @rule(which=NUMBER, revoke=st.booleans())
    def come_with_a_token(self, which, revoke):
        token = self.model.tokens[which % len(self.model.tokens)]
        who = token.who
        alive = who.active and not token.over and self.now < token.until
        try:
            identity = self.house.doors.token(token.text, self.house.somewhere())
        except ShieldwallError:
            assert not alive
            return
        assert alive
        granted = {permission for role in who.roles for permission in GRANTS[role]}
        assert (identity.person, identity.kind) == (who.id, Kind.TOKEN)
        assert identity.permissions == granted & token.scopes
        assert identity.highest == min(token.highest, who.highest)
        if revoke:
            self.house.doors.revoke_token(identity, token.id)
            token.over = True

    @rule(which=NUMBER, roles=ROLES, highest=st.sampled_from(Marking))
    def change(self, which, roles, highest):
        who = self.model.people[which % 2]
        self.house.doors.people.change(OPERATOR, who.id, who.version, roles=roles, highest=highest)
        who.roles, who.highest, who.version = roles, highest, who.version + 1

    @rule(which=NUMBER)
    def shut_out_or_let_in(self, which):
        who = self.model.people[which % 2]
        people = self.house.doors.people
        if who.active:
            people.disable(OPERATOR, who.id, who.version)
            self.end(who)
            for token in self.model.tokens:
                token.over = token.over or token.who is who
        else:
            people.enable(OPERATOR, who.id, who.version)
        who.active, who.version = not who.active, who.version + 1

    @rule(which=NUMBER, finish=st.booleans())
    def recover(self, which, finish):
        who = self.model.people[which % 2]
        try:
            link = begin_recovery(self.house.store, OPERATOR, self.name_of(who))
        except Conflict:
            assert not who.active
            return
        assert who.active
        self.end(who)
        if finish:
            made = Authenticator()
            self.house.use(link, made, client=self.house.somewhere())
            who.keys = [made]

    def name_of(self, who: Someone) -> str:
        return self.house.doors.people.get(OPERATOR, who.id).name

    @invariant()
    def nobody_is_banned_who_made_no_mistake(self):
        if hasattr(self, "house"):
            with self.house.store.inside(OPERATOR) as work:
                assert work.attempts.banned_until([self.house.store.secrets.keyed("attempt", "client", "unknown")]) == 0


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Doorkeeping, settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    )


def test_doors_let_in_whom_they_should():
    run(8, 25)


@pytest.mark.full
def test_doors_let_in_whom_they_should_for_long():
    run(100, 50)
