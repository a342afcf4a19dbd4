"""A node as its users meet it: from the start of `node serve` to the first answer, and an address looked up through HTTP."""

from __future__ import annotations

import http.client
import json
import random
from time import perf_counter, sleep

from bench.errors import BenchError
from bench.job import Job, Outcome
from bench.served import Served
from bench.turns import percentiles
from shieldwall.chain.store import ChainStore

_PACE = 0.02  # seconds between two questions: a token may ask fifty times a second
_BURST = 150  # questions that a token may ask at once


def serve(job: Job) -> Outcome:
    """Options: `starts` of the server, `asked` addresses, one after the other by one client that keeps its connection.

    Raises:
        BenchError: The server did not answer, or said something else than the store.
    """
    node = Served.made(job.scratch, job.chain.store)
    token = node.token()
    starts = []
    for _ in range(job.options["starts"]):
        begin = perf_counter()
        with node.running():
            starts.append(perf_counter() - begin)
    with ChainStore.open(job.chain.store) as store:
        draw = random.Random(1)  # noqa: S311 - which addresses are asked for is no secret
        addresses = [store.identity(draw.randrange(store.rows("holder"))) for _ in range(job.options["asked"])]
    with node.running():
        taken = _ask(node.port, token, addresses)
    return Outcome(sum(taken), {"asked": len(taken), "latency": percentiles(taken), "starts": starts})


def _ask(port: int, token: str, addresses: list[str]) -> list[float]:
    connection = http.client.HTTPConnection("localhost", port, timeout=30)
    taken = []
    for number, address in enumerate(addresses):
        begin = perf_counter()
        connection.request("GET", f"/api/v1/addresses/{address}", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = answer.read()
        taken.append(perf_counter() - begin)
        if answer.status != 200 or json.loads(body)["address"] != address:
            raise BenchError(f"{answer.status} on {address}", hint="a fault of the node: report it")
        if number >= _BURST:
            sleep(_PACE)
    return taken
