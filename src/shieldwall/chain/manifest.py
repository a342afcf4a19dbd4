"""The small file that says what of a chain store is committed. Its replacement is the commit."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from shieldwall.chain.columns import FORMAT, TABLES
from shieldwall.errors import StoreError
from shieldwall.model.network import NETWORKS

MANIFEST = "manifest.json"
UNFINISHED = "unfinished"  # a file that lies in the store while rows beyond the manifest are being written
INDEXED = ("tx", "holder", "output")  # tables that the indexes cover
_MOST_BYTES = 1 << 24
_MOST_ROWS = 1 << 62


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is committed.

    Attributes:
        network: Name of the network.
        generation: Folder that holds the columns; a rebuild writes a new one.
        rows: Committed rows of each table.
        index: Folder of the sorted indexes and of what sources say of spends; "" for none yet.
        indexed: Rows of tx, holder and output that the indexes cover.
        files: Source files that `tx_raw_file` counts from 1.
        digest: Digest over everything committed (see `ChainStore.digest`).
        format: Version of the layout.
    """

    network: str
    generation: str = "columns-1"
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TABLES, 0))
    index: str = ""
    indexed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(INDEXED, 0))
    files: tuple[str, ...] = ()
    digest: str = ""
    format: str = FORMAT

    def write(self, folder: Path) -> None:
        """Commit: written beside, flushed, then put in place in one step."""
        path = folder / MANIFEST
        draft = path.with_suffix(".draft")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
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
        raise StoreError(f"{path}: not readable ({error})") from None
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        found = body.get("format") if isinstance(body, dict) else None
        raise StoreError(f"{path}: format {found!r}; this version reads {FORMAT}", hint="build the store again")
    try:
        _check(body)
        return Manifest(**{**body, "files": tuple(body["files"])})
    except (TypeError, KeyError, ValueError) as error:
        raise StoreError(
            f"{path}: damaged ({error})", hint="restore the store from a copy, or build it again"
        ) from None


def _check(body: Mapping[str, Any]) -> None:
    """Refuse what a writer never writes, so that a reader need not look again."""
    if body["network"] not in NETWORKS:
        raise ValueError(f"no network is called {body['network']!r}")
    if not re.fullmatch(r"columns-\d{1,9}", body["generation"]) or not re.fullmatch(r"(index-\d{1,9})?", body["index"]):
        raise ValueError("a folder has a name that is not ours")
    for counts, tables in ((body["rows"], TABLES), (body["indexed"], INDEXED)):
        if set(counts) != set(tables):
            raise ValueError(f"rows must be counted for {', '.join(tables)}")
        for count in counts.values():
            if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count < _MOST_ROWS:
                raise ValueError("rows must be counts")
    if any(body["indexed"][table] > body["rows"][table] for table in INDEXED):
        raise ValueError("more rows are indexed than there are")
    if not isinstance(body["files"], list) or not all(isinstance(name, str) for name in body["files"]):
        raise ValueError("files must be names")
    if not isinstance(body["digest"], str):
        raise ValueError("no digest")  # noqa: TRY004 - all faults of the file are one kind


def flush_folder(folder: Path) -> None:
    """Make renames in `folder` last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
