"""An intake is what somebody told, as they told it; a file of it comes back the same, and a hostile one is refused."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.cases.incident import (
    CHOICES,
    COUNTRY,
    FIELDS,
    FIRST_HOUR,
    INCIDENT,
    LONGEST,
    TIME,
    incident_statement,
    told,
    unknown,
)
from shieldwall.cases.intake import LARGEST, Intake, intake_page, read_intake
from shieldwall.cases.languages import LETTERS, letter_words
from shieldwall.errors import BadInput, BadText

ANSWERS = {
    "what": "All is encrypted.",
    "found": "2026-09-30T21:10",
    "country": "de",
    "paid": "yes",
    "note": "Pay\r\n10 BTC",
}


def test_the_fields_of_a_ransomware_incident_are_asked_for():
    wanted = [
        "group",
        "family",
        "note",
        "demand",
        "negotiation",
        "paid",
        "decryptor",
        "initial_access",
        "impact",
        "systems",
        "addresses",
        "contact",
    ]
    assert set(wanted) <= set(FIELDS)
    assert len(FIRST_HOUR) >= 10
    assert {choice for field in FIELDS.values() for choice in field.choices} <= set(CHOICES)


def test_answers_are_kept_as_told_and_times_are_in_utc():
    found = incident_statement({**ANSWERS, "victim": "  ", "demand": ""})
    assert found == {
        "what": "All is encrypted.",
        "found": "2026-09-30T21:10:00Z",
        "country": "DE",
        "paid": "yes",
        "note": "Pay\n10 BTC",
    }
    INCIDENT.check(found, "incident")
    assert [section.name for section, _ in told(found)] == ["happened", "demand", "payment", "victim"]
    assert {field.name for field in unknown(found)} == set(FIELDS) - set(found)


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"colour": "red"}, "does not ask"),
        ({"found": "yesterday"}, "no time"),
        ({"paid": "maybe"}, "no answer"),
        ({"country": "DEU"}, "two letters"),
        ({"country": "ß1"}, "two letters"),
        ({"what": 7}, "is a text"),
        ({"what": "x" * (LONGEST + 1)}, "at most"),
        ({"victim": "x" * 301}, "at most"),
        ({"what": "\0"}, "cannot be kept"),
        ({"what": "\ud800"}, "cannot be kept"),
    ],
)
def test_what_is_no_answer_is_refused_by_the_name_of_its_question(answers, says):
    with pytest.raises(BadInput, match=says):
        incident_statement(answers)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=60)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            field.name: texts for field in FIELDS.values() if field.kind not in (TIME, COUNTRY) and not field.choices
        },
    ),
    st.sets(st.integers(1, len(FIRST_HOUR))),
)
def test_a_file_comes_back_as_it_was_told(answers, done):
    intake = Intake(incident_statement(answers), tuple(sorted(done)), "2026-10-01T08:00:00Z")
    assert read_intake(json.dumps(intake.as_dict()).encode()) == intake


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{",
        b'{"format": "shieldwall-intake/2", "answers": {}}',
        b'{"format": "shieldwall-intake/1"}',
        b'{"format": "shieldwall-intake/1", "answers": []}',
        b'{"format": "shieldwall-intake/1", "answers": {}, "more": 1}',
        b'{"format": "shieldwall-intake/1", "answers": {}, "first_hour": ["99"]}',
        b'{"format": "shieldwall-intake/1", "answers": {}, "first_hour": [1]}',
        b'{"format": "shieldwall-intake/1", "answers": {}, "made_at": 1}',
        b'{"format": "shieldwall-intake/1", "answers": {"paid": "maybe"}}',
        b'{"format": "shieldwall-intake/1", "answers": {}, "answers": {}}',
        b" " * (LARGEST + 1),
    ],
)
def test_what_is_no_intake_is_refused(raw):
    with pytest.raises(BadText, match="the intake file"):
        read_intake(raw)


@pytest.mark.parametrize("language", LETTERS)
def test_the_form_is_one_file_that_asks_nobody(language):
    page = intake_page(letter_words(language))
    for field in FIELDS.values():
        assert f'name="{field.name}"' in page
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    assert "default-src 'none'" in policy
    assert f"'sha256-{allowed}'" in policy
    assert not re.search(r"\b(?:src|action|formaction|href)=", page.replace('href="http', ""))
