"""Find many addresses at once, and the time to a first answer of a process that has just been started."""

from __future__ import annotations

from statistics import median
from time import perf_counter

from bench.errors import BenchError
from bench.job import Job, Outcome
from bench.program import timed
from bench.seeds import random_addresses, user_holders
from bench.services import member_folder
from bench.turns import percentiles
from shieldwall.chain.store import ChainStore

_ELSEWHERE = 10  # of so many addresses one is not in the store
_CHECKED = 500


def look_up_many(job: Job) -> Outcome:
    """`ChainStore.find_addresses` on a batch; options: `asked` addresses, `rounds`.

    Raises:
        BenchError: It found something else than one look-up after the other does.
    """
    with ChainStore.open(job.chain.store) as store:
        addresses = random_addresses(store, job.options["asked"], elsewhere=_ELSEWHERE)
        taken = []
        for _ in range(job.options["rounds"] + 1):
            begin = perf_counter()
            found = store.find_addresses(addresses)
            taken.append(perf_counter() - begin)
        for address, holder in zip(addresses[:_CHECKED], found.tolist(), strict=False):
            known = holder < store.rows("holder")
            if known and store.identity(holder) != address:
                raise BenchError(
                    f"{address}: found as {store.identity(holder)}", hint="a fault of the look-up: report it"
                )
        if int((found < store.rows("holder")).sum()) < len(addresses) * (_ELSEWHERE - 1) // _ELSEWHERE:
            raise BenchError("look-up: addresses of the store were not found", hint="a fault of the look-up: report it")
    each = median(taken[1:]) / len(addresses)
    return Outcome(median(taken[1:]), {"asked": len(addresses), "each": each, "first": taken[0] / len(addresses)})


def first_answers(job: Job) -> Outcome:
    """Whole processes, from nothing to the last byte of the answer; options: `asked` addresses, `hops`, `most`."""
    with ChainStore.open(job.chain.store) as store:
        holders = user_holders(store, job.chain.folder / "truth", job.options["asked"])
        addresses = [store.identity(int(holder)) for holder in holders]
    places = ["--chain", str(job.chain.store), "--data", str(member_folder(job.chain)), "-o", "json"]
    limits = ["--hops", str(job.options["hops"]), "--max-transactions", str(job.options["most"])]
    commands = {"trace": [*limits, *places], "screen": places, "chain show": places[:2] + places[4:]}
    latency, total = {}, 0.0
    for name, words in commands.items():
        timed(*name.split(), addresses[0], *words)  # files into the page cache
        taken = [timed(*name.split(), address, *words) for address in addresses]
        latency[name] = percentiles(taken)
        total += sum(taken)
    nothing = min(timed("config", "explain") for _ in range(3))
    return Outcome(total, {"asked": len(addresses), "latency": latency, "nothing": nothing})
