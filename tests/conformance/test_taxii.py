"""TAXII 2.1, a test for each MUST of its checklist (docs/spec/taxii.md); the number in a name is that of the checklist."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from taxii_support import basic, indicator, taxii_in

from shieldwall.model.marking import Marking
from shieldwall.sharing.stix.instant import read_instant
from shieldwall.web.taxii.answers import MEDIA_TYPE
from shieldwall.web.taxii.endpoints import MOST_CONTENT

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
FIRST, LAST = "x-taxii-date-added-first", "x-taxii-date-added-last"
VERSIONS = ("2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A public root, a group of partners with three collections, and a stranger."""
    with taxii_in(tmp_path_factory.mktemp("taxii")) as site:
        group = site.group("allies")
        ally, client = site.partner("Ally", group)
        _, stranger = site.partner("Stranger")
        public = site.collection("Public", None)
        high = site.collection("High value", group, alias="high-value")
        inbox = site.collection("Inbox", group, writable=True, unmarked=Marking.GREEN)
        drop = site.collection("Drop", group, writable=True, readable=False)
        shut = site.collection("Shut", group, readable=False)
        bodies = [indicator(number) for number in range(7)]
        bodies += [indicator(99, modified=text, name=text) for text in VERSIONS]
        url = {"type": "url", "id": "url--c1477287-23ac-5971-a010-5c287877fa60", "value": "https://x.example"}
        site.release(high, [*bodies, url])
        site.release(public, [indicator(1)])
        yield SimpleNamespace(
            site=site,
            ally=ally,
            client=client,
            stranger=stranger,
            public=public,
            high=high,
            inbox=inbox,
            drop=drop,
            shut=shut,
            bodies=bodies,
            url=url,
            objects=f"/allies/collections/{uuid.UUID(high.id)}/objects/",
            manifest=f"/allies/collections/{uuid.UUID(high.id)}/manifest/",
            into=f"/allies/collections/{uuid.UUID(inbox.id)}/objects/",
        )


def ids(answer):
    return [each["id"] for each in answer.json.get("objects", [])]


# 1. discovery and API roots


def test_b01_discovery_stands_at_the_root_and_names_a_default_that_is_one_of_its_roots(world):
    body = world.client.get("/taxii2/").json
    assert body["title"]
    assert body["default"] in body["api_roots"]
    assert len(body["api_roots"]) == 2
    assert all(re.fullmatch(r"http://[^/]+/[a-z0-9-]+/", url) for url in body["api_roots"])


def test_b01_an_api_root_says_its_versions_and_how_much_it_takes(world):
    for root in ("allies", "public"):
        body = world.client.get(f"/{root}/").json
        assert body["title"]
        assert MEDIA_TYPE in body["versions"]
        assert body["max_content_length"] == MOST_CONTENT > 0


def test_b01_what_is_within_the_stated_length_is_never_too_large(world):
    body = json.dumps({"objects": [indicator(500, description="x" * 1000)]}).encode()
    padded = body + b" " * (MOST_CONTENT - len(body))
    assert world.client.post(world.into, padded).status == 202
    assert world.client.post(world.into, padded + b" ").status == 413


# 2. endpoints


@pytest.mark.parametrize("slash", ["", "/"])
def test_b02_every_endpoint_is_there_with_and_without_a_slash_at_its_end(world, slash):
    first = world.bodies[0]["id"]
    collection = world.objects.removesuffix("/objects/")
    for path in (
        *("/taxii2", "/allies", "/allies/collections", collection),
        *(f"{collection}/manifest", f"{collection}/objects", f"{collection}/objects/{first}"),
        f"{collection}/objects/{first}/versions",
    ):
        assert world.client.get(path + slash).status == 200, path


def test_b02_a_collection_is_found_by_its_alias(world):
    by_alias = world.client.get("/allies/collections/high-value/")
    assert by_alias.json == world.client.get(f"/allies/collections/{world.high.id}/").json
    assert by_alias.json["alias"] == "high-value"
    assert uuid.UUID(by_alias.json["id"]).version == 4


def test_b02_there_is_nothing_elsewhere_and_nothing_else_is_done(world):
    for path in ("/", "/nothing/", "/allies/other/", world.objects + "a/b/", "/allies/collections/nothing/"):
        assert world.client.get(path).status == 404, path
    answer = world.client.ask("PUT", world.objects)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")


# 3. media types


