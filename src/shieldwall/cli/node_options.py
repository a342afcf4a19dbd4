"""What the commands of `shieldwall node` share: which node, which key, and who acts."""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

from shieldwall.cli.options import settings
from shieldwall.errors import UsageError
from shieldwall.model.access import Identity
from shieldwall.node.home import OpenHome, open_home
from shieldwall.node.keysource import KeySource, key_source
from shieldwall.node.operators import operator

Function = TypeVar("Function", bound=Callable[..., Any])

_LONGEST_LINE = 4096


def node_option(function: Function) -> Function:
    """`--node DIR`."""
    return click.option(
        "--node",
        "folder",
        metavar="DIR",
        help="The node's folder; else SHIELDWALL_NODE, else the configuration file.",
    )(function)


def key_options(function: Function) -> Function:
    """`--key-file FILE` and `--passphrase-stdin`."""
    function = click.option(
        "--passphrase-stdin", is_flag=True, help="Read the passphrase from the first line of standard input."
    )(function)
    return click.option(
        "--key-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A credential file that opens the node, instead of a passphrase.",
    )(function)


def node_options(function: Function) -> Function:
    """Which node, and its key."""
    return node_option(key_options(function))


def folder_of(given: str | None) -> Path:
    """The node's folder.

    Raises:
        UsageError: Nothing names one.
    """
    found = settings(node=given).node
    if found is None:
        raise UsageError("which node?", hint="give --node DIR, or set SHIELDWALL_NODE")
    return found


def source_of(key_file: Path | None, passphrase_stdin: bool) -> KeySource:
    """Where the key comes from."""
    ask: Callable[[], str] | None = None
    if passphrase_stdin:
        return key_source({}, ask=passphrase_line)
    if sys.stdin.isatty():
        ask = ask_passphrase
    return key_source(os.environ, key_file=key_file, ask=ask)


def passphrase_line() -> str:
    """The first line of standard input."""
    return sys.stdin.readline(_LONGEST_LINE).removesuffix("\n").removesuffix("\r")


def ask_passphrase() -> str:
    """Ask someone at the terminal."""
    return str(click.prompt("Passphrase of the node", hide_input=True, err=True))


def ask_new_passphrase() -> str:
    """Ask someone at the terminal for a new one, twice."""
    return str(click.prompt("New passphrase", hide_input=True, confirmation_prompt=True, err=True))


def this_user() -> Identity:
    """Whoever runs the command."""
    try:
        return operator(getpass.getuser())
    except (KeyError, OSError):  # a user without a name
        return operator(str(os.getuid()))


@contextlib.contextmanager
def opened(
    folder: str | None,
    key_file: Path | None,
    passphrase_stdin: bool,
    *,
    checked: bool = True,
    accept_clock: bool = False,
    writes: bool = True,
) -> Iterator[tuple[OpenHome, Identity]]:
    """The node that a command is about, open, and who runs it; afterwards the audit log's root is signed and exported.

    Args:
        folder: As the option gives it.
        key_file: As the option gives it.
        passphrase_stdin: As the option gives it.
        checked: Refuse a clock or an audit log that does not fit.
        accept_clock: Go on with a clock that stands before the last entry of the audit log.
        writes: Whether the command leaves an entry in the audit log, so that its root is to be signed.
    """
    identity = this_user()
    source = source_of(key_file, passphrase_stdin)
    home = open_home(
        folder_of(folder), source, identity=identity, environ=os.environ, checked=checked, accept_clock=accept_clock
    )
    with home:
        yield home, identity
        if writes:
            home.witness.sign(identity)
