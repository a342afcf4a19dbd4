"""The pages of a served node: how soon they are answered, to one and to ten at once, what they weigh, when they can be used."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from time import perf_counter, sleep
from typing import Any
from urllib.parse import quote

import numpy as np

from bench.browsing import browser, ready
from bench.errors import BenchError
from bench.job import Job, Outcome
from bench.served import Served, listed
from bench.turns import percentiles
from bench.visitor import COOKIE, PACE, Visitor, boxes_in, weight
from shieldwall.chain.graph import graph_of
from shieldwall.chain.store import ChainStore
from shieldwall.node.api import trace_money
from shieldwall.trace.arrangement import MOST_BOXES, Arrangement
from shieldwall.trace.layout import Box, lay_out
from shieldwall.trace.limits import Limits

_EARLY = 10  # what is traced lies behind the first tenth of the chain
_TRIED = 40  # payouts that are looked at
_TAGGED = 100  # addresses of the picture that have tags


def visit(job: Job) -> Outcome:
    """Options: `boxes` of the sheet, `transactions` of its trace, `large` ones of another, `asked` of each page, `users` at once
    with `each` requests, `opened` times in a browser.

    Raises:
        BenchError: A page was refused, or shows fewer boxes than it must.
    """
    options = job.options
    begin = perf_counter()
    targets, counts, addresses = _targets(job)
    with ChainStore.open(job.chain.store) as store:
        network = store.network
    node = Served.made(job.scratch, job.chain.store)
    secrets = node.sessions(options["users"], listed(job.scratch / "tags.csv", addresses), network)
    with node.running():
        visitors = [Visitor(node, secret) for secret in secrets]
        first = visitors[0]
        sheet, large = (first.trace(targets[name], options[name]) for name in ("transactions", "large"))
        for visitor in visitors:
            visitor.step(sheet, kind="boxes", value=options["boxes"])
    facts: dict[str, Any] = {
        "users": options["users"],
        "each": options["each"],
        "times": options["opened"],
        "outputs": counts.pop("outputs"),
        "undrawable": counts.pop("undrawable"),
        "transfers": counts,
        "tagged": len(addresses),
    }
    with node.running():  # anew, so that nothing is kept open yet
        visitors = [Visitor(node, secret) for secret in secrets]
        first = visitors[0]
        facts["opened"] = {
            "trace": first.get(f"/traces/{sheet}").seconds,
            "large": first.get(f"/traces/{large}").seconds,
        }
        facts["drawn"] = {"trace": _drawn(first, sheet), "large": _drawn(first, large)}
        if facts["drawn"]["trace"] < options["boxes"]:
            raise BenchError(f"{facts['drawn']['trace']} boxes are drawn", hint="choose another transaction")
        facts["latency"] = _one_after_another(first, sheet, large, options["asked"])
        facts["latency"]["users"] = counted(_at_once(visitors[1:] + visitors[:1], sheet, options["each"]))
        facts["weight"] = {name: weight(visitors[1], path) for name, path in _places(sheet, large).items()}
        facts["browser"] = _browsed(node, secrets[1], _places(sheet, large), options["opened"])
        for visitor in visitors:
            visitor.close()
    return Outcome(perf_counter() - begin, facts)


def _places(sheet: str, large: str) -> dict[str, str]:
    return {"desk": "/", "trace": f"/traces/{sheet}", "large": f"/traces/{large}"}


def _targets(job: Job) -> tuple[dict[str, str], dict[str, int], list[str]]:
    """Payouts to many, whose traces draw enough boxes, or are large; counts; and addresses that are drawn."""
    options, found, counts = job.options, dict[str, str](), {"undrawable": 0}
    addresses: list[str] = []
    nothing = job.scratch / "nothing"
    with ChainStore.open(job.chain.store) as store:
        for number in _payouts(store, options["boxes"]):
            name = store.txid(number)
            if len(found) < 2:
                body = _body(store, name, options["transactions"], nothing)
                boxes = _boxes(body, options["boxes"]) or []
                if len(boxes) >= options["boxes"]:
                    found["transactions"] = name
                    counts["outputs"], counts["trace"] = len(store.output_range(number)), len(body["transfers"])
                    addresses = sorted({box.address for box in boxes if box.address})[:_TAGGED]
            if counts.get("large", 0) < options["large"]:
                body = _body(store, name, options["large"], nothing)
                if _boxes(body, MOST_BOXES) is None:
                    counts["undrawable"] += 1
                elif len(body["transfers"]) > counts.get("large", 0):
                    counts["large"], found["large"] = len(body["transfers"]), name
            if "transactions" in found and counts.get("large", 0) >= options["large"]:
                break
    if "transactions" not in found:
        raise BenchError(f"no trace draws {options['boxes']} boxes", hint="take a longer chain")
    return found, counts, addresses


def _payouts(store: ChainStore, outputs: int) -> list[int]:
    """Transactions with so many outputs, in the order of the chain."""
    firsts = np.append(np.asarray(graph_of(store).first_output), store.rows("output")).astype(np.int64)
    found = np.flatnonzero(np.diff(firsts) >= outputs)
    later = found[found > store.rows("tx") // _EARLY]
    return [int(number) for number in later[:_TRIED]]


def bodies(store: ChainStore, most: int, data: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Payouts to many, with their traces through at most so many transactions."""
    for number in _payouts(store, 2):
        name = store.txid(number)
        yield name, _body(store, name, most, data)


