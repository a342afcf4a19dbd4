"""From the currency word and the text of a source to the subject that all sources share.

BTC becomes the CAIP-2 id of the Bitcoin network, LTC that of Litecoin's; ETH, ETC, BSC and ARB become `eip155` ids (the
chain ids of EIP-155).
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
from shieldwall.model.network import LITECOIN, NETWORKS, Network
from shieldwall.model.transaction import TXID

ACTOR_TYPE, ADDRESS_TYPE, TRANSACTION_TYPE = "actor", "address", "transaction"
SUGGESTIONS = 5  # rejected entries of one file for which `address.nearest` is asked: up to 0.3 s each

_BITCOIN = frozenset(("BTC", "XBT", "BITCOIN"))
_LITECOIN = frozenset(("LTC", "LITECOIN"))
_NAMES = {"BTC": "Bitcoin", "LTC": "Litecoin"}
_EIP155 = {"ETH": 1, "ETHEREUM": 1, "ETC": 61, "BSC": 56, "ARB": 42161}
_CAIP2 = re.compile(r"[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,31}")
_HEX_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._/@+=-]{1,199}")
_LIKE_BITCOIN = re.compile(r"[A-Za-z0-9]{25,64}")


def chain_of(currency: str, network: str, bitcoin: Network) -> tuple[str, Network | None]:
    """The chain that a source means, and the network if it is Bitcoin's or Litecoin's; ("", None) when it names none.

    Args:
        currency: The source's currency word; XBT is BTC.
        network: The source's network word or CAIP-2 id; "" for none.
        bitcoin: What BTC means; where it is a network of Litecoin, what LTC means, too, which else is its main chain.
    """
    text = network or currency
    if text.upper() in _BITCOIN:
        return bitcoin.caip2, bitcoin
    if text.upper() in _LITECOIN:
        litecoin = bitcoin if bitcoin.coin == LITECOIN.coin else LITECOIN
        return litecoin.caip2, litecoin
    by_id = {each.caip2: each for each in NETWORKS.values()}
    known = NETWORKS.get(text.lower()) or by_id.get(text)
    if known is not None:
        return known.caip2, known
    if text.upper() in _EIP155:
        return f"eip155:{_EIP155[text.upper()]}", None
    return (text if _CAIP2.fullmatch(text) else text.lower() if _WORD.fullmatch(text) else ""), None


def address_subject(text: str, chain: str, bitcoin: Network | None, place: str) -> Subject | Rejected:
    """The subject of an address: of Bitcoin and Litecoin only with a checksum that holds, of other chains by its form."""
    if bitcoin is not None:
        script = address.parse(text, bitcoin)
        if script is None:
            name = f"{_NAMES[bitcoin.coin]} address ({bitcoin.name})"
            return Rejected(place, text[:120], f"no valid {name}: its checksum does not hold")
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
    """`rejected` with the nearest valid addresses for the first few that look like one, of the network that each names."""
    networks = {f"({each.name})": each for each in NETWORKS.values()}
    out, asked = [], 0
    for entry in rejected:
        if asked < SUGGESTIONS and "checksum" in entry.reason and _LIKE_BITCOIN.fullmatch(entry.text):
            asked += 1
            network = next((each for name, each in networks.items() if name in entry.reason), bitcoin)
            out.append(replace(entry, nearest=address.nearest(entry.text, network)))
        else:
            out.append(entry)
    return tuple(out)
