"""Where an output stands, and what an input spends: the answers that a chain store gives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SpendState(StrEnum):
    """Where an output stands; unknown is its own answer and is never called unspent."""

    SPENT = "spent"  # by a transaction in this store
    SPENT_OUTSIDE = "spent_outside"  # the source names a spender that is not in this store
    UNSPENT = "unspent"  # as of the tip
    UNKNOWN = "unknown"  # nothing in this store tells
    UNSPENDABLE = "unspendable"  # provably never: an output, and never unspent


@dataclass(frozen=True, slots=True)
class Spend:
    """An output's state: its spender's number (SPENT), or txid in display form (SPENT_OUTSIDE), or neither."""

    state: SpendState
    transaction: int | None = None
    txid: str | None = None
    as_of: int | None = None  # height at which the source said so, when it was the source


@dataclass(frozen=True, slots=True)
class Input:
    """An input: the output it spends where that is in the store, and what is known of it otherwise.

    Attributes:
        number: Its number in the store.
        output: Number of the output that it spends; None when the creating transaction is not here.
        txid: Display form of the creating transaction's id.
        index: Index of the spent output there.
        value: Satoshi; None when nobody gives it.
        holder: Number of the holder of the spent output; None when not known.
    """

    number: int
    output: int | None
    txid: str
    index: int
    value: int | None
    holder: int | None
