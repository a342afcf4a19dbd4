"""A store that begins late: which blocks are too early for it."""

from __future__ import annotations

from dataclasses import dataclass

from shieldwall.chain.plan import Plan
from shieldwall.chain.store import ChainStore
from shieldwall.errors import UsageError
from shieldwall.model.moment import utc


@dataclass(frozen=True, slots=True)
class Since:
    """Where a store begins; one of the two is given.

    Attributes:
        height: The first height that it holds.
        time: Unix seconds: it begins with the first block of that time or later.
    """

    height: int | None = None
    time: int | None = None


def begin_at(plan: Plan, since: Since | None, store: ChainStore) -> int:
    """The height that the store begins at from now on.

    Args:
        plan: The blocks that sources and store have.
        since: What was asked for now; None keeps to what the store was built with.
        store: As committed.

    Raises:
        UsageError: Later than the store begins, or a time before which nothing and after which nothing is known.
    """
    begin = store.manifest.since
    if since is None:
        return begin
    wanted = since.height
    if wanted is None:
        moment = since.time or 0
        wanted = next((ref.height for ref in plan.blocks if ref.time >= moment and ref.height is not None), None)
        if wanted is None:
            raise UsageError(
                f"no block of known height is of {utc(moment)} or later",
                hint="give --since as a height, or a later source",
            )
    if store.rows("block") and wanted > begin:
        raise UsageError(
            f"{store.folder} begins at height {begin}; it cannot begin later, at {wanted}",
            hint="leave --since out to extend it, or build another store",
        )
    return wanted


def leave_out(plan: Plan, begin: int) -> int:
    """Take the blocks below height `begin` out of the plan, and those of unknown height; returns how many."""
    if not begin:
        return 0
    kept = [ref for ref in plan.blocks if ref.height is not None and ref.height >= begin]
    left = len(plan.blocks) - len(kept)
    plan.blocks = kept
    plan.missing = [(max(first, begin), last) for first, last in plan.missing if last >= begin]
    return left
