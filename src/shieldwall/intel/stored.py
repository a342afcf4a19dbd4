"""Versioned tag sets in a node's encrypted store: what `tagset.TagSets` is for a folder, for one person who asks.

Each tag is a claim with its own marking, so of one set different people may see different parts. Who does not see all of it has
the counts of what they see, no digest, and none of the entries that were rejected: so they know that there is more, and neither
what nor how much. Only who sees all of a version can hold it against its digest.

Names: one's own sets are called what they were imported as. A set of someone else that bears the name of another one in sight is
called `name~` and six digits of a hash of whose it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.errors import BadText, PartialData, StoreError, Tampered, UsageError
from shieldwall.intel import setfile
from shieldwall.intel.interface import ReadOptions
from shieldwall.intel.manifest import TagSetInfo
from shieldwall.intel.preparing import ImportReport, Prepared, Source, distinct, grouped, of_claims, opened, prepare
from shieldwall.intel.tag import TAG
from shieldwall.intel.tagset import Comparison, TagIndex
from shieldwall.model.access import Handling, Identity, may_see
from shieldwall.model.canonical import canonical_json
from shieldwall.model.claim import Claim, Subject
from shieldwall.model.marking import Marking, parse_marking
from shieldwall.model.strictjson import parse_json
from shieldwall.store import Store
from shieldwall.store.tagsets import KeptSet
from shieldwall.store.work import Work

AT_ONCE = 50_000  # tags that are added in one act: another one waits that long

_MEMBER = np.dtype([("key", ">u8"), ("number", ">i8"), ("label", ">u8"), ("marking", "u1")])
"""A tag in a version: key of its subject, its claim's number in the store, hash of its label, its marking."""

_READ = 5000  # claims that are read at a time
_SUFFIX = 6  # hex digits


class StoredTagSets:
    """The tag sets of a node, as one person sees them.

    Args:
        store: The node's store.
        identity: Whoever asks.
        case: Id of the case that imports go into; None for none.
        group: Id of the group that imports are for; None for none.
    """

    def __init__(self, store: Store, identity: Identity, *, case: str | None = None, group: str | None = None) -> None:
        self._store = store
        self._identity = identity
        self._case = case
        self._group = group

    def import_files(
        self, paths: Iterable[Path], *, set_name: str | None = None, options: ReadOptions | None = None
    ) -> list[ImportReport]:
        """See `TagSets.import_files`; the sets belong to whoever asks, and unmarked tags are TLP:RED.

        Raises:
            NotAllowed: Whoever asks may not write.
            UsageError: No files, one that cannot be opened, or a name that no set may have.
            BadText: A file that breaks its schema, or in which nothing was usable; then no set is written.
        """
        return self.import_sources(opened(paths), set_name=set_name, options=options)

    def import_sources(
        self, sources: Iterable[Source], *, set_name: str | None = None, options: ReadOptions | None = None
    ) -> list[ImportReport]:
        """`import_files` for what was uploaded."""
        groups = grouped(sources, set_name)
        options = options or ReadOptions()
        prepared = [prepare(name, files, replace(options, set_name=name)) for name, files in groups.items()]
        return [self._keep(one) for one in prepared]

    def say(self, name: str, tag: Claim) -> TagSetInfo:
        """Add one tag that a person says to a set of their own; its earlier version is kept, as of any set.

        Args:
            name: Of the set, in the place that imports go into.
            tag: The tag.

        Raises:
            NotAllowed: Whoever asks may not write.
            BadText: The tag does not fit its kind.
        """
        TAG.check(tag.statement, "a tag")
        with self._store.look(self._identity, "tagset.select") as work:
            own = [
                each
                for each in self._all(work)
                if each.kept.current and each.info.name == name and _place(each.kept) == self._own
            ]
        before = [claim for each in own for claim in each.claims() if not claim.retracted]
        claims, _ = distinct([*before, tag])
        return self._keep(of_claims(name, claims)).info

    def sets(self) -> tuple[TagSetInfo, ...]:
        """The current version of every set of which something may be seen, by name."""
        with self._store.look(self._identity, "tagset.list") as work:
            return tuple(sorted((each.info for each in self._all(work) if each.kept.current), key=_name))

    def dated(self) -> tuple[tuple[TagSetInfo, int, Handling], ...]:
        """The same with when each version came, in microseconds, and how it is handled."""
        with self._store.look(self._identity, "tagset.list") as work:
            return self.dated_in(work)

    def dated_in(self, work: Work) -> tuple[tuple[TagSetInfo, int, Handling], ...]:
        """`dated`, within an act that is under way."""
        current = [each for each in self._all(work) if each.kept.current]
        found = [(each.info, each.kept.created_at, each.kept.handling) for each in current]
        return tuple(sorted(found, key=lambda entry: _name(entry[0])))

    def select(self, names: Iterable[str] | None = None) -> TagIndex:
        """See `TagSets.select`; the choice is in the audit log, the single look-ups are not.

        Raises:
            UsageError: No such set or version of which something may be seen, or one set twice.
        """
        wanted = None if names is None else list(names)
        with self._store.look(self._identity, "tagset.select") as work:
            everything = self._all(work)
            chosen = _choose(everything, wanted)
            work.note(sets=[each.kept.id for each in chosen])
        return TagIndex([(each.info, each) for each in sorted(chosen, key=lambda each: each.info.name)])

    def compare(self, a: str, b: str) -> Comparison:
        """See `TagSets.compare`, of what may be seen of either.

        Raises:
            UsageError: No such set.
        """
        one, other = ({each.claim.subject for each in self.select([name]).everything()} for name in (a, b))
        return Comparison(len(one & other), len(one | other), len(one - other), len(other - one))

    def _all(self, work: Work) -> list[StoredSet]:
        kept = [(each, _info(each)) for each in work.tagsets.all()]
        places: dict[str, list[tuple[str, ...]]] = {}
        for each, info in kept:
            place = _place(each)
            if place not in places.setdefault(info.name, []):
                places[info.name].append(place)
        found = []
        for each, info in kept:
            others = places[info.name]
            first = min(others, key=lambda place: (place != self._own, others.index(place)))
            shown = info.name if _place(each) == first else f"{info.name}~{_mark(_place(each))}"
            found.append(StoredSet(self._store, self._identity, each, replace(info, name=shown)))
        return found

    @property
    def _own(self) -> tuple[str, ...]:
        return (self._identity.person, self._case or "", self._group or "")

    def _keep(self, one: Prepared) -> ImportReport:
        """The claims in acts of their own, so that others get their turn; then the set. A stop between leaves claims alone."""
        where: dict[str, Any] = {"case": self._case, "group": self._group}
        ordered = sorted(one.claims, key=lambda claim: (claim.subject, canonical_json(claim.as_dict())))
        members = np.empty(len(ordered), _MEMBER)
        for start in range(0, len(ordered), AT_ONCE):
            batch = ordered[start : start + AT_ONCE]
            with self._store.act(self._identity, "tagset.claims", claims=len(batch)) as work:
                members["number"][start : start + len(batch)] = work.tagsets.members(batch, **where)
        members["key"] = [setfile.subject_key(claim.subject) for claim in ordered]
        members["label"] = [_hash(claim.statement["label"]) for claim in ordered]
        members["marking"] = [int(claim.marking) for claim in ordered]
        lowest, strictest = Marking(int(members["marking"].min())), Marking(int(members["marking"].max()))
        with self._store.act(self._identity, "tagset.import") as work:
            info = one.info
            if lowest != strictest:
                info = replace(info, version=work.tagsets.keyed_version(info.digest))
            parts = (members[start : start + AT_ONCE].tobytes() for start in range(0, len(members), AT_ONCE))
            raw = canonical_json(info.as_dict())
            before = work.tagsets.add(info.name, info.version, raw, parts, lowest=lowest, strictest=strictest, **where)
        return one.report("" if before is None else TagSetInfo.from_dict(_json(before)).version, info)


