"""Open a case, out of nothing or of an intake, and keep what is told of its incident."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shieldwall.cases.groups import find as find_groups
from shieldwall.cases.incident import FIRST_HOUR, INCIDENT
from shieldwall.cases.intake import Intake
from shieldwall.cases.relation import RELATION, relation_statement
from shieldwall.errors import NotAllowed, UsageError
from shieldwall.model.access import Identity
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.marking import STRICTEST, STRICTEST_PAP, Marking, Pap
from shieldwall.model.mention import find_mentions
from shieldwall.model.moment import unix, utc
from shieldwall.model.network import MAIN
from shieldwall.node.casework.saying import case_subject, handling_in, meet_by
from shieldwall.store.timeline import NewEntry

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.cases import Case
    from shieldwall.store.work import Work

_SECOND = 1_000_000
SOURCE = "intake"
_TOLD = "as told in the intake"
_MOST_ADDRESSES = 200
_FOUND_BY = ("group", "family", "victim", "sector", "country", "note_file", "addresses", "paid_transactions", "police")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAsked:
    """A new case: what it is called, by which number, how it is handled, and who is in it."""

    title: str
    number: str = ""
    marking: Marking = STRICTEST
    pap: Pap = STRICTEST_PAP
    silent: bool = False
    people: Iterable[str] = ()
    groups: Iterable[str] = ()


def open_incident(
    node: Node, identity: Identity, act: str, intake: Intake | None, asked: CaseAsked, *, file: bytes = b""
) -> Case:
    """Open a case; of an intake the incident is kept in it, in the same act, and the file that it came in as well.

    Raises:
        NotAllowed: Whoever asks may not write, or would not see the case.
        UsageError: No title.
        NotFound: No such person or group.
    """
    with node.store.act(identity, act) as work:
        if asked.marking > identity.highest:
            raise NotAllowed("you would not see the case yourself", hint=f"you see up to {identity.highest.label}")
        case = work.cases.add(
            asked.title,
            number=asked.number,
            marking=asked.marking,
            pap=asked.pap,
            silent=asked.silent,
            people=asked.people,
            groups=asked.groups,
        )
        work.identity = replace(work.identity, cases=work.identity.cases | {case.id})  # a member from here on
        if intake is not None:
            put_incident(node, work, case, intake)
            _keep_file(work, case, file)
    return case


def change_incident(
    node: Node, identity: Identity, act: str, case_id: str, intake: Intake, *, file: bytes = b""
) -> None:
    """Keep what is told of an incident in the place of what was told before, which stays readable.

    Raises:
        NotFound: No such case.
        NotAllowed: Whoever asks may not write.
        Conflict: The case is closed.
    """
    with node.store.act(identity, act, case=case_id) as work:
        case = work.cases.get(case_id)
        put_incident(node, work, case, intake)
        _keep_file(work, case, file)


def _keep_file(work: Work, case: Case, file: bytes) -> None:
    if file:
        work.files.add("intake.json", "application/json", [file], "upload", handling_in(work, case))


def put_incident(node: Node, work: Work, case: Case, intake: Intake) -> None:
    """The same within an act."""
    for before in work.claims.of_case(case.id, [INCIDENT.name], most=100):
        work.claims.retract(before.id, "told anew")
    handling = handling_in(work, case)
    statement = dict(intake.statement)
    INCIDENT.check(statement, "intake")
    now = work.now
    claim = Claim(
        subject=case_subject(case.id),
        kind=INCIDENT.name,
        statement=statement,
        layer=Layer.OBSERVATION,
        source=f"{SOURCE} of case {case.id[:12]}, {now}",
        made_by=work.identity.name,
        at=utc(now // _SECOND),
        marking=handling.marking,
        pap=handling.pap,
    )
    told_before = bool(work.timeline.there(case.id, "incident", [case.id]))
    work.claims.add([claim], case=case.id)
    entries = [
        NewEntry(
            kind="incident", ref=claim.id, body={"told": what, "text": statement.get(text, "")[:400]}, happened_at=at
        )
        for what, text, at in _moments(statement)
    ]
    # that there was an intake stays, whatever is told anew
    told, ref = ("told anew", claim.id) if told_before else ("intake", case.id)
    body = {"told": told, "by": work.identity.name, "done": list(intake.done)}
    entries.append(NewEntry(kind="incident", ref=ref, body=body))
    work.timeline.add(entries, handling)
    relations = _relations(node, work, case, statement)
    if relations:
        work.claims.add(relations, case=case.id)
        meet_by(work, case.id, relations)
    work.cases.find_by(case.id, " ".join(_words(statement)))
    work.note(claim=claim.id, answers=len(statement))


def incident_of(work: Work, case_id: str, *, known_at: int | None = None) -> tuple[dict[str, str], str]:
    """What is told of a case's incident, and the id of that claim; nothing and "" where nobody told."""
    found = work.claims.of_case(case_id, [INCIDENT.name], most=100, known_at=known_at)
    if not found:
        return {}, ""
    return {name: str(text) for name, text in found[-1].claim.statement.items()}, found[-1].id


