"""From the bytes of files to a version of a tag set that can be kept; where it is kept is another matter (`shelf`)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shieldwall.errors import BadText, UsageError
from shieldwall.intel import setfile
from shieldwall.intel.interface import Pack, ReadOptions, Rejected
from shieldwall.intel.manifest import KEPT_REJECTED, SourceFile, TagSetInfo, check_name
from shieldwall.intel.readers import parse
from shieldwall.intel.textfile import read_bytes
from shieldwall.model.canonical import canonical_json
from shieldwall.model.claim import Claim


@dataclass(frozen=True, slots=True)
class Source:
    """A file to import: its name, its bytes, and what it is called in errors."""

    name: str
    raw: bytes
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did to one set.

    Attributes:
        info: The version that is current now.
        unchanged: True when it was current already, so that nothing was written.
        previous: The version that was current before; "" for none.
        rejected: Every entry that was not taken; its place starts with the file's name.
        further: Fields that no schema knows, with the number of entries that have them.
    """

    info: TagSetInfo
    unchanged: bool
    previous: str
    rejected: tuple[Rejected, ...]
    further: Mapping[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values; all rejected entries."""
        plain = self.info.as_dict() | {"rejected_entries": [entry.as_dict() for entry in self.rejected]}
        return plain | {"unchanged": self.unchanged, "previous": self.previous, "further": dict(self.further)}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A version that can be kept.

    Attributes:
        info: What it will say of itself.
        claims: Its claims, each once, in any order.
        encoded: The same as the two files of a set.
        rejected: Every entry that was not taken.
        further: Fields that no schema knows, with the number of entries that have them.
    """

    info: TagSetInfo
    claims: list[Claim]
    encoded: setfile.Encoded
    rejected: tuple[Rejected, ...]
    further: Mapping[str, int]

    def report(self, previous: str, info: TagSetInfo | None = None) -> ImportReport:
        """The report on it, where `previous` was current before."""
        info = info or self.info
        unchanged = previous == info.version
        return ImportReport(
            info=info, unchanged=unchanged, previous=previous, rejected=self.rejected, further=self.further
        )


def prepare(name: str, sources: Sequence[Source], options: ReadOptions) -> Prepared:
    """The version of the set `name` that these files make.

    Raises:
        BadText: A file that breaks its schema, or nothing in them was usable.
    """
    packs: list[Pack] = []
    files: list[SourceFile] = []
    rejected: list[Rejected] = []
    further: Counter[str] = Counter()
    for source in sources:
        pack = parse(source.name, source.raw, source.place, options)
        packs.append(pack)
        digest = hashlib.sha256(source.raw).hexdigest()
        files.append(SourceFile(source.name, digest, pack.reader, pack.title, pack.lastmod))
        rejected += [replace(entry, place=f"{source.name}: {entry.place}") for entry in pack.rejected]
        further.update(pack.further)
    claims, duplicates = distinct(claim for pack in packs for claim in pack.claims)
    if not claims:
        why = f", and {len(rejected)} entries were rejected: {rejected[0].reason}" if rejected else ""
        raise BadText(f"{sources[0].place}: nothing to import{why}", hint="check that it is the right file")
    made = of_claims(name, claims)
    info = replace(
        made.info,
        duplicates=duplicates,
        rejected=len(rejected),
        rejected_entries=tuple(rejected[:KEPT_REJECTED]),
        files=tuple(sorted(files, key=lambda file: (file.name, file.sha256))),
    )
    return replace(made, info=info, rejected=tuple(rejected), further=dict(sorted(further.items())))


def of_claims(name: str, claims: list[Claim]) -> Prepared:
    """The version of the set `name` that tags make which came from no file; each of them once, and at least one."""
    encoded = setfile.encode(claims)
    info = TagSetInfo(
        name=name,
        version=encoded.version,
        tags=len(claims),
        subjects=encoded.subjects,
        labels=len({claim.statement["label"] for claim in claims}),
        duplicates=0,
        rejected=0,
        rejected_entries=(),
        files=(),
        size=len(encoded.claims),
        digest=encoded.digest,
        index=encoded.index_digest,
    )
    return Prepared(info, claims, encoded, (), {})


def distinct(claims: Iterable[Claim]) -> tuple[list[Claim], int]:
    """`claims` without those that say the same of the same subject by the same source, and how many these were.

    Of equal ones the first by canonical bytes is kept, so that the order of the files does not matter.
    """
    kept: dict[bytes, tuple[bytes, Claim]] = {}
    total = 0
    for claim in claims:
        total += 1
        plain = claim.as_dict()
        line = canonical_json(plain)
        plain.pop("evidence", None)
        key = canonical_json(plain)
        if key not in kept or line < kept[key][0]:
            kept[key] = (line, claim)
    return [claim for _, claim in kept.values()], total - len(kept)


def grouped(sources: Iterable[Source], set_name: str | None) -> dict[str, list[Source]]:
    """Files by the set that each goes to: the one called like the file without its ending, or `set_name`.

    Raises:
        UsageError: No files, or a name that no set may have.
    """
    groups: dict[str, list[Source]] = {}
    for source in sources:
        groups.setdefault(check_name(Path(source.name).stem if set_name is None else set_name), []).append(source)
    if not groups:
        raise UsageError("no files to import", hint="name the files")
    return groups


def opened(paths: Iterable[Path]) -> Iterator[Source]:
    """Files on disk, one at a time.

    Raises:
        UsageError: One cannot be opened.
    """
    for path in paths:
        yield Source(path.name, read_bytes(path), str(path))
