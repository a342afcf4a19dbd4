"""The endpoints of TAXII 2.1 (sections 4 and 5): what is at which path, and for whom.

Whoever is not known gets the public root alone. What is not for a partner is as if it were not there: no list, no count and no
error tells of it.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from shieldwall.errors import BadText, NotFound, NotSignedIn
from shieldwall.model.access import Identity, Kind
from shieldwall.node.node import Node
from shieldwall.node.sharing.receiving import Outcome, take_from_partner
from shieldwall.sharing.stix.instant import taxii_time
from shieldwall.sharing.stix.object import id_of
from shieldwall.store.collections import Collection
from shieldwall.store.partners import Partner, PartnerGroup
from shieldwall.store.served import MOST_BYTES, Asked, Item
from shieldwall.store.work import Work
from shieldwall.web.taxii.answers import MEDIA_TYPE, Answer, Refusal, dates, plain
from shieldwall.web.taxii.asked import Request, Wanted, must_accept, must_send, wanted

DISCOVERY, PUBLIC = "taxii2", "public"
MOST_CONTENT = 10 << 20
"""Bytes that a client may send at once."""

ANYBODY = Identity(kind=Kind.PARTNER, person="", name="anybody")

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?", re.ASCII)
Taking = Callable[[bytes], Answer]
"""Takes what a partner adds, once its bytes are there: nobody's body is read who may not send one."""

_STIX_MEDIA = "application/stix+json;version="


def answer(node: Node, request: Request) -> Answer | Taking:
    """The answer to a request; or, where somebody may add something, what takes the body of it.

    Raises:
        Refusal, ShieldwallError: There is another one.
    """
    partner = _who(node, request)
    match request.path:
        case ("taxii2",):
            return _only(request, GET=lambda: _discovery(node, partner, request))
        case (root,):
            return _only(request, GET=lambda: _root(node, partner, root, request))
        case (root, "status", status_id):
            return _only(request, GET=lambda: _status(node, partner, root, status_id, request))
        case (root, "collections"):
            return _only(request, GET=lambda: _collections(node, partner, root, request))
        case (root, "collections", name):
            return _only(request, GET=lambda: _collection(node, partner, root, name, request))
        case (root, "collections", name, "manifest"):
            return _only(request, GET=lambda: _manifest(node, partner, root, name, request))
        case (root, "collections", name, "objects"):
            return _only(
                request,
                GET=lambda: _objects(node, partner, root, name, request),
                POST=lambda: _add(node, partner, root, name, request),
            )
        case (root, "collections", name, "objects", stix_id):
            return _only(
                request,
                GET=lambda: _object(node, partner, root, name, stix_id, request),
                DELETE=lambda: _delete(node, partner, root, name, stix_id, request),
            )
        case (root, "collections", name, "objects", stix_id, "versions"):
            return _only(request, GET=lambda: _versions(node, partner, root, name, stix_id, request))
    raise NotFound("there is nothing at that address")


def _only(request: Request, **ways: Callable[[], Answer | Taking]) -> Answer | Taking:
    way = ways.get("GET" if request.method == "HEAD" else request.method)
    if way is None:
        raise Refusal(405, f"{request.method[:20]} is not done here", headers={"Allow": ", ".join(sorted(ways))})
    must_accept(request, manifest=request.path[-1] == "manifest")
    return way()


def _who(node: Node, request: Request) -> Partner | None:
    """Who asks; None for nobody known.

    Raises:
        NotSignedIn: They say who they are, and it is not so.
    """
    stated = request.headers.get("authorization", "")
    if stated:
        scheme, _, rest = stated.partition(" ")
        if scheme.lower() == "bearer":
            return node.partners.bearer(rest.strip(), request.client)
        if scheme.lower() == "basic":
            user, password = _basic(rest.strip())
            return node.partners.basic(user, password, request.client)
        raise NotSignedIn("neither Basic nor a bearer token")
    partner = node.partners.certificate(request.certificate) if request.certificate else None
    if partner is None:
        node.doors.gate.stranger(request.client)
    return partner


