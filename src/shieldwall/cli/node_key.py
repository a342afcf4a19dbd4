"""`shieldwall node key`: the node's identity, and the slots of its master key."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import click

from shieldwall.cli.node_options import ask_new_passphrase, folder_of, node_option, node_options, opened
from shieldwall.cli.options import chosen_format, emit_record, emit_rows, output_option
from shieldwall.cli.telling import tell
from shieldwall.errors import UsageError
from shieldwall.model.moment import utc
from shieldwall.node.home import change_slots, read_slots, write_private
from shieldwall.node.identity import rotate_keys
from shieldwall.node.keysource import passphrase_file
from shieldwall.node.slots import Passphrase, SlotKey, new_credential


@click.group()
def key() -> None:
    """The node's identity (Ed25519 and ML-DSA-65), and the key slots that open the node."""


@key.command()
@node_options
@output_option
def show(folder: str | None, key_file: Path | None, passphrase_stdin: bool, output: str | None) -> None:
    """Show the fingerprint in words to compare by telephone; with -o json the public document that verifies signatures."""
    with opened(folder, key_file, passphrase_stdin, writes=False) as (home, _):
        known = home.keys.identity
    if chosen_format(output) == "table":
        rows = [
            {
                "key": each.public.id,
                "since": utc(each.created_at // 1_000_000),
                "until": utc(each.retired_at // 1_000_000) if each.retired_at else "",
                "fingerprint": each.public.spoken,
            }
            for each in known.generations
        ]
        emit_rows(rows, ("key", "since", "until", "fingerprint"), output)
    else:
        emit_record(known.as_dict(), output)


@key.command()
@node_options
@output_option
def rotate(folder: str | None, key_file: Path | None, passphrase_stdin: bool, output: str | None) -> None:
    """Put new signing keys in the place of those in use; the old ones certify them, and stay to verify."""
    with opened(folder, key_file, passphrase_stdin, writes=False) as (home, identity):
        before = home.keys.public
        home.witness.sign(identity)  # by the old keys, as the last thing that they do
        keys = rotate_keys(home.store, identity, home.keys)
        replace(home.witness, keys=keys).sign(identity)
    after = keys.public
    emit_record({"before": before.id, "key": after.id, "fingerprint": after.spoken}, output)


@key.group()
def slot() -> None:
    """Key slots: each passphrase or credential file that opens the node has one."""


@slot.command("list")
@node_option
@output_option
def list_command(folder: str | None, output: str | None) -> None:
    """List the key slots."""
    rows = [
        {"id": entry.id, "kind": entry.kind, "name": entry.name, "made": utc(entry.made_at)}
        for entry in read_slots(folder_of(folder)).slots
    ]
    emit_rows(rows, ("id", "kind", "name", "made"), output)


@slot.command()
@click.argument("name")
@click.option(
    "--new-file", type=click.Path(path_type=Path), metavar="FILE", help="Make this new credential file for the slot."
)
@click.option(
    "--new-passphrase-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Take the new passphrase from this file.",
)
@node_options
@output_option
def add(
    name: str,
    new_file: Path | None,
    new_passphrase_file: Path | None,
    folder: str | None,
    key_file: Path | None,
    passphrase_stdin: bool,
    output: str | None,
) -> None:
    """Add a key slot called NAME: for a new passphrase, which is asked for, or a new credential file.

    To change a passphrase, add a slot for the new one and remove that of the old one.
    """
    with opened(folder, key_file, passphrase_stdin) as (home, identity):
        new = _new_key(new_file, new_passphrase_file)
        changed = change_slots(
            home,
            lambda slots: slots.with_slot(home.secrets.master, new, name=name, at=int(time.time())),
            identity,
            "key-slot.add",
        )
        made = changed.slots.slots[-1]
    emit_record({"id": made.id, "kind": made.kind, "name": made.name}, output)


@slot.command()
@click.argument("slot_id", metavar="ID")
@node_options
def remove(slot_id: str, folder: str | None, key_file: Path | None, passphrase_stdin: bool) -> None:
    """Remove the key slot with this ID; the last one stays. A copy of keys.json from before still has it."""
    with opened(folder, key_file, passphrase_stdin) as (home, identity):
        change_slots(home, lambda slots: slots.without(slot_id), identity, "key-slot.remove")
    tell(f"{slot_id} is removed; backups and copies from before still open by it")


def _new_key(new_file: Path | None, new_passphrase_file: Path | None) -> SlotKey:
    if new_file is not None:
        credential, text = new_credential()
        write_private(new_file, text.encode())
        return credential
    if new_passphrase_file is not None:
        return passphrase_file(new_passphrase_file)
    if not sys.stdin.isatty():
        raise UsageError("a new key is needed", hint="give --new-file FILE or --new-passphrase-file FILE")
    return Passphrase(ask_new_passphrase())
