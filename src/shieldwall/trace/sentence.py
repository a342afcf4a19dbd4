"""The answer in one sentence: where the money is, or came from, largest part first, and what is not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

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


class Lead(NamedTuple):
    """The first end of a result that is held or at a service.

    Attributes:
        end: As in the result; its outputs are not looked at.
        most_hops: Most spends from a seed to one of its outputs.
        still: True where every one of them is known to be unspent.
        stated: Least height as of which a source said so; None where the chain itself tells.
    """

    end: Mapping[str, Any]
    most_hops: int
    still: bool
    stated: int | None


class Others(NamedTuple):
    """Ends of one kind that the sentence counts: how many, of how much, and the names of services."""

    size: int
    amount: int
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Gist:
    """What a sentence on the way forward needs of ends and gaps, of which there may be thousands.

    Attributes:
        lead: The first end that is held or at a service.
        others: Of each of these kinds, the ends behind it.
        lost: Ends of unknown state, and the address of the first.
        gaps: The first missing transaction, and how many there are.
    """

    lead: Lead | None
    others: Mapping[str, Others]
    lost: tuple[int, str | None]
    gaps: tuple[int, str]


def service_name(service: str | None, inherited: str | None) -> str:
    """A service's name; one that an address has only of another member of its cluster says so."""
    return f"{service} (inferred, by its cluster)" if inherited else str(service)


def gist_of(body: Mapping[str, Any]) -> Gist:
    """The gist of a result that has all its ends."""
    found = [end for end in body["ends"] if end["kind"] in ("service", "held")]
    others = {}
    for kind in ("service", "held"):
        rest = [end for end in found[1:] if end["kind"] == kind]
        names = frozenset(service_name(end["service"], end["inherited"]) for end in rest if kind == "service")
        others[kind] = Others(len(rest), sum(end["amount"] for end in rest), names)
    lost = [end["address"] for end in body["ends"] if end["kind"] == "unknown"]
    gaps = body["gaps"]
    return Gist(
        _lead_of(found[0]) if found else None,
        others,
        (len(lost), lost[0] if lost else None),
        (len(gaps), gaps[0]["txid"] if gaps else ""),
    )


def _lead_of(end: Mapping[str, Any]) -> Lead:
    outputs = end["outputs"]
    stated = [output["as_of"] for output in outputs if output["as_of"] is not None]
    still = all(output["state"] == "unspent" for output in outputs)
    return Lead(end, max(output["hops"] for output in outputs), still, min(stated, default=None))


def sentence(body: Mapping[str, Any], gist: Gist | None = None) -> str:
    """Where the money is now, or came from, from a result's body; every number in it stands in the body, too.

    Args:
        body: Of a result; with a gist, its ends and gaps are not looked at.
        gist: What it says of them, forward; worked out where it is not given.
    """
    seed = body["seed_amount"]
    if not seed:
        return "There is nothing to follow: the targets hold no money in this data."
    if body["direction"] == "backward":
        clauses = _sources(body)
    else:
        clauses = _ends(body, gist or gist_of(body))
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


