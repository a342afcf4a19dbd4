"""The client against a node on loopback: people, tokens, pages, versions, refusals, events, files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from client_support import Served, served

from shieldwall.client import NodeClient
from shieldwall.client.shapes import HandlingAsked, RoleWord, SubjectShape
from shieldwall.errors import (
    BadInput,
    Conflict,
    NotAllowed,
    NotFound,
    NotSignedIn,
    UsageError,
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with served(tmp_path_factory.mktemp("served")) as found:
        yield found


@pytest.fixture(scope="module")
def admin(place: Served):
    with place.client() as client:
        client.register(place.secret, place.authenticator.register, name="first key")
        signed = client.sign_in(place.authenticator.sign_in)
        assert (signed.name, signed.kind, signed.roles) == ("Admin", "person", ("administrator",))
        yield client


def newcomer(place: Served, admin: NodeClient, name: str, role: RoleWord) -> NodeClient:
    """Someone new, signed in."""
    person = admin.add_person(name=name, roles=[role], highest="TLP:RED")
    secret = admin.invite_person(person.id).url.partition("#")[2]
    client = place.client()
    client.register(secret, place.authenticator.register)
    client.sign_in(place.authenticator.sign_in)  # with the newest key
    return client


@pytest.fixture(scope="module")
def analyst(place: Served, admin: NodeClient):
    with newcomer(place, admin, "Mara", "analyst") as client:
        yield client


@pytest.fixture(scope="module")
def token(analyst: NodeClient):
    return analyst.issue_token(name="notebook", scopes=["read", "write"], highest="TLP:AMBER+STRICT", days=1).token


@pytest.fixture
def machine(place: Served, token: str):
    with place.client(token=token) as client:
        yield client


def test_health_needs_nobody(place):
    with place.client() as client:
        assert client.health().ok


def test_a_token_acts_for_its_person_and_shows_in_no_text(analyst, machine, token):
    shown = machine.show_session()
    assert (shown.kind, shown.person) == ("token", analyst.show_session().person)
    listed = analyst.list_tokens().tokens[0]
    assert listed.token is None
    made = analyst.issue_token(name="second", scopes=["read"])
    assert made.token
    assert made.token not in repr(made)
    assert token not in repr(machine)
    assert token not in repr(vars(machine))
    analyst.revoke_token(made.id)


def test_a_version_is_needed_to_change_and_an_old_one_is_a_conflict(admin):
    person = admin.show_person(admin.add_person(name="Ayaka", roles=["viewer"]).id)
    assert person.etag
    changed = admin.change_person(person.id, etag=person.etag, organisation="Desk 2")
    assert (changed.organisation, changed.roles) == ("Desk 2", ("viewer",))
    with pytest.raises(Conflict, match="changed in the meantime"):
        admin.change_person(person.id, etag=person.etag, organisation="Desk 3")
    with pytest.raises(UsageError, match="no ETag"):
        admin.change_person(person.id, etag="", organisation="Desk 3")


def test_refusals_are_the_errors_of_this_program(place, admin, analyst, machine):
    with place.client() as stranger, pytest.raises(NotSignedIn):
        stranger.show_session()
    with place.client(token="swt_" + "0" * 40) as stranger, pytest.raises(NotSignedIn):
        stranger.show_session()
    with pytest.raises(NotAllowed, match="permission to manage"):
        analyst.add_person(name="X", roles=["viewer"])
    with pytest.raises(NotAllowed, match="not for machines"):
        machine.list_passkeys()
    with pytest.raises(NotFound):
        analyst.show_claim("0" * 64)
    with pytest.raises(BadInput, match="roles") as caught:
        admin.add_person(name="Nobody", roles=["sorcerer"])
    assert "sorcerer" not in str(caught.value)
    with pytest.raises(UsageError, match="by a token"):
        machine.sign_in(place.authenticator.sign_in)


def test_a_node_answers_to_its_own_name_alone(place):
    with (
        NodeClient(place.url.replace("localhost", "127.0.0.1")) as client,
        pytest.raises(UsageError, match="that name"),
    ):
        client.health()


def test_what_is_too_large_is_refused_by_its_length(machine):
    with pytest.raises(BadInput, match="bytes are taken"):
        machine.add_file(name="zeros", content=bytes((64 << 20) + 1))
    assert machine.show_session().kind == "token"


def test_claims_are_said_and_paged_through(machine):
    said = [_tag(machine, f"Example {number}") for number in range(5)]
    first = machine.find_claims(most=2)
    assert len(first.claims) == 2
    assert first.next
    paged = [claim.id for claim in machine.every_claim(most=2)]
    assert paged == [claim.id for claim in said]
    shown = machine.show_claim(said[0].id)
    assert shown == said[0]
    assert shown.handling.marking == "TLP:AMBER"
    retracted = machine.retract_claim(said[0].id, reason="mistaken")
    assert retracted.reason == "mistaken"
    subject = SubjectShape.from_json(shown.claim["subject"])
    found = machine.find_claims(type=subject.type, chain=subject.chain, name=subject.name)
    assert "retracted" in {claim.state for claim in found.claims}


def _tag(client: NodeClient, label: str):
    return client.add_claim(
        subject=SubjectShape(
            type="address", chain="bip122:000000000019d6689c085ae165831e93", name="15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr"
        ),
        kind="tag",
        statement={"label": label},
        layer="attribution",
        source="a test",
        confidence=50,
        marking="TLP:AMBER",
        pap="PAP:AMBER",
    )


def test_a_file_comes_back_as_it_went(machine):
    content = bytes(range(256)) * 300
    kept = machine.add_file(name="räuber & co?.bin", content=content, marking="TLP:GREEN")
    assert (kept.name, kept.size) == ("räuber & co?.bin", len(content))
    assert machine.read_file(kept.id) == content
    assert kept.id in {file.id for file in machine.every_file(kind="upload")}


def test_a_job_is_followed_to_its_end(machine, analyst):
    asked = machine.ask_trace(
        targets=["15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr"], handling=HandlingAsked(marking="TLP:AMBER")
    )
    followed = list(machine.follow_job(asked.id))
    assert followed[-1].state == "failed"  # there is no chain
    told = []
    ended = machine.wait_for_job(asked.id, lambda job: told.append(job.state))
    assert (ended.id, ended.state, told[-1]) == (asked.id, "failed", "failed")
    with pytest.raises(NotFound):
        list(analyst.follow_job("0" * 32))


def test_a_session_is_confirmed_and_ends(place, admin):
    with newcomer(place, admin, "Ilse", "viewer") as client:
        assert client.confirm(place.authenticator.sign_in).name == "Ilse"
        assert client.show_session().name == "Ilse"
        assert client.sign_out().done
        with pytest.raises(NotSignedIn):
            client.show_session()


def test_the_example_of_the_page_runs(root, place, token, monkeypatch, tmp_path, capsys):
    page = (root / "docs" / "client.md").read_text(encoding="utf-8")
    example = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]
    monkeypatch.setenv("SHIELDWALL_TOKEN", token)
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("what was seen", encoding="utf-8")
    exec(compile(example.replace("http://localhost:8420", place.url), "client.md", "exec"), {})  # noqa: S102 - our own
    assert "TLP:AMBER" in capsys.readouterr().out
