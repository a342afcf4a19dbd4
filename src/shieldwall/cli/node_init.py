"""`shieldwall node init`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from shieldwall.cli.node_options import ask_new_passphrase, passphrase_line, this_user
from shieldwall.cli.options import emit_record, output_option
from shieldwall.cli.telling import tell
from shieldwall.errors import UsageError
from shieldwall.node.home import make_home, write_private
from shieldwall.node.keysource import PASSPHRASE_FILE, credential_file, passphrase_file
from shieldwall.node.nodeconfig import NodeConfig
from shieldwall.node.slots import Passphrase, SlotKey, new_credential


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--name", default="shieldwall", show_default=True, help="What people call the node.")
@click.option("--host", default="localhost", show_default=True, help="Its domain name; passkeys are bound to it.")
@click.option("--port", type=int, default=8420, show_default=True, help="Its port.")
@click.option("--database", metavar="URL", help="A postgresql:// URL, instead of an encrypted file in DIR.")
@click.option("--chain", metavar="DIR", help="The chain store that it looks into.")
@click.option("--audit-roots", metavar="FILE", help="Where signed roots of the audit log go; best on another disk.")
@click.option("--administrator", default="administrator", show_default=True, help="Name of the first person.")
@click.option(
    "--key-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Open it by this credential file; made where it is new.",
)
@click.option("--passphrase-stdin", is_flag=True, help="Read the passphrase from the first line of standard input.")
@output_option
def init(
    directory: Path,
    name: str,
    host: str,
    port: int,
    database: str | None,
    chain: str | None,
    audit_roots: str | None,
    administrator: str,
    key_file: Path | None,
    passphrase_stdin: bool,
    output: str | None,
) -> None:
    """Make a node in DIR: settings, keys, an encrypted database, and its first administrator.

    Prints the one-time link by which the first administrator makes a passkey; it holds for a day, and is shown this once.
    Whoever loses every passphrase and credential file has lost the node: keep one of them elsewhere.
    """
    from shieldwall.node.people.recovery import first_administrator  # noqa: PLC0415 - only this command needs it

    settings: dict[str, Any] = {"name": name, "host": host, "port": port}
    given = {"database": database, "chain": chain and str(Path(chain).absolute())}
    given["audit_roots"] = audit_roots and str(Path(audit_roots).absolute())
    settings |= {setting: value for setting, value in given.items() if value}
    key = _key(key_file, passphrase_stdin=passphrase_stdin)
    identity = this_user()
    with make_home(directory, key, identity=identity, settings=settings, environ=os.environ) as home:
        secret = first_administrator(home.store, identity, administrator)
        home.witness.sign(identity)
        record = {
            "node": str(home.path),
            "id": home.slots.node,
            "fingerprint": home.keys.public.spoken,
            "sign_in": sign_in_link(home.config, secret),
        }
    emit_record(record, output)
    tell(
        "the link makes the first passkey, once, within a day; serve the node, then open it in a browser on this machine"
    )


def sign_in_link(config: NodeConfig, secret: str) -> str:
    """The link by which a passkey is made. The secret stands behind #, so no server ever logs it."""
    return f"{config.origin}/sign-in#{secret}"


def _key(key_file: Path | None, *, passphrase_stdin: bool) -> SlotKey:
    if key_file is not None:
        if key_file.exists():
            return credential_file(key_file)
        credential, text = new_credential()
        write_private(key_file, text.encode())
        tell(f"{key_file}: a new credential file; it opens the node, so keep it like the node itself")
        return credential
    if passphrase_stdin:
        return Passphrase(passphrase_line())
    if os.environ.get(PASSPHRASE_FILE):
        return passphrase_file(Path(os.environ[PASSPHRASE_FILE]))
    if not sys.stdin.isatty():
        raise UsageError("a passphrase is needed", hint="give --key-file FILE, or --passphrase-stdin")
    return Passphrase(ask_new_passphrase())
