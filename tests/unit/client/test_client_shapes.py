"""Shapes read what a node writes, name what is wrong, and are what the API says."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import inspect
import sys
import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.client import NodeClient, shapes
from shieldwall.client.address import parse_address
from shieldwall.client.calls import Calls
from shieldwall.client.reading import Shape, plain
from shieldwall.errors import BadText, ShieldwallError, UsageError

ALL = sorted(
    (one for one in vars(shapes).values() if inspect.isclass(one) and issubclass(one, Shape) and one is not Shape),
    key=lambda one: one.__name__,
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def values(kind: Any) -> st.SearchStrategy[Any]:
    """JSON that a type takes."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return _JSON
    if kind in (str, int, bool):
        return {str: st.text(max_size=5), int: st.integers(-(2**60), 2**60), bool: st.booleans()}[kind]
    if origin in (Union, types.UnionType):
        return st.none() | values(next(one for one in inner if one is not type(None)))
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is tuple:
        return st.lists(values(inner[0]), max_size=2)
    if inspect.isclass(kind) and issubclass(kind, Shape):
        return shaped(kind)
    return st.dictionaries(st.text(max_size=5), values(inner[1]), max_size=2)


def shaped(shape: type[Shape]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON that a shape takes, with all of its fields."""
    kinds = get_type_hints(shape)
    return st.fixed_dictionaries({each.name: values(kinds[each.name]) for each in dataclasses.fields(shape)[1:]})


@given(st.sampled_from(ALL).flatmap(lambda shape: st.tuples(st.just(shape), shaped(shape))))
def test_a_shape_says_what_was_read(given_):
    shape, value = given_
    found = shape.from_json({**value, "something newer": [1]}, etag='"1"')
    assert found.etag == '"1"'
    assert shape.from_json(plain(found)) == found
    assert plain(found) == {name: plain(inner) for name, inner in _without_none(value, shape).items()}


def _without_none(value: dict[str, Any], shape: type[Shape]) -> dict[str, Any]:
    """A value without fields of shapes that are None; what lies in plain objects stays."""
    kinds, left = get_type_hints(shape), {}
    for name, inner in value.items():
        if inner is not None:
            left[name] = _within(inner, kinds[name])
        elif kinds[name] is Any:
            left[name] = None
    return left


def _within(value: Any, kind: Any) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if value is None or kind is Any:
        return value
    if origin in (Union, types.UnionType):
        return _within(value, next(one for one in inner if one is not type(None)))
    if origin is tuple:
        return [_within(each, inner[0]) for each in value]
    return _without_none(value, kind) if inspect.isclass(kind) and issubclass(kind, Shape) else value


@given(st.sampled_from(ALL), _JSON | st.dictionaries(st.sampled_from(("id", "next", "people", "name")), _JSON))
def test_anything_else_is_a_bad_text(shape, value):
    with contextlib.suppress(BadText):
        assert isinstance(shape.from_json(value, "it"), shape)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("id", 7, "it.id is not text"),
        ("version", True, "it.version is not a whole number"),
        ("version", "1", "it.version is not a whole number"),
        ("roles", "viewer", "it.roles is no list"),
        ("roles", ["viewer", "sorcerer"], r"it.roles\[1\] is none of viewer"),
        ("highest", "TLP:WHITE", "it.highest is none of TLP:CLEAR"),
        ("highest", None, "it.highest is none of TLP:CLEAR"),
        ("name", ..., "it: the field name is missing"),
    ],
)
def test_the_field_is_named_and_not_what_stood_in_it(name, value, words):
    person = {"id": "0", "name": "A", "organisation": "", "roles": [], "highest": "TLP:RED", "mail": "", "created": ""}
    good = {**person, "version": 1}
    assert shapes.PersonShape.from_json(good).disabled == ""
    bad = {key: inner for key, inner in {**good, name: value}.items() if inner is not ...}
    with pytest.raises(BadText, match=words) as caught:
        shapes.PersonShape.from_json(bad, "it")
    assert "sorcerer" not in str(caught.value)
    assert "WHITE" not in str(caught.value)


def test_a_truth_is_no_number_for_a_literal():
    assert shapes.Done.from_json({"done": True}).done
    for value in (1, "true", False):
        with pytest.raises(BadText):
            shapes.Done.from_json({"done": value})


@pytest.fixture(scope="module")
def tool(root):
    spec = importlib.util.spec_from_file_location("make_client", root / "tools" / "make_client.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where a dataclass looks for its types
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def api(tool):
    return tool.document()


def test_the_files_are_what_the_api_says(root, tool, api):
    for name, text in tool.render(api).items():
        assert (root / "src" / "shieldwall" / "client" / name).read_text("utf-8") == text, "run `make client`"


def test_every_call_has_a_method(tool, api):
    names = {operation["operationId"] for path in api["paths"].values() for operation in path.values()}
    public = {name for name, _ in inspect.getmembers(Calls, inspect.isfunction) if not name.startswith("_")}
    assert names - tool.SKIPPED <= public
    assert {name for name in public if not name.startswith("every_")} == names - tool.SKIPPED
    assert names >= tool.VERSIONED | set(tool.STREAMED) | tool.SKIPPED


def test_what_is_shown_once_is_in_no_repr(tool):
    for name, field in tool.SECRET:
        (found,) = (each for each in dataclasses.fields(getattr(shapes, name)) if each.name == field)
        assert not found.repr


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://localhost:8420", "http://localhost:8420"),
        ("http://LOCALHOST/", "http://localhost"),
        ("http://node.localhost", "http://node.localhost"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://[::1]:8420", "http://[::1]:8420"),
        ("https://node.example.org", "https://node.example.org"),
        ("https://node.example.org:443/", "https://node.example.org"),
        ("https://192.0.2.1:8443", "https://192.0.2.1:8443"),
    ],
)
def test_where_a_node_is(url, origin):
    assert parse_address(url).origin == origin


@pytest.mark.parametrize(
    "url",
    [
        "http://node.example.org",
        "http://192.0.2.1",
        "http://0.0.0.0",
        "http://localhost.example.org",
        "ftp://localhost",
        "localhost:8420",
        "//localhost",
        "",
        "https://",
        "https://me:secret@node.example.org",
        "https://node.example.org/api",
        "https://node.example.org?x",
        "https://node.example.org#x",
        "https://node.example.org:99999",
        "https://node.example.org:x",
        "https://nöde.example.org",
        "https://a b",
        "https://[::1",
        "https://[fe80::1%25eth0]",
        "https://node.example.org\r\nX: y",
    ],
)
def test_where_no_token_is_sent(url):
    with pytest.raises(UsageError) as caught:
        NodeClient(url)
    assert "secret" not in str(caught.value)


@given(st.text(max_size=40) | st.from_regex(r"https?://[a-z.:\[\]0-9@/#?]{0,20}"))
def test_an_address_is_one_or_is_refused(url):
    try:
        found = parse_address(url)
    except ShieldwallError:
        return
    assert found.tls or found.host.endswith("localhost") or found.host.startswith(("127.", "::1", "0:"))
