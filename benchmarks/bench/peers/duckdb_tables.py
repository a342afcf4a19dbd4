"""DuckDB: address dictionary, previous outputs and spender index from the same Parquet, in SQL."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import duckdb
import numpy as np

from bench.job import Job, Outcome
from bench.same import summary

# Rows come in the order of the files, which is the chain's: DuckDB keeps it (preserve_insertion_order).
_STEPS = (
    """CREATE TEMP TABLE transactions AS
       SELECT row_number() OVER () - 1 AS tx, hash,
              sum(len(outputs)) OVER (ROWS UNBOUNDED PRECEDING) - len(outputs) AS first_output
       FROM read_parquet($files)""",
    """CREATE TEMP TABLE raw_outputs AS
       SELECT row_number() OVER () - 1 AS output, coalesce(o.address, o.script_hex) AS key,
              CAST(round(o.value * 100000000) AS BIGINT) AS value
       FROM (SELECT unnest(outputs) AS o FROM read_parquet($files))""",
    """CREATE TEMP TABLE raw_inputs AS
       SELECT row_number() OVER () - 1 AS input, tx, i.spent_transaction_hash AS hash, i.spent_output_index AS place
       FROM (SELECT tx, unnest(inputs) AS i
             FROM (SELECT row_number() OVER () - 1 AS tx, inputs FROM read_parquet($files)))""",
    """CREATE TABLE store.holders AS
       SELECT row_number() OVER (ORDER BY min(output)) - 1 AS holder, key FROM raw_outputs GROUP BY key""",
    """CREATE TABLE store.inputs AS
       SELECT input, raw_inputs.tx, CAST(first_output + place AS BIGINT) AS output
       FROM raw_inputs LEFT JOIN transactions USING (hash) ORDER BY input""",
    """CREATE TABLE store.outputs AS
       SELECT raw_outputs.output, value, holder, inputs.tx AS spender
       FROM raw_outputs JOIN store.holders USING (key) LEFT JOIN store.inputs USING (output) ORDER BY raw_outputs.output""",
    "CHECKPOINT store",
)


def run(job: Job) -> Outcome:
    """Write outputs, inputs and the dictionary into a database file."""
    path = job.scratch / "store.duckdb"
    files = [str(table) for table in job.chain.tables]
    with duckdb.connect() as connection:
        begin = perf_counter()
        connection.execute("SET temp_directory = $folder", {"folder": str(job.scratch / "spill")})
        connection.execute(f"ATTACH '{path}' AS store")
        for step in _STEPS:
            connection.execute(step, {"files": files} if "$files" in step else None)
        seconds = perf_counter() - begin
        size = path.stat().st_size
        outputs = connection.sql("SELECT value, holder, spender FROM store.outputs ORDER BY output").fetchnumpy()
        links = connection.sql("SELECT output FROM store.inputs ORDER BY input").fetchnumpy()["output"]
    answer = summary(
        values=outputs["value"], links=_numbers(links), spender=_numbers(outputs["spender"]), holder=outputs["holder"]
    )
    return Outcome(seconds, {"bytes": size, "summary": answer})


def _numbers(column: Any) -> Any:
    """A column without its gaps: they are -1."""
    return np.ma.filled(column, -1).astype(np.int64)
