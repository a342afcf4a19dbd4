import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import UsageError
from shieldwall.model.moment import unix, utc

BLOCK_TIME = st.integers(0, 0xFFFFFFFF)  # the time in a block header has 32 bits


@given(BLOCK_TIME)
def test_there_and_back(seconds):
    text = utc(seconds)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
    assert unix(text) == seconds


@given(BLOCK_TIME, BLOCK_TIME)
def test_texts_sort_as_moments_do(one, other):
    assert (one < other) == (utc(one) < utc(other))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2009-01-03T18:15:05Z", 1231006505),  # the genesis block
        ("2021-05-08", 1620432000),
        ("2021-05-08T17:12:57", 1620493977),
        ("2021-05-08 17:12:57", 1620493977),
        ("2021-05-08T19:12:57+02:00", 1620493977),
        ("2021-05-08T17:12:57.999Z", 1620493977),
        ("2106-02-07T06:28:15Z", 0xFFFFFFFF),
    ],
)
def test_dates_and_times_are_read(text, seconds):
    assert unix(text) == seconds


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York"])
def test_the_clock_of_the_machine_does_not_matter(monkeypatch, zone):
    import time

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert utc(1231006505) == "2009-01-03T18:15:05Z"
        assert unix("2009-01-03T18:15:05") == 1231006505
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "yesterday",
        "2021",
        "2021-05",
        "2021-13-01",
        "2021-02-29",
        "2021-05-08T25:00:00Z",
        "8.5.2021",
        "1620493977",
    ],
)
def test_what_is_no_date_is_refused_with_an_example(text):
    with pytest.raises(UsageError, match="is not a date") as caught:
        unix(text)
    assert "2021-05-08T17:12:57Z" in caught.value.hint


@given(
    st.one_of(
        st.text(),
        st.from_regex(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}([T ][0-9:.,]{0,15}([+-][0-9:]{0,6}|Z)?)?", fullmatch=True),
    )
)
def test_any_text_is_a_moment_or_a_usage_error(text):
    with suppress(UsageError):
        assert isinstance(unix(text), int)
