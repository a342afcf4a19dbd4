"""People and need-to-know groups, for administrators; colleagues' names, for everybody."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request, Response

from shieldwall.model.access import Permission, Role
from shieldwall.model.marking import parse_marking
from shieldwall.node.node import Node
from shieldwall.store.people import Group, Person
from shieldwall.web.door import Routes
from shieldwall.web.moments import moment
from shieldwall.web.paging import Cursor, Most, open_cursor, seal_cursor
from shieldwall.web.routes.door import maybe_signed
from shieldwall.web.rules import PEOPLE, Caller, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import Done, Id
from shieldwall.web.shapes.people import (
    GroupAsked,
    GroupMembers,
    Groups,
    GroupShape,
    Invitation,
    InvitationAsked,
    Link,
    People,
    PersonAsked,
    PersonChange,
    PersonShape,
)
from shieldwall.web.versions import must_match, tagged, versioned

routes = Routes("people")

PersonId = Annotated[Id, Path(description="Id of the person.")]
GroupId = Annotated[Id, Path(description="Id of the group.")]


@routes.get("/people", Rule("person.list", (Permission.MANAGE, Permission.AUDIT), PEOPLE))
def list_people(
    node: NodeHere,
    caller: CallerHere,
    cursor: Cursor = "",
    most: Most = 50,
) -> People:
    """The people of this node, for administrators and auditors."""
    after = open_cursor(node, caller, cursor) or ""
    found = node.doors.people.page(caller.identity, after=after, most=most + 1)
    following = seal_cursor(node, caller, found[most - 1].id) if len(found) > most else None
    return People(people=[person_shape(person) for person in found[:most]], next=following)


@routes.post("/people", Rule("person.add", Permission.MANAGE, PEOPLE, confirm=True), status_code=201)
def add_person(node: NodeHere, caller: CallerHere, response: Response, asked: PersonAsked) -> PersonShape:
    """A new person; invite them next."""
    person = node.doors.people.add(
        caller.identity,
        asked.name,
        roles=[Role(role) for role in asked.roles],
        organisation=asked.organisation,
        highest=parse_marking(asked.highest),
        mail=asked.mail,
        signed=maybe_signed(caller),
    )
    return versioned(response, person_shape(person))


@routes.get("/people/{person_id}", Rule("person.show", kinds=PEOPLE), response_model=PersonShape)
def show_person(
    node: NodeHere, caller: CallerHere, person_id: PersonId, request: Request, response: Response
) -> PersonShape | Response:
    """A person: oneself, or anyone for administrators and auditors."""
    return tagged(request, response, person_shape(node.doors.people.get(caller.identity, person_id)))


@routes.patch("/people/{person_id}", Rule("person.change", Permission.MANAGE, PEOPLE, confirm=True))
def change_person(
    node: NodeHere, caller: CallerHere, person_id: PersonId, request: Request, response: Response, asked: PersonChange
) -> PersonShape:
    """Change roles, clearance and the rest; it holds from their next request on."""
    before = node.doors.people.get(caller.identity, person_id)
    must_match(request, person_shape(before))
    changed = node.doors.people.change(
        caller.identity,
        person_id,
        before.version,
        organisation=asked.organisation,
        roles=None if asked.roles is None else [Role(role) for role in asked.roles],
        highest=None if asked.highest is None else parse_marking(asked.highest),
        mail=asked.mail,
        signed=maybe_signed(caller),
    )
    return versioned(response, person_shape(changed))


@routes.delete("/people/{person_id}", Rule("person.disable", Permission.MANAGE, PEOPLE, confirm=True))
def disable_person(node: NodeHere, caller: CallerHere, person_id: PersonId) -> PersonShape:
    """Shut a person out: their sessions end, their tokens and links are void. What they did stays."""
    before = node.doors.people.get(caller.identity, person_id)
    return person_shape(node.doors.people.disable(caller.identity, person_id, before.version, maybe_signed(caller)))


@routes.post("/people/{person_id}/return", Rule("person.enable", Permission.MANAGE, PEOPLE, confirm=True))
def enable_person(node: NodeHere, caller: CallerHere, person_id: PersonId) -> PersonShape:
    """Let a person in again, with the passkeys that they had."""
    before = node.doors.people.get(caller.identity, person_id)
    return person_shape(node.doors.people.enable(caller.identity, person_id, before.version, maybe_signed(caller)))


@routes.post(
    "/people/{person_id}/invitation",
    Rule("invitation.make", Permission.MANAGE, PEOPLE, confirm=True, secret=True),
    status_code=201,
)
def invite_person(node: NodeHere, caller: CallerHere, person_id: PersonId, asked: InvitationAsked) -> Invitation:
    """A one-time link by which a person makes their first passkey; or, with their recovery code, a new one."""
    invite = node.doors.invite_with_code if asked.with_code else node.doors.invite
    secret = invite(caller.identity, person_id, maybe_signed(caller))
    expires = moment(node.store.now() + node.doors.config.invitation * 1_000_000)
    return Invitation(url=invitation_url(node, secret), expires=expires)


@routes.post("/people/{person_id}/links", Rule("oidc.link", Permission.MANAGE, PEOPLE, confirm=True), status_code=201)
def link_person(node: NodeHere, caller: CallerHere, person_id: PersonId, asked: Link) -> Done:
    """Let whom the OpenID provider calls `subject` come in as this person."""
    node.doors.people.link(caller.identity, person_id, asked.issuer, asked.subject, maybe_signed(caller))
    return Done()


@routes.get("/groups", Rule("group.list", kinds=PEOPLE))
def list_groups(node: NodeHere, caller: CallerHere) -> Groups:
    """The need-to-know groups: one's own; all for administrators and auditors."""
    found = node.doors.people.groups(caller.identity, most=500)
    return Groups(groups=[_group(node, caller, group) for group in found])


