"""One version of a tag set on disk: its claims as lines, and an index that finds a subject's without the rest.

`claims.jsonl`: canonical JSON, one claim a line, sorted by subject and then by line; the version of the set is the
first 12 hex digits of this file's SHA-256. `index.npy`: uint64 of shape (4, subjects), sorted by its first row:

    0  key      first 8 bytes of SHA-256 over type, chain and name, big-endian
    1  offset   of the subject's first line, in bytes
    2  length   of all its lines, in bytes
    3  check    first 8 bytes of SHA-256 over these lines

Two subjects may share a key: the lines say which is meant.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shieldwall.errors import ShieldwallError, StoreError
from shieldwall.intel.tag import KINDS
from shieldwall.model.canonical import canonical_json
from shieldwall.model.claim import Claim, Subject

CLAIMS, INDEX = "claims.jsonl", "index.npy"
VERSION_DIGITS = 12

_HINT = "import the set again from its source file"
_ROWS = 4  # of the index
_NOT_AN_ARRAY = (
    OSError,
    ValueError,
    TypeError,
    OverflowError,
    SyntaxError,
    tokenize.TokenError,
)  # what NumPy may raise


def subject_key(subject: Subject) -> int:
    """The 64-bit key of a subject in the index."""
    text = "\0".join((subject.type, subject.chain, subject.name))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def subject_keys(kind: str, chain: str, names: Iterable[str]) -> NDArray[np.uint64]:
    """uint64[n]: the keys of the subjects of one type on one chain that have these names, one microsecond each."""
    before = f"{kind}\0{chain}\0".encode()
    sha256 = hashlib.sha256
    digests = b"".join([sha256(before + name.encode()).digest()[:8] for name in names])
    return np.frombuffer(digests, ">u8").astype(np.uint64)


def canonical_lines(claims: Iterable[Claim]) -> list[tuple[Subject, bytes]]:
    """Subject and line of each claim, in the order of the file: any order of `claims` gives the same."""
    return sorted((claim.subject, canonical_json(claim.as_dict()) + b"\n") for claim in claims)


def version_of(claims: Iterable[Claim]) -> str:
    """The version that a set of exactly these claims has."""
    return hashlib.sha256(b"".join(line for _, line in canonical_lines(claims))).hexdigest()[:VERSION_DIGITS]


class Glance(NamedTuple):
    """What of a claim can be seen without taking it in whole.

    Attributes:
        subject: What it is about.
        kind: Its kind.
        category: Of its statement; "" for none.
        abuse: Of its statement; "" for none.
        retracted: Whether its maker took it back.
        label: Of its statement.
        confidence: As of the claim.
        source: Where it is from, else who says it.
        set: Name of the set that it stands in.
    """

    subject: Subject
    kind: str
    category: str
    abuse: str
    retracted: bool
    label: str = ""
    confidence: int | None = None
    source: str = ""
    set: str = ""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A set's two files in memory, with their digests."""

    claims: bytes
    index: bytes
    digest: str
    index_digest: str
    subjects: int

    @property
    def version(self) -> str:
        """The version of the set."""
        return self.digest[:VERSION_DIGITS]


def encode(claims: Iterable[Claim]) -> Encoded:
    """The bytes of both files."""
    rows: list[tuple[int, int, int, int]] = []
    parts: list[bytes] = []
    offset = 0
    for subject, group in groupby(canonical_lines(claims), key=lambda entry: entry[0]):
        block = b"".join(line for _, line in group)
        rows.append((subject_key(subject), offset, len(block), _check(block)))
        parts.append(block)
        offset += len(block)
    table = np.array(sorted(rows), dtype=np.uint64).reshape(len(rows), 4).T
    written, index = b"".join(parts), _npy(np.ascontiguousarray(table))
    return Encoded(
        written, index, hashlib.sha256(written).hexdigest(), hashlib.sha256(index).hexdigest(), subjects=len(rows)
    )