class StoredSet:
    """A version of a set, as far as one person may see it; see `shelf.OpenedSet`."""

    def __init__(self, store: Store, identity: Identity, kept: KeptSet, info: TagSetInfo) -> None:
        self._store = store
        self._identity = identity
        self._whole_info = info
        self.kept = kept

    @cached_property
    def info(self) -> TagSetInfo:
        """What may be told of it."""
        if self.kept.whole:
            return self._whole_info
        seen = self._members
        return replace(
            self._whole_info,
            tags=len(seen),
            subjects=len(np.unique(seen["key"])),
            labels=len(np.unique(seen["label"])),
            duplicates=0,
            rejected=0,
            rejected_entries=(),
            files=(),
            size=0,
            digest="",
            index="",
        )

    @cached_property
    def _members(self) -> npt.NDArray[np.void]:
        """The tags that may be seen, by subject and then by line."""
        with self._store.inside(self._identity) as work:
            raw = b"".join(work.tagsets.parts(self.kept.id))
        if len(raw) % _MEMBER.itemsize:
            raise Tampered(f"tag set {self.kept.id} was changed in the database", hint="shieldwall node check")
        members: npt.NDArray[np.void] = np.frombuffer(raw, _MEMBER)
        if self.kept.whole:
            return members
        seen = [may_see(self._identity, replace(self.kept.handling, marking=marking)) for marking in Marking]
        chosen: npt.NDArray[np.void] = members[np.array(seen)[members["marking"]]]
        return chosen

    @cached_property
    def _by_key(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """Keys in order, one for each tag, and the numbers of the claims beside them."""
        keys = self._members["key"].astype(np.uint64)
        order = np.argsort(keys, kind="stable")
        return keys[order], self._members["number"].astype(np.int64)[order]

    @cached_property
    def keys(self) -> npt.NDArray[np.uint64]:
        """uint64[n], ascending and distinct: the keys of its subjects."""
        return np.unique(self._by_key[0])

    def __len__(self) -> int:
        return len(self.keys)

    def lookup(self, subjects: Sequence[Subject], keys: npt.NDArray[np.uint64]) -> dict[Subject, tuple[Claim, ...]]:
        """The claims on those of `subjects` that the set has; `keys` are their `setfile.subject_key`s, in the same order."""
        known, numbers = self._by_key
        if not len(known) or not len(keys):
            return {}
        left, right = np.searchsorted(known, keys, "left"), np.searchsorted(known, keys, "right")
        hits = np.flatnonzero(right > left)
        wanted = [number for hit in hits.tolist() for number in numbers[left[hit] : right[hit]].tolist()]
        claims = dict(self._read(wanted))
        found: dict[Subject, tuple[Claim, ...]] = {}
        for hit in hits.tolist():
            subject = subjects[hit]
            beside = (claims.get(number) for number in numbers[left[hit] : right[hit]].tolist())
            own = tuple(claim for claim in beside if claim is not None and claim.subject == subject)
            if own:
                found[subject] = own
        return found

    def glances(self, digest: str, name: str = "") -> list[setfile.Glance]:  # noqa: ARG002 - as `SetFile`; see `verify`
        """What can be seen of every claim, sorted by subject, faster than `claims`."""
        found: dict[int, setfile.Glance] = {}
        numbers = self._members["number"].tolist()
        with self._store.inside(self._identity) as work:
            for number, raw, handling, retracted in work.claims.bodies(numbers):
                found[number] = _glance(raw, handling, name, retracted=retracted)
        return [found[number] for number in numbers if number in found]

    def claims(self) -> Iterator[Claim]:
        """Every claim, sorted by subject."""
        numbers = self._members["number"].tolist()
        for start in range(0, len(numbers), _READ):
            some = numbers[start : start + _READ]
            found = dict(self._read(some))
            yield from (found[number] for number in some if number in found)

    def verify(self, digest: str) -> bytes:
        """Hold the whole version, as it was imported, against its digest; returns its lines.

        Raises:
            PartialData: Whoever asks sees a part of it.
            Tampered: It is another.
        """
        if not self.kept.whole:
            raise PartialData(
                f"you see a part of the tag set {self.info.name!r}, which has no digest of its own",
                hint="who sees all of it can verify it",
            )
        numbers = self._members["number"].tolist()
        with self._store.inside(self._identity) as work:
            bodies = {number: raw for number, raw, _, _ in work.claims.bodies(numbers)}
        raw = b"".join(bodies.get(number, b"") + b"\n" for number in numbers)
        if hashlib.sha256(raw).hexdigest() != digest:
            raise Tampered(
                f"the tag set {self.info.name!r} is not what was imported (its SHA-256 is another)",
                hint="import it again from its source file, and run shieldwall node check",
            )
        return raw

    def _read(self, numbers: Sequence[int]) -> Iterator[tuple[int, Claim]]:
        with self._store.inside(self._identity) as work:
            for kept in work.claims.at(numbers):
                yield kept.seq, kept.claim


def _choose(everything: Sequence[StoredSet], wanted: Sequence[str] | None) -> list[StoredSet]:
    current = {each.info.name: each for each in everything if each.kept.current}
    if wanted is None:
        return list(current.values())
    chosen: dict[str, StoredSet] = {}
    for text in wanted:
        name, _, version = text.partition("@")
        if name not in current:
            raise UsageError(
                f"no tag set is called {name!r}", hint=f"known: {', '.join(sorted(current)) or 'none yet'}"
            )
        if name in chosen:
            raise UsageError(f"the tag set {name!r} is named twice", hint="one version of a set at a time")
        versions = {each.info.version: each for each in everything if each.info.name == name}
        found = versions.get(version) if version else current[name]
        if found is None:
            raise UsageError(f"the tag set {name!r} has no version {version!r}", hint=f"kept: {', '.join(versions)}")
        chosen[name] = found
    return list(chosen.values())


def _glance(raw: bytes, handling: Handling, name: str, *, retracted: bool) -> setfile.Glance:
    try:
        line = json.loads(raw)
        if parse_marking(line["marking"]) > handling.marking:
            raise ValueError("its marking was changed in the database")  # noqa: TRY301
        glance = setfile.glance(line, name)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, UsageError) as error:
        raise StoreError(f"a tag in the store is none ({error})", hint="shieldwall node check") from None
    return glance._replace(retracted=True) if retracted else glance


def _info(kept: KeptSet) -> TagSetInfo:
    try:
        return TagSetInfo.from_dict(_json(kept.info))
    except (ValueError, TypeError, KeyError) as error:
        raise Tampered(f"tag set {kept.id} is none ({error})", hint="shieldwall node check") from None


def _json(raw: bytes) -> dict[str, Any]:
    try:
        plain: dict[str, Any] = parse_json(raw, "tag set")
    except BadText as error:
        raise Tampered(error.message, hint="shieldwall node check") from None
    return plain


def _place(kept: KeptSet) -> tuple[str, ...]:
    return (kept.handling.owner, kept.handling.case or "", kept.handling.group or "")


def _mark(place: tuple[str, ...]) -> str:
    return hashlib.sha256(canonical_json(list(place))).hexdigest()[:_SUFFIX]


def _name(info: TagSetInfo) -> str:
    return info.name


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
