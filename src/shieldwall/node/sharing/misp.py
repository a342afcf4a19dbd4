"""MISP in and out: events, feeds and galaxies as files, and another MISP by its REST interface.

What cannot be said in STIX stays in the event that the report carries, and is told. Bytes of attachments are never taken.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shieldwall.errors import BadText, UsageError
from shieldwall.model.access import Identity
from shieldwall.model.strictjson import parse_json
from shieldwall.node.outbound import Answer, Unreachable
from shieldwall.node.sharing.intake import IntakeRules, TakenBundle, take_parts
from shieldwall.sharing.misp.event import events_in, is_event, read_event
from shieldwall.sharing.misp.galaxies import galaxy_objects, is_galaxy
from shieldwall.sharing.misp.writing import moment_of
from shieldwall.sharing.stix.object import StixObject, object_of

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.node.sharing.pulling import Ask
    from shieldwall.store.work import Work

MOST_BYTES = 256 << 20
"""How large one file of MISP may be, attachments and all."""

PAGE = 50
"""Events that are asked for at once."""

_MOST_PAGES = 100_000
_JSON = {"Accept": "application/json", "Content-Type": "application/json"}


def may_be_misp(head: bytes) -> bool:
    """Whether a file that begins so is worth reading as a whole: what is plainly a bundle of STIX is read as a stream."""
    plain = head.lstrip()
    return plain[:1] in (b"{", b"[") and not any(
        word in plain for word in (b'"bundle"', b'"objects"', b'"spec_version"')
    )


def is_misp(raw: bytes) -> bool:
    """Whether a file looks like one of MISP: an event, several of them, or the clusters of a galaxy."""
    if not may_be_misp(raw[:4096]):
        return False
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return is_event(value) or is_galaxy(value)


def take_misp(
    node: Node,
    identity: Identity,
    act: str,
    raw: bytes,
    place: str,
    rules: IntakeRules | None = None,
    *,
    noting: Callable[[Work], None] = lambda _: None,
) -> TakenBundle:
    """Take in what MISP writes: an event, a list or answer of events, or the file of a galaxy.

    Each event goes in as a whole or not at all; of several one that cannot be read is told, and the others are taken.

    Args:
        node: Where.
        identity: Whoever brings it.
        act: As the audit log calls it.
        raw: Its bytes.
        place: Its name, for errors.
        rules: How what carries no marking is handled.
        noting: What else belongs to the same act.

    Raises:
        BadText: It is no such thing, or nothing of it can be read.
        NotAllowed, NotFound: Whoever brings it may not put it there.
    """
    if len(raw) > MOST_BYTES:
        raise BadText(f"{place}: larger than {MOST_BYTES:,} bytes")
    rules, report = rules or IntakeRules(), TakenBundle()
    value = parse_json(raw, place, floats=True)
    if is_galaxy(value):
        objects = [_thing(body, place) for body in galaxy_objects(value, place)]
        return take_parts(node, identity, act, [(rules, objects)], report=report, noting=noting)
    parts: dict[IntakeRules, list[StixObject]] = {}
    events, taken = events_in(value, place), 0
    for event in events:
        try:
            found = read_event(event, place)
        except BadText as error:
            if len(events) == 1:
                raise
            report.refusals += 1  # the others are worth having
            report.tell(error.message)
            continue
        taken += 1
        for said, body in found.objects:
            stated = said.marking is not None
            part = replace(
                rules,
                marking=rules.marking if said.marking is None else said.marking,
                pap=rules.pap if said.pap is None else said.pap,
                stated=stated,
            )
            parts.setdefault(part, []).append(_thing(body, place))
        for what, number in sorted(found.only_in_event.items()):
            report.tell(f"event {found.uuid}: {number} × {what} stays in the event alone")
        for sentence in found.left_out:
            report.tell(f"event {found.uuid}: left out: {sentence}")
    if events and not taken:
        raise BadText(f"{place}: none of its {len(events)} events can be read", hint=report.told[0])
    return take_parts(node, identity, act, list(parts.items()), report=report, noting=noting)


def pull_events(ask: Ask, url: str, *, since: int) -> Iterator[tuple[bytes, int]]:
    """Events of another MISP that were changed since, page by page: the bytes of each answer, and its latest change (seconds).

    Args:
        ask: Sends a request.
        url: Of the MISP, as in https://HOST/.
        since: Seconds of Unix time; those of that very second are given again.

    Raises:
        Unreachable: It does not answer as MISP does.
    """
    base, before = base_url(url), b""
    for page in range(1, _MOST_PAGES):
        asked = {"returnFormat": "json", "limit": PAGE, "page": page} | ({"timestamp": since} if since else {})
        answer = ask("POST", f"{base}/events/restSearch", json.dumps(asked).encode(), _JSON)
        _must_be_well(answer)
        try:
            events = events_in(parse_json(answer.body, "the server's answer", floats=True), "the server's answer")
        except BadText as error:
            raise Unreachable(error.message) from None
        if not events:
            return
        if answer.body == before:
            raise Unreachable("the server gives the same page again and again")
        before = answer.body
        yield answer.body, max(moment_of(event) for event in events)
        if len(events) < PAGE:
            return


def push_events(ask: Ask, url: str, events: Sequence[Mapping[str, Any]]) -> list[str]:
    """Add events to another MISP, or change those that it has; returns what became of each.

    Raises:
        Unreachable: It does not take one.
    """
    base, done = base_url(url), []
    for event in events:
        body = json.dumps({"Event": event}, ensure_ascii=False).encode()
        answer = ask("POST", f"{base}/events/add", body, _JSON)
        if answer.status in (403, 409):  # it is there already
            answer = ask("POST", f"{base}/events/edit/{event['uuid']}", body, _JSON)
            done.append("changed")
        else:
            done.append("added")
        _must_be_well(answer)
    return done


def base_url(url: str) -> str:
    """The URL of a MISP without a slash at its end.

    Raises:
        UsageError: It is none.
    """
    plain = url.rstrip("/")
    if not plain.startswith("https://") or "?" in plain or "#" in plain:
        raise UsageError("that is no URL of a MISP", hint="it is https://HOST/")
    return plain


def _must_be_well(answer: Answer) -> None:
    if answer.status != 200:
        moved = ": it sends us elsewhere, which is not followed" if 300 <= answer.status < 400 else ""
        raise Unreachable(f"the server answered {answer.status}{moved}")


def _thing(body: dict[str, Any], place: str) -> StixObject:
    raw = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return object_of(body, raw, place)
