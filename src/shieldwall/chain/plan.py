"""Decide which blocks make the chain, in which order: pure, on references only.

Blocks of all sources are linked by their headers; of branches that compete, the one with most work is kept and the rest
counted as stale. What does not link stands at the height that it claims, and the heights between are named as missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from shieldwall.chain.readers.interface import BlockRef
from shieldwall.chain.readers.merged import MergedReader
from shieldwall.errors import BadBlock, WrongNetwork
from shieldwall.model.network import Network
from shieldwall.model.transaction import display, internal


@dataclass(slots=True)
class Plan:
    """The chosen chain.

    Attributes:
        blocks: In order, each with its height where it is known.
        helpers: Further references of a block that is there as a whole; they may know previous outputs.
        duplicates: Blocks that more than one source has.
        stale: Blocks of branches that lost.
        missing: (first, last) height of every hole between whole blocks.
        unconnected: Blocks set aside since nothing tells where they belong.
    """

    blocks: list[BlockRef] = field(default_factory=list)
    helpers: dict[bytes, list[BlockRef]] = field(default_factory=dict)
    duplicates: int = 0
    stale: int = 0
    missing: list[tuple[int, int]] = field(default_factory=list)
    unconnected: list[BlockRef] = field(default_factory=list)


def make_plan(refs: Iterable[BlockRef], network: Network, *, connected: bool) -> Plan:
    """The chain that `refs` make.

    Args:
        refs: References of all sources; earlier ones win ties.
        network: For the genesis block, and for heights that coinbases must carry.
        connected: True when the sources are a node's files, so that a block without a place is set aside; False when
            blocks were given singly, so that one of unknown height is taken in, ordered by its time.

    Raises:
        BadBlock: A coinbase carries another height than its place in the chain.
    """
    plan = Plan()
    whole, partial = _distinct(refs, plan)
    segments = [_heights(segment, network) for segment in _best_branches(whole, plan)]
    placed = [segment for segment in segments if segment[0].height is not None]
    unplaced = [segment for segment in segments if segment[0].height is None]
    if connected and placed:
        plan.unconnected = [ref for segment in unplaced for ref in segment]
        unplaced = []
    chosen = _without_rivals(placed, plan)
    taken = {ref.height for segment in chosen for ref in segment}
    for ref in partial:
        if ref.height in taken:
            plan.stale += 1
        else:
            chosen.append([ref])
    chosen.sort(key=lambda segment: (segment[0].height or 0, segment[0].hash))
    for segment in sorted(unplaced, key=lambda segment: (segment[0].time, segment[0].hash)):
        later = (i for i, other in enumerate(chosen) if other[0].time > segment[0].time)
        chosen.insert(next(later, len(chosen)), segment)
    plan.blocks = [ref for segment in chosen for ref in segment]
    plan.missing = _missing(plan.blocks)
    return plan


def _distinct(refs: Iterable[BlockRef], plan: Plan) -> tuple[dict[bytes, BlockRef], list[BlockRef]]:
    whole: dict[bytes, BlockRef] = {}
    parts: dict[bytes, list[BlockRef]] = {}
    for ref in refs:
        if not ref.whole:
            parts.setdefault(ref.hash, []).append(ref)
        elif ref.hash in whole:
            plan.duplicates += 1
            plan.helpers.setdefault(ref.hash, []).append(ref)
            if whole[ref.hash].height is None and ref.height is not None:
                whole[ref.hash] = replace(whole[ref.hash], height=ref.height)
        else:
            whole[ref.hash] = ref
    merged = MergedReader()
    partial = []
    for block, group in parts.items():
        if block in whole:
            plan.helpers.setdefault(block, []).extend(group)
        else:
            partial.append(group[0] if len(group) == 1 else merged.unite(group))
    partial.sort(key=lambda ref: (ref.height or 0, ref.hash))
    heights: dict[int | None, BlockRef] = {}
    for ref in partial:
        rival = heights.setdefault(ref.height, ref)
        if rival is not ref:
            raise BadBlock(
                f"{ref.place}: block {display(ref.hash)} and block {display(rival.hash)} of {rival.place} are both said "
                f"to be at height {ref.height}",
                hint="one of the sources was recorded before a reorganisation; leave it out",
            )
    return whole, partial


def _best_branches(whole: dict[bytes, BlockRef], plan: Plan) -> list[list[BlockRef]]:
    """One segment per root: the branch with most work; of equals the one whose last hash is smallest."""
    total: dict[bytes, int] = {}
    root: dict[bytes, bytes] = {}
    for start in whole.values():
        path = []
        ref: BlockRef | None = start
        while ref is not None and ref.hash not in total:
            path.append(ref)
            ref = whole.get(ref.previous) if ref.previous is not None else None
        for step in reversed(path):
            before = step.previous if step.previous in total else None
            total[step.hash] = step.work + (total[before] if before is not None else 0)
            root[step.hash] = root[before] if before is not None else step.hash
    best: dict[bytes, BlockRef] = {}
    for ref in whole.values():
        rival = best.get(root[ref.hash])
        if (
            rival is None
            or total[ref.hash] > total[rival.hash]
            or (total[ref.hash] == total[rival.hash] and ref.hash[::-1] < rival.hash[::-1])
        ):
            best[root[ref.hash]] = ref
    segments = []
    for tip in best.values():
        segment = [tip]
        while segment[-1].previous in whole:
            segment.append(whole[segment[-1].previous])
        segments.append(segment[::-1])
    plan.stale += len(whole) - sum(len(segment) for segment in segments)
    return segments


def _check_network(ref: BlockRef, network: Network) -> None:
    """A raw block does not name its network; its place in the chain and its work can.

    Raises:
        WrongNetwork: A first block that is not this network's, or far too little work for the height.
    """
    hint = f"give the right --network; the store or --network says {network.name}"
    if ref.previous == bytes(32) and ref.hash != internal(network.genesis):
        raise WrongNetwork(f"{ref.place}: {display(ref.hash)} is not the first block of {network.name}", hint=hint)
    since, least = network.hard or (0, 0)
    if ref.header and ref.height is not None and ref.height >= since and ref.work < least:
        raise WrongNetwork(
            f"{ref.place}: block {display(ref.hash)} took far less work than any block of {network.name} at height "
            f"{ref.height}",
            hint=hint,
        )


def _heights(segment: Sequence[BlockRef], network: Network) -> list[BlockRef]:
    """Heights by the links from the genesis block, else from the first block whose claim is binding or was given."""
    base: int | None = None
    if segment[0].hash == internal(network.genesis):
        base = 0
    else:
        for place, ref in enumerate(segment):
            if ref.height is not None and ref.height >= place:
                base = ref.height - place
                if ref.height >= network.bip34:
                    break
    if base is None:
        _check_network(segment[0], network)
        return [replace(ref, height=None) for ref in segment]
    placed = []
    for place, ref in enumerate(segment):
        height = base + place
        if ref.height is not None and ref.height != height and height >= network.bip34:
            raise BadBlock(
                f"{ref.place}: the coinbase carries height {ref.height}, and the block links to height {height}",
                hint=f"is this a chain of {network.name}? Give the right --network",
            )
        placed.append(ref if ref.height == height else replace(ref, height=height))
    for ref in placed:
        _check_network(ref, network)
    return placed


def _without_rivals(segments: list[list[BlockRef]], plan: Plan) -> list[list[BlockRef]]:
    """Segments that do not overlap in height; of two that do, the one with more work stays."""
    chosen: list[list[BlockRef]] = []
    for segment in sorted(segments, key=lambda s: (-sum(ref.work for ref in s), s[0].hash)):
        first, last = segment[0].height or 0, segment[-1].height or 0
        if any(first <= (other[-1].height or 0) and (other[0].height or 0) <= last for other in chosen):
            plan.stale += len(segment)
        else:
            chosen.append(segment)
    return chosen


def _missing(blocks: Sequence[BlockRef]) -> list[tuple[int, int]]:
    holes = []
    whole = [ref for ref in blocks if ref.whole and ref.height is not None]
    for before, after in pairwise(whole):
        if before.height is not None and after.height is not None and after.height > before.height + 1:
            holes.append((before.height + 1, after.height - 1))
    return holes
