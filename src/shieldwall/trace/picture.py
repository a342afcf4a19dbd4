"""Draw a trace as lanes over time: one column a transaction, one lane a run of money. Same result, same bytes.

A box is tainted money at an address; a dot is a transaction, where what comes in cannot be told apart by eye. Lines are
as wide as the root of their amount. Shape and words carry the meaning, colour only repeats it. What is too small to be
drawn is summed in "+n others", never left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from math import isqrt
from typing import Any

from shieldwall.model.amount import btc, percent

MOST_BOXES = 40  # boxes drawn, largest of the whole trace first

_COLUMN, _ROW, _BOX_WIDTH, _BOX_HEIGHT = 262, 78, 202, 62
_LEFT, _TOP = 12, 44
_PAGE, _SHRUNK = 1152, 1900  # a picture up to _SHRUNK pixels wide is scaled to the page; a wider one scrolls
_WIDEST = 14  # pixels of a line that carries all of the seed


@dataclass(slots=True)
class _Box:
    key: str
    column: int
    amount: int
    address: str
    kind: str = "passed"
    words: str = ""
    until: int = 0  # last column that its line crosses
    row: int = 0

    @property
    def x(self) -> int:
        return _LEFT + self.column * _COLUMN + 40

    @property
    def y(self) -> int:
        return _TOP + self.row * _ROW

    @property
    def middle(self) -> int:
        return self.y + _BOX_HEIGHT // 2


@dataclass(slots=True)
class _Column:
    time: str
    txid: str
    incoming: list[tuple[str, int]] = field(default_factory=list)  # box key, amount
    boxes: list[_Box] = field(default_factory=list)
    fee: int = 0


def lanes(body: dict[str, Any]) -> str:
    """A result's body as an SVG document fragment, with title and description for readers without eyes on it."""
    columns = _columns(body)
    _fold(columns)
    _place(columns)
    boxes = {box.key: box for column in columns for box in column.boxes}
    rows = max((box.row for box in boxes.values()), default=0) + 1
    width, height = _LEFT * 2 + _COLUMN * len(columns), _TOP + rows * _ROW + 8
    shown = min(width, _PAGE) if width <= _SHRUNK else width
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="lanes" role="img" viewBox="0 0 {width} {height}" '
        f'width="{shown}" height="{height * shown // width}" aria-labelledby="lanes-title lanes-text">',
        '<title id="lanes-title">Where the money went, transaction by transaction</title>',
        f'<desc id="lanes-text">{escape(body["sentence"])}</desc>',
    ]
    seed = max(body["seed_amount"], 1)
    for number, column in enumerate(columns):
        parts += _draw_column(number, column, boxes, seed)
    for box in boxes.values():
        parts += _draw_box(box, seed, conserved=body["conserved"])
    parts.append("</svg>")
    return "\n".join(parts)


def _columns(body: dict[str, Any]) -> list[_Column]:
    """Columns in chain order: where the money starts, then every transaction that it passed."""
    ends = {}
    for end in body["ends"]:
        for output in end["outputs"]:
            if output["index"] is not None:
                ends[f"{output['txid']}:{output['index']}"] = (end, output)
    columns: list[_Column] = []
    seen: dict[str, _Box] = {}
    starts = _starts(body)
    if starts:
        column = _Column(time="", txid="")
        column.boxes = [_Box(key, 0, amount, address or "", "seed", "start") for key, amount, address in starts]
        columns.append(column)
    for transfer in body["transfers"]:
        column = _Column(transfer["time"], transfer["txid"], fee=transfer["fee"])
        column.incoming = [(f"{entry['txid']}:{entry['index']}", entry["amount"]) for entry in transfer["inputs"]]
        for entry in transfer["outputs"]:
            key = f"{transfer['txid']}:{entry['index']}"
            column.boxes.append(_Box(key, len(columns), entry["amount"], entry["address"] or ""))
        columns.append(column)
    for number, column in enumerate(columns):
        for box in column.boxes:
            seen[box.key] = box
            box.until = number
            if box.key in ends:
                box.kind, box.words = ends[box.key][0]["kind"], _words(*ends[box.key])
        for key, _ in column.incoming:
            if key in seen:
                seen[key].until = number
    return columns


def _starts(body: dict[str, Any]) -> list[tuple[str, int, str | None]]:
    """Money that enters the picture from outside it: seeds that no drawn transaction made."""
    made = {f"{t['txid']}:{output['index']}" for t in body["transfers"] for output in t["outputs"]}
    starts: dict[str, tuple[str, int, str | None]] = {}
    for transfer in body["transfers"]:
        for entry in transfer["inputs"]:
            key = f"{entry['txid']}:{entry['index']}"
            if key not in made:
                starts[key] = (key, entry["amount"], entry["address"])
    for end in body["ends"]:
        for output in end["outputs"]:
            key = f"{output['txid']}:{output['index']}"
            if output["index"] is not None and key not in made:
                starts.setdefault(key, (key, output["amount"], end["address"]))
    return list(starts.values())


