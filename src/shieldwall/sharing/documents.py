"""Documents of this program as STIX: a trace as a flow, a cluster, a request as a task, a case as a grouping.

Each carries the document whole, as the text of its canonical JSON (RFC 8785), so that nothing is lost, digests hold, and whole
numbers of any size arrive as they left; beside it stands what a reader of STIX can use. A flow and a cluster are assertions of
who made them, so they are domain objects; what they are about are observables. Sightings and opinions are here as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shieldwall.errors import BadText
from shieldwall.model.canonical import canonical_json, digest
from shieldwall.model.marking import Marking, Pap
from shieldwall.model.network import NETWORKS
from shieldwall.model.strictjson import parse_json
from shieldwall.sharing.claims import Maker
from shieldwall.sharing.extensions import CASE, CLUSTER, FLOW, REQUEST, TASK
from shieldwall.sharing.markings import refs_of
from shieldwall.sharing.money import address_object
from shieldwall.sharing.stix.ids import own_id
from shieldwall.sharing.stix.instant import stix_time

TRACE, CLUSTERED, ASKED = "shieldwall-trace/3", "shieldwall-cluster/1", "shieldwall-request/1"
"""Formats of the documents that become STIX."""

OPINIONS = ("strongly-disagree", "disagree", "neutral", "agree", "strongly-agree")
_MOST_NAMED = 10_000  # addresses that a document names beside itself
_TASKS = {
    "preserve": "containment",
    "freeze": "containment",
    "take-down": "containment",
    "disclose": "investigation",
    "inform": "victim-notification",
}
_OUTCOMES = {
    "draft": "pending",
    "waiting for approval": "pending",
    "approved": "pending",
    "sent": "ongoing",
    "acknowledged": "ongoing",
    "answered": "successful",
    "withdrawn": "cancelled",
    "retracted": "cancelled",
}
"""By the state of a request, the outcome of a task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What every object of ours has: who shares, when it was made and changed (microseconds), how it is handled."""

    maker: Maker
    created: int
    modified: int
    marking: Marking
    pap: Pap

    def of(self, kind: str, *named: str) -> dict[str, Any]:
        """The properties that all have, under the identifier that the maker and the names give."""
        return {
            "type": kind,
            "spec_version": "2.1",
            "id": own_id(kind, self.maker.id, *named),
            "created_by_ref": self.maker.id,
            "created": stix_time(self.created // 1000 * 1000),
            "modified": stix_time(self.modified // 1000 * 1000),
            "object_marking_refs": refs_of(self.marking, self.pap),
        }


def document_objects(document: Mapping[str, Any], frame: Frame, place: str, *, state: str = "") -> list[dict[str, Any]]:
    """A document as objects: what it is about, and what is said, which comes last.

    Args:
        document: A trace result, a cluster or a request.
        frame: How it is shared.
        place: Where it was read, for errors.
        state: Of a request, where it stands; "" for unsaid.

    Raises:
        BadText: It is none of these, or its digest is not its own.
    """
    form = document.get("format")
    try:
        if form == TRACE:
            return _flow(_sound(document, place), frame)
        if form == CLUSTERED:
            return _cluster(_sound(document, place), frame)
        if form == ASKED:
            return _task(document, frame, state)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadText(f"{place}: not a whole {form} ({type(error).__name__}: {str(error)[:60]})") from None
    raise BadText(
        f"{place}: {str(form)[:40]!r} is no document that becomes STIX", hint=f"one of {TRACE}, {CLUSTERED}, {ASKED}"
    )


def document_in(body: Mapping[str, Any], place: str) -> dict[str, Any] | None:
    """The document that an object carries, as `document_objects` was given it; None for one that carries none.

    Raises:
        BadText: It carries something else, or its digest is not its own.
    """
    kind = body.get("type")
    extensions = body.get("extensions")
    extensions = extensions if isinstance(extensions, Mapping) else {}
    holders: dict[str, Any] = (
        {"money-flow": body, "address-cluster": body} if {FLOW, CLUSTER} & extensions.keys() else {}
    )
    holders |= {"task": extensions.get(REQUEST), "grouping": extensions.get(CASE)}
    holder = holders.get(str(kind))
    text = holder.get("document") if isinstance(holder, Mapping) else None
    if text is None:
        return None
    document = parse_json(text, f"{place}, document", floats=True) if isinstance(text, str) else None
    if not isinstance(document, dict):
        raise BadText(f"{place}: the document in it cannot be read")
    return _sound(document, place) if kind in ("money-flow", "address-cluster") else document


def case_objects(case: Mapping[str, Any], named: Sequence[str], frame: Frame) -> list[dict[str, Any]]:
    """A case as a grouping of what is shared of it. Who works on it is nobody's business: no member may stand in `case`.

    Args:
        case: What is said of it; `id` and `title` at least.
        named: Identifiers of the objects that belong to it.
        frame: How it is shared.
    """
    body = frame.of("grouping", "case", case["id"])
    body |= {
        "name": case["title"],
        "context": "suspicious-activity",
        "object_refs": list(dict.fromkeys(named)) or [frame.maker.id],
    }
    body["extensions"] = {CASE: {"extension_type": "property-extension", "document": _text(case)}}
    return [body]


def sighting_object(
    of: str, frame: Frame, *, first: int, last: int, count: int = 1, observed: Sequence[str] = (), text: str = ""
) -> dict[str, Any]:
    """That something was seen, independently of who said so first.

    Args:
        of: Identifier of what was seen: an indicator, a group, malware, a cluster.
        frame: How it is shared.
        first, last: Microseconds.
        count: How often.
        observed: Identifiers of observed data that show it.
        text: A remark.
    """
    body = frame.of("sighting", of, str(first), str(last))
    body |= {"sighting_of_ref": of, "first_seen": stix_time(first), "last_seen": stix_time(last), "count": count}
    body |= {"where_sighted_refs": [frame.maker.id]}
    body |= {"observed_data_refs": list(observed)} if observed else {}
    return body | ({"description": text} if text else {})


def opinion_object(of: Sequence[str], opinion: str, frame: Frame, *, text: str = "") -> dict[str, Any]:
    """What somebody thinks of what others say; their object is never changed.

    Raises:
        BadText: No such opinion.
    """
    if opinion not in OPINIONS:
        raise BadText(f"{opinion[:40]!r} is no opinion", hint=f"one of {', '.join(OPINIONS)}")
    body = frame.of("opinion", *sorted(of)) | {"opinion": opinion, "object_refs": list(of)}
    return body | ({"explanation": text} if text else {})


def _flow(result: Mapping[str, Any], frame: Frame) -> list[dict[str, Any]]:
    chain = _chain(str(result["network"]))
    ends = [end for end in result["ends"] if isinstance(end["address"], str)]
    members = [str(each["identity"] or each["target"]) for each in result["targets"] if each.get("kind") == "address"]
    about = _addresses(chain, [*members, *(end["address"] for end in ends)])
    sources = _addresses(chain, members)
    body = frame.of("money-flow", str(result["digest"])) | {
        "name": str(result["sentence"])[:1000],
        "chain": chain,
        "direction": result["direction"],
        "method": result["method"],
        "unit": result["unit"],
        "seed_amount": str(result["seed_amount"]),
        "tip_height": result["tip_height"],
        "tip_hash": result["tip_hash"],
        "source_refs": list(sources),
        "ends": [
            {
                "address_ref": _address_ref(chain, end["address"]),
                "kind": end["kind"],
                "amount": str(end["amount"]),
                "share": str(end["share"]),
                **({"service": end["service"]} if end["service"] else {}),
            }
            for end in ends[:_MOST_NAMED]
        ],
        "digest": result["digest"],
        "program": result["program"],
        "document": _text(result),
        "extensions": {FLOW: {"extension_type": "new-sdo"}},
    }
    return [*about.values(), {name: value for name, value in body.items() if value not in ([], None)}]


def _cluster(answer: Mapping[str, Any], frame: Frame) -> list[dict[str, Any]]:
    clustering = answer["clustering"]
    chain = _chain(str(answer["network"]))
    members = [str(each["address"] if isinstance(each, Mapping) else each) for each in answer["members"]]
    about = _addresses(chain, [str(answer["named_after"]), *members])
    body = frame.of("address-cluster", str(answer["digest"])) | {
        "name": f"cluster of {answer['named_after']}",
        "chain": chain,
        "named_after_ref": _address_ref(chain, str(answer["named_after"])),
        "size": answer["size"],
        "member_refs": [_address_ref(chain, each) for each in members[:_MOST_NAMED]],
        "method": clustering["name"],
        "method_digest": clustering["digest"],
        "received_amount": str(answer["received_amount"]),
        "digest": answer["digest"],
        "document": _text(answer),
        "extensions": {CLUSTER: {"extension_type": "new-sdo"}},
    }
    return [*about.values(), {name: value for name, value in body.items() if value not in ([], None)}]


def _task(request: Mapping[str, Any], frame: Frame, state: str) -> list[dict[str, Any]]:
    about: dict[str, dict[str, Any]] = {}
    for asset in request["assets"]:
        if isinstance(asset["address"], str) and asset["address"]:
            made = address_object(asset["chain"], asset["address"])
            about[made["id"]] = made
    extension: dict[str, Any] = {
        "extension_type": "property-extension",
        "instrument": request["kind"],
        "legal_basis": request["legal"],
        "addressee": request["recipient"]["name"],
        "jurisdiction": request["recipient"]["country"],
        "expires": request["expires"],
        "state": state,
        "exercise": request["exercise"],
        "asset_refs": list(about),
        "document": _text(request),
    }
    body = frame.of("task", str(request["request_id"])) | {
        "name": f"{request['kind']}: {request['recipient']['name'] or 'nobody named yet'}",
        "task_types": [_TASKS[request["kind"]]],
        "outcome": _OUTCOMES.get(state, "unknown"),
        "extensions": {
            TASK: {"extension_type": "new-sdo"},
            REQUEST: {name: value for name, value in extension.items() if value not in ("", [])},
        },
    }
    if request["narrative"]:
        body["description"] = request["narrative"]
    return [*about.values(), body]


def _sound(document: Mapping[str, Any], place: str) -> dict[str, Any]:
    """A document whose digest is that of all its other fields.

    Raises:
        BadText: It is another one.
    """
    rest = {name: value for name, value in document.items() if name != "digest"}
    try:
        own = digest(rest)
    except TypeError as error:  # a number with a fraction, that no document of ours has
        raise BadText(f"{place}: the document in it cannot be read ({error})") from None
    if document.get("digest") != own:
        raise BadText(
            f"{place}: the digest of the document is not its own", hint="it was changed: ask whoever shares it"
        )
    return dict(document)


def _text(document: Mapping[str, Any]) -> str:
    return canonical_json(dict(document)).decode()


def _chain(network: str) -> str:
    found = NETWORKS.get(network)
    if found is None:
        raise KeyError(network)
    return found.caip2


def _address_ref(chain: str, address: str) -> str:
    return str(address_object(chain, address)["id"])


def _addresses(chain: str, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    made = (address_object(chain, name) for name in list(dict.fromkeys(names))[:_MOST_NAMED])
    return {each["id"]: each for each in made}
