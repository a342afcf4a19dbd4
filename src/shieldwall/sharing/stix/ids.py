"""Identifiers that anyone arrives at alike.

Cyber-observable objects have a UUIDv5 of their contributing properties in the namespace that STIX names for them (section 2.9);
other objects must stay out of it, so those of ours have one in a namespace of our own.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from shieldwall.model.canonical import canonical_json

OBSERVABLE_SPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
OWN_SPACE = uuid.UUID("02cc88a3-1fac-4019-b5c2-3b641885a70c")
"""Ours, drawn at random; docs/spec/stix.md names it."""


def observable_id(kind: str, contributing: Mapping[str, Any]) -> str:
    """The identifier of a cyber-observable object, from its contributing properties (no floats among them).

    Example:
        >>> observable_id("ipv4-addr", {"value": "198.51.100.3"})
        'ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4'
    """
    return f"{kind}--{uuid.uuid5(OBSERVABLE_SPACE, canonical_json(dict(contributing)).decode())}"


def own_id(kind: str, *named: str) -> str:
    """The identifier of an object of ours that is not observable, from what makes it one: its maker first."""
    return f"{kind}--{uuid.uuid5(OWN_SPACE, canonical_json([kind, *named]).decode())}"
