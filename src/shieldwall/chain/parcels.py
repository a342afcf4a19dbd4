"""Sealed epochs as files: one unit builds a store, others take its epochs in and check them (docs/spec/parcel.md).

A parcel is named by the digest of its epoch. It holds the epoch's columns of facts as they lie in the store, and the raw
blocks where the store keeps them. What it says is checked as far as its own bytes can prove it before anything is
committed: digests, headers and their work, links, merkle roots, the running digest, each spend and the sums of values.
Scripts and amounts follow from txids only through the raw bytes: with them, `chain verify --source` proves those too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import COLUMNS
from shieldwall.chain.epochs import PORTABLE, Sealed, pieces, read_sealed, sealed_from
from shieldwall.chain.manifest import flush_folder
from shieldwall.chain.readers.interface import Progress, silent
from shieldwall.chain.store import ChainStore
from shieldwall.errors import BadInput, UsageError

FORMAT = "shieldwall-parcel/2"
SUFFIX = ".parcel"
RAW = ("block_raw_length", "raw_bytes")
"""Columns that a parcel holds where its store keeps the raw blocks."""
_MOST_HEADER = 1 << 20
_PIECE = 1 << 22  # bytes read together


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel's heading.

    Attributes:
        path: The file.
        sealed: The epoch.
        sizes: Bytes of each file of columns, in the order in which they follow the heading.
        start: Where the first of them begins.
        digest: The epoch's digest, as the heading says it and as its fields make it.
    """

    path: Path
    sealed: Sealed
    sizes: dict[str, int]
    start: int
    digest: str

    @property
    def has_raw(self) -> bool:
        """True when the raw blocks are in it."""
        return "raw_bytes" in self.sizes


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote.

    Attributes:
        written: Names of the files written.
        already: Parcels that were there.
        left: Blocks behind the last sealed epoch, which no parcel holds yet.
    """

    written: tuple[str, ...]
    already: int
    left: int


def export_parcels(store: ChainStore, folder: Path, progress: Progress = silent) -> ExportReport:
    """Write every sealed epoch of `store` into `folder`, but for those that lie there already.

    Raises:
        UsageError: The store has no sealed epoch.
        BadInput: The folder cannot be written.
    """
    epochs = store.manifest.epochs
    if not epochs:
        raise UsageError(
            f"{store.folder} has no sealed epoch yet: one is sealed with the block that fills it with "
            f"{store.manifest.epoch_transactions:,} transactions",
            hint="build more of the chain, or build with a smaller --epoch",
        )
    written: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, (_, digest) in enumerate(epochs):
            path = folder / parcel_name(number, digest)
            progress("exporting", number, len(epochs))
            if not path.exists():
                _write(store, read_sealed(store.folder / store.manifest.generation, number), path)
                written.append(path.name)
        flush_folder(folder)
    except OSError as error:
        raise BadInput(
            f"{error.filename or folder}: {error.strerror or error}", hint="make room or give permission"
        ) from error
    return ExportReport(tuple(written), len(epochs) - len(written), store.rows("block") - epochs[-1][0])


def parcel_name(number: int, digest: str) -> str:
    """The file name of an epoch's parcel."""
    return f"epoch-{number:06d}-{digest[:32]}{SUFFIX}"


def _write(store: ChainStore, sealed: Sealed, path: Path) -> None:
    blocks = slice(sealed.first["block"], sealed.last["block"])
    own = not store.column("block_raw_file")[blocks].any() and store.column("block_raw_length")[blocks].all()
    names = (*PORTABLE, *RAW) if own else PORTABLE
    sizes = {name: sum(len(piece) for piece in pieces(store, name, sealed.first, sealed.last)) for name in names}
    held = replace(sealed, columns={name: sealed.columns[name] for name in names})
    heading = {"epoch": asdict(held), "digest": sealed.digest, "sizes": list(sizes.items())}
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        body = json.dumps(heading, sort_keys=True, separators=(",", ":")).encode()
        file.write(f"{FORMAT} {len(body)}\n".encode() + body)
        for name in names:
            for piece in pieces(store, name, sealed.first, sealed.last):
                file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def find_parcels(names: Sequence[str]) -> list[Parcel]:
    """The parcels that these files and folders hold, in the order of their epochs.

    Raises:
        UsageError: None there.
        BadInput: A file that is no parcel, or two of one epoch that differ.
    """
    paths: list[Path] = []
    for name in names:
        path = Path(name)
        paths += sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
    parcels: dict[int, Parcel] = {}
    for path in paths:
        parcel = read_parcel(path)
        rival = parcels.setdefault(parcel.sealed.number, parcel)
        if rival.digest != parcel.digest:
            raise BadInput(
                f"{path} and {rival.path} both say to be epoch {parcel.sealed.number}, and differ",
                hint="they come from different stores; name those of one",
            )
    if not parcels:
        raise UsageError(
            f"no parcel in {', '.join(names)}", hint=f"name the folder that `chain export` wrote, or *{SUFFIX}"
        )
    return [parcels[number] for number in sorted(parcels)]


