"""A stream of lines in sealed frames: one that was cut, reordered or changed is refused. Format: docs/spec/backup.md.

Each frame is AES-256-GCM over lines that zlib made smaller. Its nonce is prefix, counter and a flag on the last frame: the STREAM
construction (Hoang, Reyhanitabar, Rogaway, Vizar: "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015).
Everything is read within bounds: the size of a frame, and what it may grow to.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shieldwall.errors import StoreError, Tampered

PREFIX = 7  # bytes of the nonce that are the file's own
FRAME = 1 << 20  # bytes of lines that begin a new frame
MOST_LINES = 16 << 20  # bytes of lines that a frame may grow to
_MOST_FRAME = MOST_LINES + (1 << 16)  # bytes of a sealed frame
_MOST_FRAMES = (1 << 32) - 1
_HINT = "take another copy of the backup"


def write_frames(file: IO[bytes], key: bytes, prefix: bytes, bound: bytes, lines: Iterable[bytes]) -> int:
    """Seal lines into frames; returns how many frames.

    Args:
        file: Written to from where it stands.
        key: 32 bytes, for this file alone.
        prefix: `PREFIX` random bytes.
        bound: What every frame is bound to: the digest of what stands before them.
        lines: Without line ends in them.

    Raises:
        StoreError: A line is longer than a frame may grow.
    """
    cipher, number = AESGCM(key), 0
    held = bytearray()

    def frame(*, last: bool) -> None:
        sealed = cipher.encrypt(_nonce(prefix, number, last=last), zlib.compress(bytes(held), 6), bound)
        file.write(len(sealed).to_bytes(4, "big") + sealed)

    for line in lines:
        if len(line) >= MOST_LINES:
            raise StoreError(
                "a value in the store is too large for a backup", hint="report this; the node itself is well"
            )
        if held and len(held) + len(line) > FRAME:
            frame(last=False)
            number += 1
            held.clear()
        held += line + b"\n"
    frame(last=True)
    return number + 1


def read_frames(file: IO[bytes], key: bytes, prefix: bytes, bound: bytes, place: str) -> Iterator[bytes]:
    """The lines again; the last frame must be marked as such, and nothing may follow it.

    Raises:
        Tampered: It was cut, reordered, changed, or sealed by another key.
    """
    cipher, number, last = AESGCM(key), 0, False
    while not last:
        sealed = _sealed(file, place)
        plain, last = _open(cipher, prefix, number, bound, sealed, place)
        number += 1
        if number > _MOST_FRAMES:
            raise Tampered(f"{place}: too many frames", hint=_HINT)
        yield from _lines(plain, place)
    if file.read(1):
        raise Tampered(f"{place}: something follows its end", hint=_HINT)


def _sealed(file: IO[bytes], place: str) -> bytes:
    head = file.read(4)
    size = int.from_bytes(head, "big")
    if len(head) < 4 or not 16 <= size <= _MOST_FRAME:
        raise Tampered(f"{place}: it is cut off, or no backup", hint=_HINT)
    sealed = file.read(size)
    if len(sealed) < size:
        raise Tampered(f"{place}: it is cut off", hint=_HINT)
    return sealed


def _open(cipher: AESGCM, prefix: bytes, number: int, bound: bytes, sealed: bytes, place: str) -> tuple[bytes, bool]:
    for last in (False, True):
        try:
            return cipher.decrypt(_nonce(prefix, number, last=last), sealed, bound), last
        except InvalidTag:
            continue
    raise Tampered(f"{place}: frame {number} is not what was written there", hint=_HINT)


def _lines(plain: bytes, place: str) -> list[bytes]:
    """The lines of a frame, inflated no further than a frame may grow."""
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(plain, MOST_LINES + 1)
    except zlib.error:
        raise Tampered(f"{place}: a frame holds no lines", hint=_HINT) from None
    if len(raw) > MOST_LINES or not inflater.eof or inflater.unused_data:
        raise Tampered(f"{place}: a frame grows beyond its bound", hint=_HINT)
    return raw.splitlines()


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])
