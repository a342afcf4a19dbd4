"""The Merkle tree of RFC 6962 (2.1): tree heads that grow with the log, and proofs that hold one against another.

A leaf is any bytes. `Frontier` is what an appending log must remember: the heads of the perfect subtrees that the tree is made
of, largest first, at most one for each bit of its size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

EMPTY = hashlib.sha256(b"").digest()
"""The head of a tree without leaves (RFC 6962, 2.1)."""

HASH = 32  # bytes


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf, apart from that of a node (second preimages)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree of `size` leaves.

    Attributes:
        size: Leaves.
        heads: The heads of its perfect subtrees, 32 bytes each, the largest first; one for each bit that is set in `size`.
    """

    size: int = 0
    heads: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if len(self.heads) != self.size.bit_count():
            raise ValueError(f"{len(self.heads)} heads for {self.size} leaves")

    def append(self, leaf: bytes) -> Frontier:
        """The frontier with one leaf more; `leaf` is its `leaf_hash`."""
        heads, head, size = list(self.heads), leaf, self.size
        while size & 1:
            head = node_hash(heads.pop(), head)
            size >>= 1
        return Frontier(self.size + 1, (*heads, head))

    @property
    def root(self) -> bytes:
        """The head of the tree."""
        if not self.heads:
            return EMPTY
        head = self.heads[-1]
        for larger in reversed(self.heads[:-1]):
            head = node_hash(larger, head)
        return head

    def to_bytes(self) -> bytes:
        """The heads one after the other."""
        return b"".join(self.heads)

    @classmethod
    def from_bytes(cls, size: int, heads: bytes) -> Frontier:
        """What `to_bytes` wrote.

        Raises:
            ValueError: Not the heads of a tree of `size` leaves.
        """
        if len(heads) % HASH:
            raise ValueError("heads of a tree are 32 bytes each")
        return cls(size, tuple(heads[place : place + HASH] for place in range(0, len(heads), HASH)))


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The head of a tree over `leaf_hash`es, by the recursive definition (RFC 6962, 2.1); the plain twin of `Frontier`."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return node_hash(root_of(leaves[:split]), root_of(leaves[split:]))


def inclusion_proof(leaves: Sequence[bytes], place: int) -> tuple[bytes, ...]:
    """The audit path of the leaf at `place` (RFC 6962, 2.1.1), from the leaf up.

    Raises:
        IndexError: There is no such leaf.
    """
    if not 0 <= place < len(leaves):
        raise IndexError(place)
    if len(leaves) == 1:
        return ()
    split = _split(len(leaves))
    if place < split:
        return (*inclusion_proof(leaves[:split], place), root_of(leaves[split:]))
    return (*inclusion_proof(leaves[split:], place - split), root_of(leaves[:split]))


def is_included(leaf: bytes, place: int, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that `leaf` stands at `place` in the tree of `size` leaves with head `root` (RFC 9162, 2.1.3.2)."""
    if not 0 <= place < size:
        return False
    number, last, head = place, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if number & 1 or number == last:
            head = node_hash(sibling, head)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            head = node_hash(head, sibling)
        number, last = number >> 1, last >> 1
    return last == 0 and head == root


def consistency_proof(leaves: Sequence[bytes], size: int) -> tuple[bytes, ...]:
    """That the tree over `leaves` continues the tree of their first `size` (RFC 6962, 2.1.2).

    Raises:
        IndexError: `size` is not between 1 and the number of leaves.
    """
    if not 1 <= size <= len(leaves):
        raise IndexError(size)
    return _subproof(leaves, size, whole=True)


def is_consistent(size: int, root: bytes, larger: int, larger_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree of `larger` leaves continues that of `size` (RFC 9162, 2.1.4.2)."""
    if not 1 <= size <= larger:
        return False
    if size == larger:
        return not proof and root == larger_root
    path = list(proof)
    if size & (size - 1) == 0:
        path.insert(0, root)
    if not path:
        return False
    number, last = size - 1, larger - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        number, last = number >> 1, last >> 1
    return last == 0 and old == root and new == larger_root


def _subproof(leaves: Sequence[bytes], size: int, *, whole: bool) -> tuple[bytes, ...]:
    if size == len(leaves):
        return () if whole else (root_of(leaves),)
    split = _split(len(leaves))
    if size <= split:
        return (*_subproof(leaves[:split], size, whole=whole), root_of(leaves[split:]))
    return (*_subproof(leaves[split:], size - split, whole=False), root_of(leaves[:split]))


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
