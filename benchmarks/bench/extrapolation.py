"""From what was measured to all of Bitcoin: time, disk, memory. Estimates; every formula is on the page with its inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench.results import Results, Size

BITCOIN = {
    "tx": 1_300_000_000,
    "output": 3_600_000_000,
    "input": 3_400_000_000,
    "holder": 1_400_000_000,
    "block": 920_000,
}
"""Rows of all of Bitcoin at the end of 2025, rounded; what the estimate is for, not something measured."""

UNSPENT = 180_000_000
BLOCK_BYTES = 0.75e12  # of all block files
MACHINE_BYTES = 24e9  # memory of the machine that is asked about

_ROWS_OF = {  # of columns whose first word is not their table's
    "txid": "tx", "paid_output": "output", "paid_first": "holder", "paid_holder": "holder", "payload": "holder",
    "key": "holder", "epochs": "block",
}  # fmt: skip
COUNTED = {"tx": "transactions", "output": "outputs", "input": "inputs", "holder": "holders", "block": "blocks"}

GROUPS = {
    "txids": ("tx_txid",),
    "transactions: first input and output, flags": ("tx_first_input", "tx_first_output", "tx_flags"),
    "outputs: value, holder, spender": ("output_value", "output_holder", "output_spender"),
    "inputs: output that is spent (40 bits), holder": ("input_output", "input_holder"),
    "holders: kind, payload": ("holder_kind", "holder_end", "payload_bytes"),
    "index: txid to transaction": ("txid_first", "txid_number"),
    "index: payload to holder": ("holder_first", "holder_number", "key_first", "key_number"),
    "index: holder to outputs": ("paid_holder", "paid_first", "paid_output"),
}
REST = "blocks, epochs, and what lies outside"


def rows_of(column: str) -> str:
    """The table whose rows a file grows with."""
    first = column.partition("_")[0]
    return _ROWS_OF.get(column) or _ROWS_OF.get(first) or (first if first in BITCOIN else "tx")


def groups(files: dict[str, int]) -> dict[str, dict[str, int]]:
    """The files of a store by group of columns; what is in no group is the rest."""
    named = {column: group for group, columns in GROUPS.items() for column in columns}
    told: dict[str, dict[str, int]] = {group: {} for group in (*GROUPS, REST)}
    for column, size in files.items():
        told[named.get(column, REST)][column] = size
    return told


@dataclass(frozen=True, slots=True)
class Time:
    """Seconds that all of Bitcoin would take, one way.

    Attributes:
        cost: Microseconds per transaction at the largest chain measured.
        growth: Microseconds that it grows by when the chain grows tenfold; 0 where it did not grow.
        far: Microseconds per transaction at Bitcoin's size, if it goes on growing like that.
        by_transactions: Seconds, by the number of transactions.
        by_bytes: Seconds, by the bytes of block files; None where bytes are not comparable (Parquet).
    """

    cost: float
    growth: float
    far: float
    by_transactions: float
    by_bytes: float | None


def time(results: Results, name: str, *, bytes_of: str | None = None) -> Time:
    """Fit `cost + growth * log10(n / largest)` to the smallest and largest chain, and go on to Bitcoin's size.

    Args:
        results: With one chain, growth counts as none.
        name: The measurement.
        bytes_of: Of `Size.data`, what the measurement read, where its bytes are like Bitcoin's.
    """
    smallest, largest = (results.built[pick(results.built)] for pick in (min, max))
    count = largest.data["transactions"]
    cost = 1e6 / largest.rate(name)
    decades = math.log10(count / smallest.data["transactions"])
    growth = max(0.0, (cost - 1e6 / smallest.rate(name)) / decades) if decades else 0.0
    far = cost + growth * math.log10(BITCOIN["tx"] / count)
    by_bytes = None
    if bytes_of is not None:
        by_bytes = BLOCK_BYTES / (largest.data[bytes_of] / largest.median(name)) * far / cost
    return Time(cost, growth, far, BITCOIN["tx"] * far / 1e6, by_bytes)


def disk(size: Size) -> dict[str, float]:
    """Bytes of each group for all of Bitcoin: bytes per row of the table it grows with, times Bitcoin's rows."""
    return {
        group: sum(
            size_of / size.data[COUNTED[rows_of(column)]] * BITCOIN[rows_of(column)]
            for column, size_of in columns.items()
        )
        for group, columns in groups(size.facts("blocks-2")["files"]).items()
    }


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that a build of all of Bitcoin holds in memory, from least to most.

    Attributes:
        payload: Mean bytes of a holder's payload, measured.
        a_holder: Bytes for each holder: a slot of 8 at a load of 1/2 to 1/4, payload, end (8) and kind (1).
        holders: Bytes for all of them.
        a_live: Bytes for each unspent output: a slot of 32 at a load of 2/3 to 1/3.
        live: Bytes for all of them.
        batches: What a build held besides at the smallest chain: Python, libraries, blocks under way.
    """

    payload: float
    a_holder: tuple[float, float]
    holders: tuple[float, float]
    a_live: tuple[float, float]
    live: tuple[float, float]
    batches: float

    @property
    def all(self) -> tuple[float, float]:
        """Bytes together."""
        least, most = (self.holders[k] + self.live[k] + self.batches for k in (0, 1))
        return least, most

    @property
    def fitting(self) -> tuple[float, float]:
        """Holders that a machine of `MACHINE_BYTES` has room for beside the unspent outputs, from least to most."""
        least, most = ((MACHINE_BYTES - self.live[k] - self.batches) / self.a_holder[k] for k in (1, 0))
        return max(0.0, least), max(0.0, most)


def memory(results: Results) -> Memory:
    """The tables of a build at Bitcoin's size."""
    size = results.built[min(results.built)]
    payload = size.data["payload_bytes"] / size.data["holders"]
    a_holder = tuple(8 * slots + payload + 8 + 1 for slots in (2, 4))
    a_live = tuple(32 * slots for slots in (1.5, 3.0))
    held = size.data["holders"] * a_holder[0] + size.data["unspent"] * a_live[0]
    return Memory(
        payload=payload,
        a_holder=(a_holder[0], a_holder[1]),
        holders=(a_holder[0] * BITCOIN["holder"], a_holder[1] * BITCOIN["holder"]),
        a_live=(a_live[0], a_live[1]),
        live=(a_live[0] * UNSPENT, a_live[1] * UNSPENT),
        batches=max(0.0, size.peak("blocks-2") - held),
    )
