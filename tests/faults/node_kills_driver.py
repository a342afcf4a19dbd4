"""Kill a node at random moments while it writes, and look at what it leaves; one interpreter that forks a child for each.

    python node_kills_driver.py KILLS SEED FOLDER

A child opens the node and does acts, one after the other: claims are added and looked up, roots signed, keys rotated, backups
written, requests approved, packages made. It says so through a pipe after each one, when its caller would have an answer. Then
it is killed by SIGKILL. What it said must be there, whole or not at all, the audit log must verify, the exported roots must
fit, and the node must open. Ends with code 1 and the number of the kill at a fault.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

from shieldwall.cases.pack.verifier import verify
from shieldwall.cases.request import Request, RequestKind
from shieldwall.cases.tracker import State
from shieldwall.errors import NotFound
from shieldwall.model.access import Identity, Kind, Role
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.marking import Marking, Pap
from shieldwall.node.auditing import verify_log
from shieldwall.node.backup import read_header, write_backup
from shieldwall.node.casework import asking, holding, packing
from shieldwall.node.casework.opening import CaseAsked, open_incident
from shieldwall.node.home import OpenHome, make_home, open_home
from shieldwall.node.identity import rotate_keys
from shieldwall.node.node import Node
from shieldwall.node.operators import operator
from shieldwall.node.slots import Credential
from shieldwall.store.dump import engine_problems

KEY = Credential(bytes(range(32)))
OPERATOR = operator("kills")
MARA = Identity(kind=Kind.PERSON, person="a" * 32, name="Mara", roles=frozenset((Role.ANALYST,)), highest=Marking.RED)
LONGEST = 0.4  # seconds that a child lives
AFRESH = 25  # kills after which a new node is made, so that looking at it stays quick


def claim(number: int) -> Claim:
    """A claim of its own."""
    subject = Subject("address", "bip122:000000000019d6689c085ae165831e93", f"bc1q{number:060x}")
    said = {"label": f"service {number}"}
    return Claim(
        subject=subject, kind="tag", statement=said, layer=Layer.ATTRIBUTION, source="s", made_by="Mara", at=""
    )


def work(folder: Path, draw: random.Random, say: int) -> None:
    """Act until killed."""
    home = open_home(folder, lambda: KEY, identity=OPERATOR)
    while True:
        number = draw.getrandbits(64)
        chance = draw.random()
        if chance > 0.8:
            say_casework(home, draw, say)
        elif chance < 0.02:
            rotate_keys(home.store, OPERATOR, home.keys)
            home = open_home(folder, lambda: KEY, identity=OPERATOR)
        elif chance < 0.04:
            target = folder.with_name(f"backup {number}")
            write_backup(home, target, OPERATOR)
            os.write(say, f"backup {number}\n".encode())
        elif chance < 0.15:
            line = home.witness.sign(OPERATOR)
            os.write(say, f"root {line.size}\n".encode())
        elif chance < 0.25:
            with home.store.look(MARA, "claim.find") as looking:
                looking.claims.find(claim(number).subject)
            os.write(say, b"looked 0\n")
        else:
            with home.store.act(MARA, "claim.add") as adding:
                adding.claims.add([claim(number + more) for more in range(draw.choice((1, 1, 50)))])
            os.write(say, f"claim {number}\n".encode())


def someone(home: OpenHome, name: str) -> Identity:
    """Who a person of the case is now."""
    with home.store.inside(OPERATOR) as reading:
        return reading.people.identity_of(reading.people.by_name(name))


def begin_case(home: OpenHome) -> None:
    """Two people, and a case of theirs with a piece of evidence."""
    with home.store.act(OPERATOR, "test.people") as adding:
        adding.people.add("Writer", roles=[Role.ANALYST], highest=Marking.RED)
        second = adding.people.add("Second", roles=[Role.ANALYST, Role.APPROVER], highest=Marking.RED).id
    node, asked = Node(home), CaseAsked(title="Kills", pap=Pap.GREEN, people=[second])
    case = open_incident(node, someone(home, "Writer"), "case.add", None, asked).id
    how = holding.Acquired(method="copied", source="a server")
    holding.acquire(node, someone(home, "Writer"), "evidence.add", case, "note.txt", "text/plain", b"pay up", how)


def case_of(home: OpenHome) -> str:
    """Its id."""
    with home.store.inside(someone(home, "Writer")) as reading:
        return reading.cases.page(most=1)[0].id


def say_casework(home: OpenHome, draw: random.Random, say: int) -> None:
    """Have a request approved and sent, or make a package; and say so."""
    node, writer, case = Node(home), someone(home, "Writer"), case_of(home)
    if draw.random() < 0.4:
        file = packing.pack_case(node, writer, "case.pack", case, packing.PackAsked(to="Court"))
        os.write(say, f"packed {int(file.id, 16)}\n".encode())
        return
    asked = asking.draft(node, writer, "request.draft", case, Request(kind=RequestKind.INFORM))
    asked = asking.submit(node, writer, "request.submit", asked.row.id, asked.row.version)
    digest = asked.request.digest
    asked = asking.decide(node, someone(home, "Second"), "request.decide", asked.row.id, approve=True, digest=digest)
    os.write(say, f"approved {int(asked.row.id, 16)}\n".encode())


def check_casework(home: OpenHome, said: list[tuple[str, int]]) -> None:
    """Every package is whole and told of in the timeline, and every approval is one; those that were acknowledged are there."""
    node, writer, case = Node(home), someone(home, "Writer"), case_of(home)
    with home.store.inside(writer) as reading:
        packs = reading.files.page(most=500, case=case, kind="pack")
        told = {entry.ref for entry in reading.timeline.page(case, most=5000, kinds=["pack"])}
        assert {file.id for file in packs} == told, "a package without its entry, or an entry without its package"
        ways = {way.carrier for file in packs for way in reading.travels.of(file.id)}
        assert ways <= told
        for file in packs:
            verify(reading.files.read(file.id))
        (piece,) = holding.held_in(reading, case)
        assert len(piece.log) == 1 + len(packs), "custody does not tell of every package"
        requests = [asking.asked_in(node, reading, row.id) for row in reading.requests.page(most=500, case=case)]
    for asked in requests:
        assert bool(asked.track.approved_by) == (asked.row.state == State.APPROVED.value)
        assert asked.track.number == asked.row.version
    approved = {int(asked.row.id, 16) for asked in requests if asked.track.approved_by}
    assert {number for what, number in said if what == "approved"} <= approved, "an approval is lost"
    assert {number for what, number in said if what == "packed"} <= {int(file.id, 16) for file in packs}, (
        "a package is lost"
    )


def run_and_kill(folder: Path, draw: random.Random) -> list[tuple[str, int]]:
    """Let a child act for a random time, kill it, and return what it had said."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(read)
            work(folder, draw, write)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(write)
    time.sleep(draw.random() * LONGEST)
    os.kill(child, signal.SIGKILL)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the child failed by itself"
    words = [line.split() for line in said[: said.rfind(b"\n") + 1].decode().splitlines()]
    return [(what, int(number)) for what, number in words]


