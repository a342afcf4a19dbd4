"""The answer in one sentence: where the money is, or came from, largest part first, and what is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

from shieldwall.model.amount import btc, percent
from shieldwall.model.words import ENGLISH, Words, message
from shieldwall.trace.coin import coin_of
from shieldwall.trace.services import at_services, in_few_words, services_of
from shieldwall.trace.worth import in_words

_NOT_FOUND = {
    "gap": message("{portion} is behind a gap in the data"),
    "limit": message("{portion} was not followed further, by the limits set"),
    "mweb": message(
        "{portion} went into the extension block (MWEB), which hides amounts and holders: where it is now cannot be told"
    ),
}
_BEFORE = {
    "gap": message("{portion} came out of transactions that are not in this data"),
    "limit": message("{portion} was not followed further back, by the limits set"),
    "mweb": message(
        "{portion} came out of the extension block (MWEB), which hides amounts and holders: whose it was cannot be told"
    ),
    "unknown": message("{portion} came from inputs that this data cannot tell apart"),
}
_NAMED_GAP = {
    "forward": message("{portion} is behind a gap in the data {transactions}"),
    "backward": message("{portion} came out of transactions that are not in this data {transactions}"),
}
"""The same of a gap, where a transaction that is missing has a name."""


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
    """What the sentence counts of one kind: how many addresses that hold, or services; how much; which services."""

    size: int
    amount: int
    entries: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def services(cls, entries: Sequence[Mapping[str, Any]]) -> Others:
        """Of entries of a result's `services`."""
        return cls(len(entries), sum(entry["amount"] for entry in entries), tuple(entries))


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


def sentence(body: Mapping[str, Any], gist: Gist | None = None, words: Words = ENGLISH) -> str:
    """Where the money is now, or came from, from a result's body; every number in it stands in the body, too.

    Args:
        body: Of a result; with a gist, its ends and gaps are not looked at.
        gist: What it says of them, forward; worked out where it is not given.
        words: The language. Names, labels, addresses, amounts and times are the same in all.
    """
    seed = body["seed_amount"]
    if not seed:
        return words.say("There is nothing to follow: the targets hold no money in this data.")
    if body["direction"] == "backward":
        clauses = _sources(body, words)
    else:
        clauses = _ends(body, gist or gist_of(body), words)
    amount = f"{btc(seed)} {coin_of(body)}"
    if body["fiat"]:
        amount = words.say("{amount} ({worth})", amount=amount, worth=in_words(body["fiat"], coin_of(body), words))
    tip = (
        words.say("a tip of unknown height")
        if body["tip_height"] is None
        else words.say("height {height} ({time})", height=body["tip_height"], time=body["tip_time"])
    )
    said = {"amount": amount, "clauses": _joined(clauses, words), "method": body["method"], "tip": tip}
    if body["conserved"]:
        return words.say("Of {amount}, {clauses}. Method {method}, as of {tip}.", **said)
    return words.say(
        "Outputs marked from {amount} (poison counts no shares): {clauses}. Method {method}, as of {tip}.", **said
    )


def _joined(clauses: Sequence[str], words: Words) -> str:
    if not clauses:
        return ""
    return reduce(lambda first, then: words.say("{first}; {then}", first=first, then=then), clauses)


