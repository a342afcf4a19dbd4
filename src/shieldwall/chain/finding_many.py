"""Find and name many holders of a chain store at once: what `finding` answers for one, through kernels.

A batch below `COMPILED_FROM` takes the plain kernels, so that nothing waits for a compiler.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from shieldwall.chain.columns import NO_HOLDER
from shieldwall.kernels.arrays import frozen
from shieldwall.kernels.engine import kernel
from shieldwall.kernels.plain.addresses import AddressForms
from shieldwall.kernels.plain.probing import HolderRows, HolderRun
from shieldwall.model import address
from shieldwall.model.network import Network
from shieldwall.model.script import ScriptKind

if TYPE_CHECKING:
    from shieldwall.chain.store import ChainStore

COMPILED_FROM = 2_000  # addresses, or holders: a tenth of a second in plain Python
_HEAD = 8  # bytes of a hash that are looked for first
_LATE_BUCKET = 4  # rows of the index over what no run covers yet, at the least

Array = npt.NDArray[Any]


def forms_of(network: Network) -> AddressForms:
    """What a network writes its addresses with, as the kernels take it."""
    hrp = np.frombuffer(network.hrp.encode(), np.uint8)
    return AddressForms(
        network.p2pkh, network.p2sh, -1 if network.p2sh_old is None else network.p2sh_old, hrp, network.mweb
    )


class BatchFinder:
    """Looks many holders up in a store's indexes; a part of `ChainStore`.

    Args:
        store: The store that it is part of.
    """

    def __init__(self, store: ChainStore) -> None:
        self._store = store
        self.forms = forms_of(store.network)

    def addresses(self, addresses: Sequence[str]) -> npt.NDArray[np.uint32]:
        """The holder of each address; `NO_HOLDER` where it is not in the store, or the text no address of its network."""
        kinds, sizes, payloads = self.scripts(addresses)
        return self.holders(kinds, payloads.reshape(-1), np.arange(len(kinds)) * payloads.shape[1], sizes)

    def same_addresses(self, addresses: Sequence[str]) -> npt.NDArray[np.uint32]:
        """The holder of the same key in its other form, of each address; `NO_HOLDER` for none."""
        kinds, sizes, payloads = self.scripts(addresses)
        return self.same_keys(kinds, payloads.reshape(-1), np.arange(len(kinds)) * payloads.shape[1], sizes)

    def scripts(self, addresses: Sequence[str]) -> tuple[Array, Array, Array]:
        """Kinds, sizes and payloads of addresses, as `kernels.plain.addresses.decode_addresses` gives them."""
        joined = "".join(addresses).encode("ascii", "replace")  # a letter for a letter; the mark is in no address
        end = np.cumsum(np.fromiter(map(len, addresses), np.int64, len(addresses)))
        codec = kernel("addresses", compiled=len(addresses) >= COMPILED_FROM)
        kinds, sizes, payloads = codec.decode_addresses(np.frombuffer(joined, np.uint8), end, self.forms)
        return kinds, sizes, payloads

    def holders(self, kinds: Array, data: Array, start: Array, size: Array) -> npt.NDArray[np.uint32]:
        """The holder of each script; arguments as in `kernels.plain.probing.probe`."""
        found = np.full(len(kinds), NO_HOLDER, np.uint32)
        if not len(kinds):
            return found
        compiled = len(kinds) >= COMPILED_FROM
        start, size = np.ascontiguousarray(start, np.int64), np.ascontiguousarray(size, np.int64)
        keys = kernel("ordering", compiled=compiled).payload_keys(data, start, start + size)
        probe = kernel("probing", compiled=compiled).probe
        for run in self._runs:
            probe(run, self._rows, keys, kinds, data, start, size, found)
        return found

    @cached_property
    def _rows(self) -> HolderRows:
        ends = self._store.column("holder_end")
        columns = self._store.column("holder_kind"), ends.low, ends.carries, self._store.column("payload_bytes")
        return HolderRows(*map(frozen, columns))

    @cached_property
    def _runs(self) -> list[HolderRun]:
        """The store's runs, and one in memory for the rows that none covers yet: of a build that goes on, or was stopped."""
        parts = [
            (self._store.index(run, "holder_first"), self._store.index(run, "holder_number"))
            for run in self._store.manifest.runs
        ]
        covered, rows = self._store.manifest.indexed["holder"], self._store.rows("holder")
        if covered < rows:
            start, end = self._places(np.arange(covered, rows))
            buckets = 1 << max(0, ((rows - covered) // _LATE_BUCKET).bit_length() - 1)
            ordering = kernel("ordering", compiled=rows - covered >= COMPILED_FROM)
            keys = ordering.payload_keys(self._store.column("payload_bytes"), start, end)
            first, order = ordering.bucket_order(keys, buckets)
            parts.append((first, order + np.uint32(covered)))
        return [HolderRun(frozen(first), frozen(number)) for first, number in parts]

    def _places(self, holders: Array) -> tuple[Array, Array]:
        """int64[n] each: where the payloads of holders begin and end."""
        ends = self._store.column("holder_end")
        end = np.asarray(ends[holders]).astype(np.int64)
        before = np.asarray(ends[np.maximum(holders, 1) - 1]).astype(np.int64)
        return np.where(holders > 0, before, 0), end

    def same_keys(self, kinds: Array, data: Array, start: Array, size: Array) -> npt.NDArray[np.uint32]:
        """The holder of the same key in its other form, for each script; as `ChainStore.same_key`, `NO_HOLDER` for none."""
        found = np.full(len(kinds), NO_HOLDER, np.uint32)
        start, size = np.ascontiguousarray(start, np.int64), np.ascontiguousarray(size, np.int64)
        for row in np.flatnonzero(kinds == ScriptKind.P2PK).tolist():
            number = self._store.find_holder(address.key_hash(data[start[row] : start[row] + size[row]].tobytes()))
            found[row] = NO_HOLDER if number is None else number
        hashed = np.flatnonzero(kinds == ScriptKind.P2PKH)
        heads, keys = self._keys
        if not len(heads) or not len(hashed):
            return found
        head = data[start[hashed, None] + np.arange(_HEAD)].view(np.uint64).reshape(-1)
        places = np.searchsorted(heads, head).clip(max=len(heads) - 1)
        for row in hashed[heads[places] == head].tolist():
            found[row] = keys.get(data[start[row] : start[row] + size[row]].tobytes(), NO_HOLDER)
        return found

    @cached_property
    def _keys(self) -> tuple[npt.NDArray[np.uint64], dict[bytes, int]]:
        """Holders that are public keys, by the hash of the key, and the first eight bytes of these hashes in order.

        Some ten thousands on Bitcoin: nobody is paid by key for long.
        """
        numbers = [self._store.index(run, "key_number") for run in self._store.manifest.runs]
        covered = self._store.manifest.indexed["holder"]
        numbers.append(np.flatnonzero(self._store.column("holder_kind")[covered:] == ScriptKind.P2PK) + covered)
        keys: dict[bytes, int] = {}
        for number in np.sort(np.concatenate(numbers)).tolist():
            keys.setdefault(address.key_hash(self._store.holder(number).payload).payload, number)
        heads = np.frombuffer(b"".join(key[:_HEAD] for key in keys), np.uint64)
        return np.sort(heads), keys

    def twins(self, holders: npt.ArrayLike) -> npt.NDArray[np.uint32]:
        """The other form of each holder's key, as `ChainStore.twin`; `NO_HOLDER` for none."""
        numbers = np.asarray(holders, np.int64)
        start, end = self._places(numbers)
        kinds = self._store.column("holder_kind")[numbers]
        return self.same_keys(kinds, self._store.column("payload_bytes"), start, end - start)

    def identities(self, holders: npt.ArrayLike) -> list[str]:
        """The address of each holder, or `kind:payload` where there is none."""
        numbers = np.asarray(holders, np.int64)
        if not len(numbers):
            return []
        start, end = self._places(numbers)
        codec = kernel("addresses", compiled=len(numbers) >= COMPILED_FROM)
        kinds = self._store.column("holder_kind")[numbers]
        texts, sizes = codec.encode_addresses(kinds, self._store.column("payload_bytes"), start, end, self.forms)
        whole, width = texts.tobytes().decode("ascii"), texts.shape[1]
        return [
            whole[place : place + size] if size else address.identity(self._store.holder(number), self._store.network)
            for place, size, number in zip(
                range(0, width * len(numbers), width), sizes.tolist(), numbers.tolist(), strict=True
            )
        ]
