"""Documents of any kind as text, so that what they mention can be found: mail, chats, tables, pages, JSON, PDF.

Example:
    >>> from shieldwall.intel.document import parse_document
    >>> page = b"<p>Pay <a href='bitcoin:34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo'>here</a></p>"
    >>> (mention,) = parse_document(page, "note.html").mentions().mentions
    >>> mention.name, str(mention.places[0])
    ('34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo', 'line 1, href of a')

What it does not know: what an address means, any network (nothing is fetched), archives and office formats.
"""

from shieldwall.intel.document.interface import Document, Part
from shieldwall.intel.document.reading import parse_document, parse_text, read_document
from shieldwall.intel.document.words import Gathered, bytes_of, document_of, gather, is_file

__all__ = [
    "Document",
    "Gathered",
    "Part",
    "bytes_of",
    "document_of",
    "gather",
    "is_file",
    "parse_document",
    "parse_text",
    "read_document",
]
