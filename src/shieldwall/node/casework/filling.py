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
from shieldwall.cases.finding import FINDING, Finding
from shieldwall.cases.recipients import Profile
from shieldwall.cases.request import Request, RequestKind
from shieldwall.errors import NotFound
from shieldwall.model.access import Identity, joint
from shieldwall.node.casework.opening import incident_of
from shieldwall.node.casework.references import profiles_of, sender_of
from shieldwall.store.claims import Kept
from shieldwall.trace.coin import coin_of

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.node.sheets.frozen import Frozen
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
    """The request, with what is known, marked as strictly as all that it is made of.

    Raises:
        NotFound: No such case, trace of it, or end.
    """
    with node.store.look(identity, act, case=case_id) as work:
        return fill_in(node, work, work.cases.get(case_id), asked)


def fill_in(node: Node, work: Work, case: Case, asked: Filling) -> Request:
    """The same within an act."""
    incident, incident_id = incident_of(work, case.id)
    trace, end = _end(node, work, case.id, asked)
    freezer, profile = _whom(node, asked, end)
    told = work.claims.of_case(case.id, [EVENT.name], most=_MOST_EVENTS)
    events = [(str(kept.claim.statement["when"]), str(kept.claim.statement["text"])) for kept in told]
    findings = work.claims.of_case(case.id, [FINDING.name], most=_MOST_EVENTS)
    judged = [kept for kept in findings if kept.claim.statement.get("confidence")]
    sources = [*told, *judged, *([work.claims.get(incident_id)] if incident_id else [])]
    strictest = joint(
        case.handling, *(kept.handling for kept in sources), *([] if trace is None else [trace.file.handling])
    )
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
        "marking": strictest.marking,
        "claims": tuple(kept.id for kept in sources),
        "confidence": " ".join(Finding.of(kept.claim.layer, kept.claim.statement).sentence for kept in judged)[:4000],
        "chronology": tuple(sorted(events)),
    }
    if trace is None or end is None:
        return Request(**common)
    body = trace.body
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
            "alternatives": (*ALTERNATIVES, *_others(judged)),
            "trace_digest": body["digest"],
            "exercise": body["network"] in _EXERCISE,
        }
    )


def _end(node: Node, work: Work, case_id: str, asked: Filling) -> tuple[Frozen | None, Mapping[str, Any] | None]:
    if not asked.trace:
        return None, None
    found = node.frozen.open(work, asked.trace)
    if found.file.handling.case != case_id:
        raise NotFound("there is no such trace in this case", hint="put it into the case first")
    for end in found.body["ends"]:
        if end["rank"] == asked.rank:
            return found, end
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


def _others(findings: Sequence[Kept]) -> tuple[str, ...]:
    """The other explanations that the findings themselves give."""
    found = [str(text) for kept in findings for text in kept.claim.statement.get("alternatives", ())]
    return tuple(dict.fromkeys(found))[:20]
