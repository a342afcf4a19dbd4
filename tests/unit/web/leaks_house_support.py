"""A node beside the model of who may see what: whatever anybody hears is held to the model."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote

from leaks_model_support import RED, TLP, Dice, Eye, Group, Person, Thing, World, canaries, canary
from web_support import Answer, Site, address_of

from shieldwall.model.access import Permission, Role
from shieldwall.model.marking import Marking
from shieldwall.model.network import REGTEST
from shieldwall.node import outbound
from shieldwall.node.operators import operator
from shieldwall.node.watches.delivery import Deliverer
from shieldwall.store.schema import audit_head, metadata

OPERATOR = operator("test")
SUBJECTS = tuple(address_of(name) for name in ("watched", "first", "second"))
CHAIN = REGTEST.caip2
KEPT = ("meta", "node_keys", "audit_head", "alembic_version")


@dataclass
class Tally:
    """How much was tried, so that nobody takes an idle machine for a tight house."""

    asked: int = 0
    heard: int = 0  # canaries that somebody rightly heard
    hidden: int = 0  # answers about what is hidden that were held to those about what is not there
    let_out: int = 0  # canaries that left the node by hook or mail


class Leak(AssertionError):
    """Somebody heard what they may not, or did not hear what they may."""


@dataclass(frozen=True)
class Hook:
    """An endpoint that alarms are posted to."""

    url: str = "https://hook.example.org/alarm"
    highest: Marking = Marking.AMBER
    allow_private: bool = False


@dataclass(frozen=True)
class Post:
    """Where mail is handed in."""

    host: str = "mail.example.org"
    port: int = 25
    sender: str = "node@example.org"
    starttls: bool = False
    user: str = ""
    password_file: None = None
    highest: Marking = Marking.AMBER


class Ears(logging.Handler):
    """Hears every log line."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class House:
    """The node, its people, and what was heard.

    Args:
        site: The node; everything in its store but its keys goes.
        dice: How the first people are.
        ears: Hears the log.
        tally: Counts.
    """

    def __init__(self, site: Site, dice: Dice, ears: Ears, tally: Tally) -> None:
        self.site = site
        self.tally = tally
        self.world = World()
        self.ears = ears
        self.posted: list[tuple[str, str]] = []
        self.running: list[tuple[Thing, Any]] = []
        self._doubts: list[tuple[Eye, str, str]] = []
        empty(site)
        ears.lines.clear()
        site.node.deliverer = Deliverer(
            site.store,
            sign=lambda _purpose, _message: {"key": "k"},
            receiver_of=site.node._receiver_of,
            origin=site.node.config.origin,
            webhooks=[Hook()],
            mail=Post(),
            post=self._post,
            send=lambda _server, message: self.posted.append((message["To"], _text(message))),
        )
        self._people(dice)
        self._audited = site.store.audit_size()

    def _post(self, url: str, body: bytes, _: Any, **__: Any) -> outbound.Answer:
        self.posted.append((url, body.decode()))
        return outbound.Answer(status=200, body=b"")

    def new_leaves(self) -> list[Mapping[str, Any]]:
        """Entries of the audit log since it was last asked so."""
        found: list[Mapping[str, Any]] = self.site.leaves(self._audited)
        self._audited += len(found)
        return found

    def _people(self, dice: Dice) -> None:
        names = [role.value for role in Role]
        with self.site.store.act(OPERATOR, "test.people") as work:
            for number in range(6):
                roles = {"analyst"} if number < 3 else {dice.pick(names)}
                roles |= set(dice.some(names, 0.2))
                highest = dice.pick((1, 2, 3, 4, 4, 4))
                mail = f"{canary()}@example.org"
                made = work.people.add(
                    f"Person {number}",
                    roles=[Role(role) for role in roles],
                    highest=Marking(highest),
                    mail=mail,
                )
                self.world.people.append(Person(made.id, made.name, roles, highest, mail))
            for _ in range(2):
                group = Group(work.people.add_group(canary()).id, "")
                group.name = work.people.group(group.id).name
                for person in dice.some(self.world.people):
                    work.people.join(group.id, person.id)
                    group.members.add(person.id)
                self.world.groups[group.id] = group
        for person in self.world.people:
            self.open_session(person)

    def open_session(self, person: Person) -> None:
        self.world.eyes.append(Eye(self.site.session(person.id), person))

    def open_token(self, person: Person, ceiling: int, scopes: Iterable[str]) -> None:
        name, wanted = canary(), frozenset(scopes)
        caller = self.site.token(
            person.id, *(Permission(scope) for scope in wanted), highest=Marking(ceiling), name=name
        )
        self.world.eyes.append(Eye(caller, person, ceiling, wanted, name))

    # hearing

    def ask(self, eye: Eye, method: str, path: str, body: Any = None, raw: bytes = b"", **given: Any) -> Answer:
        """One request; what comes back is held to the model now, or at the end of the step."""
        self.tally.asked += 1
        if raw:
            given["body"] = raw
        answer = eye.caller.ask(method, path, body, **given)
        said = canaries(f"{path} {json.dumps(body)} {raw!r}")
        self.hear(eye, f"{method} {path}", f"{answer.text} {answer.headers}", said)
        if answer.status >= 500:
            raise Leak(f"{method} {path}: {answer.status} {answer.text}")
        return answer

    def hear(self, eye: Eye, where: str, text: str, said: Iterable[str] = ()) -> None:
        """Hold a text that somebody got to the model; what they say themselves is theirs."""
        for each in canaries(text).difference(said):
            self.tally.heard += 1
            if not self.world.may_read(eye, each):
                self._doubts.append((eye, where, each))

    def settle(self) -> None:
        """At the end of a step: what the step itself opened was no leak; anything else was. Logs tell nobody anything."""
        doubts, self._doubts = self._doubts, []
        for eye, where, each in doubts:
            if not self.world.may_read(eye, each):
                raise Leak(f"{eye.person.name} heard {each} at {where}: {self._whose(each)}")
        for line in self.ears.lines:
            if canaries(line):
                raise Leak(f"a line of the log says {line}")
        self.ears.lines.clear()

    def _whose(self, text: str) -> str:
        return "; ".join(repr(thing) for thing in self.world.things if text == thing.mark or text in thing.bears)

    def same(self, where: str, found: Any, wanted: Any) -> None:
        """Hold what was told to what the model says."""
        if found != wanted:
            raise Leak(f"{where}: {found}, and the model says {wanted}")

    def alike(self, eye: Eye, method: str, path: str, thing_id: str, body: Any = None, **given: Any) -> Answer:
        """Ask for something hidden, and for something that is not there: the two answers must be the same."""
        hidden = self.ask(eye, method, path.format(thing_id), _with(body, thing_id), **given)
        self.tally.hidden += 1
        nothing = "0" * len(thing_id)
        absent = self.ask(eye, method, path.format(nothing), _with(body, nothing), **given)
        one = (hidden.status, hidden.text.replace(thing_id, nothing), dict(hidden.headers))
        self.same(f"{method} {path} of something hidden", one, (absent.status, absent.text, dict(absent.headers)))
        return hidden

    def refuses(self, eye: Eye, permission: str) -> int:
        """Which status whoever lacks a permission gets; 0 for who has it."""
        if eye.over:
            return 401
        return 0 if getattr(eye, permission) else 403

    # choosing

    def anyone(self, dice: Dice) -> Eye:
        """Mostly somebody who still comes in."""
        there = [eye for eye in self.world.eyes if not eye.over]
        return dice.pick(there if there and dice.under(0.93) else self.world.eyes)

    def writer(self, dice: Dice) -> Eye:
        """Mostly somebody who may write."""
        able = [eye for eye in self.world.eyes if eye.writes]
        return dice.pick(able) if able and dice.under(0.9) else self.anyone(dice)

    def handling(self, dice: Dice, eye: Eye) -> dict[str, Any]:
        """How something new is handled, mostly so that it may be."""
        world, person = self.world, eye.person
        cases, groups = world.of("case"), list(world.groups.values())
        if dice.under(0.9):
            cases = [case for case in cases if world.member(person, case)]
            groups = [group for group in groups if person.id in group.members]
        asked: dict[str, Any] = {
            "marking": TLP[dice.pick((0, 1, 1, 2, 2, 3, 4, 4))],
            "pap": f"PAP:{dice.pick(PAPS)}",
        }
        if cases and dice.under(0.5):
            asked["case"] = dice.pick(cases).id
        if groups and dice.under(0.3):
            asked["group"] = dice.pick(groups).id
        return asked

    def keep(self, kind: str, thing_id: str, mark: str, asked: Mapping[str, Any], owner: str, **more: Any) -> Thing:
        """Note something new in the model."""
        thing = Thing(kind, thing_id, mark, *ranks(asked), owner, asked.get("case"), asked.get("group"), more=more)
        self.world.things.append(thing)
        return thing


PAPS = ("CLEAR", "GREEN", "AMBER", "RED")


def ranks(asked: Mapping[str, Any]) -> tuple[int, int]:
    """The numbers of a marking and a PAP; what is not said is the strictest."""
    return TLP.index(asked.get("marking") or TLP[RED]), PAPS.index((asked.get("pap") or "PAP:RED").removeprefix("PAP:"))


def query(values: Mapping[str, Any]) -> str:
    """As a query string."""
    return "&".join(f"{name}={quote(str(value), safe='')}" for name, value in values.items() if value is not None)


def empty(site: Site) -> None:
    """Take everything out of a store but its keys; its roots are forgotten, for its log begins anew."""
    site.node.home.config.audit_roots.unlink(missing_ok=True)
    with site.store.backend.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        for table in metadata.sorted_tables:
            if table.name not in KEPT:
                connection.execute(table.delete())
        connection.execute(audit_head.update().values(size=0, frontier=b""))
        connection.commit()
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")


def _with(body: Any, thing_id: str) -> Any:
    return json.loads(json.dumps(body).replace('"{}"', f'"{thing_id}"')) if isinstance(body, dict) else body


def _text(message: EmailMessage) -> str:
    return f"{message.as_string()} {message.get_content()}"
