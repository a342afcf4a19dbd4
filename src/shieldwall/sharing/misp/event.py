"""A MISP event as STIX objects, with the whole event kept in the report that stands for it, so that it goes out as it came.

What an attribute says of the world becomes an observable, a note, a vulnerability or a reference of the report; one that is meant
for detection becomes an indicator as well. What has no place in STIX stays in the event, and is told.

Attachments are hostile: their bytes are never decoded, unpacked or kept. What was left out is told by name, size and digest.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shieldwall.errors import BadText
from shieldwall.model.recognition import recognize
from shieldwall.sharing.extensions import MISP_EVENT
from shieldwall.sharing.markings import PAP as PAP_REFS
from shieldwall.sharing.markings import TLP_2
from shieldwall.sharing.misp.galaxies import cluster_object
from shieldwall.sharing.misp.tags import Said, handling_of, strictest_within, tag_names
from shieldwall.sharing.money import address_object, wallet_object
from shieldwall.sharing.stix.ids import observable_id, own_id
from shieldwall.sharing.stix.instant import read_instant, stix_time

MOST_ATTRIBUTES = 200_000
"""Attributes of one event."""

_LONGEST = 1 << 20  # characters of a value
_SECOND = 1_000_000
_HASHES = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "sha512": "SHA-512", "ssdeep": "SSDEEP", "tlsh": "TLSH"}
_PAYLOADS = ("attachment", "malware-sample")
_COINS = ("btc", "xmr", "dash", "coin-address", "wallet-address")
_TEXTS = ("text", "comment", "other", "yara", "snort", "sigma", "bro", "zeek", "counter", "pattern-in-file")


@dataclass(slots=True, kw_only=True)
class ReadEvent:
    """An event as objects.

    Attributes:
        uuid: Of the event.
        objects: STIX objects with what each says about its handling, the report last.
        only_in_event: Types of attributes, and of other parts, that stay in the event alone, and how many of each.
        left_out: Attachments whose bytes were not taken, a sentence each.
    """

    uuid: str
    objects: list[tuple[Said, dict[str, Any]]] = field(default_factory=list)
    only_in_event: Counter[str] = field(default_factory=Counter)
    left_out: list[str] = field(default_factory=list)


def events_in(value: Any, place: str) -> list[dict[str, Any]]:  # noqa: ANN401 - any JSON value
    """The events in what MISP writes: one event with or without its frame, a list of them, or the answer of a search.

    Raises:
        BadText: There is none.
    """
    if isinstance(value, dict) and "response" in value:
        value = value["response"]
    several = value if isinstance(value, list) else [value]
    found = []
    for number, each in enumerate(several, 1):
        event = each.get("Event", each) if isinstance(each, dict) else None
        if not isinstance(event, dict) or not isinstance(event.get("info"), str) or not _uuid(event.get("uuid")):
            raise BadText(f"{place}, event {number}: not a MISP event", hint="it has info and uuid")
        found.append(event)
    return found


def is_event(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Whether a value looks like something that `events_in` reads."""
    first = value[0] if isinstance(value, list) and value else value
    return isinstance(first, dict) and (
        "Event" in first or "response" in first or ("info" in first and "uuid" in first and "type" not in first)
    )


def read_event(event: Mapping[str, Any], place: str) -> ReadEvent:
    """An event as STIX objects.

    Args:
        event: As `events_in` gives it.
        place: Where it was read, for errors.

    Raises:
        BadText: A part of it is not what it must be; it is named.
    """
    return _Reader(event, f"{place}, event {event['uuid']}").read()


