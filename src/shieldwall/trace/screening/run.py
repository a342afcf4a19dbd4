"""Screen lists of any length: rows out as they are done, in the order of the list, in constant memory, resumable.

Beside the file that is written stands a checkpoint, `FILE.progress`: how far the lists were read, how many bytes of rows that
made, and the counts so far. It is replaced only after these rows are on the disk, so a run that is stopped at any moment
goes on behind the last row that counts; what was written after it is cut off and made again.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Literal

from shieldwall.errors import BadInput, UsageError
from shieldwall.model.spreadsheet import csv_text
from shieldwall.trace.screening.answer import CSV_COLUMNS, count, csv_row, in_words, stamp
from shieldwall.trace.screening.reading import BEGIN, PART, Listed, Position, read_list
from shieldwall.trace.screening.screener import IN_STORE, TAGGED, UNKNOWN, Screener, exposed_to, urgency

FORMAT = "shieldwall-screening/1"
ENDING = ".progress"
KEPT = 20  # of the most urgent rows, and of near misses, told at the end
_EVERY = 1.0  # seconds between two checkpoints
_HASHED = 1 << 20  # bytes of a list hashed at once

Form = Literal["jsonl", "csv"]
Progress = Callable[[str, int, int], None]


@dataclass
class Tally:
    """What a run found so far.

    Attributes:
        counts: As `answer.count`.
        near_misses: Words that look like an address and are none.
        digits: Strings of 64 hex digits, not looked up.
        urgent: The most urgent rows, in few words: at most `KEPT`.
        near: The first near misses, with their places: at most `KEPT`.
    """

    counts: dict[str, int] = field(default_factory=lambda: count(()))
    near_misses: int = 0
    digits: int = 0
    urgent: list[list[Any]] = field(default_factory=list)
    near: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows written."""
        return sum(self.counts[verdict] for verdict in (TAGGED, IN_STORE, UNKNOWN))

    @property
    def findings(self) -> int:
        """Rows that are sanctioned, or tagged with an abuse, themselves."""
        return self.counts["sanctioned"] + self.counts["abuse"]

    def add(self, other: Tally) -> None:
        """Take in what a later part found."""
        self.counts = dict(Counter(self.counts) + Counter(other.counts)) | {}
        self.counts = {name: self.counts.get(name, 0) for name in count(())}
        self.near_misses += other.near_misses
        self.digits += other.digits
        self.urgent = sorted([*self.urgent, *other.urgent], key=lambda each: each[0])[:KEPT]
        self.near = [*self.near, *other.near][:KEPT]


@dataclass(frozen=True)
class _Block:
    """The rows of one part, as they are written."""

    text: bytes
    tally: Tally
    source: int
    end: Position


