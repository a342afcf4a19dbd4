"""How tainted money divides in a transaction: poison, haircut, FIFO, LIFO, TIHO; one file each, one seam."""

from __future__ import annotations

from shieldwall.errors import UsageError
from shieldwall.trace.methods.fifo import Fifo
from shieldwall.trace.methods.haircut import Haircut
from shieldwall.trace.methods.interface import Method
from shieldwall.trace.methods.lifo import Lifo
from shieldwall.trace.methods.poison import Poison
from shieldwall.trace.methods.tiho import Tiho

METHODS: dict[str, type[Method]] = {method.name: method for method in (Poison, Haircut, Fifo, Lifo, Tiho)}


def method_named(name: str) -> Method:
    """The method called `name`.

    Raises:
        UsageError: No such method.
    """
    try:
        return METHODS[name]()
    except KeyError:
        raise UsageError(f"no method is called {name!r}", hint=f"use one of: {', '.join(METHODS)}, all") from None
