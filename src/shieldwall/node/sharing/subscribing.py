"""Pull the sources whose time has come, each in the name of whoever subscribed, with the rights that they have now."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from shieldwall.errors import ShieldwallError
from shieldwall.model.access import Identity
from shieldwall.node.operators import NODE
from shieldwall.node.sharing.pulling import Ask, pull_source, remote_of

if TYPE_CHECKING:
    from shieldwall.node.node import Node

ACT = "share.subscription"
_log = logging.getLogger(__name__)


class Subscriber:
    """Pulls what is due.

    Args:
        node: Where.
        identity_of: Whose source it is, by the id of the person; Refused where they may not come in any more.
        ask: Sends a request; None for the network.
        wait: Waits so many seconds.
    """

    def __init__(
        self,
        node: Node,
        identity_of: Callable[[str], Identity],
        *,
        ask: Ask | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._node = node
        self._identity_of = identity_of
        self._ask = ask
        self._wait = wait

    def tick(self) -> int:
        """Pull what is due; returns how many were asked. One that fails keeps no other one waiting."""
        with self._node.store.inside(NODE) as work:
            due = work.sources.due()
        for source_id, owner in due:
            try:
                identity = self._identity_of(owner)
                with self._node.store.inside(identity) as work:
                    source = work.sources.get(source_id)
                pull_source(self._node, identity, ACT, source, remote_of(source), ask=self._ask, wait=self._wait)
            except Exception as error:  # noqa: BLE001 - the others must go on; the words of a fault may hold what is secret
                _log.warning("source %s: %s", source_id, type(error).__name__)
                words = error.message if isinstance(error, ShieldwallError) else f"a fault: {type(error).__name__}"
                with self._node.store.act(NODE, ACT, source=source_id) as work:
                    work.sources.failed(source_id, words)
        return len(due)
