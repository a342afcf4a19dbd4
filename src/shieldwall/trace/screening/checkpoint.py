"""What a checkpoint of a screening must be: every field's type and range, before anything is believed of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shieldwall.trace.screening.answer import count
from shieldwall.trace.screening.reading import Position

FORMAT = "shieldwall-screening/1"
KEPT = 20  # of the most urgent rows, and of near misses, told at the end
_MOST = 1 << 62  # of any count
_HASH = re.compile(r"[0-9a-f]{64}")
_RANKS = (1, 1, 1, 2)  # the most that each part of `screener.urgency` is


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint as read.

    Attributes:
        run: What the run was made of.
        written: Bytes of rows that count.
        source: The list that was being read.
        position: How far.
        read: SHA-256 (hex) of what was read of it.
        tally: The fields of `run.Tally`.
    """

    run: dict[str, Any]
    written: int
    source: int
    position: Position
    read: str
    tally: dict[str, Any]


def parse_checkpoint(raw: bytes) -> Saved:
    """A checkpoint from its bytes.

    Raises:
        ValueError: It is none; the message names the field.
        RecursionError: It is none, and nested without end.
    """
    body = json.loads(raw)
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    _names(body, ("format", "run", "written", "source", "position", "read", "tally"), "it")
    for name in ("run", "position", "tally"):
        if not isinstance(body[name], dict):
            raise ValueError(f"{name} is no object")  # noqa: TRY004 - of outside data, not of a caller
    position, read = body["position"], body["read"]
    _names(position, ("offset", "line", "column"), "position")
    if not isinstance(read, str) or not _HASH.fullmatch(read):
        raise ValueError("read is no SHA-256")
    return Saved(
        body["run"],
        _whole(body["written"], "written"),
        _whole(body["source"], "source"),
        Position(
            _whole(position["offset"], "offset"),
            _whole(position["line"], "line", least=1),
            _whole(position["column"], "column"),
        ),
        read,
        _tally(body["tally"]),
    )


def _tally(tally: dict[str, Any]) -> dict[str, Any]:
    _names(tally, ("counts", "near_misses", "digits", "urgent", "near"), "tally")
    counts, urgent, near = tally["counts"], tally["urgent"], tally["near"]
    if not isinstance(counts, dict):
        raise ValueError("counts is no object")  # noqa: TRY004
    _names(counts, count(()), "counts")
    for name, number in (*counts.items(), *((name, tally[name]) for name in ("near_misses", "digits"))):
        _whole(number, name)
    if not isinstance(urgent, list) or len(urgent) > KEPT or not all(map(_is_urgent, urgent)):
        raise ValueError("urgent is no list of rows")
    if not isinstance(near, list) or len(near) > KEPT or not all(isinstance(text, str) for text in near):
        raise ValueError("near is no list of texts")
    return tally


def _is_urgent(row: object) -> bool:
    """Whether it is [how urgent, address, why, where]."""
    if not isinstance(row, list) or len(row) != len(("rank", "address", "why", "where")):
        return False
    rank, *texts = row
    return (
        isinstance(rank, list)
        and len(rank) == len(_RANKS)
        and all(isinstance(part, int) and 0 <= part <= most for part, most in zip(rank, _RANKS, strict=True))
        and all(isinstance(text, str) for text in texts)
    )


def _names(found: Mapping[str, Any], expected: Iterable[str], where: str) -> None:
    other = sorted({*found} ^ {*expected})
    if other:
        raise ValueError(f"{where} has too much, or too little: {other[0][:40]!r}")


def _whole(value: object, name: str, *, least: int = 0) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < _MOST:
        raise ValueError(f"{name} is no whole number from {least}")
    return value
