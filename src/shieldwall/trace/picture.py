"""Draw a trace as lanes over time: one column a transaction, one lane a run of money. Same result, same bytes.

A box is tainted money at an address; a dot is a transaction, where what comes in cannot be told apart by eye. Lines are
as wide as the root of their amount. Shape and words carry the meaning, colour only repeats it. What is too small to be
drawn is summed in "+ n others", never left out (see `layout`). A peel chain is one column with a card for its dot, which unfolds
elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from math import isqrt
from typing import Any

from shieldwall.model.amount import btc, percent
from shieldwall.trace.coin import coin_of
from shieldwall.trace.layout import Box, Column, lay_out
from shieldwall.trace.printable import printable
from shieldwall.trace.runs import Run

_COLUMN, _ROW, _BOX_WIDTH, _BOX_HEIGHT = 262, 78, 202, 62
_LEFT, _TOP = 12, 44
_CARD = 40  # width of a folded peel chain, between two columns
_PAGE, _SHRUNK = 1152, 1900  # a picture up to _SHRUNK pixels wide is scaled to the page; a wider one scrolls
_WIDEST = 14  # pixels of a line that carries all of the seed
_MOST_LETTERS = 31  # of a line of text in a box


def lanes(
    body: dict[str, Any],
    *,
    unfolded: bool = False,
    linked: bool = False,
    clusters: Mapping[str, int] | None = None,
) -> str:
    """A result's body as an SVG document fragment, with title and description for readers without eyes on it.

    Args:
        body: Of a trace result.
        unfolded: True to draw each transaction of a peel chain.
        linked: True where the page around it has the hops of peel chain n at `#peel-n`.
        clusters: Address -> cluster, to show only where money changed hands; None to show all.
    """
    columns = lay_out(body, unfolded=unfolded, clusters=clusters)
    boxes = {box.key: box for column in columns for box in column.boxes}
    rows = max((box.row for box in boxes.values()), default=0) + 1
    width, height = _LEFT * 2 + _COLUMN * len(columns), _TOP + rows * _ROW + 8
    went = "came from" if body["direction"] == "backward" else "went"
    shown = min(width, _PAGE) if width <= _SHRUNK else width
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="lanes" role="img" viewBox="0 0 {width} {height}" '
            f'width="{shown}" height="{height * shown // width}" aria-labelledby="lanes-title lanes-text">'
        ),
        f'<title id="lanes-title">Where the money {went}, transaction by transaction</title>',
        f'<desc id="lanes-text">{_text(body["sentence"])}</desc>',
    ]
    seed, coin = max(body["seed_amount"], 1), coin_of(body)
    for number, column in enumerate(columns):
        first = "sources" if body["direction"] == "backward" else "start"
        parts += _draw_column(number, column, boxes, seed, first, coin, linked=linked)
    for box in boxes.values():
        parts += _draw_box(box, seed, coin, conserved=body["conserved"])
    parts.append("</svg>")
    return "\n".join(parts)


def _x(box: Box) -> int:
    return _LEFT + box.column * _COLUMN + 40


def _y(box: Box) -> int:
    return _TOP + box.row * _ROW


def _middle(box: Box) -> int:
    return _y(box) + _BOX_HEIGHT // 2


def _draw_column(
    number: int, column: Column, boxes: Mapping[str, Box], seed: int, first: str, coin: str, *, linked: bool
) -> list[str]:
    x = _LEFT + number * _COLUMN
    if not column.txids:
        return [f'<text class="when" x="{x + 40}" y="16">{first}</text>']
    count = len(column.txids)
    name = f"{column.txids[0][:12]}..." if count == 1 else f"{count} transactions"
    hour = f"{column.time[11:16]} UTC{'' if count == 1 else ' on'}"
    label = f'<text class="what" x="{x + 40}" y="32">{name}</text>'
    if column.run:
        hour, name = _hours(column.time, column.run.transfers[-1]["time"]), column.run.words
        label = _link(f'<text class="what peel" x="{x + 40}" y="32">{name}</text>', column.run, linked=linked)
        name = f"{name}: {column.run.meaning}"
    parts = [
        f'<text class="when" x="{x + 40}" y="16">{column.time[:10]} <tspan class="hour">{hour}</tspan></text>',
        label,
    ]
    incoming = sorted(column.incoming, key=lambda pair: (-pair[1], pair[0]))
    near = [boxes[key] for key, _ in incoming] or column.boxes
    dot_x, dot_y = x + 10, _middle(near[0]) if near else _TOP
    for key, amount in column.incoming:
        parts.append(_line(_x(boxes[key]) + _BOX_WIDTH, _middle(boxes[key]), dot_x, dot_y, amount, seed))
    parts += [_line(dot_x, dot_y, _x(box), _middle(box), box.amount, seed) for box in column.boxes]
    title = (column.txids[0] if count == 1 else name) + (f", fee {btc(column.fee)} {coin}" if column.fee else "")
    if column.run:
        return [*parts, _card(column.run, dot_x, dot_y, title, linked=linked)]
    parts.append(f'<circle class="transaction" cx="{dot_x}" cy="{dot_y}" r="4"><title>{title}</title></circle>')
    return parts


def _card(run: Run, x: int, y: int, title: str, *, linked: bool) -> str:
    """A folded run: a card with another behind it, in place of a transaction's dot."""
    left, top, wide, high = x - _CARD // 2, y - _CARD // 2, _CARD, _CARD - 6
    shape = f"h{wide}v{high}h-{wide}z"
    count, unit = run.count
    parts = [
        f'<g class="chain"><title>{title}</title>',
        f'<path d="M{left + 4} {top + 4}{shape}"/><path d="M{left} {top}{shape}"/>',
        f'<text class="many" x="{x}" y="{y - 4}">{count}</text><text class="hops" x="{x}" y="{y + 10}">{unit}</text>',
        "</g>",
    ]
    return _link("".join(parts), run, linked=linked)


