"""What a chain store can prove of transactions: bytes, header, height, and the Merkle branch from one to the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from shieldwall.cases.pack.contents import ChainProof
from shieldwall.chain.proof import sha256d
from shieldwall.chain.store import ChainStore
from shieldwall.errors import StoreError
from shieldwall.kernels.arrays import Bytes, Offsets
from shieldwall.kernels.engine import kernel
from shieldwall.model.transaction import display, internal

LARGE = 100_000
"""Hashes from which the compiled kernel is worth its loading."""

Roots = Callable[[Bytes, Offsets], Bytes]


def prove(chain: ChainStore, txids: Iterable[str]) -> list[ChainProof]:
    """The proofs of transactions, each once, in the order of their names; what is not in the store is not proven.

    Args:
        chain: The store.
        txids: Display form.
    """
    numbers = {txid: chain.find_transaction(internal(txid)) for txid in set(txids)}
    blocks = [chain.block_of(number) for number in numbers.values() if number is not None]
    hashes = sum(last - first for first, last in (_rows(chain, block) for block in blocks))
    roots: Roots = kernel("hashing", compiled=hashes >= LARGE).merkle_roots
    return [_prove(chain, txid, numbers[txid], roots) for txid in sorted(numbers)]


def branch(leaves: Bytes, place: int, roots: Roots) -> tuple[bytes, ...]:
    """The siblings on the way from the leaf at `place` to the root of Bitcoin's Merkle tree.

    The sibling on a level is the root over the leaves below it; where the row ends before it, the node is paired with itself.

    Args:
        leaves: uint8[n, 32], n >= 1: txids in the order of the block, internal byte order.
        place: Of the leaf, below n.
        roots: The kernel `hashing.merkle_roots`.
    """
    count, below = len(leaves), []
    for level in range((count - 1).bit_length()):
        own = place >> level
        other = own ^ 1 if (own ^ 1) << level < count else own
        below.append((other << level, min((other + 1) << level, count)))
    if not below:
        return ()
    offsets = np.cumsum([0, *(end - begin for begin, end in below)])
    found = roots(np.concatenate([leaves[begin:end] for begin, end in below]), offsets)
    siblings = []
    for level, (begin, end) in enumerate(below):
        node = found[level].tobytes()
        for _ in range(level - (end - begin - 1).bit_length()):  # a row that ends early goes up paired with itself
            node = sha256d(node + node)
        siblings.append(node)
    return tuple(siblings)


def _rows(chain: ChainStore, block: int) -> tuple[int, int]:
    """First transaction of a block, and the one after its last."""
    firsts = chain.column("block_first_tx")
    last = int(firsts[block + 1]) if block + 1 < len(firsts) else chain.rows("tx")
    return int(firsts[block]), last


def _prove(chain: ChainStore, txid: str, number: int | None, roots: Roots) -> ChainProof:
    network = chain.network.name
    if number is None:
        return ChainProof(txid=txid, network=network)
    proof = chain.proof_of(number)
    try:
        raw = chain.raw(number) if proof != "nothing" else b""
    except StoreError:  # a store that was passed on without raw bytes proves nothing to others
        raw = b""
    if not raw or proof != "inclusion":
        return ChainProof(txid=txid, network=network, raw=raw, height=chain.height_of(number))
    block = chain.block_of(number)
    first, last = _rows(chain, block)
    return ChainProof(
        txid=txid,
        network=network,
        raw=raw,
        header=chain.column("block_header")[block].tobytes(),
        block=display(chain.column("block_hash")[block].tobytes()),
        height=chain.height_of(number),
        place=number - first,
        branch=branch(np.asarray(chain.column("tx_txid")[first:last]), number - first, roots),
    )
