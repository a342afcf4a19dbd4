"""Mail (RFC 5322, MIME) and mailboxes -> bodies, headers and attachments of text kinds, each a part with a name.

The older policy of the standard library is used on purpose: its newer one parses headers into objects and fails on
hostile ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message

from shieldwall.errors import BadText, ShieldwallError
from shieldwall.intel.document.interface import Document, Part, from_cells, under

_HEADER = re.compile(rb"\A(?:[!-9;-~]{1,60}:[^\n]*\r?\n(?:[ \t][^\n]*\r?\n)*)+\r?\n")
_OF_MAIL = re.compile(rb"^(?:from|received|message-id|mime-version|return-path):", re.IGNORECASE | re.MULTILINE)
_BESIDE = re.compile(rb"^(?:to|subject|content-transfer-encoding):", re.IGNORECASE | re.MULTILINE)  # as people copy it
_ENVELOPE = re.compile(rb"^From [^\n]*\b[12][0-9]{3}\r?\n", re.MULTILINE)
_MOST_PARTS = 1_000  # of one message, nested ones included
_LONGEST_HEADER = 10_000  # characters that are taken apart: the standard library takes quadratic time
_STRUCTURE = re.compile(rb"^content-(?:type|disposition)[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
_MOST_LOOKS = 50_000_000  # the parser looks at every line once for each level: half a minute
_LONGEST_NAME = 80  # characters shown
_HEADERS_READ = ("from", "to", "cc", "reply-to", "subject", "date", "list-unsubscribe", "x-mailer", "comments")
_FAILS = (MessageError, ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)

Read = Callable[[bytes, str], Document]


def is_mail(raw: bytes) -> bool:
    """Whether bytes begin with the headers of a message."""
    head = _HEADER.match(raw[:65_536])
    if head is None:
        return False
    own = len(_OF_MAIL.findall(head[0]))
    return own > 1 or (own == 1 and _BESIDE.search(head[0]) is not None)


def is_mailbox(raw: bytes) -> bool:
    """Whether bytes begin with the envelope line of a mailbox."""
    return _ENVELOPE.match(raw) is not None


def parse_mailbox(raw: bytes, name: str, read: Read) -> Document:
    """Every message of a mailbox (mbox); `read` reads the attachments."""
    starts = [match.start() for match in _ENVELOPE.finditer(raw)]
    parts: list[Part] = []
    unread: list[str] = []
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(raw)], strict=True), 1):
        message = parse(raw[raw.index(b"\n", start) + 1 : end], name, read)
        parts += under(f"mail {number}", message.parts)
        unread += (f"mail {number}: {what}" for what in message.unread)
    return Document(name, "mailbox", tuple(parts), tuple(unread))


def parse(raw: bytes, name: str, read: Read) -> Document:
    """One message; `read` reads the attachments.

    Raises:
        BadText: So many parts that reading them would not end, or a structure that the parser refuses.
    """
    lower = raw.lower()
    nested = lower.count(b"boundary") + lower.count(b"message/rfc822")
    if nested > _MOST_PARTS or nested * raw.count(b"\n") > _MOST_LOOKS:
        raise BadText(f"{name}: a mail of too many parts to be read", hint="save the attachments, and name them")
    if any(len(header[0]) > _LONGEST_HEADER for header in _STRUCTURE.finditer(raw)):
        raise BadText(f"{name}: a mail whose headers are too long to be read", hint="save it as text")
    parts: list[Part] = []
    unread: list[str] = []
    try:
        message = message_from_bytes(raw)
        parts.append(from_cells("headers", _headers(message)))
        for number, leaf in enumerate(_leaves(message), 1):
            _read_leaf(leaf, number, read, parts, unread)
    except _FAILS as error:
        raise BadText(f"{name}: no mail that can be read ({type(error).__name__})", hint="save it as text") from None
    return Document(name, "mail", tuple(parts), tuple(unread))


def _leaves(message: Message) -> Iterator[Message]:
    for count, part in enumerate(message.walk()):
        if count > _MOST_PARTS:
            break
        if not part.is_multipart():
            yield part


def _read_leaf(leaf: Message, number: int, read: Read, parts: list[Part], unread: list[str]) -> None:
    kind = leaf.get_content_type()
    file = _words(leaf.get_filename() or "")
    called = f"attachment {file[:_LONGEST_NAME]}" if file else "body" if kind == "text/plain" else f"body ({kind})"
    payload = leaf.get_payload(decode=True)
    if not isinstance(payload, bytes) or not payload:
        return
    suffix = {"text/html": ".html", "text/csv": ".csv", "application/json": ".json", "text/plain": ".txt"}.get(kind, "")
    try:
        inner = read(_as_utf8(payload, leaf), file or f"part-{number}{suffix}")
    except ShieldwallError as error:
        unread.append(f"{called} ({kind}): {error.message}")
        return
    parts += under(called, inner.parts)
    unread += (f"{called}: {what}" for what in inner.unread)


def _as_utf8(payload: bytes, leaf: Message) -> bytes:
    """The text of a part in UTF-8, where it names another encoding; other bytes as they are."""
    charset = leaf.get_content_charset()
    if leaf.get_content_maintype() != "text" or not charset:
        return payload
    try:
        return payload.decode(charset).encode()
    except (LookupError, ValueError):
        return payload  # a name that nobody knows, or a wrong one: the bytes tell


def _headers(message: Message) -> Iterator[tuple[str, str]]:
    for name in _HEADERS_READ:
        for value in message.get_all(name, []):
            yield name, _words(str(value))


def _words(header: str) -> str:
    """A header's text, its encoded words (RFC 2047) decoded where they can be; an overlong one stays as it is."""
    if len(header) > _LONGEST_HEADER:
        return header
    try:
        pieces = decode_header(header)
    except (MessageError, ValueError):
        return header
    return "".join(_piece(text, charset) for text, charset in pieces)


def _piece(text: bytes | str, charset: str | None) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return text.decode("latin-1")
