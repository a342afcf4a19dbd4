"""Documents of every kind: what they mention, where, and what is said of what cannot be read."""

from __future__ import annotations

import base64
import io
import json
import sys

import pytest
from document_support import HASHED, SCRIPTED, SEGWIT, as_json, mail, pdf, telegram

from shieldwall.errors import BadText, UsageError
from shieldwall.intel.document import gather, is_file, parse_document, parse_text, read_document
from shieldwall.intel.document.encoding import text_of
from shieldwall.intel.document.interface import MAX_BYTES, NamedCells


def found(raw, name="unnamed"):
    document = parse_document(raw, name)
    return document.kind, {m.name: [str(place) for place in m.places] for m in document.mentions().mentions}


TEXT = f"Grüße {HASHED}\r\nan {SEGWIT}"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"]
)
def test_any_encoding(encoding):
    assert found(TEXT.encode(encoding)) == (
        "text",
        {HASHED: ["line 1, column 7"], SEGWIT: ["line 2, column 4"]},
    )


def test_utf16_big_endian_with_a_mark_and_old_line_ends():
    assert text_of("\ufeffa\rb".encode("utf-16-be"), "x") == "a\nb"


def test_mail_with_bodies_headers_and_attachments():
    document = parse_document(mail().as_bytes(), "letter.eml")
    places = {m.name: [str(place) for place in m.places] for m in document.mentions().mentions}
    assert document.kind == "mail"
    assert places == {
        SCRIPTED: [
            "headers, subject",
            "body (text/html), line 2, href of a",
            "attachment täglich.csv, row 2, column 2 (address)",
        ],
        SEGWIT: ["body, line 1, column 81"],
        HASHED: [
            "body, line 3, column 3",
            "body (text/html), line 2",
            "attachment täglich.csv, row 3, column 2 (address), line 2",
        ],
    }
    assert document.unread == ("attachment photo.png (image/png): photo.png: no text that can be read",)


def test_a_mail_as_people_copy_it_is_mail():
    headers = "From: a@example.org\r\nSubject: pay\r\nContent-Transfer-Encoding: quoted-printable"
    copied = f"{headers}\r\n\r\nto {SEGWIT[:20]}=\r\n{SEGWIT[20:]}\r\n"
    assert found(copied.encode(), "pasted.txt") == ("mail", {SEGWIT: ["body, line 1, column 4"]})
    assert found(f"From: me\nSay: {HASHED}\n\n".encode())[0] == "text"


def test_a_mailbox_is_its_mails():
    raw = mail().as_bytes()
    envelope = b"From zoe@sender.example Mon May 10 12:00:00 2021\n"
    kind, places = found(envelope + raw + b"\n" + envelope + raw)
    assert kind == "mailbox"
    assert places[SEGWIT] == ["mail 1, body, line 1, column 81", "mail 2, body, line 1, column 81"]


def test_a_mail_in_a_mail_and_no_deeper_than_five():
    outer = mail()
    outer.add_attachment(mail())
    assert (
        any("attachment" in place for place in found(outer.as_bytes())[1][SEGWIT])
        or len(found(outer.as_bytes())[1][SEGWIT]) == 2
    )
    raw = b"pay " + HASHED.encode()
    for level in range(8):
        inner = base64.encodebytes(raw)
        raw = b"From: a@b.c\nMIME-Version: 1.0\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n"
        raw += b"Content-Disposition: attachment; filename=level%d\n\n" % level + inner
    document = parse_document(raw, "deep.eml")
    assert document.mentions().mentions == ()
    assert "an attachment of an attachment, 6 deep" in document.unread[0]


def test_a_mail_of_too_many_parts_is_refused():
    raw = b"From: a@b.c\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n"
    raw += b"--x\nContent-Type: multipart/mixed; boundary=y\n\n" * 1001
    with pytest.raises(BadText, match="too many parts"):
        parse_document(raw, "bomb.eml")


