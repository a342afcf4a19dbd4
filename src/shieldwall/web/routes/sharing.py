"""Sharing: STIX objects, collections and what goes to whom, partners, sources."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Annotated

from fastapi import Path, Query, Request

from shieldwall.errors import NotFound
from shieldwall.model.access import Permission
from shieldwall.model.marking import parse_marking, parse_pap
from shieldwall.node.sharing.intake import IntakeRules, take_bundle
from shieldwall.node.sharing.meeting import find
from shieldwall.node.sharing.misp import is_misp, take_misp
from shieldwall.node.sharing.releasing import Withheld, preview, release, withdraw
from shieldwall.sharing.stix.instant import stix_time
from shieldwall.sharing.stix.object import id_of
from shieldwall.store.collections import Collection
from shieldwall.store.sources import Source
from shieldwall.store.stixobjects import KeptObject
from shieldwall.web.door import Routes
from shieldwall.web.moments import moment
from shieldwall.web.paging import Cursor, Most, open_cursor, seal_cursor
from shieldwall.web.rules import PEOPLE, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import Done, HandlingShape, Id, PapWord, Tlp
from shieldwall.web.shapes.sharing import (
    CollectionAsked,
    CollectionList,
    CollectionShape,
    Decisions,
    DecisionShape,
    FoundObjects,
    HadShape,
    MetShape,
    PartnerList,
    PartnerShape,
    Previews,
    PreviewShape,
    ReleaseAsked,
    ReleasedShape,
    SourceList,
    SourceShape,
    StixName,
    StixObjects,
    StixVersion,
    StixVersions,
    TakenShape,
    WithdrawAsked,
    WithdrawnShape,
    WithheldShape,
)
from shieldwall.web.threads import at_length

routes = Routes("sharing")

CollectionId = Annotated[Id, Path(description="Id of the collection.")]
_MOST_DECISIONS, _MOST_PREVIEWED = 200, 1000
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@routes.get("/stix/objects", Rule("stix.list", Permission.READ))
def list_stix(
    node: NodeHere,
    caller: CallerHere,
    type: Annotated[str, Query(max_length=250, description="Only objects of this type.")] = "",  # noqa: A002
    case: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$", description="Only objects of this case.")] = "",
    cursor: Cursor = "",
    most: Most = 50,
) -> StixObjects:
    """STIX objects that one may see, in the order in which they came."""
    after = open_cursor(node, caller, cursor) or 0
    with node.store.look(caller.identity, caller.act) as work:
        found = work.stix.page(after=after, most=most + 1, kind=type, case=case or None)
    following = seal_cursor(node, caller, found[most - 1].seq) if len(found) > most else None
    return StixObjects(objects=[_version(each) for each in found[:most]], next=following)


@routes.post("/stix/objects", Rule("share.import", Permission.WRITE), status_code=201, openapi_extra=_UPLOAD)
async def import_stix(
    node: NodeHere,
    caller: CallerHere,
    request: Request,
    marking: Annotated[Tlp, Query(description="Marking of what carries none.")] = "TLP:RED",
    pap: Annotated[PapWord, Query(description="PAP of what carries none.")] = "PAP:RED",
    case: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$", description="Case that it belongs to.")] = "",
) -> TakenShape:
    """Take in a bundle, an envelope, a list, a single object, or what MISP writes: as a whole or not at all."""
    raw = await request.body()
    rules = IntakeRules(marking=parse_marking(marking), pap=parse_pap(pap), case=case or None)

    def take() -> TakenShape:
        if is_misp(raw):
            found = take_misp(node, caller.identity, caller.act, raw, "the body", rules)
        else:
            found = take_bundle(node, caller.identity, caller.act, io.BytesIO(raw), "the body", rules)
        return TakenShape(
            objects=found.objects,
            added=found.added,
            known=found.known,
            conflicts=found.conflicting,
            refused=[each.reason for each in found.refused],
            refusals=found.refusals,
            unmarked=found.unmarked,
            claims=found.claims,
            told=found.told,
        )

    return await at_length(request, take)


@routes.get("/stix/objects/{stix_id}", Rule("stix.show", Permission.READ))
def show_stix(
    node: NodeHere, caller: CallerHere, stix_id: Annotated[StixName, Path(description="Identifier of the object.")]
) -> StixVersions:
    """Every version of an object."""
    with node.store.look(caller.identity, caller.act) as work:
        found = work.stix.versions(stix_id)
    if not found:
        raise NotFound("there is no such object")
    several: dict[int, set[bytes]] = {}
    for each in found:
        several.setdefault(each.version, set()).add(each.same)
    contradicted = [stix_time(version) for version, contents in several.items() if len(contents) > 1]
    return StixVersions(versions=[_version(each) for each in found], contradicted=contradicted)


@routes.get("/stix/find", Rule("stix.find", Permission.READ))
def find_stix(
    node: NodeHere,
    caller: CallerHere,
    q: Annotated[str, Query(min_length=1, max_length=2000, description="An address, a hash, a domain, a name.")],
) -> FoundObjects:
    """What speaks of an address, a hash, a domain, a technique, or of a group or malware by any of its names."""
    found = find(node, caller.identity, caller.act, q)
    return FoundObjects(
        objects=[
            MetShape(
                id=each.thing.id,
                type=each.thing.type,
                in_common=[f"{kind} {value}" for kind, value in each.values],
                handling=HandlingShape.of(each.kept.handling),
            )
            for each in found.objects
        ],
        names=list(found.names),
        common=[f"{kind} {value}" for kind, value in found.common],
    )


@routes.get("/collections", Rule("collection.list", Permission.READ))
def list_collections(node: NodeHere, caller: CallerHere) -> CollectionList:
    """The collections, and how many objects that one may see lie in each."""
    with node.store.look(caller.identity, caller.act) as work:
        sizes = work.collections.sizes()
        found = work.collections.all()
    return CollectionList(collections=[_collection(each, sizes.get(each.id, 0)) for each in found])


@routes.post("/collections", Rule("collection.add", Permission.APPROVE, PEOPLE), status_code=201)
def add_collection(node: NodeHere, caller: CallerHere, asked: CollectionAsked) -> CollectionShape:
    """Make a collection."""
    with node.store.act(caller.identity, caller.act) as work:
        made = work.collections.add(
            asked.title,
            group=asked.group,
            highest=parse_marking(asked.highest),
            alias=asked.alias,
            writable=asked.writable,
        )
    return _collection(made, 0)


@routes.post("/collections/{collection_id}/releases", Rule("share.release", Permission.APPROVE, PEOPLE, confirm=True))
def release_objects(
    node: NodeHere, caller: CallerHere, collection_id: CollectionId, asked: ReleaseAsked
) -> ReleasedShape:
    """Let objects go to the audience of a collection; what stays is told, with the reason."""
    done = release(
        node,
        caller.identity,
        caller.act,
        collection_id,
        asked.ids,
        asked.reason,
        every_version=asked.every_version,
    )
    return ReleasedShape(added=list(done.added), known=done.known, withheld=_withheld(done.withheld))


@routes.post("/collections/{collection_id}/withdrawals", Rule("share.withdraw", Permission.APPROVE, PEOPLE))
def withdraw_object(
    node: NodeHere, caller: CallerHere, collection_id: CollectionId, asked: WithdrawAsked
) -> WithdrawnShape:
    """Take an object back; who may have it already is told."""
    done = withdraw(node, caller.identity, caller.act, collection_id, asked.id, asked.reason, along=asked.along)
    had = [HadShape(partner=each.id, name=each.name, fetched=moment(one.at)) for each, one in done.had]
    return WithdrawnShape(ids=list(done.ids), unseen=done.unseen, had=had)


@routes.get("/collections/{collection_id}/decisions", Rule("collection.decisions", Permission.APPROVE, PEOPLE))
def list_decisions(node: NodeHere, caller: CallerHere, collection_id: CollectionId) -> Decisions:
    """What was decided on a collection, the newest first."""
    with node.store.look(caller.identity, caller.act, collection=collection_id) as work:
        found = work.collections.decisions(work.collections.get(collection_id).id, most=_MOST_DECISIONS)
    return Decisions(
        decisions=[
            DecisionShape(
                id=each.id,
                at=moment(each.at),
                by=each.by,
                deed=each.deed,
                reason=each.reason,
                objects=len(each.objects),
            )
            for each in found
        ]
    )


@routes.get("/partners", Rule("partner.list", Permission.READ))
def list_partners(node: NodeHere, caller: CallerHere) -> PartnerList:
    """The partners, and how many objects each fetched."""
    with node.store.look(caller.identity, caller.act) as work:
        found = [(each, work.served.holdings(each.id, seen=True)) for each in work.partners.all()]
    return PartnerList(
        partners=[
            PartnerShape.model_construct(
                id=each.id,
                name=each.name,
                highest=each.highest.label,
                groups=sorted(each.groups),
                ended=moment(each.ended_at),
                fetched=sum(one.objects for one in held),
                gone=sum(one.gone for one in held),
            )
            for each, held in found
        ]
    )


@routes.get("/partners/{partner_id}/preview", Rule("share.preview", Permission.APPROVE, PEOPLE))
def preview_partner(
    node: NodeHere, caller: CallerHere, partner_id: Annotated[Id, Path(description="Id of the partner.")]
) -> Previews:
    """What a partner would be given now, as the bytes that its machine would get, and what it would not."""
    found = preview(node, caller.identity, caller.act, partner_id, most=_MOST_PREVIEWED)
    return Previews(
        collections=[
            PreviewShape(
                collection=each.collection.id,
                objects=[item.raw.decode() for item in each.items],
                new=sum(item.added_at not in each.has for item in each.items),
                more=each.more,
                withheld=_withheld(each.withheld),
                withheld_more=each.withheld_more,
                gone=each.gone,
                unseen=each.unseen,
            )
            for each in found
        ]
    )


@routes.get("/sources", Rule("source.list", Permission.READ))
def list_sources(node: NodeHere, caller: CallerHere) -> SourceList:
    """What is pulled from elsewhere, and how that goes."""
    with node.store.look(caller.identity, caller.act) as work:
        found = [(each, work.sources.objects_of(each.id)) for each in work.sources.all()]
    return SourceList(sources=[_source(each, number) for each, number in found])


@routes.delete("/sources/{source_id}", Rule("share.unsubscribe", Permission.WRITE))
def end_source(
    node: NodeHere, caller: CallerHere, source_id: Annotated[Id, Path(description="Id of the source.")]
) -> Done:
    """Pull a source no more; what came from it stays."""
    with node.store.act(caller.identity, caller.act, source=source_id) as work:
        work.sources.end(source_id)
    return Done()


def _version(kept: KeptObject) -> StixVersion:
    return StixVersion.model_construct(
        id=id_of(kept.raw),
        type=kept.type,
        version=stix_time(kept.version),
        received=moment(kept.received_at),
        raw=kept.raw.decode(),
        handling=HandlingShape.of(kept.handling),
    )


def _collection(found: Collection, objects: int) -> CollectionShape:
    return CollectionShape.model_construct(
        id=found.id,
        title=found.title,
        alias=found.alias,
        group=found.group,
        highest=found.highest.label,
        readable=found.readable,
        writable=found.writable,
        objects=objects,
        last_added=moment(found.last_added_at or None),
    )


def _withheld(several: Iterable[Withheld]) -> list[WithheldShape]:
    return [WithheldShape(id=each.id, reason=each.reason) for each in several]


def _source(found: Source, objects: int) -> SourceShape:
    return SourceShape(
        id=found.id,
        kind=found.target["kind"],
        url=found.target["url"],
        every=found.every,
        tried=moment(found.tried_at),
        good=moment(found.good_at),
        reached=found.state.get("reached", ""),
        problem=found.state.get("problem", ""),
        objects=objects,
        ended=moment(found.ended_at),
        handling=HandlingShape.of(found.handling),
    )
