"""The small file that says what of a chain store is committed. Its replacement is the commit."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from shieldwall.chain.columns import FORMAT, TABLES
from shieldwall.errors import StoreError

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is committed.

    Attributes:
        network: Name of the network.
        generation: Folder that holds the columns; a rebuild writes a new one.
        rows: Committed rows of each table.
        index: Folder of the sorted indexes; "" for none yet.
        indexed: Rows of tx, holder and output that the indexes cover.
        files: Source files that `tx_raw_file` counts from 1.
        digest: Digest over everything committed (see `ChainStore.digest`).
        format: Version of the layout.
    """

    network: str
    generation: str = "columns-1"
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TABLES, 0))
    index: str = ""
    indexed: dict[str, int] = field(default_factory=lambda: {"tx": 0, "holder": 0, "output": 0})
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
        body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StoreError(
            f"{folder} holds no chain store", hint=f"make one: shieldwall chain build SOURCE... --chain {folder}"
        ) from None
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: not readable ({error})") from None
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        found = body.get("format") if isinstance(body, dict) else None
        raise StoreError(f"{path}: format {found!r}; this version reads {FORMAT}", hint="build the store again")
    try:
        manifest = Manifest(**{**body, "files": tuple(body["files"])})
        if not all(isinstance(manifest.rows[table], int) and manifest.rows[table] >= 0 for table in TABLES):
            raise TypeError("rows must be counts")  # noqa: TRY301
    except (TypeError, KeyError) as error:
        raise StoreError(f"{path}: damaged ({error})") from None
    return manifest


def flush_folder(folder: Path) -> None:
    """Make renames in `folder` last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
