"""What the commands of casework share: an open node, and the person for whom its operator acts."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shieldwall.cli.node_options import node_options, opened
from shieldwall.errors import UsageError
from shieldwall.model.access import Identity, Kind

if TYPE_CHECKING:
    from shieldwall.node.node import Node


@dataclass(frozen=True, slots=True)
class Seat:
    """Where and as whom a command works: which node, what opens it, and for which person."""

    folder: str | None
    key_file: Path | None
    passphrase_stdin: bool
    person: str


def as_person(function: Callable[..., None]) -> Callable[..., None]:
    """Which node, its key, and `--as PERSON`; the command gets them as one `seat`."""

    @functools.wraps(function)
    def seated(folder: str | None, key_file: Path | None, passphrase_stdin: bool, person: str, **given: object) -> None:
        function(seat=Seat(folder, key_file, passphrase_stdin, person), **given)

    named = click.option(
        "--as",
        "person",
        required=True,
        envvar="SHIELDWALL_AS",
        metavar="PERSON",
        help="Name of the person for whom this is done; else SHIELDWALL_AS. The audit log says that it was the command line.",
    )(seated)
    return node_options(named)


@contextlib.contextmanager
def working(seat: Seat) -> Iterator[tuple[Node, Identity]]:
    """The node, open, and the person with all that they may do; whoever has the node's key acts for them.

    Raises:
        NotFound: Nobody has that name.
        UsageError: They are disabled.
    """
    from shieldwall.node.node import Node  # noqa: PLC0415 - the whole node is slow to load

    with opened(seat.folder, seat.key_file, seat.passphrase_stdin) as (home, operator):
        with home.store.inside(operator) as work:
            found = work.people.by_name(seat.person)
            if not found.active:
                raise UsageError(f"{seat.person} is disabled", hint="an administrator can let them in again")
            identity = work.people.identity_of(found)
        yield Node(home), replace(identity, kind=Kind.OPERATOR)


def again(node: Node, identity: Identity) -> Identity:
    """The same person with the rights of now: a case that was just opened is theirs."""
    with node.store.inside(identity) as work:
        found = work.people.find(identity.person)
        return identity if found is None else replace(work.people.identity_of(found), kind=Kind.OPERATOR)


def case_id(node: Node, identity: Identity, word: str) -> str:
    """The id of a case that is given by its id, or by words that find exactly one.

    Raises:
        UsageError: They find none, or several.
    """
    if len(word) == 32 and all(letter in "0123456789abcdef" for letter in word):
        return word
    with node.store.look(identity, "case.list") as work:
        found = work.cases.search(word, most=5)
    if len(found) != 1:
        told = ", ".join(f"{case.title} ({case.id})" for case in found)
        raise UsageError(
            f"{word!r} is {'none' if not found else 'several'} of your cases{': ' if told else ''}{told}",
            hint="give the id: shieldwall case list",
        )
    return found[0].id
