"""From the currency word and the text of a source to the subject that all sources share.

BTC becomes the CAIP-2 id of the Bitcoin network; ETH, ETC, BSC and ARB become `eip155` ids (the chain ids of EIP-155).
Every other word stays as the source wrote it, in lower case: a token's word (usdt) does not tell on which chain it is,
and guessing would merge what is not one. A `network` field, where a source has one, comes before the currency.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from shieldwall.intel.interface import Rejected
from shieldwall.model import address
from shieldwall.model.claim import Subject
from shieldwall.model.network import NETWORKS, Network
from shieldwall.model.transaction import TXID

ACTOR_TYPE, ADDRESS_TYPE, TRANSACTION_TYPE = "actor", "address", "transaction"
SUGGESTIONS = 5  # rejected entries of one file for which `address.nearest` is asked: up to 0.3 s each

_BITCOIN = frozenset(("BTC", "XBT", "BITCOIN"))
_EIP155 = {"ETH": 1, "ETHEREUM": 1, "ETC": 61, "BSC": 56, "ARB": 42161}
_CAIP2 = re.compile(r"[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,31}")
_HEX_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._/@+=-]{1,199}")
_LIKE_BITCOIN = re.compile(r"[A-Za-z0-9]{25,64}")


def chain_of(currency: str, network: str, bitcoin: Network) -> tuple[str, Network | None]:
    """The chain that a source means, and the Bitcoin network if it is one; ("", None) when the words name no chain.

    Args:
        currency: The source's currency word; XBT is BTC.
        network: The source's network word or CAIP-2 id; "" for none.
        bitcoin: What BTC means.
    """
    text = network or currency
    if text.upper() in _BITCOIN:
        return bitcoin.caip2, bitcoin
    by_id = {each.caip2: each for each in NETWORKS.values()}
    known = NETWORKS.get(text.lower()) or by_id.get(text)
    if known is not None:
        return known.caip2, known
    if text.upper() in _EIP155:
        return f"eip155:{_EIP155[text.upper()]}", None
    return (text if _CAIP2.fullmatch(text) else text.lower() if _WORD.fullmatch(text) else ""), None


def address_subject(text: str, chain: str, bitcoin: Network | None, place: str) -> Subject | Rejected:
    """The subject of an address; of Bitcoin only with a checksum that holds, of other chains by its form alone."""
    if bitcoin is not None:
        script = address.parse(text, bitcoin)
        if script is None:
            return Rejected(place, text[:120], f"no valid Bitcoin address ({bitcoin.name}): its checksum does not hold")
        # one address, one subject: bech32 may be written in capitals
        return Subject(ADDRESS_TYPE, chain, address.encode(script, bitcoin) or text)
    if not _NAME.fullmatch(text):
        return Rejected(place, text[:120], "no address")
    # EIP-55 writes its checksum into the case of the letters: the address is the number
    return Subject(ADDRESS_TYPE, chain, text.lower() if _HEX_ADDRESS.fullmatch(text) else text)


def transaction_subject(text: str, chain: str, bitcoin: Network | None, place: str) -> Subject | Rejected:
    """The subject of a transaction id."""
    if bitcoin is not None and not TXID.fullmatch(text):
        return Rejected(place, text[:120], "no transaction id: 64 hex digits are needed")
    if not _NAME.fullmatch(text):
        return Rejected(place, text[:120], "no transaction id")
    bare = text[2:] if text[:2] in ("0x", "0X") else text
    return Subject(TRANSACTION_TYPE, chain, text.lower() if TXID.fullmatch(bare) else text)


def suggest(rejected: Iterable[Rejected], bitcoin: Network) -> tuple[Rejected, ...]:
    """`rejected` with the nearest valid addresses for the first few that look like one."""
    out, asked = [], 0
    for entry in rejected:
        if asked < SUGGESTIONS and "checksum" in entry.reason and _LIKE_BITCOIN.fullmatch(entry.text):
            asked += 1
            out.append(replace(entry, nearest=address.nearest(entry.text, bitcoin)))
        else:
            out.append(entry)
    return tuple(out)