def _sources(body: Mapping[str, Any]) -> list[str]:
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
        names = sorted({service_name(end["service"], end["inherited"]) for end in services[1:]})
        named = " and ".join(names) if len(names) < 3 else f"{len(names)} other services"
        clauses.append((amount, f"{_portion(body, amount)} came from {named}"))
    gaps = body["gaps"]
    named = _names(len(gaps), gaps[0]["txid"] if gaps else "")
    mined = body["coinbase_amount"]
    if mined:
        count = sum(len(end["outputs"]) for end in body["ends"] if end["kind"] == "coinbase")
        clauses.append((mined, f"{_portion(body, mined)} was newly mined, in {count} {_plural('block reward', count)}"))
    for kind, words in _BEFORE.items():
        amount = body.get(f"{kind}_amount", 0)
        if amount or any(
            end["kind"] == kind for end in body["ends"]
        ):  # poison may touch what nobody knows the value of
            clauses.append(
                (
                    amount,
                    f"{_portion(body, amount)} {words}{named if kind == 'gap' else ''}",
                )
            )
    return [text for _, text in sorted(clauses, key=lambda clause: -clause[0])]


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def _ends(body: Mapping[str, Any], gist: Gist) -> list[str]:
    """Where it is now, the largest part first, fees last."""
    clauses = []
    if gist.lead is not None:
        amount = gist.lead.end["amount"]
        clauses.append((amount, _portion(body, amount) + _where(gist.lead)))
    for kind, rest in gist.others.items():
        if rest.size:
            clauses.append((rest.amount, _portion(body, rest.amount) + _elsewhere(kind, rest)))
    if gist.lost[0]:
        amount = body["unknown_amount"]
        clauses.append((amount, _portion(body, amount) + _last_seen(*gist.lost)))
    for kind, words in _NOT_FOUND.items():
        amount = body.get(f"{kind}_amount", 0)
        if amount:
            named = _names(*gist.gaps) if kind == "gap" else ""
            clauses.append((amount, f"{_portion(body, amount)} {words}{named}"))
    clauses.sort(key=lambda clause: -clause[0])
    fee, burnt = body["fee_amount"], body["unspendable_amount"]
    if fee > burnt:
        clauses.append((0, f"{_portion(body, fee - burnt)} went to fees"))
    if burnt:
        clauses.append((0, f"{_portion(body, burnt)} was destroyed in outputs that nobody can spend"))
    if not clauses:
        clauses.append((0, "nothing is marked any more: it went to fees, which poison leaves unmarked"))
    return [text for _, text in clauses]


def _where(lead: Lead) -> str:
    end = lead.end
    if end["kind"] == "held":
        said = "" if lead.stated is None else f" (so said as of height {lead.stated})"
        moved = f"not moved since {end['last_moved']}" if not end["hops"] else _moved(lead)
        return f" sits unspent{said} at {end['address']}, {moved}"
    freezers = end["freezable_by"]
    can = f"{freezers[0]['name']} can freeze it" if freezers else "who can freeze it is not in the directory"
    gone = "" if lead.still else "; whether all of it is still there was not followed"
    verb = "sits at" if lead.still else "reached"
    return f" {verb} {end['service']}, address {end['address']}{_doubt(end)}, {_moved(lead)}; {can}{gone}"


def _moved(lead: Lead) -> str:
    last, end = lead.most_hops, lead.end
    hops = _hops(last) if last == end["hops"] else f"{end['hops']} to {_hops(last)}"
    return f"{hops}, last moved {end['last_moved']}"


def _doubt(end: Mapping[str, Any]) -> str:
    """Where its name is inherited from, and what else it is called: one source's word must not read like a fact."""
    others = [tag["label"] for tag in end["tags"] if tag["label"] != end["service"]]
    also = f"also tagged {others[0]}{f' and {len(others) - 1} more' if others[1:] else ''}" if others else ""
    inferred = f"inferred: in one cluster with {end['inherited']}" if end["inherited"] else ""
    return f" ({'; '.join(filter(None, (inferred, also)))})" if inferred or also else ""


def _last_seen(count: int, address: str | None) -> str:
    others = count - 1
    more = f" and {others} other {'address' if others == 1 else 'addresses'}" if others else ""
    return f" was last seen at {address}{more}, and whether it moved on is not in this data"


def _elsewhere(kind: str, rest: Others) -> str:
    if kind == "held":
        return f" sits unspent at {rest.size} other {'address' if rest.size == 1 else 'addresses'}"
    services = sorted(rest.names)
    return f" sits at {' and '.join(services)}" if len(services) < 3 else f" sits at {len(services)} other services"


def _hops(count: int) -> str:
    return f"{count} {'hop' if count == 1 else 'hops'} on"


def _portion(body: Mapping[str, Any], amount: int) -> str:
    if not body["conserved"]:
        return f"{btc(amount)} {coin_of(body)}"
    return f"{percent(amount, body['seed_amount'])} ({btc(amount)} {coin_of(body)})"


def _names(count: int, txid: str) -> str:
    first = f" (transaction {txid[:16]}...)" if count else ""
    return first if count < 2 else f"{first} and {count - 1} more"