@pytest.mark.parametrize(
    "accept",
    [
        "application/taxii+json",
        "application/taxii+json;version=2.1",
        "application/taxii+json; version=2.1",
        'application/taxii+json; version="2.1"',
        "*/*",
        "application/*",
        "application/json, text/plain, */*",
        "application/taxii+json;version=2.0, application/taxii+json;version=2.1;q=0.5",
        "",
    ],
)
def test_b03_each_way_to_accept_taxii_is_answered_under_the_one_media_type(world, accept):
    for path in ("/taxii2/", world.objects, world.objects + "nothing/"):
        answer = world.client.get(path, accept=accept)
        assert answer.status in (200, 404)
        assert answer.headers["content-type"] == MEDIA_TYPE


@pytest.mark.parametrize("accept", ["text/html", "application/taxii+json;version=2.0", "application/json", "*/*;q=0"])
def test_b03_what_is_not_taxii_is_not_acceptable(world, accept):
    answer = world.client.get(world.objects, accept=accept)
    assert answer.status == 406
    assert answer.headers["content-type"] == MEDIA_TYPE


def test_b03_a_manifest_is_given_to_who_asks_for_stix_too(world):
    accept = "application/stix+json;version=2.1"
    assert world.client.get(world.manifest, accept=accept).status == 200
    assert world.client.get(world.objects, accept=accept).status == 406


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("application/taxii+json", 202),
        ("application/taxii+json; version=2.1", 202),
        ("application/taxii+json;version=2.0", 415),
        ("application/json", 415),
        ("application/stix+json;version=2.1", 415),
    ],
)
def test_b03_only_taxii_is_taken(world, sent, status):
    answer = world.client.post(world.into, {"objects": [indicator(501)]}, content_type=sent)
    assert answer.status == status


# 4. times, numbers, lists


def test_b04_times_have_six_digits_everywhere(world):
    for entry in world.client.get(world.manifest + "?match[version]=all").json["objects"]:
        assert STAMP.fullmatch(entry["date_added"])
        assert STAMP.fullmatch(entry["version"])
    answer = world.client.get(world.objects)
    assert all(STAMP.fullmatch(answer.headers[name]) for name in (FIRST, LAST))
    status = world.client.post(world.into, {"objects": [indicator(502)]}).json
    assert STAMP.fullmatch(status["request_timestamp"])


def test_b04_a_time_is_read_in_any_precision_and_with_an_offset(world):
    last = world.client.get(world.objects).headers[LAST]
    exact = read_instant(last, "here")
    seconds = datetime.fromtimestamp(exact / 1_000_000 - 1, UTC)
    for text in (seconds.strftime("%Y-%m-%dT%H:%M:%SZ"), seconds.strftime("%Y-%m-%dT%H:%M:%S+00:00")):
        assert ids(world.client.get(f"{world.objects}?added_after={quote(text)}"))
    assert ids(world.client.get(f"{world.objects}?added_after={quote(last)}")) == []


def test_b04_there_is_no_empty_list(world):
    answer = world.client.get(f"{world.objects}?match[type]=malware")
    assert answer.json == {"more": False}
    assert world.client.get(f"{world.manifest}?match[type]=malware").json == {"more": False}
    alone = world.site.group("alone")
    _, client = world.site.partner("Alone", alone)
    assert client.get("/alone/collections/").json == {}


# 5. dates of a page


def test_b05_a_page_says_when_its_own_first_and_last_object_were_added(world):
    manifest = world.client.get(world.manifest + "?match[version]=all").json["objects"]
    added = [entry["date_added"] for entry in manifest]
    answer = world.client.get(world.objects + "?match[version]=all&limit=3")
    assert (answer.headers[FIRST], answer.headers[LAST]) == (added[0], added[2])
    second = world.client.get(f"{world.objects}?match[version]=all&limit=3&next={answer.json['next']}")
    assert (second.headers[FIRST], second.headers[LAST]) == (added[3], added[5])
    first = world.bodies[0]["id"]
    for path in (world.manifest, f"{world.objects}{first}/", f"{world.objects}{first}/versions/"):
        assert STAMP.fullmatch(world.client.get(path).headers[LAST])


# 6. order, and what is malformed


