"""A trace as a terminal shows it: the sentence, the ends, the first path, the gaps."""

from __future__ import annotations

from textwrap import fill
from typing import Any

from shieldwall.cli.options import table, width
from shieldwall.model.amount import btc, percent
from shieldwall.trace.coin import coin_of
from shieldwall.trace.printable import printable

_MOST_ROWS = 20  # ends shown on a terminal
_FORWARD = ("held", "service", "unknown", "gap", "limit", "fee")
_BACKWARD = ("coinbase", "service", "unknown", "gap", "limit")


def text(body: dict[str, Any]) -> str:
    """The answer for a terminal."""
    coin = coin_of(body)
    parts = [fill(printable(body["sentence"]), width()), "", _ends(body)]
    if body["clusters"]:
        parts.append(_clusters(body, coin))
    if "methods" in body:
        hidden = ("mweb",) if "mweb_amount" in body else ()  # where the network has an extension block
        kinds = (*(_BACKWARD if _is_backward(body) else _FORWARD), *hidden)
        columns = ("method", *kinds)
        rows = [
            {"method": side["method"], **{kind: btc(side[f"{kind}_amount"]) for kind in kinds}}
            for side in body["methods"]
        ]
        parts += [table(rows, columns)]
    if body["paths"]:
        parts.append(_path(body["paths"][0], "source" if _is_backward(body) else "end", coin))
    for gap in body["gaps"][:_MOST_ROWS]:
        then = f"; published after it: {', '.join(gap['then'])}" if gap["then"] else ""
        back = f"; in the data again at {gap['resumes']}" if gap["resumes"] else ""
        source = printable(gap["source"])
        parts.append(f"gap: {gap['txid']} ({btc(gap['amount'])} {coin}), named by {source}{then}{back}\n")
    rest = body["gaps"][_MOST_ROWS:]
    if rest:
        parts.append(f"+ {len(rest)} other gaps, {btc(sum(gap['amount'] for gap in rest))} {coin} (all in -o json)\n")
    parts += [f"note: {printable(note)}\n" for note in body["notes"]]
    parts.append(f"digest {body['digest']}\n")
    return "\n".join(parts)


def _is_backward(body: dict[str, Any]) -> bool:
    return bool(body["direction"] == "backward")


def _ends(body: dict[str, Any]) -> str:
    backward, currency = _is_backward(body), body["fiat"]["currency"] if body["fiat"] else ""
    coin = coin_of(body)
    rows = [
        {
            "source" if backward else "end": end["kind"],
            "address": end["address"] or "",
            coin: btc(end["amount"]),
            **({f"{currency} then": _worth(end)} if currency else {}),
            "share": percent(end["amount"], body["seed_amount"]) if body["conserved"] else "",
            "hops": end["hops"],
            "last paid (UTC)" if backward else "last moved (UTC)": end["last_moved"],
            "known as": _known_as(end),
            "ask" if backward else "can freeze": ", ".join(entry["name"] for entry in end["freezable_by"]),
        }
        for end in body["ends"][:_MOST_ROWS]
    ]
    shown = table(rows, tuple(rows[0])) if rows else ""
    rest = body["ends"][_MOST_ROWS:]
    if rest:
        shown += f"+ {len(rest)} others, {btc(sum(end['amount'] for end in rest))} {coin} (all in -o json)\n"
    return shown


def _known_as(end: dict[str, Any]) -> str:
    label = end["tags"][0]["label"] if end["tags"] else ""
    return f"{label} (by its cluster)" if end["inherited"] else label


def _clusters(body: dict[str, Any], coin: str) -> str:
    """The same by cluster, where one owner's addresses are one line."""
    found = body["clusters"]
    rows = [
        {
            "cluster of": entry["named_after"],
            "size": entry["size"],
            "addresses here": entry["addresses"],
            coin: btc(entry["amount"]),
            "share": percent(entry["amount"], body["seed_amount"]) if body["conserved"] else "",
            "service": entry["service"] or "",
        }
        for entry in found["ends"]
    ]
    shown = "by cluster (inferred):\n" + (table(rows, tuple(rows[0])) if rows else "none\n")
    if found["omitted"]:
        shown += f"+ {found['omitted']} other clusters, {btc(found['omitted_amount'])} {coin}\n"
    return shown


def _worth(end: dict[str, Any]) -> str:
    """The value of what could be valued; nothing where nothing could."""
    unvalued = end["fiat"]["unvalued_amount"]
    if unvalued and unvalued == end["amount"]:
        return "no rate"
    return f"{end['fiat']['value']}{' +' if unvalued else ''}"


def _path(path: dict[str, Any], end: str, coin: str) -> str:
    lines = [f"the way {'from' if end == 'source' else 'to'} {end} {path['end']}:"]
    lines += [
        f"  {step['time']}  {step['txid']}:{step['index']}  {btc(step['amount'])} {coin}  {step['address'] or ''}".rstrip()
        for step in path["steps"]
    ]
    if path["steps_omitted"]:
        lines.insert(1 + len(path["steps"]) // 2, f"  ... {path['steps_omitted']} steps left out here")
    return "\n".join(lines) + "\n"
