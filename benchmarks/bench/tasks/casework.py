"""Casework on a served node: a case with a long timeline, a package of many transactions, and a case among many."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

from bench.errors import BenchError
from bench.job import Job, Outcome
from bench.served import Served
from bench.tasks.visiting import bodies, counted, paced
from bench.visitor import Visitor
from shieldwall.cases.pack.verifier import verify
from shieldwall.chain.store import ChainStore
from shieldwall.model.access import Handling, Identity
from shieldwall.model.marking import Marking, Pap
from shieldwall.node.home import OpenHome
from shieldwall.store.timeline import NewEntry

_AT_ONCE = 1000  # cases that are opened in one act
_DAY = 86_400_000_000  # microseconds
_KINDS = ("event", "finding", "transfer", "note")
_WORDS = ("harbour", "clinic", "school", "mill", "bank", "ferry", "dairy", "archive", "depot", "museum")


def casework(job: Job) -> Outcome:
    """Options: `entries` of a timeline, `cases`, `transactions` of the case that is packed, `asked` of each page.

    Raises:
        BenchError: A page or a package was refused, or the package is not good.
    """
    options, begin = job.options, perf_counter()
    with ChainStore.open(job.chain.store) as store:
        target = _target(store, options["transactions"], job)
    node = Served.made(job.scratch, job.chain.store)
    secret, case, packed = node.casework(lambda home, me: _filled(home, me, options))
    facts: dict[str, Any] = {name: options[name] for name in ("entries", "cases")}
    with node.running():
        visitor = Visitor(node, secret)
        visitor.trace(target, options["transactions"], case=packed)
        taken = [visitor.pack(packed) for _ in range(3)]
        raw = taken[-1][1]
        facts["pack"] = {"seconds": sorted(seconds for seconds, _ in taken)[1], "bytes": len(raw)}
        begun = perf_counter()
        report = verify(raw)
        facts["verify"] = {"seconds": perf_counter() - begun, "states": report.states}
        facts["transactions"] = len(report.transactions)
        visitor.close()
    with node.running():  # anew, so that nothing is kept open yet
        visitor = Visitor(node, secret)
        facts["first"] = visitor.get(f"/cases/{case}").seconds
        words = [
            f"/cases?q={_WORDS[number % 10]}+{number * 7919 % options['cases']}" for number in range(options["asked"])
        ]
        facts["latency"] = {
            "case": counted(paced(options["asked"], lambda _: visitor.get(f"/cases/{case}").seconds)),
            "search": counted(paced(options["asked"], lambda place: visitor.get(words[place]).seconds)),
            "common": counted(paced(options["asked"], lambda _: visitor.get("/cases?q=bench").seconds)),
        }
        visitor.close()
    if facts["transactions"] < options["transactions"]:
        raise BenchError(f"the package has {facts['transactions']} transactions", hint="take a longer chain")
    return Outcome(perf_counter() - begin, facts)


def _target(store: ChainStore, transactions: int, job: Job) -> str:
    """A transaction whose trace passes so many."""
    for name, body in bodies(store, transactions, job.scratch / "nothing"):
        if len(body["transfers"]) >= transactions:
            return name
    raise BenchError(f"no trace passes {transactions} transactions", hint="take a longer chain")


def _filled(home: OpenHome, me: Callable[[], Identity], options: dict[str, Any]) -> tuple[str, str]:
    """Many cases, one of them with a long timeline, and one to be packed; ids of the last two."""
    for begin in range(0, options["cases"] - 2, _AT_ONCE):
        with home.store.act(me(), "bench.cases") as work:
            for number in range(begin, min(begin + _AT_ONCE, options["cases"] - 2)):
                title = f"Bench {_WORDS[number % 10]} {number}"
                work.cases.add(title, number=f"B-{number}", marking=Marking.AMBER, pap=Pap.AMBER)
    with home.store.act(me(), "bench.cases") as work:
        long, packed = (work.cases.add(title, marking=Marking.AMBER, pap=Pap.AMBER).id for title in ("Long", "Packed"))
    identity = me()
    handling = Handling(marking=Marking.AMBER, pap=Pap.AMBER, owner=identity.person, case=long)
    with home.store.act(identity, "bench.entries") as work:
        entries = [_entry(number, work.now) for number in range(options["entries"])]
        work.timeline.add(entries, handling)
    return long, packed


def _entry(number: int, now: int) -> NewEntry:
    kind = _KINDS[number % len(_KINDS)]
    body: dict[str, Any] = {"text": f"something that happened, number {number}", "by": "Bench 0"}
    if kind == "transfer":
        txid = f"{number:064x}"
        body = {
            "txid": txid,
            "index": 0,
            "address": f"bc1q{number:038d}",
            "amount": number,
            "coin": "BTC",
            "proof": "txid",
        }
    return NewEntry(kind=kind, ref=f"{number:064x}", body=body, happened_at=now - number * _DAY // 100)
