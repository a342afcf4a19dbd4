"""polars: address dictionary, previous outputs and spender index from the same Parquet, streaming where it can."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import polars as pl

from bench.job import Job, Outcome
from bench.same import summary

_COIN = 100_000_000  # satoshi


def run(job: Job) -> Outcome:
    """Write outputs, inputs and the dictionary as Arrow files; rows come in the chain's order, as the files have them."""
    begin = perf_counter()
    rows = pl.scan_parquet(job.chain.tables, hive_partitioning=False).with_row_index("tx")
    counted = pl.col("outputs").list.len().cast(pl.Int64)
    transactions = _collect(rows.select("tx", "hash", first_output=counted.cum_sum() - counted))
    outputs = _collect(
        rows.select("tx", "outputs")
        .explode("outputs")
        .select(
            "tx",
            key=pl.coalesce(_field("outputs", "address"), _field("outputs", "script_hex")),
            value=(_field("outputs", "value") * _COIN).round().cast(pl.Int64),
        )
        .with_row_index("output")
    )
    holders = outputs.group_by("key").agg(pl.col("output").min()).sort("output").drop("output").with_row_index("holder")
    numbered = outputs.join(holders, on="key", maintain_order="left").select("output", "value", "holder")
    inputs = _collect(
        rows.select("tx", "inputs")
        .explode("inputs")
        .drop_nulls("inputs")
        .select("tx", hash=_field("inputs", "spent_transaction_hash"), place=_field("inputs", "spent_output_index"))
    )
    links = inputs.join(transactions.drop("tx"), on="hash", how="left", maintain_order="left").select(
        "tx", output=pl.col("first_output") + pl.col("place")
    )
    spends = links.drop_nulls().select(pl.col("output").cast(pl.UInt32), spender="tx")
    told = numbered.join(spends, on="output", how="left", maintain_order="left")
    made = {"outputs": told.drop("output"), "inputs": links.select("output"), "holders": holders.select("key")}
    for name, frame in made.items():
        frame.write_ipc(job.scratch / f"{name}.arrow", compression="uncompressed")
    seconds = perf_counter() - begin
    size = sum(path.stat().st_size for path in job.scratch.glob("*.arrow"))
    answer = summary(
        values=told["value"].to_numpy(),
        links=_numbers(links["output"]),
        spender=_numbers(told["spender"]),
        holder=_numbers(told["holder"]),
    )
    return Outcome(seconds, {"bytes": size, "summary": answer})


def _field(column: str, name: str) -> pl.Expr:
    return pl.col(column).struct.field(name)


def _collect(frame: pl.LazyFrame) -> pl.DataFrame:
    return frame.collect(engine="streaming")


def _numbers(series: pl.Series) -> Any:
    return series.cast(pl.Int64).fill_null(-1).to_numpy()
