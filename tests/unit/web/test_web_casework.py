"""A case through the API alone, by two people: everything that a page does is there."""

from __future__ import annotations

import json

import pytest
from web_support import address_of, site_in

from shieldwall.cases.pack import verifier
from shieldwall.model.access import Permission, Role

TOLD = {"victim": "Waterworks", "group": "DarkSide", "found": "2026-10-01T08:00:00Z", "country": "DE"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with site_in(tmp_path_factory.mktemp("api")) as made:
        yield made


@pytest.fixture(scope="module")
def people(site):
    mara, ingrid = site.person("Mara", Role.ANALYST), site.person("Ingrid", Role.ANALYST, Role.APPROVER)
    return site.session(mara), site.session(ingrid)


@pytest.fixture
def case(people):
    mara, ingrid = people
    asked = {
        "title": "Waterworks",
        "number": "NW-1",
        "marking": "TLP:AMBER",
        "pap": "PAP:GREEN",
        "people": [ingrid.person],
    }
    answer = mara.post(
        "/intakes", {**asked, "answers": {**TOLD, "addresses": address_of("watched")}, "first_hour": [1, 4]}
    )
    assert answer.status == 201, answer.text
    return answer.json["id"]


def ok(answer, status=200):
    assert answer.status == status, answer.text
    return answer.json


def test_a_day_by_two_people(site, people, case):
    mara, ingrid = people
    told = ok(mara.get(f"/cases/{case}/incident"))
    assert (told["answers"]["group"], told["first_hour"]) == ("DarkSide", [1, 4])
    assert {each["earlier"] for each in told["deadlines"]} == {True, False}
    finding = {"layer": "inference", "text": "It is theirs.", "basis": "co-spend", "confidence": "high"}
    claim = ok(mara.post(f"/cases/{case}/findings", finding), 201)["id"]
    ok(mara.post(f"/cases/{case}/events", {"text": "Found", "when": "2026-10-01T07:00:00Z"}), 201)
    relation = {"source": {"type": "group", "name": "DarkSide"}, "relation": "uses", "basis": "certificate"}
    relation["target"] = {"type": "infrastructure", "name": "bad.example"}
    ok(mara.post(f"/cases/{case}/relations", relation), 201)
    path = f"/cases/{case}/evidence?name=note.txt&method=copied&source=server"
    piece = ok(mara.ask("POST", path, body=b"pay up"), 201)
    ok(mara.post(f"/evidence/{piece['id']}/custody", {"deed": "examined", "why": "read"}), 201)
    made = ok(mara.post(f"/cases/{case}/requests", {"kind": "freeze", "recipient": "binance"}), 201)
    assert {lack["by"] for lack in made["lacks"]} >= {"kind", "recipient"}
    content = {**made["content"], "offence": "Extortion"}
    made = ok(mara.ask("PUT", f"/requests/{made['id']}", {"version": made["version"], "content": content}))
    made = ok(mara.post(f"/requests/{made['id']}/deeds", {"deed": "submit", "version": made["version"]}), 201)
    decision = {"approve": True, "digest": made["digest"]}
    assert mara.post(f"/requests/{made['id']}/decision", decision).status == 403
    token = site.token(ingrid.person, Permission.READ, Permission.WRITE)
    assert token.post(f"/requests/{made['id']}/decision", decision).status == 403  # no machine approves
    made = ok(ingrid.post(f"/requests/{made['id']}/decision", decision), 201)
    made = ok(mara.post(f"/requests/{made['id']}/deeds", {"deed": "send", "version": made["version"]}), 201)
    assert made["state"] == "sent"
    files = next(deed["told"]["files"] for deed in made["deeds"] if deed["deed"] == "send")
    letter = mara.get(f"/files/{files['letter.en.pdf']}/content")
    assert letter.body.startswith(b"%PDF")
    assert "-letter.en.pdf" in letter.headers["content-disposition"]
    texts = dict.fromkeys(("until", "moved_to", "contact", "words"), "")
    reply = {
        "format": "shieldwall-reply/1",
        "request": made["content"]["request_id"],
        "digest": made["digest"],
        **texts,
    }
    reply |= {"outcome": "refused", "amount": 0, "reference": "R-1", "made_at": "2026-10-02T00:00:00Z"}
    raw = json.dumps(reply).encode()
    answered = ok(mara.ask("POST", f"/requests/{made['id']}/reply", body=raw), 201)
    assert (answered["state"], answered["outcome"]) == ("answered", "refused")
    assert mara.ask("POST", f"/requests/{made['id']}/reply", body=raw).status == 409  # the same file again
    pack = ok(mara.post(f"/cases/{case}/packs", {"to": "Court"}), 201)
    report = verifier.verify(mara.get(f"/files/{pack['id']}/content").body)
    assert report.counts["requests"] == 1
    ok(mara.post(f"/claims/{claim}/retraction", {"reason": "another's"}), 201)
    ways = [way for way in ok(mara.get("/travels"))["travels"] if way["what"] == claim]
    assert len(ways) == 2
    ok(mara.post(f"/travels/{ways[0]['id']}/told"))
    kinds = {entry["kind"] for entry in ok(mara.get(f"/cases/{case}/timeline"))["entries"]}
    assert {"event", "incident", "evidence", "request", "reply", "pack", "retraction"} <= kinds
    assert "finding" not in kinds
    before = ok(mara.get(f"/cases/{case}/timeline?as_of=2020-01-01T00:00:00Z"))
    assert before["entries"] == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("findings", {"layer": "observation", "text": "It is likely, with high confidence."}, 422),
        ("findings", {"layer": "inference", "text": "x"}, 422),
        ("events", {"text": "x", "when": "some day"}, 422),
        (
            "relations",
            {"source": {"type": "car", "name": "a"}, "relation": "uses", "target": {"type": "group", "name": "b"}},
            422,
        ),
        ("requests", {"kind": "seize"}, 422),
    ],
)
def test_what_does_not_fit_is_refused(people, case, path, body, status):
    answer = people[0].post(f"/cases/{case}/{path}", body)
    assert answer.status == status, answer.text


def test_the_form_is_for_anybody_and_holds_nothing_of_the_node(site):
    answer = site.nobody.get("/intakes/form")
    assert answer.status == 200
    assert "Waterworks" not in answer.text
