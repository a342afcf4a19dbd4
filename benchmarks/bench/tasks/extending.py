"""Extend a store by one block at a time, as following a node does."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from bench.data import Chain
from bench.job import Job, Outcome
from bench.tasks.building import config, facts_of, timed_build

HELD_BACK = 20  # blocks
_FRAME = 8  # bytes before a block: magic and length


def extend(job: Job) -> Outcome:
    """Seconds of all extensions together, and of each; the store before them is built outside the clock."""
    last = _cut(job.chain, job.scratch)
    store = job.scratch / "store"
    timed_build(store, [job.scratch / "before"], settings=config(threads=2))
    each = []
    for number, block in enumerate(last):
        single = job.scratch / f"block-{number}"
        single.mkdir()
        (single / "blk00000.dat").write_bytes(block)
        each.append(timed_build(store, [single], settings=config(threads=2, extend="look up", engine="auto")))
    p50, p99 = np.percentile(each, [50, 99]).tolist()
    facts = {"blocks": len(each), "p50": p50, "p99": p99, "digest": facts_of(store)["digest"]}
    return Outcome(sum(each), facts)


def _cut(chain: Chain, scratch: Path) -> list[bytes]:
    """Copy the block files without the chain's last blocks to `before/`; those blocks, framed."""
    before = scratch / "before"
    before.mkdir()
    for path in chain.blocks:
        shutil.copyfile(path, before / path.name)
    held: list[bytes] = []
    for path in sorted(before.iterdir(), reverse=True):
        frames = _frames(path.read_bytes())
        kept = max(0, len(frames) - (HELD_BACK - len(held)))
        held = frames[kept:] + held
        path.write_bytes(b"".join(frames[:kept]))
        if not kept:
            path.unlink()
        if len(held) == HELD_BACK:
            break
    return held


def _frames(data: bytes) -> list[bytes]:
    frames = []
    place = 0
    while place < len(data):
        end = place + _FRAME + int.from_bytes(data[place + 4 : place + _FRAME], "little")
        frames.append(data[place:end])
        place = end
    return frames
