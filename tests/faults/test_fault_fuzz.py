"""Every parser of outside data answers any bytes with a result or an error in words: the targets of fuzz/, by Hypothesis.

What atheris does for an hour (`make fuzz`), this does for a moment, from the same seeds.
"""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

FUZZ = Path(__file__).resolve().parents[2] / "fuzz"
sys.path.append(str(FUZZ))

from fuzz_targets import TARGETS, check  # noqa: E402


def seeds(name):
    """The corpus of a target."""
    return [path.read_bytes() for path in sorted((FUZZ / "corpus" / name).iterdir())]


def damaged(found):
    """Bytes of the corpus with some replaced, cut out, repeated or put behind one another; or any bytes."""
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
    return st.builds(apply, whole, edits) | spliced | st.binary(max_size=200)


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus(name):
    found = seeds(name)
    assert 0 < sum(map(len, found)) < 40_000
    for data in found:
        check(name, data)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=settings().max_examples // 2)  # of each of many targets
@given(data=st.data())
def test_any_bytes(name, data):
    check(name, data.draw(damaged(seeds(name))))


def test_every_target_has_a_corpus_and_every_corpus_a_target():
    assert {path.name for path in (FUZZ / "corpus").iterdir()} == set(TARGETS)
