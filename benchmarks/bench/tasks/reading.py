"""Read a store: check it, find things in it, say what is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import perf_counter, perf_counter_ns
from typing import Any

import numpy as np

from bench.errors import BenchError
from bench.job import Job, Outcome
from bench.same import summary
from shieldwall.chain.columns import UNSPENDABLE
from shieldwall.chain.store import ChainStore
from shieldwall.chain.verify import verify

ASKED = 10_000  # random transactions and holders
_SEED = 7


def verify_store(job: Job) -> Outcome:
    """`chain verify` without --source.

    Raises:
        BenchError: The store is not what was built.
    """
    with ChainStore.open(job.chain.store) as store:
        begin = perf_counter()
        report = verify(store)
        seconds = perf_counter() - begin
    if not report.passed:
        raise BenchError(f"{job.chain.store}: verify failed", hint=f"shieldwall chain verify --chain {job.chain.store}")
    return Outcome(seconds, {"bytes": sum(path.stat().st_size for path in job.chain.store.rglob("*.bin"))})


def look_up(job: Job) -> Outcome:
    """Open a store, and find random transactions, holders and their outputs, one after the other from Python."""
    begin = perf_counter()
    with ChainStore.open(job.chain.store) as store:
        opened = perf_counter() - begin
        random = np.random.default_rng(_SEED)
        numbers = random.integers(store.rows("tx"), size=ASKED)
        txids = [store.column("tx_txid")[number].tobytes() for number in numbers]
        holders = random.integers(store.rows("holder"), size=ASKED).tolist()
        scripts = [store.holder(number) for number in holders]
        facts = {
            "asked": ASKED,
            "open": opened,
            "find_transaction": _latencies(store.find_transaction, txids),
            "find_holder": _latencies(store.find_holder, scripts),
            "outputs_of": _latencies(store.outputs_of, holders),
        }
    return Outcome(perf_counter() - begin, facts)


def _latencies(function: Callable[[Any], object], arguments: Iterable[Any]) -> dict[str, float]:
    """Microseconds of single calls: p50 and p99."""
    taken = []
    for argument in arguments:
        begin = perf_counter_ns()
        function(argument)
        taken.append(perf_counter_ns() - begin)
    p50, p99 = (np.percentile(taken, [50, 99]) / 1e3).tolist()
    return {"p50": p50, "p99": p99}


def describe(job: Job) -> Outcome:
    """What the chain holds, and, with the option `summary`, the digests that peers are held to."""
    with ChainStore.open(job.chain.store) as store:
        live = int(np.count_nonzero(store.column("output_spender") > UNSPENDABLE))
        facts: dict[str, Any] = {
            "blocks": store.rows("block"),
            "transactions": store.rows("tx"),
            "outputs": store.rows("output"),
            "inputs": store.rows("input"),
            "holders": store.rows("holder"),
            "payload_bytes": store.rows("payload"),
            "unspent": live,
            "raw_bytes": int(store.column("block_raw_length").astype(np.int64).sum()),
            "block_bytes": sum(path.stat().st_size for path in job.chain.blocks),
            "parquet_bytes": sum(path.stat().st_size for path in job.chain.parquet),
        }
        if job.options.get("summary"):
            spender = np.asarray(store.column("output_spender")).astype(np.int64)
            spender[spender >= UNSPENDABLE] = -1
            links = np.asarray(store.column("input_output")).astype(np.int64)  # one that is missing becomes -1
            values = np.asarray(store.column("output_value")).astype(np.int64)
            holder = np.asarray(store.column("output_holder")).astype(np.int64)
            facts["summary"] = summary(values=values, links=links, spender=spender, holder=holder)
    return Outcome(0.0, facts)
