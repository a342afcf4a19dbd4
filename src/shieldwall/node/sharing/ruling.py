"""Let go by itself what somebody decided beforehand: each rule in the name and with the rights that its maker has now.

A rule is asked of what came since it was asked last. What it lets go passes the same questions as any release: marking, PAP, and
what it names. What was withdrawn once comes back by no rule.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from shieldwall.errors import ShieldwallError
from shieldwall.model.access import Identity, Permission
from shieldwall.node.operators import NODE
from shieldwall.node.sharing.releasing import decided, superseded

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.rules import ReleaseRule

ACT = "share.rule"
_AT_ONCE = 5000  # objects that a rule is asked of in one act
_log = logging.getLogger(__name__)


class Ruler:
    """Asks the rules.

    Args:
        node: Where.
        identity_of: Whose rule it is, by the id of the person; Refused where they may not come in any more.
    """

    def __init__(self, node: Node, identity_of: Callable[[str], Identity]) -> None:
        self._node = node
        self._identity_of = identity_of

    def tick(self) -> int:
        """Ask every rule of what came; returns how many objects went. One that fails keeps no other one waiting."""
        with self._node.store.inside(NODE) as work:
            waiting = [each for each in work.rules.all() if each.ended_at is None and work.rules.waiting(each)]
        went = 0
        for rule in waiting:
            try:
                went += self._ask(rule, self._identity_of(rule.by))
            except ShieldwallError as error:
                _log.warning("rule %s: %s", rule.id, type(error).__name__)
        return went

    def _ask(self, rule: ReleaseRule, identity: Identity) -> int:
        with self._node.store.act(identity, ACT, rule=rule.id) as work:
            work.must(Permission.APPROVE)
            collection = work.collections.lock(rule.collection)
            came = work.stix.page(after=rule.done, most=_AT_ONCE)
            chosen = [
                each
                for each in came
                if each.type in rule.types and each.handling.case == rule.case and each.handling.marking <= rule.highest
            ]
            chosen = [each for each in chosen if not superseded(work, each)]
            highest = min(rule.highest, collection.highest)
            going, withheld = decided(work, identity, highest, chosen, collection, never_back=True)
            if going:
                work.collections.release(collection.id, [kept.seq for kept, _ in going], f"rule: {rule.reason}"[:2000])
            work.rules.asked(rule, came[-1].seq if came else work.rules.last())
            work.note(withheld=len(withheld))
            return len(going)