def _words(end: dict[str, Any], output: dict[str, Any]) -> str:
    match end["kind"]:
        case "service":
            return str(end["service"])
        case "held":
            return "unspent"
        case "gap":
            return f"gap: {end['gap_txid'][:10]}..."
        case "unknown":
            return "not known whether spent"
        case "limit":
            return f"limit: {output['reason']}"
        case _:
            return "destroyed"


def _fold(columns: Sequence[_Column]) -> None:
    """Keep the largest boxes of the whole trace; sum the others of each column in one."""
    every = sorted(
        (box for column in columns for box in column.boxes), key=lambda box: (-box.amount, box.column, box.key)
    )
    kept = {box.key for box in every[:MOST_BOXES]}
    renamed: dict[str, str] = {}
    for number, column in enumerate(columns):
        small = [box for box in column.boxes if box.key not in kept]
        if small:
            key = f"others-{number}"
            renamed |= {box.key: key for box in small}
            until = max(box.until for box in small)
            rest = _Box(key, number, sum(box.amount for box in small), "", "others", f"+ {len(small)} others", until)
            column.boxes = [box for box in column.boxes if box.key in kept] + [rest]
        column.incoming = _summed((renamed.get(key, key), amount) for key, amount in column.incoming)


def _summed(pairs: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    sums: dict[str, int] = {}
    for key, amount in pairs:
        sums[key] = sums.get(key, 0) + amount
    return list(sums.items())


def _place(columns: Sequence[_Column]) -> None:
    """Give boxes rows: the largest goes on in its payer's lane, others take the first lane that is free."""
    busy: list[int] = []  # last column that each row is taken in
    boxes: dict[str, _Box] = {}
    for number, column in enumerate(columns):
        payers = [boxes[key] for key, _ in sorted(column.incoming, key=lambda pair: -pair[1]) if key in boxes]
        for payer in payers:
            if payer.until == number:
                busy[payer.row] = number - 1
        for rank, box in enumerate(sorted(column.boxes, key=lambda box: (box.kind == "others", -box.amount, box.key))):
            wanted = payers[0].row if payers and rank == 0 else None
            if wanted is None or busy[wanted] >= number:
                wanted = next((row for row, until in enumerate(busy) if until < number), len(busy))
            if wanted == len(busy):
                busy.append(-1)
            box.row = wanted
            busy[wanted] = max(box.until, number)
            boxes[box.key] = box


def _draw_column(number: int, column: _Column, boxes: dict[str, _Box], seed: int) -> list[str]:
    x = _LEFT + number * _COLUMN
    if not column.txid:
        return [f'<text class="when" x="{x + 40}" y="16">start</text>']
    parts = [
        f'<text class="when" x="{x + 40}" y="16">{column.time[:10]} <tspan class="hour">{column.time[11:16]} UTC</tspan></text>',
        f'<text class="what" x="{x + 40}" y="32">{column.txid[:12]}...</text>',
    ]
    payers = [boxes[key] for key, _ in sorted(column.incoming, key=lambda pair: -pair[1]) if key in boxes]
    dot_x, dot_y = x + 10, (payers or column.boxes)[0].middle if payers or column.boxes else _TOP
    for key, amount in column.incoming:
        if key in boxes:
            start = boxes[key]
            parts.append(_line(start.x + _BOX_WIDTH, start.middle, dot_x, dot_y, amount, seed))
    parts += [_line(dot_x, dot_y, box.x, box.middle, box.amount, seed) for box in column.boxes]
    parts.append(f'<circle class="transaction" cx="{dot_x}" cy="{dot_y}" r="4"><title>{column.txid}</title></circle>')
    return parts


def _line(x1: int, y1: int, x2: int, y2: int, amount: int, seed: int) -> str:
    tenths = max(10, isqrt(min(amount, seed) * 10**6 // seed) * _WIDEST // 100)  # tenths of a pixel, in whole numbers
    bend = (x2 - x1) // 2
    return (
        f'<path class="flow" d="M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}" '
        f'stroke-width="{tenths // 10}.{tenths % 10}"/>'
    )


def _draw_box(box: _Box, seed: int, *, conserved: bool) -> list[str]:
    name = f"{box.address[:10]}...{box.address[-6:]}" if len(box.address) > 20 else box.address
    part = f" · {percent(box.amount, seed)}" if conserved else ""
    radius = {"held": 3, "service": 12, "seed": 3}.get(box.kind, 6)
    return [
        f'<g class="box {box.kind}"><title>{escape(box.address or box.words)}</title>',
        f'<rect x="{box.x}" y="{box.y}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="{radius}"/>',
        f'<text class="amount" x="{box.x + 8}" y="{box.y + 18}">{btc(box.amount)} BTC{part}</text>',
        f'<text class="name" x="{box.x + 8}" y="{box.y + 35}">{escape(_clip(name))}</text>',
        f'<text class="state" x="{box.x + 8}" y="{box.y + 52}">{escape(_clip(box.words))}</text>',
        "</g>",
    ]


def _clip(text: str) -> str:
    return text if len(text) <= 31 else text[:30] + "…"
