"""Every page does to every kind of caller what docs/access.md says: shows, refuses, or sends to sign in."""

from __future__ import annotations

import importlib.util

import pytest
from pages_support import FORM
from web_support import HOUR, address_of, site_in

from shieldwall.model.access import Permission, Role
from shieldwall.web.app import pages_with_rules

NOWHERE = "0" * 32
FILLED = {"{address}": address_of("watched"), "{claim_id}": "0" * 64, "{txid}": "0" * 64}
BODIES = {
    "/find": b"q=nothing",
    "/traces": b"targets=x",
    "/traces/{trace_id}/steps": b"kind=boxes&value=120",
    "/language": b"language=fr&back=%2F",
}


@pytest.fixture(scope="module")
def tool(root):
    spec = importlib.util.spec_from_file_location("make_access", root / "tools" / "make_access.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with site_in(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def people(site):
    found = {role.value: site.person(f"The {role.value}", role) for role in Role}
    return found | {"all": site.person("Jack of all trades", *Role)}


@pytest.fixture(scope="module")
def rows(tool, root):
    head, *rows = tool.read((root / "docs" / "access.md").read_text(encoding="utf-8"), 1)
    return [dict(zip(head, row, strict=True)) for row in rows]


def ask(caller, method, path):
    """A request for a page that looks right."""
    body = BODIES.get(path, b"")
    for name, value in FILLED.items():
        path = path.replace(name, value)
    while "{" in path:
        path = path[: path.index("{")] + NOWHERE + path[path.index("}") + 1 :]
    if method == "GET":
        return caller.get("/" + path)
    return caller.ask(method, "/" + path, body=body, headers=FORM)


def outcome(answer):
    """What a door did, in the words of the page."""
    if answer.status == 401 or (answer.status == 303 and answer.headers["location"].startswith("/sign-in?")):
        return "sign in"
    return "no" if answer.status == 403 and "that needs the permission to" in answer.text else "yes"


def is_for_machines(answer):
    return answer.status == 403 and "that is not for machines" in answer.text


def test_the_page_has_every_page(rows):
    assert {(row["method"], row["path"]) for row in rows} == {(method, path) for method, path, _ in pages_with_rules()}


def test_every_page_does_to_everyone_what_the_table_says(site, people, rows, tool):
    wrong = []
    for row in rows:
        for name in (head for head in row if head not in ("method", "path", "act")):
            if name == "nobody":
                caller = site.nobody
            elif name in tool.SCOPES:
                caller = site.token(people["all"], *tool.SCOPES[name])
            else:
                caller = site.session(people[name])
            answer = ask(caller, row["method"], row["path"])
            did = "no" if is_for_machines(answer) else outcome(answer)
            if (row["path"], row["method"], name) == ("/", "GET", "nobody"):
                did = "sign in" if answer.headers.get("location") == "/sign-in" else did
            expected = "yes" if row[name] == "passkey" else row[name]
            if row[name] == "passkey":
                again = ask(site.session(people[name], confirmed=False), row["method"], row["path"])
                if again.status != 403 or 'data-confirm="yes"' not in again.text:
                    wrong.append(f"{row['method']} {row['path']} as {name}: {again.status} without a fresh passkey")
            if did != expected or answer.status >= 500:
                wrong.append(f"{row['method']} {row['path']} as {name}: {answer.status} {did}, not {expected}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("way", ["over", "unknown"])
def test_whose_session_is_over_is_sent_to_sign_in_and_back(site, people, way):
    caller = site.session(people["viewer"], over=way == "over")
    if way == "unknown":
        caller = type(caller)(site, {"cookie": f"{site.node.cookie}=nothing"})
    answer = caller.get("//jobs?state=failed")
    assert (answer.status, answer.headers["location"]) == (303, "/sign-in?next=%2Fjobs%3Fstate%3Dfailed")
    partial = caller.get("//jobs", headers={"hx-request": "true"})
    assert partial.headers["hx-redirect"] == "/sign-in?next=%2Fjobs"
    assert ask(caller, "POST", "/traces").status == 401


def test_a_form_from_elsewhere_is_refused(site, people):
    caller = site.session(people["analyst"])
    for origin in ("https://evil.example", "null"):
        answer = caller.ask("POST", "//traces", body=b"targets=x", headers={**FORM, "origin": origin})
        assert answer.status == 403
        assert "own pages" in answer.text


def test_a_session_that_was_not_used_for_long_is_over(site, people):
    caller = site.session(people["viewer"])
    assert caller.get("//node").status == 200
    site.clock.at += HOUR * 1_000_000
    assert caller.get("//node").status == 303


def test_whoever_reads_no_cases_is_shown_the_node(site, people):
    for name in ("administrator", "auditor"):
        answer = site.session(people[name]).get("//")
        assert (answer.status, answer.headers["location"]) == (303, "/node")
        page = site.session(people[name]).get("//node").text
        assert 'href="/traces"' not in page
        assert 'id="tags"' not in page
        assert 'id="people"' in page
    assert 'id="people"' not in site.session(people["viewer"]).get("//node").text


def test_a_refusal_is_in_the_audit_log(site, people):
    begin = site.store.audit_size()
    assert ask(site.session(people["viewer"]), "POST", "/traces").status == 403
    assert [(leaf["verb"], leaf["outcome"]) for leaf in site.leaves(begin)] == [("trace.ask", "refused")]


def test_only_places_on_this_node_are_gone_to(site):
    for place in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        page = site.nobody.get(f"//sign-in?next={place}").text
        assert 'data-next="/"' in page
        answer = site.nobody.ask("POST", "//language", body=f"language=fr&back={place}".encode(), headers=FORM)
        assert answer.headers["location"] == "/"


def test_reading_needs_the_permission_to_read():
    needs = {path: rule.permissions for method, path, rule in pages_with_rules() if method == "GET"}
    open_or_both = {"/", "/sign-in", "/node", "/node/audit"}
    to_write = {"/intake", "/cases/{case_id}/requests/new"}  # forms that nobody else can send
    to_approve = {"/share/partners/{partner_id}"}  # what somebody else would get
    others = {path for path, permissions in needs.items() if permissions != (Permission.READ,)}
    assert others == open_or_both | to_write | to_approve
