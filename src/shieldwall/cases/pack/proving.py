"""What a chain store can prove of transactions: bytes, header, height, and the Merkle branch from one to the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shieldwall.cases.pack.contents import ChainProof
from shieldwall.chain.proof import sha256d
from shieldwall.chain.store import ChainStore
from shieldwall.errors import StoreError
from shieldwall.model.transaction import display, internal


def prove(chain: ChainStore, txids: Iterable[str]) -> list[ChainProof]:
    """The proofs of transactions, each once, in the order of their names; what is not in the store is not proven.

    Args:
        chain: The store.
        txids: Display form.
    """
    wanted = {txid: chain.find_transaction(internal(txid)) for txid in set(txids)}
    trees: dict[int, list[list[bytes]]] = {}
    found = []
    for txid in sorted(wanted, key=lambda txid: (-1 if wanted[txid] is None else wanted[txid], txid)):  # block by block
        found.append(_prove(chain, txid, wanted[txid], trees))
        while len(trees) > 1:  # a tree of 4,000 transactions is most of a megabyte: only the last one is kept
            del trees[next(iter(trees))]
    return sorted(found, key=lambda proof: proof.txid)


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """The Merkle tree over txids (internal order), leaves first; an odd one out is paired with itself."""
    found = [list(leaves)]
    while len(found[-1]) > 1:
        row = found[-1]
        pairs = [(row[place], row[min(place + 1, len(row) - 1)]) for place in range(0, len(row), 2)]
        found.append([sha256d(left + right) for left, right in pairs])
    return found


def branch(tree: Sequence[Sequence[bytes]], place: int) -> tuple[bytes, ...]:
    """The siblings on the way from the leaf at `place` to the root."""
    found = []
    for row in tree[:-1]:
        found.append(row[min(place ^ 1, len(row) - 1)])
        place >>= 1
    return tuple(found)


def _prove(chain: ChainStore, txid: str, number: int | None, trees: dict[int, list[list[bytes]]]) -> ChainProof:
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
    first = int(chain.column("block_first_tx")[block])
    if block not in trees:
        firsts = chain.column("block_first_tx")
        last = int(firsts[block + 1]) if block + 1 < len(firsts) else chain.rows("tx")
        trees[block] = levels([each.tobytes() for each in chain.column("tx_txid")[first:last]])
    return ChainProof(
        txid=txid,
        network=network,
        raw=raw,
        header=chain.column("block_header")[block].tobytes(),
        block=display(chain.column("block_hash")[block].tobytes()),
        height=chain.height_of(number),
        place=number - first,
        branch=branch(trees[block], number - first),
    )
