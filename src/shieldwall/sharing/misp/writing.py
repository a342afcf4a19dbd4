"""STIX objects as a MISP event, and events as a feed of files; an event that came goes out as it came.

MISP has no place for much of what STIX says; what is left out is counted by type, never silently.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shieldwall.model.marking import Marking, Pap
from shieldwall.model.network import NETWORKS
from shieldwall.sharing.misp.event import event_in, read_event
from shieldwall.sharing.misp.tags import tags_for
from shieldwall.sharing.money import address_of
from shieldwall.sharing.stix.ids import OWN_SPACE
from shieldwall.sharing.stix.instant import stix_time
from shieldwall.sharing.values import COMPARISON, names_of, values_of

_SECOND = 1_000_000
_BESIDE = ("identity", "marking-definition", "extension-definition")  # of those who say it, and how; no saying
_BITCOIN = NETWORKS["main"].caip2
_DISTRIBUTION = {Marking.CLEAR: "3", Marking.GREEN: "1"}
"""How far MISP passes an event on; what is stricter stays with the organisation that gets it."""

_ATTRIBUTES = {
    "ip": ("ip-dst", "Network activity"),
    "domain": ("domain", "Network activity"),
    "url": ("url", "Network activity"),
    "email": ("email-src", "Payload delivery"),
    "mutex": ("mutex", "Artifacts dropped"),
    "vulnerability": ("vulnerability", "External analysis"),
}
_HASHES = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}


@dataclass(slots=True, kw_only=True)
class WrittenEvent:
    """An event that was made of objects: itself, and how many objects of which type have no place in it."""

    event: dict[str, Any]
    left_out: Counter[str] = field(default_factory=Counter)


def events_of(
    bodies: Iterable[Mapping[str, Any]], *, info: str, maker: str, marking: Marking, pap: Pap, at: int
) -> list[WrittenEvent]:
    """Objects as events: each that came as a MISP event is one again, and one more has all the rest.

    Args:
        bodies: The objects.
        info: Title of the one that is made here.
        maker: Name of who makes it.
        marking, pap: What the strictest of the objects demands.
        at: When, in microseconds.
    """
    found, rest, carried = [], [], set[str]()
    for body in bodies:
        event = event_in(body)
        if event is None:
            rest.append(body)
            continue
        found.append(WrittenEvent(event=event))
        carried |= {each["id"] for _, each in read_event(event, "report").objects}
    rest = [body for body in rest if body["id"] not in carried and body.get("type") not in _BESIDE]
    if rest:
        found.append(_made(rest, info, maker, marking, pap, at))
    return found


def _made(bodies: list[Mapping[str, Any]], info: str, maker: str, marking: Marking, pap: Pap, at: int) -> WrittenEvent:
    left: Counter[str] = Counter()
    attributes: dict[str, dict[str, Any]] = {}
    for body in bodies:
        made = list(_attributes(body))
        for each in made:
            key = f"{each['type']} {each['value']}"
            if key not in attributes or each["to_ids"]:  # an indicator says more than the observable beside it
                attributes[key] = each
        if not made:
            left[str(body.get("type"))] += 1
    named = " ".join(sorted(str(body["id"]) for body in bodies))
    seconds = str(at // _SECOND)
    return WrittenEvent(
        event={
            "uuid": str(uuid.uuid5(OWN_SPACE, f"misp {named}")),
            "info": info,
            "date": stix_time(at)[:10],
            "timestamp": seconds,
            "analysis": "2",
            "threat_level_id": "4",
            "published": False,
            "distribution": _DISTRIBUTION.get(marking, "0"),
            "Orgc": {"name": maker, "uuid": str(uuid.uuid5(OWN_SPACE, f"misp organisation {maker}"))},
            "Tag": list(tags_for(marking, pap)),
            "Attribute": [{"timestamp": seconds, "distribution": "5", **each} for each in attributes.values()],
        },
        left_out=left,
    )


def _attributes(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    kind, own = body.get("type"), str(body["id"])
    address = address_of(body)
    if address is not None:
        plain = ("btc", "Financial fraud") if address.chain == _BITCOIN else ("other", "Financial fraud")
        comment = "" if plain[0] == "btc" else f"address on {address.chain or 'an unknown chain'}"
        yield _attribute(own, *plain, address.name, comment=comment)
        return
    if kind == "blockchain-transaction":
        yield _attribute(
            own, "other", "Financial fraud", str(body.get("txid")), comment=f"transaction on {body.get('chain')}"
        )
    elif kind == "indicator":
        found = list(_of_values(body, own, detect=True))
        if found and _is_any_of(str(body.get("pattern", "")), len(found)):
            yield from found
        elif body.get("pattern_type", "stix") == "stix" and isinstance(body.get("pattern"), str):
            yield _attribute(own, "stix2-pattern", "Payload delivery", body["pattern"], detect=True)
        else:
            yield _attribute(
                own, "text", "Other", str(body.get("pattern", "")), comment=f"a pattern of {body.get('pattern_type')}"
            )
    elif kind == "note":
        yield _attribute(own, "comment", "Other", str(body.get("content", "")), comment=str(body.get("abstract", "")))
    elif kind in ("malware", "tool", "intrusion-set", "threat-actor", "campaign"):
        yield _attribute(own, "text", "Attribution", " / ".join(names_of(body)), comment=str(kind))
    else:
        yield from _of_values(body, own, detect=False)


def _is_any_of(pattern: str, values: int) -> bool:
    """Whether a pattern is nothing but values of which one is enough: only these may stand as attributes by themselves."""
    if len(COMPARISON.findall(pattern)) != values:
        return False
    return re.fullmatch(r"[\[\]()\s]*+(?:OR[\[\]()\s]*+)*+", COMPARISON.sub("", pattern)) is not None


def _of_values(body: Mapping[str, Any], own: str, *, detect: bool) -> Iterator[dict[str, Any]]:
    for place, (kind, value) in enumerate(sorted(values_of(body))):
        given = ("btc", "Financial fraud") if kind == "address" else _ATTRIBUTES.get(kind)
        if kind == "hash":
            given = (_HASHES[len(value)], "Payload delivery")
        if given is not None:
            yield _attribute(own if place == 0 else f"{own} {place}", *given, value, detect=detect)


def _attribute(
    own: str, kind: str, category: str, value: str, *, detect: bool = False, comment: str = ""
) -> dict[str, Any]:
    return {
        "uuid": str(uuid.uuid5(OWN_SPACE, f"misp attribute {own}")),
        "type": kind,
        "category": category,
        "value": value,
        "to_ids": detect,
        "comment": comment,
    }


def feed_files(events: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, bytes]]:
    """A feed as MISP reads it: a file for each event, the manifest, and the digests of the values; names and bytes."""
    manifest: dict[str, Any] = {}
    digests: list[str] = []
    for event in events:
        own = str(event["uuid"])
        yield f"{own}.json", json_of({"Event": event})
        names = ("info", "date", "analysis", "threat_level_id", "timestamp", "Orgc", "Tag")
        manifest[own] = {name: event[name] for name in names if name in event}
        for each in _values_in(event):
            digests += [
                f"{hashlib.md5(part.encode(), usedforsecurity=False).hexdigest()},{own}" for part in each.split("|")
            ]
    yield "manifest.json", json_of(manifest)
    yield "hashes.csv", "".join(f"{line}\n" for line in dict.fromkeys(digests)).encode()


def _values_in(event: Mapping[str, Any]) -> Iterator[str]:
    several = [event, *(each for each in event.get("Object", []) if isinstance(each, Mapping))]
    for part in several:
        for each in part.get("Attribute", []):
            if isinstance(each, Mapping) and isinstance(each.get("value"), str):
                yield each["value"]


def json_of(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """A value as MISP writes it to files."""
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def moment_of(event: Mapping[str, Any]) -> int:
    """When an event was changed last, in seconds; 0 where it does not say."""
    text = str(event.get("timestamp", ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
