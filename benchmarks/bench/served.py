"""A node that is really served: made in a scratch folder, run by `shieldwall node serve` in a process of its own, on loopback.

People and their sessions are made as the doors make them, without the ceremony of a passkey.
"""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING

from bench.errors import BenchError
from bench.program import COMMAND, said

if TYPE_CHECKING:
    from shieldwall.model.access import Identity
    from shieldwall.model.network import Network
    from shieldwall.node.home import OpenHome

_PATIENCE = 30.0  # seconds that a start may take


@dataclass(frozen=True, slots=True)
class Served:
    """A node of the benchmark.

    Attributes:
        folder: The node.
        key: The file that opens it.
        port: Where it is served.
    """

    folder: Path
    key: Path
    port: int

    @property
    def origin(self) -> str:
        """Where its pages are."""
        return f"http://localhost:{self.port}"

    @classmethod
    def made(cls, scratch: Path, chain: Path) -> Served:
        """A new node over a chain store.

        Raises:
            BenchError: The program refused.
        """
        node = cls(scratch / "node", scratch / "key", free_port())
        words = ["node", "init", str(node.folder), "--key-file", str(node.key), "--port", str(node.port)]
        said(*words, "--chain", str(chain))
        return node

    @contextmanager
    def running(self) -> Iterator[None]:
        """The node, served by a process of its own, from its first answer on."""
        place = ["--node", str(self.folder), "--key-file", str(self.key)]
        with subprocess.Popen(  # noqa: S603 - own words
            [*COMMAND, "node", "serve", *place], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server:
            try:
                self._await()
                yield
            finally:
                server.send_signal(signal.SIGTERM)
                server.wait(timeout=_PATIENCE)

    def token(self) -> str:
        """A token of a person who may read: what an administrator may not."""
        from shieldwall.model.access import Permission, Role  # noqa: PLC0415 - only a node needs them, here and below
        from shieldwall.model.marking import Marking  # noqa: PLC0415
        from shieldwall.node.node import people_config  # noqa: PLC0415
        from shieldwall.node.operators import operator  # noqa: PLC0415
        from shieldwall.node.people.doors import Doors  # noqa: PLC0415

        me = operator("bench")
        with self._opened() as home:
            doors = Doors(home.store, people_config(home.config))
            person = doors.people.add(me, "Bench", roles=[Role.ANALYST], highest=Marking.AMBER)
            text, _ = doors.issue_token(
                me, "bench", scopes=[Permission.READ], highest=Marking.AMBER, seconds=86_400, person=person.id
            )
            home.witness.sign(me)
        return text

    def sessions(self, count: int, tags: Path, network: Network) -> list[str]:
        """The secret of a session each of so many analysts; one of them keeps a list of tags, which all of them may see."""
        from shieldwall.intel import ReadOptions  # noqa: PLC0415
        from shieldwall.intel.stored import StoredTagSets  # noqa: PLC0415
        from shieldwall.model.access import Role  # noqa: PLC0415
        from shieldwall.model.marking import Marking  # noqa: PLC0415
        from shieldwall.node.node import people_config  # noqa: PLC0415
        from shieldwall.node.operators import operator  # noqa: PLC0415
        from shieldwall.node.people.doors import Doors  # noqa: PLC0415
        from shieldwall.node.people.limits import DOORS  # noqa: PLC0415
        from shieldwall.node.people.sessions import SessionDoor  # noqa: PLC0415

        me = operator("bench")
        with self._opened() as home:
            config = people_config(home.config)
            doors = Doors(home.store, config)
            door = SessionDoor(home.store, config, doors.gate)
            secrets: list[str] = []
            people: list[Identity] = []
            for number in range(count):
                person = doors.people.add(me, f"Bench {number}", roles=[Role.ANALYST], highest=Marking.AMBER)
                with home.store.upkeep(DOORS) as work:
                    secrets.append(door.open(work, person.id, "passkey", confirmed=True)[0])
                    people.append(work.people.identity_of(person))
            options = ReadOptions(marking=Marking.AMBER, made_by="simulator", network=network)
            StoredTagSets(home.store, people[0]).import_files([tags], set_name="bench", options=options)
            home.witness.sign(me)
        return secrets

    def casework(self, fill: Callable[[OpenHome, Callable[[], Identity]], tuple[str, str]]) -> tuple[str, str, str]:
        """The secret of a session of an analyst, and two cases of theirs that `fill` makes."""
        from shieldwall.model.access import Role  # noqa: PLC0415
        from shieldwall.model.marking import Marking  # noqa: PLC0415
        from shieldwall.node.node import people_config  # noqa: PLC0415
        from shieldwall.node.operators import operator  # noqa: PLC0415
        from shieldwall.node.people.doors import Doors  # noqa: PLC0415
        from shieldwall.node.people.limits import DOORS  # noqa: PLC0415
        from shieldwall.node.people.sessions import SessionDoor  # noqa: PLC0415

        with self._opened() as home:
            config = people_config(home.config)
            doors = Doors(home.store, config)
            person = doors.people.add(operator("bench"), "Bench 0", roles=[Role.ANALYST], highest=Marking.AMBER)
            with home.store.upkeep(DOORS) as work:
                secret = SessionDoor(home.store, config, doors.gate).open(work, person.id, "passkey", confirmed=True)[0]

            def me() -> Identity:
                with home.store.upkeep(DOORS) as work:
                    return work.people.identity_of(person)

            cases = fill(home, me)
            home.witness.sign(operator("bench"))
        return secret, *cases

    def _opened(self) -> OpenHome:
        from shieldwall.node.home import open_home  # noqa: PLC0415
        from shieldwall.node.keysource import key_source  # noqa: PLC0415

        return open_home(self.folder, key_source({}, key_file=self.key))

    def _await(self) -> None:
        end = perf_counter() + _PATIENCE
        while perf_counter() < end:
            try:
                connection = http.client.HTTPConnection("localhost", self.port, timeout=5)
                connection.request("GET", "/api/v1/health")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                sleep(0.01)
        raise BenchError("the node does not answer", hint="serve it by hand and look")


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listed(path: Path, addresses: Sequence[str]) -> Path:
    """A list of tags: two names for every address, which contradict."""
    rows = [f"{address},{name} {place} (simulated)\n" for place, address in enumerate(addresses) for name in _NAMES]
    path.write_text("address,label\n" + "".join(rows), encoding="utf-8")
    return path


_NAMES = ("seller", "courier")
