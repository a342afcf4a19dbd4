"""A letter says the same in each language, runs nothing that people wrote, and is the same bytes each time."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from test_request import ASSET, REQUEST

from shieldwall.cases.demands import lacking
from shieldwall.cases.languages import LETTERS, letter_words
from shieldwall.cases.legal import shipped as legal_profiles
from shieldwall.cases.letter import Key, as_html, compose
from shieldwall.cases.letter_pdf import as_pdf
from shieldwall.cases.request import Item, Recipient, RequestKind, Sender
from shieldwall.model.amount import btc

KEY = Key(id="ab" * 8, spoken="acid apple " * 8, node="cd" * 16)
WHOLE = replace(
    REQUEST,
    sender=Sender(agency="Préfecture de Genève", officer="山田 太郎", badge="7", mail="a@police.example"),
    recipient=Recipient(name="شركة المثال", legal_entity="Example GmbH"),
    narrative="Money moved on at once.",
    assets=(ASSET,),
    items=(Item(type="domain", name="bad.example", note="C2"),),
    particulars=(("authority", "Court"),),
    exercise=True,
)
DAY = "2026-10-02T08:00:00Z"


def letter(request=WHOLE, language="en", **more):
    return compose(request, letter_words(language), lacks=lacking(request), key=KEY, **more)


def text_of(pdf):
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


@pytest.mark.parametrize("language", LETTERS)
def test_identifiers_and_amounts_are_the_same_in_each_language(language):
    page = as_html(letter(language=language))
    for text in (
        ASSET.txid,
        ASSET.address,
        ASSET.block_hash,
        btc(ASSET.amount),
        WHOLE.digest,
        "bad.example",
        KEY.spoken.strip(),
    ):
        assert text in page
    assert f'lang="{language}"' in page
    assert ('dir="rtl"' in page) == (language == "ar")


@pytest.mark.parametrize("language", [each for each in LETTERS if each != "en"])
def test_nothing_of_ours_stays_english(language):
    request = replace(WHOLE, particulars=())  # those are the law's words, not ours
    ours, theirs = letter(request), letter(request, language)
    assert ours.exercise != theirs.exercise
    assert [part.heading for part in ours.parts] != [part.heading for part in theirs.parts]
    labels = {row.label for part in (*theirs.sides, *theirs.parts) for row in part.rows}
    assert labels & {row.label for part in (*ours.sides, *ours.parts) for row in part.rows} <= {"Transaction"}


@pytest.mark.parametrize("language", LETTERS)
def test_a_pdf_shows_every_script_and_is_the_same_bytes_each_time(language):
    made = letter(language=language)
    pdf = as_pdf(made, DAY, WHOLE.to_csv())
    assert pdf == as_pdf(made, DAY, WHOLE.to_csv())
    shown = re.sub(r"\s", "", text_of(pdf))
    assert ASSET.txid in shown
    assert "山田太郎" in shown
    assert "Préfecture" in shown
    assert "\ufffd" not in shown
    reader = PdfReader(io.BytesIO(pdf))
    assert [bytes(file) for files in reader.attachments.values() for file in files] == [WHOLE.to_csv().encode()]
    assert b"pdfaid:part" in pdf.replace(b" ", b"")


@pytest.mark.parametrize("kind", RequestKind)
def test_each_kind_is_a_letter_of_its_own(kind):
    assert len({letter(replace(WHOLE, kind=each)).subject for each in RequestKind}) == len(RequestKind)
    assert text_of(as_pdf(letter(replace(WHOLE, kind=kind)), DAY))


def test_a_letter_that_takes_back_says_nothing_else():
    made = letter(retracts="The address was another's.")
    assert made.subject.startswith("TAKEN BACK")
    assert made.narrative == made.urgent == made.lacks == ""
    page = as_html(made)
    assert "The address was another&#39;s." in page
    assert WHOLE.id in page


def test_the_letter_tells_how_its_key_is_proven():
    page = as_html(letter())
    assert "number that you found yourself" in page
    assert "shieldwall verify" in page
    assert KEY.spoken.strip() in page


def test_an_unverified_instrument_says_so():
    unverified = next(profile for profile in legal_profiles().profiles if not profile.verified)
    page = as_html(letter(replace(WHOLE, legal=unverified.id), legal=unverified))
    assert "not held against its text by us" in page


HOSTILE = (
    '<script>alert(1)</script> #import "x" $e=mc^2$ `x` \\u{202e} {{7*7}} @c *b* #panic("x") \u202egnp.exe =cmd() </p>'
)


@pytest.mark.parametrize("field", ["case_number", "narrative", "offence", "suspect", "relief", "method"])
def test_what_people_wrote_runs_nowhere(field):
    request = replace(WHOLE, **{field: HOSTILE})
    page = as_html(letter(request))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    pdf = text_of(as_pdf(letter(request), DAY))
    assert "#import" in pdf
    assert "\u202e" not in pdf


@settings(max_examples=15)
@given(st.text(max_size=200), st.sampled_from(sorted(LETTERS)))
def test_any_text_makes_a_letter(text, language):
    made = letter(replace(WHOLE, narrative=text, offence=text, case_number=text[:40]), language)
    assert as_html(made)
    assert as_pdf(made, DAY).startswith(b"%PDF")


def test_a_sign_that_no_font_has_is_told_and_stops_nothing():
    pdf = re.sub(r"\s", "", text_of(as_pdf(letter(replace(WHOLE, narrative="a \U00012345 b")), DAY)))
    assert "U+12345" in pdf


def test_many_amounts_are_a_table():
    request = replace(WHOLE, assets=tuple(replace(ASSET, index=number) for number in range(40)))
    made = letter(request)
    assert [part for part in made.parts if len(part.table) == 40]
    assert len(PdfReader(io.BytesIO(as_pdf(made, DAY))).pages) < 12
