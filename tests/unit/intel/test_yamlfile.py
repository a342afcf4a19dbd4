import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intel_support import attribution, refused

from shieldwall.errors import BadText, UsageError
from shieldwall.intel import textfile, yamlfile
from shieldwall.intel.yamlfile import MAX_DEPTH, parse_yaml, read_yaml


def test_plain_values_come_as_written():
    text = b"""\
%YAML 1.1
---
date: 2021-11-14
time: 2023-08-16 12:18:52.619444
country: no
true: true
half: 0.50
number: -12
zeros: '007'
code: 007
hex: 0x12
long: 12345678901234567890
nothing: ~
list: [a, 1, {b: c}]
"""
    assert parse_yaml(text, "x") == {
        "date": "2021-11-14",
        "time": "2023-08-16 12:18:52.619444",
        "country": "no",
        "true": True,
        "half": "0.50",
        "number": -12,
        "zeros": "007",
        "code": "007",
        "hex": "0x12",
        "long": "12345678901234567890",
        "nothing": None,
        "list": ["a", 1, {"b": "c"}],
    }


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (b"a: &x 1\nb: 2", 1, "anchor"),
        (b"a: 1\nb: *x", 2, "alias"),
        (b"a: 1\n<<: {b: 2}", 2, "merge key"),
        (b"a: 1\nb: 2\na: 3", 3, "twice"),
        (b"a: 1\n---\nb: 2", 2, "second document"),
        (b"a:\n  b: !!python/object/apply:os.system ['x']", 2, "tag"),
        (b"a: !!binary aGk=", 1, "tag"),
        (b"{a: 1, [b]: 2}", 1, "key"),
        (b"a: 1\nb: [1, 2", 3, "not YAML"),
        (b"a: 1\n\xff", 2, "UTF-8"),
        (b"a: 1\n\x00", 2, "NUL"),
        (b"a: 1\n\x01", 0, "not YAML"),
    ],
)
def test_what_yaml_could_do_beyond_data_is_refused_with_its_line(text, line, what):
    with pytest.raises(BadText, match=what) as caught:
        parse_yaml(text, "pack.yaml")
    assert str(caught.value).startswith(f"pack.yaml:{line}:" if line else "pack.yaml: ")
    assert caught.value.hint


def test_a_bomb_of_aliases_costs_nothing():
    bomb = b"a: &a [x,x]\n" + b"".join(b"%c: &%c [*%c,*%c]\n" % (n + 1, n + 1, n, n) for n in range(97, 120))
    with pytest.raises(BadText, match="anchor"):
        parse_yaml(bomb, "bomb.yaml")


@pytest.mark.parametrize("opening", [b"[", b"{a: ", b"- "])
def test_deep_nesting_is_refused(opening):
    started = time.perf_counter()
    with pytest.raises(BadText, match="levels of nesting"):
        parse_yaml(opening * 20_000, "deep.yaml")
    assert time.perf_counter() - started < 5
    inside = parse_yaml(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, "deep.yaml")
    assert inside == [[inside[0][0]]]


def test_a_file_is_read_up_to_its_limit(tmp_path, monkeypatch):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1")
    assert read_yaml(path) == {"a": 1}
    with pytest.raises(BadText, match="longer than 3 bytes"):
        textfile.read_bytes(path, limit=3)
    with pytest.raises(UsageError, match="No such file"):
        read_yaml(tmp_path / "none.yaml")
    with pytest.raises(UsageError, match="directory"):
        read_yaml(tmp_path)


def test_without_libyaml_the_values_are_the_same(monkeypatch):
    text = b"a: [1, x, 'true']\nb: {c: null, d: false}"
    fast = parse_yaml(text, "x")
    monkeypatch.delattr(yamlfile.yaml, "CSafeLoader", raising=False)
    assert parse_yaml(text, "x") == fast
    with pytest.raises(BadText, match="surrogate"):
        parse_yaml(b'a: "\\ud800"', "x")


@given(st.binary(max_size=200) | st.text("&*!<>{}[]:-?|%@`'\"\\ \n\tab01.~", max_size=60).map(str.encode))
def test_anything_is_data_or_bad_text(raw):
    message = refused(lambda: parse_yaml(raw, "x"))
    assert not message or message.startswith("x")


def test_the_largest_packs_load_within_two_seconds():
    for name in ("ransomware.yaml", "graphsense.actorpack.yaml"):
        started = time.perf_counter()
        document = read_yaml(attribution("tagpacks", name))
        assert time.perf_counter() - started < 2
        assert document["title"]
