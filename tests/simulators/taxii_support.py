"""A node with its TAXII server in one process: partners, collections whose moments are given, and requests without a network."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from home_support import OPERATOR
from sqlalchemy import update
from web_support import Answer, Site, Wire, site_in

from shieldwall.model.access import Handling, Identity, Role
from shieldwall.model.marking import Marking, Pap
from shieldwall.node.sharing.door import PartnerDoor
from shieldwall.node.sharing.intake import new_object
from shieldwall.sharing.stix.object import object_of
from shieldwall.store.collections import Collection
from shieldwall.store.partners import Partner
from shieldwall.store.schema import collections
from shieldwall.store.stixobjects import NewObject
from shieldwall.web.taxii.answers import MEDIA_TYPE
from shieldwall.web.taxii.server import create_taxii

DAYS = 30


def indicator(number: int, *, modified: str = "2026-01-01T00:00:00.000Z", **more: Any) -> dict[str, Any]:
    """An indicator that says nothing."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{number:08x}-0000-4000-8000-000000000000",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": modified,
        "pattern_type": "stix",
        "pattern": f"[url:value = 'https://{number}.example']",
        "valid_from": "2026-01-01T00:00:00Z",
        **more,
    }


def new_of(body: Mapping[str, Any], handling: Handling, raw: bytes | None = None) -> NewObject:
    """An object as intake keeps it, with a handling that is given."""
    written = json.dumps(body).encode() if raw is None else raw
    thing = object_of(dict(body), written, "here")
    return new_object(thing, handling)


@dataclass(frozen=True)
class Client:
    """Whoever asks the TAXII server."""

    wire: Wire
    headers: Mapping[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def ask(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Answer:
        given = {"accept": MEDIA_TYPE} | dict(self.headers)
        for name, value in (headers or {}).items():
            given[name.replace("_", "-").lower()] = value
        return self.wire.ask(method, path, headers={name: text for name, text in given.items() if text}, **more)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("POST", path, headers={"content-type": MEDIA_TYPE, **headers}, body=raw)

    def every(self, path: str, **headers: str) -> list[Any]:
        """The objects of all pages."""
        found, joint = [], "&" if "?" in path else "?"
        body = self.get(path, **headers).json
        found += body.get("objects", [])
        while body["more"]:
            body = self.get(f"{path}{joint}next={body['next']}", **headers).json
            found += body.get("objects", [])
        return found


class TaxiiSite:
    """The TAXII server of a site; Ada manages partners, Ingrid releases."""

    def __init__(self, site: Site) -> None:
        self.site, self.node, self.store = site, site.node, site.store
        self.node.partners = PartnerDoor(self.store, self.node.doors.gate)
        self.wire = Wire(create_taxii(self.node), site.wire.loop)
        self.nobody = Client(self.wire)
        self._ada = site.person("Ada", Role.ADMINISTRATOR)
        self._ingrid = site.person("Ingrid", Role.APPROVER, Role.ANALYST)

    @property
    def ada(self) -> Identity:
        return self.site.identity(self._ada)

    @property
    def ingrid(self) -> Identity:
        return self.site.identity(self._ingrid)

    def group(self, name: str) -> str:
        """Id of a new group of partners."""
        with self.store.act(self.ada, "partner.group") as work:
            return work.partners.add_group(name).id

    def partner(self, name: str, *groups: str, highest: Marking = Marking.AMBER) -> tuple[Partner, Client]:
        """A new partner in groups, and its client."""
        with self.store.act(self.ada, "partner.add") as work:
            partner = work.partners.add(name, highest=highest)
            for group in groups:
                work.partners.join(group, partner.id)
            partner = work.partners.get(partner.id)
        text, _ = self.node.partners.issue(self.ada, "partner.secret", partner.id, days=DAYS)
        return partner, Client(self.wire, {"authorization": f"Bearer {text}"})

    def collection(self, title: str, group: str | None, **more: Any) -> Collection:
        """A new collection, of GREEN unless said otherwise."""
        given = {"highest": Marking.CLEAR if group is None else Marking.AMBER} | more
        with self.store.act(self.ingrid, "collection.add") as work:
            return work.collections.add(title, group=group, **given)

    def release(
        self,
        collection: Collection,
        bodies: Iterable[Mapping[str, Any] | bytes],
        *,
        marking: Marking = Marking.CLEAR,
        at: int | None = None,
    ) -> list[NewObject]:
        """Objects into a collection; `at` is the moment of the first one, in microseconds."""
        handling = Handling(marking=marking, pap=Pap.CLEAR, owner=self._ingrid)
        new = [
            new_of(json.loads(body), handling, body) if isinstance(body, bytes) else new_of(body, handling)
            for body in bodies
        ]
        with self.store.act(self.ingrid, "stix.add") as work:
            numbers = work.stix.add(new).numbers
        with self.store.act(self.ingrid, "share.release") as work, _at(work, collection, at):
            work.collections.release(collection.id, numbers, "agreed")
        return new


@contextlib.contextmanager
def _at(work: Any, collection: Collection, at: int | None) -> Iterator[None]:
    """Let the next object of a collection have a moment that is given: for data of other servers' tests."""
    if at is None:
        yield
        return
    chosen = collections.c.id == collection.id
    work.connection.execute(update(collections).where(chosen).values(last_added_at=at - 1))
    with mock.patch.object(type(work), "now", property(lambda _: at)):
        yield


@contextlib.contextmanager
def taxii_in(folder: Path, **settings: Any) -> Iterator[TaxiiSite]:
    """A node in a folder, with its TAXII server."""
    with site_in(folder, **settings) as site:
        yield TaxiiSite(site)


def basic(text: str) -> str:
    """The Basic credentials of a secret `swp_ID_DIGITS`."""
    _, user, password = text.split("_")
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


__all__ = ["OPERATOR", "Client", "TaxiiSite", "basic", "indicator", "new_of", "taxii_in"]
