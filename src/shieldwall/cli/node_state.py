"""`shieldwall node status` and `check`."""

from __future__ import annotations

import os
from pathlib import Path

import click
from cryptography import __version__ as cryptography_version
from cryptography.hazmat.backends.openssl.backend import backend

from shieldwall import __version__
from shieldwall.cli.node_options import folder_of, node_options, opened, source_of, this_user
from shieldwall.cli.options import chosen_format, emit_record, emit_rows, output_option
from shieldwall.cli.telling import tell
from shieldwall.model.access import Permission
from shieldwall.model.moment import utc
from shieldwall.node.check import check_home
from shieldwall.node.home import database
from shieldwall.node.nodeconfig import explain, is_server
from shieldwall.store import migrate
from shieldwall.store.dump import counts

FAILED = 1
"""Exit code where something is wrong."""


@click.command()
@node_options
@click.option(
    "--accept-clock", is_flag=True, help="Go on with a clock that stands before the last entry of the audit log."
)
@output_option
def status(
    folder: str | None, key_file: Path | None, passphrase_stdin: bool, accept_clock: bool, output: str | None
) -> None:
    """Show versions, sizes, counts, keys, where the audit log stands, and every setting."""
    with opened(folder, key_file, passphrase_stdin, accept_clock=accept_clock) as (home, identity):
        with home.store.look(identity, "node.status") as work:
            work.must(Permission.MANAGE)
            head = work.audit.head()
            rows = counts(work)
        place = database(home.path, home.config)
        last = home.exported.last()
        record = {
            "node": str(home.path),
            "id": home.slots.node,
            "name": home.config.name,
            "address": home.config.origin,
            "version": __version__,
            "database": home.store.backend.name,
            "form": migrate.newest(),
            "bytes": 0 if is_server(place) else _bytes(Path(place)),
            "cryptography": f"{cryptography_version}, {backend.openssl_version_text()}",
            "key": home.keys.public.id,
            "fingerprint": home.keys.public.spoken,
            "key_slots": [f"{slot.name} ({slot.kind} {slot.id})" for slot in home.slots.slots],
            "audit_leaves": head.frontier.size,
            "audit_last": utc(head.at // 1_000_000),
            "exported_root": f"{last.size} leaves at {utc(last.at // 1_000_000)}" if last else "",
            "audit_roots": str(home.exported.path),
            "rows": {name: count for name, count in rows.items() if count},
            "settings": {row["setting"]: f"{row['value']} ({row['from']})" for row in explain(home.config)},
        }
    emit_record(record, output)


@click.command()
@node_options
@output_option
def check(folder: str | None, key_file: Path | None, passphrase_stdin: bool, output: str | None) -> int:
    """Look whether everything is as it should be; ends with code 1 and the names of what is not.

    Cryptography, settings, folder and files, free space, keys, every page of the database, every sealed value and claim, the
    whole audit log and its signed roots, the clock, and whether the node can write.
    """
    source = source_of(key_file, passphrase_stdin)
    results = check_home(folder_of(folder), source, identity=this_user(), environ=os.environ)
    rows = [
        {
            "check": result.name,
            "result": "good" if result.passed else "not looked at" if result.wrong is None else "wrong",
            "problems": list(result.wrong or ()),
        }
        for result in results
    ]
    if chosen_format(output) == "table":
        emit_rows(rows, ("check", "result"), output)
        for result in results:
            for sentence in result.wrong or ():
                tell(f"{result.name}: {sentence}")
    else:
        emit_rows(rows, ("check", "result", "problems"), output)
    return 0 if all(result.passed for result in results) else FAILED


def _bytes(place: Path) -> int:
    files = (place, place.with_name(place.name + "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
