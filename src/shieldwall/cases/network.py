"""The network of one or several cases: group, people, malware, infrastructure, wallets and victims in one picture with its table.

Pure: it is given relations as plain values. The layout is a function of them alone, so the same cases give the same picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from shieldwall.cases.groups import plain
from shieldwall.model.words import ENGLISH, Words

COLUMNS = ("group", "person", "malware", "infrastructure", "victim", "address", "transaction", "service")
"""Kinds of things, each in a column of its own, from those who act to where the money is."""

MOST_THINGS = 120
_WIDTH, _HEIGHT, _GAP, _ROW = 170, 40, 56, 58  # of a box, and between boxes
_TOP = 34


@dataclass(frozen=True, slots=True, order=True)
class Thing:
    """Something in a network: what it is, and its name; of an address its chain, too."""

    type: str
    name: str
    chain: str = ""

    @property
    def key(self) -> str:
        """The same for what people write in several ways: names of groups and malware by letters and digits alone."""
        name = plain(self.name) if self.type in ("group", "malware") else self.name.casefold().strip()
        return f"{self.type}:{self.chain}:{name or self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A relation: from, to, how, who says it, on which layer, in which cases, and whence it is known."""

    source: str
    target: str
    relation: str
    layer: str
    said_by: str
    cases: tuple[str, ...]
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """Things by their key, with the cases in which each is, and relations; and how many things were left out."""

    things: Mapping[str, Thing]
    cases: Mapping[str, tuple[str, ...]]
    edges: tuple[Edge, ...]
    left_out: int

    @property
    def shared(self) -> list[str]:
        """Keys of what more than one case has."""
        return [key for key, cases in self.cases.items() if len(cases) > 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A relation as somebody says it in a case."""

    source: Thing
    target: Thing
    relation: str
    layer: str
    said_by: str
    case: str
    basis: str = ""


def network_of(said: Iterable[Said], *, most: int = MOST_THINGS) -> Network:
    """The network of relations; of more things than `most` those with the most relations are kept, and the rest counted."""
    rows = sorted(said, key=lambda each: (each.source, each.target, each.relation, each.case, each.said_by))
    things: dict[str, Thing] = {}
    cases: dict[str, set[str]] = {}
    weight: dict[str, int] = {}
    joined: dict[tuple[str, str, str, str], tuple[set[str], set[str], set[str]]] = {}
    for each in rows:
        for thing in (each.source, each.target):
            things.setdefault(thing.key, thing)
            cases.setdefault(thing.key, set()).add(each.case)
            weight[thing.key] = weight.get(thing.key, 0) + 1
        key = (each.source.key, each.target.key, each.relation, each.layer)
        by, where, whence = joined.setdefault(key, (set(), set(), set()))
        by.add(each.said_by)
        where.add(each.case)
        whence |= {each.basis} - {""}
    kept = set(sorted(things, key=lambda key: (-len(cases[key]), -weight[key], key))[:most])
    edges = tuple(
        Edge(
            source=a,
            target=b,
            relation=how,
            layer=layer,
            said_by=", ".join(sorted(by)),
            cases=tuple(sorted(where)),
            basis="; ".join(sorted(whence)),
        )
        for (a, b, how, layer), (by, where, whence) in sorted(joined.items())
        if a in kept and b in kept
    )
    return Network(
        {key: things[key] for key in sorted(kept)},
        {key: tuple(sorted(cases[key])) for key in sorted(kept)},
        edges,
        len(things) - len(kept),
    )


def places(network: Network) -> dict[str, tuple[int, int]]:
    """Left upper corner of each thing: a column for each kind that is there, within it ordered to cross little."""
    columns = [kind for kind in COLUMNS if any(thing.type == kind for thing in network.things.values())]
    rows: dict[str, list[str]] = {kind: [] for kind in columns}
    for key, thing in network.things.items():
        rows[thing.type if thing.type in rows else columns[-1]].append(key)
    beside: dict[str, list[str]] = {key: [] for key in network.things}
    for edge in network.edges:
        beside[edge.source].append(edge.target)
        beside[edge.target].append(edge.source)
    order = {key: place for kind in columns for place, key in enumerate(rows[kind])}
    for _ in range(4):  # barycentre, a few times to and fro
        for kind in columns:
            rows[kind].sort(key=lambda key: (_middle([order[each] for each in beside[key]], order[key]), key))
            order |= {key: place for place, key in enumerate(rows[kind])}
    return {
        key: (number * (_WIDTH + _GAP), _TOP + place * _ROW)
        for number, kind in enumerate(columns)
        for place, key in enumerate(rows[kind])
    }


def draw(network: Network, words: Words = ENGLISH, *, names: Mapping[str, str] | None = None) -> Markup:
    """The picture: SVG, every thing a labelled box; shared ones are marked. `names` says what each kind is called."""
    at = places(network)
    if not at:
        return Markup("")
    width = max(x for x, _ in at.values()) + _WIDTH + 2
    height = max(y for _, y in at.values()) + _HEIGHT + (_ROW - _HEIGHT)
    label = escape(words.say("Network of people, malware, infrastructure, wallets and victims"))
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [f'<svg class="lanes network" {size} role="img" aria-label="{label}">']
    told = names or {}
    for x, kind in sorted({(at[key][0], thing.type) for key, thing in network.things.items()}):
        parts.append(f'<text class="when" x="{x + 4}" y="18">{escape(words.say(told.get(kind, kind)))}</text>')
    for edge in network.edges:
        (x1, y1), (x2, y2) = at[edge.source], at[edge.target]
        parts.append(_line(x1, y1, x2, y2, edge, words.say(edge.relation)))
    shared = set(network.shared)
    for key, thing in network.things.items():
        x, y = at[key]
        mark = " shared" if key in shared else ""
        sign = (
            f'<text class="signs" x="{x + _WIDTH - 6}" y="{y + 15}">×{len(network.cases[key])}</text>' if mark else ""
        )
        parts.append(
            f'<g class="thing {escape(thing.type)}{mark}"><title>{escape(thing.name)}</title>'
            f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="3"/>'
            f'<text class="amount" x="{x + 8}" y="{y + 25}">{escape(_brief(thing.name, 15 if mark else 20))}</text>{sign}</g>'
        )
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - every name is escaped above


def rows_of(network: Network, titles: Mapping[str, str]) -> list[dict[str, Any]]:
    """The table twin: a row for each relation."""
    return [
        {
            "source": network.things[edge.source],
            "relation": edge.relation,
            "target": network.things[edge.target],
            "layer": edge.layer,
            "said_by": edge.said_by,
            "basis": edge.basis,
            "cases": [(case, titles.get(case, case)) for case in edge.cases],
        }
        for edge in network.edges
    ]


def _line(x1: int, y1: int, x2: int, y2: int, edge: Edge, relation: str) -> str:
    if abs(x2 - x1) > _WIDTH + _GAP:  # past a column: along the gap under the row, where no box stands
        return _far(x1, y1, x2, y2, edge, relation)
    forward = x2 >= x1
    start = x1 + (_WIDTH if forward else 0)
    end = x2 + (0 if forward else _WIDTH)
    if x1 == x2:
        start = end = x1 + _WIDTH
    middle = (start + end) / 2 if x1 != x2 else start + _GAP * 0.7
    a, b = y1 + _HEIGHT / 2, y2 + _HEIGHT / 2
    dashed = "" if edge.layer == "observation" else " mixed"
    return (
        f'<path class="flow{dashed}" d="M{start} {a:g}C{middle:g} {a:g} {middle:g} {b:g} {end} {b:g}" stroke-width="1.6">'
        f"<title>{escape(relation)}</title></path>"
    )


def _far(x1: int, y1: int, x2: int, y2: int, edge: Edge, relation: str) -> str:
    forward = x2 > x1
    start, end = (x1 + _WIDTH, x2) if forward else (x1, x2 + _WIDTH)
    turn, half = (_GAP if forward else -_GAP), (_GAP / 2 if forward else -_GAP / 2)
    a, b, lane = y1 + _HEIGHT / 2, y2 + _HEIGHT / 2, y1 + _HEIGHT + (_ROW - _HEIGHT) / 2
    way = (
        f"M{start} {a:g}C{start + half:g} {a:g} {start + half:g} {lane:g} {start + turn:g} {lane:g}H{end - turn:g}"
        f"C{end - half:g} {lane:g} {end - half:g} {b:g} {end} {b:g}"
    )
    dashed = "" if edge.layer == "observation" else " mixed"
    return f'<path class="flow{dashed}" d="{way}" stroke-width="1.6"><title>{escape(relation)}</title></path>'


def _middle(neighbours: Sequence[int], own: int) -> float:
    return sum(neighbours) / len(neighbours) if neighbours else float(own)


def _brief(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 6]}…{name[-5:]}"
