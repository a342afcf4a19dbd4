"""What all shapes share: strict reading, pages, handling, and the words of markings and roles."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from shieldwall.model.access import Handling
from shieldwall.model.marking import parse_marking, parse_pap

Text = Annotated[str, StringConstraints(max_length=2000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Tlp = Literal["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"]
PapWord = Literal["PAP:CLEAR", "PAP:GREEN", "PAP:AMBER", "PAP:RED"]
RoleWord = Literal["viewer", "analyst", "approver", "auditor", "administrator"]
ScopeWord = Literal["read", "write", "audit"]


class Shape(BaseModel):
    """What every shape is: frozen, strict, and closed to unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Page(Shape):
    """A page of a list; `next` is the cursor to what follows, absent on the last page."""

    next: str | None = None


class Done(Shape):
    """That something was done."""

    done: Literal[True] = True


class HandlingShape(Shape):
    """Who may see an object, and what may be done with it."""

    marking: Tlp
    pap: PapWord
    owner: str = ""
    case: Id | None = None
    group: Id | None = None

    @classmethod
    def of(cls, handling: Handling) -> HandlingShape:
        """The shape of a handling."""
        return cls.model_construct(
            marking=handling.marking.label,
            pap=handling.pap.label,
            owner=handling.owner,
            case=handling.case,
            group=handling.group,
        )


class HandlingAsked(Shape):
    """The handling of something new; what is not said is the strictest."""

    marking: Tlp = "TLP:RED"
    pap: PapWord = "PAP:RED"
    case: Id | None = None
    group: Id | None = None

    def of(self, owner: str) -> Handling:
        """The handling, owned by whoever makes the thing."""
        return Handling(
            marking=parse_marking(self.marking), pap=parse_pap(self.pap), owner=owner, case=self.case, group=self.group
        )
