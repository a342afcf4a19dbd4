"""Draw a trace as lanes over time: one column a transaction, one lane a run of money. Same result, same bytes.

A box is tainted money at an address; a dot is a transaction, where what comes in cannot be told apart by eye. Lines are
as wide as the root of their amount, and dashed where other money came in beside, so that the method divides. Shape and words
carry the meaning, colour only repeats it. What is too small to be drawn is summed in "+ n others", never left out (see
`layout`). A peel chain is one column with a card for its dot, which unfolds elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from math import isqrt
from typing import Any

from shieldwall.model.amount import btc, percent
from shieldwall.model.words import ENGLISH, Words
from shieldwall.trace.arrangement import PLAIN, Arrangement
from shieldwall.trace.coin import coin_of
from shieldwall.trace.layout import Box, Column, lay_out
from shieldwall.trace.printable import ISOLATES, printable
from shieldwall.trace.runs import PEEL, Run
from shieldwall.trace.sentence import sentence

_COLUMN, _ROW, _BOX_WIDTH, _BOX_HEIGHT = 262, 78, 202, 62
_LEFT, _TOP = 12, 44
_CARD = 40  # width of a folded peel chain, between two columns
_PAGE, _SHRUNK = 1152, 1900  # a picture up to _SHRUNK pixels wide is scaled to the page; a wider one scrolls
_WIDEST = 14  # pixels of a line that carries all of the seed
_MOST_LETTERS = 31  # of a line of text in a box


@dataclass(frozen=True, slots=True, order=True)
class Marks:
    """What is told of a box beside the trace: how many notes, tags and overrules people made, and whether it is watched."""

    notes: int = 0
    tags: int = 0
    overruled: bool = False
    watched: bool = False


@dataclass(frozen=True, slots=True)
class Around:
    """What is told around a picture, and where it leads.

    Attributes:
        link: Address of what is said of a box (by its key) or of a transaction (`tx:TXID`); None for a picture that only shows.
        selected: Key of the one that is said now; "" for none.
        marks: By the key of a box.
        pinned: Outpoints that somebody pinned.
    """

    link: Callable[[str], str] | None = None
    selected: str = ""
    marks: Mapping[str, Marks] = field(default_factory=dict)
    pinned: frozenset[str] = frozenset()


def lanes(
    body: dict[str, Any],
    arrangement: Arrangement = PLAIN,
    *,
    unfolded: bool = False,
    linked: bool = False,
    clusters: Mapping[str, int] | None = None,
    words: Words = ENGLISH,
) -> str:
    """A result's body as an SVG document fragment, with title and description for readers without eyes on it.

    Args:
        body: Of a trace result.
        arrangement: What is told apart, and what is summed.
        unfolded: True to draw each transaction of a peel chain.
        linked: True where the page around it has the hops of peel chain n at `#peel-n`.
        clusters: Address -> cluster, to show only where money changed hands; None to show all.
        words: Of the language that it speaks.
    """
    columns = lay_out(body, arrangement, unfolded=unfolded, clusters=clusters, words=words)
    return draw(body, columns, linked=linked, words=words)


def draw(
    body: dict[str, Any],
    columns: Sequence[Column],
    *,
    linked: bool = False,
    around: Around | None = None,
    words: Words = ENGLISH,
) -> str:
    """The picture of columns that `lay_out` made of a result's body; `around` is the page that it stands in."""
    return _Picture(body, columns, around, words, linked=linked).text()


