"""Which reader a document is for: by what it holds first, then by its name."""

from __future__ import annotations

from pathlib import Path

from shieldwall.errors import BadText
from shieldwall.intel.document import chat, jsontext, mail, page, pdf, tabular
from shieldwall.intel.document.encoding import text_of
from shieldwall.intel.document.interface import MAX_BYTES, Document, Part
from shieldwall.intel.textfile import read_bytes

_DEEPEST = 5  # attachments of attachments
_ARCHIVES = {
    b"PK\x03\x04": "a ZIP archive or an office document",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7z archive",
}
_PAGES = (".html", ".htm", ".xhtml")
_TABLES = (".csv", ".tsv")
_PAGE_STARTS = ("<!doctype html", "<html")


def read_document(path: Path) -> Document:
    """The text of a file.

    Raises:
        UsageError: It cannot be opened, or reading its kind needs an extra that is not installed.
        BadText: It is no text, damaged, or longer than 64 MiB.
    """
    return parse_document(read_bytes(path, MAX_BYTES), str(path))


def parse_document(raw: bytes, name: str, *, depth: int = 0) -> Document:
    """The text of `raw`; `name` names it in errors, and its ending decides where the content does not.

    Raises:
        UsageError: Reading its kind needs an extra that is not installed.
        BadText: It is no text, damaged, longer than 64 MiB, or lies too deep in attachments.
    """
    if len(raw) > MAX_BYTES:
        raise BadText(f"{name}: longer than {MAX_BYTES:,} bytes", hint="split the file")
    if depth > _DEEPEST:
        raise BadText(f"{name}: an attachment of an attachment, {depth} deep", hint="save it, and name it")
    archive = next((what for start, what in _ARCHIVES.items() if raw.startswith(start)), None)
    if archive is not None:
        raise BadText(f"{name}: {archive}, which is not read", hint="unpack it, or save it as text, CSV or PDF")
    if raw.lstrip()[:5] == b"%PDF-":
        return pdf.parse(raw, name)

    def inner(attachment: bytes, called: str) -> Document:
        return parse_document(attachment, called, depth=depth + 1)

    if mail.is_mailbox(raw):
        return mail.parse_mailbox(raw, name, inner)
    if mail.is_mail(raw) or Path(name).suffix.lower() == ".eml":
        return mail.parse(raw, name, inner)
    return parse_text(text_of(raw, name), name)


def parse_text(text: str, name: str) -> Document:
    """A text as the page, JSON, chat or table that it is, else as it stands."""
    suffix = "." + name[-10:].lower().rpartition(".")[2]
    start = text[:1000].lstrip()
    if suffix in _PAGES or start.lower().startswith(_PAGE_STARTS):
        return Document(name, "html", tuple(page.parse(text)))
    if start[:1] in ("{", "["):
        found = jsontext.parse(text)
        if found is not None:
            return Document(name, "json", tuple(found))
    messages = chat.parse(text)
    if messages is not None:
        return Document(name, "chat", tuple(messages))
    if suffix in _TABLES or tabular.is_table(text):
        return Document(name, "table", tuple(tabular.parse(text)))
    return Document(name, "text", (Part("", text),))
