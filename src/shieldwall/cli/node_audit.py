"""`shieldwall node audit`: show, verify, export, prove, accept."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from shieldwall.cli.node_options import node_options, opened
from shieldwall.cli.options import chosen_format, emit_record, emit_rows, output_option
from shieldwall.cli.telling import tell
from shieldwall.errors import BadInput, NotFound, StoreError
from shieldwall.model.access import Permission
from shieldwall.model.moment import utc
from shieldwall.model.strictjson import parse_json
from shieldwall.node.auditing import verify_log
from shieldwall.node.exported import Exported
from shieldwall.node.home import refuse_old_clock
from shieldwall.node.identity import PublicIdentity
from shieldwall.node.proofs import check_proof
from shieldwall.node.proofs import prove as prove_leaf

_LARGEST = 64 << 20  # bytes of a proof, or a public document


@click.group()
def audit() -> None:
    """The audit log: every act, in a Merkle tree (RFC 6962) whose signed roots are exported."""


@audit.command()
@click.option("--from", "start", type=click.IntRange(min=0), help="The first leaf; the last 20 by default.")
@click.option("--most", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many leaves.")
@node_options
@output_option
def show(
    start: int | None, most: int, folder: str | None, key_file: Path | None, passphrase_stdin: bool, output: str | None
) -> None:
    """Show leaves of the log: number, time, who, what, outcome, and which objects."""
    with (
        opened(folder, key_file, passphrase_stdin) as (home, identity),
        home.store.look(identity, "audit.show") as work,
    ):
        work.must(Permission.AUDIT)
        first = max(0, work.audit.head().frontier.size - most) if start is None else start
        leaves = list(work.audit.leaves(first, first + most))
        work.note(first=first, count=len(leaves))
    if chosen_format(output) in {"table", "csv"}:
        emit_rows([_row(leaf.entry) for leaf in leaves], ("number", "at", "who", "verb", "outcome", "detail"), output)
    else:
        emit_rows([dict(leaf.entry) for leaf in leaves], (), output)


@audit.command()
@click.option("--roots", type=click.Path(path_type=Path), metavar="FILE", help="Another copy of the exported roots.")
@node_options
@output_option
def verify(
    roots: Path | None, folder: str | None, key_file: Path | None, passphrase_stdin: bool, output: str | None
) -> int:
    """Compute the whole log again; name each leaf that was edited, removed or put elsewhere. Ends with code 1 where one was.

    Exported roots find what no look at the database alone can: a log that was written anew as a whole, and an older copy.
    """
    with opened(folder, key_file, passphrase_stdin, checked=False, writes=False) as (home, identity):
        exported = Exported(roots) if roots else home.exported
        if roots is not None and not roots.exists():
            raise BadInput(f"{roots}: there is no such file")
        found = verify_log(home.store, identity, home.keys.identity, exported)
        wrong = len(found.findings)
        with contextlib.suppress(*((StoreError,) if wrong else ())):  # a log that is broken must not hide how it is
            home.store.record(identity, "audit.verify", "done", leaves=found.size, findings=wrong)
    rows = [{"first": entry.first, "last": entry.last, "finding": entry.text} for entry in found.findings]
    record: dict[str, Any] = {
        "leaves": found.size,
        "root": found.root.hex(),
        "last": utc(found.at // 1_000_000) if found.at else "",
        "kept_roots": found.kept,
        "exported_roots": found.exported,
        "accepted": list(found.accepted),
    }
    if chosen_format(output) == "table":
        emit_record({**record, "findings": wrong}, output)
        if rows:
            emit_rows(rows, ("first", "last", "finding"), output)
    else:
        emit_record({**record, "findings": rows}, output)
    return 1 if wrong else 0


@audit.command()
@node_options
@output_option
def export(folder: str | None, key_file: Path | None, passphrase_stdin: bool, output: str | None) -> None:
    """Sign where the log stands, and append that to the exported roots."""
    with opened(folder, key_file, passphrase_stdin, writes=False) as (home, identity):
        home.store.record(identity, "audit.export")
        signed = home.witness.sign(identity)
        path = home.exported.path
    record = {"size": signed.size, "root": signed.root.hex(), "at": utc(signed.at // 1_000_000), "file": str(path)}
    emit_record(record, output)


@audit.command()
@click.argument("number", type=click.IntRange(min=0))
@node_options
def prove(number: int, folder: str | None, key_file: Path | None, passphrase_stdin: bool) -> None:
    """Print a proof that leaf NUMBER is in the log: JSON that `audit check-proof` holds against the node's public document."""
    with opened(folder, key_file, passphrase_stdin) as (home, identity):
        line = home.witness.sign(identity)
        if line.size <= number:
            raise NotFound(f"there is no leaf {number}", hint="shieldwall node audit show")
        proof = prove_leaf(home.store, identity, number, line)
        home.store.record(identity, "audit.prove", "done", number=number)
    click.echo(json.dumps(proof, ensure_ascii=False, indent=1))


@audit.command("check-proof")
@click.argument("proof", type=click.Path(path_type=Path), metavar="PROOF")
@click.argument("document", type=click.Path(path_type=Path), metavar="DOCUMENT")
@output_option
def check_proof_command(proof: Path, document: Path, output: str | None) -> None:
    """Hold PROOF against the public DOCUMENT of a node (node key show -o json), without the node; print the entry."""
    known = PublicIdentity.from_dict(_json(document))
    entry = check_proof(_json(proof), known)
    emit_record({**entry, "fingerprint": known.current.spoken}, output)


@audit.command()
@click.option("--reason", required=True, help="Why; it stands in the log and in the exported roots for good.")
@click.option("--accept-clock", is_flag=True, help="Accept the clock as well.")
@node_options
@output_option
def accept(
    reason: str,
    accept_clock: bool,
    folder: str | None,
    key_file: Path | None,
    passphrase_stdin: bool,
    output: str | None,
) -> None:
    """Go on with a log that does not fit the exported roots, such as a restored older copy.

    A leaf and a signed line say so; the roots that do not fit stay, and `audit verify` shows them as accepted.
    """
    with opened(folder, key_file, passphrase_stdin, checked=False, writes=False) as (home, identity):
        refuse_old_clock(home.store, identity, accept=accept_clock)
        signed = home.witness.accept(identity, reason)
    emit_record({"size": signed.size, "root": signed.root.hex(), "accepts": signed.accepts}, output)
    tell("the node starts again")


def _row(entry: Mapping[str, Any]) -> dict[str, Any]:
    who = entry.get("who", {})
    detail = json.dumps(entry.get("detail", {}), ensure_ascii=False, sort_keys=True)
    return {
        "number": entry.get("number"),
        "at": utc(int(entry.get("at", 0)) // 1_000_000),
        "who": who.get("name", ""),
        "verb": entry.get("verb"),
        "outcome": entry.get("outcome"),
        "detail": "" if detail == "{}" else detail,
    }


def _json(path: Path) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})", hint="check the name") from None
    if len(raw) > _LARGEST:
        raise BadInput(f"{path}: too large")
    return parse_json(raw, str(path))
