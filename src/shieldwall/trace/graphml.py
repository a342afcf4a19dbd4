"""A trace as GraphML 1.0, for programs that draw and measure graphs (yEd, Gephi, networkx).

A node is a transaction, an end of the trace, or a holder that the trace starts from; an edge is followed money, in whole
satoshi (`long`: the data is exact, as long as a program does not read it into a float). Same result, same bytes.

Source: GraphML Primer and schema 1.0, http://graphml.graphdrawing.org.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from shieldwall.trace.printable import printable

_NODE = {"kind": "string", "label": "string", "txid": "string", "address": "string", "time": "string", "height": "long",
         "amount": "long"}  # fmt: skip
_EDGE = {"amount": "long", "outpoint": "string", "address": "string", "label": "string"}
_GRAPH = {"digest": "string", "method": "string", "direction": "string", "sentence": "string"}
_OPENING = (
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">'
)
_LETTERS = 12  # of a txid in a label


def graphml(body: Mapping[str, Any], digest: str) -> str:
    """A result's body as a GraphML document.

    In the graph of a method that conserves, what enters a passed transaction leaves it, but for what starts there.

    Args:
        body: Of a result; the ends of its first method, where there are several.
        digest: The result's digest, kept in the graph.
    """
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        _OPENING,
    ]
    for domain, keys in (("graph", _GRAPH), ("node", _NODE), ("edge", _EDGE)):
        lines += [
            f'<key id="{domain}-{name}" for="{domain}" attr.name="{name}" attr.type="{kind}"/>'
            for name, kind in keys.items()
        ]
    lines.append('<graph id="trace" edgedefault="directed">')
    lines += _data("graph", {**{name: body[name] for name in _GRAPH if name != "digest"}, "digest": digest})
    nodes, edges = _Graph(body).parts()
    for name, values in nodes.items():
        lines += [f"<node id={quoteattr(name)}>", *_data("node", values), "</node>"]
    for number, (source, target, values) in enumerate(edges):
        lines += [
            f'<edge id="m{number}" source={quoteattr(source)} target={quoteattr(target)}>',
            *_data("edge", values),
        ]
        lines.append("</edge>")
    return "\n".join([*lines, "</graph>", "</graphml>", ""])


def _data(domain: str, values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if value not in (None, ""):
            yield f'<data key="{domain}-{name}">{escape(printable(str(value)))}</data>'


_Values = dict[str, Any]


class _Graph:
    """The nodes and edges of a result: money passes from where it starts, through transactions, to where it ends."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body
        self._backward = body["direction"] == "backward"
        self._nodes: dict[str, _Values] = {}
        self._edges: list[tuple[str, str, _Values]] = []

    def parts(self) -> tuple[dict[str, _Values], list[tuple[str, str, _Values]]]:
        for transfer in self._body["transfers"]:
            self._transaction(transfer["txid"], "transaction", transfer)
        ends: list[tuple[str, _Values, _Values]] = []
        for end in self._body["ends"]:
            name = f"end-{end['rank']}"
            self._nodes[name] = {
                "kind": end["kind"],
                "label": end["service"] or end["address"] or end["gap_txid"] or end["kind"],
                "txid": end["gap_txid"],
                "address": end["address"],
                "time": end["last_moved"],
                "amount": end["amount"],
            }
            ends += [(name, end, output) for output in end["outputs"]]
        sources = {(output["txid"], output["index"]): name for name, _, output in ends} if self._backward else {}
        spent: dict[tuple[str, int], int] = {}
        for transfer in self._body["transfers"]:
            for entry in transfer["inputs"]:
                point = entry["txid"], entry["index"]
                spent[point] = entry["amount"]
                source = sources.get(point) or self._transaction(entry["txid"])
                self._edge(source, transfer["txid"], entry, f"{entry['txid']}:{entry['index']}")
        for name, end, output in ends:
            txid, index = output["txid"], output["index"]
            point_name = txid if index is None else f"{txid}:{index}"
            entry = {"address": end["address"], "amount": output["amount"]}
            if not self._backward:
                self._edge(self._transaction(txid), name, entry, point_name)
                continue
            entry["amount"] -= spent.get((txid, index), 0)
            if entry["amount"] > 0:  # the trace starts, wholly or in part, at its own source
                self._edge(name, self._target(end["address"]), entry, point_name)
        if self._backward:
            self._targets(spent)
        return self._nodes, self._edges

    def _targets(self, spent: Mapping[tuple[str, int], int]) -> None:
        """What of passed transactions' outputs did not go on to another target stands at one."""
        for transfer in self._body["transfers"]:
            for output in transfer["outputs"]:
                left = output["amount"] - spent.get((transfer["txid"], output["index"]), 0)
                if left > 0:
                    entry = {"address": output["address"], "amount": left}
                    self._edge(
                        transfer["txid"],
                        self._target(output["address"]),
                        entry,
                        f"{transfer['txid']}:{output['index']}",
                    )

    def _transaction(self, txid: str, kind: str = "start", known: Mapping[str, Any] | None = None) -> str:
        """The node of a transaction; one that was not passed only holds where the trace starts."""
        if txid not in self._nodes:
            self._nodes[txid] = {
                "kind": kind,
                "label": f"{txid[:_LETTERS]}...",
                "txid": txid,
                "time": known["time"] if known else None,
                "height": known["height"] if known else None,
            }
        return txid

    def _target(self, address: str | None) -> str:
        name = f"target-{address or 'unknown'}"
        self._nodes.setdefault(name, {"kind": "target", "label": address or "not known", "address": address})
        return name

    def _edge(self, source: str, target: str, entry: Mapping[str, Any], outpoint: str) -> None:
        values = {"amount": entry["amount"], "outpoint": outpoint, "address": entry["address"]}
        self._edges.append((source, target, {**values, "label": f"{entry['amount']} sat"}))
