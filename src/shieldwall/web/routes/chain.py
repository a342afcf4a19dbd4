"""What the chain store holds: addresses, transactions, blocks, and what is known of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query

from shieldwall.chain.records import block_record, holder_record, transaction_record
from shieldwall.chain.store import ChainStore
from shieldwall.errors import BadInput
from shieldwall.intel import freezable_by, know
from shieldwall.model.access import Permission
from shieldwall.model.claim import Subject
from shieldwall.model.moment import utc
from shieldwall.model.transaction import TXID
from shieldwall.node.node import Node
from shieldwall.web.door import Routes
from shieldwall.web.paging import open_cursor, seal_cursor
from shieldwall.web.rules import Caller, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.chain import AddressShape, ChainShape, Found, Known, OutputShape
from shieldwall.web.shapes.claims import SubjectShape

routes = Routes("chain")

_Most = Annotated[int, Query(ge=1, le=1000, description="At most so many outputs.")]
_Network = Annotated[str, Query(max_length=40, pattern=r"^[a-z0-9-]*$", description="Of the chain store, by its name.")]
_Cursor = Annotated[str, Query(max_length=1000, description="Where to go on: `next` of the page before.")]


@routes.get("/chain", Rule("chain.info", Permission.READ))
def chain_info(node: NodeHere, caller: CallerHere, network: _Network = "") -> ChainShape:
    """What a chain store holds, and up to which block: the first one, or that of a network."""
    with node.store.look(caller.identity, caller.act), node.chain(network) as chain:
        return chain_shape(chain)


def _about(node: Node, network: str, text: str) -> ChainStore:
    """The store of a network; where none is named, the one that a text is about."""
    return node.chain(network) if network else node.chains.holding(text)


def chain_shape(chain: ChainStore) -> ChainShape:
    """The shape of a store."""
    return ChainShape(
        network=chain.network.name,
        tip_height=chain.tip_height,
        tip_hash=chain.tip_hash,
        tip_time=None if chain.tip_time is None else utc(chain.tip_time),
        blocks=chain.rows("block"),
        transactions=chain.rows("tx"),
        outputs=chain.rows("output"),
        digest=chain.digest,
    )


@routes.get("/addresses/{address}", Rule("address.show", Permission.READ))
def show_address(
    node: NodeHere,
    caller: CallerHere,
    address: Annotated[str, Path(min_length=1, max_length=25_000, description="An address, or a script as KIND:HEX.")],
    most: _Most = 100,
    cursor: _Cursor = "",
    network: _Network = "",
) -> AddressShape:
    """What was paid to an address, where it stands, and what is known of it. No tag means unknown, not clean.

    Without a network it is looked up in the chain store that holds it, else in the first of whose network it is an address.
    """
    first = open_cursor(node, caller, cursor) or 0
    if not isinstance(first, int):
        raise BadInput("that cursor is none of this list", hint="begin without one")
    with _about(node, network, address) as chain:
        with node.store.look(caller.identity, caller.act, subject=node.blind("address", chain.network.caip2, address)):
            record = holder_record(chain, address, node.layer(chain.network.name), first=first, most=most)
            subject = Subject("address", chain.network.caip2, record["address"])
            known = known_shape(node, caller, subject)
        outputs = [OutputShape(**output) for output in record.pop("outputs")]
        more = record.get("more", 0)
        return AddressShape(
            **record,
            outputs=outputs,
            known=known,
            as_of_height=chain.tip_height,
            as_of_hash=chain.tip_hash,
            next=seal_cursor(node, caller, first + len(outputs)) if more > 0 and outputs else None,
        )


def known_shape(node: Node, caller: Caller, subject: Subject) -> Known:
    """What the tag sets that a caller may see say of a subject, within an act that is under way."""
    said = node.known_tags(caller.identity).lookup([subject])
    known = know(subject, said.get(subject, ()))
    plain: dict[str, Any] = known.as_dict()
    freezable = freezable_by(known.tags, node.directory).as_dict()
    return Known(
        subject=SubjectShape(type=subject.type, chain=subject.chain, name=subject.name),
        tags=plain["tags"],
        contradictions=plain["contradictions"],
        retracted=plain["retracted"],
        freezable_by=freezable["freezable_by"],
    )


@routes.get("/transactions/{txid}", Rule("transaction.show", Permission.READ))
def show_transaction(
    node: NodeHere,
    caller: CallerHere,
    txid: Annotated[str, Path(pattern=r"^[0-9a-fA-F]{64}$", description="The transaction's id.")],
    network: _Network = "",
) -> Found:
    """A transaction, with its raw bytes and what is proven of it; without a network, in the chain store that holds it."""
    with (
        _about(node, network, txid) as chain,
        node.store.look(caller.identity, caller.act, subject=node.blind("transaction", chain.network.caip2, txid)),
    ):
        if not TXID.fullmatch(txid):
            raise BadInput("that is no transaction id: 64 hex digits are needed")
        return Found(record=transaction_record(chain, txid.lower(), node.layer(chain.network.name)))


@routes.get("/blocks/{height}", Rule("block.show", Permission.READ))
def show_block(
    node: NodeHere,
    caller: CallerHere,
    height: Annotated[int, Path(ge=0, lt=1 << 32, description="Of the block.")],
    network: _Network = "",
) -> Found:
    """The block at a height, in the first chain store or in that of a network."""
    with node.store.look(caller.identity, caller.act, height=height), node.chain(network) as chain:
        return Found(record=block_record(chain, height))