def _basic(text: str) -> tuple[str, str]:
    try:
        user, _, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise NotSignedIn("the Basic credentials cannot be read") from None
    return user, password


# what there is


def _discovery(node: Node, partner: Partner | None, request: Request) -> Answer:
    with node.store.inside(_identity(partner)) as work:
        names = [PUBLIC] if work.collections.any_public() else []
        names += [root_name(group) for group in _groups(work, partner)]
    if partner is None and not names:
        raise NotSignedIn("nobody is signed in", hint="send Basic credentials or a bearer token")
    _record(node, partner, "taxii.discovery")
    urls = [f"{request.base}/{name}/" for name in names]
    body: dict[str, Any] = {"title": node.config.name, "description": "A Shieldwall node's TAXII 2.1 server."}
    return plain(body | ({"default": urls[0], "api_roots": urls} if urls else {}))


def _root(node: Node, partner: Partner | None, root: str, _: Request) -> Answer:
    with node.store.inside(_identity(partner)) as work:
        group = _group(work, partner, root)
    _record(node, partner, "taxii.root")
    body = {
        "title": group.name if group else "Public",
        "versions": [MEDIA_TYPE],
        "max_content_length": MOST_CONTENT,
    }
    return plain(body)


def _collections(node: Node, partner: Partner | None, root: str, _: Request) -> Answer:
    with node.store.inside(_identity(partner)) as work:
        found = _of_root(work, partner, root)
    _record(node, partner, "taxii.collections")
    return plain({"collections": [_described(each) for each in found]} if found else {})


def _collection(node: Node, partner: Partner | None, root: str, name: str, _: Request) -> Answer:
    with node.store.inside(_identity(partner)) as work:
        found = _find(work, partner, root, name)
    _record(node, partner, "taxii.collection", collection=found.id)
    return plain(_described(found))


def _described(collection: Collection) -> dict[str, Any]:
    body: dict[str, Any] = {"id": dashed(collection.id), "title": collection.title}
    if collection.alias:
        body["alias"] = collection.alias
    return body | {
        "can_read": collection.readable,
        "can_write": collection.writable,
        "media_types": [f"{_STIX_MEDIA}2.1", f"{_STIX_MEDIA}2.0"],
    }


# what is read


def _objects(node: Node, partner: Partner | None, root: str, name: str, request: Request) -> Answer:
    page = wanted(request)
    found, more = _page(node, partner, root, name, page, "taxii.objects")
    return _envelope(found, page, more=more)


def _object(node: Node, partner: Partner | None, root: str, name: str, stix_id: str, request: Request) -> Answer:
    page = wanted(request, filters=("match[version]", "match[spec_version]"), fixed=Asked(ids=(stix_id,)))
    found, more = _page(node, partner, root, name, page, "taxii.object", must=stix_id)
    return _envelope(found, page, more=more)


def _manifest(node: Node, partner: Partner | None, root: str, name: str, request: Request) -> Answer:
    page = wanted(request)
    found, more = _page(node, partner, root, name, page, "taxii.manifest")
    if not found:
        return plain({"more": False})
    entries = [
        {
            "id": id_of(item.raw),
            "date_added": taxii_time(item.added_at),
            "version": taxii_time(item.version),
            "media_type": f"{_STIX_MEDIA}{item.spec}",
        }
        for item in found
    ]
    return plain(_more(page, found, more=more) | {"objects": entries}, headers=_dates(found))


def _versions(node: Node, partner: Partner | None, root: str, name: str, stix_id: str, request: Request) -> Answer:
    fixed = Asked(ids=(stix_id,), every=True)
    page = wanted(request, filters=("match[spec_version]",), fixed=fixed)
    found, more = _page(node, partner, root, name, page, "taxii.versions", must=stix_id)
    if not found:
        return plain({"more": False})
    body = _more(page, found, more=more) | {"versions": [taxii_time(item.version) for item in found]}
    return plain(body, headers=_dates(found))


