"""A node to try things out on: both acts of the demonstration are loaded, and one person may do everything.

It is a real node, with its own keys and encrypted database, in a folder that can be thrown away.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shieldwall.chain.build import build
from shieldwall.intel import ReadOptions
from shieldwall.intel.preparing import Source
from shieldwall.model.access import Handling, Identity, Role
from shieldwall.model.marking import Marking, Pap
from shieldwall.model.network import MAIN, REGTEST, Network
from shieldwall.node.casework.references import AGENCY, RECIPIENTS
from shieldwall.node.home import OpenHome, make_home, write_private
from shieldwall.node.people.recovery import begin_recovery, first_administrator
from shieldwall.node.sharing.exporting import say as say_of
from shieldwall.node.sharing.releasing import release
from shieldwall.node.slots import new_credential
from shieldwall.playbooks.demo import MERGE_INPUT, RANSOM_ADDRESS
from shieldwall.playbooks.exercise import make_exercise
from shieldwall.sharing.documents import Frame
from shieldwall.trace.published import read_published

if TYPE_CHECKING:
    from shieldwall.node.node import Node

Say = Callable[[str], None]

KEY = "key"
NODE = "node"
PERSON = "you"
COLLEAGUE = "colleague"
"""The second person, who reads and approves: nobody approves what they ask for themselves."""

MARKING, PAP = Marking.GREEN, Pap.GREEN
"""How what is loaded is handled: it is public, or invented."""


def make_tryout(folder: Path, operator: Identity, *, port: int, say: Say) -> tuple[OpenHome, dict[str, str]]:
    """Make the node: chain stores of both acts, the node itself, and two people.

    Args:
        folder: A new folder.
        operator: Who does it.
        port: Where it will be served.
        say: Is told each step.

    Returns:
        The open node, and by name the secret of the link by which each person makes a passkey.
    """
    folder.mkdir(parents=True)
    say("building two small chain stores: the real Colonial transactions of May 2021, and an exercise")
    exercise = make_exercise()
    with resources.as_file(resources.files("shieldwall.playbooks") / "data") as data:
        build(folder / "chain-main", [str(data / "colonial" / "facts.jsonl")], network=MAIN)
        block_file = folder / "exercise" / "blk00000.dat"
        block_file.parent.mkdir()
        block_file.write_bytes(exercise.maker.block_file())
        build(folder / "chain-exercise", [str(block_file)], network=REGTEST)
        credential, text = new_credential()
        write_private(folder / KEY, text.encode())
        settings = {
            "name": "try-out",
            "port": port,
            "chain": str(folder.absolute() / "chain-main"),
            "further_chains": [str(folder.absolute() / "chain-exercise")],
            "sources": [str(folder.absolute() / "exercise")],
        }
        home = make_home(folder / NODE, credential, identity=operator, settings=settings)
        shutil.copy(data / "exercise" / "directory.toml", home.path / "freeze-directory.toml")
        for name in (RECIPIENTS, AGENCY):
            shutil.copy(data / "exercise" / name, home.path / name)
        secrets = {PERSON: first_administrator(home.store, operator, PERSON)}
        _all_roles(home, operator)
        secrets[COLLEAGUE] = _second(home, operator)
    return home, secrets


def _second(home: OpenHome, operator: Identity) -> str:
    """The second person; returns the secret of their link."""
    with home.store.act(operator, "person.add") as work:
        work.people.add(COLLEAGUE, roles=(Role.VIEWER, Role.APPROVER), highest=Marking.RED)
    return begin_recovery(home.store, operator, COLLEAGUE)


def _all_roles(home: OpenHome, operator: Identity) -> None:
    """One person with every role but that of the approver: nobody approves what they ask for themselves."""
    with home.store.inside(operator) as work:
        person = work.people.by_name(PERSON)
        identity = work.people.identity_of(person)
    roles = frozenset((Role.ADMINISTRATOR, Role.ANALYST, Role.AUDITOR))
    with home.store.act(identity, "person.change", person=person.id, by=operator.name) as work:
        work.people.change(person.id, person.version, roles=roles)


def fill_tryout(node: Node, operator: Identity, say: Say) -> None:
    """Load what both acts bring along, and ask for their traces; the node runs them once it is started."""
    with node.store.inside(operator) as work:
        you = work.people.identity_of(work.people.by_name(PERSON))
    handling = Handling(marking=MARKING, pap=PAP, owner=you.person)
    say("loading tags and published hops, and asking for the traces of both acts")
    with resources.as_file(resources.files("shieldwall.playbooks") / "data") as data:
        for path, network in (
            (data / "colonial" / "colonial-public.yaml", MAIN),
            (data / "exercise" / "northwind.yaml", REGTEST),
        ):
            _take_in(node, you, path, network)
        hops = read_published([data / "colonial" / "published.jsonl"])
        with node.store.act(you, "claim.add") as work:
            work.claims.add([replace(claim, pap=PAP) for some in hops.by_outpoint.values() for claim in some])
    _share(node, operator, you)
    asked = ((RANSOM_ADDRESS, "fifo"), (MERGE_INPUT, "all"), (make_exercise().ransom_address, "all"))
    for number, (target, method) in enumerate(asked):
        node.runner.add(you, "trace", {"targets": [target], "method": method}, f"try-out {number}", handling)


def _take_in(node: Node, you: Identity, path: Path, network: Network) -> None:
    options = ReadOptions(network=network, marking=MARKING, pap=PAP)
    node.tag_sets(you).import_sources([Source(path.name, path.read_bytes(), path.name)], options=options)


def _share(node: Node, operator: Identity, you: Identity) -> None:
    """Two invented partners of one group, a collection for them, and what the exercise's ransom address is: one thing for both,
    and one for the one that may have TLP:AMBER alone."""
    with node.store.inside(operator) as work:
        colleague = work.people.identity_of(work.people.by_name(COLLEAGUE))
    with node.store.act(you, "partner.add") as work:
        group = work.partners.add_group("allies")
        for name, highest in (("Exercise partner unit", Marking.AMBER), ("Exercise press office", Marking.GREEN)):
            work.partners.join(group.id, work.partners.add(name, highest=highest).id)
    with node.store.act(colleague, "collection.add") as work:
        collection = work.collections.add("Exercise", group=group.id, highest=Marking.AMBER)
    address = make_exercise().ransom_address
    ids: list[str] = []
    for marking, kind, more in (
        (Marking.GREEN, "indicator", _indicator(address)),
        (Marking.AMBER, "note", {"content": "The operator reported it to us in confidence.", "abstract": "Exercise"}),
    ):
        handling = Handling(marking=marking, pap=PAP, owner=you.person)
        about = {"object_refs": list(ids)} if kind == "note" else {}

        def made(
            frame: Frame, kind: str = kind, more: dict[str, str] = more, about: dict[str, list[str]] = about
        ) -> Any:  # noqa: ANN401
            return {**frame.of(kind, "exercise", address), **more, **about}

        ids.append(say_of(node, you, "share.make", made, handling))
    release(node, colleague, "share.release", collection.id, ids, "exercise: to be looked at")


def _indicator(address: str) -> dict[str, str]:
    return {
        "name": "Exercise: ransom address",
        "pattern": f"[cryptocurrency-wallet:value = '{address}']",
        "pattern_type": "stix",
        "valid_from": "2026-10-01T00:00:00Z",
    }
