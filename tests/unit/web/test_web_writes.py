"""Writes through the API, held to a model: versions, repetitions, and what stands afterwards; planted faults are found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from leaks_house_support import empty
from web_support import Answer, Caller, Site, address_of, site_in

import shieldwall.web.routes.cases as case_routes
import shieldwall.web.routes.people as people_routes
from shieldwall.model.access import Role
from shieldwall.store.cases import Cases
from shieldwall.store.claims import Claims
from shieldwall.store.people import People
from shieldwall.store.watches import Watches
from shieldwall.web.repeats import Repeats

TLP = ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED")
LISTS = {"cases": "cases", "people": "people", "watches": "watches", "claims": "claims"}
WHERE = st.integers(0, 9)
WHICH = st.sampled_from(("now", "now", "now", "stale", "none"))


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    with site_in(tmp_path_factory.mktemp("site")) as site:
        yield site


class WriteMachine(RuleBasedStateMachine):
    """One person with every role, who makes and changes; `stands` is what must be there, by path."""

    site: ClassVar[Site]

    @initialize()
    def begin(self) -> None:
        empty(self.site)
        self.me = self.site.person("Mara", *Role)
        self.caller: Caller = self.site.session(self.me)
        self.stands: dict[str, dict[str, Any]] = {f"/people/{self.me}": self.caller.get(f"/people/{self.me}").json}
        self.keys: dict[str, tuple[str, Any, Answer]] = {}
        self.old: dict[str, str] = {}
        self.number = 0

    def _add(self, path: str, body: dict[str, Any], *, keyed: bool) -> None:
        self.number += 1
        key = f"key {self.number}"
        answer = self.caller.post(path, body, headers={"idempotency-key": key} if keyed else {})
        assert answer.status == 201, answer.text
        if keyed:
            self.keys[key] = (path, body, answer)
        shown = answer.json
        for name, value in body.items():
            if name in shown:
                assert shown[name] == value, f"{name} is {shown[name]}, and {value} was sent"
        self.stands[f"{path}/{shown['id']}"] = shown

    @rule(silent=st.booleans(), marking=st.sampled_from(TLP), keyed=st.booleans())
    def add_case(self, silent, marking, keyed):
        self._add("/cases", {"title": f"case {self.number}", "silent": silent, "marking": marking}, keyed=keyed)
        case = list(self.stands.values())[-1]
        assert case["handling"]["marking"] == marking

    @rule(
        roles=st.sets(st.sampled_from([role.value for role in Role])), marking=st.sampled_from(TLP), keyed=st.booleans()
    )
    def add_person(self, roles, marking, keyed):
        body = {"name": f"Person {self.number}", "roles": sorted(roles), "highest": marking, "mail": "a@example.org"}
        self._add("/people", body, keyed=keyed)

    @rule(kind=st.sampled_from(("watched", "first")), keyed=st.booleans())
    def add_watch(self, kind, keyed):
        body = {"kind": "address", "target": address_of(kind), "note": f"note {self.number}", "channels": ["mail"]}
        self.number += 1
        key = f"key {self.number}"
        answer = self.caller.post("/watches", body, headers={"idempotency-key": key} if keyed else {})
        assert answer.status == 201, answer.text
        assert answer.json["note"] == body["note"]
        if keyed:
            self.keys[key] = ("/watches", body, answer)
        self.stands[f"/watches/{answer.json['id']}"] = answer.json

    @rule(keyed=st.booleans())
    def add_claim(self, keyed):
        subject = {"type": "address", "chain": "x", "name": address_of("watched")}
        body = {
            "subject": subject,
            "kind": "note",
            "statement": {"text": f"seen {self.number}"},
            "layer": "observation",
        }
        self.number += 1
        key = f"key {self.number}"
        answer = self.caller.post("/claims", body, headers={"idempotency-key": key} if keyed else {})
        assert answer.status == 201, answer.text
        assert answer.json["claim"]["statement"] == body["statement"]
        if keyed:
            self.keys[key] = ("/claims", body, answer)
        self.stands[f"/claims/{answer.json['id']}"] = answer.json

    @rule(where=WHERE)
    def repeat(self, where):
        """The same again is answered as the first time, or refused; it is never done again."""
        if not self.keys:
            return
        key = sorted(self.keys)[where % len(self.keys)]
        path, body, first = self.keys[key]
        again = self.caller.post(path, body, headers={"idempotency-key": key})
        assert again.status == 409 or (again.status, again.body) == (first.status, first.body), again.text
        other = self.caller.post(path, {**body, "pap": "PAP:CLEAR"}, headers={"idempotency-key": key})
        assert other.status == 409, other.text

    def _one(self, kind: str, where: int) -> str | None:
        found = [path for path in self.stands if path.startswith(f"/{kind}/")]
        return found[where % len(found)] if found else None

    def _change(self, method: str, path: str, tail: str, body: dict[str, Any], which: str) -> None:
        before = self.caller.get(path)
        now = before.headers["etag"]
        tag = {"now": now, "stale": self.old.get(path, '"stale"'), "none": ""}[which]
        answer = self.caller.ask(method, path + tail, body, headers={"if-match": tag} if tag else {})
        if which == "none":
            assert answer.status == 428, answer.text
        elif tag != now:
            assert answer.status == 412, answer.text
        elif answer.status == 200:
            assert {name: answer.json[name] for name in body} == body
            self.stands[path] = answer.json
            self.old[path] = now
            if answer.json != before.json:
                assert answer.json["version"] == before.json["version"] + 1
        else:
            assert answer.status in {403, 404, 409}, answer.text

    @rule(where=WHERE, which=WHICH, title=st.sampled_from(("a", "b", "c")), status=st.sampled_from(("open", "closed")))
    def change_case(self, where, which, title, status):
        path = self._one("cases", where)
        if path:
            self._change("PATCH", path, "", {"title": title, "status": status}, which)

    @rule(where=WHERE, which=WHICH, alone=st.booleans())
    def set_members(self, where, which, alone):
        path = self._one("cases", where)
        if path:
            others = [] if alone else [each["id"] for name, each in self.stands.items() if name.startswith("/people/")]
            self._change("PUT", path, "/members", {"people": sorted({self.me, *others}), "groups": []}, which)

    @rule(where=WHERE, which=WHICH, mail=st.sampled_from(("", "b@example.org")), marking=st.sampled_from(TLP))
    def change_person(self, where, which, mail, marking):
        path = self._one("people", where)
        if path and not path.endswith(self.me):
            self._change("PATCH", path, "", {"mail": mail, "highest": marking}, which)

    @rule(where=WHERE)
    def disable_and_return(self, where):
        path = self._one("people", where)
        if path and not path.endswith(self.me):
            disabled = "disabled" in self.caller.get(path).json and self.caller.get(path).json["disabled"]
            answer = self.caller.post(f"{path}/return") if disabled else self.caller.delete(path)
            assert answer.status == 200, answer.text
            assert bool(answer.json["disabled"]) is not bool(disabled)
            self.stands[path] = answer.json

    @rule(where=WHERE)
    def retract(self, where):
        path = self._one("claims", where)
        if path:
            before = self.stands[path]
            answer = self.caller.post(f"{path}/retraction", {"reason": "an error"})
            assert answer.status == (409 if before.get("reason") else 201), answer.text
            if answer.status == 201:
                assert (answer.json["id"], answer.json.get("reason")) == (before["id"], "an error")
                self.stands[path] = answer.json

    @rule(where=WHERE)
    def stop_watch(self, where):
        path = self._one("watches", where)
        if path:
            answer = self.caller.delete(path)
            assert answer.status == (200 if self.stands[path]["active"] else 409), answer.text
            if answer.status == 200:
                assert answer.json["active"] is False
                self.stands[path] = answer.json

    @rule(where=WHERE)
    def show(self, where):
        path = list(self.stands)[where % len(self.stands)]
        answer = self.caller.get(path)
        assert (answer.status, answer.json) == (200, self.stands[path])
        assert self.caller.get(path, headers={"if-none-match": answer.headers["etag"]}).status == 304

    @invariant()
    def nothing_else_stands(self):
        if not hasattr(self, "stands"):
            return
        kind = list(LISTS)[self.number % len(LISTS)]
        listed = {f"/{kind}/{each['id']}": each for each in self.caller.get(f"/{kind}?most=200").json[LISTS[kind]]}
        assert listed == {path: each for path, each in self.stands.items() if path.startswith(f"/{kind}/")}


def run(site: Site, examples: int, steps: int = 40) -> None:
    class Machine(WriteMachine):
        pass

    Machine.site = site
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_what_is_written_stands(site):
    run(site, 8)


@pytest.mark.full
def test_what_is_written_stands_at_length(site):
    run(site, 120)


def lost_update(monkeypatch) -> None:
    monkeypatch.setattr(case_routes, "must_match", lambda *_: None)
    monkeypatch.setattr(people_routes, "must_match", lambda *_: None)


def done_twice(monkeypatch) -> None:
    monkeypatch.setattr(Repeats, "begin", lambda *_: None)


def a_field_is_dropped(monkeypatch) -> None:
    change = People.change
    monkeypatch.setattr(People, "change", lambda self, *given, **more: change(self, *given, **{**more, "mail": None}))


def silence_is_dropped(monkeypatch) -> None:
    add = Cases.add
    monkeypatch.setattr(Cases, "add", lambda self, title, **more: add(self, title, **{**more, "silent": False}))


def not_taken_back(monkeypatch) -> None:
    monkeypatch.setattr(Claims, "_retract", lambda *_: None)


def not_stopped(monkeypatch) -> None:
    monkeypatch.setattr(Watches, "stop", lambda self, watch_id: self.get(watch_id))


@pytest.mark.full
@pytest.mark.parametrize(
    "plant",
    [lost_update, done_twice, a_field_is_dropped, silence_is_dropped, not_taken_back, not_stopped],
    ids=lambda plant: plant.__name__,
)
def test_a_planted_fault_is_found(site, monkeypatch, plant):
    plant(monkeypatch)
    with pytest.raises((AssertionError, ExceptionGroup)):
        run(site, 60)
