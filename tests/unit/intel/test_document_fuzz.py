"""Whatever bytes come, a document is read or refused in words; nothing else ever happens."""

from __future__ import annotations

import json

import pytest
from document_support import HASHED, as_json, mail, pdf, telegram
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import BadText, ShieldwallError
from shieldwall.intel.document import parse_document, parse_text
from shieldwall.intel.document.encoding import text_of

NAMES = st.sampled_from(["x", "x.eml", "x.html", "x.csv", "x.json", "x.txt", "x.mbox", "x.pdf"])
STARTS = st.sampled_from(
    [b"", b"From: a\nTo: b\n\n", b"From a Mon May 10 12:00:00 2021\nFrom: x\n\n", b"<html>", b"{", b"[", b"a,b\n1,2\n"]
)


def read(raw, name):
    """The document, all of it looked through, or None where it is refused."""
    document = error = None
    try:
        document = parse_document(raw, name)
    except ShieldwallError as caught:
        error = caught
    if document is None:
        assert error.exit_code in (2, 4)
        assert name in str(error)
        return None
    found = document.mentions()
    assert all(str(place) for mention in found.mentions for place in mention.places)
    return document


def damaged(raw):
    """Bytes of a good document with some of them replaced, cut out or repeated."""
    edits = st.lists(st.tuples(st.integers(0, len(raw)), st.integers(0, 12), st.binary(max_size=8)), max_size=6)

    def apply(changes):
        out = raw
        for place, length, new in changes:
            out = out[:place] + new + out[place + length :]
        return out

    return edits.map(apply)


@given(STARTS, st.binary(max_size=400), NAMES)
def test_any_bytes(start, rest, name):
    read(start + rest, name)


@given(damaged(mail().as_bytes()), NAMES)
def test_damaged_mail(raw, name):
    read(raw, name)


@given(
    st.lists(
        st.sampled_from(
            ["Content-Type: multipart/mixed; boundary=x\n", "Content-Type: message/rfc822\n", "--x\n", "--x--\n", "\n",
             "Content-Transfer-Encoding: base64\n", "Content-Transfer-Encoding: quoted-printable\n", "=?utf-8?b?//?=",
             "Content-Type: text/html; charset=nonsense\n", "Content-Type: text/plain; charset*=utf-16''%ff\n",
             "Content-Disposition: attachment; filename*0*=x''%\n", "Subject: =?a?q?=ff?=\n", "=A\n", HASHED, "\xff"]
        ),
        max_size=20,
    )
)  # fmt: skip
def test_mail_of_any_structure(pieces):
    read(("From: a\nTo: b\nMIME-Version: 1.0\n" + "".join(pieces)).encode("latin-1"), "x.eml")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.integers()
    | st.text(max_size=10)
    | st.sampled_from([HASHED, "message"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["messages", "name", "text", "type", "date", "x", HASHED]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_loses_no_address(value):
    document = read(as_json(value), "x.json")
    assert document is not None
    names = [mention.name for mention in document.mentions().mentions]
    assert (HASHED in names) == (HASHED in json.dumps(value))


@given(damaged(as_json(telegram())))
def test_damaged_chats(raw):
    read(raw, "x.json")


@given(st.text("<>/!-abp =\"'&#;script\n", max_size=200))
def test_any_page(text):
    document = parse_text(f"<html>{text}</a></p><p>{HASHED}", "x.html")
    assert document.kind == "html"
    document.mentions()


@given(st.lists(st.lists(st.text(max_size=6), max_size=4), max_size=4), st.sampled_from(",;\t|\"'\r\n\0"))
def test_any_table(rows, delimiter):
    read("\n".join(delimiter.join(row) for row in rows).encode("utf-8", "replace"), "x.csv")


@given(st.text(max_size=60), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_marked_text_is_itself(text, encoding):
    text = text.encode("utf-8", "replace").decode().replace("\0", "")
    raw = (f"\ufeff{text}" if encoding == "utf-8" else text).encode(encoding)
    assert text_of(raw, "x") == text.replace("\r\n", "\n").replace("\r", "\n") or text.startswith("\ufeff")


@given(st.binary(max_size=60))
def test_any_bytes_are_text_or_none(raw):
    try:
        text = text_of(raw, "x")
    except BadText:
        return
    assert "\r" not in text


@given(damaged(pdf(f"Pay {HASHED} now", "second", link="x")))
def test_damaged_pdf(raw):
    pytest.importorskip("pypdf")
    read(raw, "x.pdf")