def test_overlong_headers_take_no_quadratic_time():
    head = b"From: a\nTo: b\nMIME-Version: 1.0\n"
    with pytest.raises(BadText, match="headers are too long"):
        parse_document(head + b"Content-Type: text/plain;\n " + b"a=b; " * 200_000 + b"\n\nx", "x.eml")
    subject = b"Subject: " + b"=?utf-8?q?a?= " * 100_000 + HASHED.encode()
    assert found(head + subject + b"\n\nx", "x.eml")[1].keys() == {HASHED}


@pytest.mark.parametrize(
    "head",
    [
        "[12/05/2021, 17:12:57] {}: ",
        "12.05.21, 17:12 - {}: ",
        "5/12/21, 5:12\u202fPM - {}: ",
        "2021-05-12 17:12 {}: ",
        "\u200e[12.05.21, 17:12:57] {}: ",
    ],
)
def test_chats_as_text(head):
    text = "Messages are end-to-end encrypted.\n" + head.format("Bob") + "hello\n" + head.format("Eve")
    kind, places = found(f"{text}pay {HASHED}\nor {SEGWIT}\n".encode())
    moment = head.strip("\u200e[").split(" {}")[0].rstrip("]- :").rstrip()
    assert (kind, places) == (
        "chat",
        {HASHED: [f"message 2 of {moment} by Eve"], SEGWIT: [f"message 2 of {moment} by Eve, line 2"]},
    )


def test_chats_of_telegram():
    kind, places = found(as_json(telegram()))
    called = "message 2 of 2021-05-08T10:00:00 by Eve"
    assert (kind, places) == (
        "json",
        {
            HASHED: [f"chat Deal, {called}"],
            SCRIPTED: [f"chat Deal, {called}, line 3"],
            SEGWIT: ["chat Deal, message 3 of 2021-05-08T11:00:00 by Bob.caption"],
        },
    )
    account = {"chats": {"about": "", "list": [telegram(), {"messages": "none"}, 5]}}
    assert found(as_json(account))[1] == places


def test_json_is_read_by_value():
    value = {"a": [{"b": "\n" + HASHED}, 5, 1e400, None], SEGWIT: "https:\\/\\/block.example\\/" + SCRIPTED}
    kind, places = found(as_json(value))
    assert kind == "json"
    assert places == {
        HASHED: ["a[0].b, line 2"],
        SEGWIT: ["value (keys), line 3"],
        SCRIPTED: [f"{SEGWIT[:40]}"],
    }
    lines = as_json({"a": HASHED}) + b"\n\n" + as_json({"a": SEGWIT})
    assert found(lines)[1] == {HASHED: ["line 1: a"], SEGWIT: ["line 2: a"]}
    assert found(b'{"a": ' + HASHED.encode()) == ("text", {HASHED: ["line 1, column 7"]})
    assert found(b"[" * 100_000 + HASHED.encode())[1] == {HASHED: ["line 1, column 100001"]}
    assert found(b'{"n": ' + b"9" * 10_000 + b', "a": "' + HASHED.encode() + b'"}')[1] == {HASHED: ["a"]}


def test_tables_by_row_and_column():
    text = f'who;wallet\n"Bob;\n{SCRIPTED}";{HASHED}\n;{SEGWIT}\n'
    assert found(text.encode(), "list.csv") == (
        "table",
        {
            SCRIPTED: ["row 2, column 1 (who), line 2"],
            HASHED: ["row 2, column 2 (wallet)"],
            SEGWIT: ["row 3, column 2 (wallet)"],
        },
    )
    without = f"1,{HASHED},x\n2,{SEGWIT},y\n3,z,y\n"
    assert found(without.encode()) == ("table", {HASHED: ["row 1, column 2"], SEGWIT: ["row 2, column 2"]})
    long = f"{'x' * 200_000},{HASHED}\n"
    assert found(long.encode(), "long.csv")[1] == {HASHED: ["line 1, column 200002"]}


