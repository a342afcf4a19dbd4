"""Fill in a request with what is known: of the case, its incident, its events, and an end of one of its traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shieldwall.cases.drafting import (
    ALTERNATIVES,
    assets_of,
    chronology_of,
    method_of,
    narrative_of,
    recipient_of,
    ways_to,
)
from shieldwall.cases.event import EVENT
from shieldwall.cases.finding import FINDING
from shieldwall.cases.recipients import Profile
from shieldwall.cases.request import Request, RequestKind
from shieldwall.errors import NotFound
from shieldwall.model.access import Identity
from shieldwall.node.casework.opening import incident_of
from shieldwall.node.casework.references import profiles_of, sender_of
from shieldwall.trace.coin import coin_of

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.cases import Case
    from shieldwall.store.work import Work

_MOST_EVENTS = 60
_EXERCISE = ("regtest", "litecoin-regtest")
RELIEF: dict[RequestKind, str] = {
    RequestKind.PRESERVE: "Preserve all data on the accounts and transactions below, without disclosing it.",
    RequestKind.FREEZE: "Hold the outputs below, and whatever is credited for them, so that it cannot be withdrawn or traded.",
    RequestKind.DISCLOSE: "Disclose who holds the accounts to which the addresses below belong, with the data named.",
    RequestKind.INFORM: "For your information; nothing is asked.",
    RequestKind.TAKE_DOWN: "Take what is named below off the network.",
}
"""What is asked by default, in English; whoever writes the request may say it better."""

_DATA: dict[RequestKind, str] = {
    RequestKind.PRESERVE: "Account data, identity documents, log-ins with IP addresses and times, deposits and withdrawals.",
    RequestKind.DISCLOSE: "Name, address, identity documents, log-ins with IP addresses and times, deposits and withdrawals.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """What a request is about.

    Attributes:
        kind: What is asked for.
        trace: Id of a trace of the case; "" for none.
        rank: Of the end of that trace.
        recipient: Id of a profile, or of an entry of the directory; "" for whoever can freeze at that end.
        legal: Id of a legal profile; "" for none.
    """

    kind: RequestKind
    trace: str = ""
    rank: int = 1
    recipient: str = ""
    legal: str = ""


def fill(node: Node, identity: Identity, act: str, case_id: str, asked: Filling) -> Request:
    """The request, with what is known.

    Raises:
        NotFound: No such case, trace of it, or end.
    """
    with node.store.look(identity, act, case=case_id) as work:
        return fill_in(node, work, work.cases.get(case_id), asked)


def fill_in(node: Node, work: Work, case: Case, asked: Filling) -> Request:
    """The same within an act."""
    incident, _ = incident_of(work, case.id)
    body, end = _end(node, work, case.id, asked)
    freezer, profile = _whom(node, asked, end)
    events = [
        (str(kept.claim.statement["when"]), str(kept.claim.statement["text"]))
        for kept in work.claims.of_case(case.id, [EVENT.name], most=_MOST_EVENTS)
    ]
    findings = work.claims.of_case(case.id, [FINDING.name], most=_MOST_EVENTS)
    common: dict[str, Any] = {
        "kind": asked.kind,
        "case_number": case.number,
        "sender": sender_of(node),
        "recipient": recipient_of(freezer, profile, node.directory.dated),
        "legal": asked.legal,
        "relief": RELIEF[asked.kind],
        "data": _DATA.get(asked.kind, ""),
        "victim": incident.get("victim", ""),
        "suspect": incident.get("group", ""),
        "narrative": incident.get("what", ""),
        "marking": case.handling.marking,
        "claims": tuple(kept.id for kept in findings),
        "confidence": _confidence([kept.claim.statement for kept in findings]),
        "chronology": tuple(sorted(events)),
    }
    if body is None or end is None:
        return Request(**common)
    coin, ways = coin_of(dict(body)), ways_to(body, end)
    backward = body["direction"] == "backward"
    with node.chain(body["network"]) as chain:
        assets = assets_of(chain, end, backward=backward)
    return Request(
        **{
            **common,
            "narrative": narrative_of(body, end, incident.get("what", ""), coin),
            "chronology": chronology_of(events, ways, coin),
            "assets": assets,
            "paths": ways,
            "method": method_of(body),
            "alternatives": ALTERNATIVES,
            "trace_digest": body["digest"],
            "exercise": body["network"] in _EXERCISE,
        }
    )


def _end(
    node: Node, work: Work, case_id: str, asked: Filling
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    if not asked.trace:
        return None, None
    found = node.frozen.open(work, asked.trace)
    if found.file.handling.case != case_id:
        raise NotFound("there is no such trace in this case", hint="put it into the case first")
    for end in found.body["ends"]:
        if end["rank"] == asked.rank:
            return found.body, end
    raise NotFound("that trace has no such end")


def _whom(node: Node, asked: Filling, end: Mapping[str, Any] | None) -> tuple[Mapping[str, Any] | None, Profile | None]:
    """The entry of the directory and the profile of whoever is asked."""
    profiles = profiles_of(node)
    freezers: Sequence[Mapping[str, Any]] = () if end is None else end["freezable_by"]
    if asked.recipient:
        profile = profiles.get(asked.recipient)
        wanted = profile.entry if profile is not None and profile.entry else asked.recipient
        entry = next((each.as_dict() for each in node.directory.entries if each.id == wanted), None)
        return entry, profile or (profiles.of_entry(wanted, entry["role"]) if entry else None)
    if freezers:
        return freezers[0], profiles.of_entry(freezers[0]["id"], freezers[0]["role"])
    return None, None


def _confidence(statements: Sequence[Mapping[str, Any]]) -> str:
    """What the findings of the case say of their grounds."""
    told = [
        f"{said['confidence'].capitalize()} confidence: {said['text']}" for said in statements if said.get("confidence")
    ]
    return " ".join(told)[:2000]
