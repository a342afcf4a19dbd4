"""Signed roots of the audit log: made, exported, and what the log and older roots are held against.

A `Witness` signs where the log stands, holds the log against the newest exported root at every start, and lets an administrator
go on with a log that does not fit, in the open. `node.auditing` verifies the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from shieldwall.errors import Tampered, UsageError
from shieldwall.model.access import Identity
from shieldwall.model.canonical import canonical_json
from shieldwall.model.moment import utc
from shieldwall.node.exported import PURPOSE, Exported, SignedRoot, root_message
from shieldwall.node.identity import NodeKeys, refreshed
from shieldwall.node.operators import NODE
from shieldwall.store import Store
from shieldwall.store.audit import Root

_ACCEPT = "an administrator who knows why may go on with: shieldwall node audit accept --reason TEXT"


@dataclass(frozen=True, slots=True)
class Due:
    """When the next root is due: after so many leaves, or so long after the last one when the log grew (microseconds)."""

    leaves: int = 1000
    age: int = 15 * 60 * 1_000_000

    def is_due(self, size: int, now: int, last: SignedRoot | None) -> bool:
        """Whether a log of `size` leaves needs a root now."""
        if last is None or last.size > size:
            return True
        grown = size - last.size
        return grown >= self.leaves or (grown > 0 and now - last.at >= self.age)


@dataclass(frozen=True, slots=True)
class Witness:
    """Signs roots of a node's audit log.

    Attributes:
        store: Whose log.
        keys: The node's keys.
        exported: The file of signed roots.
        due: When a root is due.
    """

    store: Store
    keys: NodeKeys
    exported: Exported
    due: Due = Due()

    def sign(self, identity: Identity = NODE) -> SignedRoot:
        """Sign where the log stands, keep that in the store, and append it to the exported file, synced to disk.

        At start, at stop, and after a command that wrote. A log that has not grown since the newest line adds none.

        Raises:
            StoreError: The file or the store cannot be written.
            Tampered: The log does not continue the newest line.
        """
        return self._sign(identity, "")

    def sign_if_due(self, identity: Identity = NODE) -> SignedRoot | None:
        """`sign`, where a root is due; None where not. Cheap to ask, so the server asks every few seconds.

        Raises:
            StoreError: See `sign`.
            Tampered: See `sign`.
        """
        if not self.due.is_due(self.store.audit_size(), self.store.now(), self.exported.last()):
            return None
        return self._sign(identity, "")

    def accept(self, identity: Identity, reason: str) -> SignedRoot:
        """Go on with a log that does not fit the exported roots: a leaf and a signed line say so, and the old lines stay.

        Raises:
            UsageError: No reason is given.
        """
        words = " ".join(reason.split())
        if not words or len(words) > 500:
            raise UsageError("accepting a log that does not fit needs a reason of 1 to 500 characters")
        last = self.exported.last()
        before = {"size": last.size, "root": last.root.hex()} if last else {}
        self.store.record(identity, "audit.accept", "done", reason=words, exported=before)
        return self._sign(identity, words)

    def verify_quickly(self, identity: Identity = NODE) -> None:
        """Hold the log against the newest exported root, and its head against its last leaf: at every start.

        Raises:
            Tampered: The log is not the one that was signed: an older copy, or a rewritten one.
        """
        last = self.exported.last()
        if last is not None:
            self._continues(last, identity)
        with self.store.inside(identity) as work:
            head = work.audit.head()
            size = head.frontier.size
            standing = work.audit.root_at(size)
            exported_before = last is None and bool(work.audit.roots())
        if last is None and exported_before:
            raise Tampered(
                f"{self.exported.path}: the exported roots of the audit log are gone",
                hint=f"put the file back; {_ACCEPT}",
            )
        if standing != head.frontier.root:
            raise Tampered(
                f"the audit log's head says {size} leaves, and its leaves say something else",
                hint=f"shieldwall node audit verify names the leaf; {_ACCEPT}",
            )

    def _sign(self, identity: Identity, accepts: str) -> SignedRoot:
        with self.exported.appending() as file:
            if file.last is not None and not accepts:
                self._continues(file.last, identity)
            with self.store.inside(identity) as work:
                head = work.audit.head()
                at = work.now
            keys = refreshed(self.store, identity, self.keys)
            at = max(at, keys.identity.generations[-1].created_at)  # another process may have rotated them just now
            size, root = head.frontier.size, head.frontier.root
            if file.last is not None and file.last.size == size and file.last.root == root and not accepts:
                return file.last
            node = keys.identity.node
            envelope = keys.sign(PURPOSE, root_message(node, size, at, root, accepts))
            signed = SignedRoot(node=node, size=size, at=at, root=root, accepts=accepts, envelope=envelope)
            file.append(signed)  # first of the two: what is signed and not exported would witness nothing
            with self.store.upkeep(identity) as work:
                kept = canonical_json({"accepts": accepts, "signature": envelope})
                work.audit.keep_root(Root(size, at, root, kept))
        return signed

    def _continues(self, last: SignedRoot, identity: Identity) -> None:
        """That the log continues a signed root."""
        known = refreshed(self.store, identity, self.keys).identity
        if last.node != known.node:
            raise Tampered(
                f"{self.exported.path}: signed by another node ({last.node[:32]})",
                hint="set audit_roots in node.toml aright",
            )
        with self.store.inside(identity) as work:
            size = work.audit.head().frontier.size
            found = work.audit.root_at(last.size)
        signed = f"a root over {last.size} leaves was signed at {utc(last.at // 1_000_000)}"
        if size < last.size:
            raise Tampered(
                f"the audit log has {size} leaves, and {signed}: leaves {size} to {last.size - 1} are missing; "
                "this is an older copy of the database, or its end was cut off",
                hint=f"restore the newest backup; {_ACCEPT}",
            )
        try:
            known.verify(PURPOSE, last.message, last.envelope, at=last.at)
        except Tampered as error:
            raise Tampered(f"{self.exported.path}: its last line: {error.message}", hint=_ACCEPT) from None
        if found != last.root:
            raise Tampered(
                f"the audit log was written anew: {signed}, and its first {last.size} leaves have another root now",
                hint=f"shieldwall node audit verify names the leaves; {_ACCEPT}",
            )
