import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.model.canonical import canonical_json, digest

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), TEXTS)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))


@given(VALUES)
def test_any_json_value_comes_back_from_its_bytes(value):
    raw = canonical_json(value)
    assert json.loads(raw) == value
    assert canonical_json(json.loads(raw)) == raw
    assert digest(value) == sha256(raw).hexdigest()


def turned(value):
    """The same value, the keys of every object in the opposite order."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(item) for item in value] if isinstance(value, list) else value


@given(VALUES)
def test_the_order_of_keys_does_not_matter(value):
    assert canonical_json(turned(value)) == canonical_json(value)


def test_bytes_without_space_or_escape_that_is_not_needed():
    value = {"b": [1, True, None, "ä€😀"], "a": {"y": '"\\\n\x0f\x7f', "x": []}}
    assert canonical_json(value) == '{"a":{"x":[],"y":"\\"\\\\\\n\\u000f\x7f"},"b":[1,true,null,"ä€😀"]}'.encode()
    assert canonical_json((1, (2,))) == b"[1,[2]]"


def test_digests_are_the_same_in_every_version():
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert digest({"b": 2, "a": ["ß", 1]}) == sha256(b'{"a":["\xc3\x9f",1],"b":2}').hexdigest()


def test_keys_sort_by_their_utf16_units():
    """RFC 8785, section 3.2.3, whose example this is."""
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    found = list(json.loads(canonical_json(dict.fromkeys(keys, 0))))
    assert found == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@given(st.floats(), st.lists(st.sampled_from(["list", "tuple", "object"]), max_size=5))
def test_floats_are_refused_however_deep(number, layers):
    value = number
    for layer in layers:
        value = {"list": [1, value], "tuple": ("x", value), "object": {"k": 0, "v": value}}[layer]
    with pytest.raises(TypeError, match="float"):
        canonical_json(value)
    with pytest.raises(TypeError, match="float"):
        digest(value)


def test_a_float_is_no_key_either():
    with pytest.raises(TypeError):
        canonical_json({1.5: "x"})


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, object(), {"a": [b""]}])
def test_what_json_has_no_form_for_is_refused(value):
    with pytest.raises(TypeError):
        canonical_json(value)


@given(VALUES)
def test_the_short_way_writes_what_the_long_one_does(value):
    def ordered(part):
        if isinstance(part, dict):
            return {key: ordered(part[key]) for key in sorted(part, key=lambda key: key.encode("utf-16-be"))}
        return [ordered(item) for item in part] if isinstance(part, list) else part

    assert canonical_json(value) == json.dumps(ordered(value), ensure_ascii=False, separators=(",", ":")).encode()