def done_in(work: Work, case_id: str, incident_id: str, *, known_at: int | None = None) -> list[int]:
    """Which points of the first hour were done, as whoever told of an incident says."""
    for entry in work.timeline.page(case_id, most=50, kinds=["incident"], known_at=known_at) if incident_id else ():
        if "done" in entry.body:
            return [int(each) for each in entry.body["done"]]
    return []


def _moments(statement: dict[str, str]) -> list[tuple[str, str, int]]:
    """What of an incident has a place in time: its name, the field that says more, and when."""
    found = []
    for name, more in (
        ("began", "initial_access"),
        ("found", "what"),
        ("demand_until", "demand"),
        ("paid_at", "paid_amount"),
    ):
        if statement.get(name):
            try:
                found.append((name, more, unix(statement[name]) * _SECOND))
            except UsageError:
                continue
    return found


def _relations(node: Node, work: Work, case: Case, statement: dict[str, str]) -> list[Claim]:
    """Who and what the incident names, as relations: so cases meet by address, group and malware."""
    victim = statement.get("victim", "") or case.title
    group, family = statement.get("group", ""), statement.get("family", "")
    pairs: list[tuple[Subject, str, Subject]] = []
    if group:
        pairs.append((Subject("group", "", _known(group)), "attacked", Subject("victim", "", victim)))
    if family and group:
        pairs.append((Subject("group", "", _known(group)), "uses", Subject("malware", "", _known(family))))
    elif family:
        pairs.append((Subject("malware", "", _known(family)), "attacked", Subject("victim", "", victim)))
    asked = addresses_in(node, statement.get("addresses", ""))
    pairs += [(Subject("victim", "", victim), "asked to pay to", subject) for subject in asked]
    there = {
        (kept.claim.subject, kept.claim.statement.get("relation"), kept.claim.statement.get("object"))
        for kept in work.claims.of_case(case.id, [RELATION.name], most=5000)
    }
    handling = handling_in(work, case)
    return [
        Claim(
            subject=subject,
            kind=RELATION.name,
            statement=relation_statement(relation, target.type, target.name, chain=target.chain, basis=_TOLD),
            # what a note asks for is seen; who the attackers are, and what they use, is somebody's word
            layer=Layer.OBSERVATION if relation == "asked to pay to" else Layer.ATTRIBUTION,
            source=f"{SOURCE} of case {case.id[:12]}: {relation} {target.name[:80]}",
            made_by=work.identity.name,
            at=utc(work.now // _SECOND),
            marking=handling.marking,
            pap=handling.pap,
        )
        for subject, relation, target in pairs
        if (subject, relation, target.name) not in there
    ]


def addresses_in(node: Node, text: str) -> list[Subject]:
    """The addresses that a text names, of the networks whose chains the node has, and of Bitcoin's else."""
    found: dict[str, Subject] = {}
    networks = []
    for name in node.chains.networks():
        with node.chain(name) as chain:
            networks.append(chain.network)
            for mention in find_mentions(text, chain.network).addresses():
                held = bool(chain.find_addresses([mention.name])[0] < chain.rows("holder"))
                if mention.name not in found or held:
                    found[mention.name] = Subject("address", chain.network.caip2, mention.name)
    if not networks:
        for mention in find_mentions(text, MAIN).addresses():
            found[mention.name] = Subject("address", MAIN.caip2, mention.name)
    return list(found.values())[:_MOST_ADDRESSES]


def _known(name: str) -> str:
    """A group or family by the name that the galaxy gives it, where it knows exactly one."""
    found = find_groups(name)
    return found[0].name if len(found) == 1 else name


def _words(statement: dict[str, str]) -> list[str]:
    words = [statement[name] for name in _FOUND_BY if statement.get(name)]
    for name in ("group", "family"):
        for group in find_groups(statement.get(name, ""))[:3]:
            words += [group.name, *group.aliases[:10]]
    return words


def first_hour(done: Iterable[int]) -> list[tuple[int, str, bool]]:
    """The points of the first hour, and which were done."""
    ticked = set(done)
    return [(number, text, number in ticked) for number, text in enumerate(FIRST_HOUR, 1)]
