"""Key slots: every key opens the one master key, no other does, and what is read before any key is known is bounded."""

from __future__ import annotations

import json

import pytest
from home_support import CHEAP, KEY, OTHER
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import Conflict, NotFound, ShieldwallError, StoreError, UsageError, WrongKey
from shieldwall.node.keysource import credential_file, key_source, passphrase_file
from shieldwall.node.slots import Cost, KeySlots, Passphrase, new_credential, new_slots, read_credential

WORDS = Passphrase("correct horse battery staple")


def two():
    slots, master = new_slots(KEY, name="machine", at=1)
    return slots.with_slot(master, WORDS, name="Ada", at=2, cost=CHEAP), master


def written(slots):
    return json.dumps(slots.as_dict()).encode()


def test_each_key_opens_the_same_master_key_and_no_other_key_does():
    slots, master = two()
    again = KeySlots.from_json(written(slots), "keys.json")
    assert again == slots
    assert again.unlock(KEY) == again.unlock(WORDS) == master
    for wrong in (OTHER, Passphrase("correct horse battery stapler")):
        with pytest.raises(WrongKey) as told:
            again.unlock(wrong)
        assert "Ada" not in str(told.value)
        assert "machine" not in str(told.value)


def test_a_passphrase_is_the_same_on_every_keyboard():
    slots, master = new_slots(Passphrase("grüne Äpfel im März"), name="Ada", at=1, cost=CHEAP)
    assert slots.unlock(Passphrase("gru\u0308ne A\u0308pfel im Ma\u0308rz")) == master


def test_the_usual_cost_is_that_of_the_specification():
    assert Cost() == Cost(memory=65536, passes=3, lanes=4)


def test_slots_are_added_and_removed_and_the_last_one_stays():
    slots, master = two()
    first, second = (slot.id for slot in slots.slots)
    left = slots.without(first)
    with pytest.raises(WrongKey):
        left.unlock(KEY)
    assert left.unlock(WORDS) == master
    with pytest.raises(Conflict, match="last"):
        left.without(second)
    with pytest.raises(NotFound):
        left.without(first)


def test_a_slot_is_bound_to_its_node_and_its_id():
    slots, _ = two()
    body = slots.as_dict()
    for field, value in (("node", "0" * 32), ("id", "0" * 16)):
        changed = json.loads(json.dumps(body))
        (changed if field == "node" else changed["slots"][0])[field] = value
        with pytest.raises(WrongKey):
            KeySlots.from_dict(changed, "keys.json").unlock(KEY)


@pytest.mark.parametrize("text", ["short", "aaaaaaaaaaaaaaaaaaaa", "x" * 2000, ""])
def test_a_passphrase_that_cannot_last_is_refused(text):
    with pytest.raises(UsageError):
        new_slots(Passphrase(text), name="Ada", at=1, cost=CHEAP)


def test_a_name_is_needed_and_there_are_not_too_many():
    slots, master = two()
    with pytest.raises(UsageError):
        slots.with_slot(master, KEY, name="", at=1)
    for number in range(14):
        slots = slots.with_slot(master, KEY, name=str(number), at=1)
    with pytest.raises(UsageError, match="at most"):
        slots.with_slot(master, KEY, name="one more", at=1)


@pytest.mark.parametrize("bad", [(1 << 19, 3, 4), (64, 17, 1), (64, 0, 1), (8, 1, 4), (1 << 18, 1, 17)])
def test_a_cost_that_would_take_the_machine_is_not_read(bad):
    slots, _ = two()
    body = slots.as_dict()
    body["slots"][1] |= dict(zip(("memory", "passes", "lanes"), bad, strict=True))
    with pytest.raises(StoreError):
        KeySlots.from_dict(body, "keys.json")


@given(st.data())
def test_whatever_stands_in_the_file_it_is_slots_or_a_typed_error(data):
    body = FIXED[0].as_dict()
    where = data.draw(
        st.sampled_from(["format", "version", "node", "slots", *(f"slot.{name}" for name in body["slots"][1])])
    )
    value = data.draw(
        st.none() | st.integers() | st.text(max_size=70) | st.lists(st.integers(), max_size=2) | st.booleans()
    )
    changed = json.loads(json.dumps(body))
    if where.startswith("slot."):
        changed["slots"][1][where.removeprefix("slot.")] = value
    else:
        changed[where] = value
    try:
        read = KeySlots.from_json(json.dumps(changed).encode(), "keys.json")
    except ShieldwallError:
        return
    assert read.unlock(KEY) == FIXED[1]


FIXED = two()


def test_a_large_file_is_not_read():
    with pytest.raises(StoreError):
        KeySlots.from_json(b" " * (1 << 17), "keys.json")


def private(path, text):
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_credential_files(tmp_path):
    credential, text = new_credential()
    path = private(tmp_path / "key", text)
    assert credential_file(path) == credential
    assert text.strip() not in repr(credential)
    path.chmod(0o640)
    with pytest.raises(WrongKey, match="others"):
        credential_file(path)
    with pytest.raises(WrongKey):
        credential_file(tmp_path / "none")
    for bad in ("", "ab" * 31, "zz" * 32, "ab" * 4000, "ä" * 64):
        with pytest.raises(WrongKey):
            read_credential(bad, "key")


def test_where_the_key_comes_from(tmp_path):
    _, text = new_credential()
    given, systemd = private(tmp_path / "given", text), tmp_path / "credentials"
    systemd.mkdir()
    private(systemd / "shieldwall-node-key", bytes(range(32)).hex())
    words = private(tmp_path / "words", WORDS.text + "\n")
    everything = {"CREDENTIALS_DIRECTORY": str(systemd), "SHIELDWALL_NODE_PASSPHRASE_FILE": str(words)}
    assert key_source(everything, key_file=given)() == credential_file(given)
    assert key_source(everything | {"SHIELDWALL_NODE_KEY_FILE": str(given)})() == credential_file(given)
    assert key_source(everything)() == KEY
    assert key_source({"SHIELDWALL_NODE_PASSPHRASE_FILE": str(words)})() == WORDS == passphrase_file(words)
    assert key_source({}, ask=lambda: WORDS.text)() == WORDS
    with pytest.raises(UsageError, match="key is needed"):
        key_source({})()
