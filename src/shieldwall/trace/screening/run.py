"""Screen lists of any length: rows out as they are done, in the order of the list, in constant memory, resumable.

Beside the file that is written stands a checkpoint, `FILE.progress`: how far the lists were read, how many bytes of rows that
made, and the counts so far. It is replaced only after these rows are on the disk, so a run that is stopped at any moment
goes on behind the last row that counts; what was written after it is cut off and made again. Once all is done the checkpoint
is gone: a file without one is finished, and a run that is told to go on with it changes nothing and says what its rows say.
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
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Literal

from shieldwall.errors import BadInput, BadText, UsageError
from shieldwall.model.spreadsheet import csv_text
from shieldwall.trace.screening.answer import count, csv_heading, csv_row, in_words, stamp
from shieldwall.trace.screening.checkpoint import FORMAT, KEPT, parse_checkpoint
from shieldwall.trace.screening.finished import finished_rows
from shieldwall.trace.screening.own_rows import HEAD, Layout, Rewound, layout_of
from shieldwall.trace.screening.reading import BEGIN, PART, Listed, Position, read_list
from shieldwall.trace.screening.screener import IN_STORE, TAGGED, UNKNOWN, Screener, exposed_to, urgency

ENDING = ".progress"
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
        self._open = None if opened is None else Rewound(opened)
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
    def standard_input(self) -> bool:
        """Whether it is a stream, which is read once and from its beginning."""
        return self._open is not None

    @property
    def heading(self) -> bytes:
        """What stands before the first row."""
        return csv_text(self._heading, ()).encode() if self.form == "csv" else b""

    @property
    def _heading(self) -> tuple[str, ...]:
        return csv_heading(self.columns, clusters=self.screener.inherited is not None)

    @cached_property
    def layouts(self) -> list[Layout | None]:
        """How the rows of each list are written; None where it has no columns.

        Raises:
            UsageError: One cannot be read.
        """
        if self._open is not None:
            return [layout_of(self._open.head)]
        found = []
        for path in self.paths:
            try:
                with path.open("rb") as file:
                    found.append(layout_of(file.read(HEAD)))
            except OSError as error:
                raise UsageError(f"{path}: cannot be read ({error.strerror})", hint="check the name") from None
        return found

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of all lists, each once."""
        return tuple(dict.fromkeys(name for layout in self.layouts if layout for name in layout.columns))

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
            for listed in read_list(self._open, part=self._part, lines=self.layouts[0] is not None):
                yield 0, listed
            return
        for number in range(source, len(self.paths)):
            try:
                with self.paths[number].open("rb") as file:
                    begin = start if number == source else BEGIN
                    for listed in read_list(file, begin, self._part, lines=self.layouts[number] is not None):
                        yield number, listed
            except OSError as error:
                raise BadInput(f"{self.paths[number]}: cannot be read on ({error})", hint="check the disk") from None

    def _screen(self, source: int, listed: Listed) -> _Block:
        rows = self.screener.rows(listed.found)
        name = self._name(source)
        for row, (line, column) in zip(rows, listed.places, strict=True):
            row["first_place"] = f"{name}line {line}, column {column}"
        layout = self.layouts[source]
        if layout is not None:
            for row, text in zip(rows, listed.lines, strict=True):
                row["row"] = layout.fields(text)
        urgent = sorted(
            (_in_few_words(row) for row in rows if row["finding"] or exposed_to(row)), key=lambda each: each[0]
        )
        tally = Tally(count(rows), len(listed.near_misses), listed.digits, urgent[:KEPT], self._near(source, listed))
        return _Block(self._written(rows), tally, source, listed.end)

    def _name(self, source: int) -> str:
        return f"{self.paths[source].name}, " if len(self.paths) > 1 else ""

    def _near(self, source: int, listed: Listed) -> list[str]:
        name = self._name(source)
        return [f"{name}line {line}, column {column}: {word}" for word, line, column in listed.near_misses[:KEPT]]

    def finished(self, target: Path) -> Tally:
        """What a finished run into `target` found, from its rows and the lists; nothing is screened again.

        Raises:
            UsageError: The file holds something else, or fewer or more rows than the lists have addresses.
        """
        tally, addresses = Tally(), 0
        for source, listed in self._parts(0, BEGIN):
            addresses += len(listed.found.names)
            tally.add(Tally(near_misses=len(listed.near_misses), digits=listed.digits, near=self._near(source, listed)))
        exposures = self.screener.exposures
        known = [each for each in ((None,) if exposures is None else exposures.categories) if each is not None]
        harmless = {each.name for each in known} - {each.name for each in known if each.finding}
        try:
            for row in finished_rows(target, self.form, harmless, self._heading):
                urgent = row.said["finding"] or exposed_to(row.said)
                words = [list(urgency(row.said)), row.said["address"], row.why, row.said["first_place"]]
                tally.add(Tally(count((row.said,)), urgent=[words] if urgent else []))
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{target}: is there already, and is no finished screening ({error})",
                hint="name another file, or delete it",
            ) from None
        if tally.rows != addresses:
            raise UsageError(
                f"{target}: is there already, and finished, with {tally.rows:,} rows; the lists have {addresses:,} addresses",
                hint="it was made of other lists: name another file, or delete it",
            )
        return tally

    def _written(self, rows: list[dict[str, Any]]) -> bytes:
        if self.form == "csv":
            for row in rows:
                row["mentioned"] = 1
            clusters = self.screener.inherited is not None
            cells = [csv_row(row, self.columns, clusters=clusters) for row in rows]
            return csv_text((), cells).split("\n", 1)[1].encode("utf-8", "replace")
        encode = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
        return "".join([encode(row) + "\n" for row in rows]).encode("utf-8", "replace")


