"""CSV with a header: a column `address` (or `tx_hash`), and any column of a TagPack's tag.

Column names are compared without case; `date` is read as `lastmod`. Columns that no tag has (amounts, kinds) are kept
in the statement as `column=value`. A file without a label column takes its label from the options, else from the set.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace

from shieldwall.errors import BadText
from shieldwall.intel.fields import TagBuilder, marking_of
from shieldwall.intel.interface import Pack, ReadOptions, Rejected
from shieldwall.intel.subject import suggest
from shieldwall.intel.textfile import decode
from shieldwall.model.claim import Claim

_DELIMITERS = ",;\t"
_RENAMED = {"date": "lastmod", "at": "lastmod", "txid": "tx_hash", "cluster_definer": "is_cluster_definer"}


def parse(raw: bytes, place: str, options: ReadOptions) -> Pack:
    """The rows of a CSV file as claims.

    Raises:
        BadText: Not CSV, no address column, a row of another width than the header; file and line are named.
    """
    text = decode(raw, place)
    options = replace(options, label=options.label or options.set_name, currency=options.currency or "BTC")
    made_by = options.made_by or place.rpartition("/")[2]
    builder = TagBuilder(options, made_by, marking_of(None, options), hashlib.sha256(raw).hexdigest())
    claims: list[Claim] = []
    rejected: list[Rejected] = []
    for number, row in _rows(text, place):
        local = f"line {number}"
        built = builder.build(row, f"{place}:{number}", local)
        (rejected if isinstance(built, Rejected) else claims).append(built)  # type: ignore[arg-type]
    return Pack(
        reader="csvtags",
        claims=tuple(claims),
        rejected=suggest(rejected, options.network),
        further=dict(sorted(builder.further.items())),
    )


def _rows(text: str, place: str) -> Iterator[tuple[int, dict[str, str | bool]]]:
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] = []
    try:
        for cells in reader:
            if not columns:
                columns = _columns(cells, place)
            elif not any(cell.strip() for cell in cells):
                continue
            elif len(cells) != len(columns):
                raise BadText(
                    f"{place}:{reader.line_num}: {len(cells)} cells under a header of {len(columns)}",
                    hint="put text that holds the delimiter in quotes",
                )
            else:
                yield reader.line_num, _row(columns, cells)
    except csv.Error as error:
        raise BadText(f"{place}:{reader.line_num}: not CSV ({error})", hint="mend the quotes of the line") from None
    if not columns:
        raise BadText(f"{place}: empty", hint="a CSV file starts with a header that has the column `address`")


def _columns(cells: list[str], place: str) -> list[str]:
    names = [cell.strip() for cell in cells]
    lowered = [_RENAMED.get(name.lower(), name.lower()) for name in names]
    if "address" not in lowered and "tx_hash" not in lowered:
        raise BadText(f"{place}:1: the header has no column `address`", hint="name the column of addresses so")
    twice = next((name for name in lowered if lowered.count(name) > 1), None)
    if twice is not None:
        raise BadText(f"{place}:1: two columns are called {twice[:40]!r}", hint="rename one")
    return lowered


def _row(columns: list[str], cells: list[str]) -> dict[str, str | bool]:
    row: dict[str, str | bool] = {name: cell.strip() for name, cell in zip(columns, cells, strict=True) if cell.strip()}
    flag = str(row.get("is_cluster_definer", "")).lower()
    if flag in ("true", "false"):  # CSV has no truth values of its own
        row["is_cluster_definer"] = flag == "true"
    return row
