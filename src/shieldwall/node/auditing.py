"""The whole audit log, recomputed: which leaf was edited, removed or put elsewhere, and which span was written anew.

Nothing in the log is believed. Each row must hold the entry that its hash says, with the number and time that the entry says;
the roots are computed again from the hashes; head, kept roots and exported roots are held against them. A row that was changed
without the rest of the log is named; a log that was written anew as a whole fits itself, and is found by the exported roots: the
span between the last root that fits and the first that does not. Proofs for single leaves are in `node.proofs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from shieldwall.errors import BadText, Tampered
from shieldwall.model.access import Identity
from shieldwall.model.canonical import canonical_json
from shieldwall.model.merkle import EMPTY, Frontier, leaf_hash
from shieldwall.model.moment import utc
from shieldwall.model.strictjson import parse_json
from shieldwall.node.demand import demand
from shieldwall.node.exported import PURPOSE, Exported, SignedRoot, root_message
from shieldwall.node.identity import PublicIdentity
from shieldwall.store import Store
from shieldwall.store.audit import Head, RawLeaf, Root

MOST_FINDINGS = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not fit.

    Attributes:
        first: The first leaf that it is about.
        last: The last one; the same for a single leaf.
        text: What is wrong, in a sentence, with the time.
    """

    first: int
    last: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was found.

    Attributes:
        size: Leaves that there are.
        root: The root over their hashes, computed.
        at: Time of the last entry, in microseconds; 0 for none.
        kept: Signed roots in the store that hold.
        exported: Exported roots that hold.
        accepted: Exported roots that do not hold and that an administrator accepted later, with the reasons.
        findings: What does not fit: of single rows in their order, then of the head, then of signed roots.
    """

    size: int
    root: bytes
    at: int
    kept: int
    exported: int
    accepted: Sequence[str]
    findings: Sequence[Finding]


@dataclass(slots=True)
class _Reading:
    """How far the rows were read, and what was found in them."""

    edge: Frontier = field(default_factory=Frontier)
    roots: dict[int, bytes] = field(default_factory=dict)  # by size, as far as anyone asks for them
    at: int = 0
    count: int = 0
    known: bool = True  # whether roots can still be computed
    apart: bool = False  # whether the roots in the rows are no longer those of their leaves
    findings: list[Finding] = field(default_factory=list)

    def found(self, first: int, last: int, text: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(first, last, text))


def verify_log(store: Store, identity: Identity, known: PublicIdentity, exported: Exported | None) -> Verified:
    """Recompute everything, in one reading transaction.

    Args:
        store: Whose log.
        identity: Who asks.
        known: The node's public keys.
        exported: The file of signed roots; None to do without.

    Raises:
        StoreError: It cannot be read.
    """
    lines = exported.lines() if exported is not None else []
    with store.inside(identity) as work:
        kept = work.audit.roots()
        try:
            head = work.audit.head()
        except Tampered:
            head = None
        return examine(work.audit.raw_leaves(), head, kept, lines, known)


def examine(
    rows: Iterable[RawLeaf], head: Head | None, kept: Sequence[Root], lines: Sequence[SignedRoot], known: PublicIdentity
) -> Verified:
    """`verify_log` over plain values."""
    reading = _Reading(roots={0: EMPTY})
    wanted = {root.size for root in kept} | {line.size for line in lines}
    for row in rows:
        _read(reading, row, wanted)
    _hold_head(reading, head)
    kept_well = _hold_kept(reading, kept, known)
    exported_well, accepted = _hold_exported(reading, lines, known)
    return Verified(
        size=reading.count,
        root=reading.edge.root,
        at=reading.at,
        kept=kept_well,
        exported=exported_well,
        accepted=accepted,
        findings=tuple(reading.findings),
    )


def _read(reading: _Reading, row: RawLeaf, wanted: set[int]) -> None:
    """One row: its place, its entry, its hash, its root."""
    expected = reading.edge.size
    reading.count += 1
    if row.number < 0:
        reading.found(0, 0, f"a leaf with the number {row.number} stands before the first one, {_time(row.at)}")
        return
    if row.number > expected:
        reading.found(expected, row.number - 1, f"removed, between {_time(reading.at)} and {_time(row.at)}")
        reading.known = False
    at = _hold_entry(reading, row)
    leaf = _leaf(reading, row)
    heads = Frontier(row.number, _unknown(row.number)) if row.number != expected else reading.edge
    reading.edge = heads.append(leaf)
    apart = reading.known and row.root != reading.edge.root
    if apart and not reading.apart:  # the rows after an edited one fit the one that stood there: it alone is named
        text = f"edited: it, or the root beside it, is not what was written, {_time(row.at)}"
        reading.found(row.number, row.number, text)
    reading.apart = apart
    if reading.known and row.number + 1 in wanted:
        reading.roots[row.number + 1] = reading.edge.root
    reading.at = max(reading.at, at)


def _hold_entry(reading: _Reading, row: RawLeaf) -> int:
    """The entry against number and time of its row; returns the time."""
    number = row.number
    if row.entry is None:
        reading.found(number, number, f"edited, or put there from elsewhere: it does not open, {_time(row.at)}")
        return reading.at
    try:
        entry = parse_json(row.entry, "entry")
        demand(isinstance(entry, dict), canonical_json(entry) == row.entry)
        says, at = entry["number"], entry["at"]
        demand(type(says) is int, type(at) is int)
    except (BadText, KeyError, TypeError, ValueError):
        reading.found(number, number, f"edited: it is no entry of a log any more, {_time(row.at)}")
        return reading.at
    if says != number:
        reading.found(number, number, f"reordered: the entry of leaf {says} stands there, {_time(at)}")
        return reading.at
    if at != row.at:
        reading.found(number, number, f"edited: the row says {_time(row.at)}, its entry {_time(at)}")
    if at < reading.at:
        reading.found(number, number, f"reordered: its time {_time(at)} is before the one of the leaf before it")
    return int(at)


def _leaf(reading: _Reading, row: RawLeaf) -> bytes:
    """The hash that the tree goes on with; where entry and hash differ, the one that the root beside it was made of."""
    if row.entry is None:
        return row.leaf
    computed = leaf_hash(row.entry)
    if computed == row.leaf:
        return row.leaf
    reading.found(row.number, row.number, f"edited: its entry is not the one that was hashed, {_time(row.at)}")
    if reading.known and row.number == reading.edge.size and reading.edge.append(computed).root == row.root:
        return computed
    return row.leaf


def _hold_head(reading: _Reading, head: Head | None) -> None:
    size = reading.edge.size
    if head is None:
        reading.found(size, size, "the head of the log is broken")
        return
    if head.frontier.size > size:
        reading.found(
            size,
            head.frontier.size - 1,
            f"removed from the end, after {_time(reading.at)} and not after {_time(head.at)}",
        )
    elif head.frontier.size < size:
        reading.found(head.frontier.size, size - 1, "added behind the end that the head of the log says")
    elif reading.known and head.frontier != reading.edge:
        reading.found(max(0, size - 1), max(0, size - 1), "the head of the log is not that of its leaves")
    elif head.at != reading.at:
        reading.found(
            max(0, size - 1),
            max(0, size - 1),
            f"the head of the log says {_time(head.at)}, its leaves {_time(reading.at)}",
        )


def _hold_kept(reading: _Reading, kept: Sequence[Root], known: PublicIdentity) -> int:
    """The signed roots that the store keeps; returns how many hold."""
    well, fits, accepted_at = 0, 0, -1
    apart: list[Root] = []
    for root in kept:
        try:
            body = parse_json(root.signature, "signature")
            message = root_message(known.node, root.size, root.at, root.root, body["accepts"])
            known.verify(PURPOSE, message, body["signature"], at=root.at)
        except (BadText, KeyError, TypeError, Tampered):
            last = max(0, root.size - 1)
            reading.found(last, last, f"the signed root over {root.size} leaves in the store is not what was signed")
            continue
        accepted_at = max(accepted_at, root.at) if body["accepts"] else accepted_at
        if reading.roots.get(root.size) == root.root:
            well, fits = well + 1, max(fits, root.size)
        elif root.size in reading.roots or root.size > reading.edge.size:
            apart.append(root)
    for root in apart:
        if root.at > accepted_at:
            text = f"not the leaves over which a root of {root.size} leaves was signed at {_time(root.at)}"
            reading.found(min(fits, root.size - 1), root.size - 1, text)
            break
    return well


def _hold_exported(reading: _Reading, lines: Sequence[SignedRoot], known: PublicIdentity) -> tuple[int, list[str]]:
    """The exported roots; returns how many hold, and what was accepted of those that do not."""
    accepting = max((place for place, line in enumerate(lines) if line.accepts and is_signed(line, known)), default=-1)
    well, fits, accepted, spans = 0, 0, [], []
    for place, line in enumerate(lines):
        if is_signed(line, known) and reading.roots.get(line.size) == line.root:
            well += 1
            fits = max(fits, line.size) if place >= accepting else fits
        elif place < accepting:
            accepted.append(
                f"a root over {line.size} leaves of {_time(line.at)} does not hold; accepted: {lines[accepting].accepts}"
            )
        else:
            spans.append(line)
    if spans:
        _name_span(reading, spans[0], fits, known)
    return well, accepted


def _name_span(reading: _Reading, line: SignedRoot, fits: int, known: PublicIdentity) -> None:
    """What the first exported root that does not hold says of the leaves since the last one that does."""
    size, signed = reading.edge.size, f"signed at {_time(line.at)}"
    if not is_signed(line, known):
        reading.found(
            fits,
            max(fits, line.size - 1),
            f"an exported root over {line.size} leaves has a signature that does not hold",
        )
    elif line.size > size:
        reading.found(
            size,
            line.size - 1,
            f"missing: a root over {line.size} leaves was {signed}; this is an older copy, or cut off",
        )
    elif line.size in reading.roots:
        reading.found(fits, line.size - 1, f"written anew: the root over {line.size} leaves {signed} was another one")


def is_signed(line: SignedRoot, known: PublicIdentity) -> bool:
    """Whether a signed root is a node's own, by both algorithms and a key that was in use then."""
    try:
        demand(line.node == known.node)
        known.verify(PURPOSE, line.message, line.envelope, at=line.at)
    except (Tampered, ValueError):
        return False
    return True


def _unknown(size: int) -> tuple[bytes, ...]:
    """Heads that stand for those of a tree that cannot be computed."""
    return (EMPTY,) * size.bit_count()


def _time(microseconds: int) -> str:
    if not 0 <= microseconds < 253_402_300_800 * 1_000_000:  # the year 10000
        return "no time at all"
    return utc(microseconds // 1_000_000) if microseconds else "the beginning"
