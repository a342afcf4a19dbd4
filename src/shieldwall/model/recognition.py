"""Whether one word is an address, on which networks, and whether it looks like one: nothing but the networks' own rules.

Networks share version bytes and prefixes (all test networks do), so an address may be valid on several; all are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from embit import base58

from shieldwall.model import address
from shieldwall.model.address import BASE58, BECH32, MAX_LENGTH
from shieldwall.model.network import NETWORKS, Network

SHORTEST = 14  # characters: a segwit address with a program of two bytes
_SHORTEST_BASE58, _LONGEST_BASE58 = 26, 35  # characters of 25 bytes, from all zeros to the highest version
_LIKELY_BASE58 = 32  # characters: shorter ones have three and more zero bytes in their hash, one in ten million
_PROGRAMS = (39, 59)  # characters behind the separator: programs of 20 and 32 bytes with version and checksum
_SLACK = 2  # characters too many or too few that still look like one
_STRANGE = 3  # characters that stand in no bech32 address, in something that still looks like one


def recognize(word: str) -> tuple[str, tuple[Network, ...]] | None:
    """The address that `word` is, in its normal form, with every network it is valid on; None for none.

    Example:
        >>> name, networks = recognize("34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo")
        >>> name, networks[0].name
        ('34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo', 'main')
    """
    if not SHORTEST <= len(word) <= MAX_LENGTH:
        return None
    networks = prefixes().get(word[: word.rfind("1")].lower())
    if networks is not None and address.parse(word, networks[0]) is not None:
        return word.lower(), networks  # BIP 173: written in capitals it is the same address
    if not _SHORTEST_BASE58 <= len(word) <= _LONGEST_BASE58 or word[0] not in first_letters():
        return None
    try:
        raw = base58.decode_check(word)
    except ValueError:
        return None
    networks = of_version(raw[0]) if len(raw) == 21 else ()
    return (word, networks) if networks else None


def resembles(word: str, network: Network | None = None) -> tuple[Network, ...]:
    """One network of each kind whose addresses `word` looks like, by prefix, length and characters; none for none.

    A word that is all of one case or has no digit is none in Base58: names in programs and base64 are full of those.

    Args:
        word: Letters and digits.
        network: The only network to think of; None for all.
    """
    prefix, separator, rest = word.lower().partition("1")
    networks = prefixes().get(prefix)
    if networks is not None and separator and any(abs(len(rest) - size) <= _SLACK for size in _PROGRAMS):
        strange = sum(letter not in BECH32 for letter in rest)
        return _chosen((networks,), network) if strange <= _STRANGE else ()
    likely = (
        _LIKELY_BASE58 <= len(word) <= _LONGEST_BASE58
        and any(c.islower() for c in word)
        and any(c.isupper() for c in word)
        and any(c.isdigit() for c in word[1:])
    )
    return _chosen(first_letters().get(word[0], ()), network) if likely else ()


def _chosen(kinds: tuple[tuple[Network, ...], ...], network: Network | None) -> tuple[Network, ...]:
    if network is None:
        return tuple(networks[0] for networks in kinds)
    return (network,) if any(network in networks for networks in kinds) else ()


@cache
def of_version(version: int) -> tuple[Network, ...]:
    """The networks on which Base58 addresses with this version byte are valid."""
    probe = base58.encode_check(bytes([version]) + bytes(20))
    return tuple(network for network in NETWORKS.values() if address.parse(probe, network) is not None)


@cache
def first_letters() -> Mapping[str, tuple[tuple[Network, ...], ...]]:
    """First letters of Base58 addresses, each with the networks of every version byte that gives it."""
    found: dict[str, tuple[tuple[Network, ...], ...]] = {}
    for version in range(256):
        networks = of_version(version)
        if not networks:
            continue
        lowest, highest = (base58.encode_check(bytes([version]) + fill * 20)[0] for fill in (b"\x00", b"\xff"))
        for letter in BASE58[BASE58.index(lowest) : BASE58.index(highest) + 1]:
            found[letter] = (*found.get(letter, ()), networks)
    return found


@cache
def prefixes() -> Mapping[str, tuple[Network, ...]]:
    """Human-readable parts of segwit addresses, each with the networks that share it."""
    found: dict[str, tuple[Network, ...]] = {}
    for network in NETWORKS.values():
        found[network.hrp] = (*found.get(network.hrp, ()), network)
    return found
