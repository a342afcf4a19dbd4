"""The small file that says what of a chain store is committed. Its replacement is the commit."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from shieldwall.chain.columns import COLUMNS, FORMAT, TABLES
from shieldwall.errors import StoreError
from shieldwall.model.network import NETWORKS

MANIFEST = "manifest.json"
DRAFT = "manifest.draft"  # the next one, before it is put in place
UNFINISHED = "unfinished"  # a file that lies in the store while rows beyond the manifest are being written
INDEXED = ("tx", "holder", "output")  # tables that the indexes cover
EPOCH_TRANSACTIONS = 1 << 20
_MOST_BYTES = 1 << 24
_MOST_ROWS = 1 << 62


@dataclass(frozen=True, slots=True)
class IndexRun:
    """A sorted index over a range of rows, in a folder of its own; a lookup asks every run.

    Attributes:
        folder: Name of its folder.
        first: First row of each table in `INDEXED` that it covers.
        last: One past the last.
        buckets: Buckets of "txid", "holder" and "key": powers of two.
        keys: Holders in it that are public keys.
        paying: Rows of `paid_holder`; 0 for a run from row 0, in which every holder has its place.
        carries: Of `paid_first`.
    """

    folder: str
    first: dict[str, int]
    last: dict[str, int]
    buckets: dict[str, int]
    keys: int
    paying: int
    carries: tuple[int, ...] = ()

    def rows(self, name: str) -> int:
        """Rows of one of its columns."""
        size = {table: self.last[table] - self.first[table] for table in INDEXED}
        dense = not self.first["holder"] and not self.first["output"]
        return {
            "txid_first": self.buckets["txid"] + 1,
            "txid_number": size["tx"],
            "holder_first": self.buckets["holder"] + 1,
            "holder_number": size["holder"],
            "key_first": self.buckets["key"] + 1,
            "key_number": self.keys,
            "paid_holder": 0 if dense else self.paying,
            "paid_first": (size["holder"] if dense else self.paying) + 1,
            "paid_output": size["output"],
        }[name]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is committed.

    Attributes:
        network: Name of the network.
        generation: Folder that holds the columns; a rebuild writes a new one.
        rows: Committed rows of each table.
        carries: Of each ascending column, the rows at which its high half grows (`wide`).
        epoch_transactions: An epoch ends with the block that fills it with so many.
        epochs: (blocks up to its end, digest) of each sealed epoch.
        tail: SHA-256 (hex) of each column's rows behind the last sealed epoch.
        runs: The sorted indexes, in row order.
        stated: Folder of what sources say of spends; "" for none yet.
        since: Height below which the store was asked to hold nothing; 0 for the whole chain.
        files: Source files that `block_raw_file` counts from 1.
        digest: Digest over everything committed (see `ChainStore.digest`).
        format: Version of the layout.
    """

    network: str
    generation: str = "columns-1"
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TABLES, 0))
    carries: dict[str, tuple[int, ...]] = field(default_factory=dict)
    epoch_transactions: int = EPOCH_TRANSACTIONS
    epochs: tuple[tuple[int, str], ...] = ()
    tail: dict[str, str] = field(default_factory=dict)
    runs: tuple[IndexRun, ...] = ()
    stated: str = ""
    since: int = 0
    files: tuple[str, ...] = ()
    digest: str = ""
    format: str = FORMAT

    @property
    def indexed(self) -> dict[str, int]:
        """Rows of tx, holder and output that the indexes cover."""
        return dict(self.runs[-1].last) if self.runs else dict.fromkeys(INDEXED, 0)

    @property
    def folders(self) -> set[str]:
        """The folders that hold what is committed."""
        return {self.generation, self.stated, *(run.folder for run in self.runs)} - {""}

    def write(self, folder: Path) -> None:
        """Commit: written beside, flushed, then put in place in one step."""
        draft = folder / DRAFT
        body = asdict(self)
        with draft.open("w", encoding="utf-8") as file:
            json.dump({**body, "checksum": _checksum(body)}, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / MANIFEST)
        flush_folder(folder)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the store in `folder`.

    Raises:
        StoreError: No store there, or one of another format.
    """
    path = folder / MANIFEST
    try:
        with path.open("rb") as file:
            body = json.loads(file.read(_MOST_BYTES))
    except FileNotFoundError:
        raise StoreError(
            f"{folder} holds no chain store", hint=f"make one: shieldwall chain build SOURCE... --chain {folder}"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(
            f"{path}: not readable ({error})", hint="restore the store from a copy, or build it again"
        ) from None
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        found = body.get("format") if isinstance(body, dict) else None
        raise StoreError(f"{path}: format {found!r}; this version reads {FORMAT}", hint="build the store again")
    try:
        return _checked(_without_checksum(body))
    except (TypeError, KeyError, ValueError, AttributeError, RecursionError) as error:
        raise StoreError(
            f"{path}: damaged ({error})", hint="restore the store from a copy, or build it again"
        ) from None


def _checksum(body: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a manifest without its checksum: JSON, keys sorted, no spaces."""
    return sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _without_checksum(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the checksum is of; without one, or with another, the file is damaged."""
    fields = dict(body)
    if fields.pop("checksum", None) != _checksum(fields):
        raise ValueError("other bytes than were committed")
    return fields


def _checked(body: Mapping[str, Any]) -> Manifest:
    """Refuse what a writer never writes, so that a reader need not look again."""
    if body["network"] not in NETWORKS:
        raise ValueError(f"no network is called {body['network']!r}")
    if not re.fullmatch(r"columns-\d{1,9}", body["generation"]) or not re.fullmatch(
        r"(stated-\d{1,9})?", body["stated"]
    ):
        raise ValueError("a folder has a name that is not ours")
    _counts(body["rows"], TABLES)
    runs = tuple(_run(entry) for entry in body["runs"])
    before = dict.fromkeys(INDEXED, 0)
    for run in runs:
        if run.first != before or any(run.last[table] < run.first[table] for table in INDEXED):
            raise ValueError("the indexes do not follow one another")
        before = run.last
    if any(before[table] > body["rows"][table] for table in INDEXED):
        raise ValueError("more rows are indexed than there are")
    carries = {name: _ascending(rows) for name, rows in body["carries"].items()}
    if any(COLUMNS[name].form != "ascending" for name in carries):
        raise ValueError("carries of a column that has none")
    epochs = tuple((int(blocks), str(digest)) for blocks, digest in body["epochs"])
    if any(later[0] <= earlier[0] for earlier, later in zip(((0, ""), *epochs), epochs, strict=False)):
        raise ValueError("the epochs do not follow one another")
    if epochs and epochs[-1][0] > body["rows"]["block"]:
        raise ValueError("an epoch ends behind the last block")
    if not isinstance(body["files"], list) or not all(isinstance(name, str) for name in body["files"]):
        raise ValueError("files must be names")
    if not isinstance(body["digest"], str) or not all(isinstance(part, str) for part in body["tail"].values()):
        raise ValueError("no digest")
    if type(body["epoch_transactions"]) is not int or body["epoch_transactions"] < 1:
        raise ValueError("no size of an epoch")
    if type(body["since"]) is not int or body["since"] < 0:
        raise ValueError("no height to begin at")
    files = tuple(body["files"])
    return Manifest(**{**body, "runs": runs, "carries": carries, "epochs": epochs, "files": files})


def _counts(counts: Mapping[str, Any], names: tuple[str, ...]) -> None:
    if set(counts) != set(names):
        raise ValueError(f"rows must be counted for {', '.join(names)}")
    for count in counts.values():
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count < _MOST_ROWS:
            raise ValueError("rows must be counts")


def _run(entry: Mapping[str, Any]) -> IndexRun:
    run = IndexRun(**{**entry, "carries": _ascending(entry["carries"])})
    if not re.fullmatch(r"index-\d{1,9}", run.folder):
        raise ValueError("a folder has a name that is not ours")
    _counts(run.first, INDEXED)
    _counts(run.last, INDEXED)
    _counts(run.buckets, ("txid", "holder", "key"))
    _counts({"keys": run.keys, "paying": run.paying}, ("keys", "paying"))
    if any(buckets < 1 or buckets & (buckets - 1) for buckets in run.buckets.values()):
        raise ValueError("buckets must be a power of two")
    return run


def _ascending(rows: Any) -> tuple[int, ...]:  # noqa: ANN401 - what a JSON file holds
    found = tuple(rows)
    if not all(isinstance(row, int) for row in found) or any(b < a for a, b in pairwise(found)):
        raise ValueError("carries must ascend")
    return found


def flush_folder(folder: Path) -> None:
    """Make renames in `folder` last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
