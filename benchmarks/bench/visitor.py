"""Somebody who is signed in and visits the pages of a served node over one connection that stays open."""

from __future__ import annotations

import gzip
import http.client
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter, sleep
from typing import Any
from urllib.parse import urlencode

from bench.errors import BenchError
from bench.served import Served

PACE = 0.021  # seconds from one question to the next: a person may ask fifty times a second
COOKIE = "shieldwall"  # of a node without TLS
_FILES = re.compile(r'(?:href|src)="(/static/[^"]+)"')
_BOX = re.compile(r'<g class="box ')
_DONE = 120.0  # seconds that a trace may take


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the body as it came over the wire, and how long that took."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        """The body, unpacked."""
        packed = self.headers.get("content-encoding") == "gzip"
        return (gzip.decompress(self.body) if packed else self.body).decode()

    @property
    def wire(self) -> int:
        """Bytes of the answer on the wire, its head among them."""
        return len(self.body) + sum(len(name) + len(value) + 4 for name, value in self.headers.items()) + 17


class Visitor:
    """A session in use.

    Args:
        node: Served.
        secret: Of the session.
    """

    def __init__(self, node: Served, secret: str) -> None:
        self._connection = http.client.HTTPConnection("localhost", node.port, timeout=60)
        self._headers = {"Cookie": f"{COOKIE}={secret}", "Origin": node.origin, "Accept-Encoding": "gzip"}

    def get(self, path: str) -> Answer:
        """One page.

        Raises:
            BenchError: It was refused.
        """
        return self._ask("GET", path, None, {}, 200)

    def step(self, trace: str, **fields: object) -> Answer:
        """One step on a sheet.

        Raises:
            BenchError: It was refused.
        """
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", f"/traces/{trace}/steps", urlencode(fields).encode(), form, 303)

    def trace(self, target: str, most: int, case: str = "") -> str:
        """Follow money forward by a job, through at most so many transactions; the id of the saved trace.

        Raises:
            BenchError: The job failed.
        """
        handling = {"marking": "TLP:AMBER", "pap": "PAP:AMBER"} | ({"case": case} if case else {})
        asked = {"targets": [target], "max_transactions": most, "handling": handling}
        kind = {"Content-Type": "application/json"}
        job = json.loads(self._ask("POST", "/api/v1/traces", json.dumps(asked).encode(), kind, 202).text)
        end = perf_counter() + _DONE
        while job["state"] in ("queued", "running") and perf_counter() < end:
            sleep(0.1)
            job = json.loads(self.get(f"/api/v1/jobs/{job['id']}").text)
        if job["state"] != "done":
            raise BenchError(f"a trace is {job['state']}: {job.get('outcome')}", hint="ask for it on a page and look")
        return str(job["outcome"]["file"])

    def pack(self, case: str) -> tuple[float, bytes]:
        """Make an evidence package of a case: seconds, and the package.

        Raises:
            BenchError: It was refused.
        """
        kind = {"Content-Type": "application/json"}
        made = self._ask("POST", f"/api/v1/cases/{case}/packs", b"{}", kind, 201)
        raw = self.get(f"/api/v1/files/{json.loads(made.text)['id']}/content").body
        return made.seconds, raw

    def close(self) -> None:
        """Leave."""
        self._connection.close()

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str], wanted: int) -> Answer:
        begin = perf_counter()
        self._connection.request(method, path, body, self._headers | headers)
        answer = self._connection.getresponse()
        raw = answer.read()
        taken = perf_counter() - begin
        if answer.status != wanted:
            raise BenchError(f"{answer.status} on {method} {path}", hint="a fault of the node: report it")
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, raw, taken)


def boxes_in(page: str) -> list[str]:
    """The keys of the boxes of a sheet, in the order of its picture; a page draws each of them once."""
    pieces = page.split('<a href="')
    return [_key(piece) for piece in pieces if _BOX.search(piece)]


def _key(piece: str) -> str:
    found = re.search(r'data-key="([^"]+)"', piece)
    return found[1] if found else ""


def weight(visitor: Visitor, path: str) -> dict[str, Any]:
    """Bytes on the wire of a first visit of a page: by file of it, all together, and what its HTML is unpacked."""
    page = visitor.get(path)
    files = {"HTML": page.wire}
    for file in dict.fromkeys(_FILES.findall(page.text)):
        stem, _, ending = file.removeprefix("/static/").rpartition(".")
        files[f"{stem.rpartition('.')[0]}.{ending}"] = visitor.get(file).wire
    return {"files": files, "all": sum(files.values()), "plain": len(page.text.encode())}
