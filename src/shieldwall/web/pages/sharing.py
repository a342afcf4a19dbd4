"""Share: who gets what and why, what they would get, what went; Sources: what is pulled, and what contradicts itself."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request, Response

from shieldwall.model.access import Handling, Permission
from shieldwall.model.marking import Marking, Pap, parse_marking, parse_pap
from shieldwall.node.sharing.exporting import make_stix, say
from shieldwall.node.sharing.intake import IntakeRules
from shieldwall.node.sharing.looking import collection_view, object_view, overview, sources_view, title_of
from shieldwall.node.sharing.meeting import find
from shieldwall.node.sharing.pulling import MISP, TAXII, Remote, subscribe
from shieldwall.node.sharing.releasing import preview, release, withdraw
from shieldwall.sharing.documents import OPINIONS, opinion_object, sighting_object
from shieldwall.sharing.stix.object import StixObject, id_of, read_object
from shieldwall.store.partners import HIGHEST
from shieldwall.store.served import Item
from shieldwall.web.pages.door import FormHere, Pages, must_be_one, own_place, seen
from shieldwall.web.pages.rendering import page
from shieldwall.web.rules import PEOPLE, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import Id

pages = Pages("sharing")

MOST = 50
_PREVIEWED = 200  # objects of each collection that a preview shows
_ID = r"^[a-z0-9-]{3,250}--[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"

CollectionId = Annotated[Id, Path()]
StixId = Annotated[str, Path(pattern=_ID, max_length=300)]


@pages.get("/share", Rule("share.show", Permission.READ, PEOPLE))
def show_share(node: NodeHere, caller: CallerHere, request: Request) -> Response:
    """Collections and partners."""
    view = overview(node, caller.identity, caller.act)
    return page(request, "share", caller, view=view, levels=[each for each in Marking if each <= HIGHEST])


@pages.get("/share/find", Rule("stix.find", Permission.READ, PEOPLE))
def find_objects(
    node: NodeHere, caller: CallerHere, request: Request, q: Annotated[str, Query(max_length=2000)] = ""
) -> Response:
    """Objects that speak of something."""
    found = find(node, caller.identity, caller.act, q.strip()) if q.strip() else None
    return page(request, "share_found", caller, q=q, found=found, title_of=title_of)


@pages.post("/share/collections", Rule("collection.add", Permission.APPROVE, PEOPLE))
def add_collection(node: NodeHere, caller: CallerHere, form: FormHere) -> Response:
    """Make a collection for a group of partners."""
    with node.store.act(caller.identity, caller.act) as work:
        made = work.collections.add(
            form.text("title", most=200),
            group=form.text("group", most=32) or None,
            highest=parse_marking(form.text("highest", most=20) or None),
        )
    return seen(f"/share/collections/{made.id}")


@pages.get("/share/collections/{collection_id}", Rule("collection.show", Permission.READ, PEOPLE))
def show_collection(
    node: NodeHere,
    caller: CallerHere,
    request: Request,
    collection_id: CollectionId,
    before: Annotated[int | None, Query(ge=0, lt=1 << 62)] = None,
) -> Response:
    """What lies in a collection, by whose decision, and who fetched it."""
    view = collection_view(node, caller.identity, caller.act, collection_id, before=before, most=MOST)
    with node.store.inside(caller.identity) as work:
        cases = work.cases.page(most=MOST)
    return page(request, "share_collection", caller, view=view, cases=cases, title_of=title_of, most=MOST)


@pages.post(
    "/share/collections/{collection_id}/release", Rule("share.release", Permission.APPROVE, PEOPLE, confirm=True)
)
def release_objects(
    node: NodeHere, caller: CallerHere, request: Request, collection_id: CollectionId, form: FormHere
) -> Response:
    """Let objects go to the audience of a collection; says what stays, and why."""
    ids, case = form.several("ids"), form.text("case", most=32)
    if case and caller.identity.may(Permission.WRITE):  # what the case says now
        ids += make_stix(node, caller.identity, "share.case", case).ids
    elif case:
        with node.store.inside(caller.identity) as work:
            ids += [id_of(each.raw) for each in work.stix.page(most=10_000, case=case)]
    done = release(node, caller.identity, caller.act, collection_id, ids, form.text("reason"))
    return page(request, "share_released", caller, done=done)


@pages.post("/share/collections/{collection_id}/withdraw", Rule("share.withdraw", Permission.APPROVE, PEOPLE))
def withdraw_object(
    node: NodeHere, caller: CallerHere, request: Request, collection_id: CollectionId, form: FormHere
) -> Response:
    """Take an object back; says who may have it."""
    done = withdraw(
        node,
        caller.identity,
        caller.act,
        collection_id,
        form.text("id", most=300),
        form.text("reason"),
        along=form.flag("along"),
    )
    with node.store.inside(caller.identity) as work:
        collection = work.collections.get(collection_id)
    return page(request, "share_withdrawn", caller, done=done, collection=collection)


@pages.get("/share/partners/{partner_id}", Rule("share.preview", Permission.APPROVE, PEOPLE))
def preview_partner(
    node: NodeHere, caller: CallerHere, request: Request, partner_id: Annotated[Id, Path()]
) -> Response:
    """What a partner would get now: new, had already, withheld, taken out since."""
    found = preview(node, caller.identity, caller.act, partner_id, most=_PREVIEWED)
    with node.store.inside(caller.identity) as work:
        partner = work.partners.get(partner_id)
        groups = {each.id: each for each in work.partners.groups()}
    return page(
        request,
        "share_preview",
        caller,
        partner=partner,
        previews=found,
        groups=groups,
        thing_of=thing_of,
        title_of=title_of,
    )


@pages.get("/share/objects/{stix_id}", Rule("stix.show", Permission.READ, PEOPLE))
def show_object(node: NodeHere, caller: CallerHere, request: Request, stix_id: StixId) -> Response:
    """An object: its versions as the bytes that came, what contradicts it, who has it, what meets it."""
    view = object_view(node, caller.identity, caller.act, stix_id)
    with node.store.inside(caller.identity) as work:
        cases = work.cases.page(most=MOST)
    return page(
        request,
        "share_object",
        caller,
        view=view,
        stix_id=stix_id,
        cases=cases,
        opinions=OPINIONS,
        title_of=title_of,
        markings=[each for each in Marking if each <= caller.identity.highest],
        paps=list(Pap),
    )


@pages.post("/share/objects/{stix_id}/say", Rule("share.say", Permission.WRITE, PEOPLE))
def say_of_object(node: NodeHere, caller: CallerHere, stix_id: StixId, form: FormHere) -> Response:
    """Say that an object's thing was seen here, or what is thought of what it says."""
    handling = Handling(
        marking=parse_marking(form.text("marking", most=20) or None),
        pap=parse_pap(form.text("pap", most=20) or None),
        owner=caller.identity.person,
        case=form.text("case", most=32) or None,
    )
    word, text, now = form.text("opinion", most=30), form.text("text", most=2000), node.store.now()
    if word:
        must_be_one(word, OPINIONS, "opinion")
    say(
        node,
        caller.identity,
        caller.act,
        lambda frame: (
            opinion_object([stix_id], word, frame, text=text)
            if word
            else sighting_object(
                stix_id, frame, first=now, last=now, count=max(1, form.number("count") or 1), text=text
            )
        ),
        handling,
    )
    return seen(own_place(form.text("back", f"/share/objects/{stix_id}")))