def _page(
    node: Node, partner: Partner | None, root: str, name: str, page: Wanted, act: str, *, must: str = ""
) -> tuple[list[Item], bool]:
    """A page of a collection, and whether more follows; that it went out is written down before it does.

    Raises:
        NotFound: No such collection, or no such object (`must`) in it, for this partner.
        NotAllowed: It may only be added to.
    """
    with node.store.inside(_identity(partner)) as work:
        collection, read_at = _readable(work, partner, root, name), work.now
        found = work.served.items(collection, partner, page.asked, most=page.limit + 1)
        more = len(found) > page.limit
        if not more and sum(len(item.raw) for item in found) > MOST_BYTES:  # a page ends there as well
            further = replace(page.asked, after=found[-1].added_at)
            more = bool(work.served.items(collection, partner, further, most=1))
        if must and not found:
            there = work.served.items(collection, partner, Asked(ids=(must,), every=True), most=1)
            if not there:
                raise NotFound("there is no such object")
    found = found[: page.limit]
    with node.store.act(_identity(partner), act, collection=collection.id, objects=len(found)) as work:
        if partner is not None and found:
            work.served.fetched(partner, collection, found[0].added_at, found[-1].added_at, read_at=read_at)
    return found, more


def _envelope(found: list[Item], page: Wanted, *, more: bool) -> Answer:
    """The objects as the bytes that are kept."""
    if not found:
        return plain({"more": False})
    head = f'"more":true,"next":"{page.next(found[-1].added_at)}",' if more else '"more":false,'
    body = b"".join((b"{", head.encode(), b'"objects":[', b",".join([item.raw for item in found]), b"]}"))
    return Answer(200, body, _dates(found))


def _more(page: Wanted, found: list[Item], *, more: bool) -> dict[str, Any]:
    return {"more": True, "next": page.next(found[-1].added_at)} if more else {"more": False}


def _dates(found: list[Item]) -> tuple[tuple[str, str], ...]:
    return dates(found[0].added_at, found[-1].added_at)


# what is written


def _add(node: Node, partner: Partner | None, root: str, name: str, request: Request) -> Taking:
    must_send(request)
    sender = _known(partner)
    with node.store.inside(sender.identity) as work:
        collection = _writable(work, sender, root, name)
    return partial(_take, node, sender, collection)


def _take(node: Node, sender: Partner, collection: Collection, content: bytes) -> Answer:
    at, status_id = taxii_time(node.store.now()), uuid.uuid4().hex
    try:
        with node.store.act(sender.identity, "taxii.add", collection=collection.id) as work:
            outcome = take_from_partner(work, sender, collection, content)
            if not outcome:
                raise Refusal(422, "there are no objects in it", 'send {"objects": [...]}')
            body = {"id": dashed(status_id), "status": "complete", "request_timestamp": at, **_told(outcome)}
            work.served.keep_status(sender, status_id, body)
    except BadText as error:
        raise Refusal(422, error.message, error.hint) from None
    return plain(body, 202)


def _told(outcome: list[Outcome]) -> dict[str, Any]:
    """What became of each object, as a status says it (section 4.3.1)."""
    successes: list[dict[str, str]] = []
    failures: list[dict[str, str]] = []
    for each in outcome:
        detail = {"id": each.id or "unknown", "version": taxii_time(each.version)}
        (successes if each.taken else failures).append(detail | ({"message": each.message} if each.message else {}))
    counts = {
        "total_count": len(outcome),
        "success_count": len(successes),
        "failure_count": len(failures),
        "pending_count": 0,
    }
    lists = {"successes": successes, "failures": failures}
    return counts | {name: value for name, value in lists.items() if value}