class _Picture:
    """One picture, being drawn."""

    def __init__(
        self, body: dict[str, Any], columns: Sequence[Column], around: Around | None, words: Words, *, linked: bool
    ) -> None:
        self._body, self._columns, self._around, self._words, self._linked = body, columns, around, words, linked
        self._boxes = {box.key: box for column in columns for box in column.boxes}
        self._seed, self._coin = max(body["seed_amount"], 1), coin_of(body)
        self._link = None if around is None else around.link
        self._ways = {} if self._link is None else self._neighbours()

    def text(self) -> str:
        """The SVG."""
        body, words = self._body, self._words
        rows = max((box.row for box in self._boxes.values()), default=0) + 1
        width, height = _LEFT * 2 + _COLUMN * len(self._columns), _TOP + rows * _ROW + 8
        shown = min(width, _PAGE) if width <= _SHRUNK else width
        if self._link is not None:
            shown = width  # in a page it scrolls, and keeps its size
        title = (
            words.say("Where the money came from, transaction by transaction")
            if body["direction"] == "backward"
            else words.say("Where the money went, transaction by transaction")
        )
        # a picture of links is a group of them; one without is a single image
        role = "img" if self._link is None else "group"
        parts = [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" class="lanes" role="{role}" viewBox="0 0 {width} {height}" '
                f'width="{shown}" height="{height * shown // width}" aria-labelledby="lanes-title lanes-text">'
            ),
            f'<title id="lanes-title">{self._text(title)}</title>',
            f'<desc id="lanes-text">{self._text(self._sentence())}</desc>',
        ]
        for number, column in enumerate(self._columns):
            parts += self._lines(column, number)
        for number, column in enumerate(self._columns):
            parts += self._draw_column(number, column)
            parts += [part for box in column.boxes for part in self._draw_box(box)]
        parts.append("</svg>")
        return "\n".join(parts)

    def _text(self, text: str) -> str:
        """Text as it may stand in the picture; what our own words set around values in a language from the right stays."""
        return escape(printable(text, ISOLATES if self._words.direction == "rtl" else ""))

    def _sentence(self) -> str:
        """The answer in the language of the picture; a trace keeps it in English."""
        return str(self._body["sentence"]) if self._words is ENGLISH else sentence(self._body, words=self._words)

    def _neighbours(self) -> dict[str, str]:
        """By the key of a box, where arrow keys go from it: to the largest box that its money went to, or came from."""
        before: dict[str, str] = {}
        after: dict[str, str] = {}
        for column in self._columns:
            payers = sorted(column.incoming, key=lambda pair: (-pair[1], pair[0]))
            paid = sorted(column.boxes, key=lambda box: (-box.amount, box.key))
            before |= {box.key: payers[0][0] for box in paid if payers}
            after |= {key: paid[0].key for key, _ in payers if paid}
            if column.txids and paid:
                own = f"run:{column.run.transfers[0]['txid']}" if column.run else f"tx:{column.txids[0]}"
                after[own] = paid[0].key
                before |= {own: payers[0][0]} if payers else {}
        names = {"before": before, "after": after}
        keys = dict.fromkeys((*before, *after))
        return {
            key: "".join(f' data-{name}="{escape(ways[key])}"' for name, ways in names.items() if key in ways)
            for key in keys
        }

    def _dot(self, number: int, column: Column) -> tuple[int, int]:
        """Where the dot of a column's transaction stands."""
        incoming = sorted(column.incoming, key=lambda pair: (-pair[1], pair[0]))
        near = [self._boxes[key] for key, _ in incoming] or column.boxes
        return _LEFT + number * _COLUMN + 10, _middle(near[0]) if near else _TOP

    def _lines(self, column: Column, number: int) -> list[str]:
        if not column.txids:
            return []
        x, y = self._dot(number, column)
        lines = [
            _line(_x(self._boxes[key]) + _BOX_WIDTH, _middle(self._boxes[key]), x, y, amount, self._seed)
            for key, amount in column.incoming
        ]
        return lines + [
            _line(x, y, _x(box), _middle(box), box.amount, self._seed, mixed=box.mixed) for box in column.boxes
        ]

    def _draw_column(self, number: int, column: Column) -> list[str]:
        words, x = self._words, _LEFT + number * _COLUMN
        if not column.txids:
            first = words.say("sources") if self._body["direction"] == "backward" else words.say("start")
            return [f'<text class="when" x="{x + 40}" y="16">{self._text(first)}</text>']
        count, run = len(column.txids), column.run
        hour = f"{column.time[11:16]} UTC" if count == 1 else words.say("{hour} UTC on", hour=column.time[11:16])
        if run:
            hour, name = self._hours(column.time, run.transfers[-1]["time"]), _run_words(run, words)
            label = self._run_link(f'<text class="what peel" x="{x + 40}" y="32">{self._text(name)}</text>', run)
            title = f"{name}: {_run_meaning(run, words)}"
        else:
            name = (
                f"{column.txids[0][:12]}..."
                if count == 1
                else words.count("{number} transaction", "{number} transactions", count)
            )
            label = f'<text class="what" x="{x + 40}" y="32">{self._text(name)}</text>'
            title = column.txids[0] if count == 1 else name
        if column.fee:
            title += ", " + words.say("fee {amount}", amount=f"{btc(column.fee)} {self._coin}")
        if column.mixed:
            title += ". " + self._mixed()
        parts = [
            f'<text class="when" x="{x + 40}" y="16">{column.time[:10]} <tspan class="hour">{self._text(hour)}</tspan></text>'
        ]
        dot_x, dot_y = self._dot(number, column)
        if run:
            return [*parts, label, self._card(run, dot_x, dot_y, title)]
        dot = f'<circle class="transaction" cx="{dot_x}" cy="{dot_y}" r="4"><title>{self._text(title)}</title></circle>'
        if self._link is not None and count == 1:
            wide = f'<circle class="reach" cx="{dot_x}" cy="{dot_y}" r="12"/>'
            return [*parts, self._anchor(f"tx:{column.txids[0]}", title, label + wide + dot)]
        return [*parts, label, dot]

    def _mixed(self) -> str:
        """Why a line is dashed."""
        return self._words.say(
            "Other money came in beside it: which part went where is what the method {method} says, a convention",
            method=self._body["method"],
        )

    def _card(self, run: Run, x: int, y: int, title: str) -> str:
        """A folded run: a card with another behind it, in place of a transaction's dot."""
        left, top, wide, high = x - _CARD // 2, y - _CARD // 2, _CARD, _CARD - 6
        shape = f"h{wide}v{high}h-{wide}z"
        count, unit = run.count
        unit = (
            self._words.count("hop", "hops", count) if unit == "hops" else self._words.count("within", "within", count)
        )
        parts = [
            f'<g class="chain"><title>{self._text(title)}</title>',
            f'<path d="M{left + 4} {top + 4}{shape}"/><path d="M{left} {top}{shape}"/>',
            f'<text class="many" x="{x}" y="{y - 4}">{count}</text>',
            f'<text class="hops" x="{x}" y="{y + 10}">{self._text(unit)}</text></g>',
        ]
        return self._run_link("".join(parts), run, title)

    def _run_link(self, text: str, run: Run, title: str = "") -> str:
        if self._link is not None and title:
            return self._anchor(f"run:{run.transfers[0]['txid']}", title, text)
        return f'<a href="{run.anchor}">{text}</a>' if self._linked and run.anchor else text

    def _hours(self, first: str, last: str) -> str:
        """When a folded run began and ended."""
        if last[:10] == first[:10]:
            return self._words.say("{first} to {last}", first=first[11:16], last=last[11:16])
        return self._words.say("to {last}", last=last[:10])

    def _anchor(self, key: str, label: str, inner: str) -> str:
        """Something that can be chosen."""
        around, link = self._around, self._link
        assert around is not None and link is not None  # noqa: S101, PT018 - only a page has links
        chosen = ' aria-current="true"' if key == around.selected else ""
        return (
            f'<a href="{escape(link(key))}" data-key="{escape(key)}" aria-label="{self._text(label)}"'
            f"{self._ways.get(key, '')}{chosen}>{inner}</a>"
        )

    def _draw_box(self, box: Box) -> list[str]:
        words = self._words
        name = f"{box.address[:10]}...{box.address[-6:]}" if len(box.address) > 20 else box.address
        part = f" · {escape(percent(box.amount, self._seed))}" if self._body["conserved"] else ""
        if box.parts > 1:
            name += " · " + words.count("{number} time", "{number} times", box.parts)
        state = box.words
        if box.closed:
            state = words.count("{number} transaction folded", "{number} transactions folded", box.closed)
        elif box.inferred:
            state = words.say("{name}, inferred", name=box.words)
        radius = {"held": 3, "coinbase": 3, "service": 12, "seed": 3}.get(box.kind, 6)
        x, y = _x(box), _y(box)
        kind, marked = box.kind + (" inferred" if box.inferred else ""), self._signs(box)
        signs = " ".join(marked)
        inner = [
            f'<g class="box {kind}"><title>{self._text(self._title(box))}</title>',
            f'<rect x="{x}" y="{y}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="{radius}"/>',
            f'<text class="amount" x="{x + 8}" y="{y + 18}">{btc(box.amount)} {self._coin}{part}</text>',
            f'<text class="name" x="{x + 8}" y="{y + 35}">{self._text(_clip(name))}</text>',
            f'<text class="state" x="{x + 8}" y="{y + 52}">{self._text(_clip(state))}</text>',
            *([f'<text class="signs" x="{x + _BOX_WIDTH - 2}" y="{y - 4}">{signs}</text>'] if signs else []),
            "</g>",
        ]
        if self._link is None:
            return inner
        told = (f"{btc(box.amount)} {self._coin}", self._title(box), state, *marked.values())
        label = ", ".join(part for part in told if part)
        return [self._anchor(box.key, label, "".join(inner))]

    def _title(self, box: Box) -> str:
        said = box.address or box.words
        if box.inferred:
            reason = self._words.say("inferred: in one cluster with {address}", address=box.inferred)
            said = f"{said} ({reason})"
        return said

    def _signs(self, box: Box) -> dict[str, str]:
        """Small signs above a box, and their words; each has a shape of its own, not a colour alone."""
        if self._around is None:
            return {}
        say = self._words.say
        marks = self._around.marks.get(box.key, Marks())
        pinned = bool(self._around.pinned.intersection(box.stands_for))
        signs = (
            ("◆", say("pinned"), pinned),
            ("✎", say("note"), marks.notes),
            ("#", say("tag"), marks.tags),
            ("≠", say("overruled"), marks.overruled),
            ("◉", say("watched"), marks.watched),
        )
        return {sign: word for sign, word, there in signs if there}


