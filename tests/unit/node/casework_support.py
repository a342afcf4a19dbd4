"""A case to work on: a site with its small chain, whoever writes, whoever approves, and somebody who is in neither."""

from __future__ import annotations

import json
from typing import Any

from pages_support import work_off
from web_support import OPERATOR, Site, address_of

from shieldwall.cases.finding import Finding
from shieldwall.cases.intake import Intake
from shieldwall.cases.reply import reply_of
from shieldwall.cases.request import Request, RequestKind
from shieldwall.model.access import Handling, Identity, Role
from shieldwall.model.claim import Layer
from shieldwall.model.marking import Marking, Pap
from shieldwall.node.casework import asking, filling, looking
from shieldwall.node.casework.asking import Asked
from shieldwall.node.casework.opening import CaseAsked, open_incident

TOLD = {
    "what": "The control network is encrypted.",
    "found": "2020-09-14T08:00:00Z",
    "group": "DarkSide",
    "victim": "Waterworks",
    "country": "DE",
}
SEEN = Finding(layer=Layer.OBSERVATION, text="One coin was paid to the address of the note.")
MADE = "2026-10-03T08:00:00Z"


class Casework:
    """A case of Mara, an analyst, and Ingrid, who approves; Nora is in no case."""

    def __init__(self, site: Site, *, marking: Marking = Marking.AMBER, pap: Pap = Pap.GREEN) -> None:
        self.site, self.node = site, site.node
        self._mara = someone(site, "Mara", Role.ANALYST)
        self._ingrid = someone(site, "Ingrid", Role.APPROVER, Role.ANALYST)
        self._nora = someone(site, "Nora", Role.ANALYST, Role.APPROVER)
        intake = Intake(TOLD | {"addresses": address_of("watched")}, (1, 2))
        asked = CaseAsked(title="Waterworks", number="NW-1", marking=marking, pap=pap, people=[self._ingrid])
        self.case = open_incident(self.node, self.mara, "case.add", intake, asked).id

    @property
    def mara(self) -> Identity:
        return self.site.identity(self._mara)

    @property
    def ingrid(self) -> Identity:
        return self.site.identity(self._ingrid)

    @property
    def nora(self) -> Identity:
        return self.site.identity(self._nora)

    def trace(self, target: str = "", **more: Any) -> str:
        """Id of a trace of the case."""
        handling = Handling(marking=Marking.AMBER, pap=Pap.AMBER, owner=self._mara, case=self.case)
        params = {"targets": [target or address_of("watched")], **more}
        self.node.runner.add(self.mara, "trace", params, f"{self.case} {sorted(more)}", handling)
        work_off(self.site)
        with self.node.store.inside(self.mara) as work:
            return str(work.files.page(most=1, case=self.case, kind="trace")[0].id)

    def draft(self, kind: RequestKind = RequestKind.FREEZE, trace: str = "", recipient: str = "binance") -> Asked:
        """A draft of Mara's."""
        legal = "exchange-voluntary-freeze" if kind is RequestKind.FREEZE else ""
        wanted = filling.Filling(kind=kind, trace=trace, recipient=recipient, legal=legal)
        request = filling.fill(self.node, self.mara, "request.fill", self.case, wanted)
        return asking.draft(self.node, self.mara, "request.draft", self.case, request)

    def approved(self, asked: Asked) -> Asked:
        """The same, submitted by Mara and approved by Ingrid."""
        asked = asking.submit(self.node, self.mara, "request.submit", asked.row.id, asked.row.version)
        digest = asked.request.digest
        return asking.decide(self.node, self.ingrid, "request.decide", asked.row.id, approve=True, digest=digest)

    def sent(self, asked: Asked) -> Asked:
        """The same, approved and sent."""
        asked = self.approved(asked)
        return asking.send(self.node, self.mara, "request.send", asked.row.id, asked.row.version)

    def look(self, who: Identity | None = None, **given: Any) -> looking.CaseView:
        """The case as it is seen."""
        return looking.look_at_case(self.node, who or self.mara, "case.show", self.case, **given)

    def inside(self) -> Any:
        """Rows as Mara may see them."""
        return self.node.store.inside(self.mara)


def someone(site: Site, name: str, *roles: Role, **more: Any) -> str:
    """Id of a person, who is made where nobody has the name yet."""
    with site.store.inside(OPERATOR) as work:
        found = [person.id for person in work.people.page(most=100) if person.name == name]
    return found[0] if found else site.person(name, *roles, **more)


def answer_to(request: Request, **fields: Any) -> bytes:
    """An answer file."""
    reply = reply_of({"outcome": "held", **fields}, request, MADE)
    return json.dumps(reply.as_dict()).encode()