def event_in(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The event that a report carries, as `read_event` put it there; None for none, or for something else in its place."""
    extensions = body.get("extensions")
    extension = extensions.get(MISP_EVENT) if isinstance(extensions, Mapping) else None
    event = extension.get("event") if isinstance(extension, Mapping) else None
    if not isinstance(event, dict) or body.get("id") != f"report--{_uuid(event.get('uuid'))}":
        return None
    try:
        read_event(events_in(event, "report")[0], "report")
    except BadText:
        return None
    return dict(event)


class _Reader:
    def __init__(self, event: Mapping[str, Any], place: str) -> None:
        self._event = event
        self._place = place
        self._said = handling_of(event)
        self._found = ReadEvent(uuid=str(_uuid(event["uuid"])))
        self._refs: dict[str, None] = {}
        self._places: dict[str, int] = {}  # in `objects`, by identifier
        self._references: list[dict[str, str]] = []

    def read(self) -> ReadEvent:
        event, found = self._event, self._found
        at = self._moment(event.get("timestamp")) or self._day(event.get("date"))
        maker = self._maker()
        self._at, self._maker_id = at, maker["id"]
        self._add(self._said, maker, named=False)
        attributes, objects = self._list(event, "Attribute"), self._list(event, "Object")
        if len(attributes) + sum(len(self._list(each, "Attribute")) for each in objects) > MOST_ATTRIBUTES:
            raise BadText(f"{self._place}: more than {MOST_ATTRIBUTES:,} attributes")
        for each in attributes:
            self._attribute(each, self._said)
        for each in objects:
            self._object(each)
        for galaxy in self._list(event, "Galaxy"):
            for cluster in self._list(galaxy, "GalaxyCluster"):
                self._cluster(galaxy, cluster)
        for name in ("EventReport", "ShadowAttribute", "RelatedEvent", "Sighting", "Feed", "CryptographicKey"):
            self._only(name, len(self._list(event, name)))
        whole = strictest_within(event)  # the report carries all of it, the parts that are marked stricter too
        published = self._moment(event.get("publish_timestamp")) or at
        report = {
            "type": "report",
            "spec_version": "2.1",
            "id": f"report--{found.uuid}",
            "created_by_ref": maker["id"],
            "created": stix_time(min(self._day(event.get("date")), at)),
            "modified": stix_time(at),
            "name": event["info"][:_LONGEST] or "(without a title)",
            "published": stix_time(published),
            "object_refs": list(self._refs) or [maker["id"]],
            **_marked(whole),
            "extensions": {
                MISP_EVENT: {"extension_type": "property-extension", "event": _without_payloads(event, found.left_out)}
            },
        }
        labels = tag_names(event)
        report |= {"labels": labels} if labels else {}
        report |= {"external_references": self._references} if self._references else {}
        found.objects.append((whole, report))
        return found

    def _maker(self) -> dict[str, Any]:
        """Who made the event. Its creation is not in the event, so the identity has no time but the first there is."""
        organisation = self._event.get("Orgc", self._event.get("Org"))
        organisation = organisation if isinstance(organisation, Mapping) else {}
        name, own = str(organisation.get("name") or "unknown")[:200], _uuid(organisation.get("uuid"))
        first = stix_time(0)
        return {
            "type": "identity",
            "spec_version": "2.1",
            "id": f"identity--{own}" if own else own_id("identity", "misp", name),
            "created": first,
            "modified": first,
            "name": name,
            "identity_class": "organization",
        }

    def _attribute(self, given: Mapping[str, Any], outer: Said) -> list[str]:
        """Take an attribute; returns the identifiers of the observables that it became."""
        kind, value = given.get("type"), given.get("value")
        own = _uuid(given.get("uuid"))
        if not isinstance(kind, str) or not isinstance(value, str) or own is None or len(value) > _LONGEST:
            raise BadText(f"{self._place}: an attribute without type, value or uuid")
        if kind in ("link", "url") and not given.get("to_ids"):
            self._references.append({"source_name": "misp", "url": value})
        said = handling_of(given).within(outer)
        bodies = list(_observables(kind, value))
        for body in bodies:
            self._add(said, body)
        if given.get("to_ids") and bodies:
            self._indicator(given, own, said, [pattern for body in bodies if (pattern := _comparison(body))])
        elif kind == "vulnerability":
            self._described(given, own, said, "vulnerability", {"name": value})
        elif kind in _TEXTS and not bodies:
            refs = {"content": value, "object_refs": [f"report--{self._found.uuid}"]}
            self._described(given, own, said, "note", refs)
        elif not bodies and kind != "link":
            self._only(f"attribute {kind}")
        return [body["id"] for body in bodies]

    def _object(self, given: Mapping[str, Any]) -> None:
        """Take an object: one of a file or of coins as a whole, another one attribute by attribute."""
        name, said = str(given.get("name", "")), handling_of(given).within(self._said)
        attributes = self._list(given, "Attribute")
        own = _uuid(given.get("uuid"))
        if own is None:
            raise BadText(f"{self._place}: an object without uuid")
        body: dict[str, Any] | None = None
        if name == "file":
            body, used = _file_of(attributes)
            if body is not None:
                self._add(said, body)
                if any(each.get("to_ids") for each in used):
                    pattern = _comparison(body)
                    self._indicator(given, own, said, [pattern] if pattern else [])
                taken = {id(each) for each in used}
                attributes = [each for each in attributes if id(each) not in taken]
        for each in attributes:
            self._attribute(each, said)
        if body is None:
            self._only(f"object {name or '(without a name)'}")
        self._only("reference between objects", len(self._list(given, "ObjectReference")))

    def _cluster(self, galaxy: Mapping[str, Any], cluster: Mapping[str, Any]) -> None:
        kind, own = str(cluster.get("type") or galaxy.get("type") or ""), _uuid(cluster.get("uuid"))
        body = cluster_object(kind, {**cluster, "uuid": own or ""})
        if body is None:
            self._only(f"galaxy {kind or '(without a type)'}")
        else:
            self._add(self._said, body)

    def _indicator(self, given: Mapping[str, Any], own: str, said: Said, patterns: list[str]) -> None:
        if not patterns:
            self._only(f"detection of {given.get('type', given.get('name', ''))}")
            return
        at = self._moment(given.get("timestamp")) or self._at
        body = {
            "pattern": "[" + " AND ".join(patterns) + "]"
            if len(patterns) == 1
            else " OR ".join(f"[{p}]" for p in patterns),
            "pattern_type": "stix",
            "valid_from": stix_time(self._moment(given.get("first_seen")) or at),
        }
        self._described(given, own, said, "indicator", body)

    def _described(self, given: Mapping[str, Any], own: str, said: Said, kind: str, more: Mapping[str, Any]) -> None:
        at = stix_time(self._moment(given.get("timestamp")) or self._at)
        body: dict[str, Any] = {
            "type": kind,
            "spec_version": "2.1",
            "id": f"{kind}--{own}",
            "created_by_ref": self._maker_id,
            "created": at,
            "modified": at,
            **more,
            **_marked(said),
        }
        comment, labels = given.get("comment"), tag_names(given)
        if isinstance(comment, str) and comment:
            body["abstract" if kind == "note" else "description"] = comment
        body |= {"labels": labels} if labels else {}
        self._add(said, body)

    def _add(self, said: Said, body: dict[str, Any], *, named: bool = True) -> None:
        place = self._places.get(body["id"])
        if place is None:
            self._places[body["id"]] = len(self._found.objects)
            self._found.objects.append((said, body))
        else:  # said twice: of both markings the stricter one holds
            before, first = self._found.objects[place]
            self._found.objects[place] = (said.within(before), first)
        if named:
            self._refs[body["id"]] = None

    def _only(self, what: str, number: int = 1) -> None:
        if number:
            self._found.only_in_event[what] += number

    def _list(self, given: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
        found = given.get(name) or []
        if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
            raise BadText(f"{self._place}: {name} is no list of objects")
        return found

    def _moment(self, text: Any) -> int:  # noqa: ANN401 - any JSON value
        """Microseconds of a time as MISP writes it: seconds as a text, or RFC 3339; 0 for none."""
        plain = str(text) if isinstance(text, str | int) and not isinstance(text, bool) else ""
        if plain.isascii() and plain.isdigit() and len(plain) < 12:
            return int(plain) * _SECOND
        return read_instant(plain, f"{self._place}, a time") if "T" in plain else 0

    def _day(self, text: Any) -> int:  # noqa: ANN401 - any JSON value
        return read_instant(f"{text}T00:00:00Z", f"{self._place}, date") if isinstance(text, str) and text else 0


def _marked(said: Said) -> dict[str, Any]:
    refs = ([TLP_2[said.marking]] if said.marking is not None else []) + (
        [PAP_REFS[said.pap]] if said.pap is not None else []
    )
    return {"object_marking_refs": refs} if refs else {}


def _without_payloads(event: Mapping[str, Any], left_out: list[str]) -> dict[str, Any]:
    """The event without the bytes of its attachments, each of which is told."""

    def kept(value: Any) -> Any:  # noqa: ANN401 - any JSON value
        if isinstance(value, list):
            return [kept(each) for each in value]
        if not isinstance(value, Mapping):
            return value
        plain = {name: kept(each) for name, each in value.items()}
        data = plain.get("data")
        if value.get("type") in _PAYLOADS and isinstance(data, str) and data:
            del plain["data"]
            digest = hashlib.sha256(data.encode()).hexdigest()
            name = str(value.get("value", "")).partition("|")[0][:80]
            left_out.append(f"{value['type']} {name!r}: {len(data):,} characters of base64, SHA-256 {digest}")
        return plain

    return dict(kept(event))


def _observables(kind: str, value: str) -> Iterator[dict[str, Any]]:
    """The observables that an attribute is."""
    first, _, second = value.partition("|")
    match kind:
        case "ip-src" | "ip-dst" | "ip-src|port" | "ip-dst|port":
            yield from _ip(first)
        case "domain|ip" | "hostname|port":
            yield _named("domain-name", first)
            if kind == "domain|ip":
                yield from _ip(second)
        case "domain" | "hostname":
            yield _named("domain-name", value)
        case "url" | "uri":
            yield _named("url", value)
        case "email" | "email-src" | "email-dst" | "email-reply-to" | "whois-registrant-email":
            yield _named("email-addr", value)
        case "mutex":
            yield {"type": "mutex", "spec_version": "2.1", "id": observable_id("mutex", {"name": value}), "name": value}
        case "regkey" | "regkey|value":
            yield _file("windows-registry-key", {"key": first})
        case "AS":
            number = value.upper().removeprefix("AS")
            if number.isascii() and number.isdigit() and len(number) < 11:
                yield _file("autonomous-system", {"number": int(number)})
        case "filename":
            yield _file("file", {"name": value})
        case _ if kind in _COINS:
            yield _coin(value)
        case _ if kind in _HASHES:
            yield _file("file", {"hashes": {_HASHES[kind]: value}})
        case _ if kind.startswith("filename|") and kind.removeprefix("filename|") in _HASHES:
            yield _file("file", {"name": first, "hashes": {_HASHES[kind.removeprefix("filename|")]: second}})
        case "malware-sample":
            yield _file("file", {"name": first} | ({"hashes": {"MD5": second}} if second else {}))


def _ip(text: str) -> Iterator[dict[str, Any]]:
    if text:
        yield _named("ipv6-addr" if ":" in text else "ipv4-addr", text)


def _named(kind: str, value: str) -> dict[str, Any]:
    return {"type": kind, "spec_version": "2.1", "id": observable_id(kind, {"value": value}), "value": value}


def _file(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """An observable whose identifier is made of all its properties; of the hashes of a file the best one counts (section 2.9)."""
    contributing = dict(body)
    if "hashes" in body:
        order = ("MD5", "SHA-1", "SHA-256", "SHA-512")
        chosen = next((name for name in order if name in body["hashes"]), next(iter(body["hashes"])))
        contributing["hashes"] = {chosen: body["hashes"][chosen]}
    contributing.pop("size", None)
    return {"type": kind, "spec_version": "2.1", "id": observable_id(kind, contributing), **body}


def _coin(value: str) -> dict[str, Any]:
    """An address: of the one network on which it is valid, else in the form that knows no chain."""
    found = recognize(value.strip())
    if found is not None and len(found[1]) == 1:
        return address_object(found[1][0].caip2, found[0])
    return wallet_object(value.strip())


def _file_of(attributes: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any] | None, list[Mapping[str, Any]]]:
    """The file that an object is, and the attributes that went into it."""
    body: dict[str, Any] = {}
    hashes: dict[str, str] = {}
    used = []
    for each in attributes:
        relation, value = each.get("object_relation", each.get("type")), each.get("value")
        if not isinstance(value, str):
            continue
        if relation in _HASHES and _HASHES[relation] not in hashes:
            hashes[_HASHES[relation]] = value
        elif relation == "filename" and "name" not in body:
            body["name"] = value
        elif (
            relation == "size-in-bytes"
            and "size" not in body
            and value.isascii()
            and value.isdigit()
            and len(value) < 16
        ):
            body["size"] = int(value)
        else:
            continue
        used.append(each)
    if hashes:
        body = {"hashes": hashes, **body}
    return (_file("file", body), used) if hashes or "name" in body else (None, [])


def _comparison(body: Mapping[str, Any]) -> str:
    """What a pattern compares to find an observable; "" where none can."""
    kind = body["type"]
    if kind == "file":
        parts = [f"file:hashes.'{name}' = {_quoted(text)}" for name, text in body.get("hashes", {}).items()]
        return " AND ".join(parts) if parts else (f"file:name = {_quoted(body['name'])}" if body.get("name") else "")
    for name in ("value", "address", "name", "key"):
        if isinstance(body.get(name), str):
            return f"{kind}:{name} = {_quoted(body[name])}"
    return f"{kind}:number = {body['number']}" if "number" in body else ""


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _uuid(text: Any) -> str | None:  # noqa: ANN401 - any JSON value
    """A UUID in small letters; None for none."""
    try:
        return str(uuid.UUID(text)) if isinstance(text, str) and len(text) == 36 else None
    except ValueError:
        return None
