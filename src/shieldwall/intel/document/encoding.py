"""Bytes -> text, whatever wrote them: Unicode in any of its forms, else the Latin alphabet of old programs."""

from __future__ import annotations

import codecs

from shieldwall.errors import BadText

_MARKS = (  # the longer first: a UTF-32 mark begins with a UTF-16 one
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LOOKED_AT = 4096  # bytes, to tell UTF-16 without a mark from what is no text
_OTHERS = {0x00} | set(range(1, 9)) | set(range(14, 27)) | {28, 29, 30, 31, 127}  # control characters that no text has


def text_of(raw: bytes, place: str) -> str:
    """`raw` as text with line feeds at the ends of its lines: by its byte order mark, else UTF-8, UTF-16, Windows-1252.

    Raises:
        BadText: It is no text: a picture, a program, an archive.

    Example:
        >>> text_of("wallet é".encode("utf-16"), "a"), text_of(b"wallet " + bytes([0xE9]), "b")
        ('wallet é', 'wallet é')
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return _lines(raw[len(mark) :].decode(encoding, "replace"))
    if b"\0" not in raw:
        try:
            return _lines(raw.decode("utf-8"))
        except UnicodeDecodeError:
            _refuse_binary(raw, place)
            return _lines(raw.decode("cp1252", "replace"))
    head = raw[: _LOOKED_AT & ~1]
    for odd, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(head) >= 4 and head[odd::2].count(0) > 0.7 * len(head[odd::2]) and head[1 - odd :: 2].count(0) == 0:
            return _lines(raw.decode(encoding, "replace"))
    raise _no_text(place)


def _refuse_binary(raw: bytes, place: str) -> None:
    head = raw[:_LOOKED_AT]
    if sum(byte in _OTHERS for byte in head) > len(head) // 50:
        raise _no_text(place)


def _no_text(place: str) -> BadText:
    return BadText(f"{place}: no text that can be read", hint="save it as text, CSV, HTML or PDF with a text layer")


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
