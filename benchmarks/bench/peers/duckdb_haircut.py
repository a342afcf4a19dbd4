"""DuckDB: haircut in rounds. Each moves all tainted money by one spend, and what is less than a satoshi is cut off.

Taint adds up, so an output that is reached again in a later round takes what is new, and that goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bench.figures import DUCKDB

# `moved` is what flows into each transaction in a round; a transaction with no known value coming in passes nothing on
_ROUND = (
    """CREATE OR REPLACE TEMP TABLE moved AS
       SELECT spender AS tx, sum(amount) AS amount FROM frontier JOIN outputs USING (output)
       WHERE spender IS NOT NULL GROUP BY spender""",
    """CREATE OR REPLACE TEMP TABLE frontier AS
       SELECT output, amount * value / coming AS amount
       FROM moved JOIN transactions USING (tx) JOIN outputs ON outputs.tx = moved.tx
       WHERE coming > 0 AND amount * value / coming >= 1""",
    "INSERT INTO taint SELECT output, amount FROM frontier",
)
_BEGIN = (
    "CREATE OR REPLACE TEMP TABLE taint (output BIGINT, amount DOUBLE)",
    """CREATE OR REPLACE TEMP TABLE frontier AS
       SELECT output, CAST(value AS DOUBLE) AS amount FROM seeds JOIN outputs USING (output)""",
    "INSERT INTO taint SELECT output, amount FROM frontier",
)
_LOAD = (
    "CREATE TABLE outputs AS SELECT * FROM outputs_given",
    "CREATE TABLE transactions AS SELECT * FROM transactions_given",
    "CREATE TABLE seeds AS SELECT * FROM seeds_given",
)


def works(arrays: Any) -> dict[str, Callable[[], Any]]:
    """The tables lie in DuckDB's memory before the clock runs, with the sum that flows into each transaction."""
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    _load(connection, arrays)

    def work() -> npt.NDArray[np.float64]:
        for step in _BEGIN:
            connection.execute(step)
        while connection.execute("SELECT count(*) FROM frontier").fetchone() != (0,):
            for step in _ROUND:
                connection.execute(step)
        rows = connection.execute("SELECT output, sum(amount) AS amount FROM taint GROUP BY output").fetchnumpy()
        taint = np.zeros(len(arrays.value))
        taint[rows["output"]] = rows["amount"]
        return taint

    return {DUCKDB: work}


def _load(connection: duckdb.DuckDBPyConnection, arrays: Any) -> None:
    spent = arrays.spender < arrays.transactions
    outputs = pa.table(
        {
            "output": np.arange(len(arrays.value)),
            "tx": arrays.maker.astype(np.int64),
            "value": arrays.value.astype(np.int64),
            "spender": pa.array(arrays.spender.astype(np.int64), mask=~spent),
        }
    )
    transactions = pa.table({"tx": np.arange(arrays.transactions), "coming": arrays.coming.astype(np.float64)})
    for name, table in (
        ("outputs", outputs),
        ("transactions", transactions),
        ("seeds", pa.table({"output": arrays.seeds})),
    ):
        connection.register(f"{name}_given", table)
    for step in _LOAD:
        connection.execute(step)
