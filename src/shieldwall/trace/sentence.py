"""The answer in one sentence, then what is not known: the first line of every report."""

from __future__ import annotations

from typing import Any

from shieldwall.model.amount import btc, percent


def sentence(body: dict[str, Any]) -> str:
    """Where the money is now, from a result's body; every number in it stands in the body, too."""
    seed = body["seed_amount"]
    if not seed:
        return "There is nothing to follow: the targets hold no money in this data."
    conserved = body["conserved"]
    parts = []
    ends = [end for end in body["ends"] if end["kind"] in ("service", "held")]
    if ends:
        parts.append(_lead(ends[0], seed, conserved))
        others = ends[1:]
        if others:
            rest = sum(end["amount"] for end in others)
            places = "address" if len(others) == 1 else "addresses"
            parts.append(f"{_portion(rest, seed, conserved)} at {len(others)} other {places}")
    for kind, words in (
        ("gap", "is behind a gap in the data"),
        ("unknown", "went to outputs whose spends this data does not show"),
        ("limit", "was not followed further, by the limits set"),
        ("fee", "went to fees"),
    ):
        amount = body[f"{kind}_amount"]
        if amount and kind == "fee" and body["unspendable_amount"] == amount:
            words = "was destroyed in outputs that nobody can spend"
        elif amount and kind == "fee" and body["unspendable_amount"]:
            words = "went to fees and outputs that nobody can spend"
        if amount:
            parts.append(f"{_portion(amount, seed, conserved)} {words}{_names(body) if kind == 'gap' else ''}")
    tip = f"height {body['tip_height']} ({body['tip_time']})" if body["tip_height"] is not None else "a tip of unknown height"
    start = "" if ends else f"Of {btc(seed)} BTC: "
    return f"{start}{'; '.join(parts)}. By {body['method']}, as of {tip}."


def _lead(end: dict[str, Any], seed: int, conserved: bool) -> str:
    amount = end["amount"]
    hops = f"{end['hops']} {'hop' if end['hops'] == 1 else 'hops'} on" if end["hops"] else "never moved"
    if conserved:
        where = f"{percent(amount, seed)} of {btc(seed)} BTC ({btc(amount)} BTC)"
    else:
        where = f"Marked outputs of {btc(amount)} BTC, reached from {btc(seed)} BTC,"
    verb = "sits" if conserved else "sit"
    if end["kind"] == "service":
        freezers = end["freezable_by"]
        can = f"{freezers[0]['name']} can freeze it" if freezers else "who can freeze it is not in the directory"
        return f"{where} {verb} at {end['service']}, deposit address {end['address']}, {hops}, last moved {end['last_moved']}; {can}"
    return f"{where} {verb} unspent at {end['address']}, {hops}, last moved {end['last_moved']}"


def _portion(amount: int, seed: int, conserved: bool) -> str:
    return f"{percent(amount, seed)} ({btc(amount)} BTC)" if conserved else f"{btc(amount)} BTC"


def _names(body: dict[str, Any]) -> str:
    gaps = body["gaps"]
    first = f" (transaction {gaps[0]['txid'][:16]}...)" if gaps else ""
    return first if len(gaps) < 2 else f"{first} and {len(gaps) - 1} more"
