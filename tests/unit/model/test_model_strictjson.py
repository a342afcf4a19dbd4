"""JSON from outside means one thing, or is refused."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import BadText
from shieldwall.model.canonical import canonical_json
from shieldwall.model.strictjson import DEPTH, parse_json

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**19), 10**19) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(values)
def test_what_is_written_is_read(value):
    assert parse_json(canonical_json(value), "here") == value
    assert parse_json(json.dumps(value), "here") == value


@given(st.text() | st.binary())
def test_anything_is_a_value_or_bad_text(raw):
    with contextlib.suppress(BadText):
        parse_json(raw, "here")


@pytest.mark.parametrize(
    "raw",
    [
        '{"a": 1, "a": 2}',
        '{"a": {"b": 1, "b": 1}}',
        '{"a": 1, "\\u0061": 2}',
        "[NaN]",
        "Infinity",
        "-Infinity",
        "1.5",
        "1e3",
        "9" * 21,
        "-" + "9" * 5000,
        "",
        "{",
        "[1,]",
        "'a'",
        b"\xff",
        b"\xef\xbb\xbf{}",
        "[" * (DEPTH + 1) + "]" * (DEPTH + 1),
        '{"a":' * (DEPTH + 1) + "1" + "}" * (DEPTH + 1),
        "[" * 1_000_000,
        '["\\ud800"]',
        '{"\\uDC00\\ud800": 1}',
        '"\ud800"',
    ],
)
def test_what_is_refused(raw):
    with pytest.raises(BadText):
        parse_json(raw, "here")


def test_brackets_in_texts_are_no_depth():
    text = json.dumps(['"' + "[{" * 500, "\\", "[" * 500])
    assert len(parse_json(text, "here")) == 3
    assert parse_json("[" * DEPTH + "]" * DEPTH, "here") is not None


def test_floats_where_they_are_wanted():
    assert parse_json("[1.5, -2e3]", "here", floats=True) == [1.5, -2000.0]
    with pytest.raises(BadText):
        parse_json("1." + "0" * 100, "here", floats=True)
    with pytest.raises(BadText, match="too large"):
        parse_json("1e999", "here", floats=True)


def test_whole_characters_beyond_the_first_plane_are_no_halves():
    assert parse_json('["\\ud83d\\ude00", "\\\\ud800"]', "here") == ["😀", "\\ud800"]


@pytest.mark.parametrize("raw", ['"' * 200_000, '"\\' * 100_000, "[" * 300_000, '{"a":1,' * 60_000])
def test_nothing_takes_long(raw):
    start = time.perf_counter()
    with pytest.raises(BadText):
        parse_json(raw, "here")
    assert time.perf_counter() - start < 2
