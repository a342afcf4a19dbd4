"""What a chain store holds, counted: the numbers of `shieldwall chain info`."""

from __future__ import annotations

from typing import Any

import numpy as np

from shieldwall.chain.columns import NO_HEIGHT, NO_HOLDER, NO_VALUE, STATED_UNSPENT, UNSPENDABLE
from shieldwall.chain.store import ChainStore
from shieldwall.model.moment import utc

_CHUNK = 1 << 22  # rows looked at together


def summary(store: ChainStore) -> dict[str, Any]:
    """Counts and sums of a store; amounts in satoshi, `inputs` without coinbase inputs.

    Three spend states of outputs, and what is provably unspendable apart: `unspent_*` as of the tip, `unknown_*` where
    nothing in the store tells, `spent_outside_outputs` where the source names a spender that is not here.
    """
    heights = store.column("block_height")
    known = heights[heights != NO_HEIGHT]
    outside = store.rows("outside")
    given = int(np.count_nonzero(store.column("outside_value") != NO_VALUE)) if outside else 0
    return {
        "network": store.network.name,
        "first_height": int(known[0]) if len(known) else None,
        "last_height": store.tip_height,
        "tip_hash": store.tip_hash,
        "tip_time": None if store.tip_time is None else utc(store.tip_time),
        "blocks": store.rows("block"),
        "whole_blocks": int(np.count_nonzero(store.column("block_flags") & 1)),
        "transactions": store.rows("tx"),
        "inputs": store.rows("input"),
        "outputs": store.rows("output"),
        "resolved_inputs": store.rows("input") - outside + given,
        "unresolved_inputs": outside - given,
        **_spend_states(store),
        "addresses": _addresses(store),
        "format": store.manifest.format,
        "digest": store.digest,
    }


def _spend_states(store: ChainStore) -> dict[str, int]:
    first_followed = (
        store.output_range(store.followed_from_tx)[0]
        if store.followed_from_tx < store.rows("tx")
        else store.rows("output")
    )
    stated = store.column("stated_output").astype(np.int64)
    stated_outside = (store.column("stated_txid") != np.frombuffer(STATED_UNSPENT, np.uint8)).any(axis=1)
    current = store.column("stated_height") >= store.stated_from
    totals = dict.fromkeys(
        ("unspent_outputs", "unspent_value", "unknown_outputs", "unknown_value", "spent_outside_outputs",
         "spent_outside_value", "unspendable_outputs", "unspendable_value"),
        0,
    )  # fmt: skip
    for begin in range(0, store.rows("output"), _CHUNK):
        end = min(begin + _CHUNK, store.rows("output"))
        spender = store.column("output_spender")[begin:end]
        value = store.column("output_value")[begin:end]
        burnt = spender == UNSPENDABLE
        open_ = (spender >= store.rows("tx")) & ~burnt
        unspent = open_ & (np.arange(begin, end) >= first_followed)
        elsewhere = np.zeros(end - begin, bool)
        rows = np.flatnonzero((stated >= begin) & (stated < end))
        elsewhere[stated[rows[stated_outside[rows]]] - begin] = True
        unspent[stated[rows[~stated_outside[rows] & current[rows]]] - begin] = True
        elsewhere &= open_
        unspent &= open_ & ~elsewhere
        unknown = open_ & ~unspent & ~elsewhere
        for name, chosen in (
            ("unspent", unspent),
            ("unknown", unknown),
            ("spent_outside", elsewhere),
            ("unspendable", burnt),
        ):
            totals[f"{name}_outputs"] += int(np.count_nonzero(chosen))
            totals[f"{name}_value"] += int(value[chosen].sum(dtype=np.uint64))
    return totals


def _addresses(store: ChainStore) -> int:
    """Holders that were paid or that spent; the hash of a public key that itself was never used does not count."""
    used = np.zeros(store.rows("holder"), bool)
    for name in ("output_holder", "input_holder"):
        holders = store.column(name)
        for begin in range(0, len(holders), _CHUNK):
            part = holders[begin : begin + _CHUNK]
            used[part[part != NO_HOLDER]] = True
    return int(np.count_nonzero(used))
