"""A TAXII server with its checks beside the smallest that is possible, and beside medallion; bundles that are read as streams.

All servers are processes of their own on loopback, in clear, and take turns on the same objects; ours is asked with a bearer
token, and every answer of it is in the audit log, synced to disk, before it is given.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from bench.errors import BenchError
from bench.job import Job, Outcome
from bench.served import free_port
from bench.tasks.visiting import counted
from shieldwall.model.access import Handling, Identity, Role
from shieldwall.model.marking import Marking, Pap
from shieldwall.node.home import OpenHome, make_home, write_private
from shieldwall.node.node import Node
from shieldwall.node.operators import operator
from shieldwall.node.sharing.intake import IntakeRules, new_object, take_bundle
from shieldwall.node.slots import new_credential
from shieldwall.sharing.stix.bundle import BundleReader, Refusal, bundle_of
from shieldwall.sharing.stix.instant import taxii_time
from shieldwall.sharing.stix.object import object_of

GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
MEDIA_TYPE = "application/taxii+json;version=2.1"
_AT_ONCE = 10_000  # objects of one act
_PAGE = 100
_PATIENCE = 60.0  # seconds that a start may take
_BUNDLE = "bundle--44af6c39-c09b-49c5-9de2-394224b04982"


def indicator(number: int) -> dict[str, Any]:
    """An indicator of 535 bytes, as those of the published baselines."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{number:08x}-0000-4000-8000-000000000000",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z",
        "name": f"Malicious file {number:07d} (made for such as this)",
        "indicator_types": ["malicious-activity"],
        "pattern": f"[file:hashes.'SHA-256' = '{hashlib.sha256(str(number).encode()).hexdigest()}']",
        "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z",
        "object_marking_refs": [GREEN],
    }


@dataclass(frozen=True, slots=True)
class _Site:
    """A node with a partner, whose token is `bearer`, and a collection that it may write to."""

    home: OpenHome
    key: Path
    node: Node
    person: str
    group: str
    bearer: str
    written: str

    def approver(self) -> Identity:
        with self.home.store.inside(operator("bench")) as work:
            found = work.people.find(self.person)
            assert found is not None  # noqa: S101 - it was just made
            return work.people.identity_of(found)

    def filled(self, count: int) -> tuple[str, int]:
        """A collection with so many indicators; its id and the moment of the last one."""
        me = self.approver()
        with self.home.store.act(me, "bench") as work:
            collection = work.collections.add(f"{count}", group=self.group, highest=Marking.AMBER)
        handling = Handling(marking=Marking.GREEN, pap=Pap.CLEAR, owner=self.person)
        for begin in range(0, count, _AT_ONCE):
            bodies = [indicator(number) for number in range(begin, min(count, begin + _AT_ONCE))]
            things = (object_of(body, json.dumps(body).encode(), "bench") for body in bodies)
            with self.home.store.act(me, "bench") as work:
                numbers = work.stix.add(new_object(thing, handling) for thing in things).numbers
                work.collections.release(collection.id, numbers, "bench")
        with self.home.store.inside(me) as work:
            return collection.id, work.collections.get(collection.id).last_added_at


def _site(folder: Path) -> _Site:
    me = operator("bench")
    credential, text = new_credential()
    key = folder / "key"
    write_private(key, text.encode())
    home = make_home(folder / "node", credential, identity=me, settings={"name": "bench"})
    node = Node(home)
    with home.store.act(me, "bench") as work:
        person = work.people.add("Bench", roles=[Role.ANALYST, Role.APPROVER], highest=Marking.RED)
        group = work.partners.add_group("bench")
        partner = work.partners.add("Partner", highest=Marking.AMBER)
        work.partners.join(group.id, partner.id)
    bearer, _ = node.partners.issue(me, "bench", partner.id, days=2)
    made = _Site(home, key, node, person.id, group.id, bearer, "")
    with home.store.act(made.approver(), "bench") as work:
        written = work.collections.add("Inbox", group=group.id, highest=Marking.AMBER, writable=True)
    return _Site(home, key, node, person.id, group.id, bearer, written.id)