def _sources(body: Mapping[str, Any], words: Words) -> list[str]:
    """Where it came from, the largest part first."""
    clauses = []
    services = services_of(at_services(body["ends"]), body["seed_amount"])
    if services:
        largest = [_ends_at(body, entry) for entry in services if entry["amount"] == services[0]["amount"]]
        ends = min(largest, key=lambda ends: body["ends"].index(ends[0]))
        first = next(entry for entry in services if entry["service"] == ends[0]["service"])
        text = words.count(
            "{portion} came from {place}, last paid out {time}, {number} hop back",
            "{portion} came from {place}, last paid out {time}, {number} hops back",
            min(end["hops"] for end in ends),
            portion=_portion(body, first["amount"]),
            place=_place(ends[0], first, words),
            time=max(end["last_moved"] for end in ends),
        )
        clauses.append((first["amount"], text))
        rest = Others.services([entry for entry in services if entry is not first])
        if rest.size:
            portion, others = _portion(body, rest.amount), _named(rest, words)
            clauses.append((rest.amount, words.say("{portion} came from {services}", portion=portion, services=others)))
    mined = body["coinbase_amount"]
    if mined:
        text = words.count(
            "{portion} was newly mined, in {number} block reward",
            "{portion} was newly mined, in {number} block rewards",
            sum(len(end["outputs"]) for end in body["ends"] if end["kind"] == "coinbase"),
            portion=_portion(body, mined),
        )
        clauses.append((mined, text))
    gaps = body["gaps"]
    for kind, plain in _BEFORE.items():
        amount = body.get(f"{kind}_amount", 0)
        if amount or any(
            end["kind"] == kind for end in body["ends"]
        ):  # poison may touch what nobody knows the value of
            if kind == "gap" and gaps:
                text = _gap(body, amount, (len(gaps), gaps[0]["txid"]), words)
            else:
                text = words.say(plain, portion=_portion(body, amount))
            clauses.append((amount, text))
    return [text for _, text in sorted(clauses, key=lambda clause: -clause[0])]


def _ends(body: Mapping[str, Any], gist: Gist, words: Words) -> list[str]:
    """Where it is now, the largest part first, fees last."""
    clauses = []
    if gist.lead is not None:
        amount = gist.lead.amount
        clauses.append((amount, _where(_portion(body, amount), gist.lead, words)))
    for kind, rest in gist.others.items():
        if rest.size:
            clauses.append((rest.amount, _elsewhere(_portion(body, rest.amount), kind, rest, words)))
    if gist.lost[0]:
        amount = body["unknown_amount"]
        clauses.append((amount, _last_seen(_portion(body, amount), *gist.lost, words)))
    for kind, plain in _NOT_FOUND.items():
        amount = body.get(f"{kind}_amount", 0)
        if amount:
            if kind == "gap" and gist.gaps[0]:
                text = _gap(body, amount, gist.gaps, words)
            else:
                text = words.say(plain, portion=_portion(body, amount))
            clauses.append((amount, text))
    clauses.sort(key=lambda clause: -clause[0])
    found = [text for _, text in clauses]
    fee, burnt = body["fee_amount"], body["unspendable_amount"]
    if fee > burnt:
        found.append(words.say("{portion} went to fees", portion=_portion(body, fee - burnt)))
    if burnt:
        portion = _portion(body, burnt)
        found.append(words.say("{portion} was destroyed in outputs that nobody can spend", portion=portion))
    return found or [words.say("nothing is marked any more: it went to fees, which poison leaves unmarked")]


def _where(portion: str, lead: Lead, words: Words) -> str:
    end = lead.end
    if end["kind"] == "held":
        said = {"portion": portion, "address": end["address"], "moved": _moved(lead, words)}
        if not end["hops"]:
            said["moved"] = words.say("not moved since {time}", time=end["last_moved"])
        if lead.stated is None:
            return words.say("{portion} sits unspent at {address}, {moved}", **said)
        return words.say(
            "{portion} sits unspent (so said as of height {height}) at {address}, {moved}", height=lead.stated, **said
        )
    service = lead.service or {}
    freezers = [entry["name"] for entry in end["freezable_by"]] or service["freezable_by"]
    freeze = (
        words.say("{name} can freeze it", name=freezers[0])
        if freezers
        else words.say("who can freeze it is not in the directory")
    )
    place = _place(end, service, words)
    said = {"portion": portion, "place": place, "moved": _moved(lead, words), "freeze": freeze}
    if lead.still:
        return words.say("{portion} sits at {place}, {moved}; {freeze}", **said)
    return words.say(
        "{portion} reached {place}, {moved}; {freeze}; whether all of it is still there was not followed", **said
    )


