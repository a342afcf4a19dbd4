"""`shieldwall node recover` and `token`."""

from __future__ import annotations

from pathlib import Path

import click

from shieldwall.cli.node_init import sign_in_link
from shieldwall.cli.node_options import node_options, opened
from shieldwall.cli.options import emit_record, emit_rows, output_option
from shieldwall.cli.telling import tell
from shieldwall.model.access import Permission
from shieldwall.model.marking import parse_marking
from shieldwall.model.moment import utc
from shieldwall.node.home import OpenHome
from shieldwall.node.people.doors import Doors
from shieldwall.node.people.recovery import begin_recovery


@click.command()
@click.argument("name")
@node_options
@output_option
def recover(name: str, folder: str | None, key_file: Path | None, passphrase_stdin: bool, output: str | None) -> None:
    """Make a one-time link by which the person NAME makes a new passkey in the place of all others.

    All their sessions end. The audit log says that this was done, and by whom.
    """
    with opened(folder, key_file, passphrase_stdin) as (home, identity):
        secret = begin_recovery(home.store, identity, name)
        record = {"person": name, "sign_in": sign_in_link(home.config, secret)}
    emit_record(record, output)
    tell("give the link to that person alone, and not by the way on which they asked for it; it holds for a day")


@click.group()
def token() -> None:
    """Create, list and revoke machine tokens; each acts for a person, and never for more than that person may."""


@token.command()
@click.argument("name")
@click.option("--for", "person", required=True, metavar="PERSON", help="Name of the person whom it acts for.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([Permission.READ.value, Permission.WRITE.value, Permission.AUDIT.value]),
    help="What it may do; read by default.",
)
@click.option("--tlp", default="TLP:CLEAR", show_default=True, help="The highest marking that it may see.")
@click.option("--days", type=click.IntRange(1, 365), default=90, show_default=True, help="How long it holds.")
@node_options
@output_option
def create(
    name: str,
    person: str,
    scopes: tuple[str, ...],
    tlp: str,
    days: int,
    folder: str | None,
    key_file: Path | None,
    passphrase_stdin: bool,
    output: str | None,
) -> None:
    """Create the token NAME; its text is shown this once."""
    with opened(folder, key_file, passphrase_stdin) as (home, identity):
        with home.store.inside(identity) as work:
            found = work.people.by_name(person)
        text, made = _doors(home).issue_token(
            identity,
            name,
            scopes=[Permission(scope) for scope in scopes or (Permission.READ.value,)],
            highest=parse_marking(tlp),
            seconds=days * 86_400,
            person=found.id,
        )
        record = {"id": made.id, "name": made.name, "expires": utc(made.expires_at // 1_000_000), "token": text}
    emit_record(record, output)
    tell("the token is shown this once")


@token.command("list")
@node_options
@output_option
def list_command(folder: str | None, key_file: Path | None, passphrase_stdin: bool, output: str | None) -> None:
    """List the tokens, without their secrets."""
    with opened(folder, key_file, passphrase_stdin) as (home, identity):
        tokens = _doors(home).list_tokens(identity, everybody=True)
        rows = [
            {
                "id": entry.id,
                "name": entry.name,
                "person": entry.person,
                "scopes": sorted(entry.scopes),
                "highest": entry.highest.label,
                "expires": utc(entry.expires_at // 1_000_000),
                "revoked": utc(entry.revoked_at // 1_000_000) if entry.revoked_at else "",
            }
            for entry in tokens
        ]
    emit_rows(rows, ("id", "name", "person", "scopes", "highest", "expires", "revoked"), output)


@token.command()
@click.argument("token_id", metavar="ID")
@node_options
def revoke(token_id: str, folder: str | None, key_file: Path | None, passphrase_stdin: bool) -> None:
    """Revoke the token with this ID."""
    with opened(folder, key_file, passphrase_stdin) as (home, identity):
        _doors(home).revoke_token(identity, token_id)
    tell(f"{token_id} is revoked")


def _doors(home: OpenHome) -> Doors:
    from shieldwall.node.node import people_config  # noqa: PLC0415 - the whole node is slow to load

    return Doors(home.store, people_config(home.config))
