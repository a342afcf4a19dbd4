"""The answer in one sentence: where the money is, or came from, largest part first, and what is not known."""

from __future__ import annotations

from typing import Any

from shieldwall.model.amount import btc, percent
from shieldwall.trace.coin import coin_of
from shieldwall.trace.worth import in_words

_NOT_FOUND = {
    "gap": "is behind a gap in the data",
    "limit": "was not followed further, by the limits set",
    "mweb": "went into the extension block (MWEB), which hides amounts and holders: where it is now cannot be told",
}
_BEFORE = {
    "gap": "came out of transactions that are not in this data",
    "limit": "was not followed further back, by the limits set",
    "mweb": "came out of the extension block (MWEB), which hides amounts and holders: whose it was cannot be told",
    "unknown": "came from inputs that this data cannot tell apart",
}


def sentence(body: dict[str, Any]) -> str:
    """Where the money is now, or came from, from a result's body; every number in it stands in the body, too."""
    seed = body["seed_amount"]
    if not seed:
        return "There is nothing to follow: the targets hold no money in this data."
    clauses = _sources(body) if body["direction"] == "backward" else _ends(body)
    coin = coin_of(body)
    worth = f" ({in_words(body['fiat'], coin)})" if body["fiat"] else ""
    begin = (
        f"Of {btc(seed)} {coin}{worth}, "
        if body["conserved"]
        else f"Outputs marked from {btc(seed)} {coin}{worth} (poison counts no shares): "
    )
    tip = (
        "a tip of unknown height" if body["tip_height"] is None else f"height {body['tip_height']} ({body['tip_time']})"
    )
    return f"{begin}{'; '.join(clauses)}. Method {body['method']}, as of {tip}."


def _sources(body: dict[str, Any]) -> list[str]:
    """Where it came from, the largest part first."""
    clauses = []
    services = [end for end in body["ends"] if end["kind"] == "service"]
    if services:
        first = services[0]
        paid = f"last paid out {first['last_moved']}, {first['hops']} {'hop' if first['hops'] == 1 else 'hops'} back"
        where = f" came from {first['service']}, address {first['address']}{_doubt(first)}, {paid}"
        clauses.append((first["amount"], _portion(body, first["amount"]) + where))
    if services[1:]:
        amount = sum(end["amount"] for end in services[1:])
        names = sorted({end["service"] for end in services[1:]})
        named = " and ".join(names) if len(names) < 3 else f"{len(names)} other services"
        clauses.append((amount, f"{_portion(body, amount)} came from {named}"))
    mined = body["coinbase_amount"]
    if mined:
        count = sum(len(end["outputs"]) for end in body["ends"] if end["kind"] == "coinbase")
        clauses.append((mined, f"{_portion(body, mined)} was newly mined, in {count} {_plural('block reward', count)}"))
    for kind, words in _BEFORE.items():
        amount = body.get(f"{kind}_amount", 0)
        if amount or any(
            end["kind"] == kind for end in body["ends"]
        ):  # poison may touch what nobody knows the value of
            clauses.append((amount, f"{_portion(body, amount)} {words}{_names(body) if kind == 'gap' else ''}"))
    return [text for _, text in sorted(clauses, key=lambda clause: -clause[0])]


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def _ends(body: dict[str, Any]) -> list[str]:
    """Where it is now, the largest part first, fees last."""
    found = [end for end in body["ends"] if end["kind"] in ("service", "held")]
    clauses = [(found[0]["amount"], _portion(body, found[0]["amount"]) + _where(found[0]))] if found else []
    for kind in ("service", "held"):
        rest = [end for end in found[1:] if end["kind"] == kind]
        if rest:
            amount = sum(end["amount"] for end in rest)
            clauses.append((amount, _portion(body, amount) + _elsewhere(kind, rest)))
    lost = [end for end in body["ends"] if end["kind"] == "unknown"]
    if lost:
        clauses.append((body["unknown_amount"], _portion(body, body["unknown_amount"]) + _last_seen(lost)))
    for kind, words in _NOT_FOUND.items():
        amount = body.get(f"{kind}_amount", 0)
        if amount:
            clauses.append((amount, f"{_portion(body, amount)} {words}{_names(body) if kind == 'gap' else ''}"))
    clauses.sort(key=lambda clause: -clause[0])
    fee, burnt = body["fee_amount"], body["unspendable_amount"]
    if fee > burnt:
        clauses.append((0, f"{_portion(body, fee - burnt)} went to fees"))
    if burnt:
        clauses.append((0, f"{_portion(body, burnt)} was destroyed in outputs that nobody can spend"))
    if not clauses:
        clauses.append((0, "nothing is marked any more: it went to fees, which poison leaves unmarked"))
    return [text for _, text in clauses]


def _where(end: dict[str, Any]) -> str:
    if end["kind"] == "held":
        stated = [output["as_of"] for output in end["outputs"] if output["as_of"] is not None]
        said = f" (so said as of height {min(stated)})" if stated else ""
        moved = f"not moved since {end['last_moved']}" if not end["hops"] else _moved(end)
        return f" sits unspent{said} at {end['address']}, {moved}"
    freezers = end["freezable_by"]
    can = f"{freezers[0]['name']} can freeze it" if freezers else "who can freeze it is not in the directory"
    still = all(output["state"] == "unspent" for output in end["outputs"])
    gone = "" if still else "; whether all of it is still there was not followed"
    verb = "sits at" if still else "reached"
    return f" {verb} {end['service']}, address {end['address']}{_doubt(end)}, {_moved(end)}; {can}{gone}"


def _moved(end: dict[str, Any]) -> str:
    last = max(output["hops"] for output in end["outputs"])
    hops = _hops(last) if last == end["hops"] else f"{end['hops']} to {_hops(last)}"
    return f"{hops}, last moved {end['last_moved']}"


def _doubt(end: dict[str, Any]) -> str:
    """What else the address is called: one source's word must not read like a fact."""
    others = [tag["label"] for tag in end["tags"] if tag["label"] != end["service"]]
    return f" (also tagged {others[0]}{f' and {len(others) - 1} more' if others[1:] else ''})" if others else ""


def _last_seen(ends: list[dict[str, Any]]) -> str:
    others = len(ends) - 1
    more = f" and {others} other {'address' if others == 1 else 'addresses'}" if others else ""
    return f" was last seen at {ends[0]['address']}{more}, and whether it moved on is not in this data"


def _elsewhere(kind: str, ends: list[dict[str, Any]]) -> str:
    if kind == "held":
        return f" sits unspent at {len(ends)} other {'address' if len(ends) == 1 else 'addresses'}"
    services = sorted({end["service"] for end in ends})
    return f" sits at {' and '.join(services)}" if len(services) < 3 else f" sits at {len(services)} other services"


def _hops(count: int) -> str:
    return f"{count} {'hop' if count == 1 else 'hops'} on"


def _portion(body: dict[str, Any], amount: int) -> str:
    if not body["conserved"]:
        return f"{btc(amount)} {coin_of(body)}"
    return f"{percent(amount, body['seed_amount'])} ({btc(amount)} {coin_of(body)})"


def _names(body: dict[str, Any]) -> str:
    gaps = body["gaps"]
    first = f" (transaction {gaps[0]['txid'][:16]}...)" if gaps else ""
    return first if len(gaps) < 2 else f"{first} and {len(gaps) - 1} more"