def test_b06_objects_come_in_the_order_in_which_they_were_added(world):
    added = [entry["date_added"] for entry in world.client.get(world.manifest + "?match[version]=all").json["objects"]]
    assert added == sorted(set(added))
    assert ids(world.client.get(world.objects))[:7] == [body["id"] for body in world.bodies[:7]]
    first, again = (world.client.get("/allies/collections/").json for _ in range(2))
    assert first == again


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=two",
        "limit=",
        "limit=1.5",
        "added_after=yesterday",
        "added_after=2026-01-01",
        "match[version]=never",
        "match[version]=all,first",
        "match[version]=all,2026-01-01T00:00:00.000Z",
        "match[version]=",
        "match[spec_version]=new",
        "match[type]=a,,b",
        "match[type]=a&match[type]=b",
        "match[id]=a&match[id]=a",
        "added_after=2026-01-01T00:00:00Z&added_after=2026-01-01T00:00:00Z",
        "limit=1&limit=1",
        "next=x",
        "next=aaaa",
        "next=" + "9" * 60,
    ],
)
def test_b06_a_malformed_parameter_is_a_bad_request(world, query):
    for path in (world.objects, world.manifest):
        answer = world.client.get(f"{path}?{query}")
        assert answer.status == 400, query
        assert answer.json["title"]


def test_b06_filters_do_not_change_from_page_to_page(world):
    page = world.client.get(world.objects + "?limit=2&match[type]=indicator").json
    assert world.client.get(f"{world.objects}?limit=3&match[type]=indicator&next={page['next']}").status == 200
    for changed in ("", "&match[type]=url", "&match[type]=indicator&added_after=2026-01-01T00:00:00Z"):
        assert world.client.get(f"{world.objects}?limit=2{changed}&next={page['next']}").status == 400
    assert world.client.get(f"{world.manifest}?limit=2&match[type]=indicator&next={page['next']}").status == 400


# 7. filters


def test_b07_filters_are_anded_and_their_values_ored(world):
    a, b = world.bodies[0]["id"], world.bodies[1]["id"]
    assert ids(world.client.get(f"{world.objects}?match[id]={a},{b}")) == [a, b]
    assert ids(world.client.get(f"{world.objects}?match[id]={a},{b}&match[type]=url")) == []
    assert ids(world.client.get(f"{world.objects}?match[type]=url,malware")) == [world.url["id"]]
    assert ids(world.client.get(f"{world.objects}?match[spec_version]=2.0")) == []
    assert len(ids(world.client.get(f"{world.objects}?match[spec_version]=2.0,2.1"))) == 9
    assert len(ids(world.client.get(f"{world.objects}?match[colour]=red&colour=red"))) == 9
    assert ids(world.client.get(f"{world.objects}?match[id]={a.upper().replace('INDICATOR', 'indicator')}")) == [a]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", [2]),
        ("last", [2]),
        ("first", [0]),
        ("first,last", [0, 2]),
        ("all", [0, 1, 2]),
        (VERSIONS[1], [1]),
        ("2026-02-01T00:00:00Z", [1]),
        ("2026-02-01T01:00:00.000000+01:00", [1]),
        (f"first,{VERSIONS[1]}", [0, 1]),
        ("2020-01-01T00:00:00Z", []),
    ],
)
def test_b07_a_version_is_a_word_or_an_instant(world, wanted, found):
    query = f"?match[version]={quote(wanted)}" if wanted else ""
    for path in (f"{world.objects}{world.bodies[-1]['id']}/{query}",):
        assert [each["modified"] for each in world.client.get(path).json.get("objects", [])] == [
            VERSIONS[place] for place in found
        ]
    entries = world.client.get(f"{world.manifest}{query}").json.get("objects", [])
    mine = [entry["version"] for entry in entries if entry["id"] == world.bodies[-1]["id"]]
    assert [read_instant(each, "") for each in mine] == [read_instant(VERSIONS[place], "") for place in found]


def test_b07_added_after_is_strict_and_of_receipt_alone(world):
    manifest = world.client.get(world.manifest + "?match[version]=all").json["objects"]
    for place, entry in enumerate(manifest):
        found = world.client.get(f"{world.objects}?match[version]=all&added_after={entry['date_added']}")
        assert ids(found) == [each["id"] for each in manifest[place + 1 :]]
    last = world.client.get(world.objects).headers[LAST]
    world.client.post(world.into, {"objects": [indicator(600, modified=VERSIONS[0])]})
    assert indicator(600)["id"] in ids(world.client.get(f"{world.into}?added_after={last}"))


# 8. pages


@pytest.mark.parametrize("limit", [1, 2, 3, 10, 11, 12])
def test_b08_pages_join_exactly_and_a_retry_is_the_same(world, limit):
    for path in (world.objects, world.manifest):
        whole = world.client.get(f"{path}?match[version]=all").json["objects"]
        query, found = f"?match[version]=all&limit={limit}", []
        answer = world.client.get(path + query)
        while True:
            assert len(answer.json["objects"]) <= limit
            found += answer.json["objects"]
            if not answer.json["more"]:
                assert "next" not in answer.json
                break
            again = f"{path}{query}&next={answer.json['next']}"
            assert world.client.get(again).body == world.client.get(again).body
            answer = world.client.get(again)
        assert found == whole