def test_pages_as_they_are_seen_and_what_is_hidden_in_them():
    page = f"""<!DOCTYPE html>
<html><head><style>p {{}}</style><script>let to = '{SCRIPTED}';</script></head>
<!-- {SEGWIT} -->
<body data-wallet="{HASHED}"><p>{HASHED[:5]}<b>{HASHED[5:9]}</b>&#8203;{HASHED[9:]}</p>
<td>x</td><td title='a "q" {SEGWIT}'>{SCRIPTED[:9]}</td><td>{SCRIPTED[9:]}</td>&{"#" + "9" * 5000};
</body></html>"""
    assert found(page.encode()) == (
        "html",
        {
            SCRIPTED: ["line 2, script"],
            SEGWIT: ["line 3, comment", "line 5, title of td"],
            HASHED: ["line 4, data-wallet of body", "line 4"],
        },
    )
    assert found(f"<p>a\n\n{HASHED}".encode(), "x.htm")[1] == {HASHED: ["line 3"]}


@pytest.mark.parametrize(
    "unit", ["<a ", "<!--", "<script>", "</script", "<a x='", "&#", "<a b=c ", "<a<", "x=", "<!", '"']
)
def test_no_page_takes_quadratic_time(unit):
    parse_text("<html>" + unit * (1_000_000 // len(unit)), "x.html").mentions()
    parse_text("<html><a " + unit * (1_000_000 // len(unit)), "x.html").mentions()


def test_what_is_no_text_says_what_it_is():
    for raw, words in (
        (b"PK\x03\x04rest", "a ZIP archive or an office document, which is not read"),
        (b"\x1f\x8brest", "a gzip archive"),
        (b"\0\1\2\3", "no text that can be read"),
        (b"\xff\x01\x02" * 9, "no text that can be read"),
        (b"x" * (MAX_BYTES + 1), "longer than"),
    ):
        with pytest.raises(BadText, match=words) as caught:
            parse_document(raw, "thing")
        assert str(caught.value).startswith("thing: ")


def test_pdf_by_page():
    pytest.importorskip("pypdf")
    document = parse_document(pdf(f"Pay {HASHED} now", "", SEGWIT, link=f"bitcoin:{SCRIPTED}"), "bill.pdf")
    places = {m.name: [str(place) for place in m.places] for m in document.mentions().mentions}
    assert places == {
        HASHED: ["page 1, line 1, column 5"],
        SCRIPTED: [f"page {number}, links, line 1, column 9" for number in (1, 2, 3)],
        SEGWIT: ["page 3, line 1, column 1"],
    }
    assert document.unread == ("page 2 has no text (a picture?)",)
    with pytest.raises(BadText, match="no PDF that can be read"):
        parse_document(b"%PDF-1.4 nonsense", "bad.pdf")


def test_without_its_extra_pdf_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pypdf", None)
    with pytest.raises(UsageError, match=r"pip install shieldwall\[pdf\]"):
        parse_document(pdf("x"), "bill.pdf")
    message = mail()
    message.add_attachment(pdf("x"), maintype="application", subtype="pdf", filename="bill.pdf")
    assert "needs the extra" in parse_document(message.as_bytes(), "x").unread[1]


def test_files_words_and_standard_input(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text(TEXT)
    assert read_document(path).name == str(path)
    gathered = gather([str(path), "-", f"and {SCRIPTED}"], io.StringIO(HASHED))
    places = {m.name: [str(place) for place in m.places] for m in gathered.mentions.mentions}
    assert places == {
        HASHED: [f"{path}, line 1, column 7", "standard input, line 1, column 1"],
        SEGWIT: [f"{path}, line 2, column 4"],
        SCRIPTED: ["line 1, column 5"],
    }
    raw = io.TextIOWrapper(io.BytesIO(mail().as_bytes()))
    assert len(gather(["-"], raw).mentions) == 3
    with pytest.raises(UsageError, match="there is none here"):
        gather(["-"])
    assert not is_file("\0")
    assert not is_file("x" * 5000)
    with pytest.raises(UsageError, match="check the path"):
        read_document(tmp_path / "none")


def test_a_part_without_cells_has_none():
    assert NamedCells((), str).at(5) == ("", 0)
    assert json.loads(json.dumps(parse_text("", "x").mentions().as_dict()))["characters"] == 0
