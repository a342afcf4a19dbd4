"""Text files from outside, bounded: one size limit, UTF-8 only, and an error that names the file."""

from __future__ import annotations

from pathlib import Path

from shieldwall.errors import BadText, UsageError

MAX_BYTES = 64 * 1024 * 1024  # the largest pack known is 1.5 MB; beyond this it is a mistake or an attack


def read_bytes(path: Path, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a file that may be at most `limit` long.

    Raises:
        UsageError: There is no such file, or it cannot be opened.
        BadText: It is longer than `limit`.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}", hint="check the path of the file") from None
    if len(raw) > limit:
        raise BadText(f"{path}: longer than {limit:,} bytes", hint="split the file, or check that it is the right one")
    return raw


def decode(raw: bytes, place: str) -> str:
    """`raw` as text; a byte order mark is dropped.

    Raises:
        BadText: Not UTF-8, or with NUL bytes in it; the line is named.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadText(f"{place}:{line}: not UTF-8 text", hint="save the file as UTF-8") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise BadText(f"{place}:{line}: holds a NUL byte, so it is no text", hint="check that it is the right file")
    return text
