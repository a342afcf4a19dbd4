"""`shieldwall screen`: many addresses, what is known about each."""

from __future__ import annotations

import contextlib
import json
import sys
from textwrap import fill
from typing import Any

import click

from shieldwall.cli.options import chain_option, chosen_format, data_option, output_option, settings, table, width
from shieldwall.cli.telling import tell
from shieldwall.errors import BadInput, PartialData, ShieldwallError
from shieldwall.intel import TagSets
from shieldwall.intel.document import Gathered, gather
from shieldwall.model.amount import btc
from shieldwall.node.wiring import open_chain
from shieldwall.trace.screen import Screening
from shieldwall.trace.screen import screen as screen_mentions

_MOST_ROWS = 50  # on a terminal
_MOST_TOLD = 20


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="FILE...")
@chain_option
@data_option
@click.option("--tags", "sets", multiple=True, metavar="SET", help="Use this tag set (again for more); default all.")
@click.option("--strict", is_flag=True, help="Exit code 3 when something is unknown, unread or nearly an address.")
@output_option
def screen(
    what: tuple[str, ...], chain: str | None, data: str | None, sets: tuple[str, ...], strict: bool, output: str | None
) -> int:
    """Look up all addresses in FILE: tags, and what the chain store holds, direct only.

    FILE is a document of any kind (text, mail, chat export, CSV, HTML, JSON; PDF with the extra), - for standard input, an
    address, or pasted text. The verdict is "tagged", "in store, no tag" or "unknown"; unknown is not clean. Exit code
    1 when an address is sanctioned or tagged with an abuse.
    """
    config = settings(chain=chain, data=data)
    found = gather(what, sys.stdin)
    near = [f"near miss: {miss}" for miss in found.mentions.near_misses]
    if not found.mentions.mentions:
        hint = "; ".join(near[:3]) or "give a text that holds an address"
        raise BadInput("no address and no txid is in what was given", hint=hint)
    index = TagSets(config.tags).select(list(sets) or None)
    with contextlib.nullcontext() if config.chain is None else open_chain(config) as store:
        screening = screen_mentions(found.mentions, index, store, unread=found.unread)
    _remark(found, near)
    _emit(screening, output)
    if screening.findings:
        return ShieldwallError.exit_code
    return PartialData.exit_code if strict and not screening.complete else 0


def _remark(found: Gathered, near: list[str]) -> None:
    more = len(near) + found.mentions.left_out - _MOST_TOLD
    for line in near[:_MOST_TOLD]:
        tell(line)
    if more > 0:
        tell(f"+ {more} other near misses (in -o json)")
    for what in found.unread[:_MOST_TOLD]:
        tell(f"not read: {what}")
    if found.unread[_MOST_TOLD:]:
        tell(f"+ {len(found.unread) - _MOST_TOLD} other parts not read (in -o json)")


def _emit(screening: Screening, output: str | None) -> None:
    match chosen_format(output):
        case "csv":
            click.echo(screening.to_csv(), nl=False)
        case "jsonl":
            for row in screening.rows:
                click.echo(json.dumps(row, ensure_ascii=False))
        case "table":
            click.echo(_text(screening), nl=False)
        case _:
            click.echo(screening.to_json())


def _text(screening: Screening) -> str:
    rows = [_shown(row) for row in screening.rows[:_MOST_ROWS]]
    rest = len(screening.rows) - len(rows)
    more = f"+ {rest} others (all in -o csv)\n" if rest else ""
    answer = fill(screening.sentence, width())
    listed = table(rows, tuple(rows[0])) if rows else ""
    return f"{answer}\n\n{listed}{more}digest {screening.digest}\n"


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    best = row["tags"][0] if row["tags"] else {}
    return {
        "address": row["address"],
        "verdict": "sanctioned" if row["sanctioned"] else row["verdict"],
        "known as": best.get("label", ""),
        "abuse": best.get("abuse", ""),
        "source": " ".join(filter(None, (best.get("set", ""), best.get("source_date", "")))),
        "held": _held(row),
        "last seen (UTC)": row["last_time"] or "",
        "where": row["first_place"] + (f" + {row['mentioned'] - 1}" if row["mentioned"] > 1 else ""),
    }


def _held(row: dict[str, Any]) -> str:
    """What sits there, and apart from it what this data cannot place: unknown is not zero."""
    if row["held_amount"] is None:
        return ""
    unknown = f"{btc(row['unknown_amount'])} unknown" if row["unknown_amount"] else ""
    held = btc(row["held_amount"]) if row["held_amount"] or not unknown else ""
    return " + ".join(filter(None, (held, unknown)))
