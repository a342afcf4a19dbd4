"""Every parser of outside data answers any bytes with a result or an error in words: the targets of fuzz/, by Hypothesis.

What atheris does for an hour (`make fuzz`), this does for a moment, from the same seeds.
"""

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

FUZZ = Path(__file__).resolve().parents[2] / "fuzz"
sys.path.append(str(FUZZ))

from fuzz_targets import TARGETS, check  # noqa: E402

from shieldwall.web.app import routes_with_rules  # noqa: E402

SLOW = ("backup_frames", "backup_lines", "door", "trace_file")  # tens of milliseconds for each input
VALUE = re.compile(rb'"[^"\\\\]*"|-?[0-9]+|true|false|null')
VALUES = [
    b"null",
    b"true",
    b"-1",
    b"1.5",
    b"1e999",
    b"9" * 20,
    b'""',
    b'"\\ud800"',
    b'"x\\u0000"',
    b"[]",
    b"{}",
    b"[[1]]",
    b'{"a":1}',
]


def seeds(name):
    """The corpus of a target."""
    return [path.read_bytes() for path in sorted((FUZZ / "corpus" / name).iterdir())]


def damaged(found):
    """Bytes of the corpus with some replaced, cut out or put behind one another, or a value exchanged; or any bytes."""
    whole = st.sampled_from(found)
    edits = st.lists(st.tuples(st.integers(0), st.integers(0, 12), st.binary(max_size=9)), min_size=1, max_size=5)

    def apply(data, changes):
        for place, length, new in changes:
            at = place % (len(data) + 1)
            data = data[:at] + new + data[at + length :]
        return data

    spliced = st.builds(
        lambda one, other, a, b: one[: a % (len(one) + 1)] + other[b % (len(other) + 1) :],
        whole, whole, st.integers(0), st.integers(0),
    )  # fmt: skip

    def exchange(data, which, new):
        places = [match.span() for match in VALUE.finditer(data)]
        if not places:
            return data + new
        begin, end = places[which % len(places)]
        return data[:begin] + new + data[end:]

    exchanged = st.builds(exchange, whole, st.integers(0), st.sampled_from(VALUES))
    return st.builds(apply, whole, edits) | exchanged | spliced | st.binary(max_size=200)


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus(name):
    found = seeds(name)
    assert 0 < sum(map(len, found)) < 40_000
    for data in found:
        check(name, data)


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes(name):
    @settings(max_examples=settings().max_examples // (10 if name in SLOW else 2))  # of each of many targets
    @given(damaged(seeds(name)))
    def answers(data):
        check(name, data)

    answers()


def test_every_target_has_a_corpus_and_every_corpus_a_target():
    assert {path.name for path in (FUZZ / "corpus").iterdir()} == set(TARGETS)


def test_every_route_that_changes_something_has_a_request_in_the_corpus():
    asked = [data.split(b"\n")[0].partition(b"?")[0].decode() for data in seeds("request")]
    for method, path, _ in routes_with_rules():
        if method in ("POST", "PUT", "PATCH"):
            form = re.compile(f"{method} {re.sub('{[a-z_]+}', '[^/]+', path)}")
            assert any(map(form.fullmatch, asked)), (method, path)