def _moved(lead: Lead, words: Words) -> str:
    if lead.most_hops == lead.hops:
        return words.count(
            "{number} hop on, last moved {time}", "{number} hops on, last moved {time}", lead.hops, time=lead.last_moved
        )
    return words.count(
        "{least} to {number} hop on, last moved {time}",
        "{least} to {number} hops on, last moved {time}",
        lead.most_hops,
        least=lead.hops,
        time=lead.last_moved,
    )


def _place(end: Mapping[str, Any], service: Mapping[str, Any], words: Words) -> str:
    """A service and its address; of several how many, and the largest."""
    address = _address(end, words)
    if service["addresses"] == 1:
        return words.say("{service}, address {address}", service=end["service"], address=address)
    addresses = _addresses(service["addresses"], service["inherited"], words)
    return words.say(
        "{service}, {addresses}, the largest {address}", service=end["service"], addresses=addresses, address=address
    )


def _addresses(size: int, inherited: int, words: Words) -> str:
    """How many, with how many of them have the name only of other members of their clusters."""
    if not inherited:
        return words.count("{number} address", "{number} addresses", size)
    if inherited == size:
        return words.count(
            "{number} address (inferred, by its cluster, for all of them)",
            "{number} addresses (inferred, by its cluster, for all of them)",
            size,
        )
    return words.count(
        "{number} address (inferred, by its cluster, for {some} of them)",
        "{number} addresses (inferred, by its cluster, for {some} of them)",
        size,
        some=inherited,
    )


def _address(end: Mapping[str, Any], words: Words) -> str:
    """Its address, where its name is inherited from, and what else it is called: one source's word must not read like a fact."""
    address = str(end["address"])
    doubts = []
    if end["inherited"]:
        doubts.append(words.say("inferred: in one cluster with {address}", address=end["inherited"]))
    others = [tag["label"] for tag in end["tags"] if tag["label"] != end["service"]]
    if others[1:]:
        doubts.append(
            words.count(
                "also tagged {label} and {number} more",
                "also tagged {label} and {number} more",
                len(others) - 1,
                label=others[0],
            )
        )
    elif others:
        doubts.append(words.say("also tagged {label}", label=others[0]))
    return words.say("{address} ({doubt})", address=address, doubt=_joined(doubts, words)) if doubts else address


def _last_seen(portion: str, count: int, address: str | None, words: Words) -> str:
    if count == 1:
        return words.say(
            "{portion} was last seen at {address}, and whether it moved on is not in this data",
            portion=portion,
            address=address,
        )
    return words.count(
        "{portion} was last seen at {address} and {number} other address, and whether it moved on is not in this data",
        "{portion} was last seen at {address} and {number} other addresses, and whether it moved on is not in this data",
        count - 1,
        portion=portion,
        address=address,
    )


def _elsewhere(portion: str, kind: str, rest: Others, words: Words) -> str:
    if kind == "held":
        return words.count(
            "{portion} sits unspent at {number} other address",
            "{portion} sits unspent at {number} other addresses",
            rest.size,
            portion=portion,
        )
    return words.say("{portion} sits at {services}", portion=portion, services=_named(rest, words))


def _named(rest: Others, words: Words) -> str:
    if rest.size > 2:
        return words.count("{number} other service", "{number} other services", rest.size)
    names = sorted(in_few_words(entry, words) for entry in rest.entries)
    return names[0] if len(names) == 1 else words.say("{first} and {second}", first=names[0], second=names[1])


def _portion(body: Mapping[str, Any], amount: int) -> str:
    if not body["conserved"]:
        return f"{btc(amount)} {coin_of(body)}"
    return f"{percent(amount, body['seed_amount'])} ({btc(amount)} {coin_of(body)})"


def _gap(body: Mapping[str, Any], amount: int, gaps: tuple[int, str], words: Words) -> str:
    count, txid = gaps[0], f"{gaps[1][:16]}..."
    if count == 1:
        named = words.say("(transaction {txid})", txid=txid)
    else:
        named = words.count(
            "(transaction {txid}) and {number} more", "(transaction {txid}) and {number} more", count - 1, txid=txid
        )
    return words.say(_NAMED_GAP[body["direction"]], portion=_portion(body, amount), transactions=named)
