"""The columns of the chain store: their names, types and widths (docs/spec/chain-store.md).

Structure of arrays in chain order: a whole pass is a linear read, a hop is one index. Numbers of transactions and
holders fit 32 bits (1.3 and 1.5 thousand million on Bitcoin today); numbers of outputs and inputs do not for long
(3.6 of 4.29 thousand million), so those read as 64-bit everywhere, and lie as `wide` lays them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from shieldwall.chain.wide import NONE
from shieldwall.kernels.arrays import COINBASE, FINAL, LOCKED, REPLACEABLE, VERSION_MASK, VERSION_SHIFT

FORMAT = "shieldwall-chain/3"

NO_TRANSACTION = 0xFFFFFFFF  # output.spender: no spender in this store
UNSPENDABLE = 0xFFFFFFFE  # output.spender: provably never (OP_RETURN, over 10,000 bytes, overwritten by BIP 30)
NO_HOLDER = 0xFFFFFFFF  # input.holder: previous output not known
NO_OUTPUT = NONE  # input.output: the creating transaction is not in this store
NO_VALUE = 0xFFFFFFFFFFFFFFFF  # outside.value: the source does not give it
NO_HEIGHT = 0xFFFFFFFF

WHOLE = 1  # block.flags: all its transactions are here, and their merkle root is the header's: inclusion proven
GIVEN = 4  # block.flags: its txids are what the source calls them, and nothing proves them
HEADER = 2  # block.flags: the 80-byte header is here and carries its work

KEPT_FLAGS = COINBASE | REPLACEABLE | LOCKED | VERSION_MASK << VERSION_SHIFT | FINAL
"""Of a decoded transaction's flags: those that every source tells, stripped of witness or not."""

STATED_UNSPENT = bytes(32)  # stated.txid: the source says that nothing had spent it as of stated.height


@dataclass(frozen=True, slots=True)
class Column:
    """One file of fixed-width rows, little-endian.

    Attributes:
        name: File name without `.bin`, `table_field`.
        dtype: NumPy type of an element.
        width: Elements in a row; 1 makes the column one-dimensional.
        form: How numbers beyond the type are laid down (`wide`); "plain" where the type holds them.
    """

    name: str
    dtype: type[np.generic]
    width: int = 1
    form: Literal["plain", "ascending", "wide"] = "plain"

    @property
    def table(self) -> str:
        """The table that its rows belong to; all columns of a table have equally many rows."""
        return self.name.partition("_")[0]

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return np.dtype(self.dtype).itemsize * self.width


COLUMNS = {
    column.name: column
    for column in (
        Column("block_header", np.uint8, 80),
        Column("block_hash", np.uint8, 32),
        Column("block_height", np.uint32),
        Column("block_time", np.uint32),
        Column("block_flags", np.uint8),
        Column("block_first_tx", np.uint32),
        Column("block_digest", np.uint8, 32),
        Column("block_raw_file", np.uint16),
        Column("block_raw_offset", np.uint64),
        Column("block_raw_length", np.uint32),
        Column("tx_txid", np.uint8, 32),
        Column("tx_first_input", np.uint32, form="ascending"),
        Column("tx_first_output", np.uint32, form="ascending"),
        Column("tx_flags", np.uint8),
        Column("output_value", np.uint64),
        Column("output_holder", np.uint32),
        Column("output_spender", np.uint32),
        Column("input_output", np.uint32, form="wide"),
        Column("input_holder", np.uint32),
        Column("outside_input", np.uint64),
        Column("outside_txid", np.uint8, 32),
        Column("outside_index", np.uint32),
        Column("outside_value", np.uint64),
        Column("stated_output", np.uint64),
        Column("stated_height", np.uint32),
        Column("stated_txid", np.uint8, 32),
        Column("holder_kind", np.uint8),
        Column("holder_end", np.uint32, form="ascending"),
        Column("payload_bytes", np.uint8),
        Column("raw_bytes", np.uint8),
    )
}
STATED = "stated"
"""The table that is written anew with the indexes, and lies in their folder: what sources say of spends."""

TABLES = tuple(dict.fromkeys(column.table for column in COLUMNS.values()))

INDEXES = {
    column.name: column
    for column in (
        Column("txid_first", np.uint32),  # bucket -> its first place in txid_number (one entry more than buckets)
        Column("txid_number", np.uint32),  # transactions, bucket by bucket, ascending within each
        Column("holder_first", np.uint32),
        Column("holder_number", np.uint32),
        Column("key_first", np.uint32),  # the same for holders that are public keys, by the hash of the key
        Column("key_number", np.uint32),
        Column("paid_holder", np.uint32),  # holders that outputs of the run pay, ascending; none in a run from 0: all
        Column(
            "paid_first", np.uint32, form="ascending"
        ),  # -> first place in paid_output (one entry more than holders)
        Column("paid_output", np.uint32, form="wide"),
    )
}