def _link(text: str, run: Run, *, linked: bool) -> str:
    return f'<a href="{run.anchor}">{text}</a>' if linked and run.anchor else text


def _hours(first: str, last: str) -> str:
    """When a folded run began and ended."""
    return f"{first[11:16]} to {last[11:16]}" if last[:10] == first[:10] else f"to {last[:10]}"


def _line(x1: int, y1: int, x2: int, y2: int, amount: int, seed: int) -> str:
    tenths = max(10, isqrt(min(amount, seed) * 10**6 // seed) * _WIDEST // 100)  # tenths of a pixel, in whole numbers
    bend = (x2 - x1) // 2
    return (
        f'<path class="flow" d="M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}" '
        f'stroke-width="{tenths // 10}.{tenths % 10}"/>'
    )


def _draw_box(box: Box, seed: int, coin: str, *, conserved: bool) -> list[str]:
    name = f"{box.address[:10]}...{box.address[-6:]}" if len(box.address) > 20 else box.address
    part = f" · {escape(percent(box.amount, seed))}" if conserved else ""
    name += f" · {box.parts} times" if box.parts > 1 else ""
    radius = {"held": 3, "coinbase": 3, "service": 12, "seed": 3}.get(box.kind, 6)
    x, y = _x(box), _y(box)
    return [
        f'<g class="box {box.kind}"><title>{_text(box.address or box.words)}</title>',
        f'<rect x="{x}" y="{y}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="{radius}"/>',
        f'<text class="amount" x="{x + 8}" y="{y + 18}">{btc(box.amount)} {coin}{part}</text>',
        f'<text class="name" x="{x + 8}" y="{y + 35}">{_text(_clip(name))}</text>',
        f'<text class="state" x="{x + 8}" y="{y + 52}">{_text(_clip(box.words))}</text>',
        "</g>",
    ]


def _text(text: str) -> str:
    return escape(printable(text))


def _clip(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else text[: _MOST_LETTERS - 1] + "…"
