"""Who acts where no person signed in: the node itself, and whoever holds its key on this machine."""

from __future__ import annotations

from shieldwall.model.access import Identity, Kind, Role

NODE = Identity(kind=Kind.NODE, person="", name="node")
"""The node itself: starts, stops, signed roots."""


def operator(user: str) -> Identity:
    """The command line, run by a user of this machine: it may run the node and read its audit log, not its cases.

    Args:
        user: The user's name, as the audit log shows it.
    """
    roles = frozenset((Role.ADMINISTRATOR, Role.AUDITOR))
    return Identity(kind=Kind.OPERATOR, person="", name=f"operator: {user[:80]}", roles=roles)
