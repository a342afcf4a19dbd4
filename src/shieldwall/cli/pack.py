"""`shieldwall pack`: an evidence package of a case."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import click

from shieldwall.cli.casework import Seat, as_person, case_id, working
from shieldwall.cli.options import emit_record, output_option
from shieldwall.errors import UsageError
from shieldwall.model.moment import unix

_SECOND = 1_000_000


@click.command()
@click.argument("word", metavar="CASE")
@click.argument("path", type=click.Path(path_type=Path), metavar="PACK.zip")
@click.option("--to", default="", help="For whom it is.")
@click.option("--as-of", metavar="TIME", default="", help="As the case was known then (UTC).")
@click.option("--leave-claim", "claims", multiple=True, metavar="CLAIM", help="Leave a claim out (again for more).")
@click.option(
    "--leave-evidence", "pieces", multiple=True, metavar="EVIDENCE", help="Leave the content of evidence out."
)
@click.option("--leave-request", "requests", multiple=True, metavar="REQUEST", help="Leave a request out.")
@click.option("--leave-title", is_flag=True, help="Leave the title of the case out.")
@click.option("--why", default="", help="Why something is left out; it stands in the package.")
@as_person
@output_option
def pack(
    word: str,
    path: Path,
    to: str,
    as_of: str,
    claims: tuple[str, ...],
    pieces: tuple[str, ...],
    requests: tuple[str, ...],
    leave_title: bool,
    why: str,
    output: str | None,
    seat: Seat,
) -> None:
    """Make an evidence package of CASE, keep it there, and write it to PACK.zip.

    Whatever is left out is said in the package, with the reason, and never what it says. `shieldwall verify` checks it.
    """
    from shieldwall.cases.event import moment_of  # noqa: PLC0415 - only this command needs them
    from shieldwall.cases.pack.redaction import Redaction  # noqa: PLC0415
    from shieldwall.node.casework.packing import PackAsked, pack_case  # noqa: PLC0415

    if path.exists():
        raise UsageError(f"{path} is there already", hint="choose another name, or move it away")
    redaction = None
    if claims or pieces or requests or leave_title:
        redaction = Redaction(
            why=why,
            claims=frozenset(claims),
            evidence=frozenset(pieces),
            letters=frozenset(requests),
            title=leave_title,
        )
    at_time = unix(moment_of(as_of, "--as-of")) * _SECOND + _SECOND - 1 if as_of else None
    with working(seat) as (at, identity):
        found = case_id(at, identity, word)
        file = pack_case(at, identity, "case.pack", found, PackAsked(to=to, as_of=at_time, redaction=redaction))
        with at.store.look(identity, "file.export", file=file.id) as work:
            raw = work.files.read(file.id)
    _write(path, raw)
    emit_record({"file": file.id, "path": str(path), "bytes": file.size, "sha256": file.sha256}, output)


def _write(path: Path, raw: bytes) -> None:
    """All of it, or nothing: a stop leaves no half package under that name."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("xb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror})") from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
