"""Files that people bring or that the program makes: sealed in parts, held to their digest when they are read.

A file's name is a label to show. It is made inert when it comes in, and no path of the system is ever made of it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Row, insert, select

from shieldwall.errors import NotFound, Tampered, TooMany, UsageError
from shieldwall.model.access import Handling, may_see
from shieldwall.store.ids import new_id, searchable
from shieldwall.store.placing import must_place, older_than
from shieldwall.store.proving import change, hold, proven
from shieldwall.store.schema import file_parts, files
from shieldwall.store.visible import columns_of, handling_of, visible

if TYPE_CHECKING:
    from shieldwall.store.work import Work

PART = 256 << 10  # bytes that are sealed at a time
MOST_BYTES = 64 << 20
"""How large a file may be where the caller does not say."""
KINDS = ("upload", "trace", "screening", "report", "sheet", "evidence", "letter", "pack")
OCTETS = "application/octet-stream"

_LONGEST_NAME = 200  # characters
_LONGEST_ENDING = 20  # characters of a name's ending that are kept when the name is cut
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,48}/[a-z0-9][a-z0-9!#$&^_.+-]{0,48}")  # RFC 6838, section 4.2


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What is known of a file without its content.

    Attributes:
        id: 32 hex digits.
        kind: One of `KINDS`.
        name: To be shown; see `inert_name`.
        media_type: As whoever brought it says, so not to be trusted.
        size: In bytes.
        sha256: Of its content, hex.
        created_at: Microseconds of Unix time.
        handling: Who may see it.
    """

    id: str
    kind: str
    name: str
    media_type: str
    size: int
    sha256: str
    created_at: int
    handling: Handling


