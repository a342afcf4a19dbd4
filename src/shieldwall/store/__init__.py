"""The node's store, and the only room that speaks SQL: claims, people, cases, files, jobs, watches, and the audit log.

Everything is reached through an act: `Store.act` and `Store.look` name who asks and what for, and the record of it is written
before anyone has an answer. No audit, no answer.

Example:
    >>> import tempfile, pathlib
    >>> from shieldwall.model.access import Identity, Kind, Role
    >>> from shieldwall.model.marking import Marking
    >>> from shieldwall.store import Secrets, Store
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = Store.create(str(pathlib.Path(folder.name) / "node.db"), Secrets(bytes(32)))
    >>> mara = Identity(kind=Kind.PERSON, person="p1", name="Mara", roles=frozenset((Role.ANALYST,)), highest=Marking.AMBER)
    >>> with store.look(mara, "claim.find") as work:
    ...     len(work.claims.page(most=10))
    0
    >>> store.audit_size()
    1
    >>> store.close(); folder.cleanup()

What it does not know: what a claim of some kind means, how anyone signs in, files and servers beyond its own database, and
anything that is shown.
"""

from shieldwall.store.engine import Store
from shieldwall.store.envelope import Secrets

__all__ = ["Secrets", "Store"]