def write(folder: Path, encoded: Encoded) -> None:
    """Write both files into the existing `folder`, through to the disk."""
    for name, content in ((CLAIMS, encoded.claims), (INDEX, encoded.index)):
        with (folder / name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


class SetFile:
    """A version of a set, opened for look-ups; the index is memory-mapped and checked against its digest.

    Args:
        folder: Where its two files are.
        size: Length of `claims.jsonl` by the manifest, in bytes.
        index_digest: SHA-256 (hex) of `index.npy` by the manifest.

    Raises:
        StoreError: A file is missing, or is not what the manifest says.
    """

    def __init__(self, folder: Path, size: int, index_digest: str) -> None:
        self.folder = folder
        self._path = folder / CLAIMS
        self._size = size
        try:
            if self._path.stat().st_size != size:
                raise StoreError(f"{self._path}: not the {size:,} bytes that its manifest says", hint=_HINT)
            if hashlib.sha256((folder / INDEX).read_bytes()).hexdigest() != index_digest:
                raise StoreError(f"{folder / INDEX}: not what its manifest says", hint=_HINT)
            self._index: NDArray[np.uint64] = np.lib.format.open_memmap(folder / INDEX, mode="r")
            if self._index.dtype != np.uint64 or self._index.ndim != 2 or len(self._index) != _ROWS:
                raise ValueError(f"{INDEX} has another shape than an index")
        except _NOT_AN_ARRAY as error:
            raise StoreError(f"{folder}: the tag set cannot be opened ({error})", hint=_HINT) from None

    def __len__(self) -> int:
        return int(self._index.shape[1])

    @property
    def keys(self) -> NDArray[np.uint64]:
        """uint64[len], ascending: the keys of its subjects."""
        keys: NDArray[np.uint64] = self._index[0]
        return keys

    def glances(self, digest: str, name: str = "") -> list[Glance]:
        """What can be seen of every claim, sorted by subject, ten times as fast as `claims`.

        Args:
            digest: SHA-256 (hex) of `claims.jsonl` by the manifest.
            name: Of the set.

        Raises:
            StoreError: It is another, or a line is no claim.
        """
        raw = self.verify(digest)
        try:
            lines = json.loads(b"[%s]" % b",".join(raw.splitlines()))
            return [glance(line, name) for line in lines]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise StoreError(f"{self._path}: not claims of this program ({error})", hint=_HINT) from None

    def lookup(self, subjects: Sequence[Subject], keys: NDArray[np.uint64]) -> dict[Subject, tuple[Claim, ...]]:
        """The claims on those of `subjects` that the set has; `keys` are their `subject_key`s, in the same order.

        Raises:
            StoreError: Lines that are not what the index says.
        """
        known = self._index[0]
        if not len(known) or not len(keys):
            return {}
        left = np.searchsorted(known, keys, "left")
        right = np.searchsorted(known, keys, "right")
        found: dict[Subject, tuple[Claim, ...]] = {}
        hits = np.flatnonzero(right > left)
        if not len(hits):
            return found
        with self._path.open("rb") as file:
            for place in hits.tolist():
                subject = subjects[place]
                for row in range(int(left[place]), int(right[place])):
                    claims = self._at(file, row)
                    if claims and claims[0].subject == subject:
                        found[subject] = claims
        return found

    def claims(self) -> Iterator[Claim]:
        """Every claim, sorted by subject.

        Raises:
            StoreError: Lines that are not what the index says.
        """
        order = np.argsort(self._index[1], kind="stable")
        with self._path.open("rb") as file:
            for row in order:
                yield from self._at(file, int(row))

    def verify(self, digest: str) -> bytes:
        """Read the whole file, hold it against its digest, and return it.

        Raises:
            StoreError: It is another, or cannot be read.
        """
        try:
            raw = self._path.read_bytes()
        except OSError as error:
            raise StoreError(f"{self._path}: cannot be read ({error})", hint=_HINT) from None
        if hashlib.sha256(raw).hexdigest() != digest:
            raise StoreError(f"{self._path}: its SHA-256 is not the one in the manifest", hint=_HINT)
        return raw

    def _at(self, file: BinaryIO, row: int) -> tuple[Claim, ...]:
        """The claims on the subject in a row of the index."""
        offset, length, check = (int(value) for value in self._index[1:, row])
        place = f"{self._path} at byte {offset}"
        if offset + length > self._size:
            raise StoreError(f"{place}: the index points behind the end", hint=_HINT)
        file.seek(offset)
        block = file.read(length)
        if _check(block) != check:
            raise StoreError(f"{place}: not what the index says", hint=_HINT)
        try:
            return tuple(_claim(line, place) for line in block.splitlines())
        except (ValueError, TypeError, RecursionError, ShieldwallError) as error:
            raise StoreError(f"{place}: not a claim of this program ({error})", hint=_HINT) from None


def glance(line: dict[str, Any], name: str) -> Glance:
    """What can be seen of a claim in its JSON form; ValueError, TypeError, KeyError or AttributeError where it is none."""
    subject, said = line["subject"], line["statement"]
    # an actor's statement has neither word
    return Glance(
        Subject(subject["type"], subject["chain"], subject["name"]), line["kind"], said.get("category", ""),
        said.get("abuse", ""), bool(line.get("retracted")), said["label"], line.get("confidence"),
        line.get("source") or line.get("made_by", ""), name,
    )  # fmt: skip


def _claim(line: bytes, place: str) -> Claim:
    # `as_dict` leaves out what is empty, also the two fields that `from_dict` wants: a source that names no origin
    claim = Claim.from_dict({"source": "", "made_by": ""} | json.loads(line), place)
    kind = KINDS.get(claim.kind)
    if kind is not None:
        kind.check(claim.statement, place)
    return claim


def _check(block: bytes) -> int:
    return int.from_bytes(hashlib.sha256(block).digest()[:8], "big")


def _npy(table: NDArray[np.uint64]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, table, version=(1, 0), allow_pickle=False)
    return buffer.getvalue()
