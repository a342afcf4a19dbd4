"""What do sources bring that a store does not have yet?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shieldwall.chain.columns import NO_VALUE
from shieldwall.chain.mapping import places_of
from shieldwall.chain.readers.interface import BlockRef, Survey
from shieldwall.chain.readers.loose import LooseReader
from shieldwall.chain.store import ChainStore


def fresh_blocks(
    surveys: Sequence[Survey], store: ChainStore, before: Survey
) -> tuple[list[BlockRef], set[bytes], int]:
    """References that bring something, hashes of stored blocks whose gaps they fill, and how many bring nothing.

    A block that the store has brings nothing, unless the source knows of it what the store does not: its height,
    transactions, or outputs that its inputs spend.
    """
    known = {ref.hash: ref for ref in before.blocks}
    gaps = _gaps(store)
    fresh = []
    already = 0
    better: set[bytes] = set()
    for survey in surveys:
        for ref in survey.blocks:
            old = known.get(ref.hash)
            if old is not None and old.key in gaps and _fills(ref, old, gaps[old.key], store):
                better.add(ref.hash)
            elif old is not None and _brings_nothing(ref, old, store):
                already += 1
                continue
            fresh.append(ref)
    return fresh, better, already


def _gaps(store: ChainStore) -> dict[int, set[int]]:
    """Block -> inputs in it of which nobody says what they spend."""
    inputs = store.column("outside_input")[store.column("outside_value") == np.uint64(NO_VALUE)]
    transactions = places_of(store.column("tx_first_input"), inputs, "right") - 1
    blocks = np.searchsorted(store.column("block_first_tx"), transactions, side="right") - 1
    found: dict[int, set[int]] = {}
    for block, number in zip(blocks.tolist(), inputs.tolist(), strict=True):
        found.setdefault(block, set()).add(number)
    return found


def _fills(ref: BlockRef, old: BlockRef, gaps: set[int], store: ChainStore) -> bool:
    """True when the source of `ref` knows what one of these inputs of the stored block `old` spends."""
    if ref.whole:
        first = store.input_range(int(store.column("block_first_tx")[old.key])).start
        answer = ref.reader.previous_outputs(ref) or []
        return any(entry and entry.value is not None and first + k in gaps for k, entry in enumerate(answer))
    if not isinstance(ref.reader, LooseReader):
        return False
    for transaction in ref.reader.transactions(ref):
        number = store.find_transaction(transaction.txid)
        if number is not None:
            places = store.input_range(number)
            known = (
                k for k, entry in zip(places, transaction.previous, strict=True) if entry and entry.value is not None
            )
            if not gaps.isdisjoint(known):
                return True
    return False


def _brings_nothing(ref: BlockRef, old: BlockRef, store: ChainStore) -> bool:
    if old.height is None and ref.height is not None and ref.whole:
        return False
    return old.whole or (not ref.whole and _all_there(ref, store))


def _all_there(ref: BlockRef, store: ChainStore) -> bool:
    reader = ref.reader
    return isinstance(reader, LooseReader) and all(
        store.find_transaction(transaction.txid) is not None for transaction in reader.transactions(ref)
    )
