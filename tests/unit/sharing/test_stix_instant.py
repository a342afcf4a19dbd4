"""Instants: read in any spelling that is seen, written in the one that each standard has."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import BadText
from shieldwall.sharing.stix.instant import read_instant, stix_time, taxii_time

MICROS = st.integers(-60_000_000_000_000_000, 250_000_000_000_000_000)


@given(MICROS)
def test_what_is_written_reads_as_the_same_instant(micros):
    for text in (stix_time(micros), taxii_time(micros)):
        assert read_instant(text, "here") == micros
        assert text.endswith("Z")
    assert len(taxii_time(micros)) == len("2026-11-30T12:00:00.000000Z")


def test_digits_are_those_of_each_standard():
    assert stix_time(1_500_000) == "1970-01-01T00:00:01.500Z"
    assert stix_time(1_500_001) == "1970-01-01T00:00:01.500001Z"
    assert taxii_time(0) == "1970-01-01T00:00:00.000000Z"


@given(MICROS, st.integers(-14 * 60, 14 * 60))
def test_an_offset_is_taken_into_account(micros, minutes):
    local = read_instant(taxii_time(micros + minutes * 60_000_000), "here")
    text = taxii_time(local)[:-1] + f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    assert read_instant(text, "here") == micros


def test_python_agrees():
    text = "2024-02-29T23:59:59.123456Z"
    moment = datetime.fromisoformat(text)
    assert read_instant(text, "here") == round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)


@pytest.mark.parametrize(
    "text",
    ["", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "2026-01-01T00:00:60Z", "2026-01-01 00:00:00Z", None, 7,
     "2026-01-01T00:00:00.Z", "２026-01-01T00:00:00Z", "2026-01-01T00:00:00Z\n"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text):
    with pytest.raises(BadText, match="here"):
        read_instant(text, "here")
