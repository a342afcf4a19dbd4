"""What a review of the whole found, so that it stays mended."""

from __future__ import annotations

import time

import pytest
from web_support import COIN, address_of, site_in

from shieldwall.errors import AuditFailed, BadText, Conflict, NotFound
from shieldwall.model.access import Identity, Kind, Permission, Role
from shieldwall.model.marking import Marking
from shieldwall.model.strictjson import parse_json
from shieldwall.node.identity import rotate_keys
from shieldwall.node.operators import NODE
from shieldwall.store.engine import Store

ANALYST, ADMINISTRATOR = Role.ANALYST, Role.ADMINISTRATOR
GREEN = {"marking": "TLP:GREEN", "pap": "PAP:GREEN"}
CLAIM = {
    "subject": {"type": "address", "chain": "bip122:1", "name": "bc1qreview"},
    "kind": "note",
    "statement": {"text": "canary-nightingale"},
    "layer": "observation",
    **GREEN,
}
KEY = {"idempotency-key": "once"}


@pytest.fixture
def site(tmp_path):
    with site_in(tmp_path) as there:
        yield there


@pytest.fixture
def alice(site):
    return site.session(site.person("Alice", ANALYST))


@pytest.fixture
def bob(site):
    return site.session(site.person("Bob", ANALYST, highest=Marking.GREEN))


@pytest.fixture
def chief(site):
    return site.session(site.person("Chief", ADMINISTRATOR))


def test_a_key_that_stands_twice_among_many_is_found_at_once():
    text = "{" + ",".join(f'"k{number}": 1' for number in range(20_000)) + ', "k19999": 2}'
    begin = time.perf_counter()
    with pytest.raises(BadText, match="k19999"):
        parse_json(text, "here")
    assert time.perf_counter() - begin < 2


def test_who_is_not_known_sends_little(site):
    body = b'{"challenge": "' + b"a" * (65 << 10) + b'"}'
    answer = site.nobody.ask("POST", "/sign-in/finish", body=body, headers={"content-type": "application/json"})
    assert answer.status == 413


def test_a_repetition_is_recorded_and_ends_with_the_rights(site, alice, bob):
    case = alice.post("/cases", {"title": "secret op", "marking": "TLP:GREEN", "people": [bob.person]}).json
    tag = bob.get(f"/cases/{case['id']}").headers["etag"]
    change = {"people": [alice.person, bob.person]}
    first = bob.put(f"/cases/{case['id']}/members", change, headers={**KEY, "if-match": tag})
    assert first.status == 200
    size = len(site.leaves())
    again = bob.put(f"/cases/{case['id']}/members", change, headers={**KEY, "if-match": tag})
    assert (again.status, again.headers["idempotency-replayed"], again.body) == (200, "true", first.body)
    assert site.leaves(size)[-1]["verb"] == "case.members"
    assert site.leaves(size)[-1]["detail"] == {"again": True}
    other = bob.put(f"/cases/{case['id']}/members", change, headers={**KEY, "if-match": '"another"'})
    assert other.status == 409

    now = alice.get(f"/cases/{case['id']}").headers["etag"]
    assert (
        alice.put(f"/cases/{case['id']}/members", {"people": [alice.person]}, headers={"if-match": now}).status == 200
    )
    gone = bob.put(f"/cases/{case['id']}/members", change, headers={**KEY, "if-match": tag})
    assert gone.status == 409
    assert "secret op" not in gone.text


def test_a_secret_is_shown_once_and_kept_nowhere(site, alice):
    asked = {"name": "script", "scopes": ["read"], "highest": "TLP:GREEN"}
    text = alice.post("/tokens", asked, headers=KEY).json["token"]
    again = alice.post("/tokens", asked, headers=KEY)
    assert again.status == 409
    assert "shown once" in again.text
    with site.store.inside(OPERATOR_LIKE) as work:
        rows = work.connection.exec_driver_sql("SELECT body_sealed FROM answers").all()
    assert not any(text.encode() in row[0] for row in rows)


OPERATOR_LIKE = Identity(kind=Kind.OPERATOR, person="", name="test")


def test_a_body_that_does_not_fit_frees_its_key(alice):
    assert alice.post("/cases", {"title": ""}, headers=KEY).status == 422
    assert alice.post("/cases", {"title": "a case"}, headers=KEY).status == 201


def test_a_claim_that_is_marked_more_strictly_is_hidden(alice, bob):
    made = alice.post("/claims", CLAIM).json
    assert "nightingale" in bob.get(f"/claims/{made['id']}").text
    asked = {"thing": "claim", "id": made["id"], "marking": "TLP:RED", "pap": "PAP:RED"}
    assert alice.post("/markings", asked).json["marking"] == "TLP:RED"
    assert bob.get(f"/claims/{made['id']}").status == 404
    assert "nightingale" not in bob.get("/claims?type=address&chain=bip122:1&name=bc1qreview").text
    assert "nightingale" not in bob.get("/claims").text
    assert "nightingale" in alice.get("/claims?type=address&chain=bip122:1&name=bc1qreview").text


