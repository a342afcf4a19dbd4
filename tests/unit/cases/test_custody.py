"""A custody log is whole, or says where it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.cases.custody import Deed, Entry, begin, broken, follow
from shieldwall.errors import BadInput, BadText

SHA = "ab" * 32
DEEDS = [deed for deed in Deed if deed not in (Deed.ACQUIRED, Deed.DESTROYED)]


def log(deeds):
    entries = [begin("2026-10-01T08:00:00Z", "Mara", "acquired", "as received", SHA)]
    for place, deed in enumerate(deeds):
        entries.append(follow(entries[-1], f"2026-10-01T09:{place:02}:00Z", "Paul", deed.value, f"for {place}", SHA))
    return entries


logs = st.lists(st.sampled_from(DEEDS), min_size=1, max_size=8).map(log)


@given(logs)
def test_a_log_as_made_is_whole_and_comes_back(entries):
    assert broken(entries) == ()
    assert [Entry.from_dict(entry.as_dict()) for entry in entries] == entries


@given(logs, st.data())
def test_any_change_removal_or_other_order_is_seen(entries, data):
    place = data.draw(st.integers(0, len(entries) - 2))
    field = data.draw(st.sampled_from(["who", "why", "at", "sha256", "deed"]))
    changed = list(entries)
    changed[place] = replace(entries[place], **{field: getattr(entries[place], field) + "x"})
    assert broken(changed)
    assert broken(entries[:place] + entries[place + 1 :])
    swapped = list(entries)
    swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
    assert broken(swapped)
    assert broken([*entries[: place + 1], entries[place], *entries[place + 1 :]])


@given(logs, st.sampled_from(["number", "at", "who", "deed", "why", "sha256", "previous", "digest"]))
def test_an_entry_that_was_changed_is_no_entry(entries, field):
    plain = entries[-1].as_dict()
    plain[field] = plain[field] + (1 if field == "number" else "0")
    with pytest.raises(BadText, match="not what its digest says"):
        Entry.from_dict(plain)


@pytest.mark.parametrize("plain", [None, [], {}, {"digest": "x"}, {"number": 1}, "x", 7])
def test_what_is_no_entry_is_refused(plain):
    with pytest.raises(BadText, match="entry"):
        Entry.from_dict(plain)


def test_custody_goes_forward_and_ends_with_destruction():
    (first,) = log([])
    with pytest.raises(BadInput, match="forward"):
        follow(first, "2026-10-01T07:59:59Z", "Mara", "copied", "x", SHA)
    gone = follow(first, "2026-10-01T09:00:00Z", "Mara", "destroyed", "by order", SHA)
    with pytest.raises(BadInput, match="destroyed"):
        follow(gone, "2026-10-01T10:00:00Z", "Mara", "copied", "x", SHA)


@pytest.mark.parametrize(
    "bad", [("", "copied", "x"), ("Mara", "eaten", "x"), ("Mara", "copied", " "), ("M", "moved", "y" * 1001)]
)
def test_an_entry_says_who_what_and_why(bad):
    who, deed, why = bad
    with pytest.raises(BadInput):
        begin("2026-10-01T08:00:00Z", who, deed, why, SHA)