class Lists:
    """Lists to screen, one after the other.

    Args:
        screener: What is known.
        paths: The files.
        form: How rows are written.
        part: Bytes of a list that are screened at once.
        threads: How many parts at once.
        opened: One stream instead of files: standard input.
    """

    def __init__(
        self,
        screener: Screener,
        paths: Sequence[Path],
        form: Form,
        *,
        part: int = PART,
        threads: int = 2,
        opened: BinaryIO | None = None,
    ) -> None:
        self.screener = screener
        self.form = form
        self._part = part
        self._threads = threads
        self._open = opened
        self.paths = list(paths)

    @property
    def sizes(self) -> list[int]:
        """Bytes of each file.

        Raises:
            UsageError: One cannot be read.
        """
        try:
            return [path.stat().st_size for path in self.paths]
        except OSError as error:
            raise UsageError(f"{error.filename}: cannot be read ({error.strerror})", hint="check the name") from None

    @property
    def heading(self) -> bytes:
        """What stands before the first row."""
        return csv_text(CSV_COLUMNS, ()).encode() if self.form == "csv" else b""

    def blocks(self, source: int = 0, start: Position = BEGIN) -> Iterator[_Block]:
        """The rows of all lists from a place on, in order, a few parts being screened ahead."""
        parts = self._parts(source, start)
        waiting: deque[Future[_Block]] = deque()
        pool = ThreadPoolExecutor(self._threads, "screen")
        try:
            for number, listed in parts:
                waiting.append(pool.submit(self._screen, number, listed))
                if len(waiting) > self._threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _parts(self, source: int, start: Position) -> Iterator[tuple[int, Listed]]:
        if self._open is not None:
            for listed in read_list(self._open, part=self._part):
                yield 0, listed
            return
        for number in range(source, len(self.paths)):
            try:
                with self.paths[number].open("rb") as file:
                    for listed in read_list(file, start if number == source else BEGIN, self._part):
                        yield number, listed
            except OSError as error:
                raise BadInput(f"{self.paths[number]}: cannot be read on ({error})", hint="check the disk") from None

    def _screen(self, source: int, listed: Listed) -> _Block:
        rows = self.screener.rows(listed.found)
        name = f"{self.paths[source].name}, " if len(self.paths) > 1 else ""
        for row, (line, column) in zip(rows, listed.places, strict=True):
            row["first_place"] = f"{name}line {line}, column {column}"
        near = [f"{name}line {line}, column {column}: {word}" for word, line, column in listed.near_misses[:KEPT]]
        urgent = sorted(
            (_in_few_words(row) for row in rows if row["finding"] or exposed_to(row)), key=lambda each: each[0]
        )
        tally = Tally(count(rows), len(listed.near_misses), listed.digits, urgent[:KEPT], near)
        return _Block(self._written(rows), tally, source, listed.end)

    def _written(self, rows: list[dict[str, Any]]) -> bytes:
        if self.form == "csv":
            for row in rows:
                row["mentioned"] = 1
            return csv_text(CSV_COLUMNS, map(csv_row, rows)).split("\n", 1)[1].encode()
        encode = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
        return "".join([encode(row) + "\n" for row in rows]).encode("utf-8", "replace")


def _in_few_words(row: dict[str, Any]) -> list[Any]:
    """[how urgent, address, why, where] of a row, as JSON values."""
    labels = [tag["label"] for tag in row["tags"][:1]] or [in_words(entry) for entry in row["exposure"]["reached"][:1]]
    return [list(urgency(row)), row["address"], labels[0], row["first_place"]]


def write_stream(lists: Lists, out: BinaryIO, progress: Progress) -> Tally:
    """Write all rows to a stream; nothing is kept for going on.

    Raises:
        BadInput: A list cannot be read on.
        StoreError: A tag set or the store is not what its manifest says.
    """
    tally = Tally()
    out.write(lists.heading)
    for block in lists.blocks():
        out.write(block.text)
        out.flush()
        tally.add(block.tally)
        progress("screened", _done(lists, block), sum(lists.sizes))
    return tally


def write_file(lists: Lists, target: Path, progress: Progress, *, resume: bool = False, every: float = _EVERY) -> Tally:
    """Write all rows into a file, so that a stop at any moment loses nothing.

    Args:
        lists: What to screen.
        target: The file; its checkpoint stands beside it until all is done.
        progress: Told of every part: a word, bytes done, bytes in all.
        resume: Go on where an earlier run stopped; where none did, begin.
        every: Seconds between two checkpoints.

    Raises:
        UsageError: The file is there already, or the earlier run was another one: other lists, tag sets, chain or options.
        BadInput: A list, or the file, cannot be read or written on.
        StoreError: A tag set or the store is not what its manifest says.
    """
    checkpoint = _Checkpoint(lists, target, resume=resume)
    tally = checkpoint.tally
    try:
        with target.open("r+b" if checkpoint.written else "wb") as file:
            file.truncate(checkpoint.written)
            file.seek(checkpoint.written)
            if not checkpoint.written:
                file.write(lists.heading)
            saved = time.monotonic()
            for block in lists.blocks(checkpoint.source, checkpoint.position):
                file.write(block.text)
                tally.add(block.tally)
                checkpoint.source, checkpoint.position = block.source, block.end
                progress("screened", _done(lists, block), sum(lists.sizes))
                if time.monotonic() - saved >= every:
                    checkpoint.save(file)
                    saved = time.monotonic()
            checkpoint.save(file)
        checkpoint.path.unlink()
    except OSError as error:
        raise BadInput(f"{target}: cannot be written ({error})", hint="make room, then go on with --resume") from None
    return tally