def test_what_all_may_read_all_may_not_undo(alice, bob):
    watch = alice.post("/watches", {"kind": "address", "target": address_of("watched"), "handling": GREEN}).json
    assert bob.get(f"/watches/{watch['id']}").status == 200
    assert bob.delete(f"/watches/{watch['id']}").status == 403
    job = alice.post("/traces", {"targets": [address_of("first")], "handling": GREEN}).json
    assert bob.get(f"/jobs/{job['id']}").status == 200
    assert bob.delete(f"/jobs/{job['id']}").status == 403
    assert alice.delete(f"/watches/{watch['id']}").status == 200
    assert alice.delete(f"/jobs/{job['id']}").json["state"] == "cancelled"


def test_nobody_makes_a_thing_vanish_from_their_own_sight(alice, bob):
    case = alice.post("/cases", {"title": "open", "marking": "TLP:GREEN", "people": [bob.person]}).json
    tag = bob.get(f"/cases/{case['id']}").headers["etag"]
    refused = bob.patch(f"/cases/{case['id']}", {"marking": "TLP:RED"}, headers={"if-match": tag})
    assert refused.status == 403
    claim = bob.post("/claims", CLAIM).json
    asked = {"thing": "claim", "id": claim["id"], "marking": "TLP:RED", "pap": "PAP:RED"}
    assert bob.post("/markings", asked).status == 403


def test_a_job_that_fails_does_not_name_hidden_sets(site, alice, bob):
    pack = b"title: t\ncreator: c\ncurrency: BTC\nlabel: l\nsource: s\ntags:\n- {address: 34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo}\n"
    taken = alice.ask("POST", "/tag-sets?file=x.yaml&set=operation-nightingale&marking=TLP:RED", body=pack)
    assert taken.status == 201
    asked = {"targets": [address_of("first")], "tags": ["operation-nightingal"], "handling": GREEN}
    job = alice.post("/traces", asked).json
    assert site.node.runner.run_one()
    outcome = bob.get(f"/jobs/{job['id']}")
    assert outcome.json["state"] == "failed"
    assert "nightingale" not in outcome.text


def test_the_work_of_others_is_stopped_unseen_by_who_runs_the_node(alice, chief):
    job = alice.post("/traces", {"targets": [address_of("first")]}).json  # TLP:RED
    load = chief.get("/work").json["work"]
    assert [(one["id"], one["owner"], one["kind"]) for one in load] == [(job["id"], alice.person, "trace")]
    assert chief.get(f"/jobs/{job['id']}").status == 403
    assert chief.delete(f"/work/{job['id']}").status == 200
    assert alice.get(f"/jobs/{job['id']}").json["state"] == "cancelled"
    assert alice.get("/work").status == 403


def test_the_work_of_who_is_shut_out_stops(site, alice, chief):
    job = alice.post("/traces", {"targets": [address_of("first")]}).json
    assert chief.delete(f"/people/{alice.person}").status == 200
    with site.store.inside(NODE) as work:
        assert work.jobs.cancel_asked(job["id"])


def test_a_listener_hears_no_more_than_they_may_now(site, alice, bob):
    job = alice.post("/traces", {"targets": [address_of("first")], "handling": GREEN}).json
    who = [site.identity(bob.person)]
    hears = site.node.runner.subscribe(who[0], job["id"], lambda: site.identity(bob.person))
    assert hears.next(0).id == job["id"]
    with site.store.act(CHIEF, "test.disable") as work:
        work.people.disable(bob.person, work.people.get(bob.person).version)
    assert site.node.runner.run_one()
    assert hears.next(0.2) is None
    assert hears.over


CHIEF = Identity(kind=Kind.OPERATOR, person="", name="test", roles=frozenset((ADMINISTRATOR,)))


def test_two_rotations_at_once_are_one(site):
    keys = site.node.keys()
    rotate_keys(site.store, CHIEF, keys)
    with pytest.raises(Conflict):
        rotate_keys(site.store, CHIEF, keys)
    assert site.node.keys().public.id != keys.public.id


def test_what_cannot_be_recorded_is_not_answered(site, alice, monkeypatch):
    def unwritable(*_):
        raise AuditFailed("no room")

    monkeypatch.setattr(Store, "_record", unwritable)
    there = alice.get("/files/" + "0" * 32)
    assert there.status == 503
    with pytest.raises(AuditFailed), site.store.look(site.identity(alice.person), "test.look"):
        raise NotFound("there is no such thing")


def test_troubles_are_told_in_words_to_those_who_oversee(site, alice, chief):
    site.node.problems["watches"] = "/home/mara/chain: damaged"
    assert "/home/mara" not in alice.get("/status").text
    assert "/home/mara" in chief.get("/status").text


def test_many_tokens_are_no_way_around_the_pace(tmp_path):
    with site_in(tmp_path, identity_rate=0.001, identity_burst=5) as site:
        person = site.person("Alice", ANALYST)
        tokens = [site.token(person, Permission.READ, name=f"t{number}") for number in range(4)]
        answers = [token.get("/session").status for token in tokens for _ in range(3)]
        assert answers.count(200) == 5
        assert set(answers) == {200, 429}


def test_amounts_are_there(alice):
    """The small chain is what these tests think that it is."""
    assert alice.get(f"/addresses/{address_of('first')}").json["received"] == COIN
