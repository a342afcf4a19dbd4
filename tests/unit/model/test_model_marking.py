from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import UsageError
from shieldwall.model.marking import STRICTEST, Marking, parse_marking

WORDS = ["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"]


def test_from_open_to_closed():
    assert [marking.label for marking in Marking] == WORDS
    assert all(one < other for one, other in pairwise(Marking))
    assert max(Marking.AMBER, Marking.AMBER_STRICT) is Marking.AMBER_STRICT
    assert max(Marking) is STRICTEST is Marking.RED


@pytest.mark.parametrize("marking", Marking)
def test_there_and_back(marking):
    assert parse_marking(marking.label) is marking
    assert parse_marking(marking.label.lower()) is marking
    assert parse_marking(marking.label.removeprefix("TLP:")) is marking


@pytest.mark.parametrize("text", ["TLP:WHITE", "white"])
def test_white_of_the_first_version_is_clear(text):
    assert parse_marking(text) is Marking.CLEAR


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_marking_is_the_strictest(nothing):
    assert parse_marking(nothing) is STRICTEST


@pytest.mark.parametrize(
    "text", ["TLP:", "TLP:BLUE", "AMBER+", "open", " ", "0", "TLP:OFFWHITE", "TLP:TLP:RED", "label"]
)
def test_a_word_that_is_no_marking_is_refused(text):
    with pytest.raises(UsageError, match=r"is no TLP 2\.0 marking") as caught:
        parse_marking(text)
    assert all(word in caught.value.hint for word in WORDS)


@given(st.one_of(st.text(), st.builds(str.__add__, st.sampled_from(WORDS), st.text(max_size=2))))
def test_any_text_is_a_marking_or_a_usage_error(text):
    try:
        marking = parse_marking(text)
    except UsageError:
        return
    assert not text or text.upper().removeprefix("TLP:").replace("_", "+") in [*(w[4:] for w in WORDS), "WHITE"]
    assert text or marking is STRICTEST
