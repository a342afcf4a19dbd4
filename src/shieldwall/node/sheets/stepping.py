"""Do a step on a sheet, take the last one back, do it again.

A step that says something is one act with its claim; a tag and a watch are made first, each in an act of its own, so that a
stop in between leaves something said or watched which no sheet takes back, and never a step that says what is not there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shieldwall.errors import BadInput, Conflict, NotFound, UsageError
from shieldwall.intel.tag import CONFIDENCE, category_of, statement
from shieldwall.intel.tag import TAG as TAG_KIND
from shieldwall.model.access import Identity, Permission
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.moment import utc
from shieldwall.model.network import by_name
from shieldwall.model.transaction import internal
from shieldwall.node.sheets.asking import NOTE, OVERRULE, STEPS, TAG, WATCH, Asked, arranging, subject_of
from shieldwall.node.sheets.claimed import NOTE as NOTE_KIND
from shieldwall.node.sheets.sheet import Sheet, open_sheet
from shieldwall.store.files import File
from shieldwall.store.sheets import Step, StepState
from shieldwall.trace.change.overrule import check_output, overrule_of

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.work import Work

SAID_HERE = "said-here"
"""The tag set that a person's own tags go into, so that the traces to come know them."""

SAID_BY = "said by"
"""What the source of such a tag begins with."""

REPLACES = "replaces"
"""In a step: the number of the one whose tag or overrule it stands in the place of."""

_ONCE_MORE = ", said again: "
LONGEST = 4000  # characters of a note or reason


def do(node: Node, identity: Identity, act: str, file_id: str, asked: Asked) -> Step:
    """Do a step.

    Args:
        node: The node.
        identity: Whose sheet it is.
        act: What the audit log calls it.
        file_id: The trace.
        asked: The step.

    Raises:
        NotFound: No such trace, box or transaction.
        NotAllowed: They may only read, and the step says something to others.
        BadInput: The step does not fit.
        Conflict: There is nothing to open or fold.
    """
    if asked.kind not in STEPS:
        raise UsageError(f"no step is called {asked.kind[:40]!r}", hint=f"use one of {', '.join(STEPS)}")
    sheet = open_sheet(node, identity, act, file_id)
    if asked.kind == WATCH:
        body = _watch(node, identity, sheet, asked)
    elif asked.kind == TAG:
        body = _tag(node, identity, sheet, asked)
    elif asked.kind in (NOTE, OVERRULE):
        return _say(node, identity, act, sheet, asked)
    else:
        body = arranging(asked, sheet.columns, sheet.arrangement)
    with node.store.act(identity, act, file=file_id, kind=asked.kind) as work:
        if asked.kind == TAG:
            body = _instead(work, sheet, body)
        return work.sheets.add(file_id, body)


def undo(node: Node, identity: Identity, act: str, file_id: str, *, number: int | None = None) -> Step:
    """Take the last step back: what it said is retracted, what it watched is watched no more, what it replaced is said again.

    Args:
        node: The node.
        identity: Whose sheet it is.
        act: What the audit log calls it.
        file_id: The trace.
        number: Of the step that is meant; None for whichever is the last.

    Raises:
        NotFound: No such trace.
        Conflict: Nothing is left to take back, or another step was done since.
    """
    with node.store.look(identity, act, file=file_id) as work:
        step, file = work.sheets.last_done(file_id), work.files.get(file_id)
        _must_be(step, number)
        before = _replaced(work, file_id, step)
    back = None if before is None else _again(node, before.body)
    if back is not None and back["kind"] == TAG:
        _say_tag(node, identity, file, Claim.from_dict(back["said"]))
    with node.store.act(identity, act, file=file_id) as work:
        _must_be(work.sheets.last_done(file_id), step.number)
        if before is not None and back is not None:
            if back["kind"] == OVERRULE:
                _add(work, file, Claim.from_dict(back["said"]))
            work.sheets.mark(file_id, before, StepState.DONE, back)
        _take_back(work, step)
        return work.sheets.mark(file_id, step, StepState.UNDONE)


def redo(node: Node, identity: Identity, act: str, file_id: str) -> Step:
    """Do the step again that was taken back last.

    Raises:
        NotFound: No such trace.
        Conflict: Nothing was taken back.
    """
    with node.store.look(identity, act, file=file_id) as work:
        step, file = work.sheets.first_undone(file_id), work.files.get(file_id)
    body = dict(step.body)
    if body["kind"] == WATCH:
        body |= _set_watch(node, identity, file, body["address"])
    elif body["kind"] == TAG:
        body = _again(node, body)
        _say_tag(node, identity, file, Claim.from_dict(body["said"]))
    with node.store.act(identity, act, file=file_id) as work:
        before = _replaced(work, file_id, step)
        if before is not None:
            _take_back(work, before, "replaced by who said it")
        if body["kind"] in (NOTE, OVERRULE):
            body = _again(node, body)
            _add(work, file, Claim.from_dict(body["said"]))
        return work.sheets.mark(file_id, step, StepState.DONE, body)


def _must_be(step: Step, number: int | None) -> None:
    if number is not None and number != step.number:
        raise Conflict("another step was done meanwhile, perhaps in another window", hint="load this page again")


def _take_back(work: Work, step: Step, why: str = "taken back by who said it") -> None:
    claim, watch = step.body.get("claim"), step.body.get("watch")
    # somebody else took it back, or it is out of sight: the step goes all the same
    with contextlib.suppress(Conflict, NotFound):
        if claim:
            work.claims.retract(str(claim), why)
    with contextlib.suppress(Conflict, NotFound):
        if watch:
            work.watches.stop(str(watch))


