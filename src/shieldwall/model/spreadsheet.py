"""CSV that is safe to open: text from outside never becomes a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell_safe(value: object) -> object:
    """A cell that no spreadsheet takes for a formula: such text gets an apostrophe in front.

    Example:
        >>> cell_safe("=cmd()"), cell_safe(-5), cell_safe("plain")
        ("'=cmd()", -5, 'plain')
    """
    return "'" + value if isinstance(value, str) and value[:1] in _FORMULA else value


def csv_text(heading: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Rows under a heading as CSV, lines ended by a line feed; None is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading)
    for row in rows:
        writer.writerow(["" if value is None else cell_safe(_one_line(value)) for value in row])
    return text.getvalue()


def _one_line(value: object) -> object:
    return " ".join(value.splitlines()) if isinstance(value, str) and not value.isprintable() else value
