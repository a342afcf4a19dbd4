"""Sharing through the API alone: taken in, released, previewed, fetched, withdrawn."""

from __future__ import annotations

import json

import pytest
from taxii_support import indicator, taxii_in

from shieldwall.model.access import Role


@pytest.fixture(scope="module")
def taxii(tmp_path_factory):
    with taxii_in(tmp_path_factory.mktemp("api")) as made:
        yield made


@pytest.fixture(scope="module")
def people(taxii):
    return taxii.site.session(taxii.site.person("Mara", Role.ANALYST)), taxii.site.session(taxii._ingrid)


def ok(answer, status=200):
    assert answer.status == status, answer.text
    return answer.json


def test_from_a_bundle_to_who_has_it(taxii, people):
    mara, ingrid = people
    group = taxii.group("api")
    ally, client = taxii.partner("Ally", group)
    bundle = json.dumps({"type": "bundle", "objects": [indicator(1), indicator(2)]}).encode()
    upload = {"content-type": "application/octet-stream"}
    place = "/stix/objects?marking=TLP:GREEN&pap=PAP:GREEN"
    taken = ok(ingrid.ask("POST", place, body=bundle, headers=upload), 201)
    assert (taken["added"], taken["unmarked"], taken["told"]) == (2, 2, [])
    event = {
        "uuid": "5c066053-0e94-46eb-9746-4b7d950d210f", "info": "x", "date": "2026-01-01", "Tag": [{"name": "tlp:green"}],
        "Attribute": [{"uuid": "5c066053-0e94-46eb-9746-4b7d950d2100", "type": "float", "value": "7"}],
    }  # fmt: skip
    told = ok(ingrid.ask("POST", place, body=json.dumps({"Event": event}).encode(), headers=upload), 201)["told"]
    assert told == ["event 5c066053-0e94-46eb-9746-4b7d950d210f: 1 × attribute float stays in the event alone"]
    assert ok(ingrid.ask("POST", place, body=b"{", headers=upload), 422)
    listed = ok(mara.get("/stix/objects?type=indicator&most=1"))
    assert [each["id"] for each in listed["objects"]] == [indicator(1)["id"]]
    further = ok(mara.get(f"/stix/objects?type=indicator&most=1&cursor={listed['next']}"))
    assert [each["id"] for each in further["objects"]] == [indicator(2)["id"]]
    shown = ok(mara.get(f"/stix/objects/{indicator(1)['id']}"))
    assert (json.loads(shown["versions"][0]["raw"]), shown["contradicted"]) == (indicator(1), [])
    assert mara.get(f"/stix/objects/{indicator(9)['id']}").status == 404
    found = ok(mara.get("/stix/find?q=https://2.example"))
    assert [each["id"] for each in found["objects"]] == [indicator(2)["id"]]
    made = ok(ingrid.post("/collections", {"title": "High value", "group": group, "highest": "TLP:GREEN"}), 201)
    ids = [indicator(1)["id"], indicator(2)["id"]]
    done = ok(ingrid.post(f"/collections/{made['id']}/releases", {"ids": ids, "reason": "agreed"}))
    assert (done["added"], done["withheld"]) == (ids, [])
    assert mara.post(f"/collections/{made['id']}/releases", {"ids": ids, "reason": "agreed"}).status == 403
    (seen,) = (each for each in ok(ingrid.get(f"/partners/{ally.id}/preview"))["collections"] if each["objects"])
    assert ([json.loads(raw) for raw in seen["objects"]], seen["new"]) == ([indicator(1), indicator(2)], 2)
    assert len(client.get(f"/api/collections/{made['id']}/objects/").json["objects"]) == 2
    gone = ok(ingrid.post(f"/collections/{made['id']}/withdrawals", {"id": ids[0], "reason": "wrong"}))
    assert [each["name"] for each in gone["had"]] == ["Ally"]
    assert [each["deed"] for each in ok(ingrid.get(f"/collections/{made['id']}/decisions"))["decisions"]] == [
        "withdraw",
        "release",
    ]
    (partner,) = ok(mara.get("/partners"))["partners"]
    assert (partner["name"], partner["fetched"], partner["gone"]) == ("Ally", 1, 1)
    (collection,) = ok(mara.get("/collections"))["collections"]
    assert collection["objects"] == 1
    assert ok(mara.get("/sources"))["sources"] == []
    assert mara.ask("DELETE", "/sources/" + "0" * 32).status == 404
