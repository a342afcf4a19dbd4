"""Versioned tag sets under a folder, in clear, for the command line: import, list, select, look up, compare.

    FOLDER/<set>/manifest.json             which version is current, where each came from
    FOLDER/<set>/<version>/claims.jsonl    see `setfile`
    FOLDER/<set>/<version>/index.npy

Older versions are kept, so that a trace that names `ofac@1a2b3c4d5e6f` can be run again on the same tags. Imports of
one set at the same time are not coordinated: the later manifest holds.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shieldwall.errors import StoreError, UsageError
from shieldwall.intel import setfile
from shieldwall.intel.interface import ReadOptions, Sourced
from shieldwall.intel.manifest import (
    MANIFEST,
    Manifest,
    TagSetInfo,
    read_manifest,
    sync_folder,
    write_manifest,
)
from shieldwall.intel.preparing import ImportReport, grouped, opened, prepare
from shieldwall.intel.shelf import OpenedSet
from shieldwall.model.claim import Subject


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many subjects two sets share."""

    common: int
    union: int
    only_a: int
    only_b: int


class TagIndex:
    """Chosen versions of tag sets, opened for look-ups."""

    def __init__(self, sets: Sequence[tuple[TagSetInfo, OpenedSet]]) -> None:
        self._sets = tuple(sets)

    @property
    def infos(self) -> tuple[TagSetInfo, ...]:
        """The chosen versions, by name."""
        return tuple(info for info, _ in self._sets)

    @property
    def sets(self) -> tuple[tuple[TagSetInfo, OpenedSet], ...]:
        """The chosen versions, opened, by name."""
        return self._sets

    @property
    def versions(self) -> dict[str, str]:
        """Set name -> version, for the provenance of a result."""
        return {info.name: info.version for info, _ in self._sets}

    def lookup(self, subjects: Iterable[Subject]) -> dict[Subject, tuple[Sourced, ...]]:
        """The claims on each of `subjects` that any chosen set has, by set name and then in the order of the set.

        Raises:
            StoreError: A set on disk is not what its manifest says.
        """
        wanted = list(dict.fromkeys(subjects))
        keys = np.fromiter((setfile.subject_key(subject) for subject in wanted), dtype=np.uint64, count=len(wanted))
        return self._lookup(wanted, keys)

    def lookup_names(self, kind: str, chain: str, names: Sequence[str]) -> dict[int, tuple[Sourced, ...]]:
        """`lookup` for many subjects of one type on one chain, a few microseconds each: by their places in `names`.

        Raises:
            StoreError: A set on disk is not what its manifest says.
        """
        keys = setfile.subject_keys(kind, chain, names)
        hits = self._hits(keys)
        wanted = [Subject(kind, chain, names[place]) for place in hits.tolist()]
        found = self._lookup(wanted, keys[hits])
        return {place: found[subject] for place, subject in zip(hits.tolist(), wanted, strict=True) if subject in found}

    def _hits(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Places of the keys that some set has; two subjects may share one, and only the claims themselves tell."""
        if not len(self._keys):
            return np.empty(0, np.int64)
        places = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
        return np.flatnonzero(self._keys[places] == keys)

    @cached_property
    def _keys(self) -> npt.NDArray[np.uint64]:
        """The keys of all sets, ascending and distinct."""
        return np.unique(np.concatenate([np.empty(0, np.uint64), *(file.keys for _, file in self._sets)]))

    def _lookup(self, subjects: Sequence[Subject], keys: npt.NDArray[np.uint64]) -> dict[Subject, tuple[Sourced, ...]]:
        found: dict[Subject, list[Sourced]] = {}
        for info, file in self._sets:
            for subject, claims in file.lookup(subjects, keys).items():
                found.setdefault(subject, []).extend(Sourced(claim, info.name, info.version) for claim in claims)
        return {subject: tuple(found[subject]) for subject in subjects if subject in found}

    def glances(self) -> Iterator[setfile.Glance]:
        """What can be seen of every claim of every chosen set without taking it in: who is tagged at all, and as what.

        Raises:
            StoreError: A set on disk is not what its manifest says.
        """
        for info, file in self._sets:
            yield from file.glances(info.digest, info.name)

    def everything(self) -> Iterator[Sourced]:
        """Every claim of every chosen set: to tag whole clusters, all tagged addresses must be gone through."""
        for info, file in self._sets:
            for claim in file.claims():
                yield Sourced(claim, info.name, info.version)

    def verify(self) -> None:
        """Hold every chosen set against its digest.

        Raises:
            StoreError: One is another; the file is named.
        """
        for info, file in self._sets:
            file.verify(info.digest)


class TagSets:
    """The tag sets under `folder`, which comes into being with the first import."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def import_files(
        self, paths: Iterable[Path], *, set_name: str | None = None, options: ReadOptions | None = None
    ) -> list[ImportReport]:
        """Import files: each into a set called like the file without its ending, or all into `set_name`.

        What a set held before is replaced as its current version and kept as an older one.

        Args:
            paths: TagPacks, ActorPacks, address lists or CSV files.
            set_name: One set for all of them.
            options: What the files leave open.

        Returns:
            One report for each set, in the order of `paths`.

        Raises:
            UsageError: No files, one that cannot be opened, or a name that no set may have.
            BadText: A file that breaks its schema, or in which nothing was usable; then no set is written.
            StoreError: The folder cannot be written, or a set in it is broken.
        """
        groups = grouped(opened(paths), set_name)
        for name in groups:
            self._check_case(name)
        options = options or ReadOptions()
        prepared = [prepare(name, files, replace(options, set_name=name)) for name, files in groups.items()]
        try:
            return [one.report(self._write(one.info, one.encoded)) for one in prepared]
        except OSError as error:
            raise StoreError(
                f"{self.folder}: the tag sets cannot be written ({error})", hint="check its rights and the free space"
            ) from None

    def sets(self) -> tuple[TagSetInfo, ...]:
        """The current version of every set, by name.

        Raises:
            StoreError: A manifest is broken; the file is named.
        """
        manifests = (read_manifest(self.folder / name) for name in self._names())
        return tuple(manifest.versions[manifest.current] for manifest in manifests)

    def select(self, names: Iterable[str] | None = None) -> TagIndex:
        """The sets called `names` (`NAME` or `NAME@VERSION`), opened; None for all, an empty one for none.

        Raises:
            UsageError: No such set or version, or one set twice.
            StoreError: A set on disk is not what its manifest says.
        """
        known = self._names()
        chosen: dict[str, TagSetInfo] = {}
        for text in known if names is None else names:
            name, _, version = text.partition("@")
            if name not in known:
                raise UsageError(f"no tag set is called {name!r}", hint=f"known: {', '.join(known) or 'none yet'}")
            if name in chosen:
                raise UsageError(f"the tag set {name!r} is named twice", hint="one version of a set at a time")
            manifest = read_manifest(self.folder / name)
            info = manifest.versions.get(version or manifest.current)
            if info is None:
                raise UsageError(
                    f"the tag set {name!r} has no version {version!r}", hint=f"kept: {', '.join(manifest.versions)}"
                )
            chosen[name] = info
        return TagIndex([(info, self._open(info)) for _, info in sorted(chosen.items())])

    def compare(self, a: str, b: str) -> Comparison:
        """How many subjects the sets `a` and `b` share.

        Raises:
            UsageError: No such set.
            StoreError: A set on disk is not what its manifest says.
        """
        one, other = ({each.claim.subject for each in self.select([name]).everything()} for name in (a, b))
        return Comparison(len(one & other), len(one | other), len(one - other), len(other - one))

    def _names(self) -> list[str]:
        return sorted(path.parent.name for path in self.folder.glob(f"*/{MANIFEST}"))

    def _open(self, info: TagSetInfo) -> setfile.SetFile:
        return setfile.SetFile(self.folder / info.name / info.version, info.size, info.index)

    def _check_case(self, name: str) -> None:
        for other in self._names():
            if other != name and other.casefold() == name.casefold():
                raise UsageError(f"{name!r} and the set {other!r} differ only by case", hint="use one spelling")

    def _write(self, info: TagSetInfo, encoded: setfile.Encoded) -> str:
        """Write the version and make it current; returns the one that was current before."""
        folder = self.folder / info.name
        manifest = read_manifest(folder) if (folder / MANIFEST).exists() else Manifest("", {})
        if manifest.current == info.version and _intact(folder / info.version, encoded):
            return manifest.current
        folder.mkdir(parents=True, exist_ok=True)
        target, temporary = folder / info.version, folder / f".{info.version}.{os.getpid()}"
        if not _intact(target, encoded):
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.rmtree(target, ignore_errors=True)
            temporary.mkdir()
            setfile.write(temporary, encoded)
            sync_folder(temporary)
            temporary.replace(target)
            sync_folder(folder)
        write_manifest(folder, Manifest(info.version, {**manifest.versions, info.version: info}))
        return manifest.current


def _intact(folder: Path, encoded: setfile.Encoded) -> bool:
    """Whether a version is on disk already, whole: a stop between its files and its manifest leaves it unnamed."""
    try:
        return (folder / setfile.CLAIMS).read_bytes() == encoded.claims and (
            folder / setfile.INDEX
        ).read_bytes() == encoded.index
    except OSError:
        return False
