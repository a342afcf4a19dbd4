"""The digests of a chain store: a running one over its blocks, and one over all that it says (docs/spec/chain-store.md).

They cover what was read, never how the store lays it out, so one chain has one digest in however many steps it was built:
each block's header (its hash where there is none), height, time and wholeness, its txids, and for every input that spends
an output of no transaction here what the source gave for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import NO_HEIGHT, NO_HOLDER
from shieldwall.chain.store import ChainStore
from shieldwall.kernels.arrays import Bytes

UNKNOWN_KIND = 0xFF  # of the script of a previous output that nobody gives
EMPTY = bytes(32)  # the running digest before the first block
_GIVEN = np.dtype([("value", "<u8"), ("kind", "u1"), ("size", "<u4")])


@dataclass(frozen=True, slots=True)
class Given:
    """What sources gave for k inputs that spend outputs of no transaction here.

    Attributes:
        values: uint64[k], satoshi, NO_VALUE where nobody says.
        kinds: uint8[k], kind of each script, UNKNOWN_KIND where nobody says.
        ends: int64[k + 1], where each payload ends in `payload`, with a zero in front.
        payload: uint8, the payloads one after the other.
    """

    values: npt.NDArray[np.uint64]
    kinds: Bytes
    ends: npt.NDArray[np.int64]
    payload: Bytes

    def part(self, first: int, last: int) -> bytes:
        """The inputs from `first` up to `last` as bytes for the digest: fixed-width rows, then the payloads."""
        rows = np.empty(last - first, _GIVEN)
        rows["value"] = self.values[first:last]
        rows["kind"] = self.kinds[first:last]
        rows["size"] = np.diff(self.ends[first : last + 1])
        return rows.tobytes() + self.payload[int(self.ends[first]) : int(self.ends[last])].tobytes()


def block_digest(
    before: bytes, name: bytes, *, height: int | None, time: int, whole: bool, txids: Bytes, given: bytes
) -> bytes:
    """The running digest after one more block.

    Args:
        before: The running digest so far.
        name: The 80-byte header, or the 32-byte hash where there is no header.
        height: None when not known.
        time: Unix seconds.
        whole: All transactions are here.
        txids: uint8[n, 32], in the store's order.
        given: `Given.part` of the block.
    """
    total = sha256(before)
    total.update(name)
    total.update((NO_HEIGHT if height is None else height).to_bytes(4, "little"))
    total.update(time.to_bytes(4, "little") + bytes([whole]))
    total.update(np.ascontiguousarray(txids).data)
    total.update(given)
    return total.digest()


def given_of(store: ChainStore, first: int, last: int) -> Given:
    """What a store holds for its rows `first` up to `last` of the table `outside`."""
    inputs = store.column("outside_input")[first:last]
    holders = store.column("input_holder")[inputs]
    known = holders != NO_HOLDER
    kinds = np.full(len(holders), UNKNOWN_KIND, np.uint8)
    kinds[known] = store.column("holder_kind")[holders[known]]
    ends = store.column("holder_end")
    stop = np.zeros(len(holders), np.int64)
    start = np.zeros(len(holders), np.int64)
    stop[known] = ends[holders[known]]
    later = known & (holders > 0)
    start[later] = ends[holders[later] - np.uint32(1)]
    total = np.concatenate((np.zeros(1, np.int64), np.cumsum(stop - start)))
    places = np.arange(int(total[-1])) + np.repeat(start - total[:-1], stop - start)
    return Given(store.column("outside_value")[first:last], kinds, total, store.column("payload_bytes")[places])


def digest_of(store: ChainStore) -> str:
    """The digest of a store's content: network, the last block's running digest, the statements."""
    total = sha256(store.network.name.encode())
    if store.rows("block"):
        total.update(store.column("block_digest")[-1].tobytes())
    for name in ("stated_output", "stated_height", "stated_txid"):
        total.update(np.ascontiguousarray(store.column(name)).data)
    return total.hexdigest()