def read_parcel(path: Path) -> Parcel:
    """The heading of a parcel; its columns are only measured.

    Raises:
        BadInput: No parcel, or cut off; one whose name or heading does not fit its digest.
    """
    try:
        with path.open("rb") as file:
            line = file.readline(64)
            word, _, size = line.decode("ascii", "replace").partition(" ")
            if word != FORMAT or not size.strip().isdigit() or int(size) > _MOST_HEADER:
                raise _not_ours(path)
            heading = json.loads(file.read(int(size)))
            start = file.tell()
            there = file.seek(0, os.SEEK_END) - start
        sealed = sealed_from(heading["epoch"])
        sizes = {str(name): int(count) for name, count in heading["sizes"]}
        said = str(heading["digest"])
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadInput(f"{path}: the heading is damaged ({error})", hint="copy the parcel again") from None
    if set(heading) != {"epoch", "digest", "sizes"}:
        raise _not_ours(path)
    _check_heading(path, sealed, sizes, said)
    if sum(sizes.values()) != there:
        raise BadInput(
            f"{path}: {there} bytes of columns, and the heading says {sum(sizes.values())}", hint="copy it again"
        )
    return Parcel(path, sealed, sizes, start, said)


def _not_ours(path: Path) -> BadInput:
    return BadInput(f"{path}: no parcel of this version ({FORMAT})", hint="write it again with `chain export`")


def _check_heading(path: Path, sealed: Sealed, sizes: Mapping[str, int], said: str) -> None:
    if set(PORTABLE) - set(sealed.columns) or said != sealed.digest or path.name != parcel_name(sealed.number, said):
        raise BadInput(
            f"{path}: the epoch in it has another digest than its name or heading says",
            hint="a parcel keeps the name that `chain export` gave it; if it has, it was changed: fetch it again",
        )
    if tuple(sizes) not in (PORTABLE, (*PORTABLE, *RAW)) or set(sealed.columns) != set(sizes):
        raise BadInput(f"{path}: other columns than an epoch has", hint="fetch it again")
    for name, size in sizes.items():
        spec = COLUMNS[name]
        rows = sealed.last[spec.table] - sealed.first[spec.table]
        if size != rows * (spec.row_bytes + (spec.form == "wide")):
            raise BadInput(f"{path}: {size} bytes of {name} for {rows} rows", hint="fetch it again")


def read_columns(parcel: Parcel) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """The columns of a parcel, each checked against its digest: numbers are low halves, `NAME_high` comes after a wide one.

    Raises:
        BadInput: Bytes that are not those of the digest.
    """
    with parcel.path.open("rb") as file:
        file.seek(parcel.start)
        for name, size in parcel.sizes.items():
            spec = COLUMNS[name]
            data = _read(file, size)
            if sha256(data).hexdigest() != parcel.sealed.columns[name]:
                raise BadInput(
                    f"{parcel.path}: {name} has other bytes than its digest says", hint="fetch the parcel again"
                )
            rows = parcel.sealed.last[spec.table] - parcel.sealed.first[spec.table]
            low = np.frombuffer(data, spec.dtype, rows * spec.width)
            yield name, low.reshape(rows, spec.width) if spec.width > 1 else low
            if spec.form == "wide":
                yield f"{name}_high", np.frombuffer(data, np.uint8, rows, offset=rows * low.itemsize)


def _read(file: BinaryIO, size: int) -> bytes:
    parts = []
    left = size
    while left:
        part = file.read(min(left, _PIECE))
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