def _body(store: ChainStore, name: str, most: int, data: Path) -> dict[str, Any]:
    return trace_money(store, [name], limits=Limits(transactions=most), tags=[], data=data).as_dict()


def _boxes(body: dict[str, Any], most: int) -> list[Box] | None:
    """The boxes that a sheet shows; None where this version cannot draw it."""
    try:
        return [box for column in lay_out(body, Arrangement(boxes=most)) for box in column.boxes]
    except KeyError:  # which a sheet refuses as well
        return None


def _drawn(visitor: Visitor, trace: str) -> int:
    return len(boxes_in(visitor.get(f"/traces/{trace}").text))


def _one_after_another(visitor: Visitor, sheet: str, large: str, asked: int) -> dict[str, dict[str, float]]:
    place = f"/traces/{sheet}"
    keys = cycle(boxes_in(visitor.get(place).text))
    taken = {
        "desk": paced(asked, lambda _: visitor.get("/").seconds),
        "trace": paced(asked, lambda _: visitor.get(place).seconds),
        "drawer": paced(asked, lambda _: visitor.get(f"{place}?box={quote(next(keys), safe='')}&part=drawer").seconds),
        "large": paced(max(asked // 3, 1), lambda _: visitor.get(f"/traces/{large}").seconds),
    }
    steps, pages = [], []
    for number in range(asked):  # every second picture is one that nobody has asked for before
        step = visitor.step(sheet, kind="least", value=(1000 + number) * (number % 2))
        page = visitor.get(step.headers["location"])
        steps.append(step.seconds)
        pages.append(step.seconds + page.seconds)
    return {name: counted(seconds) for name, seconds in {**taken, "step": steps, "stepped": pages}.items()}


def counted(seconds: list[float]) -> dict[str, float]:
    """Percentiles, and of how many requests."""
    return {"requests": len(seconds), **percentiles(seconds)}


def paced(times: int, ask: Callable[[int], float]) -> list[float]:
    """Seconds of questions that are asked as fast as one person may."""
    taken = []
    for number in range(times):
        begin = perf_counter()
        taken.append(ask(number))
        sleep(max(0.0, PACE - (perf_counter() - begin)))
    return taken


def _at_once(visitors: list[Visitor], sheet: str, each: int) -> list[float]:
    """Seconds of every request of all, who begin together and do not stop to think."""
    place = f"/traces/{sheet}"
    boxes = boxes_in(visitors[0].get(place).text)
    taken: list[float] = []
    faults: list[Exception] = []
    together = threading.Barrier(len(visitors))

    def one(number: int, visitor: Visitor) -> None:
        paths = _mixed(place, boxes, number)
        together.wait()
        try:
            taken.extend([visitor.get(next(paths)).seconds for _ in range(each)])
        except (BenchError, OSError) as error:
            faults.append(error)

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(visitors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise BenchError(f"{len(faults)} of {len(visitors)} users failed: {faults[0]}", hint="a fault of the node")
    return taken


def _mixed(place: str, boxes: list[str], number: int) -> Iterator[str]:
    """Desk, trace and drawer by turns; each user begins elsewhere."""
    while True:
        box = quote(boxes[number % len(boxes)], safe="")
        yield ("/", place, f"{place}?box={box}&part=drawer")[number % 3]
        number += 1


def _browsed(node: Served, secret: str, places: dict[str, str], times: int) -> dict[str, Any]:
    cookie = {"name": COOKIE, "value": secret, "url": node.origin}
    found: dict[str, Any] = {}
    with browser() as opened:
        if opened is None:
            return {}
        for name, path in places.items():
            said = "yes" if name == "desk" else "sheet"
            found[name] = ready(opened, cookie, node.origin + path, said, times)
        found["version"] = opened.version
    return found
