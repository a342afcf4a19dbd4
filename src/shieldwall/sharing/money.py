"""Addresses and transactions as STIX objects: the same thing has the same identifier, whoever writes it.

No such object is standard. Ours name the chain (CAIP-2), since one text is an address on many, and amounts are whole numbers of
base units, since a float is no evidence. The forms that others use are read in all their spellings, and written for those who
read nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shieldwall.errors import BadText
from shieldwall.model.claim import Subject
from shieldwall.model.moment import unix, utc
from shieldwall.model.recognition import recognize
from shieldwall.sharing.extensions import ADDRESS, TRANSACTION, WALLET
from shieldwall.sharing.stix.ids import observable_id

_AMOUNT = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)
_LONGEST = 200  # characters of an address or a transaction id
_OTHERS = ("value", "address", "hash")
"""How others spell what an address or a transaction is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """An input or output of a transaction.

    Attributes:
        index: Its place.
        address: "" where it is not known or there is none.
        amount: Base units; None where it is not known.
    """

    index: int
    address: str = ""
    amount: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A transaction.

    Attributes:
        chain: CAIP-2.
        txid: In the form in which people show it.
        asset: CAIP-19 of what the amounts are in; "" for unsaid.
        block_hash, block_height, block_time: "" or None where it is not known; the time in UTC.
        inputs, outputs: As far as they are known.
    """

    chain: str
    txid: str
    asset: str = ""
    block_hash: str = ""
    block_height: int | None = None
    block_time: str = ""
    inputs: tuple[Side, ...] = ()
    outputs: tuple[Side, ...] = ()


def address_id(chain: str, address: str) -> str:
    """The identifier of an address on a chain."""
    return observable_id("blockchain-address", {"address": address, "chain": chain})


def address_object(chain: str, address: str) -> dict[str, Any]:
    """An address.

    Example:
        >>> address_object("bip122:000000000019d6689c085ae165831e93", "15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr")["id"]
        'blockchain-address--f1402262-1cf7-50f9-8092-1ab22178f888'
    """
    return {
        "type": "blockchain-address",
        "spec_version": "2.1",
        "id": address_id(chain, address),
        "chain": chain,
        "address": address,
        "extensions": {ADDRESS: {"extension_type": "new-sco"}},
    }


def wallet_object(address: str) -> dict[str, Any]:
    """An address in the form of dogesec and OpenCTI, which knows no chain."""
    return {
        "type": "cryptocurrency-wallet",
        "spec_version": "2.1",
        "id": observable_id("cryptocurrency-wallet", {"value": address}),
        "value": address,
        "extensions": {WALLET: {"extension_type": "new-sco"}},
    }


def transaction_id(chain: str, txid: str) -> str:
    """The identifier of a transaction on a chain."""
    return observable_id("blockchain-transaction", {"chain": chain, "txid": txid})


def transaction_object(given: Transaction) -> dict[str, Any]:
    """A transaction; the addresses in it are objects of their own, to be sent along."""
    body: dict[str, Any] = {
        "type": "blockchain-transaction",
        "spec_version": "2.1",
        "id": transaction_id(given.chain, given.txid),
        "chain": given.chain,
        "txid": given.txid,
        "asset": given.asset,
        "block_hash": given.block_hash,
        "block_height": given.block_height,
        "block_time": given.block_time,
        "inputs": [_side(given.chain, each) for each in given.inputs],
        "outputs": [_side(given.chain, each) for each in given.outputs],
        "extensions": {TRANSACTION: {"extension_type": "new-sco"}},
    }
    return {name: value for name, value in body.items() if name == "chain" or value not in ("", None, [])}


def transaction_of(body: Mapping[str, Any], addresses: Mapping[str, str], place: str) -> Transaction:
    """The transaction that `transaction_object` wrote.

    Args:
        body: The object.
        addresses: Text of each address by the identifier of its object.
        place: Where it was read, for errors.

    Raises:
        BadText: It does not fit; or its identifier is not the one of chain and txid.
    """
    chain, txid = _text(body, "chain", place, optional=True), _text(body, "txid", place)
    if body.get("id") != transaction_id(chain, txid):
        raise BadText(f"{place}: the identifier is not that of the transaction")
    height = body.get("block_height")
    if height is not None and (isinstance(height, bool) or not isinstance(height, int) or height < 0):
        raise BadText(f"{place}: block_height is no height")
    moment = _text(body, "block_time", place, optional=True)
    return Transaction(
        chain=chain,
        txid=txid,
        asset=_text(body, "asset", place, optional=True),
        block_hash=_text(body, "block_hash", place, optional=True),
        block_height=height,
        block_time=utc(unix(moment)) if moment else "",
        inputs=_sides(body, "inputs", addresses, place),
        outputs=_sides(body, "outputs", addresses, place),
    )


def address_of(body: Mapping[str, Any]) -> Subject | None:
    """The address that an object of ours or of others is; None for none.

    One that names no chain is looked up by its form alone: where that is valid on one network it is of that one, else the
    chain stays open ("").
    """
    kind = body.get("type")
    if kind == "blockchain-address":
        chain, address = body.get("chain"), body.get("address")
        if isinstance(chain, str) and isinstance(address, str) and body.get("id") == address_id(chain, address):
            return Subject("address", chain, address)
        return None
    if kind not in ("cryptocurrency-wallet", "x-cryptocurrency-wallet"):
        return None
    text = next((body[name] for name in _OTHERS if isinstance(body.get(name), str)), "")
    if not 0 < len(text) <= _LONGEST:
        return None
    found = recognize(text)
    if found is None:
        return Subject("address", "", text)
    name, networks = found
    return Subject("address", networks[0].caip2 if len(networks) == 1 else "", name)


def _side(chain: str, side: Side) -> dict[str, Any]:
    body: dict[str, Any] = {"index": side.index}
    if side.address:
        body["address_ref"] = address_id(chain, side.address)
    return body | ({"amount": str(side.amount)} if side.amount is not None else {})


def _sides(body: Mapping[str, Any], name: str, addresses: Mapping[str, str], place: str) -> tuple[Side, ...]:
    given = body.get(name, [])
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise BadText(f"{place}: {name} is not a list of objects")
    found = []
    for each in given:
        index, amount, ref = each.get("index"), each.get("amount"), each.get("address_ref", "")
        if isinstance(index, bool) or not isinstance(index, int) or index < 0:
            raise BadText(f"{place}: {name} has an index that is none")
        if amount is not None and (not isinstance(amount, str) or not _AMOUNT.fullmatch(amount)):
            raise BadText(f"{place}: an amount is a whole number of base units as a text", hint='write "75000000"')
        if not isinstance(ref, str) or (ref and ref not in addresses):
            raise BadText(f"{place}: {name} names an address that is not at hand")
        found.append(Side(index=index, address=addresses.get(ref, ""), amount=None if amount is None else int(amount)))
    return tuple(found)


def _text(body: Mapping[str, Any], name: str, place: str, *, optional: bool = False) -> str:
    value = body.get(name, "" if optional else None)
    if not isinstance(value, str) or len(value) > _LONGEST or not (value or optional):
        raise BadText(f"{place}: {name} is no text of at most {_LONGEST} characters")
    return value
