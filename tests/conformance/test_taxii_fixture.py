"""Data of another server's tests, with its own identifiers and dates, answered by ours as the standard says."""

from __future__ import annotations

import json

import pytest
from taxii_fixture import load
from taxii_support import taxii_in

COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
PLACE = f"/trustgroup1/collections/{COLLECTION}"
INDICATOR = "indicator--6770298f-0fd8-471a-ab8c-1c658a46574e"


@pytest.fixture(scope="module")
def client(tmp_path_factory, shared_data):
    data = json.loads((shared_data / "threat-intel" / "taxii" / "medallion_default_data.json").read_text())
    with taxii_in(tmp_path_factory.mktemp("fixture")) as site:
        yield load(site, data)


pytestmark = pytest.mark.needs("shared")


def test_roots_and_collections_are_those_of_the_data(client):
    assert {root.rstrip("/").rpartition("/")[2] for root in client.get("/taxii2/").json["api_roots"]} == {
        "api1",
        "api2",
        "trustgroup1",
    }
    found = {each["id"]: each for each in client.get("/trustgroup1/collections/").json["collections"]}
    assert len(found) == 5
    assert (found[COLLECTION]["can_read"], found[COLLECTION]["can_write"]) == (True, True)


def test_the_manifest_has_the_dates_that_were_given(client):
    entries = client.get(f"{PLACE}/manifest/?match[version]=all&match[spec_version]=2.0,2.1").json["objects"]
    assert [(each["id"], each["date_added"]) for each in entries][:4] == [
        ("relationship--2f9a9aa9-108a-4333-83e2-4fb25add0463", "2014-05-08T09:00:00.000000Z"),
        ("indicator--cd981c25-8042-4166-8945-51178443bdac", "2016-11-01T03:04:05.000000Z"),
        (INDICATOR, "2016-11-03T12:30:59.001000Z"),
        (INDICATOR, "2016-12-27T13:49:59.000000Z"),
    ]
    assert entries[-1]["date_added"] == "2017-12-31T13:49:53.935000Z"
    moments = [each["date_added"] for each in entries]
    assert moments == sorted(set(moments))  # two were the same there


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 5),
        ("added_after=2016-11-01T03:04:05Z", 3),
        ("match[type]=indicator", 2),
        ("match[type]=indicator,malware", 3),
        ("match[type]=indicator&added_after=2017-01-27T13:49:59Z", 1),
        (f"match[id]={INDICATOR}&match[version]=all", 3),
        (f"match[id]={INDICATOR}&match[version]=first", 1),
        (f"match[id]={INDICATOR}&match[version]=2016-12-25T12:30:59.444Z", 1),
        (f"match[id]={INDICATOR}&match[version]=first,last", 2),
        ("match[spec_version]=2.0&match[version]=all", 1),
        ("match[type]=campaign", 0),
        ("added_after=2100-01-01T00:00:00Z", 0),
    ],
)
def test_filters_find_what_is_theirs(client, query, found):
    objects = client.get(f"{PLACE}/objects/?{query}").json.get("objects", [])
    assert len(objects) == found, [each["id"] for each in objects]


def test_versions_and_pages(client):
    versions = client.get(f"{PLACE}/objects/{INDICATOR}/versions/").json["versions"]
    assert len(versions) == 3
    assert [each["id"] for each in client.every(f"{PLACE}/objects/?limit=1&match[version]=all")] == [
        each["id"] for each in client.get(f"{PLACE}/objects/?match[version]=all").json["objects"]
    ]