@pages.get("/share/sources", Rule("source.list", Permission.READ, PEOPLE))
def show_sources(node: NodeHere, caller: CallerHere, request: Request) -> Response:
    """What is pulled from elsewhere, how that goes, and what contradicts itself."""
    sources, conflicts = sources_view(node, caller.identity, caller.act, most=MOST)
    with node.store.inside(caller.identity) as work:
        now, cases = work.now, work.cases.page(most=MOST)
        names = work.people.names(each.handling.owner for each, _ in sources)
    return page(
        request,
        "share_sources",
        caller,
        sources=sources,
        conflicts=conflicts,
        cases=cases,
        names=names,
        now=now,
        title_of=title_of,
        markings=[each for each in Marking if each <= caller.identity.highest],
        markings_all=list(Marking),
        paps=list(Pap),
        most=MOST,
    )


@pages.post("/share/sources", Rule("share.subscribe", Permission.WRITE, PEOPLE, confirm=True))
def add_source(node: NodeHere, caller: CallerHere, form: FormHere) -> Response:
    """Let the node pull a collection or a MISP by itself."""
    kind = must_be_one(form.text("kind", TAXII, most=10), (TAXII, MISP), "kind")
    token = form.text("token", most=2000).strip()
    remote = Remote(
        url=form.text("url", most=1000).strip(),
        authorization=f"{'Bearer ' if kind == TAXII else ''}{token}" if token else "",
        kind=kind,
    )
    rules = IntakeRules(
        marking=parse_marking(form.text("marking", most=20) or None),
        pap=parse_pap(form.text("pap", most=20) or None),
        case=form.text("case", most=32) or None,
    )
    subscribe(node, caller.identity, caller.act, remote, rules, every=60 * (form.number("minutes") or 15))
    return seen("/share/sources")


@pages.post("/share/sources/{source_id}/end", Rule("share.unsubscribe", Permission.WRITE, PEOPLE))
def end_source(node: NodeHere, caller: CallerHere, source_id: Annotated[Id, Path()]) -> Response:
    """Pull a source no more; what came from it stays."""
    with node.store.act(caller.identity, caller.act, source=source_id) as work:
        work.sources.end(source_id)
    return seen("/share/sources")


def thing_of(item: Item) -> StixObject:
    """An object that would go, read."""
    return read_object(item.raw, "kept")