@routes.post("/groups", Rule("group.add", Permission.MANAGE, PEOPLE, confirm=True), status_code=201)
def add_group(node: NodeHere, caller: CallerHere, asked: GroupAsked) -> GroupShape:
    """A new group, without members."""
    group = node.doors.people.add_group(caller.identity, asked.name, maybe_signed(caller))
    return GroupShape(id=group.id, name=group.name, people=[])


@routes.put(
    "/groups/{group_id}/people", Rule("group.members", Permission.MANAGE, PEOPLE, confirm=True), versioned=False
)
def set_group_members(node: NodeHere, caller: CallerHere, group_id: GroupId, asked: GroupMembers) -> GroupShape:
    """Say who the members are: all of them."""
    people, signed = node.doors.people, maybe_signed(caller)
    before = set(people.members(caller.identity, group_id))
    for person in sorted(set(asked.people) - before):
        people.join(caller.identity, group_id, person, signed)
    for person in sorted(before - set(asked.people)):
        people.leave(caller.identity, group_id, person, signed)
    group = next(group for group in people.groups(caller.identity, most=500) if group.id == group_id)
    return _group(node, caller, group)


def person_shape(person: Person) -> PersonShape:
    """A person, shaped."""
    return PersonShape.model_construct(
        id=person.id,
        name=person.name,
        organisation=person.organisation,
        roles=sorted(person.roles),
        highest=person.highest.label,
        mail=person.mail,
        created=moment(person.created_at),
        disabled=moment(person.disabled_at),
        version=person.version,
    )


def invitation_url(node: Node, secret: str) -> str:
    """The link of a one-time secret; it stands behind the #, so that no server's log has it."""
    return f"{node.config.origin}/sign-in#{secret}"


def _group(node: Node, caller: Caller, group: Group) -> GroupShape:
    members = sorted(node.doors.people.members(caller.identity, group.id))
    return GroupShape(id=group.id, name=group.name, people=members)