def _in_few_words(row: dict[str, Any]) -> list[Any]:
    """[how urgent, address, why, where] of a row, as JSON values."""
    labels = [tag["label"] for tag in row["tags"][:1]] or [in_words(entry) for entry in row["exposure"]["reached"][:1]]
    return [list(urgency(row)), row["address"], labels[0], row["first_place"]]


def write_stream(lists: Lists, out: BinaryIO, progress: Progress) -> Tally:
    """Write all rows to a stream; nothing is kept for going on.

    Raises:
        BadInput: A list cannot be read on, or holds no address at all.
        StoreError: A tag set or the store is not what its manifest says.
    """
    tally = Tally()
    for block in lists.blocks():
        if block.text and not tally.rows:
            out.write(lists.heading)
        out.write(block.text)
        out.flush()
        tally.add(block.tally)
        progress("screened", _done(lists, block), sum(lists.sizes))
    _check_some(tally)
    return tally


def write_file(lists: Lists, target: Path, progress: Progress, *, resume: bool = False, every: float = _EVERY) -> Tally:
    """Write all rows into a file, so that a stop at any moment loses nothing.

    Args:
        lists: What to screen.
        target: The file; its checkpoint stands beside it until all is done.
        progress: Told of every part: a word, bytes done, bytes in all.
        resume: Go on where an earlier run stopped; where none did, begin.
        every: Seconds between two checkpoints.

    A finished file that is to be gone on with stays as it is, and what its rows say is told.

    Raises:
        UsageError: The file cannot be made or is there already, or the earlier run was another one: other lists, tag sets, chain
            or options.
        BadText: The checkpoint is none.
        BadInput: A list, or the file, cannot be read or written on, or no address is in the lists; no file stays then.
        StoreError: A tag set or the store is not what its manifest says.
    """
    if resume and lists.standard_input:
        raise UsageError(
            "standard input is read once", hint="put it into a file: a run over files goes on with --resume"
        )
    _check_target(target)
    if resume and is_finished(target):
        return lists.finished(target)
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
        if not tally.rows:
            target.unlink()
        checkpoint.path.unlink()
    except OSError as error:
        raise BadInput(f"{target}: cannot be written ({error})", hint="make room, then go on with --resume") from None
    _check_some(tally)
    return tally


def _check_target(target: Path) -> None:
    """Refuse a file that cannot be made, before anything is screened."""
    try:
        if target.is_dir():
            raise UsageError(f"{target}: is a directory", hint="name a file in it, such as screened.csv")
        if not target.parent.is_dir():
            raise UsageError(
                f"{target}: cannot be written, {target.parent} is no directory", hint="make it, or name another file"
            )
    except OSError as error:
        raise UsageError(f"{target}: cannot be written ({error.strerror})", hint="name another file") from None


def _check_some(tally: Tally) -> None:
    """Refuse lists in which nothing is to be screened."""
    if not tally.rows:
        said = [f"near miss: {near}" for near in tally.near[:3]]
        said += [f"{tally.digits:,} strings of 64 hex digits are not looked up in lists"] if tally.digits else []
        raise BadInput("no address is in what was given", hint="; ".join(said) or "give a list that holds an address")


def is_finished(target: Path) -> bool:
    """Whether a run into `target` has nothing left to do: the file is there, and its checkpoint is not."""
    return target.exists() and not _beside(target).exists()


def _beside(target: Path) -> Path:
    return target.with_name(target.name + ENDING)


class _Checkpoint:
    """How far a run is, on disk."""

    def __init__(self, lists: Lists, target: Path, *, resume: bool) -> None:
        self._lists = lists
        self.path = _beside(target)
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
            try:
                self._write()
            except OSError as error:
                raise UsageError(
                    f"{target}: cannot be written ({error.strerror})",
                    hint="check the rights and the room, or name another file",
                ) from None

    def _load(self, target: Path) -> None:
        try:
            saved = parse_checkpoint(self.path.read_bytes())
            if saved.source >= max(1, len(self._run["lists"])):
                raise ValueError(f"there is no list {saved.source}")  # noqa: TRY301
        except (OSError, ValueError, RecursionError) as error:
            raise BadText(
                f"{self.path}: no checkpoint ({error})", hint=f"delete it and {target}, and begin again"
            ) from None
        run, digest = saved.run, saved.read
        self.written, self.source, self.position = saved.written, saved.source, saved.position
        self.tally = Tally(**saved.tally)
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
