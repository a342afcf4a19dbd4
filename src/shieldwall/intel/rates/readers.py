"""Rate files as people have them: price histories (CSV, CryptoCompare's JSON), the ECB's reference rates, and one's own CSV."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from shieldwall.errors import BadText
from shieldwall.intel.rates.quotes import Collected, Pair, Quote, RateFile, currency, day, number
from shieldwall.intel.textfile import decode, read_bytes

ECB = "European Central Bank, euro foreign exchange reference rates"

_MOST_UNZIPPED = 64 << 20  # bytes
_PAIR = re.compile(r"(?<![A-Za-z])(BTC|XBT|LTC)[-_/]?([A-Za-z]{3})(?![A-Za-z])", re.IGNORECASE)
_SECONDS = re.compile(r"[0-9]{1,11}")
_HINT = "docs/rates.md tells what rate files look like"


def read_rates(path: Path) -> RateFile:
    """The rates of a file.

    Raises:
        UsageError: It cannot be opened.
        BadText: It is none of the known forms; file and place are named.
    """
    return parse_rates(read_bytes(path), path.name)


def parse_rates(raw: bytes, name: str) -> RateFile:
    """The rates in `raw`; the form is told by the content, the pair of a price history by the file's name.

    Args:
        raw: The bytes of the file.
        name: Its name, for errors and results.

    Raises:
        BadText: None of the known forms; the place is named.
    """
    digest = hashlib.sha256(raw).hexdigest()
    if raw[:4] == b"PK\x03\x04":
        text = decode(_unzipped(raw, name), name)
    else:
        text = decode(raw, name)
    found = Collected()
    if text.lstrip()[:1] == "{":
        _cryptocompare(text, name, found)
    else:
        _table(text, name, found)
    return found.file(name, digest)


def _unzipped(raw: bytes, name: str) -> bytes:
    """The one CSV in an archive, as the ECB publishes it; never more than a bound."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            tables = [entry for entry in archive.infolist() if entry.filename.lower().endswith(".csv")]
            if len(tables) == 1:
                with archive.open(tables[0]) as file:
                    text = file.read(_MOST_UNZIPPED + 1)
                if len(text) <= _MOST_UNZIPPED:
                    return text
                raise BadText(f"{name}: more than {_MOST_UNZIPPED:,} bytes when unpacked", hint=_HINT)
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        OSError,
        ValueError,
        RuntimeError,
        EOFError,
        IndexError,
    ) as error:
        raise BadText(f"{name}: not a readable zip archive ({error})", hint="load the file again") from None
    raise BadText(f"{name}: {len(tables)} CSV files in it instead of one", hint=_HINT)


def _pair_of(name: str) -> Pair:
    match = _PAIR.search(name)
    if match is None:
        raise BadText(
            f"{name}: which currency its prices are in stands in the file's name, and this name does not tell",
            hint="call it as in BTC-USD.csv or LTC-USD.csv",
        )
    coin = match[1].upper()
    return "BTC" if coin == "XBT" else coin, match[2].upper()


def _cryptocompare(text: str, name: str, found: Collected) -> None:
    """CryptoCompare's answer to `histoday`: a day begins at `time`, `close` is its last price."""
    try:
        body = json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise BadText(f"{name}: not JSON ({error})", hint=_HINT) from None
    rows = body.get("Data")
    rows = rows.get("Data") if isinstance(rows, dict) else rows
    if not isinstance(rows, list):
        raise BadText(f"{name}: no list of days under Data", hint=_HINT)
    pair = _pair_of(name)
    for place, row in enumerate(rows, 1):
        where = f"{name}, day {place}"
        if not isinstance(row, dict):
            raise BadText(f"{where}: no object", hint=_HINT)
        rate = number(row.get("close"), where)
        if rate is not None:
            found.add(pair, _day_of(row.get("time"), where), Quote(rate, "CryptoCompare", "daily close"), where)


def _day_of(seconds: object, place: str) -> date:
    if isinstance(seconds, str) and _SECONDS.fullmatch(seconds):
        return datetime.fromtimestamp(int(seconds), UTC).date()
    raise BadText(f"{place}: {str(seconds)[:40]!r} is no time in seconds", hint=_HINT)


def _table(text: str, name: str, found: Collected) -> None:
    rows = _rows(text, name)
    _, heading = next(rows, ("", []))
    names = [cell.strip().lower() for cell in heading]
    if {"date", "currency", "rate", "source"} <= set(names):
        _own(rows, names, found)
    elif {"date", "open", "close"} <= set(names):
        pair, at, close = _pair_of(name), names.index("date"), names.index("close")
        quoted = f"{name}, as it was given to this program"  # the form, Yahoo Finance's, does not name its source
        for place, cells in rows:
            rate = number(cells[close], place)
            if rate is not None:
                found.add(pair, day(cells[at], place), Quote(rate, quoted, "daily close"), place)
    elif names[:2] == ["date", "usd"]:
        _ecb(rows, names, found)
    else:
        raise BadText(f"{name}:1: no heading of a rate file", hint=_HINT)


def _own(rows: Iterator[tuple[str, list[str]]], names: list[str], found: Collected) -> None:
    """One's own table: date, currency, rate, source, and base where it is not bitcoin."""
    at, which, what, who = (names.index(column) for column in ("date", "currency", "rate", "source"))
    base = names.index("base") if "base" in names else None
    for place, cells in rows:
        rate, source = number(cells[what], place), cells[who].strip()
        if not source:
            raise BadText(f"{place}: no source", hint="say in the column `source` who published the rate")
        if rate is not None:
            of = "BTC" if base is None else currency(cells[base], place)
            pair = (of, currency(cells[which], place))
            found.add(pair, day(cells[at], place), Quote(rate, source, "as given"), place)


def _ecb(rows: Iterator[tuple[str, list[str]]], names: list[str], found: Collected) -> None:
    """The ECB's history: one column a currency, units for one euro; no rate on weekends and holidays."""
    columns = [(place, currency(name, "the heading")) for place, name in enumerate(names) if name and name != "date"]
    for place, cells in rows:
        when = day(cells[0], place)
        for column, code in columns:
            rate = number(cells[column], place)
            if rate is not None:
                found.add(("EUR", code), when, Quote(rate, ECB, "reference rate of the day"), place)


def _rows(text: str, name: str) -> Iterator[tuple[str, list[str]]]:
    """(place, cells) of every line that is not empty, all as wide as the first."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    width = 0
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            width = width or len(cells)
            if len(cells) != width:
                raise BadText(f"{name}:{reader.line_num}: {len(cells)} cells under a heading of {width}", hint=_HINT)
            yield f"{name}:{reader.line_num}", cells
    except csv.Error as error:
        raise BadText(f"{name}:{reader.line_num}: not CSV ({error})", hint=_HINT) from None
