"""Selectors point to parts of an object, and what they point to can be left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import BadText
from shieldwall.sharing.stix.selectors import must_point, steps_of, without

BODY = {
    "type": "indicator",
    "id": "x",
    "description": "secret",
    "labels": ["a", "b", "c"],
    "external_references": [{"source_name": "s", "url": "u"}],
    "extensions": {"e": {"deep": {"value": 1}}},
    "granular_markings": [{"selectors": ["description"], "marking_ref": "m"}],
}
NAMES = st.sampled_from(["a", "b", "labels", "x_y", "é"])
VALUES = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(NAMES, inner, min_size=1, max_size=3),
    max_leaves=8,
)


def test_steps_are_names_and_positions():
    assert steps_of("labels.[1]", "here") == ("labels", 1)
    assert steps_of("extensions.e.deep.value", "here") == ("extensions", "e", "deep", "value")


@pytest.mark.parametrize(
    "selector", ["", ".", "a.", "[0]", "a.[x]", "a.[-1]", "a[0]", "a..b", "a.[0", "a" * 251, ".".join("a" * 65)]
)
def test_what_is_no_selector_is_refused(selector):
    with pytest.raises(BadText, match="here"):
        steps_of(selector, "here")


@pytest.mark.parametrize("selector", ["labels.[3]", "labels.a", "description.[0]", "extensions.f", "nothing"])
def test_a_selector_must_point_to_something(selector):
    with pytest.raises(BadText, match="points nowhere"):
        must_point(BODY, selector, "here")


def test_parts_go_with_all_that_lies_in_them_and_nothing_stays_empty():
    left = without(BODY, ["description", "labels.[1]", "external_references.[0].url", "extensions.e"], "here")
    assert left == {"type": "indicator", "id": "x", "labels": ["a", "c"], "external_references": [{"source_name": "s"}]}
    assert BODY["description"] == "secret"


@pytest.mark.parametrize("selector", ["type", "id"])
def test_without_what_makes_it_an_object_nothing_is_left(selector):
    assert without(BODY, [selector], "here") is None


def _paths(value, at=()):
    if at:
        yield at
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _paths(item, (*at, name))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _paths(item, (*at, place))


def _leaves(value):
    if isinstance(value, dict | list):
        return [leaf for item in (value.values() if isinstance(value, dict) else value) for leaf in _leaves(item)]
    return [value]


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4), st.data())
def test_every_path_can_be_selected_and_only_what_lies_there_goes(body, data):
    paths = list(_paths(body))
    chosen = data.draw(st.lists(st.sampled_from(paths), min_size=1, max_size=3))
    selectors = [".".join(f"[{step}]" if isinstance(step, int) else step for step in path) for path in chosen]
    assert [must_point(body, selector, "here") for selector in selectors] == chosen
    left = without(body, selectors, "here")
    gone = [path for path in paths if any(path[: len(each)] == each for each in chosen)]
    kept = [path for path in paths if path not in gone]
    wanted = []
    for path in kept:
        value = body
        for step in path:
            value = value[step]
        if not isinstance(value, dict | list):
            wanted.append(value)
    assert sorted(map(str, _leaves(left or {}))) == sorted(map(str, wanted))
