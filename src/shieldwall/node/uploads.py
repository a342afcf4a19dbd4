"""What is taken in from a file that somebody sends: the file itself, or the files of a zip, held to limits as they unpack.

A zip is the one archive that is opened at all. Names in it are labels: no path is ever made of them. Sizes are counted while
unpacking, since what a zip says of itself may be a lie.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import PurePosixPath

from shieldwall.errors import BadText
from shieldwall.intel.preparing import Source

MOST_FILES = 200
"""Files in a zip."""

MOST_BYTES = 64 << 20
"""Bytes of all of them, unpacked."""

MOST_RATIO = 200
"""How many times larger than the zip they may be; text packs about tenfold."""

_MAGIC = b"PK"
_PIECE = 1 << 16
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError, EOFError, ValueError, LookupError,
    ArithmeticError, OSError,
)  # fmt: skip
"""What the library raises at a zip that is none."""

_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def packs_in(name: str, raw: bytes) -> list[Source]:
    """The files that somebody sent, their names without folders.

    Args:
        name: What the file is called.
        raw: Its bytes.

    Raises:
        BadText: A zip that is broken, encrypted, nested, or larger inside than it may be.

    Example:
        >>> packs_in("../evil/pack.yaml", b"tags: []")
        [Source(name='pack.yaml', raw=b'tags: []', place='pack.yaml')]
    """
    if not raw.startswith(_MAGIC):
        return [Source(_label(name), raw, _label(name))]
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
            if len(entries) > MOST_FILES:
                raise BadText(f"{_label(name)}: more than {MOST_FILES} files in one zip", hint="send them in several")
            most = min(MOST_BYTES, max(len(raw), 1) * MOST_RATIO)
            found: list[Source] = []
            for entry in entries:
                content = _unpacked(archive, entry, most, _label(name))
                most -= len(content)
                label = _label(entry.filename)
                found.append(Source(label, content, f"{_label(name)}: {label}"))
    except _BROKEN as error:
        raise BadText(f"{_label(name)}: not a zip that can be read ({type(error).__name__})") from None
    if len({source.name for source in found}) < len(found):
        raise BadText(f"{_label(name)}: two files of the same name", hint="rename one of them")
    return found


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int, place: str) -> bytes:
    if entry.flag_bits & 1 or entry.compress_type not in _PLAIN:
        raise BadText(f"{place}: {_label(entry.filename)} is encrypted, or packed in an unusual way")
    parts, size = [], 0
    with archive.open(entry) as file:
        while piece := file.read(min(_PIECE, most - size + 1)):
            size += len(piece)
            if size > most:
                raise BadText(
                    f"{place}: unpacks to more than it may ({MOST_BYTES >> 20} MB, {MOST_RATIO} times its size)",
                    hint="send the files themselves",
                )
            parts.append(piece)
    content = b"".join(parts)
    if content.startswith(_MAGIC + b"\x03\x04"):
        raise BadText(f"{place}: a zip within a zip", hint="unpack it first")
    return content


def _label(name: str) -> str:
    """The last part of a name, as it may be shown."""
    last = PurePosixPath(name.replace("\\", "/")).name
    plain = "".join(letter for letter in last if letter.isprintable())[:100]
    return plain or "file"
