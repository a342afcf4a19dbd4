"""Red flags of virtual assets (FATF, September 2020), by family: what the traces of a case can answer, and what nobody can tell.

A flag is no proof, and "not seen" is not "clean": it says what was looked at. Each answer names what it was read from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shieldwall.errors import UsageError
from shieldwall.model.moment import unix
from shieldwall.model.words import message

SEEN, NOT_SEEN, UNKNOWN = "seen", "not seen", "cannot be told"

SOURCE = "FATF, Virtual Assets Red Flag Indicators of Money Laundering and Terrorist Financing, September 2020"

_QUICK = 24 * 3600  # seconds between arrival and leaving
_SAME = 3  # payments of one amount
_PEEL = 3  # hops in a row with one input and two outputs
_FAN = 5  # inputs or outputs
_MIXING = ("mixing_service", "mixer", "coinjoin", "tumbler")
_BAD = ("sanction", "ransomware", "darknet", "terrorism", "scam", "hack", "extortion", "fraud")


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag.

    Attributes:
        family: One of `FAMILIES`.
        question: What is asked; a message.
        answer: SEEN, NOT_SEEN or UNKNOWN.
        found: What was seen, in values: txids, addresses, counts.
        looked_at: What it was read from; a message.
    """

    family: str
    question: str
    answer: str
    found: tuple[str, ...]
    looked_at: str


FAMILIES: dict[str, str] = {
    "transactions": message("Size and frequency of transactions"),
    "patterns": message("Patterns of transactions"),
    "anonymity": message("Anonymity"),
    "parties": message("Senders and recipients"),
    "source": message("Source of funds or wealth"),
    "geography": message("Geography"),
}
"""The six families; a message each."""


def red_flags(traces: Sequence[Mapping[str, Any]]) -> list[Flag]:
    """The flags that traces of a case can answer, by family, each family at least once.

    Args:
        traces: Bodies of trace results.
    """
    transfers = [transfer for trace in traces for transfer in trace["transfers"]]
    ends = [end for trace in traces for end in trace["ends"]]
    sources = [end for trace in traces if trace["direction"] == "backward" for end in trace["ends"]]
    passed = message("transfers of the traces")
    tagged = message("tags of the ends of the traces")
    back = message("tags of the ends of traces that go back")
    listed = message("directory of who can freeze")
    blind, no_tags = not transfers, not _all_tagged(ends)
    no_place = not ends or not all(end["freezable_by"] for end in ends)
    return [
        _flag("transactions", message("Are several payments of exactly the same amount?"), _equal(transfers), passed, blind),
        _flag("transactions", message("Did money move on within a day of its arrival?"), _quick(transfers), passed, blind),
        _flag("patterns", message("Is there a peel chain?"), _peel(transfers), passed, blind),
        _flag("patterns", message("Is money brought together, or spread to many?"), _fan(transfers), passed, blind),
        _flag("anonymity", message("Did it reach a service that mixes?"), _tags(ends, _MIXING), tagged, no_tags),
        _flag("anonymity", message("Did it go where amounts and holders are hidden?"), _hidden(traces), passed, blind),
        _flag("parties", message("Is a recipient tagged with a crime or a sanction?"), _tags(ends, _BAD), tagged, no_tags),
        _flag("source", message("Is its source tagged with a crime?"), _tags(sources, _BAD), back, not _all_tagged(sources)),
        _flag("geography", message("Did it reach services in several countries?"), _countries(ends), listed, no_place),
    ]  # fmt: skip


def _flag(family: str, question: str, found: Sequence[str], looked_at: str, blind: bool) -> Flag:
    answer = SEEN if found else UNKNOWN if blind else NOT_SEEN
    return Flag(family, question, answer, tuple(found[:20]), looked_at)


def _equal(transfers: Sequence[Mapping[str, Any]]) -> list[str]:
    amounts = Counter(output["amount"] for transfer in transfers for output in transfer["outputs"])
    return [f"{count} x {amount}" for amount, count in sorted(amounts.items()) if count >= _SAME]


def _quick(transfers: Sequence[Mapping[str, Any]]) -> list[str]:
    arrived = {
        (transfer["txid"], output["index"]): _time(transfer) for transfer in transfers for output in transfer["outputs"]
    }
    found = []
    for transfer in transfers:
        left = _time(transfer)
        for each in transfer["inputs"]:
            came = arrived.get((each["txid"], each["index"]))
            if came is not None and left is not None and 0 <= left - came <= _QUICK:
                found.append(str(transfer["txid"]))
                break
    return found


def _peel(transfers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Transactions at the end of a chain of `_PEEL` or more with one tainted input and two outputs."""
    length: dict[str, int] = {}
    found = []
    for transfer in transfers:
        if len(transfer["inputs"]) == 1 and len(transfer["outputs"]) == 2:
            before = length.get(transfer["inputs"][0]["txid"], 0)
            length[transfer["txid"]] = before + 1
            if before + 1 >= _PEEL:
                found.append(str(transfer["txid"]))
    return found


def _fan(transfers: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(each["txid"]) for each in transfers if len(each["inputs"]) >= _FAN or len(each["outputs"]) >= _FAN]


def _hidden(traces: Sequence[Mapping[str, Any]]) -> list[str]:
    return [f"{trace['mweb_amount']} mweb" for trace in traces if trace.get("mweb_amount")]


def _tags(ends: Sequence[Mapping[str, Any]], words: Sequence[str]) -> list[str]:
    found = []
    for end in ends:
        for tag in end["tags"]:
            told = f"{tag.get('category') or ''} {tag.get('abuse') or ''}".casefold()
            if any(word in told for word in words):
                found.append(f"{end['address']}: {tag['label']}")
    return list(dict.fromkeys(found))


def _all_tagged(ends: Sequence[Mapping[str, Any]]) -> bool:
    """Whether somebody says something of every end: of one without a tag nobody can say what it is not."""
    return bool(ends) and all(end["tags"] for end in ends)


def _countries(ends: Sequence[Mapping[str, Any]]) -> list[str]:
    found = _places(ends)
    return found if len(found) > 1 else []


def _places(ends: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({str(each["country"]) for end in ends for each in end["freezable_by"] if each["country"]})


def _time(transfer: Mapping[str, Any]) -> int | None:
    try:
        return unix(transfer["time"])
    except (UsageError, TypeError):
        return None
