"""The file of signed roots: a line for each, only ever appended to, kept where the administrator says.

It is what an older copy of the database is held against, so it is best on another machine's disk. Format: docs/spec/audit-log.md.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from shieldwall.errors import BadText, StoreError, Tampered
from shieldwall.model.canonical import canonical_json
from shieldwall.model.strictjson import parse_json
from shieldwall.node.demand import demand

PURPOSE = "audit-root"
_LARGEST_LINE = 1 << 16  # bytes
_TAIL = 4 * _LARGEST_LINE


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRoot:
    """A root of the audit log, signed by the node.

    Attributes:
        node: The node's id.
        size: Of how many leaves.
        at: When it was signed, in microseconds.
        root: The root.
        accepts: What an administrator accepted with it ("" in nearly all): earlier lines that no longer fit stay as they are.
        envelope: Both signatures.
    """

    node: str
    size: int
    at: int
    root: bytes
    accepts: str
    envelope: Mapping[str, Any]

    @property
    def message(self) -> bytes:
        """What is signed."""
        return root_message(self.node, self.size, self.at, self.root, self.accepts)

    def to_line(self) -> bytes:
        """The line of the file."""
        plain = {
            "accepts": self.accepts,
            "at": self.at,
            "node": self.node,
            "root": self.root.hex(),
            "signature": dict(self.envelope),
            "size": self.size,
        }
        return canonical_json(plain) + b"\n"

    @classmethod
    def from_line(cls, line: bytes, place: str) -> SignedRoot:
        """What `to_line` wrote.

        Raises:
            Tampered: It is no such line.
        """
        try:
            body = parse_json(line, place)
            root, size, at, accepts = bytes.fromhex(body["root"]), body["size"], body["at"], body["accepts"]
            demand(type(size) is int, type(at) is int, len(root) == 32, isinstance(accepts, str))
            demand(size >= 0, at >= 0, isinstance(body["node"], str), isinstance(body["signature"], dict))
        except (BadText, KeyError, TypeError, ValueError):
            raise Tampered(f"{place}: no signed root", hint="compare the file with another copy of it") from None
        return cls(node=body["node"], size=size, at=at, root=root, accepts=accepts, envelope=body["signature"])


def root_message(node: str, size: int, at: int, root: bytes, accepts: str) -> bytes:
    """What is signed of a root."""
    return canonical_json({"accepts": accepts, "at": at, "node": node, "root": root.hex(), "size": size})


class Exported:
    """The file.

    A stop in the middle of writing leaves a line without its end; it was never acknowledged, is not read, and the next writer
    takes it away.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[SignedRoot]:
        """Every line, the oldest first; none where there is no file.

        Raises:
            StoreError: It cannot be read.
            Tampered: A line is no signed root.
        """
        with self._mapped():
            try:
                raw = self.path.read_bytes()
            except FileNotFoundError:
                return []
        whole = raw[: raw.rfind(b"\n") + 1].splitlines()
        return [SignedRoot.from_line(line, f"{self.path}, line {number}") for number, line in enumerate(whole, 1)]

    def last(self) -> SignedRoot | None:
        """The newest line; None where there is none. Reads the end of the file only."""
        with self._mapped():
            try:
                with self.path.open("rb") as file:
                    return self._last(file)
            except FileNotFoundError:
                return None

    @contextlib.contextmanager
    def appending(self) -> Iterator[Appender]:
        """Hold the file against other writers, and append.

        Raises:
            StoreError: It cannot be written.
        """
        with self._mapped():
            made = not self.path.exists()
            file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        with file:
            with self._mapped():
                fcntl.flock(file, fcntl.LOCK_EX)
                last = self._last(file)
            yield Appender(self, file, last)
            if made:
                with self._mapped():
                    _sync_folder(self.path.parent)

    def _last(self, file: IO[bytes]) -> SignedRoot | None:
        end = file.seek(0, os.SEEK_END)
        start = max(0, end - _TAIL)
        file.seek(start)
        tail = file.read(end - start)
        lines = tail[: tail.rfind(b"\n") + 1].splitlines()
        if lines:
            return SignedRoot.from_line(lines[-1], f"{self.path}, last line")
        if start:
            raise Tampered(f"{self.path}: its end is no signed root", hint="compare the file with another copy of it")
        return None

    @contextlib.contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"{self.path}: the signed roots of the audit log cannot be kept there ({error.strerror or error})",
                hint="set audit_roots in node.toml to a file that the node may write",
            ) from None


@dataclass(frozen=True, slots=True)
class Appender:
    """The file, held against other writers.

    Attributes:
        exported: Whose.
        file: Open.
        last: The newest line.
    """

    exported: Exported
    file: IO[bytes]
    last: SignedRoot | None

    def append(self, root: SignedRoot) -> None:
        """Append a line; it is on the disk when this returns."""
        with self.exported._mapped():
            end = self.file.seek(0, os.SEEK_END)
            self.file.seek(max(0, end - _TAIL))
            tail = self.file.read()
            torn = len(tail) - (tail.rfind(b"\n") + 1)
            self.file.seek(end - torn)
            self.file.truncate()
            self.file.write(root.to_line())
            self.file.flush()
            os.fsync(self.file.fileno())


def _sync_folder(folder: Path) -> None:
    """Put a new file's name on the disk."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
