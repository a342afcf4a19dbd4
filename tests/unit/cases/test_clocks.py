"""Reporting clocks are dated and sourced data, and count as the law counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.cases.clocks import EU, deadlines, read_clocks, shipped
from shieldwall.errors import BadText
from shieldwall.model.moment import unix, utc

ONE = """
dated = "2026-11-30"
[[clock]]
id = "x"
name = "X"
regime = "Act 1"
jurisdiction = "FR"
applies_to = "all"
starts = "aware"
hours = 24
to = "them"
what = "that"
verified = false
"""


def one(**changes):
    text = ONE
    for name, line in changes.items():
        kept = [each for each in text.splitlines() if not each.startswith(f"{name} =")]
        text = "\n".join([*kept, line])
    return read_clocks(text, "here").clocks[0]


def test_every_shipped_clock_has_its_source_and_says_whether_it_was_held_against_it():
    clocks = shipped()
    assert clocks.dated
    for clock in clocks.clocks:
        assert clock.regime
        assert clock.to
        assert clock.source_title or not clock.verified, clock.id
        assert not clock.after or clocks.get(clock.after), clock.id
    assert any(clock.verified for clock in clocks.clocks)
    assert not all(clock.verified for clock in clocks.clocks)


def test_the_known_numbers():
    due = {each.id: (each.length, each.span) for each in shipped().clocks}
    assert due["eu-nis2-early-warning"] == (24, "hours")
    assert due["eu-nis2-incident-notification"] == (72, "hours")
    assert due["eu-nis2-final-report"] == (1, "months")
    assert due["eu-gdpr-33"] == (72, "hours")
    assert due["us-sec-8k-105"] == (4, "business_days")
    assert due["us-bank-36h"] == (36, "hours")


def test_a_country_has_its_own_clocks_and_those_of_the_union():
    clocks = shipped()
    assert {clock.jurisdiction for clock in clocks.of("FR")} <= {"FR", "EU"}
    assert {clock.jurisdiction for clock in clocks.of("US")} == {"US"}
    assert clocks.of("") == clocks.clocks
    assert "GB" not in EU


@pytest.mark.parametrize(
    ("line", "start", "due"),
    [
        ("hours = 36", "2026-10-01T20:00:00Z", "2026-10-03T08:00:00Z"),
        ("days = 30", "2026-10-01", "2026-10-31T00:00:00Z"),
        ("business_days = 4", "2026-10-01T12:00:00Z", "2026-10-07T12:00:00Z"),  # a Thursday
        ("business_days = 1", "2026-10-03T12:00:00Z", "2026-10-05T12:00:00Z"),  # a Saturday
        ("months = 1", "2027-01-31T12:00:00Z", "2027-02-28T12:00:00Z"),
        ("months = 1", "2026-12-15T12:00:00Z", "2027-01-15T12:00:00Z"),
        ("months = 2", "2026-11-30T12:00:00Z", "2027-01-30T12:00:00Z"),
    ],
)
def test_a_clock_counts_as_the_law_counts(line, start, due):
    assert one(hours=line).due(start) == due


@given(
    st.integers(0, 4_000_000_000), st.sampled_from(["hours", "days", "business_days", "months"]), st.integers(1, 400)
)
def test_no_clock_ends_before_it_begins_and_a_longer_one_no_sooner(start, span, length):
    first = unix(one(hours=f"{span} = {length}").due(utc(start)))
    second = unix(one(hours=f"{span} = {length + 1}").due(utc(start)))
    assert start < first <= second


def test_a_clock_without_a_number_or_a_start_has_no_end():
    assert one(hours="").due("2026-10-01") == ""
    (found,) = deadlines([one()], {"country": "FR"}, 0)
    assert (found.start, found.due, found.seconds) == ("", "", None)


def test_the_next_deadline_comes_first_and_unpaid_is_no_payment():
    incident = {"found": "2026-10-01T00:00:00Z", "paid": "no", "country": "US"}
    found = deadlines(shipped().of("US"), incident, unix("2026-10-03"))
    assert not [each for each in found if each.clock.starts == "payment"]
    ends = [each.due for each in found if each.due]
    assert ends == sorted(ends)
    assert [each for each in found if each.seconds is not None and each.seconds < 0]  # 36 hours are over
    paid = deadlines(shipped().of("US"), incident | {"paid": "yes", "paid_at": "2026-10-02"}, 0)
    assert [each for each in paid if each.clock.starts == "payment" and each.due]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("hours", "hours = 0"),
        ("hours", 'hours = "24"'),
        ("hours", "hours = 24\ndays = 1"),
        ("hours", "hours = true"),
        ("starts", 'starts = "soon"'),
        ("verified", 'verified = "yes"'),
        ("name", "name = 7"),
        ("name", 'name = "X"\ncolour = "red"'),
        ("regime", ""),
        ("id", 'id = "x"\nsource_as_of = "some day"'),
        ("dated", ""),
        ("name", "name = ["),
    ],
)
def test_what_is_no_list_of_clocks_is_refused_by_place(name, line):
    with pytest.raises(BadText, match="here"):
        one(**{name: line})


def test_two_clocks_of_one_id_are_refused():
    with pytest.raises(BadText, match="same id"):
        read_clocks(ONE + ONE.partition("[[clock]]")[1] + ONE.partition("[[clock]]")[2], "here")
