"""Traces of a case: when one is made or put there, its transfers enter the timeline, and what it touches lets cases meet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shieldwall.errors import BadInput
from shieldwall.model.access import Identity
from shieldwall.model.claim import Subject
from shieldwall.model.moment import unix
from shieldwall.model.network import by_name
from shieldwall.store.approvals import Remarking
from shieldwall.store.files import File
from shieldwall.store.timeline import NewEntry
from shieldwall.trace.coin import coin_of

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.work import Work

_SECOND = 1_000_000
MOST_TRANSFERS = 1000
"""Steps of the ways of a trace that its timeline tells one by one; the rest is counted."""


def put_trace(node: Node, identity: Identity, act: str, case_id: str, file_id: str) -> None:
    """Put a trace of one's own into a case; it is handled as strictly as before, and by its members alone.

    Raises:
        BadInput: It is in a case already.
        NotFound: No such trace or case.
        NotAllowed: It is another person's.
        Conflict: The case is closed.
    """
    with node.store.act(identity, act, case=case_id, file=file_id) as work:
        case = work.cases.get(case_id)
        found = node.frozen.open(work, file_id)
        before = found.file.handling
        if before.case is not None:
            raise BadInput("that trace is in a case already")
        marking, pap = max(before.marking, case.handling.marking), max(before.pap, case.handling.pap)
        work.approvals.remark(Remarking(thing="file", id=file_id, marking=marking, pap=pap, case=case_id))
        note_trace(work, work.files.get(file_id), found.body)


def note_trace(work: Work, file: File, body: Mapping[str, Any]) -> None:
    """Enter a trace of a case into its timeline, within an act."""
    case_id = file.handling.case
    if case_id is None:
        return
    chain, coin = by_name(body["network"]).caip2, coin_of(dict(body))
    steps = {(step["txid"], step["index"]): step for path in body["paths"] for step in path["steps"]}
    refs = {f"{case_id}:{txid}:{index}": step for (txid, index), step in steps.items()}
    new = [ref for ref in refs if ref not in work.timeline.there(case_id, "transfer", list(refs))]
    entries = [
        NewEntry(
            kind="transfer",
            ref=ref,
            happened_at=unix(refs[ref]["time"]) * _SECOND,
            body={
                "txid": refs[ref]["txid"],
                "index": refs[ref]["index"],
                "address": refs[ref]["address"] or "",
                "amount": refs[ref]["amount"],
                "coin": coin,
                "chain": chain,
                "height": refs[ref]["height"],
                "proof": refs[ref]["proof"],
                "trace": file.id,
            },
        )
        for ref in new[:MOST_TRANSFERS]
    ]
    told: dict[str, Any] = {"text": body["sentence"], "digest": body["digest"], "tip_height": body["tip_height"]}
    if len(new) > MOST_TRANSFERS:
        told["more"] = len(new) - MOST_TRANSFERS
    entries.append(NewEntry(kind="trace", ref=file.id, body=told))
    work.timeline.add(entries, file.handling)
    work.cases.mark(
        case_id, (work.claims.subject_key(subject) for subject in touched(body, chain)), file.handling.marking
    )
    work.note(transfers=len(entries) - 1)


def touched(body: Mapping[str, Any], chain: str) -> set[Subject]:
    """Transactions, addresses and clusters that a trace touches; services apart, which every second trace comes to."""
    found = {Subject("transaction", chain, transfer["txid"]) for transfer in body["transfers"]}
    services = {end["address"] for end in body["ends"] if end["kind"] == "service"}
    for transfer in body["transfers"]:
        for part in (*transfer["inputs"], *transfer["outputs"]):
            if part["address"] and part["address"] not in services:
                found.add(Subject("address", chain, part["address"]))
    for target in body["targets"]:
        if target["found"] and target["kind"] == "address":
            found.add(Subject("address", chain, target["identity"]))
    for cluster in (body.get("clusters") or {}).get("ends", []):
        if not cluster["service"]:
            found.add(Subject("cluster", chain, cluster["named_after"]))
    return found