def _run_words(run: Run, words: Words) -> str:
    """What a run is called."""
    if run.kind == PEEL:
        return words.count("peel chain of {number} hop", "peel chain of {number} hops", run.hops)
    return words.count("{number} payment of one cluster", "{number} payments of one cluster", len(run.transfers))


def _run_meaning(run: Run, words: Words) -> str:
    """What that means."""
    if run.kind != PEEL:
        return words.say("what it paid to itself is not shown")
    return words.count(
        "{number} transaction, which spends one output of the one before",
        "{number} transactions, each spends one output of the one before",
        len(run.transfers),
    )


def _x(box: Box) -> int:
    return _LEFT + box.column * _COLUMN + 40


def _y(box: Box) -> int:
    return _TOP + box.row * _ROW


def _middle(box: Box) -> int:
    return _y(box) + _BOX_HEIGHT // 2


def _line(x1: int, y1: int, x2: int, y2: int, amount: int, seed: int, *, mixed: bool = False) -> str:
    tenths = max(10, isqrt(min(amount, seed) * 10**6 // seed) * _WIDEST // 100)  # tenths of a pixel, in whole numbers
    bend = (x2 - x1) // 2
    return (
        f'<path class="flow{" mixed" if mixed else ""}" '
        f'd="M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}" '
        f'stroke-width="{tenths // 10}.{tenths % 10}"/>'
    )


def _clip(text: str) -> str:
    """A line that fits a box."""
    return text if len(text) <= _MOST_LETTERS else text[: _MOST_LETTERS - 1] + "…"