def _delete(node: Node, partner: Partner | None, root: str, name: str, stix_id: str, request: Request) -> Answer:
    sender = _known(partner)
    page = wanted(request, filters=("match[version]", "match[spec_version]"), fixed=Asked(ids=(stix_id,), every=True))
    with node.store.inside(sender.identity) as work:
        collection = _find(work, sender, root, name)
        _must_do_both(collection)
    with node.store.act(sender.identity, "taxii.delete", collection=collection.id) as work:
        work.collections.delete_for_partner(sender, collection.id, stix_id, page.asked)
    return plain({})


def _status(node: Node, partner: Partner | None, root: str, status_id: str, _: Request) -> Answer:
    sender = _known(partner)
    with node.store.inside(sender.identity) as work:
        _group(work, sender, root)
        body = work.served.status(sender, status_id.replace("-", "").lower())
    _record(node, partner, "taxii.status")
    return plain(body)


# who may what


def _groups(work: Work, partner: Partner | None) -> list[PartnerGroup]:
    return [] if partner is None else work.partners.groups_of(partner)


def _group(work: Work, partner: Partner | None, root: str) -> PartnerGroup | None:
    """The group that a root is of; None for the public one.

    Raises:
        NotSignedIn: Nobody is known, and it is not the public one.
        NotFound: No such root for this partner.
    """
    if root == PUBLIC:
        if not work.collections.any_public():
            raise NotFound("there is no such API root")
        return None
    if partner is None:
        raise NotSignedIn("nobody is signed in", hint="send Basic credentials or a bearer token")
    for group in _groups(work, partner):
        if root in (root_name(group), group.id):
            return group
    raise NotFound("there is no such API root")


def _of_root(work: Work, partner: Partner | None, root: str) -> list[Collection]:
    group = _group(work, partner, root)
    wanted_group = group.id if group else None
    return [each for each in work.collections.all() if each.group == wanted_group and each.is_for(partner)]


def _find(work: Work, partner: Partner | None, root: str, name: str) -> Collection:
    group = _group(work, partner, root)
    found = work.collections.find(group.id if group else None, name)
    if not found.is_for(partner):
        raise NotFound("there is no such collection")
    return found


def _readable(work: Work, partner: Partner | None, root: str, name: str) -> Collection:
    found = _find(work, partner, root, name)
    if not found.readable:
        raise _no_reading(found)
    return found


def _no_reading(collection: Collection) -> Exception:
    """Where one may neither read nor write, there is nothing (section 5.2: 404); else it is refused (403)."""
    if not collection.writable:
        return NotFound("there is no such collection")
    return Refusal(403, "that collection may only be added to")


def _writable(work: Work, partner: Partner, root: str, name: str) -> Collection:
    found = _find(work, partner, root, name)
    if not found.writable:
        raise NotFound("there is no such collection") if not found.readable else Refusal(403, "nobody adds to it")
    return found


def _must_do_both(collection: Collection) -> None:
    if not collection.readable:
        raise _no_reading(collection)
    if not collection.writable:
        raise Refusal(403, "nobody deletes from that collection")


def _known(partner: Partner | None) -> Partner:
    if partner is None:
        raise NotSignedIn("nobody is signed in", hint="send Basic credentials or a bearer token")
    return partner


def _identity(partner: Partner | None) -> Identity:
    return ANYBODY if partner is None else partner.identity


def _record(node: Node, partner: Partner | None, act: str, **detail: Any) -> None:  # noqa: ANN401 - any JSON value
    """Write down that something went out; no record, no answer."""
    node.store.record(_identity(partner), act, **detail)


def root_name(group: PartnerGroup) -> str:
    """How the API root of a group is called: by its name where that can stand in an address, else by its id."""
    return group.name if _SLUG.fullmatch(group.name) and group.name not in (DISCOVERY, PUBLIC) else group.id


def dashed(text: str) -> str:
    """32 hex digits as a UUID is written."""
    return str(uuid.UUID(text))
