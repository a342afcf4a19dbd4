"""A table of TOML: each field in its form, once, and nothing that nobody took."""

from __future__ import annotations

import tomllib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import BadText
from shieldwall.model.tomltable import TomlTable

VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.datetimes() | st.dates() | st.times(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
TAKES = (
    lambda table: table.take_text("x"),
    lambda table: table.take_choice("x", ("a", "b")),
    lambda table: table.take_texts("x"),
    lambda table: table.take_texts("x", ("a", "b")),
    lambda table: table.take_flag("x"),
    lambda table: table.take_number("x", most=7),
    lambda table: table.take_tables("x"),
)


@given(VALUES)
@pytest.mark.parametrize("take", TAKES)
def test_whatever_stands_there_is_taken_or_refused_by_name(take, value):
    table = TomlTable({"x": value}, "f.toml, entry 3")
    try:
        found = take(table)
    except BadText as error:
        assert error.message.startswith("f.toml, entry 3: x ")  # noqa: PT017
    else:
        assert found == value or list(found) == value or len(found) == len(value)
        table.finish()


def test_nothing_is_taken_twice_or_left():
    table = TomlTable.parse('a = "1"\nb = true\n', "f.toml")
    assert table.take_text("a") == "1"
    with pytest.raises(BadText, match="a is missing"):
        table.take_text("a")
    assert table.has("b")
    with pytest.raises(BadText, match="unknown field 'b'"):
        table.finish()
    assert table.take_flag("b") is True
    table.finish()


def test_a_default_stands_for_what_is_absent_alone():
    table = TomlTable({"n": -1}, "f.toml")
    assert (table.take_text("t", "z"), table.take_flag("f", default=False), table.take_tables("l")) == ("z", False, ())
    with pytest.raises(BadText, match="from 0 to 9"):
        table.take_number("n", most=9, default=3)


def test_tables_within_are_named_by_their_number():
    table = TomlTable.parse("[[clock]]\n[[clock]]\nhours = '7'\n", "f.toml")
    with pytest.raises(BadText, match=r"f.toml, clock 2: hours"):
        table.take_tables("clock")[1].take_number("hours", most=9)


@pytest.mark.parametrize("text", ["a = ", "a = 1\na = 2", "x = " + "[" * 5000, "\x00", "d = 2026-99-99"])
def test_what_is_no_toml_is_refused_with_its_place(text):
    with pytest.raises(BadText, match=r"^here: not TOML"):
        TomlTable.parse(text, "here")


@given(st.text(max_size=40))
def test_any_text_is_read_as_tomllib_reads_it(text):
    try:
        body = tomllib.loads(text)
    except ValueError:
        body = None
    with suppress(BadText):
        table = TomlTable.parse(text, "here")
        assert body is not None
        assert all(table.has(name) for name in body)
