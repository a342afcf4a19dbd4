"""What is known about things: tags on addresses, actors, sanctions lists, and who can freeze what.

Every statement of a source is a claim of its own; sets of them are versioned on disk, looked up by subject, and merged
only when they are shown, with a count, their sources and what they do not agree on.

Example:
    >>> from shieldwall.intel import ReadOptions, Sourced, freezable_by, know, shipped, tagpack
    >>> pack = b'''
    ... title: Reserve wallets
    ... creator: Example desk
    ... currency: BTC
    ... category: exchange
    ... actor: binance
    ... confidence: service_data
    ... source: https://example.org/reserves
    ... tags:
    ... - {address: 34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo, label: Binance cold wallet}
    ... - {address: 34xp4vRoCGJym3xR7yCVPFHoCNxv4Twsee, label: one letter wrong}
    ... '''
    >>> read = tagpack.parse(pack, "reserves.yaml", ReadOptions())
    >>> len(read.claims), read.rejected[0].place, read.rejected[0].nearest
    (1, 'tag 2', ('34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo',))
    >>> claim = read.claims[0]
    >>> known = know(claim.subject, [Sourced(claim, "reserves", "v1")])
    >>> known.tags[0].label, known.tags[0].confidence, bool(known.services())
    ('Binance cold wallet', 50, True)
    >>> freezable_by(known.tags, shipped()).freezers[0].entry.name
    'Binance'

What it does not know: chains and transactions (it never asks whether an address was used), how money moved, cases,
partners, the clock, and whether a source is right. An address without a tag is unknown, not clean.
"""

from shieldwall.intel.directory import (
    Directory,
    Entry,
    Freezable,
    Freezer,
    freezable_by,
    parse_directory,
    read_directory,
    shipped,
)
from shieldwall.intel.interface import Pack, ReadOptions, Rejected, Sourced
from shieldwall.intel.known import Contradiction, Known, KnownTag, TagSource, know
from shieldwall.intel.manifest import SourceFile, TagSetInfo
from shieldwall.intel.preparing import ImportReport, Source
from shieldwall.intel.readers import read
from shieldwall.intel.shelf import Shelf
from shieldwall.intel.subject import address_subject, chain_of
from shieldwall.intel.tag import ACTOR, CONFIDENCE, SERVICE_CATEGORIES, TAG, confidence_of
from shieldwall.intel.tagset import Comparison, TagIndex, TagSets
from shieldwall.intel.yamlfile import parse_yaml, read_yaml

__all__ = [
    "ACTOR",
    "CONFIDENCE",
    "SERVICE_CATEGORIES",
    "TAG",
    "Comparison",
    "Contradiction",
    "Directory",
    "Entry",
    "Freezable",
    "Freezer",
    "ImportReport",
    "Known",
    "KnownTag",
    "Pack",
    "ReadOptions",
    "Rejected",
    "Shelf",
    "Source",
    "SourceFile",
    "Sourced",
    "TagIndex",
    "TagSetInfo",
    "TagSets",
    "TagSource",
    "address_subject",
    "chain_of",
    "confidence_of",
    "freezable_by",
    "know",
    "parse_directory",
    "parse_yaml",
    "read",
    "read_directory",
    "read_yaml",
    "shipped",
]