def test_b08_versions_have_pages_too(world):
    path = f"{world.objects}{world.bodies[-1]['id']}/versions/"
    first = world.client.get(path + "?limit=2").json
    assert first["more"]
    second = world.client.get(f"{path}?limit=2&next={first['next']}").json
    assert [*first["versions"], *second["versions"]] == world.client.get(path).json["versions"]


def test_b08_what_is_added_meanwhile_comes_on_a_later_page(world):
    group = world.site.group("paging")
    _, client = world.site.partner("Pager", group)
    collection = world.site.collection("Paged", group)
    path = f"/paging/collections/{collection.id}/objects/"
    world.site.release(collection, [indicator(n) for n in range(3)])
    first = client.get(path + "?limit=2").json
    world.site.release(collection, [indicator(n) for n in range(3, 6)])
    rest = client.get(f"{path}?limit=9&next={first['next']}")
    assert ids(rest) == [indicator(n)["id"] for n in range(2, 6)]


# 9. versions, duplicates, status


def test_b09_an_object_without_versions_has_one_that_stays(world):
    versions = [world.client.get(f"{world.objects}{world.url['id']}/versions/").json["versions"] for _ in range(2)]
    assert versions[0] == versions[1]
    (stamp,) = versions[0]
    assert ids(world.client.get(f"{world.objects}?match[version]={stamp}")) == [world.url["id"]]


def test_b09_a_version_that_is_there_already_is_no_error(world):
    body = {"objects": [indicator(510)]}
    first, again = (world.client.post(world.into, body).json for _ in range(2))
    assert first["success_count"] == again["success_count"] == 1
    assert ids(world.client.get(f"{world.into}?match[id]={indicator(510)['id']}&match[version]=all")) == [
        indicator(510)["id"]
    ]


def test_b09_a_manifest_has_the_four_properties_of_each_version(world):
    media = world.client.get("/allies/collections/high-value/").json["media_types"]
    for entry in world.client.get(world.manifest + "?match[version]=all").json["objects"]:
        assert set(entry) == {"id", "date_added", "version", "media_type"}
        assert entry["media_type"] in media


def test_b09_a_status_has_its_counts_and_can_be_asked_for_again(world):
    bodies = [indicator(520), {"type": "indicator", "id": "indicator--7"}, indicator(521)]
    answer = world.client.post(world.into, {"objects": bodies})
    body = answer.json
    assert (answer.status, body["status"]) == (202, "complete")
    counts = [body[f"{word}_count"] for word in ("total", "success", "failure", "pending")]
    assert counts == [3, 2, 1, 0]
    assert [each["id"] for each in body["successes"]] == [indicator(520)["id"], indicator(521)["id"]]
    assert "object 2" in body["failures"][0]["message"]
    assert "pendings" not in body
    assert world.client.get(f"/allies/status/{body['id']}/").json == body
    assert world.stranger.get(f"/allies/status/{body['id']}/").status == 404
    assert world.client.get(f"/allies/status/{uuid.uuid4()}/").status == 404


# 10. adding and deleting


def test_b10_what_is_added_is_given_back_as_it_came(world):
    name = b"url--11111111-2222-4333-8444-555555555555"
    raw = b'{"spec_version":"2.1", "type" : "url","id":"' + name + b'","value":"\\u00e9"}'
    assert world.client.post(world.into, b'{"objects": [\n  ' + raw + b"]}").status == 202
    assert raw in world.client.get(f"{world.into}{name.decode()}/").body


def test_b10_the_same_version_that_says_otherwise_is_a_failure(world):
    first, other = indicator(530), indicator(530, name="otherwise")
    assert world.client.post(world.into, {"objects": [first]}).json["failure_count"] == 0
    body = world.client.post(world.into, {"objects": [other]}).json
    assert (body["success_count"], body["failure_count"]) == (0, 1)
    assert world.client.get(f"{world.into}{first['id']}/").json["objects"] == [first]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[", b"7", b"{}", b'{"objects": []}', b'{"objects": 7}', b"\xff", b'{"x": 1}']
)
def test_b10_what_is_no_envelope_cannot_be_processed_and_leaves_nothing(world, body):
    before = world.client.every(world.into)
    answer = world.client.post(world.into, body)
    assert answer.status == 422
    assert answer.json["title"]
    assert world.client.every(world.into) == before


