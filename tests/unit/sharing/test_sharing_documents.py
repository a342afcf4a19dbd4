"""Documents of ours as STIX and back: whole, with amounts as texts, each object as its schema says."""

from __future__ import annotations

import json

import jsonschema_rs
import pytest

from shieldwall.cases.request import Asset, Recipient, Request, RequestKind
from shieldwall.errors import BadText
from shieldwall.model.canonical import digest
from shieldwall.model.marking import Marking, Pap
from shieldwall.sharing.claims import Maker
from shieldwall.sharing.documents import (
    OPINIONS,
    Frame,
    case_objects,
    document_in,
    document_objects,
    opinion_object,
    sighting_object,
)
from shieldwall.sharing.extensions import CASE, CLUSTER, DEFINITIONS, FLOW, REQUEST, TASK, definitions_for, schema_of
from shieldwall.sharing.money import address_of
from shieldwall.sharing.stix.object import object_of

GENESIS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
MAIN = "bip122:000000000019d6689c085ae165831e93"
FRAME = Frame(
    maker=Maker.of("ab" * 16, "Unit 5", 1_750_000_000_000_000),
    created=1_760_000_000_000_000,
    modified=1_760_000_000_000_000,
    marking=Marking.GREEN,
    pap=Pap.AMBER,
)
CHECKS = {each.id: jsonschema_rs.validator_for(schema_of(each)) for each in DEFINITIONS}


def signed(body):
    return {**body, "digest": digest(body)}


TRACE = signed(
    {
        "format": "shieldwall-trace/3",
        "program": "shieldwall 0",
        "direction": "forward",
        "sentence": "All of it lies at one address.",
        "targets": [{"target": GENESIS, "kind": "address", "identity": GENESIS}, {"target": "x", "found": False}],
        "network": "main",
        "tip_height": 9,
        "tip_hash": "00" * 32,
        "method": "fifo",
        "unit": "satoshi",
        "seed_amount": 2**60,
        "ends": [
            {"address": GENESIS, "kind": "held", "amount": 2**60, "share": "1", "service": None},
            {"address": None, "kind": "fee", "amount": 7, "share": "0", "service": None},
        ],
    }
)
CLUSTERED = signed(
    {
        "format": "shieldwall-cluster/1",
        "network": "main",
        "address": GENESIS,
        "named_after": GENESIS,
        "size": 2,
        "received_amount": 5,
        "members": [GENESIS],
        "clustering": {"name": "co-spend", "digest": "cd" * 32},
    }
)


def request():
    asset = Asset(
        chain=MAIN, network="main", asset="BTC", address=GENESIS, txid="ab" * 32, index=0, amount=5, value=5, share="1",
        time="2026-01-01T00:00:00Z", height=9, block_hash="00" * 32, proof="inclusion",
    )  # fmt: skip
    recipient = Recipient(name="Exchange", country="DE")
    return Request(
        kind=RequestKind.FREEZE, assets=(asset,), recipient=recipient, narrative="It was paid.", marking=Marking.AMBER
    )


def checked(bodies):
    """Every object is one that can be read, and fits the schemas of the extensions that it uses."""
    for body in bodies:
        raw = json.dumps(body).encode()
        object_of(json.loads(raw), raw, "here")
        for name, extension in body.get("extensions", {}).items():
            if name in CHECKS:
                whole = extension["extension_type"] != "property-extension"
                assert CHECKS[name].is_valid(body if whole else extension), name
    return bodies


@pytest.mark.parametrize(("document", "extension"), [(TRACE, FLOW), (CLUSTERED, CLUSTER)])
def test_a_document_with_a_digest_comes_back_whole(document, extension):
    *about, body = checked(document_objects(document, FRAME, "here"))
    assert extension in body["extensions"]
    assert document_in(body, "here") == document
    assert [address_of(each).name for each in about] == [GENESIS]
    assert body["id"] == document_objects(document, FRAME, "here")[-1]["id"]
    assert {each["id"] for each in definitions_for([body])} > {extension}
    for broken in ({**document, "digest": "00" * 32}, {**document, "network": "main2"}):
        with pytest.raises(BadText, match="here"):
            document_objects(broken, FRAME, "here")
    changed = {**body, "document": body["document"].replace("main", "test")}
    with pytest.raises(BadText, match="digest"):
        document_in(changed, "here")
    with pytest.raises(BadText, match="here"):
        document_in({**body, "document": json.dumps({**document, "more": 0.5})}, "here")
    with pytest.raises(BadText, match="here"):
        document_objects({**document, "more": 0.5}, FRAME, "here")


def test_amounts_are_texts_whatever_their_size():
    body = document_objects(TRACE, FRAME, "here")[-1]
    assert (body["seed_amount"], body["ends"][0]["amount"]) == (str(2**60), str(2**60))
    assert len(body["ends"]) == 1  # what is no address has no end in STIX


def test_a_request_is_a_task():
    document = request().as_dict()
    about, task = checked(document_objects(document, FRAME, "here", state="sent"))
    assert (task["type"], task["outcome"], task["task_types"]) == ("task", "ongoing", ["containment"])
    assert task["extensions"][TASK] == {"extension_type": "new-sdo"}
    assert task["extensions"][REQUEST]["asset_refs"] == [about["id"]]
    assert Request.from_dict(document_in(task, "here")).as_dict() == document


def test_a_case_is_a_grouping_that_names_no_member():
    case = {"id": "ab" * 16, "title": "Waterworks", "number": "7", "status": "open"}
    (body,) = checked(case_objects(case, ["indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"], FRAME))
    assert document_in(body, "here") == case
    assert body["extensions"][CASE]["extension_type"] == "property-extension"


def test_sightings_and_opinions_are_objects_of_their_own():
    of = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"
    seen = sighting_object(of, FRAME, first=0, last=1_000_000, count=3, text="in a mail")
    assert (seen["sighting_of_ref"], seen["count"], seen["last_seen"]) == (of, 3, "1970-01-01T00:00:01.000Z")
    for word in OPINIONS:
        assert opinion_object([of], word, FRAME)["opinion"] == word
    checked([seen, opinion_object([of], "agree", FRAME, text="seen here too")])
    with pytest.raises(BadText, match="no opinion"):
        opinion_object([of], "perhaps", FRAME)


@pytest.mark.parametrize("document", [{}, {"format": "shieldwall-trace/2"}, {"format": "shieldwall-request/1"}])
def test_what_is_no_document_is_refused(document):
    with pytest.raises(BadText, match="here"):
        document_objects(document, FRAME, "here")
    assert document_in({"type": "indicator"}, "here") is None
