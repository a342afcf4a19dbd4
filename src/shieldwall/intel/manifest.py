"""What a tag set says about itself: its current version, its older ones, and where each came from."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shieldwall.errors import StoreError, UsageError
from shieldwall.intel.interface import Rejected
from shieldwall.model.canonical import canonical_json

FORMAT = 1
MANIFEST = "manifest.json"
KEPT_REJECTED = 1000  # rejected entries that a manifest lists; the count is always whole

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_VERSION = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that a set was imported from: its name (no folder), SHA-256, reader, title and own date."""

    name: str
    sha256: str
    reader: str
    title: str
    lastmod: str

    def as_dict(self) -> dict[str, str]:
        """Plain JSON values; empty fields are left out."""
        plain = {name: getattr(self, name) for name in ("name", "sha256", "reader", "title", "lastmod")}
        return {name: value for name, value in plain.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSetInfo:
    """One version of a tag set.

    Attributes:
        name: Of the set.
        version: First 12 hex digits of the SHA-256 of its claims.
        tags: Claims kept.
        subjects: Distinct subjects among them.
        labels: Distinct labels among them.
        duplicates: Entries that said the same again of the same subject, by the same source.
        rejected: Entries that were not taken; `rejected_entries` lists at most 1,000 of them.
        files: What it was imported from.
        size: Length of its claims on disk, in bytes.
        digest: SHA-256 (hex) of its claims.
        index: SHA-256 (hex) of its index.
    """

    name: str
    version: str
    tags: int
    subjects: int
    labels: int
    duplicates: int
    rejected: int
    rejected_entries: tuple[Rejected, ...]
    files: tuple[SourceFile, ...]
    size: int
    digest: str
    index: str

    @property
    def lastmod(self) -> str:
        """The latest date that its files state; "" for none."""
        return max((file.lastmod for file in self.files), default="")

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "name": self.name,
            "version": self.version,
            "tags": self.tags,
            "subjects": self.subjects,
            "labels": self.labels,
            "duplicates": self.duplicates,
            "rejected": self.rejected,
            "rejected_entries": [entry.as_dict() for entry in self.rejected_entries],
            "files": [file.as_dict() for file in self.files],
            "size": self.size,
            "digest": self.digest,
            "index": self.index,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> TagSetInfo:
        """What `as_dict` wrote; ValueError, TypeError or KeyError when it is something else."""
        body = dict(plain)
        body["files"] = tuple(
            SourceFile(*(str(file.get(name, "")) for name in ("name", "sha256", "reader", "title", "lastmod")))
            for file in plain["files"]
        )
        body["rejected_entries"] = tuple(
            Rejected(entry["place"], entry["text"], entry["reason"], tuple(entry["nearest"]))
            for entry in plain["rejected_entries"]
        )
        info = cls(**body)
        if not _VERSION.fullmatch(info.version) or not isinstance(info.size, int):
            raise ValueError(f"version {info.version!r}")
        return info


@dataclass(frozen=True, slots=True)
class Manifest:
    """A set's current version and all that are kept, by version."""

    current: str
    versions: Mapping[str, TagSetInfo]


def check_name(name: str, what: str = "tag set", option: str = "--set") -> str:
    """`name`, when a tag set, or `what`, may be called so: it becomes a folder.

    Raises:
        UsageError: It may not; `option` is where to give another.
    """
    if not _NAME.fullmatch(name) or ".." in name or name.endswith("."):
        raise UsageError(
            f"{name[:80]!r} is no name for a {what}",
            hint=f"give it with {option}: up to 64 letters, digits, dots, dashes and underscores",
        )
    return name


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the set in `folder`.

    Raises:
        StoreError: There is none, or it is broken.
    """
    path = folder / MANIFEST
    try:
        plain = json.loads(path.read_bytes())
        if plain["format"] != FORMAT:
            raise StoreError(f"{path}: format {plain['format']}, and this program knows {FORMAT}", hint="update it")
        versions = {version: TagSetInfo.from_dict(info) for version, info in plain["versions"].items()}
        current = versions[plain["current"]].version
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise StoreError(
            f"{path}: not the manifest of a tag set ({type(error).__name__}: {error})",
            hint="remove the folder and import the set again",
        ) from None
    return Manifest(current, versions)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest in one step: a stop at any moment leaves the old one or the new one."""
    plain = {
        "format": FORMAT,
        "current": manifest.current,
        "versions": {version: info.as_dict() for version, info in manifest.versions.items()},
    }
    temporary = folder / f".{MANIFEST}.{os.getpid()}"
    with temporary.open("wb") as file:
        file.write(canonical_json(plain) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / MANIFEST)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` last (fsync of the folder, where the system has it)."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