def test_b10_an_envelope_that_ends_early_leaves_nothing(world):
    before = world.client.every(world.into)
    raw = json.dumps({"objects": [indicator(540), indicator(541)]}).encode()
    for cut in (20, len(raw) // 2, len(raw) - 1):
        assert world.client.post(world.into, raw[:cut]).status == 422
    assert world.client.every(world.into) == before


def test_b10_what_is_deleted_is_gone_from_everywhere(world):
    body = indicator(550)
    world.client.post(world.into, {"objects": [body, indicator(550, modified=VERSIONS[1])]})
    path = f"{world.into}{body['id']}/"
    assert world.client.ask("DELETE", f"{path}?match[version]=last").status == 200
    assert world.client.get(path).json["objects"] == [body]
    answer = world.client.ask("DELETE", path)
    assert (answer.status, answer.headers["content-type"]) == (200, MEDIA_TYPE)
    assert world.client.get(path).status == world.client.get(path + "versions/").status == 404
    assert world.client.ask("DELETE", path).status == 404
    manifest = world.into.replace("/objects/", "/manifest/")
    assert body["id"] not in ids(world.client.get(manifest))


def test_b10_what_may_be_done_is_what_the_collection_says(world):
    first = indicator(0)["id"]
    found = {}
    for name in ("high", "inbox", "drop", "shut"):
        base = f"/allies/collections/{getattr(world, name).id}/"
        found[name] = (
            world.client.get(base + "objects/").status,
            world.client.get(base + "manifest/").status,
            world.client.get(f"{base}objects/{first}/versions/").status,
            world.client.post(base + "objects/", {"objects": [indicator(560)]}).status,
            world.client.ask("DELETE", f"{base}objects/{indicator(560)['id']}/").status,
        )
    assert found == {
        "high": (200, 200, 200, 403, 403),  # may read
        "inbox": (200, 200, 404, 202, 200),  # may do both
        "drop": (403, 403, 403, 202, 403),  # may write
        "shut": (404, 404, 404, 404, 404),  # may do neither
    }


def test_b10_who_is_not_known_is_told_how_to_say_who_they_are(world):
    for client, path in ((world.site.nobody, world.objects), (world.site.nobody, "/allies/")):
        answer = client.get(path)
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith(("Basic ", "Bearer "))
    wrong = world.client.get("/taxii2/", authorization="Bearer swp_no")
    assert (wrong.status, wrong.headers["content-type"]) == (401, MEDIA_TYPE)
    assert world.site.nobody.post(world.into, {"objects": [indicator(1)]}).status == 401


def test_b10_who_is_not_meant_finds_nothing(world):
    for path in (
        "/allies/",
        "/allies/collections/",
        world.objects,
        world.manifest,
        f"{world.objects}{indicator(0)['id']}/",
    ):
        assert world.stranger.get(path).status == 404, path
    assert len(world.stranger.get("/taxii2/").json["api_roots"]) == 1


# 11. errors


def test_b11_an_error_has_a_title_and_its_own_status_as_a_text(world):
    for answer in (
        world.client.get("/nothing/"),
        world.client.get(world.objects + "?limit=0"),
        world.site.nobody.get(world.objects),
        world.client.post(world.into, b"{"),
        world.client.get(world.objects, accept="text/html"),
    ):
        assert answer.json["title"]
        assert answer.json["http_status"] == str(answer.status)


def test_b11_properties_of_ones_own_are_passed_over_in_the_envelope(world):
    body = {"objects": [indicator(570)], "x_of_ours": {"a": 1}, "more": False}
    assert world.client.post(world.into, body).json["success_count"] == 1


# 12. who comes in


def test_b12_basic_and_bearer_open_the_same_door(world):
    text, _ = world.site.node.partners.issue(world.site.ada, "partner.secret", world.ally.id, days=1)
    for header in (basic(text), f"Bearer {text}", f"bearer {text}"):
        assert world.site.nobody.get(world.objects, authorization=header).status == 200
    for header in (basic(text)[:-6], f"Bearer {text[:-1]}", "Digest x", "Basic !", "Bearer", basic(text) + "A"):
        assert world.site.nobody.get(world.objects, authorization=header).status == 401


def test_b12_no_user_agent_is_needed(world):
    assert world.client.get(world.objects, user_agent="").status == 200


def test_b12_the_public_root_is_for_anybody(world):
    path = f"/public/collections/{world.public.id}/objects/"
    assert ids(world.site.nobody.get(path)) == [indicator(1)["id"]]
    assert world.site.nobody.get("/taxii2/").json["api_roots"] == [world.site.nobody.get("/taxii2/").json["default"]]