def _instead(work: Work, sheet: Sheet, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """A step that says something, with the one in whose place it stands, which said another thing of the same before."""
    subject = body["said"]["subject"]
    for step in reversed(sheet.steps):
        same = step.body["kind"] == body["kind"] and step.body["said"]["subject"] == subject
        if step.state is StepState.DONE and same:
            with contextlib.suppress(Conflict, NotFound):  # it stands no more: nothing is replaced
                work.claims.retract(step.body["claim"], "replaced by who said it")
                return {**body, REPLACES: step.number}
            break
    return body


def _replaced(work: Work, file_id: str, step: Step) -> Step | None:
    """The step in whose place one stands."""
    number = step.body.get(REPLACES)
    return next((each for each in work.sheets.steps(file_id) if each.number == number), None)


def _say(node: Node, identity: Identity, act: str, sheet: Sheet, asked: Asked) -> Step:
    file = sheet.trace.file
    kind, name = subject_of(asked, sheet.columns)
    subject = Subject(kind, sheet.chain, name)
    text = asked.text.strip()
    if not text or len(text) > LONGEST:
        raise BadInput(f"a text of 1 to {LONGEST:,} characters is needed")
    with node.store.act(identity, act, file=file.id, kind=asked.kind) as work:
        at, place = utc(work.now // 1_000_000), _place(work, file.id)
        if asked.kind == OVERRULE:
            claim = _overrule(node, identity, sheet, name, asked, at)
            claim = replace(claim, source=f"{claim.source}, {place}")
        else:
            source = f"noted, {place}"
            claim = _claim(identity, subject, NOTE_KIND.name, {"text": text}, Layer.INFERENCE, source, at)
        claim = replace(claim, marking=file.handling.marking, pap=file.handling.pap)
        _add(work, file, claim)
        body: Mapping[str, Any] = {"kind": asked.kind, "key": asked.key, "claim": claim.id, "said": claim.as_dict()}
        return work.sheets.add(file.id, _instead(work, sheet, body) if asked.kind == OVERRULE else body)


def _place(work: Work, file_id: str) -> str:
    """Where a step is said that is done next, as the end of a source: each step has one of its own, so that nothing that it says
    replaces what another one said."""
    return f"step {work.sheets.next_number(file_id)} on trace {file_id}"


def _overrule(node: Node, identity: Identity, sheet: Sheet, txid: str, asked: Asked, at: str) -> Claim:
    network = by_name(sheet.body["network"])
    with node.chain(network.name) as chain:
        number = chain.find_transaction(internal(txid))
        if number is None:
            raise NotFound("that transaction is not in this node's chain store")
        check_output(chain, number, asked.value)
    return overrule_of(network, txid, asked.value, why=asked.text, by=identity.name, at=at).claim


def _tag(node: Node, identity: Identity, sheet: Sheet, asked: Asked) -> Mapping[str, Any]:
    label = " ".join(asked.label.split())
    if not label or len(label) > 200:
        raise BadInput("a tag needs a label of 1 to 200 characters")
    kind, name = subject_of(asked, sheet.columns)
    if kind != "address":
        raise BadInput("a tag is on an address", hint="make a note on the transaction")
    file = sheet.trace.file
    said = statement(label=label, category=category_of(asked.category), tag_type="actor")
    with node.store.inside(identity) as work:
        place = _place(work, file.id)
    claim = _claim(
        identity,
        Subject(kind, sheet.chain, name),
        TAG_KIND.name,
        said,
        Layer.ATTRIBUTION,
        f"{SAID_BY} {identity.name} on this node, {place}",
        utc(node.store.now() // 1_000_000),
    )
    claim = replace(
        claim, confidence=CONFIDENCE["forensic_investigation"], marking=file.handling.marking, pap=file.handling.pap
    )
    _say_tag(node, identity, file, claim)
    return {"kind": TAG, "key": asked.key, "claim": claim.id, "said": claim.as_dict()}


def _say_tag(node: Node, identity: Identity, file: File, claim: Claim) -> None:
    node.tag_sets(identity, case=file.handling.case, group=file.handling.group).say(SAID_HERE, claim)


def _watch(node: Node, identity: Identity, sheet: Sheet, asked: Asked) -> Mapping[str, Any]:
    kind, name = subject_of(asked, sheet.columns)
    if kind != "address":
        raise BadInput("an address is watched, not a transaction")
    return {"kind": WATCH, "key": asked.key, "address": name, **_set_watch(node, identity, sheet.trace.file, name)}


def _set_watch(node: Node, identity: Identity, file: File, address: str) -> dict[str, Any]:
    handling = replace(file.handling, owner=identity.person)
    watch = node.watcher.add(identity, "address", {"address": address}, handling, note=f"from {file.name}")
    return {"watch": watch.id}


def _claim(
    identity: Identity, subject: Subject, kind: str, said: Mapping[str, Any], layer: Layer, source: str, at: str
) -> Claim:
    return Claim(subject=subject, kind=kind, statement=said, layer=layer, source=source, made_by=identity.name, at=at)


def _add(work: Work, file: File, claim: Claim) -> None:
    work.must(Permission.WRITE)
    work.claims.add([claim], case=file.handling.case, group=file.handling.group)
    work.note(claim=claim.id)


def _again(node: Node, body: Mapping[str, Any]) -> dict[str, Any]:
    """A step whose claim is said anew, as another one: what was retracted stays so."""
    said, times = Claim.from_dict(body["said"], "a step of a sheet"), int(body.get("again", 0)) + 1
    source = f"{said.source.partition(_ONCE_MORE)[0]}{_ONCE_MORE}{times}"
    claim = replace(said, at=utc(node.store.now() // 1_000_000), source=source)
    return {**body, "claim": claim.id, "said": claim.as_dict(), "again": times}
