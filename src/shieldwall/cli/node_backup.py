"""`shieldwall node backup`, `backup-key` and `restore`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from shieldwall.cli.node_options import (
    ask_new_passphrase,
    key_options,
    node_options,
    opened,
    passphrase_line,
    source_of,
    this_user,
)
from shieldwall.cli.options import emit_record, output_option
from shieldwall.cli.telling import tell
from shieldwall.errors import BadInput, UsageError
from shieldwall.model.moment import utc
from shieldwall.node.backup import restore as restore_backup
from shieldwall.node.backup import write_backup
from shieldwall.node.home import write_private
from shieldwall.node.keysource import credential_file
from shieldwall.node.offlinekey import OfflineSecret, read_public, read_secret
from shieldwall.node.slots import Passphrase, SlotKey

_LARGEST_KEY = 1 << 16  # bytes


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="KEYFILE",
    help="Seal it to this offline key besides.",
)
@node_options
@output_option
def backup(
    file: Path,
    to: tuple[Path, ...],
    folder: str | None,
    key_file: Path | None,
    passphrase_stdin: bool,
    output: str | None,
) -> None:
    """Write a backup to the new FILE, of one moment, while the node runs.

    It holds everything but the chain store, which is public and can be built again, and who is signed in. What opens the node
    opens the backup; an offline key (see backup-key) opens it when every passphrase is lost.
    """
    keys = [read_public(_read(path), str(path)) for path in to]
    with opened(folder, key_file, passphrase_stdin) as (home, identity):
        counts = write_backup(home, file, identity, keys)
    emit_record(
        {"backup": str(file), "bytes": file.stat().st_size, "rows": sum(counts.values()), "tables": dict(counts)},
        output,
    )


@click.command("backup-key")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@output_option
def backup_key(file: Path, output: str | None) -> None:
    """Make an offline key: the secret half in the new FILE, the public half in FILE.pub.

    Move FILE to a place that is never online. Backups are sealed to FILE.pub; FILE restores them without any passphrase.
    """
    secret = OfflineSecret.generate()
    public = file.with_name(file.name + ".pub")
    write_private(file, json.dumps(secret.as_dict(), indent=1).encode() + b"\n")
    write_private(public, json.dumps(secret.public.as_dict(), indent=1).encode() + b"\n")
    emit_record({"id": secret.public.id, "secret": str(file), "public": str(public)}, output)
    tell(f"{file} opens every backup that is sealed to {public.name}: keep it offline")


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--offline-key", type=click.Path(path_type=Path), metavar="KEYFILE", help="Open it by this offline key.")
@click.option("--database", metavar="URL", help="A postgresql:// URL, instead of an encrypted file in DIR.")
@click.option(
    "--audit-roots", metavar="FILE", help="The node's exported roots: they tell whether the backup is an older copy."
)
@key_options
@output_option
def restore(
    file: Path,
    directory: Path,
    offline_key: Path | None,
    database: str | None,
    audit_roots: str | None,
    key_file: Path | None,
    passphrase_stdin: bool,
    output: str | None,
) -> int:
    """Make a new node folder DIR of the backup FILE.

    The key of the node opens it. With --offline-key it gets a new passphrase or credential file, which is asked for instead. Ends
    with code 1 where the backup is older than an exported root: the node then starts only after `node audit accept`.
    """
    settings = {"database": database, "audit_roots": audit_roots and str(Path(audit_roots).absolute())}
    offline = read_secret(_read(offline_key), str(offline_key)) if offline_key else None
    done = restore_backup(
        file,
        directory,
        key=None if offline else source_of(key_file, passphrase_stdin),
        offline=offline,
        new_slot=_new_slot(key_file, passphrase_stdin=passphrase_stdin) if offline else None,
        settings={name: value for name, value in settings.items() if value},
        environ=os.environ,
        identity=this_user(),
    )
    record = {
        "node": str(done.path),
        "id": done.node,
        "made_at": utc(done.made_at // 1_000_000),
        "audit_leaves": done.leaves,
        "rows": sum(done.rows.values()),
        "warning": done.warning,
    }
    emit_record(record, output)
    if done.warning:
        tell(f"warning: {done.warning}")
    return 1 if done.warning else 0


def _new_slot(key_file: Path | None, *, passphrase_stdin: bool) -> SlotKey:
    if key_file is not None:
        return credential_file(key_file)
    if passphrase_stdin:
        return Passphrase(passphrase_line())
    if not sys.stdin.isatty():
        raise UsageError("the restored node needs a new key", hint="give --key-file FILE, or --passphrase-stdin")
    return Passphrase(ask_new_passphrase())


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_KEY + 1)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})", hint="check the name") from None
