"""The columns of the chain store: their names, types and widths (docs/spec/chain-store.md).

Structure of arrays in chain order: a whole pass is a linear read, a hop is one index. Numbers of transactions and
holders fit 32 bits (1.3 and 1.5 thousand million on Bitcoin today); numbers of outputs and inputs do not for long
(3.6 of 4.29 thousand million), so those are 64-bit everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FORMAT = "shieldwall-chain/1"

NO_TRANSACTION = 0xFFFFFFFF  # output.spender: no spender in this store
UNSPENDABLE = 0xFFFFFFFE  # output.spender: provably never (OP_RETURN, over 10,000 bytes, overwritten by BIP 30)
NO_HOLDER = 0xFFFFFFFF  # input.holder: previous output not known; holder.twin: none
NO_OUTPUT = 0xFFFFFFFFFFFFFFFF  # input.output: the creating transaction is not in this store
NO_VALUE = 0xFFFFFFFFFFFFFFFF  # outside.value: the source does not give it
NO_HEIGHT = 0xFFFFFFFF

WHOLE = 1  # block.flags: all its transactions are here, and their merkle root is the header's: inclusion proven
HEADER = 2  # block.flags: the 80-byte header is here and carries its work

STATED_UNSPENT = bytes(32)  # stated.txid: the source says that nothing had spent it as of stated.height


@dataclass(frozen=True, slots=True)
class Column:
    """One file of fixed-width rows, little-endian.

    Attributes:
        name: File name without `.bin`, `table_field`.
        dtype: NumPy type of an element.
        width: Elements in a row; 1 makes the column one-dimensional.
    """

    name: str
    dtype: type[np.generic]
    width: int = 1

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
        Column("tx_txid", np.uint8, 32),
        Column("tx_first_input", np.uint64),
        Column("tx_first_output", np.uint64),
        Column("tx_flags", np.uint8),
        Column("tx_raw_offset", np.uint64),
        Column("tx_raw_length", np.uint32),
        Column("tx_raw_file", np.uint16),
        Column("output_value", np.uint64),
        Column("output_holder", np.uint32),
        Column("output_spender", np.uint32),
        Column("input_output", np.uint64),
        Column("input_holder", np.uint32),
        Column("outside_input", np.uint64),
        Column("outside_txid", np.uint8, 32),
        Column("outside_index", np.uint32),
        Column("outside_value", np.uint64),
        Column("stated_output", np.uint64),
        Column("stated_height", np.uint32),
        Column("stated_txid", np.uint8, 32),
        Column("holder_kind", np.uint8),
        Column("holder_end", np.uint64),
        Column("holder_twin", np.uint32),
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
        Column("txid_key", np.uint64),  # first 8 bytes of the txid, ascending
        Column("txid_number", np.uint32),  # the transaction of each key
        Column("holder_key", np.uint64),  # `store.holder_key` of the payload, ascending
        Column("holder_number", np.uint32),
        Column("paid_first", np.uint64),  # holder -> its outputs: first place in paid_output (one entry more than rows)
        Column("paid_output", np.uint64),
    )
}
