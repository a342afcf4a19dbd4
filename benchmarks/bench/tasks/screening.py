"""Screen a long list of addresses: the whole command, from the list on disk to the rows on disk."""

from __future__ import annotations

from pathlib import Path

from bench.errors import BenchError
from bench.figures import DIRECT, HOPS
from bench.job import Job, Outcome
from bench.program import timed
from bench.seeds import random_addresses
from bench.services import member_folder
from shieldwall.chain.store import ChainStore

_ELSEWHERE = 10  # of so many addresses one is not in the store


def screen(job: Job) -> Outcome:
    """Options: `asked` addresses directly, `reached` to `hops` hops. Times are those of whole processes, starting included.

    Raises:
        BenchError: The command failed, or left an address out.
    """
    rates, bytes_ = {}, {}
    places = ["--chain", str(job.chain.store), "--data", str(member_folder(job.chain))]
    for name, hops, asked in ((DIRECT, 0, job.options["asked"]), (HOPS, job.options["hops"], job.options["reached"])):
        listed, rows = job.scratch / f"{hops}-list.csv", job.scratch / f"{hops}-rows.csv"
        with ChainStore.open(job.chain.store) as store:
            addresses = random_addresses(store, asked, elsewhere=_ELSEWHERE)
        listed.write_text("address\n" + "\n".join(addresses) + "\n", encoding="utf-8")
        seconds = timed("screen", str(listed), "--hops", str(hops), "--to", str(rows), *places)
        found = _lines(rows) - 1
        if found != len(addresses):
            raise BenchError(f"screen: {found} rows of {len(addresses)}", hint="a fault of the command: report it")
        rates[name], bytes_[name] = found / seconds, rows.stat().st_size
        rows.unlink()
    facts = {"asked": job.options["asked"], "reached": job.options["reached"], "rate": rates, "bytes": bytes_}
    return Outcome(job.options["asked"] / rates[DIRECT] + job.options["reached"] / rates[HOPS], facts)


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