def share(job: Job) -> Outcome:
    """Options: `sizes` of collections, the largest one last, `asked` pages, `batches` of a thousand objects, `medallion`: how
    many objects it is given, 0 for none.

    Raises:
        BenchError: A server did not answer as it must.
    """
    begin, options = perf_counter(), job.options
    site = _site(job.scratch)
    collections, loaded = {}, {}
    for size in options["sizes"]:
        started = perf_counter()
        collections[size] = site.filled(size)
        loaded[size] = size / (perf_counter() - started)
    facts: dict[str, Any] = {"sizes": options["sizes"], "loaded": loaded, "bytes": len(json.dumps(indicator(1)))}
    with _ours(site) as ours, _smallest(job.scratch / "small.db", options["sizes"][-2]) as small:
        ours_page = f"/bench/collections/{collections[options['sizes'][-2]][0]}/objects/?limit={_PAGE}"
        small_page = f"/objects?limit={_PAGE}"
        mine, theirs = _turns(options["asked"], lambda: ours.get(ours_page), lambda: small.get(small_page))
        facts["page"] = {"ours": counted(mine), "small": counted(theirs)}
        tails = {}
        for size, (name, last) in collections.items():
            after = taxii_time(last - _PAGE)
            path = f"/bench/collections/{name}/objects/?limit={_PAGE}&added_after={after}"
            tails[size] = counted(_taken(options["asked"], lambda path=path: ours.get(path)))  # type: ignore[misc]
        facts["tail"] = tails
        name, last = collections[options["sizes"][-1]]
        empty = f"/bench/collections/{name}/objects/?limit={_PAGE}&added_after={taxii_time(last)}"
        facts["empty"] = counted(_taken(options["asked"], lambda: ours.get(empty)))
        batches = [
            json.dumps({"objects": [indicator(10_000_000 + 1000 * batch + each) for each in range(1000)]}).encode()
            for batch in range(options["batches"])
        ]
        place = iter(batches), iter(batches)
        into = f"/bench/collections/{site.written}/objects/"
        mine, theirs = _turns(
            len(batches), lambda: ours.post(into, next(place[0])), lambda: small.post("/objects", next(place[1]))
        )
        facts["ingest"] = {
            name: 1000 * len(batches) / sum(taken) for name, taken in (("ours", mine), ("small", theirs))
        }
        if options["medallion"]:
            facts["medallion"] = _medallion(job.scratch, options["medallion"], ours, site)
    site.home.close()
    return Outcome(perf_counter() - begin, facts)


def _medallion(scratch: Path, objects: int, ours: _Client, site: _Site) -> dict[str, Any]:
    """The first page and one batch of a thousand, of medallion and of ours, one after the other."""
    name, _ = site.filled(objects)
    with _medallion_server(scratch, objects) as server:
        theirs = server.get(f"/bench/collections/{_MEDALLION}/objects/?limit={_PAGE}")
        mine = _taken(20, lambda: ours.get(f"/bench/collections/{name}/objects/?limit={_PAGE}"))
    return {"objects": objects, "medallion": theirs, "ours": counted(mine)["p50"]}


def bundle(job: Job) -> Outcome:
    """A bundle that is taken in. Options: `megabytes`, of objects like those of ATT&CK."""
    site = _site(job.scratch)
    path, objects = job.scratch / "bundle.json", 0
    with path.open("wb") as file:
        for piece in bundle_of(_attack_like(job.options["megabytes"] << 20), _BUNDLE):
            file.write(piece)
    size = path.stat().st_size
    with path.open("rb") as file:
        begin = perf_counter()
        objects = sum(not isinstance(each, Refusal) for each in BundleReader(file, "bundle"))
        read = perf_counter() - begin
    with path.open("rb") as file:
        begin = perf_counter()
        report = take_bundle(site.node, site.approver(), "bench", file, "bundle", IntakeRules(Marking.GREEN, Pap.CLEAR))
        taken = perf_counter() - begin
    if report.added != objects or report.refusals:
        raise BenchError(f"{report.added} of {objects} objects were taken", hint="find out why before timing them")
    site.home.close()
    return Outcome(taken, {"objects": objects, "bytes": size, "read": objects / read, "taken": objects / taken})


def stream(job: Job) -> Outcome:
    """A bundle that is read and never held. Options: `objects`."""
    total = job.options["objects"]
    begin, found = perf_counter(), 0
    pieces = bundle_of((json.dumps(indicator(number)).encode() for number in range(total)), _BUNDLE)
    for each in BundleReader(io.BufferedReader(_Pieces(pieces), 1 << 16), "stream"):
        found += not isinstance(each, Refusal)
    if found != total:
        raise BenchError(f"{found} of {total} objects were read", hint="find out why before timing them")
    seconds = perf_counter() - begin
    return Outcome(seconds, {"objects": found, "read": found / seconds})


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while len(self._left) < len(buffer):
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._left += piece
        given, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)


def _attack_like(size: int) -> Iterator[bytes]:
    """Objects of some 2 to 40 KB with descriptions and references, as those of ATT&CK, of so many bytes together."""
    written = number = 0
    while written < size:
        number += 1
        body = indicator(number) | {
            "type": "attack-pattern",
            "id": f"attack-pattern--{number:08x}-0000-4000-8000-000000000000",
            "description": f"Adversaries may do {number}. " * (40 + number * 7919 % 900),
            "external_references": [
                {
                    "source_name": "mitre-attack",
                    "external_id": f"T{1000 + number % 9000}",
                    "url": f"https://a.example/{number}",
                }
                for _ in range(number % 12)
            ],
            "x_mitre_platforms": ["Windows", "Linux", "macOS"],
        }
        raw = json.dumps(body).encode()
        written += len(raw)
        yield raw


