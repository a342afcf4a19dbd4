"""Who may come in where: docs/access.md is what the rules say, and what every route does to every kind of caller."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter
from web_support import HOUR, Caller, Site, address_of, site_in

from shieldwall.model.access import Permission, Role
from shieldwall.node.people.tokens import SCOPES
from shieldwall.store.attempts import BanRules
from shieldwall.web.app import ROOT, pages_with_rules, routes_with_rules
from shieldwall.web.door import DoorRoute, Routes
from shieldwall.web.rules import RULES, Rule

NOWHERE = "0" * 32
FILLED = {
    "{address}": address_of("watched"),
    "{claim_id}": "0" * 64,
    "{height}": "0",
    "{number}": "0",
    "{passkey_id}": "AAAA",
    "{txid}": "0" * 64,
}
QUERIES = {
    "/oidc/callback": "?state=s&code=c",
    "/search": "?q=nothing",
    "/subjects": "?name=nothing",
    "POST /files": "?name=a.bin",
    "POST /cases/{case_id}/evidence": "?name=a.bin&method=m&source=s",
    "POST /tag-sets": "?file=a.csv",
}
BODIES: dict[str, Any] = {
    "POST /traces/{trace_id}/sheet/steps": {"kind": "boxes", "value": 120},
    "POST /approvals": {"thing": "case", "id": NOWHERE, "marking": "TLP:RED", "pap": "PAP:RED", "reason": "why"},
    "POST /approvals/{approval_id}/decision": {"approve": True},
    "POST /cases": {"title": "A case"},
    "POST /claims": {
        "subject": {"type": "address", "chain": "x", "name": "y"},
        "kind": "note",
        "statement": {"text": "seen"},
        "layer": "observation",
    },
    "POST /cases/{case_id}/evidence/adopted": {"file": NOWHERE, "method": "m", "source": "s"},
    "POST /cases/{case_id}/events": {"text": "found", "when": "2026-10-01"},
    "POST /cases/{case_id}/findings": {"layer": "observation", "text": "found"},
    "POST /cases/{case_id}/packs": {"to": "a court"},
    "POST /cases/{case_id}/relations": {
        "source": {"type": "group", "name": "a"},
        "relation": "attacked",
        "target": {"type": "victim", "name": "b"},
    },
    "POST /cases/{case_id}/requests": {"kind": "inform"},
    "POST /cases/{case_id}/traces": {"file": NOWHERE},
    "PUT /cases/{case_id}/incident": {"answers": {}},
    "POST /evidence/{evidence_id}/custody": {"deed": "examined", "why": "analysis"},
    "POST /intakes": {"title": "An incident"},
    "POST /requests/{request_id}/decision": {"approve": True, "digest": "0" * 64},
    "POST /requests/{request_id}/deeds": {"deed": "submit", "version": 1},
    "PUT /requests/{request_id}": {"version": 1, "content": {}},
    "POST /groups": {"name": "A group"},
    "POST /markings": {"thing": "case", "id": NOWHERE, "marking": "TLP:RED", "pap": "PAP:RED"},
    "POST /people/{person_id}/invitation": {},
    "POST /people/{person_id}/links": {"issuer": "https://id.example.org", "subject": "s"},
    "POST /registration/begin": {"secret": "s"},
    "POST /tokens": {"name": "a token", "scopes": ["read"], "highest": "TLP:CLEAR"},
    "POST /traces": {"targets": ["x"]},
    "POST /watches": {"kind": "address", "target": address_of("watched")},
    "PUT /groups/{group_id}/people": {"people": []},
}
RAW = ("POST /files", "POST /tag-sets", "POST /cases/{case_id}/evidence", "POST /requests/{request_id}/reply")
DOOR_SAYS = ("that needs the permission to", "that is not for machines", "a write with a session must come from")
UNRECORDED = {
    "session.confirm": "a question of the ceremony; its end is recorded",
    "passkey.begin": "likewise",
    "recovery.enrol": "likewise",
}
"""Acts that may leave no leaf though they were let in, and why."""


@pytest.fixture(scope="module")
def tool(root):
    spec = importlib.util.spec_from_file_location("make_access", root / "tools" / "make_access.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    with site_in(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def people(site) -> dict[str, str]:
    """Id of a person for each role alone, and of one with every role, by name."""
    found = {role.value: site.person(f"The {role.value}", role) for role in Role}
    return found | {"all": site.person("Jack of all trades", *Role)}


@pytest.fixture(scope="module")
def page(tool, root) -> list[dict[str, str]]:
    """The committed page, a row for each route."""
    head, *rows = tool.read((root / "docs" / "access.md").read_text(encoding="utf-8"))
    return [dict(zip(head, row, strict=True)) for row in rows]


def ask(caller: Caller, method: str, path: str, **given: Any):
    """A call of a route that looks right."""
    route = f"{method} {path}"
    for name, value in FILLED.items():
        path = path.replace(name, value)
    while "{" in path:
        path = path[: path.index("{")] + NOWHERE + path[path.index("}") + 1 :]
    query = QUERIES.get(route) or (QUERIES.get(path, "") if method == "GET" else "")
    if method in ("GET", "DELETE"):
        return caller.ask(method, path + query, **given)
    if route in RAW:
        return caller.ask(method, path + query, body=b"\0", **given)
    return caller.ask(method, path + query, BODIES.get(route, {}), **given)


def outcome(answer) -> str:
    """What a door did, in the words of the page; what is refused behind it, such as a marking that is too high, is a yes."""
    problem = answer.json if "problem+json" in answer.headers.get("content-type", "") else {"type": "", "detail": ""}
    words = {"not-signed-in": "sign in", "confirm-first": "passkey", "not-allowed": "no", "too-many": "banned"}
    word = words.get(problem["type"].rpartition(":")[2], "yes")
    return "yes" if word == "no" and not problem["detail"].startswith(DOOR_SAYS) else word


def test_the_page_is_what_the_rules_say(tool, root):
    assert (root / "docs" / "access.md").read_text(encoding="utf-8") == tool.page(
        routes_with_rules(), pages_with_rules()
    ), "run tools/make_access.py, and look at what changed"


def test_the_page_has_every_route_of_the_application(site, page):
    served = site.nobody.get("/openapi.json").json["paths"]
    described = {(method.upper(), path.removeprefix(ROOT)) for path, each in served.items() for method in each}
    assert described == {(row["method"], row["path"]) for row in page}


def test_what_the_openapi_says_of_who_may_come_is_the_page(site, page):
    served = site.nobody.get("/openapi.json").json["paths"]
    for row in page:
        operation = served[ROOT + row["path"]][row["method"].lower()]
        tokens = any(cell != "no" for name, cell in row.items() if name.startswith("token"))
        ways = {kind for each in operation["security"] for kind in each}
        if row["nobody"] == "yes":
            assert ways == set(), row
        else:
            assert ways == ({"session", "token"} if tokens else {"session"}), row


def test_every_route_does_to_everyone_what_the_page_says(site, people, page, tool):
    wrong = []
    for row in page:
        method, path = row["method"], row["path"]
        for name in (head for head in row if head not in ("method", "path", "act")):
            if name == "nobody":
                caller = site.nobody
            elif name in tool.SCOPES:
                caller = site.token(people["all"], *tool.SCOPES[name])
            else:
                caller = site.session(people[name])
            before = site.store.audit_size()
            answer = ask(caller, method, path)
            did = outcome(answer)
            expected = "yes" if row[name] == "passkey" else row[name]
            if row["nobody"] == "yes":  # a ceremony: whatever it says is of the ceremony
                expected = did if answer.status < 500 and did != "no" else "yes"
            if did != expected or answer.status >= 500:
                wrong.append(f"{method} {path} as {name}: {did} ({answer.text[:120]}), not {expected}")
            known = name != "nobody" and row["nobody"] != "yes"
            acted = answer.status not in {400, 422}
            if known and acted and row["act"] not in UNRECORDED and site.store.audit_size() == before:
                wrong.append(f"{method} {path} as {name}: {answer.status} left no audit leaf")
            if row[name] == "passkey":
                before = site.store.audit_size()
                did = outcome(ask(site.session(people[name], confirmed=False), method, path))
                if did != "passkey" or site.store.audit_size() == before:
                    wrong.append(f"{method} {path} as {name}: {did} without a fresh passkey")
    assert not wrong, "\n".join(wrong)


def test_a_refusal_is_in_the_audit_log_under_the_name_of_the_act(site, people, page):
    for row in page:
        if row["viewer"] != "no":
            continue
        begin = site.store.audit_size()
        assert ask(site.session(people["viewer"]), row["method"], row["path"]).status == 403
        entry = site.leaves(begin)[-1]
        assert (entry["verb"], entry["outcome"]) == (row["act"], "refused"), row
        assert entry["who"]["person"] == people["viewer"]


def over(site: Site, name: str, number: int) -> Caller:
    """A caller whose session or token is over in some way, each from an address of its own."""
    client = f"198.51.{number // 250}.{number % 250 + 1}"
    person = site.person(f"{name} {number}", *Role) if "disabled" in name else _somebody(site)
    if name == "expired session":
        return site.session(person, over=True, client=client)
    if name == "ended session":
        caller = site.session(person, client=client)
        assert caller.delete("/session").status == 200
        return caller
    if name == "expired token":
        return site.token(person, *SCOPES, over=True, client=client)
    if name == "revoked token":
        caller = site.token(person, *SCOPES, client=client)
        assert site.session(person).delete(f"/tokens/{caller.token}").status == 200
        return caller
    if name == "unknown token":
        secret = "Bearer sw_" + "0" * 32 + "_" + "0" * 64
        return Caller(site, {"authorization": secret}, client)
    if name == "other scheme":
        return Caller(site, {"authorization": "Basic YTpi"}, client)
    if name == "unknown session":
        return Caller(site, {"cookie": f"{site.node.cookie}=nothing"}, client)
    caller = (
        site.session(person, client=client)
        if name == "disabled session"
        else site.token(person, *SCOPES, client=client)
    )
    assert site.session(_somebody(site)).delete(f"/people/{person}").status == 200
    return caller


def _somebody(site: Site) -> str:
    found = getattr(site, "somebody", "")
    if not found:
        found = site.somebody = site.person("Somebody", *Role)
    return found


OVER = (
    "expired session",
    "ended session",
    "unknown session",
    "disabled session",
    "expired token",
    "revoked token",
    "unknown token",
    "disabled token",
    "other scheme",
)


@pytest.mark.parametrize("name", OVER)
def test_who_is_over_comes_in_nowhere(site, page, name):
    closed = [row for row in page if row["nobody"] != "yes"]
    for number, row in enumerate(closed if name in OVER[::4] else closed[OVER.index(name) :: 7]):
        answer = ask(over(site, name, 250 * OVER.index(name) + number), row["method"], row["path"])
        assert answer.status == 401, (row, answer.text)
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.full
@pytest.mark.parametrize("name", OVER)
def test_who_is_over_comes_in_nowhere_at_all(site, page, name):
    closed = [row for row in page if row["nobody"] != "yes"]
    for number, row in enumerate(closed):
        answer = ask(over(site, name, 2500 + 250 * OVER.index(name) + number), row["method"], row["path"])
        assert answer.status == 401, (row, answer.text)


def test_a_session_that_was_not_used_for_long_is_over(site, people):
    caller = site.session(people["viewer"])
    assert caller.get("/session").status == 200
    site.clock.at += site.node.doors.config.idle * 1_000_000
    assert caller.get("/session").status == 401


def test_a_token_never_sees_more_than_it_was_limited_to(site, people):
    for _ in range(2):
        caller = site.token(people["all"], Permission.READ)
        shown = caller.get("/session").json
        assert (shown["permissions"], shown["highest"], shown["kind"]) == (["read"], "TLP:AMBER+STRICT", "token")


def test_from_a_banned_address_nobody_comes_in(tmp_path, page):
    with site_in(tmp_path, bans=BanRules(failures=3)) as site:
        person = site.person("Mara", *Role)
        for _ in range(3):
            assert Caller(site, {"authorization": "Bearer guess"}, "203.0.113.9").get("/session").status == 401
        session, token = (
            site.session(person, client="203.0.113.9"),
            site.token(person, *SCOPES, client="203.0.113.9"),
        )
        for number, row in enumerate(row for row in page if row["nobody"] != "yes"):
            answer = ask((session, token)[number % 2], row["method"], row["path"])
            assert answer.status == 429, row
            assert int(answer.headers["retry-after"]) > 0
        assert session.get("/health").status == 429
        assert session.post("/sign-in/begin").status == 429
        assert session.get("/session", client="192.0.2.77").status == 200  # a ban is for an address, not for a person
        site.clock.at += HOUR * 1_000_000
        assert token.get("/session").status == 200


def test_a_route_without_a_rule_does_not_start():
    def forgotten():
        """Answers anyone."""

    with pytest.raises(KeyError):
        DoorRoute("/forgotten", forgotten)
    router = APIRouter(route_class=DoorRoute)
    with pytest.raises(KeyError):
        router.add_api_route("/forgotten", forgotten)


def test_a_new_route_is_missed_on_the_page(tool, root, monkeypatch):
    def added():
        """Answers."""

    routes = Routes("test")
    try:
        routes.get("/added", Rule("test.added", Permission.READ))(added)
        more = [*routes_with_rules(), ("GET", f"{ROOT}/added", RULES[added])]
        assert tool.page(more, pages_with_rules()) != (root / "docs" / "access.md").read_text(encoding="utf-8")
    finally:
        RULES.pop(added, None)


def test_a_rule_that_is_opened_is_missed_on_the_page(tool, root):
    routes = routes_with_rules()
    method, path, rule = next(each for each in routes if each[2].confirm)
    routes[routes.index((method, path, rule))] = (method, path, Rule(rule.act, rule.needs, rule.kinds))
    assert tool.page(routes, pages_with_rules()) != (root / "docs" / "access.md").read_text(encoding="utf-8")
