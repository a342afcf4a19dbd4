"""`shieldwall verify`: check an evidence package, or a signed request, without a node."""

from __future__ import annotations

from pathlib import Path

import click

from shieldwall.cli.options import chosen_format, emit_record, output_option
from shieldwall.errors import UsageError

_FINDING = 1
_LARGEST = 1 << 30


@click.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE")
@click.option(
    "--key",
    default="",
    metavar="FINGERPRINT",
    help="The sender's key, as they told you: digits, or words.",
)
@click.option(
    "--keys", type=click.Path(path_type=Path), metavar="FILE", help="Of a request: keys.json; else the one beside it."
)
@click.option(
    "--signature", type=click.Path(path_type=Path), metavar="FILE", help="Of a request: else NAME.sig.json beside it."
)
@output_option
def verify(path: Path, key: str, keys: Path | None, signature: Path | None, output: str | None) -> int:
    """Verify FILE: an evidence package (zip), or a request.json with its signature. Exit code 1 where it does not hold.

    Says what is proven by the chain, and what is asserted by whom. It is the same program as verify.py in each package.
    """
    from shieldwall.cases.pack import verifier  # noqa: PLC0415 - only this command needs them
    from shieldwall.node.spoken import SPOKEN, heard, spoken  # noqa: PLC0415

    wanted = heard(key).hex() if " " in key.strip() or "-" in key else key
    if wanted and len(wanted) < verifier.SHORTEST_KEY:
        raise UsageError(f"a fingerprint has 64 digits: give {verifier.SHORTEST_KEY} of them or more, or its words")
    try:
        raw = _bytes(path)
        if raw[:2] == b"PK" or path.suffix == ".zip":
            report = verifier.verify(raw, wanted)
            if chosen_format(output) == "table":
                click.echo(verifier.told(report))
                click.echo(
                    f"The key's words, to be compared by telephone: {spoken(bytes.fromhex(report.fingerprint)[:SPOKEN])}"
                )
            else:
                emit_record(report.as_dict(), output)
            return 0
        beside = signature or path.with_suffix(".sig.json")
        known = keys or path.parent / "keys.json"
        purpose = "request-retraction" if b'"shieldwall-retraction/1"' in raw[:4096] else verifier.REQUEST_PURPOSE
        fingerprint = verifier.verify_signed(raw, _bytes(beside), _bytes(known), purpose, wanted)
    except verifier.NotGood as error:
        if chosen_format(output) == "table":
            click.echo(f"NOT GOOD: {error.name}\n  {error.words}")
        else:
            emit_record({"good": False, "name": error.name, "words": error.words}, output)
        return _FINDING
    except ModuleNotFoundError as error:
        raise UsageError(f"to verify signatures needs {error.name}", hint="pip install 'shieldwall[node]'") from None
    told = {
        "good": True,
        "file": str(path),
        "fingerprint": fingerprint,
        "words": spoken(bytes.fromhex(fingerprint)[:SPOKEN]),
    }
    emit_record(told, output)
    return 0


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
