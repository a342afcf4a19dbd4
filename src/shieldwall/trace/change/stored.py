"""Change of single transactions, as people said it, in a node's store: claims like all others, with all their versions."""

from __future__ import annotations

from shieldwall.errors import Conflict
from shieldwall.model.access import Identity
from shieldwall.model.claim import Claim
from shieldwall.store import Store
from shieldwall.trace.change.overrule import OVERRULE, Overrule, OverruleBook

_AT_ONCE = 1000  # claims that are read at a time


class StoredOverrules(OverruleBook):
    """The overrules that one person may see, and those that they say.

    Args:
        store: The node's store.
        identity: Whoever asks.
        case: Id of the case that what is said belongs to; None for none.
        group: Id of the group that it is for; None for none.
    """

    def __init__(self, store: Store, identity: Identity, *, case: str | None = None, group: str | None = None) -> None:
        self._store = store
        self._identity = identity
        self._case = case
        self._group = group

    def versions(self) -> tuple[Claim, ...]:
        """Every claim that was ever said and may be seen, in the order in which they came.

        Raises:
            BadText: One is no such claim.
        """
        found: list[Claim] = []
        after = 0
        with self._store.look(self._identity, "overrule.list") as work:
            while True:
                page = work.claims.page(after=after, most=_AT_ONCE, kind=OVERRULE.name)
                found += (kept.claim for kept in page)
                if len(page) < _AT_ONCE:
                    break
                after = page[-1].seq
            work.note(found=len(found))
        for claim in found:
            Overrule.of(claim, "a claim in the store")
        return tuple(found)

    def _append(self, claim: Claim) -> None:
        """Keep one more.

        Raises:
            NotAllowed: Whoever asks may not write.
            Conflict: The same was said at the same time already.
        """
        with self._store.act(self._identity, "overrule.add") as work:
            if not work.claims.add([claim], case=self._case, group=self._group).added:
                raise Conflict("that was said at the same time already", hint="say it again with a later time")
