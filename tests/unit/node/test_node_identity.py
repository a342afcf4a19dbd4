"""The node's identity: both signatures or none, keys that certify their successors, and words to compare them by."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest
from home_support import OPERATOR, Hand
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import BadText, StoreError, Tampered, UsageError
from shieldwall.node.identity import (
    PublicIdentity,
    PublicPair,
    SecretPair,
    begin_keys,
    load_keys,
    refreshed,
    rotate_keys,
    signed_hash,
)
from shieldwall.node.spoken import heard, spoken, words
from shieldwall.store import Secrets, Store

NODE = "ab" * 16
PAIR, OTHER = SecretPair(bytes(range(32)), bytes(range(32, 64))), SecretPair(bytes(32), bytes(32))
SIGNED = PAIR.sign("test", b"message")
VECTOR = Path(__file__).resolve().parents[3] / "docs" / "spec" / "node-keys-vector.json"


def test_a_signature_is_of_this_key_purpose_and_message():
    PAIR.public.verify("test", b"message", SIGNED)
    PAIR.public.verify("test", b"message", json.loads(json.dumps(SIGNED)))
    for pair, purpose, message in (
        (OTHER, "test", b"message"), (PAIR, "other", b"message"), (PAIR, "test", b"massage"),
    ):  # fmt: skip
        with pytest.raises(Tampered):
            pair.public.verify(purpose, message, SIGNED)


def spoiled(text):
    raw = bytearray(base64.b64decode(text))
    raw[7] ^= 1
    return base64.b64encode(raw).decode()


ED, ML = SIGNED["signatures"]


@pytest.mark.parametrize(
    "changed",
    [
        {"signatures": [ED]},
        {"signatures": [ML]},
        {"signatures": [ED, ED]},
        {"signatures": [ML, ED]},
        {"signatures": [ED, spoiled(ML)]},
        {"signatures": [spoiled(ED), ML]},
        {"signatures": [ED, ""]},
        {"signatures": [ED, ML, ML]},
        {"signatures": "x"},
        {"signatures": [ED, 5]},
        {"algorithms": ["Ed25519"]},
        {"algorithms": ["Ed25519"], "signatures": [ED]},
        {"algorithms": ["Ed25519", "Ed25519"], "signatures": [ED, ED]},
        {"algorithms": ["ML-DSA-65", "Ed25519"], "signatures": [ML, ED]},
        {"key": OTHER.public.id},
        {"more": 1},
    ],
)
def test_neither_signature_can_be_stripped_or_exchanged(changed):
    with pytest.raises(Tampered):
        PAIR.public.verify("test", b"message", SIGNED | changed)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_no_json_is_a_signature_by_chance(envelope):
    with pytest.raises(Tampered):
        PAIR.public.verify("test", b"message", envelope)


def test_a_purpose_is_a_word():
    for bad in ("", "Two Words", "x" * 65, "a/b"):
        with pytest.raises(ValueError, match="purpose"):
            PAIR.sign(bad, b"")


@pytest.fixture
def store(tmp_path):
    with Store.create(str(tmp_path / "node.db"), Secrets(bytes(32)), Hand()) as made:
        yield made


def test_rotation_is_certified_and_old_signatures_still_verify(store):
    first = begin_keys(store, OPERATOR, NODE)
    old = first.sign("test", b"before")
    second = rotate_keys(store, OPERATOR, first)
    third = rotate_keys(store, OPERATOR, second)
    assert [each.public.id for each in third.identity.generations] == [
        first.public.id,
        second.public.id,
        third.public.id,
    ]
    third.verify("test", b"before", old)
    new = third.sign("test", b"after")
    document = json.loads(json.dumps(third.identity.as_dict()))
    known = PublicIdentity.from_dict(document)  # without the node
    assert known == third.identity
    known.verify("test", b"after", new)
    known.verify("test", b"before", old)
    assert refreshed(store, OPERATOR, first).public == third.public
    assert refreshed(store, OPERATOR, third) is third


def test_an_old_key_signs_nothing_after_it_was_retired(store):
    first = begin_keys(store, OPERATOR, NODE)
    second = rotate_keys(store, OPERATOR, first)
    retired = second.identity.generations[0].retired_at
    late = first.sign("test", b"m")
    second.verify("test", b"m", late, at=retired)
    with pytest.raises(Tampered, match="not in use"):
        second.verify("test", b"m", late, at=retired + 1)
    with pytest.raises(Tampered, match="not in use"):
        second.verify("test", b"m", second.sign("test", b"m"), at=retired - 1)
    with pytest.raises(Tampered, match="none of the node's keys"):
        second.verify("test", b"m", SIGNED)


def test_a_document_with_another_key_put_in_is_refused(store):
    keys = rotate_keys(store, OPERATOR, begin_keys(store, OPERATOR, NODE))
    body = keys.identity.as_dict()
    strange = {
        "id": PAIR.public.id,
        "ed25519": base64.b64encode(PAIR.public.ed25519).decode(),
        "mldsa65": base64.b64encode(PAIR.public.mldsa65).decode(),
    }
    first, last = body["keys"]
    for listed in (
        [first, last | strange], [first | strange, last], [last], [first], [last, first], [first, last | {"certified": None}],
        [first, last | {"created_at": last["created_at"] + 1}], [first | {"retired_at": None}, last],
        [first, last | {"retired_at": 5}],
    ):  # fmt: skip
        with pytest.raises(Tampered):
            PublicIdentity.from_dict(body | {"keys": listed})
    with pytest.raises(Tampered):
        PublicIdentity.from_dict(body | {"node": "cd" * 16})  # certificates name the node
    for bad in (None, {}, body | {"keys": []}, body | {"version": 2}, body | {"keys": [first | {"ed25519": "?"}]}):
        with pytest.raises(BadText):
            PublicIdentity.from_dict(bad)


def test_keys_that_were_changed_in_the_store_are_not_loaded(store):
    from sqlalchemy import delete, update

    from shieldwall.store.schema import node_keys

    with pytest.raises(StoreError, match="lost its keys"):
        load_keys(store, OPERATOR, NODE)
    begin_keys(store, OPERATOR, NODE)
    with store._writing() as connection:
        connection.execute(update(node_keys).values(public=OTHER.public.to_bytes()))
    with pytest.raises(Tampered):
        load_keys(store, OPERATOR, NODE)
    with store._writing() as connection:
        connection.execute(delete(node_keys))
    keys = begin_keys(store, OPERATOR, NODE)
    with store._writing() as connection:
        connection.execute(update(node_keys).values(secret_sealed=bytes(64)))
    with pytest.raises(Tampered):
        load_keys(store, OPERATOR, NODE)
    assert keys.public.id in repr(keys.identity) or keys.public.ed25519
    assert "secret" not in repr(keys)


def test_the_vector_of_the_specification():
    vector = json.loads(VECTOR.read_text(encoding="utf-8"))
    pair = SecretPair(bytes.fromhex(vector["ed25519_seed"]), bytes.fromhex(vector["mldsa65_seed"]))
    public = pair.public
    assert public.ed25519.hex() == vector["ed25519_public"]
    assert hashlib.sha256(public.mldsa65).hexdigest() == vector["mldsa65_public_sha256"]
    assert public.id == vector["id"]
    assert public.fingerprint.hex() == vector["fingerprint"]
    assert public.spoken == vector["spoken"]
    message = bytes.fromhex(vector["message"])
    assert signed_hash(vector["purpose"], public.id, message).hex() == vector["signed_hash"]
    public.verify(vector["purpose"], message, vector["envelope"])
    assert (
        pair.sign(vector["purpose"], message)["signatures"][0] == vector["envelope"]["signatures"][0]
    )  # Ed25519 has one


def test_the_words_are_256_and_far_apart():
    listed = words()
    assert len(set(listed)) == 256
    assert list(listed) == sorted(listed)
    assert len({word[:4] for word in listed}) == 256
    assert all(4 <= len(word) <= 9 and word.isascii() and word.isalpha() and word.islower() for word in listed)


@given(st.binary(min_size=1, max_size=20))
def test_words_are_heard_as_they_were_spoken(raw):
    assert heard(spoken(raw)) == raw
    assert heard(spoken(raw).upper().replace(" ", "-")) == raw


@given(st.binary(min_size=2, max_size=14), st.data())
def test_a_word_left_out_or_misheard_is_noticed_mostly(raw, data):
    said = spoken(raw).split()
    with pytest.raises(UsageError, match="no word"):
        heard(" ".join([*said, "zzz"]))
    with pytest.raises(UsageError):
        heard(said[0])
    place = data.draw(st.integers(0, len(said) - 1))
    other = data.draw(st.sampled_from(words()))
    changed = [*said[:place], other, *said[place + 1 :]]
    try:
        assert heard(" ".join(changed)) != raw or changed == said
    except UsageError:
        assert changed != said


def test_the_fingerprint_is_spoken_in_112_bits():
    assert len(PAIR.public.spoken.split()) == 15
    assert heard(PAIR.public.spoken) == PAIR.public.fingerprint[:14]
    with pytest.raises(ValueError, match="sizes"):
        PublicPair(b"short", b"short")
