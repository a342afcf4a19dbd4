"""What a node refers to: recipients, legal profiles and clocks that ship, and those of its own folder over them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from shieldwall.cases.clocks import Clocks
from shieldwall.cases.clocks import shipped as shipped_clocks
from shieldwall.cases.legal import LegalProfiles
from shieldwall.cases.legal import shipped as shipped_legal
from shieldwall.cases.recipients import Profiles, read_profiles
from shieldwall.cases.recipients import shipped as shipped_profiles
from shieldwall.cases.request import Sender
from shieldwall.intel.textfile import decode, read_bytes
from shieldwall.model.tomltable import TomlTable

if TYPE_CHECKING:
    from shieldwall.node.node import Node

RECIPIENTS, AGENCY = "recipients.toml", "agency.toml"
_LARGEST = 1 << 20  # bytes


def profiles_of(node: Node) -> Profiles:
    """The recipients that a node knows; those in `recipients.toml` of its folder take the place of the shipped ones.

    Raises:
        BadText: The file does not fit.
    """
    path = node.home.path / RECIPIENTS
    return (
        shipped_profiles().with_further(read_profiles(_text(path), str(path))) if path.is_file() else shipped_profiles()
    )


def legal_profiles() -> LegalProfiles:
    """The legal profiles."""
    return shipped_legal()


def clocks() -> Clocks:
    """The reporting clocks."""
    return shipped_clocks()


def sender_of(node: Node) -> Sender:
    """What is known of whoever sends requests from this node: `agency.toml` of its folder; nothing where there is none.

    Raises:
        BadText: The file does not fit.
    """
    path = node.home.path / AGENCY
    if not path.is_file():
        return Sender()
    table = TomlTable.parse(_text(path), str(path))
    sender = Sender(**{each.name: table.take_text(each.name, "") for each in fields(Sender)})
    table.finish()
    return sender


def _text(path: Path) -> str:
    return decode(read_bytes(path, limit=_LARGEST), str(path))
