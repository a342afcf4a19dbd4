"""Options and formats that commands share."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import click

from shieldwall.model.spreadsheet import csv_text
from shieldwall.node.config import Config, load
from shieldwall.trace.printable import printable

Function = TypeVar("Function", bound=Callable[..., Any])

FORMATS = ("table", "json", "jsonl", "csv")


def chain_option(function: Function) -> Function:
    """`--chain DIR`."""
    return click.option(
        "--chain",
        metavar="DIR",
        help="The chain store; else SHIELDWALL_CHAIN, else the configuration file.",
    )(function)


def data_option(function: Function) -> Function:
    """`--data DIR`."""
    return click.option(
        "--data",
        metavar="DIR",
        help="This member's own data (tag sets); else SHIELDWALL_DATA, else the configuration file.",
    )(function)


def output_option(function: Function) -> Function:
    """`-o FORMAT`."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(FORMATS),
        help="Format of the answer on standard output; table on a terminal, else json.",
    )(function)


def settings(**options: str | None) -> Config:
    """The configuration with a command's options on top."""
    return load(os.environ, options)


def chosen_format(output: str | None) -> str:
    """The format asked for; a table only where a person looks."""
    return output or ("table" if sys.stdout.isatty() else "json")


def width() -> int:
    """Characters of a line of prose on this terminal."""
    return max(40, min(shutil.get_terminal_size((100, 24)).columns, 110)) if sys.stdout.isatty() else 100


def emit_record(record: Mapping[str, Any], output: str | None) -> None:
    """Print one record: a table of two columns, or JSON, or CSV with a heading."""
    match chosen_format(output):
        case "table":
            width = max((len(name) for name in record), default=0)
            for name, value in record.items():
                click.echo(f"{name:<{width}}  {_text(value)}")
        case "csv":
            click.echo(to_csv([record], list(record)), nl=False)
        case "jsonl":
            click.echo(json.dumps(record, ensure_ascii=False))
        case _:
            click.echo(json.dumps(record, ensure_ascii=False, indent=1))


def emit_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], output: str | None) -> None:
    """Print rows: a table or CSV of `columns`, or JSON of all fields."""
    match chosen_format(output):
        case "table":
            click.echo(table(rows, columns), nl=False)
        case "csv":
            click.echo(to_csv(rows, columns), nl=False)
        case "jsonl":
            for row in rows:
                click.echo(json.dumps(row, ensure_ascii=False))
        case _:
            click.echo(json.dumps(list(rows), ensure_ascii=False, indent=1))


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Rows under their headings, numbers to the right."""
    cells = [[_text(row.get(column)) for column in columns] for row in rows]
    widths = [max([len(column), *(len(row[k]) for row in cells)]) for k, column in enumerate(columns)]
    right = [
        bool(cells) and all(row[k].replace(".", "").replace("-", "").isdigit() or not row[k] for row in cells)
        for k in range(len(columns))
    ]
    lines = [_line(list(columns), widths, right), _line(["-" * width for width in widths], widths, right)]
    lines += [_line(row, widths, right) for row in cells]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = [cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(cells, widths, right, strict=True)]
    return "  ".join(parts).rstrip()


def to_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Rows as CSV."""
    return csv_text(columns, ([_text(row.get(column)) for column in columns] for row in rows))


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(item)}" for name, item in value.items())
    return printable(str(value))


class Progress:
    """Shows how far a long job is, on standard error, where someone looks."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._shown = 0.0
        self._on = not quiet and sys.stderr.isatty()
        self._dirty = False

    def __call__(self, stage: str, done: int, total: int) -> None:
        """One step."""
        now = time.monotonic()
        if not self._on or (now - self._shown < 0.2 and done != total):
            return
        self._shown = now
        self._dirty = True
        part = f"{100 * done // total} %" if total else str(done)
        click.echo(f"\r{stage}: {part:<24}", nl=False, err=True)

    def end(self) -> None:
        """Clear the line."""
        if self._dirty:
            click.echo("\r" + " " * 60 + "\r", nl=False, err=True)
