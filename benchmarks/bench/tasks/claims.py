"""Claims into a node's store, and out again by subject: every one an act with its leaf in the audit log."""

from __future__ import annotations

import random
from collections.abc import Iterator
from time import perf_counter

from bench.errors import BenchError
from bench.job import Job, Outcome
from shieldwall.model.access import Identity, Kind, Role
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.marking import Marking
from shieldwall.model.network import MAIN
from shieldwall.store import Secrets, Store

_WHO = Identity(
    kind=Kind.PERSON, person="1" * 32, name="Bench", roles=frozenset((Role.ANALYST,)), highest=Marking.AMBER
)
_SHOWN = 500_000  # claims of a stretch whose rate is told


def keep(job: Job) -> Outcome:
    """Options: `claims` in all, `at_once` in one act, `asked` look-ups, `place` of a database ("": SQLite in the scratch folder).

    Raises:
        BenchError: A claim was not found again.
    """
    total, at_once = job.options["claims"], job.options["at_once"]
    file = job.scratch / "node.db"
    with Store.create(job.options["place"] or str(file), Secrets(bytes(32))) as store:
        begin = stretch = perf_counter()
        rates = []
        for first in range(0, total, at_once):
            end = min(first + at_once, total)
            with store.act(_WHO, "claim.add") as work:
                work.note(added=work.claims.add(_claims(first, end)).added)
            if end % _SHOWN == 0:
                now = perf_counter()
                rates.append(_SHOWN / (now - stretch))
                stretch = now
        seconds = perf_counter() - begin
        taken = sorted(_ask(store, total, job.options["asked"]))
    held = sum(path.stat().st_size for path in job.scratch.glob("node.db*"))
    facts = {
        "claims": total,
        "rate": total / seconds,
        "rates": rates,
        "median": taken[len(taken) // 2],
        "p99": taken[len(taken) * 99 // 100],
        "bytes": held,
    }
    return Outcome(seconds, facts)


def _claims(first: int, end: int) -> Iterator[Claim]:
    for number in range(first, end):
        yield Claim(
            subject=_subject(number),
            kind="tag",
            statement={"label": f"Service {number % 1000}", "category": "exchange", "actor": "example"},
            layer=Layer.ATTRIBUTION,
            source="https://example.org/reserves",
            made_by="Example desk",
            at="2026-01-01",
            confidence=50,
            marking=Marking.GREEN,
        )


def _subject(number: int) -> Subject:
    return Subject("address", MAIN.caip2, f"bc1q{number:038d}")


def _ask(store: Store, total: int, asked: int) -> Iterator[float]:
    """Seconds of each look-up, the writing of its leaf among them."""
    draw = random.Random(1)  # noqa: S311 - which claims are asked for is no secret
    for _ in range(asked):
        subject = _subject(draw.randrange(total))
        begin = perf_counter()
        with store.look(_WHO, "claim.find") as work:
            found = work.claims.find(subject)
        yield perf_counter() - begin
        if [kept.claim.subject for kept in found] != [subject]:
            raise BenchError(f"{len(found)} claims on {subject.name}", hint="a fault of the store: report it")
