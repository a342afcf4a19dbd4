"""Tag sets: taken in from packs, listed with their versions, looked up by subject."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request

from shieldwall.errors import BadInput
from shieldwall.intel import ImportReport, ReadOptions, TagSetInfo, address_subject, chain_of
from shieldwall.model.access import Permission
from shieldwall.model.claim import Subject
from shieldwall.model.marking import parse_marking, parse_pap
from shieldwall.model.network import MAIN, by_name
from shieldwall.node.uploads import packs_in
from shieldwall.web.door import Routes
from shieldwall.web.placing import OfCase, OfGroup
from shieldwall.web.routes.chain import known_shape
from shieldwall.web.rules import CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import PapWord, Tlp
from shieldwall.web.shapes.chain import Known
from shieldwall.web.shapes.tags import TagSetImport, TagSetList, TagSetShape
from shieldwall.web.threads import at_length

routes = Routes("tags")

_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@routes.get("/tag-sets", Rule("tags.list", Permission.READ))
def list_tag_sets(node: NodeHere, caller: CallerHere) -> TagSetList:
    """The tag sets that one may see, with their current versions."""
    sets = node.tag_sets(caller.identity)
    return TagSetList(sets=[_shape(info) for info in sets.sets()])


@routes.post("/tag-sets", Rule("tags.import", Permission.WRITE), status_code=201, openapi_extra=_UPLOAD)
async def import_tags(
    node: NodeHere,
    caller: CallerHere,
    request: Request,
    file: Annotated[
        str, Query(min_length=1, max_length=200, description="Name of the file; its ending says what it is.")
    ],
    set: Annotated[str, Query(max_length=64, description="Name of the set; else the file's name.")] = "",  # noqa: A002
    marking: Annotated[
        Tlp | None, Query(description="Marking of the tags; else the file's own, else the strictest.")
    ] = None,
    pap: Annotated[PapWord, Query(description="What may be done with it.")] = "PAP:RED",
    label: Annotated[str, Query(max_length=200)] = "",
    category: Annotated[str, Query(max_length=100)] = "",
    abuse: Annotated[str, Query(max_length=100)] = "",
    actor: Annotated[str, Query(max_length=100)] = "",
    currency: Annotated[str, Query(max_length=20)] = "",
    source: Annotated[str, Query(max_length=500)] = "",
    confidence: Annotated[str, Query(max_length=40)] = "",
    network: Annotated[str, Query(max_length=20)] = MAIN.name,
    case: OfCase = None,
    group: OfGroup = None,
) -> TagSetImport:
    """Take in a TagPack, ActorPack, address list or CSV, or a zip of them: the body is the file.

    The same content is the same version; older versions are kept. What names no address is counted and listed.
    """
    raw = await request.body()
    options = ReadOptions(
        marking=parse_marking(marking) if marking else None,
        pap=parse_pap(pap),
        set_name=set,
        label=label,
        category=category,
        abuse=abuse,
        actor=actor,
        currency=currency,
        source=source,
        confidence=confidence,
        network=by_name(network),
    )

    def take_in() -> list[ImportReport]:
        return node.tag_sets(caller.identity, case=case, group=group).import_sources(
            packs_in(file, raw), set_name=set or None, options=options
        )

    reports = await at_length(request, take_in)
    return TagSetImport(
        sets=[_shape(report.info, report.unchanged) for report in reports],
        rejected=[entry.as_dict() for report in reports for entry in report.rejected[:100]],
    )


@routes.get("/subjects", Rule("subject.show", Permission.READ))
def show_subject(
    node: NodeHere,
    caller: CallerHere,
    name: Annotated[str, Query(min_length=1, max_length=500, description="An address.")],
    currency: Annotated[str, Query(max_length=20, description="The currency's word.")] = MAIN.coin,
    network: Annotated[str, Query(max_length=20)] = MAIN.name,
) -> Known:
    """What is said of an address of any chain, whether or not it is in the chain store. No tag means unknown, not clean."""
    chain, bitcoin = chain_of(currency, "", by_name(network))
    with node.store.look(caller.identity, caller.act, subject=node.blind("address", chain, name)):
        subject = address_subject(name.strip(), chain, bitcoin, "the request")
        if not isinstance(subject, Subject):
            raise BadInput(f"that is {subject.reason}", hint="copy it again from its source")
        return known_shape(node, caller, subject)


def _shape(info: TagSetInfo, unchanged: bool | None = None) -> TagSetShape:
    return TagSetShape(
        name=info.name,
        version=info.version,
        tags=info.tags,
        subjects=info.subjects,
        labels=info.labels,
        dated=info.lastmod,
        rejected=info.rejected,
        unchanged=unchanged,
    )
