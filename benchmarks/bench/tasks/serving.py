"""A node as its users meet it: from the start of `node serve` to the first answer, and an address looked up through HTTP."""

from __future__ import annotations

import http.client
import json
import random
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep

from bench.errors import BenchError
from bench.job import Job, Outcome
from bench.program import COMMAND, said
from bench.turns import percentiles
from shieldwall.chain.store import ChainStore

_PATIENCE = 30.0  # seconds that a start may take
_PACE = 0.02  # seconds between two questions: a token may ask fifty times a second
_BURST = 150  # questions that a token may ask at once


def serve(job: Job) -> Outcome:
    """Options: `starts` of the server, `asked` addresses, one after the other by one client that keeps its connection.

    Raises:
        BenchError: The server did not answer, or said something else than the store.
    """
    folder, key = job.scratch / "node", job.scratch / "key"
    place = ["--node", str(folder), "--key-file", str(key)]
    port = _free_port()
    words = ["node", "init", str(folder), "--key-file", str(key), "--port", str(port), "--chain"]
    words.append(str(job.chain.store))
    said(*words)
    token = _analyst(folder, key)
    starts = []
    for _ in range(job.options["starts"]):
        begin = perf_counter()
        with _served(place, port):
            starts.append(perf_counter() - begin)
    with ChainStore.open(job.chain.store) as store:
        draw = random.Random(1)  # noqa: S311 - which addresses are asked for is no secret
        addresses = [store.identity(draw.randrange(store.rows("holder"))) for _ in range(job.options["asked"])]
    with _served(place, port):
        taken = _ask(port, token, addresses)
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


@contextmanager
def _served(place: list[str], port: int) -> Iterator[None]:
    """The node, served by a process of its own, from its first answer on."""
    with subprocess.Popen(  # noqa: S603 - own words
        [*COMMAND, "node", "serve", *place], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            _await(port)
            yield
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=_PATIENCE)


def _await(port: int) -> None:
    end = perf_counter() + _PATIENCE
    while perf_counter() < end:
        try:
            connection = http.client.HTTPConnection("localhost", port, timeout=5)
            connection.request("GET", "/api/v1/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            sleep(0.01)
    raise BenchError("the node does not answer", hint="serve it by hand and look")


def _analyst(folder: Path, key: Path) -> str:
    """A token of a person who may read: what an administrator may not."""
    from shieldwall.model.access import Permission, Role  # noqa: PLC0415 - as below
    from shieldwall.model.marking import Marking  # noqa: PLC0415
    from shieldwall.node.home import open_home  # noqa: PLC0415
    from shieldwall.node.keysource import key_source  # noqa: PLC0415
    from shieldwall.node.node import people_config  # noqa: PLC0415
    from shieldwall.node.operators import operator  # noqa: PLC0415
    from shieldwall.node.people.doors import Doors  # noqa: PLC0415 - only a node needs them

    me = operator("bench")
    with open_home(folder, key_source({}, key_file=key)) as home:
        doors = Doors(home.store, people_config(home.config))
        person = doors.people.add(me, "Bench", roles=[Role.ANALYST], highest=Marking.AMBER)
        text, _ = doors.issue_token(
            me, "bench", scopes=[Permission.READ], highest=Marking.AMBER, seconds=86_400, person=person.id
        )
        home.witness.sign(me)
    return text


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
