"""PDF -> the text and links of each page, by the extra `pdf` (pypdf). Pictures of text hold none: that is said."""

from __future__ import annotations

import io
import logging
from typing import Any

from shieldwall.errors import BadText, UsageError
from shieldwall.intel.document.interface import MAX_CHARACTERS, Document, Part

_MOST_PAGES = 5_000
_HINT = "print it to a new PDF, or save it as text"


def parse(raw: bytes, name: str) -> Document:
    """The pages of a PDF.

    Raises:
        UsageError: The extra is not installed.
        BadText: It is damaged or encrypted.
    """
    try:
        import pypdf  # noqa: PLC0415 - an extra, and heavy
    except ImportError:
        raise UsageError(
            f"{name}: reading PDF needs the extra `pdf`", hint="pip install shieldwall[pdf], or save it as text"
        ) from None
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it says of damage is said below
    try:
        parts, unread = _pages(pypdf.PdfReader(io.BytesIO(raw), strict=False))
    except Exception as error:  # noqa: BLE001 - hostile files make pypdf raise errors of every kind
        raise BadText(f"{name}: no PDF that can be read ({type(error).__name__})", hint=_HINT) from None
    return Document(name, "pdf", tuple(parts), tuple(unread))


def _pages(reader: Any) -> tuple[list[Part], list[str]]:  # noqa: ANN401 - pypdf is not imported here
    parts: list[Part] = []
    unread: list[str] = []
    size = 0
    for number, page in enumerate(reader.pages, 1):
        if number > _MOST_PAGES or size > MAX_CHARACTERS:
            unread.append(f"page {number} and those after it: too much for one file")
            break
        text, links = page.extract_text(), _links(page)
        size += len(text) + len(links)
        if not text.strip():
            unread.append(f"page {number} has no text (a picture?)")
        parts += [Part(f"page {number}", text), Part(f"page {number}, links", links)]
    return parts, unread


def _links(page: Any) -> str:  # noqa: ANN401
    targets = []
    for annotation in page.get("/Annots") or ():
        action = annotation.get_object().get("/A")
        target = action.get_object().get("/URI") if action is not None else None
        if target is not None:
            targets.append(str(target))
    return "\n\n".join(targets)