def check(folder: Path, said: list[tuple[str, int]]) -> int:
    """Hold what a child said against what is there; returns how many things it had said."""
    with open_home(folder, lambda: KEY, identity=OPERATOR) as home:
        assert engine_problems(home.store) == []
        result = verify_log(home.store, OPERATOR, home.keys.identity, home.exported)
        assert not result.findings, result.findings
        check_casework(home, said)
        looks = 0
        for what, number in said:
            if what == "claim":
                must_have(home, number)
            elif what == "root":
                assert any(line.size == number for line in home.exported.lines())
            elif what == "looked":
                looks += 1
            elif what == "backup":
                with folder.with_name(f"backup {number}").open("rb") as file:
                    assert read_header(file, "backup").node == home.slots.node
        with home.store.inside(OPERATOR) as reading:
            found = sum(leaf.entry["verb"] == "claim.find" for leaf in reading.audit.leaves())
        assert found >= looks, "an answer without a record"
    return len(said)


def must_have(home: OpenHome, number: int) -> None:
    """The claim of that number, whole."""
    with home.store.inside(MARA) as reading:
        found = reading.claims.find(claim(number).subject)
    if not found:
        raise NotFound(f"claim {number} was acknowledged, and is lost")


def main(kills: int, seed: int, folder: Path) -> int:
    """Do it `kills` times."""
    folder.mkdir(parents=True)
    acknowledged = 0
    for number in range(kills):
        draw = random.Random(f"{seed} {number}")
        place = folder / f"node {number // AFRESH}"
        try:
            if not place.exists():
                with make_home(place, KEY, identity=OPERATOR) as home:
                    begin_case(home)
            acknowledged += check(place, run_and_kill(place, draw))
        except BaseException:
            traceback.print_exc()
            print(f"kill {number} of seed {seed}: see {place}")
            return 1
        if number % AFRESH == AFRESH - 1:
            shutil.rmtree(place)
    print(f"{kills} killed, {acknowledged} acts acknowledged, none lost")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
