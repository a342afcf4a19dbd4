"""What was paid to a family: outputs to its tagged addresses, with the traps told apart.

Outputs that are no payment by a victim: what the family moved between its own addresses and the change that came back to
them (any payer is its own), newly mined coins, and dust. An output one of whose payers is not known may be either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from shieldwall.chain.columns import NO_HOLDER
from shieldwall.chain.store import ChainStore
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.families.family import Located, is_own
from shieldwall.trace.targets import Target

DUST = 546
"""Satoshi; a smaller P2PKH output is not relayed by default (Bitcoin Core, `policy.cpp`, GetDustThreshold at 3,000 sat/kvB)."""


class Receipt(StrEnum):
    """What an output to a family's address is."""

    PAYMENT = "payment"
    UNKNOWN_PAYER = "unknown_payer"  # a payer is not known, and no known one is its own
    INTERNAL = "internal"  # a payer is its own
    MINED = "mined"
    DUST = "dust"


@dataclass(frozen=True, slots=True)
class Received:
    """An output to a family's address.

    Attributes:
        output: Its number.
        transaction: Number of the transaction that made it.
        holder: Whom it pays.
        amount: Satoshi.
        time: Unix seconds of its block.
        kind: What it is.
    """

    output: int
    transaction: int
    holder: int
    amount: int
    time: int
    kind: Receipt


def receipts(
    store: ChainStore, holders: Iterable[int], own: Callable[[int], bool], least: int = DUST
) -> list[Received]:
    """Every output to `holders`, in chain order, and what it is.

    Args:
        store: The chain.
        holders: The family's.
        own: Whether a payer is the family's.
        least: Satoshi; less is dust.
    """
    payers: dict[int, Receipt | None] = {}  # of a transaction; None: all of them are known strangers
    found = []
    for holder in sorted(set(holders)):
        for output in store.outputs_of(holder):
            transaction = store.transaction_of(output)
            if transaction not in payers:
                payers[transaction] = _payers(store, transaction, own)
            amount = int(store.column("output_value")[output])
            kind = payers[transaction]
            if amount < least and kind in (None, Receipt.UNKNOWN_PAYER):
                kind = Receipt.DUST
            found.append(
                Received(output, transaction, holder, amount, store.time_of(transaction), kind or Receipt.PAYMENT)
            )
    return sorted(found, key=lambda each: each.output)


def _payers(store: ChainStore, transaction: int, own: Callable[[int], bool]) -> Receipt | None:
    numbers = store.input_range(transaction)
    if not len(numbers):
        return Receipt.MINED
    distinct = np.unique(store.column("input_holder")[numbers.start : numbers.stop]).tolist()
    if any(own(holder) for holder in distinct if holder != NO_HOLDER):
        return Receipt.INTERNAL
    return Receipt.UNKNOWN_PAYER if NO_HOLDER in distinct else None


def targets_of(store: ChainStore, located: Located, found: Iterable[Received]) -> list[Target]:
    """The payments as targets of a trace, one for each address; such of unknown payers among them."""
    by_holder: dict[int, list[int]] = {}
    for each in found:
        if each.kind in (Receipt.PAYMENT, Receipt.UNKNOWN_PAYER):
            by_holder.setdefault(each.holder, []).append(each.output)
    return [
        Target(f"{located.family.name}: payments to {name}", "address", name, outputs=tuple(sorted(outputs)))
        for name, outputs in sorted((store.identity(holder), outputs) for holder, outputs in by_holder.items())
    ]


def payment_targets(
    store: ChainStore, located: Sequence[Located], clustering: Clustering | None = None
) -> list[Target]:
    """The payments to families, as targets of a trace.

    Args:
        store: The chain.
        located: From `located_families`.
        clustering: Who is in one cluster with a tagged address is the family's own, too; none by default.
    """
    own = is_own(located, None if clustering is None else clustering.cluster_of)
    return [target for each in located for target in targets_of(store, each, receipts(store, each.holders, own))]