class Files:
    """The files, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add(
        self,
        name: str,
        media_type: str,
        content: Iterable[bytes],
        kind: str,
        handling: Handling,
        *,
        most_bytes: int = MOST_BYTES,
    ) -> File:
        """Keep a file.

        Args:
            name: What it is called; a path before it is cut off.
            media_type: What it is; what is no media type becomes `application/octet-stream`.
            content: Its bytes, in pieces of any size.
            kind: One of `KINDS`.
            handling: Who may see it; its owner is whoever asks.
            most_bytes: How large it may be.

        Raises:
            NotAllowed: Whoever asks may not write, or the owner is another.
            NotFound: No such case or group that they are a member of.
            TooMany: It is larger than it may be; nothing of it is kept.
            UsageError: No such kind.
        """
        if kind not in KINDS:
            raise UsageError(f"{kind[:40]!r} is no kind of file", hint=f"use one of {', '.join(KINDS)}")
        must_place(self._work, handling)
        file_id, shown, now = new_id(), inert_name(name), self._work.now
        base: dict[str, Any] = {
            "id": file_id,
            "kind": kind,
            "name_sealed": self._seal("name", file_id, shown.encode()),
            "media_type": plain_media_type(media_type),
            "size": 0,
            "sha256_sealed": b"",
            "created_at": now,
            **columns_of(handling),
        }
        self._work.connection.execute(insert(files).values(proven(self._work, files, base)))
        digest, size = hashlib.sha256(), 0
        for number, part in enumerate(_parts(content)):
            size += len(part)
            if size > most_bytes:
                raise TooMany(
                    f"the file is larger than {most_bytes:,} bytes", hint="bring a smaller one, or a part of it"
                )
            digest.update(part)
            sealed = self._work.seal(file_parts.name, "content", f"{file_id}:{number}", part)
            values = {"file_id": file_id, "number": number, "content_sealed": sealed}
            self._work.connection.execute(insert(file_parts).values(values))
        done = {"size": size, "sha256_sealed": self._seal("sha256", file_id, digest.digest())}
        change(self._work, files, files.c.id == file_id, values=done)
        self._work.note(file=file_id, bytes=size)
        return File(
            id=file_id,
            kind=kind,
            name=shown,
            media_type=base["media_type"],
            size=size,
            sha256=digest.hexdigest(),
            created_at=now,
            handling=handling,
        )

    def get(self, file_id: str) -> File:
        """What is known of a file.

        Raises:
            NotFound: None that whoever asks may see.
        """
        for file in self._read(files.c.id == searchable(file_id)):
            return file
        raise NotFound("there is no such file")

    def page(self, *, after: str = "", most: int, case: str | None = None, kind: str = "") -> list[File]:
        """Files with the newest first, at most `most`; `after` is the id of the last one of the page before.

        Raises:
            NotFound: No file `after` that whoever asks may see.
        """
        conditions = [older_than(self._work, files, after, visible(self._work.identity, files))]
        if case is not None:
            conditions.append(files.c.case_id == searchable(case))
        if kind:
            conditions.append(files.c.kind == searchable(kind))
        return list(self._read(*conditions, most=most))

    def read(self, file_id: str) -> bytes:
        """A file's content, whole; nothing is given before all of it was held to its digest.

        Raises:
            NotFound: None that whoever asks may see.
            Tampered: It is not what was kept.
        """
        file = self.get(file_id)
        content = b"".join(self._content(file))
        if len(content) != file.size or hashlib.sha256(content).hexdigest() != file.sha256:
            raise _tampered(file)
        return content

    def parts(self, file_id: str) -> Iterator[bytes]:
        """A file's content in parts of 256 KiB, for one too large to hold: read twice, the first time to check it.

        Raises:
            NotFound: None that whoever asks may see.
            Tampered: It is not what was kept; then no part of it is given.
        """
        file = self.get(file_id)
        digest, size = hashlib.sha256(), 0
        for part in self._content(file):
            digest.update(part)
            size += len(part)
        if size != file.size or digest.hexdigest() != file.sha256:
            raise _tampered(file)
        return self._content(file)

    def _content(self, file: File) -> Iterator[bytes]:
        columns = file_parts.c
        number = 0
        while True:  # one part at a time: what a driver fetches at once is all that it holds
            chosen = select(columns.content_sealed).where(columns.file_id == file.id, columns.number == number)
            sealed = self._work.connection.execute(chosen).scalar()
            if sealed is None:
                return
            yield self._work.open(file_parts.name, "content", f"{file.id}:{number}", sealed)
            number += 1

    def _read(self, *conditions: ColumnElement[bool], most: int | None = None) -> Iterator[File]:
        query = select(files).where(visible(self._work.identity, files), *conditions)
        query = query.order_by(files.c.created_at.desc(), files.c.id.desc()).limit(most)
        for row in self._work.connection.execute(query):
            handling = handling_of(row)
            if may_see(self._work.identity, handling):  # asked again: the query is one exit, this is another
                yield self._file(row, handling)

    def _file(self, row: Row[Any], handling: Handling) -> File:
        hold(self._work, files, row)
        return File(
            id=row.id,
            kind=row.kind,
            name=self._open("name", row.id, row.name_sealed).decode(),
            media_type=row.media_type,
            size=row.size,
            sha256=self._open("sha256", row.id, row.sha256_sealed).hex(),
            created_at=row.created_at,
            handling=handling,
        )

    def _seal(self, column: str, row: str, plain: bytes) -> bytes:
        return self._work.seal(files.name, column, row, plain)

    def _open(self, column: str, row: str, sealed: bytes) -> bytes:
        return self._work.open(files.name, column, row, sealed)


def inert_name(name: str) -> str:
    """A file's name as it may be shown and offered: no path, nothing that cannot be seen, at most 200 characters.

    Characters that turn the direction of writing are among what goes: with them an ending looks like another one.

    Example:
        >>> inert_name("../../etc/passwd"), inert_name("C:\\\\tmp\\\\a\\u202efdp.exe"), inert_name("..")
        ('passwd', 'afdp.exe', 'file')
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    seen = "".join(
        letter for letter in last if letter == " " or not unicodedata.category(letter).startswith(("C", "Z"))
    )
    plain = " ".join(seen.split()).lstrip(". ").rstrip(". ")
    if len(plain) > _LONGEST_NAME:
        stem, dot, ending = plain.rpartition(".")
        ending = dot + ending if stem and len(ending) <= _LONGEST_ENDING else ""
        plain = plain[: _LONGEST_NAME - len(ending)] + ending
    return plain or "file"


def plain_media_type(text: str) -> str:
    """The media type without its parameters (RFC 6838, section 4.2); `application/octet-stream` for what is none.

    Example:
        >>> plain_media_type("Text/CSV; charset=utf-8"), plain_media_type("<script>")
        ('text/csv', 'application/octet-stream')
    """
    essence = text.partition(";")[0].strip().lower()
    return essence if _MEDIA_TYPE.fullmatch(essence) else OCTETS


def _parts(content: Iterable[bytes]) -> Iterator[bytes]:
    """Pieces of any size as parts of one size; the last may be shorter."""
    held = bytearray()
    for piece in content:
        held += piece
        while len(held) >= PART:
            yield bytes(held[:PART])
            del held[:PART]
    if held:
        yield bytes(held)


def _tampered(file: File) -> Tampered:
    return Tampered(
        f"the file {file.id} is not what was kept (its SHA-256 is another)",
        hint="restore a backup: shieldwall node restore",
    )
