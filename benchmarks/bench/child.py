"""One measurement in a process of its own: `python -m bench.child JOB WARM_UP_CHAIN`; the sample is its last line.

The same work is done on a tiny chain first, so that compiled kernels are loaded and libraries have started.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from types import MappingProxyType
from typing import Any

from bench.data import Chain, read_through
from bench.errors import BenchError
from bench.job import Job, Task
from bench.machine import peak_bytes
from bench.results import Sample

TASKS = {
    "blocks": "bench.tasks.building:blocks",
    "parquet": "bench.tasks.building:parquet",
    "extend": "bench.tasks.extending:extend",
    "verify": "bench.tasks.reading:verify_store",
    "look-up": "bench.tasks.reading:look_up",
    "describe": "bench.tasks.reading:describe",
    "cluster": "bench.tasks.clustering:cluster",
    "haircut": "bench.tasks.tainting:haircut",
    "fifo": "bench.tasks.tainting:fifo",
    "walk": "bench.tasks.walking:walk",
    "answers": "bench.tasks.walking:answers",
    "look-up-many": "bench.tasks.asking:look_up_many",
    "first-answers": "bench.tasks.asking:first_answers",
    "claims": "bench.tasks.claims:keep",
    "screen": "bench.tasks.screening:screen",
    "serve": "bench.tasks.serving:serve",
    "visit": "bench.tasks.visiting:visit",
    "casework": "bench.tasks.casework:casework",
    "share": "bench.tasks.sharing:share",
    "share-bundle": "bench.tasks.sharing:bundle",
    "share-stream": "bench.tasks.sharing:stream",
    "accuracy": "bench.accuracy:task",
    "bitcoinlib": "bench.peers.bitcoinlib:run",
    "polars": "bench.peers.polars_frames:run",
    "duckdb": "bench.peers.duckdb_tables:run",
}
TWO_THREADS = {"RAYON_NUM_THREADS": "2"}  # what the page says of the peers that take this word
COMPILED = "compiled"  # the fact that says how many kernels were compiled on the clock
_FOLDER = Path(__file__).resolve().parents[1]
_TAIL = 2_000  # characters of a failed child's words that are shown


def measure(job: Job, tiny: Chain | None, variables: Mapping[str, str] = MappingProxyType({})) -> Sample:
    """Run a job in a new process with these variables more, after the same on the chain `tiny` where there is one.

    Raises:
        BenchError: It failed; its last words are in the message.
    """
    os.sync()  # what the one before wrote is not written on this one's time
    command = [sys.executable, "-m", "bench.child", job.as_text()]
    if tiny is not None:
        command.append(job.on(tiny, job.scratch.with_name("warm-up")).as_text())
    done = subprocess.run(  # noqa: S603 - own words
        command,
        cwd=_FOLDER,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **TWO_THREADS, **variables},
    )
    if done.returncode:
        raise BenchError(
            f"{job.task} failed: {done.stderr[-_TAIL:].strip()}", hint="see the words of the failed process"
        )
    return Sample(**json.loads(done.stdout.splitlines()[-1]))


def start_time(job: Job, cache: Path | None = None) -> float:
    """Seconds from starting a process to the end of its job, without warming up.

    Args:
        job: On a tiny chain, so that starting is what takes the time.
        cache: An empty folder for compiled kernels; None takes those that are compiled already.
    """
    begin = perf_counter()
    measure(job, None, {} if cache is None else {"NUMBA_CACHE_DIR": str(cache)})
    return perf_counter() - begin


def _task(name: str) -> Task:
    module, _, function = TASKS[name].partition(":")
    found: Task = getattr(importlib.import_module(module), function)
    return found


def _compiling() -> Any:
    """Notes what is compiled while it is open: a cached kernel that is loaded is not."""
    from numba.core.event import install_recorder  # noqa: PLC0415 - the parent process starts without

    return install_recorder("numba:compile")


def _read_by(job: Job) -> list[Path]:
    """Files that a job reads while the clock runs."""
    if job.task in ("blocks", "extend", "bitcoinlib"):
        return job.chain.blocks
    return job.chain.parquet if job.task in ("parquet", "polars", "duckdb") else sorted(job.chain.store.rglob("*.bin"))


def main(texts: list[str]) -> None:
    """Do the jobs, the one that counts first in the list and last in time."""
    job, *before = (Job.from_text(text) for text in texts)
    task = _task(job.task)
    for other in before:
        other.scratch.mkdir(parents=True, exist_ok=True)
        task(other)
    read_through(_read_by(job))
    with _compiling() as compiled:
        outcome = task(job)
    facts = {**outcome.facts, COMPILED: len(compiled.buffer)}
    sys.stdout.write(json.dumps(asdict(Sample(outcome.seconds, peak_bytes(), facts))) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
