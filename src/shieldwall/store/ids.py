"""Ids of what the store keeps."""

from __future__ import annotations

import secrets


def new_id() -> str:
    """A random id of 128 bits, 32 hex digits."""
    return secrets.token_hex(16)
