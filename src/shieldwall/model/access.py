"""Who may see an object, and who may do what: the one decision that every query and every exit asks.

An object carries its `Handling`; whoever asks is an `Identity`. The rules, all of which must hold:

1. The identity may read at all: administrators and auditors run the node, they do not read its cases.
2. The marking is not above the highest that the identity may see.
3. An object of a case is for members of that case, one of a need-to-know group for members of that group.
4. TLP:RED names its readers: the members of its case or group, else its owner alone. No audience means nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shieldwall.model.marking import STRICTEST, STRICTEST_PAP, Action, Marking, Pap, allows


class Permission(StrEnum):
    """What a role may do."""

    READ = "read"  # objects, as far as `may_see` goes
    WRITE = "write"  # make claims, cases, traces, watches; start jobs
    APPROVE = "approve"  # decide on what another person asks for
    AUDIT = "audit"  # read and verify the audit log
    MANAGE = "manage"  # people, groups, tokens, keys, the node itself


class Role(StrEnum):
    """Roles of people; someone may have several."""

    VIEWER = "viewer"
    ANALYST = "analyst"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


GRANTS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset((Permission.READ,)),
    Role.ANALYST: frozenset((Permission.READ, Permission.WRITE)),
    Role.APPROVER: frozenset((Permission.READ, Permission.APPROVE)),
    Role.AUDITOR: frozenset((Permission.AUDIT,)),
    Role.ADMINISTRATOR: frozenset((Permission.MANAGE,)),
}
"""What each role grants. Nobody who runs the node reads its cases by that, and nobody approves by writing."""


class Kind(StrEnum):
    """How someone came in."""

    PERSON = "person"  # a session that a passkey opened
    TOKEN = "token"  # noqa: S105 - a machine token, which acts for a person and never for more
    OPERATOR = "operator"  # the command line on this machine, which holds the node's key
    NODE = "node"  # the node itself: jobs, watches
    PARTNER = "partner"  # another organisation's machine, which sees what was released to it and nothing else


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whoever asks.

    Attributes:
        kind: How they came in.
        person: Id of the person who answers for it; "" for the node itself.
        name: As the audit log shows it.
        roles: Of the person.
        highest: The highest marking that it may see; of a token the lower of the token's and the person's.
        groups: Ids of the need-to-know groups.
        cases: Ids of the cases that it is a member of, by name or by group.
        scopes: What a token is limited to; None for people, who are limited by their roles alone.
        token: Id of the token; "" for none.
    """

    kind: Kind
    person: str
    name: str
    roles: frozenset[Role] = frozenset()
    highest: Marking = Marking.CLEAR
    groups: frozenset[str] = frozenset()
    cases: frozenset[str] = frozenset()
    scopes: frozenset[Permission] | None = None
    token: str = ""

    @property
    def permissions(self) -> frozenset[Permission]:
        """What it may do: what its roles grant, of a token no more than its scopes."""
        granted = frozenset(permission for role in self.roles for permission in GRANTS[role])
        return granted if self.scopes is None else granted & self.scopes

    def may(self, permission: Permission) -> bool:
        """Whether it has a permission."""
        return permission in self.permissions


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """What guards an object. The strictest of everything unless said otherwise.

    Attributes:
        marking: TLP.
        pap: What may be done with it.
        owner: Id of the person who made or imported it; "" for the node.
        case: Id of the case that it belongs to; None for none.
        group: Id of the need-to-know group that it is for; None for none.
    """

    marking: Marking = STRICTEST
    pap: Pap = STRICTEST_PAP
    owner: str = ""
    case: str | None = None
    group: str | None = None


class Guarded(Protocol):
    """An object that says how it must be handled."""

    @property
    def handling(self) -> Handling:
        """Its handling."""


def may_see(identity: Identity, thing: Guarded | Handling) -> bool:
    """Whether `identity` may see `thing`, or learn that it exists. The rules stand in the module's docstring.

    Example:
        >>> mara = Identity(kind=Kind.PERSON, person="p1", name="Mara", roles=frozenset((Role.ANALYST,)), highest=Marking.AMBER)
        >>> may_see(mara, Handling(marking=Marking.GREEN)), may_see(mara, Handling(marking=Marking.GREEN, case="c1"))
        (True, False)
    """
    handling = thing if isinstance(thing, Handling) else thing.handling
    if not identity.may(Permission.READ) or handling.marking > identity.highest:
        return False
    if handling.case is not None and handling.case not in identity.cases:
        return False
    if handling.group is not None and handling.group not in identity.groups:
        return False
    if handling.marking < Marking.RED or handling.case is not None or handling.group is not None:
        return True
    return bool(handling.owner) and handling.owner == identity.person


def may_do(identity: Identity, thing: Guarded | Handling, action: Action) -> bool:
    """Whether `identity` may use `thing` for `action`: it must see it, and its PAP must allow that."""
    handling = thing if isinstance(thing, Handling) else thing.handling
    return may_see(identity, handling) and allows(handling.pap, action)


def joint(first: Handling, *others: Handling) -> Handling:
    """The handling of what is made out of several objects: the strictest marking and PAP of all.

    Args:
        first: Whose owner, case and group the result has.
        others: What else it is made of. A case or group of theirs that `first` has not makes the result TLP:RED for the
            owner alone, since nobody else is known to be in all of them; so does what one person alone may see.
    """
    marking = max(each.marking for each in (first, *others))
    pap = max(each.pap for each in (first, *others))
    strangers = {each.case for each in others} - {None, first.case} or {each.group for each in others} - {
        None,
        first.group,
    }
    alone = any(each.marking == STRICTEST and each.case is None and each.group is None for each in others)
    if strangers or alone:
        return Handling(marking=STRICTEST, pap=pap, owner=first.owner)
    return Handling(marking=marking, pap=pap, owner=first.owner, case=first.case, group=first.group)