# servers


@dataclass(slots=True)
class _Client:
    """One connection that is kept."""

    port: int
    headers: dict[str, str]
    connection: http.client.HTTPConnection | None = None

    def get(self, path: str) -> float:
        return self._ask("GET", path, None, self.headers)

    def post(self, path: str, body: bytes) -> float:
        return self._ask("POST", path, body, {**self.headers, "Content-Type": MEDIA_TYPE})

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> float:
        """Seconds of one request.

        Raises:
            BenchError: Another answer than it must be.
        """
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        begin = perf_counter()
        self.connection.request(method, path, body=body, headers=headers)
        answer = self.connection.getresponse()
        content = answer.read()
        seconds = perf_counter() - begin
        if answer.status not in (200, 202):
            raise BenchError(f"{method} {path} was answered {answer.status}: {content[:200]!r}")
        return seconds


@contextlib.contextmanager
def _running(command: list[str], port: int, headers: dict[str, str]) -> Iterator[_Client]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:  # noqa: S603 - own words
        try:
            end = perf_counter() + _PATIENCE
            while perf_counter() < end and server.poll() is None:
                with contextlib.suppress(OSError):
                    probe = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                    probe.request("GET", "/")
                    probe.getresponse()
                    break
                sleep(0.05)
            else:
                raise BenchError(f"{command[2]} does not answer", hint="run it by hand and look")
            yield _Client(port, headers)
        finally:
            server.terminate()
            server.wait(timeout=_PATIENCE)


@contextlib.contextmanager
def _ours(site: _Site) -> Iterator[_Client]:
    port = free_port()
    command = [sys.executable, "-m", "bench.taxii_node", str(site.home.path), str(site.key), str(port)]
    with _running(command, port, {"Authorization": f"Bearer {site.bearer}", "Accept": MEDIA_TYPE}) as client:
        yield client


@contextlib.contextmanager
def _smallest(place: Path, objects: int) -> Iterator[_Client]:
    port = free_port()
    command = [sys.executable, "-m", "bench.peers.smallest_taxii", str(place), str(port)]
    with _running(command, port, {"Accept": MEDIA_TYPE}) as client:
        for begin in range(0, objects, 1000):
            bodies = [indicator(number) for number in range(begin, min(objects, begin + 1000))]
            client.post("/objects", json.dumps({"objects": bodies}).encode())
        yield client


_MEDALLION = "44af6c39-c09b-49c5-9de2-394224b04982"


@contextlib.contextmanager
def _medallion_server(scratch: Path, objects: int) -> Iterator[_Client]:
    """medallion 3.0.0 over its store in memory; the recipe is that of its documentation."""
    bodies = [indicator(number) for number in range(objects)]
    manifest = [
        {
            "id": body["id"],
            "date_added": f"2026-01-01T00:{place // 60000:02}:{place // 1000 % 60:02}.{place % 1000:03}000Z",
            "version": "2026-01-01T00:00:00.000Z",
            "media_type": "application/stix+json;version=2.1",
        }
        for place, body in enumerate(bodies)
    ]
    collection = {
        "id": _MEDALLION, "title": "Bench", "can_read": True, "can_write": True,
        "media_types": ["application/stix+json;version=2.1"], "objects": bodies, "manifest": manifest,
    }  # fmt: skip
    root = {
        "information": {
            "title": "Bench",
            "versions": ["application/taxii+json;version=2.1"],
            "max_content_length": 10_000_000,
        },
        "status": [],
        "collections": [collection],
    }
    data = {"/discovery": {"title": "Bench", "api_roots": ["http://127.0.0.1/bench/"]}, "bench": root}
    (scratch / "medallion-data.json").write_text(json.dumps(data))
    config = {
        "backend": {
            "module": "medallion.backends.memory_backend",
            "module_class": "MemoryBackend",
            "filename": str(scratch / "medallion-data.json"),
        },
        "users": {"admin": "Password0"},
        "taxii": {"max_page_size": 10_000},
    }
    (scratch / "medallion.json").write_text(json.dumps(config))
    port = free_port()
    program = Path(sys.executable).with_name("medallion")
    if not program.exists():
        raise BenchError("medallion is not installed", hint="make bench installs it")
    headers = {"Authorization": "Basic " + base64.b64encode(b"admin:Password0").decode(), "Accept": MEDIA_TYPE}
    with _running([str(program), "--port", str(port), str(scratch / "medallion.json")], port, headers) as client:
        yield client


def _taken(times: int, ask: Callable[[], float]) -> list[float]:
    for _ in range(max(1, times // 10)):
        ask()
    return [ask() for _ in range(times)]


def _turns(times: int, ours: Callable[[], float], theirs: Callable[[], float]) -> tuple[list[float], list[float]]:
    """One after the other, so that what disturbs the machine for a while disturbs both."""
    mine, others = [], []
    for _ in range(times):
        mine.append(ours())
        others.append(theirs())
    return mine, others