class _Checkpoint:
    """How far a run is, on disk."""

    def __init__(self, lists: Lists, target: Path, *, resume: bool) -> None:
        self._lists = lists
        self.path = target.with_name(target.name + ENDING)
        self.tally = Tally()
        self.written = 0
        self.source, self.position = 0, BEGIN
        self._hash = sha256()
        self._hashed = 0, 0  # source, and bytes of it
        self._run = {
            **stamp(lists.screener),
            "form": lists.form,
            "lists": [[path.name, size] for path, size in zip(lists.paths, lists.sizes, strict=True)],
        }
        if self.path.exists() and not resume:
            raise UsageError(
                f"{self.path}: a run that was stopped", hint=f"go on with --resume, or delete it and {target}"
            )
        if self.path.exists():
            self._load(target)
        elif target.exists():
            raise UsageError(f"{target}: is there already, and finished", hint="name another file, or delete it")
        else:
            self._write()

    def _load(self, target: Path) -> None:
        try:
            body = json.loads(self.path.read_bytes())
            if body["format"] != FORMAT:
                raise ValueError(f"format {body['format']!r}")  # noqa: TRY301
            run, self.written, self.source = body["run"], int(body["written"]), int(body["source"])
            self.position = Position(**body["position"])
            self.tally = Tally(**body["tally"])
            digest = body["read"]
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise BadInput(
                f"{self.path}: no checkpoint ({error})", hint=f"delete it and {target}, and begin again"
            ) from None
        other = sorted(
            name for name in {*run, *self._run} if run.get(name) != json.loads(json.dumps(self._run)).get(name)
        )
        if not other and self._digest() != digest:
            other = ["lists"]
        if other:
            raise UsageError(
                f"{self.path}: the run that was stopped had other {', '.join(other)}",
                hint=f"screen with the same, or delete it and {target} and begin again",
            )
        there = target.stat().st_size if target.exists() else 0
        if there < self.written:
            raise BadInput(
                f"{target}: {there} bytes, and its checkpoint counts {self.written}", hint="delete both and begin again"
            )

    def save(self, file: BinaryIO) -> None:
        """Put the rows on the disk, then say so."""
        file.flush()
        os.fsync(file.fileno())
        self.written = file.tell()
        self._write()

    def _write(self) -> None:
        body = {
            "format": FORMAT, "run": self._run, "written": self.written, "source": self.source,
            "position": asdict(self.position), "read": self._digest(), "tally": asdict(self.tally),
        }  # fmt: skip
        draft = self.path.with_name(self.path.name + ".new")
        with draft.open("wb") as file:
            file.write(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)

    def _digest(self) -> str:
        """SHA-256 (hex) of what was read of the list that is being read; each byte is hashed once."""
        source, done = self._hashed
        if source != self.source:
            self._hash, done = sha256(), 0
        if self._lists.paths:
            with self._lists.paths[self.source].open("rb") as file:
                file.seek(done)
                while done < self.position.offset:
                    piece = file.read(min(_HASHED, self.position.offset - done))
                    if not piece:
                        break
                    self._hash.update(piece)
                    done += len(piece)
        self._hashed = self.source, done
        return self._hash.hexdigest()


def _done(lists: Lists, block: _Block) -> int:
    return sum(lists.sizes[: block.source]) + block.end.offset


def buffer_of(text: str) -> io.BytesIO:
    """Standard input that is text already, as bytes."""
    return io.BytesIO(text.encode("utf-8", "replace"))
