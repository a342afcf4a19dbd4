"""Claims, addresses and transactions as STIX and back: nothing lost, and every object as its schema says."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import BadText
from shieldwall.model.canonical import canonical_json
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.marking import Marking, Pap
from shieldwall.sharing.claims import Maker, claim_objects, claim_of, identity_object, sentence_of, subject_object
from shieldwall.sharing.extensions import ADDRESS, AUTHORS, CLAIM, DEFINITIONS, TRANSACTION, definitions_for, schema_of
from shieldwall.sharing.markings import levels_of
from shieldwall.sharing.money import (
    Side,
    Transaction,
    address_id,
    address_object,
    address_of,
    transaction_object,
    transaction_of,
    wallet_object,
)
from shieldwall.sharing.stix.object import object_of, read_object

MAIN = "bip122:000000000019d6689c085ae165831e93"
MAKER = Maker.of("ab" * 16, "Unit 5", 1_750_000_000_000_000)
AT = 1_760_000_000_123_456
CHECKS = {definition.id: jsonschema_rs.validator_for(schema_of(definition)) for definition in DEFINITIONS}

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
SOME = TEXT.filter(bool)
VALUES = st.recursive(
    TEXT | st.integers(-(2**53), 2**53) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SOME, inner, max_size=3),
    max_leaves=4,
)
TYPES = st.sampled_from(
    ["address", "transaction", "group", "malware", "victim", "service", "case", "cluster", "output"]
)
CLAIMS = st.builds(
    Claim,
    subject=st.builds(Subject, TYPES, st.sampled_from([MAIN, "", "ETH"]), SOME),
    kind=st.sampled_from(["tag", "finding", "relation", "note"]),
    statement=st.dictionaries(SOME, VALUES, max_size=3)
    | st.fixed_dictionaries({"relation": st.just("member of"), "object_type": st.just("group"), "object": SOME}),
    layer=st.sampled_from(Layer),
    source=TEXT,
    made_by=TEXT,
    at=st.sampled_from(["", "2026-01-01", "2026-01-01T00:00:00Z"]),
    confidence=st.none() | st.integers(0, 100),
    marking=st.sampled_from(Marking),
    pap=st.sampled_from(Pap),
    evidence=st.lists(st.just("ab" * 32), max_size=1).map(tuple),
    signature=TEXT,
)


def read_back(body):
    """The claim in an object that travelled as bytes."""
    thing = read_object(canonical_json(body), "here")
    return claim_of(thing.body, levels_of(thing, {}), "here")


@given(CLAIMS, st.none() | st.just(AT + 5_000_000))
def test_a_claim_comes_back_whole(claim, retracted_at):
    bodies = claim_objects(claim, MAKER, at=AT, retracted_at=retracted_at)
    said = bodies[-1]
    assert read_back(said) == claim
    assert read_back(said).signature == claim.signature
    for body in bodies:
        object_of(body, b"", "here")  # it is STIX
        for name in body.get("extensions", {}):
            part = body["extensions"][name] if name == CLAIM else body
            CHECKS[name].validate(part)
    thing = read_object(canonical_json(said), "here")
    assert levels_of(thing, {}).marking == claim.marking
    assert levels_of(thing, {}).pap == claim.pap
    assert thing.revoked == (retracted_at is not None)
    assert thing.references() >= {MAKER.id, *(body["id"] for body in bodies[:-1])} - {said["id"]}


@given(CLAIMS)
def test_the_same_claim_is_the_same_object_and_another_maker_s_is_another(claim):
    mine, again = (claim_objects(claim, MAKER, at=AT)[-1] for _ in range(2))
    other = claim_objects(claim, Maker.of("cd" * 16, "Other", 1), at=AT)[-1]
    assert mine == again
    assert mine["id"] != other["id"]
    assert canonical_json(mine) == canonical_json(again)


def test_what_a_claim_is_about_is_the_same_bytes_whoever_marks_it():
    one = Claim(
        subject=Subject("address", MAIN, "1x"), kind="tag", statement={"label": "X"}, layer=Layer.ATTRIBUTION,
        source="", made_by="", marking=Marking.GREEN,
    )  # fmt: skip
    first, second = (
        claim_objects(replace(one, marking=marking), MAKER, at=AT + int(marking))[0]
        for marking in (Marking.GREEN, Marking.RED)
    )
    assert first == second == address_object(MAIN, "1x")


def test_an_object_that_is_marked_stricter_than_its_claim_is_refused():
    claim = Claim(
        subject=Subject("address", MAIN, "1x"), kind="tag", statement={"label": "X"}, layer=Layer.ATTRIBUTION,
        source="", made_by="", marking=Marking.GREEN, pap=Pap.GREEN,
    )  # fmt: skip
    body = claim_objects(claim, MAKER, at=AT)[-1]
    body["object_marking_refs"] = claim_objects(replace(claim, marking=Marking.RED), MAKER, at=AT)[-1][
        "object_marking_refs"
    ]
    with pytest.raises(BadText, match="stricter"):
        read_back(body)


@pytest.mark.parametrize("extension", [7, {}, {"claim": 7}, {"claim": {}}, {"claim": {"subject": {}}}])
def test_what_is_no_claim_is_refused(extension):
    with pytest.raises(BadText, match="here"):
        claim_of(
            {"extensions": {CLAIM: extension}},
            levels_of(read_object(canonical_json(identity_object(MAKER)), "x"), {}),
            "here",
        )
    assert claim_of({"extensions": []}, None, "here") is claim_of({}, None, "here") is None


def test_people_read_what_is_said():
    claim = Claim(
        subject=Subject("address", MAIN, "1x"), kind="tag", statement={"label": "DarkSide"}, layer=Layer.ATTRIBUTION,
        source="FBI affidavit", made_by="Mara",
    )  # fmt: skip
    assert sentence_of(claim) == "address 1x: DarkSide. Source: FBI affidavit."
    note = claim_objects(claim, MAKER, at=AT)[-1]
    assert (note["type"], note["authors"], note["created"]) == ("note", ["Mara"], "2025-10-09T08:53:20.123Z")


def test_each_definition_goes_along_with_what_uses_it_and_is_whole():
    bodies = [address_object(MAIN, "1x"), wallet_object("1x")]
    found = definitions_for(bodies)
    assert [body["id"] for body in found] == sorted([ADDRESS, AUTHORS])
    assert definitions_for([wallet_object("1x")]) == []
    for body in found:
        object_of(body, b"", "here")
    assert json.loads(next(body["schema"] for body in found if body["id"] == ADDRESS))["title"] == "blockchain-address"
    assert {definition.id.split("--")[1][14] for definition in DEFINITIONS} == {"4"}  # UUIDs of version 4


# money

AMOUNTS = st.none() | st.integers(0, 10**60)
SIDES = st.lists(
    st.builds(Side, index=st.integers(0, 9), address=st.sampled_from(["", "1a", "1b"]), amount=AMOUNTS), max_size=3
)
TRANSACTIONS = st.builds(
    Transaction,
    chain=st.just(MAIN),
    txid=st.just("ab" * 32),
    asset=st.sampled_from(["", f"{MAIN}/slip44:0"]),
    block_hash=st.sampled_from(["", "cd" * 32]),
    block_height=st.none() | st.integers(0, 10**7),
    block_time=st.sampled_from(["", "2021-05-08T17:12:57Z"]),
    inputs=SIDES.map(tuple),
    outputs=SIDES.map(tuple),
)


@given(TRANSACTIONS)
def test_a_transaction_comes_back_to_the_last_unit(given_):
    body = json.loads(canonical_json(transaction_object(given_)))
    CHECKS[TRANSACTION].validate(body)
    addresses = {address_id(MAIN, name): name for name in ("1a", "1b")}
    assert transaction_of(body, addresses, "here") == given_


@pytest.mark.parametrize(
    "change",
    [
        {"txid": "ef" * 32},
        {"chain": 7},
        {"block_height": -1},
        {"block_height": True},
        {"inputs": 7},
        {"inputs": [{"index": 0, "amount": 0.84}]},
        {"inputs": [{"index": 0, "amount": "0.84"}]},
        {"inputs": [{"index": -1}]},
        {"outputs": [{"index": 0, "address_ref": address_id(MAIN, "1c")}]},
    ],
)
def test_a_transaction_that_is_none_is_refused(change):
    body = transaction_object(Transaction(chain=MAIN, txid="ab" * 32)) | change
    with pytest.raises(BadText, match="here"):
        transaction_of(body, {}, "here")


def test_an_address_is_read_in_every_spelling():
    ours = address_object(MAIN, "15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr")
    wanted = Subject("address", MAIN, "15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr")
    assert address_of(ours) == wanted
    for name in ("value", "address", "hash"):
        assert address_of({"type": "cryptocurrency-wallet", name: wanted.name}) == wanted
    segwit = "BC1QXY2KGDYGJRSQTZQ2N0YRF2493P83KKFJHX0WLH"
    assert address_of({"type": "cryptocurrency-wallet", "value": segwit}) == Subject("address", MAIN, segwit.lower())
    assert address_of({"type": "cryptocurrency-wallet", "value": "0xabc"}) == Subject("address", "", "0xabc")
    assert address_of(ours | {"address": "other"}) is None  # the identifier is of another one
    assert address_of({"type": "url", "value": "x"}) is address_of({"type": "cryptocurrency-wallet"}) is None


def test_one_text_on_two_chains_is_two_things():
    assert address_id("eip155:1", "0xabc") != address_id("eip155:137", "0xabc")


@pytest.mark.needs("shared")
def test_the_money_objects_of_others_are_read(shared_data):
    folder = shared_data / "threat-intel/stix/stix2extensions/examples/scos"
    (path,) = folder.glob("cryptocurrency-wallet--*.json")
    assert address_of(json.loads(path.read_text())) == Subject("address", MAIN, "1KFHE7w8BhaENAswwryaoccDb6qcT6DbYY")


def test_what_is_no_observable_is_its_maker_s():
    mine, other = (subject_object(Subject("group", "", "DarkSide"), maker) for maker in (MAKER, Maker.of("cd", "O", 1)))
    assert mine["type"] == "intrusion-set"
    assert mine["id"] != other["id"]
    assert subject_object(Subject("case", "", "ab" * 16), MAKER)["object_refs"] == [MAKER.id]
