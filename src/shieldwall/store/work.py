"""What can be done within one act: the parts of the store, bound to a transaction and to whoever asks."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shieldwall.errors import NotAllowed
from shieldwall.model.access import Identity, Permission
from shieldwall.store.answers import Answers
from shieldwall.store.approvals import Approvals
from shieldwall.store.attempts import AttemptLog
from shieldwall.store.audit import AuditLog
from shieldwall.store.cases import Cases
from shieldwall.store.claims import Claims
from shieldwall.store.collections import Collections
from shieldwall.store.credentials import Credentials
from shieldwall.store.evidence import EvidenceRows
from shieldwall.store.files import Files
from shieldwall.store.ids import new_id
from shieldwall.store.jobs import Jobs
from shieldwall.store.nodekeys import NodeKeyRows
from shieldwall.store.notes import Notes
from shieldwall.store.partners import Partners
from shieldwall.store.people import People
from shieldwall.store.requests import Requests
from shieldwall.store.rules import ReleaseRules
from shieldwall.store.served import Served
from shieldwall.store.sessions import Sessions, Tokens
from shieldwall.store.sheets import Sheets
from shieldwall.store.sources import Sources
from shieldwall.store.stixobjects import StixObjects
from shieldwall.store.tagsets import TagSetRows
from shieldwall.store.timeline import Timeline
from shieldwall.store.travels import Travels
from shieldwall.store.watches import Watches

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from shieldwall.store.engine import Store

__all__ = ["Work", "new_id"]


class Work:
    """One act under way.

    Attributes:
        store: The store.
        connection: Its transaction.
        identity: Whoever asks.
        now: When, in microseconds.
        began: When its transaction began, in seconds of `time.monotonic`.
        versions: Of the people whom it changes, by id.
    """

    def __init__(self, store: Store, connection: Connection, identity: Identity, detail: dict[str, Any]) -> None:
        self.store = store
        self.connection = connection
        self.identity = identity
        self.began = time.monotonic()
        self.versions: dict[str, int] = {}
        self._detail = detail

    @cached_property
    def now(self) -> int:
        """When, in microseconds; never before the last entry of the audit log."""
        return self.store.time(self.connection)

    def note(self, **detail: Any) -> None:  # noqa: ANN401 - any JSON value
        """Add to the audit record: what was found or made, as ids and counts."""
        self._detail.update(detail)

    def must(self, permission: Permission) -> None:
        """Refuse whoever has not a permission.

        Raises:
            NotAllowed: They have not.
        """
        if not self.identity.may(permission):
            raise NotAllowed(f"that needs the permission to {permission.value}")

    def seal(self, table: str, column: str, row: str | bytes, plain: bytes) -> bytes:
        """A value as it stands in a column that ends in `_sealed`."""
        return self.store.backend.sealer.seal(table, column, row, plain)

    def open(self, table: str, column: str, row: str | bytes, sealed: bytes) -> bytes:
        """The value again."""
        return self.store.backend.sealer.open(table, column, row, sealed)

    @cached_property
    def audit(self) -> AuditLog:
        """The audit log."""
        return AuditLog(self.connection, self.store.backend)

    @cached_property
    def claims(self) -> Claims:
        """Claims."""
        return Claims(self)

    @cached_property
    def answers(self) -> Answers:
        """Answers to writes that carried an idempotency key."""
        return Answers(self)

    @cached_property
    def approvals(self) -> Approvals:
        """What a second person must decide on."""
        return Approvals(self)

    @cached_property
    def cases(self) -> Cases:
        """Cases, and where they meet."""
        return Cases(self)

    @cached_property
    def files(self) -> Files:
        """Files."""
        return Files(self)

    @cached_property
    def timeline(self) -> Timeline:
        """What happened in cases, and when that became known."""
        return Timeline(self)

    @cached_property
    def evidence(self) -> EvidenceRows:
        """Evidence and its custody."""
        return EvidenceRows(self)

    @cached_property
    def requests(self) -> Requests:
        """Requests, and what was done with them."""
        return Requests(self)

    @cached_property
    def travels(self) -> Travels:
        """Where claims and requests went."""
        return Travels(self)

    @cached_property
    def jobs(self) -> Jobs:
        """Jobs."""
        return Jobs(self)

    @cached_property
    def notes(self) -> Notes:
        """What the node notes about itself."""
        return Notes(self)

    @cached_property
    def node_keys(self) -> NodeKeyRows:
        """The node's own signing keys."""
        return NodeKeyRows(self)

    @cached_property
    def people(self) -> People:
        """People and groups."""
        return People(self)

    @cached_property
    def credentials(self) -> Credentials:
        """How people prove who they are."""
        return Credentials(self)

    @cached_property
    def sessions(self) -> Sessions:
        """Sessions of people."""
        return Sessions(self)

    @cached_property
    def tokens(self) -> Tokens:
        """Tokens of machines."""
        return Tokens(self)

    @cached_property
    def attempts(self) -> AttemptLog:
        """Attempts that failed."""
        return AttemptLog(self)

    @cached_property
    def sheets(self) -> Sheets:
        """What people did with traces."""
        return Sheets(self)

    @cached_property
    def watches(self) -> Watches:
        """Watches, alarms, and deliveries."""
        return Watches(self)

    @cached_property
    def tagsets(self) -> TagSetRows:
        """Versions of tag sets."""
        return TagSetRows(self)

    @cached_property
    def partners(self) -> Partners:
        """Partners, their groups, and by what they come in."""
        return Partners(self)

    @cached_property
    def stix(self) -> StixObjects:
        """STIX objects."""
        return StixObjects(self)

    @cached_property
    def collections(self) -> Collections:
        """What goes to whom."""
        return Collections(self)

    @cached_property
    def sources(self) -> Sources:
        """What is pulled from elsewhere."""
        return Sources(self)

    @cached_property
    def rules(self) -> ReleaseRules:
        """What goes to whom by itself."""
        return ReleaseRules(self)

    @cached_property
    def served(self) -> Served:
        """What partners read, and who has what."""
        return Served(self)
