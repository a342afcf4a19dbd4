"""`shieldwall screen`: many addresses, what is known about each, and whom their money reached."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import fill, wrap
from typing import Any, BinaryIO, cast

import click

from shieldwall.cli import INTERRUPTED
from shieldwall.cli.options import (
    Progress,
    chain_option,
    chosen_format,
    data_option,
    output_option,
    settings,
    table,
    width,
)
from shieldwall.cli.telling import tell
from shieldwall.errors import BadInput, PartialData, ShieldwallError, UsageError
from shieldwall.intel import TagSets
from shieldwall.intel.document import Gathered, gather, is_file
from shieldwall.model.amount import btc
from shieldwall.node.config import Config
from shieldwall.node.wiring import CO_SPEND, open_chain, open_clustering
from shieldwall.trace.printable import printable
from shieldwall.trace.screening.answer import Screening, in_words, inherited_words, notes, sentence
from shieldwall.trace.screening.answer import screen as screen_mentions
from shieldwall.trace.screening.exposure import HOPS, MOST_HOPS
from shieldwall.trace.screening.own_rows import own_rows
from shieldwall.trace.screening.reading import LARGE, is_list
from shieldwall.trace.screening.run import ENDING, Form, Lists, Tally, buffer_of, is_finished, write_file, write_stream
from shieldwall.trace.screening.screener import UNKNOWN, Screener

_MOST_ROWS = 50  # on a terminal
_MOST_TOLD = 20


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="FILE...")
@chain_option
@data_option
@click.option("--tags", "sets", multiple=True, metavar="SET", help="Use this tag set (again for more); default all.")
@click.option(
    "--hops",
    type=click.IntRange(0, MOST_HOPS),
    default=HOPS,
    show_default=True,
    help="Look this many transactions around each address; 0 for direct only.",
)
@click.option(
    "--cluster",
    is_flag=False,
    flag_value=CO_SPEND,
    metavar="[NAME]",
    help="Say too what the address's cluster is tagged with (see cluster build).",
)
@click.option(
    "--to", "target", type=click.Path(path_type=Path), help="Write rows here as they are done (.csv or .jsonl)."
)
@click.option("--resume", is_flag=True, help="With --to: go on where a stopped run left off.")
@click.option("--strict", is_flag=True, help="Exit code 3 when something is unknown, unread or nearly an address.")
@click.option(
    "--strict-exposure", is_flag=True, help="Exit code 1 also for money that went to, or came from, such ones."
)
@output_option
def screen(
    what: tuple[str, ...],
    chain: str | None,
    data: str | None,
    sets: tuple[str, ...],
    hops: int,
    cluster: str | None,
    target: Path | None,
    *,
    resume: bool,
    strict: bool,
    strict_exposure: bool,
    output: str | None,
) -> int:
    """Look up all addresses in FILE: tags, what the chain store holds, and tagged addresses some hops away.

    FILE is a document of any kind (text, mail, chat export, CSV, HTML, JSON; PDF with the extra), - for standard input, an
    address, or pasted text. The verdict is "tagged", "in store, no tag" or "unknown"; unknown is not clean. Exit code
    1 when an address is sanctioned or tagged with an abuse.

    A list of more than 4 MiB, or any with --to, is screened row by row, in its own order and of any length; a run with
    --to that was stopped goes on with --resume.
    """
    config = settings(chain=chain, data=data)
    if resume and target is None:
        raise UsageError("--resume goes on with a file", hint="name it with --to")
    for word in what:
        _check_no_directory(word)
    lists = _lists(what, everything=target is not None)
    if lists:
        try:
            with _screener(config, sets, hops, cluster, threads=1) as screener:
                tally = _stream(lists, screener, target, output, resume=resume)
        except KeyboardInterrupt:
            tell(_stopped(lists, target))
            raise click.exceptions.Exit(INTERRUPTED) from None
        return _code(
            tally.findings + tally.counts["exposed"] * strict_exposure,
            incomplete=strict and bool(tally.counts[UNKNOWN] or tally.near_misses),
        )
    found = gather(what, sys.stdin)
    near = [f"near miss: {miss}" for miss in found.mentions.near_misses]
    if not found.mentions.mentions:
        hint = "; ".join(near[:3]) or "give a text that holds an address"
        raise BadInput("no address and no txid is in what was given", hint=hint)
    with _screener(config, sets, hops, cluster) as screener:
        own = own_rows(word for word in what if is_file(word))
        screening = screen_mentions(found.mentions, screener, unread=found.unread, own=own)
    for note in screening.body["notes"]:
        tell(f"note: {note}")
    _remark(found, near)
    _emit(screening, output)
    exposed = screening.exposed if strict_exposure else 0
    return _code(screening.findings + exposed, incomplete=strict and not screening.complete)


def _check_no_directory(word: str) -> None:
    try:
        directory = Path(word).is_dir()
    except (OSError, ValueError):  # a text that no system takes for a path
        return
    if directory:
        raise UsageError(f"{word}: is a directory", hint="name the files in it")


def _stopped(lists: Sequence[str], target: Path | None) -> str:
    if target is None:
        return "stopped; rows that were written stand (with --to a stopped run can be gone on with)"
    if "-" in lists:
        return f"stopped; standard input is read once: delete {target} and {target}{ENDING}, and begin again"
    return "stopped; the same command with --resume goes on"


def _code(findings: int, *, incomplete: bool) -> int:
    if findings:
        return ShieldwallError.exit_code
    return PartialData.exit_code if incomplete else 0


@contextlib.contextmanager
def _screener(
    config: Config, sets: Sequence[str], hops: int, cluster: str | None, threads: int = 2
) -> Iterator[Screener]:
    index = TagSets(config.tags).select(list(sets) or None)
    with contextlib.ExitStack() as stack:
        store = None if config.chain is None else stack.enter_context(open_chain(config))
        if cluster is not None and store is None:
            raise UsageError("clusters are those of a chain store, and none is named", hint="say --chain DIR")
        clustering = None
        if cluster is not None and store is not None:
            clustering = stack.enter_context(open_clustering(config, store, cluster))
        yield Screener.of(index, store, hops=hops, clustering=clustering, threads=threads, engine=config.engine)


# lists of any length


def _lists(what: Sequence[str], *, everything: bool) -> list[str]:
    """`what` when it is lists to be screened row by row; else nothing.

    Raises:
        UsageError: Some of it is, and some cannot be.
    """
    large = [word for word in what if is_file(word) and Path(word).stat().st_size >= LARGE and is_list(Path(word))]
    if not large and not everything:
        return []
    other = [word for word in what if not (word == "-" or (is_file(word) and is_list(Path(word))))]
    if other or ("-" in what and len(what) > 1):
        raise UsageError(
            f"{(other or ['-'])[0][:80]}: not a file with a list of addresses, which is screened row by row",
            hint="screen documents and pasted text apart, without --to",
        )
    return list(what)


def _stream(
    names: Sequence[str], screener: Screener, target: Path | None, output: str | None, *, resume: bool
) -> Tally:
    form, shown = _form(target, output)
    opened = _standard_input() if list(names) == ["-"] else None
    lists = Lists(screener, [] if opened else [Path(name) for name in names], form, opened=opened)
    progress, finished = Progress(), False
    try:
        if target is not None:
            finished = resume and is_finished(target)
            tally = write_file(lists, target, progress, resume=resume)
        elif shown:
            tally = write_stream(lists, sys.stdout.buffer, progress)
        else:
            with Path(os.devnull).open("wb") as nowhere:
                tally = write_stream(lists, nowhere, progress)
    finally:
        progress.end()
    if finished:
        tell(f"{target}: is finished already; nothing was changed, and this is what its rows say")
    _summary(tally, screener, on_terminal=not shown and target is None)
    return tally


def _form(target: Path | None, output: str | None) -> tuple[Form, bool]:
    """How rows are written, and whether they are: a table on a terminal is the summary alone.

    Raises:
        UsageError: A format that needs all rows at once.
    """
    if target is not None and output is None:
        return ("csv" if target.suffix.lower() == ".csv" else "jsonl"), True
    if output is None and not sys.stdout.isatty():
        return "jsonl", True
    if output in ("csv", "jsonl"):
        return cast("Form", output), True
    if output == "json" or target is not None:
        raise UsageError(
            "a list that is screened row by row is written as jsonl or csv", hint="say -o jsonl, -o csv, or --to FILE"
        )
    return "jsonl", False


def _standard_input() -> BinaryIO:
    return getattr(sys.stdin, "buffer", None) or buffer_of(sys.stdin.read())


def _summary(tally: Tally, screener: Screener, *, on_terminal: bool) -> None:
    """What was found, on standard error; on standard output where no rows are written there."""
    say = click.echo if on_terminal else tell
    hops = 0 if screener.exposures is None else screener.exposures.hops
    for line in wrap(sentence(tally.counts, hops), width()):
        say(line)
    for note in notes(tally.counts, screener):
        tell(f"note: {note}")
    for _, address, why, place in tally.urgent:
        say(f"{address}  {printable(why)}  ({printable(place)})")
    more = tally.findings + tally.counts["exposed"] - len(tally.urgent)
    if more > 0 and tally.urgent:
        say(f"+ {more:,} others with a finding, or near one")
    for near in tally.near:
        tell(f"near miss: {printable(near)}")
    if tally.near_misses > len(tally.near):
        tell(f"+ {tally.near_misses - len(tally.near):,} other near misses")
    if tally.digits:
        tell(f"{tally.digits:,} strings of 64 hex digits were not looked up: a list is screened for addresses")


# documents


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
    rows = [_shown(row, clusters=screening.body["clustering"] is not None) for row in screening.rows[:_MOST_ROWS]]
    rest = len(screening.rows) - len(rows)
    more = f"+ {rest} others (all in -o csv)\n" if rest else ""
    answer = fill(screening.sentence, width())
    listed = table(rows, tuple(rows[0])) if rows else ""
    paths = "".join(map(_path, screening.rows[:_MOST_ROWS]))
    paths = f"\nshortest paths (first and last transaction):\n{paths}\n" if paths else ""
    return f"{answer}\n\n{listed}{more}{paths}digest {screening.digest}\n"


def _path(row: dict[str, Any]) -> str:
    """The way to the most urgent of what an address is exposed to, on a line of its own: txids are long."""
    reached = (row.get("exposure") or {}).get("reached", ())
    if not reached or not reached[0]["path"]:
        return ""
    nearest = reached[0]
    ends = " ... ".join(dict.fromkeys((nearest["path"][0], nearest["path"][-1])))
    hops = f"{nearest['hops']} hop{'s' if nearest['hops'] > 1 else ''}"
    return f"  {row['address']}  {nearest['way']} {nearest['category']} {hops}: {ends}\n"


def _inherited(cluster: dict[str, Any]) -> str:
    """What the first tagged other member is called, and how many more tags there are."""
    labels = inherited_words(cluster).split("; ") if cluster else [""]
    return labels[0] + (f" + {len(labels) - 1}" if labels[1:] else "")


def _shown(row: dict[str, Any], *, clusters: bool) -> dict[str, Any]:
    cluster = row.get("cluster") or {}
    best = row["tags"][0] if row["tags"] else {}
    reached = (row.get("exposure") or {}).get("reached", ())
    return {
        "address": row["address"],
        "verdict": "sanctioned" if row["sanctioned"] else row["verdict"],
        "known as": best.get("label", ""),
        "abuse": best.get("abuse", ""),
        "source": " ".join(filter(None, (best.get("set", ""), best.get("source_date", "")))),
        "held": _held(row),
        "exposed to": in_words(reached[0]) + (f" + {len(reached) - 1}" if reached[1:] else "") if reached else "",
        **({"cluster size": cluster.get("size"), "cluster's tag": _inherited(cluster)} if clusters else {}),
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
