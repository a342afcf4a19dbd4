"""An answer file is taken in where it answers this version of this request, and nothing else is."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_request import REQUEST

from shieldwall.cases.languages import LETTERS, letter_words
from shieldwall.cases.reply import BY_KIND, LARGEST, Reply, must_answer, read_reply, reply_of, reply_page
from shieldwall.cases.request import RequestKind
from shieldwall.cases.tracker import Outcome
from shieldwall.errors import BadText

MADE = "2026-10-03T08:00:00Z"
GOOD = reply_of({"outcome": "held", "amount": 5, "until": "2026-12-31", "contact": "Ines"}, REQUEST, MADE)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(
    st.sampled_from(BY_KIND[RequestKind.FREEZE]),
    st.integers(0, REQUEST.amount),
    texts,
    texts,
    st.sampled_from(["", "2026-12-31"]),
)
def test_an_answer_comes_back_from_its_file(outcome, amount, contact, words, until):
    amount = max(amount, 1) if outcome in (Outcome.HELD, Outcome.PARTLY_HELD) else 0
    reply = replace(GOOD, outcome=outcome, amount=amount, contact=contact, words=words, until=until)
    again = read_reply(json.dumps(reply.as_dict()).encode())
    assert again == reply
    must_answer(again, REQUEST)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "shieldwall-reply/2"},
        {"outcome": "kept"},
        {"outcome": 1},
        {"amount": -1},
        {"amount": 1.5},
        {"amount": True},
        {"amount": "5"},
        {"amount": 1 << 63},
        {"until": "some day"},
        {"made_at": "x"},
        {"contact": 7},
        {"words": "x" * 4001},
        {"more": "x"},
    ],
)
def test_what_is_no_answer_is_refused(change):
    with pytest.raises(BadText, match="the answer file"):
        read_reply(json.dumps({**GOOD.as_dict(), **change}).encode())


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'{"a": 1, "a": 2}', b"\xff", b"[" * 100_000, b" " * (LARGEST + 1)])
def test_other_bytes_are_refused(raw):
    with pytest.raises(BadText):
        read_reply(raw)


@pytest.mark.parametrize("missing", sorted(Reply.__dataclass_fields__))
def test_an_answer_that_lacks_a_field_names_it(missing):
    body = GOOD.as_dict()
    del body[missing]
    with pytest.raises(BadText, match=missing):
        read_reply(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"request": "0" * 32}, "not this one"),
        ({"digest": "0" * 64}, "another version"),
        ({"outcome": Outcome.DISCLOSED}, "no answer to a request to freeze"),
        ({"amount": REQUEST.amount + 1}, "more than"),
        ({"amount": 0}, "says how much"),
        ({"outcome": Outcome.MOVED_ON}, "held all the same"),
        ({"until": "2025-01-01"}, "ended before"),
    ],
)
def test_an_answer_to_something_else_is_refused(change, says):
    with pytest.raises(BadText, match=says):
        must_answer(replace(GOOD, **change), REQUEST)


@pytest.mark.parametrize("kind", RequestKind)
@pytest.mark.parametrize("language", LETTERS)
def test_the_form_is_one_file_that_asks_nobody(kind, language):
    request = replace(REQUEST, kind=kind, narrative="</script><script>alert(1)</script>")
    page = reply_page(request, letter_words(language))
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 1
    allowed = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"sha256-{allowed}" in page
    assert "alert(1)</script>" not in page
    assert {each.value for each in BY_KIND[kind]} <= set(re.findall(r'value="([^"]*)"', page))
    assert request.digest in page
