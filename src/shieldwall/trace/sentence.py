"""The answer in one sentence: where the money is, or came from, largest part first, and what is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from shieldwall.model.amount import btc, percent
from shieldwall.trace.coin import coin_of
from shieldwall.trace.services import at_services, in_few_words, services_of
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
    """The address that holds most, or the service that has most, at all of its addresses together.

    Attributes:
        end: The end, of a service the largest, as in the result; its outputs are not looked at.
        service: Its entry in the result's `services`; None for an address that holds.
        hops: Least spends from a seed to one of its outputs.
        most_hops: Most of them.
        last_moved: Last arrival at one of its outputs.
        still: True where every one of them is known to be unspent.
        stated: Least height as of which a source said so; None where the chain itself tells.
    """

    end: Mapping[str, Any]
    service: Mapping[str, Any] | None
    hops: int
    most_hops: int
    last_moved: str
    still: bool
    stated: int | None

    @property
    def amount(self) -> int:
        """Satoshi of all of it."""
        return int((self.service or self.end)["amount"])


class Others(NamedTuple):
    """What the sentence counts of one kind: how many addresses that hold, or services; how much; names of services."""

    size: int
    amount: int
    names: tuple[str, ...] = ()

    @classmethod
    def services(cls, entries: Sequence[Mapping[str, Any]]) -> Others:
        """Of entries of a result's `services`."""
        return cls(len(entries), sum(entry["amount"] for entry in entries), tuple(in_few_words(e) for e in entries))


@dataclass(frozen=True, slots=True)
class Gist:
    """What a sentence on the way forward needs of ends and gaps, of which there may be thousands.

    Attributes:
        lead: The address or service that has most.
        others: Of each of these kinds, what is behind it.
        lost: Ends of unknown state, and the address of the first.
        gaps: The first missing transaction, and how many there are.
    """

    lead: Lead | None
    others: Mapping[str, Others]
    lost: tuple[int, str | None]
    gaps: tuple[int, str]


def gist_of(body: Mapping[str, Any]) -> Gist:
    """The gist of a result that has all its ends."""
    held = [end for end in body["ends"] if end["kind"] == "held"]
    services = services_of(at_services(body["ends"]), body["seed_amount"])
    candidates = [
        *(_lead_of([end]) for end in held[:1]),
        *(_lead_of(_ends_at(body, entry), entry) for entry in services if entry["amount"] == services[0]["amount"]),
    ]
    places = {id(end): place for place, end in enumerate(body["ends"])}
    lead = min(candidates, key=lambda lead: (-lead.amount, places[id(lead.end)]), default=None)
    rest = [end for end in held if lead is None or end is not lead.end]
    others = {
        "service": Others.services([entry for entry in services if lead is None or entry is not lead.service]),
        "held": Others(len(rest), sum(end["amount"] for end in rest)),
    }
    lost = [end["address"] for end in body["ends"] if end["kind"] == "unknown"]
    gaps = body["gaps"]
    return Gist(lead, others, (len(lost), lost[0] if lost else None), (len(gaps), gaps[0]["txid"] if gaps else ""))


def _ends_at(body: Mapping[str, Any], entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The ends at a service, the largest first."""
    return [end for end in body["ends"] if end["kind"] == "service" and end["service"] == entry["service"]]


def _lead_of(ends: Sequence[Mapping[str, Any]], service: Mapping[str, Any] | None = None) -> Lead:
    outputs = [output for end in ends for output in end["outputs"]]
    hops = [output["hops"] for output in outputs]
    stated = [output["as_of"] for output in outputs if output["as_of"] is not None]
    still = all(output["state"] == "unspent" for output in outputs)
    least, last_moved = min(end["hops"] for end in ends), max(end["last_moved"] for end in ends)
    return Lead(ends[0], service, least, max(hops), last_moved, still, min(stated, default=None))


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
    services = services_of(at_services(body["ends"]), body["seed_amount"])
    if services:
        largest = [_ends_at(body, entry) for entry in services if entry["amount"] == services[0]["amount"]]
        ends = min(largest, key=lambda ends: body["ends"].index(ends[0]))
        first = next(entry for entry in services if entry["service"] == ends[0]["service"])
        hops, last = min(end["hops"] for end in ends), max(end["last_moved"] for end in ends)
        where = f" came from {_address(ends[0], first)}, last paid out {last}, {hops} {_plural('hop', hops)} back"
        clauses.append((first["amount"], _portion(body, first["amount"]) + where))
        rest = Others.services([entry for entry in services if entry is not first])
        if rest.size:
            clauses.append((rest.amount, f"{_portion(body, rest.amount)} came from {_named(rest)}"))
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
        amount = gist.lead.amount
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
    service = lead.service or {}
    freezers = [entry["name"] for entry in end["freezable_by"]] or service["freezable_by"]
    can = f"{freezers[0]} can freeze it" if freezers else "who can freeze it is not in the directory"
    gone = "" if lead.still else "; whether all of it is still there was not followed"
    verb = "sits at" if lead.still else "reached"
    return f" {verb} {_address(end, service)}, {_moved(lead)}; {can}{gone}"


def _moved(lead: Lead) -> str:
    hops = _hops(lead.most_hops) if lead.most_hops == lead.hops else f"{lead.hops} to {_hops(lead.most_hops)}"
    return f"{hops}, last moved {lead.last_moved}"


def _address(end: Mapping[str, Any], service: Mapping[str, Any]) -> str:
    """A service and its address; of several how many, and the largest."""
    if service["addresses"] == 1:
        return f"{end['service']}, address {end['address']}{_doubt(end)}"
    number = service["inherited"]
    doubt = f" (inferred, by its cluster, for {_all_or(number, service['addresses'])} of them)" if number else ""
    return f"{end['service']}, {service['addresses']} addresses{doubt}, the largest {end['address']}{_doubt(end)}"


def _all_or(number: int, size: int) -> str:
    return "all" if number == size else str(number)


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
    return f" sits at {_named(rest)}"


def _named(rest: Others) -> str:
    return " and ".join(sorted(rest.names)) if rest.size < 3 else f"{rest.size} other services"


def _hops(count: int) -> str:
    return f"{count} {'hop' if count == 1 else 'hops'} on"


def _portion(body: Mapping[str, Any], amount: int) -> str:
    if not body["conserved"]:
        return f"{btc(amount)} {coin_of(body)}"
    return f"{percent(amount, body['seed_amount'])} ({btc(amount)} {coin_of(body)})"


def _names(count: int, txid: str) -> str:
    first = f" (transaction {txid[:16]}...)" if count else ""
    return first if count < 2 else f"{first} and {count - 1} more"
