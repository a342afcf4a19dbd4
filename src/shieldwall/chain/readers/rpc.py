"""Blocks from the member's own node, asked over JSON-RPC.

Headers come first, by height; blocks then by their hash, so that a reorganisation while they are read mixes nothing. What
inputs spent is asked for only where the store does not have it: verbosity 3 (Bitcoin Core 23 and later), else the
transactions that paid, where the node has an index of them (`-txindex`); else it stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from shieldwall.chain.proof import HEADER_SIZE, rules_of
from shieldwall.chain.readers import rpc_json
from shieldwall.chain.readers.blockfiles import transaction_count
from shieldwall.chain.readers.esplora_json import MOST_HEIGHT
from shieldwall.chain.readers.interface import BlockRef, Place, Previous, Progress, RawBlock, Reader, Survey
from shieldwall.chain.readers.jsonfields import as_hex, as_object, integer_field, short
from shieldwall.chain.readers.loose import outputs_of, parse_loose
from shieldwall.chain.readers.rpc_client import NodeAway, Refusal, RpcClient
from shieldwall.errors import BadBlock, BadText, PartialData, WrongNetwork
from shieldwall.model.network import Network, by_genesis
from shieldwall.model.transaction import TXID, display

_HEADERS = 500  # headers asked for at once
_BLOCKS = 64  # blocks asked for at once, at most
_BYTES = 4 << 20  # bytes of blocks, as estimated, asked for at once
_TRANSACTIONS = 200  # transactions asked for at once
_ATTEMPTS = 5  # at reading headers of a chain that reorganises meanwhile
_BYTES_EACH = 400  # bytes of a transaction, about: a header tells how many a block has, not how large it is
_SMALLEST = 250  # bytes of a block, about


class RpcReader(Reader):
    """Reads a node's active chain.

    Args:
        client: The node.
        network: Its network; the genesis block is checked.
        first: Height of the first block to be read.
        confirmations: Blocks with fewer are left for later; 1 takes the tip.
    """

    def __init__(self, client: RpcClient, network: Network, *, first: int = 0, confirmations: int = 1) -> None:
        self._client = client
        self._network = network
        self._first = first
        self._confirmations = confirmations
        self._says_previous = True  # until the node has shown that it does not
        self._has_index = True

    def survey(self, progress: Progress) -> Survey:
        """Ask for the headers from the first height on."""
        network = network_of_node(self._client)
        if network != self._network:
            raise WrongNetwork(
                f"{self._client.name} serves {network.name}, not {self._network.name}",
                hint="build one store per network",
            )
        for _ in range(_ATTEMPTS):
            refs = self._headers(progress)
            if refs is not None:
                return Survey(network=network, blocks=refs)
        raise NodeAway(f"{self._client.name}: the chain reorganises while it is read", hint="ask again")

    def _headers(self, progress: Progress) -> list[BlockRef] | None:
        """References in order of height; None when the chain has changed meanwhile."""
        last = self._last_height()
        refs: list[BlockRef] = []
        for begin in range(self._first, last + 1, _HEADERS):
            heights = range(begin, min(begin + _HEADERS, last + 1))
            hashes = self._client.batch([("getblockhash", (height,)) for height in heights])
            if any(isinstance(each, Refusal) for each in hashes):
                return None  # the chain has become shorter
            for height, named in zip(heights, hashes, strict=True):
                if not isinstance(named, str) or not TXID.fullmatch(named):  # it is sent back, as it came
                    raise BadText(f"{self._client.name}, block {height}: {short(named)} is no block hash")
            answers = self._client.batch([("getblockheader", (named,)) for named in hashes])
            for height, answer in zip(heights, answers, strict=True):
                if isinstance(answer, Refusal):
                    raise self._client.refused("getblockheader", answer)
                ref = self._ref(answer, height)
                if refs and ref.previous != refs[-1].hash:
                    return None
                refs.append(ref)
            progress("reading headers", len(refs), last + 1 - self._first)
        return refs

    def _last_height(self) -> int:
        """Height of the last block with confirmations enough.

        Raises:
            PartialData: The node has thrown away blocks that are wanted.
        """
        info = as_object(self._client.call("getblockchaininfo"), self._client.name)
        tip = integer_field(info, "blocks", self._client.name, most=MOST_HEIGHT)
        if info.get("pruned") is True:
            kept = integer_field(info, "pruneheight", self._client.name, most=MOST_HEIGHT)
            if self._first < kept <= tip:
                raise PartialData(
                    f"{self._client.name}: the node is pruned and has no blocks below height {kept}; those from "
                    f"{self._first} on are wanted",
                    hint=f"say --since {kept} to begin there, or ask a node that keeps all blocks",
                )
        return tip - self._confirmations + 1

    def _ref(self, answer: object, height: int) -> BlockRef:
        place = Place(f"{self._client.name}, block {height}")
        header, said = rpc_json.header(answer, place, self._network)
        if said != height:
            raise BadText(f"{place}: the node says height {said}")
        fields = as_object(answer, str(place))
        count = fields.get("nTx")
        estimate = _BYTES_EACH * count if isinstance(count, int) and 0 < count < 1 << 20 else _BYTES_EACH
        return BlockRef(
            hash=header.hash,
            previous=header.previous,
            height=height,
            time=header.time,
            work=header.work,
            header=header.raw,
            whole=True,
            size=max(estimate, _SMALLEST),
            place=place,
            reader=self,
            key=height,
        )

    def load(self, refs: Sequence[BlockRef]) -> Iterator[RawBlock]:
        """Blocks as the node has them, some megabytes at a time."""
        for group in _groups(refs):
            answers = self._client.batch([("getblock", (display(ref.hash), 0)) for ref in group])
            for ref, answer in zip(group, answers, strict=True):
                if isinstance(answer, Refusal):
                    raise PartialData(
                        f"{ref.place}: the node does not give block {display(ref.hash)} ({answer.message})",
                        hint="it is pruned, or has taken the block out; what was committed stands, build again",
                    )
                block = as_hex(answer, str(ref.place))
                if block[:HEADER_SIZE] != ref.header:
                    raise BadBlock(f"{ref.place}: the node gives another block than {display(ref.hash)}")
                count, width = transaction_count(block, ref.place)
                yield RawBlock(ref, count, block[HEADER_SIZE + width :])

    def previous_outputs(self, ref: BlockRef) -> list[Previous | None] | None:
        """What the block's inputs spend, as far as the node tells."""
        body = self._detailed(ref)
        if body is None:
            return None
        found = rpc_json.previous_outputs(body, str(ref.place), self._network)
        if found is not None:
            return found
        self._says_previous = False
        return self._from_payers(rpc_json.outpoints(body, str(ref.place)))

    def _detailed(self, ref: BlockRef) -> Any:  # noqa: ANN401
        """The block as JSON; None where the node has no such form of it and no index either."""
        if not self._says_previous and not self._has_index:
            return None
        for verbosity in (3, 2) if self._says_previous else (2,):
            answer = self._client.batch([("getblock", (display(ref.hash), verbosity))])[0]
            if not isinstance(answer, Refusal):
                return answer
        return None

    def _from_payers(self, spent: Sequence[tuple[bytes, int]]) -> list[Previous | None] | None:
        """Outputs of transactions that the node's index finds; each is proven by its txid."""
        txids = list(dict.fromkeys(txid for txid, _ in spent))
        paid: dict[bytes, list[tuple[int, bytes]]] = {}
        for begin in range(0, len(txids) if self._has_index else 0, _TRANSACTIONS):
            wanted = txids[begin : begin + _TRANSACTIONS]
            answers = self._client.batch([("getrawtransaction", (display(txid),)) for txid in wanted])
            for txid, answer in zip(wanted, answers, strict=True):
                if not isinstance(answer, Refusal):
                    paid[txid] = self._payments(txid, answer)
            if not paid:
                self._has_index = False
                break
        return [self._output(paid.get(txid, []), index) for txid, index in spent] if paid else None

    def _payments(self, txid: bytes, answer: object) -> list[tuple[int, bytes]]:
        place = f"{self._client.name}, transaction {display(txid)}"
        raw = as_hex(answer, place)
        if parse_loose(raw, (), place, rules_of(self._network)).txid != txid:
            raise BadBlock(f"{place}: the node gives another transaction")
        return outputs_of(raw, place, rules_of(self._network))

    def _output(self, payments: Sequence[tuple[int, bytes]], index: int) -> Previous | None:
        return Previous(*payments[index]) if index < len(payments) else None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def network_of_node(client: RpcClient) -> Network:
    """The network whose genesis block a node has.

    Raises:
        BadText: It has another, or the answer is none.
    """
    genesis = client.call("getblockhash", 0)
    network = by_genesis(genesis) if isinstance(genesis, str) and TXID.fullmatch(genesis) else None
    if network is None:
        raise BadText(f"{client.name}: block 0 is {short(genesis)}, of no network that is known here")
    return network


def _groups(refs: Sequence[BlockRef]) -> Iterator[list[BlockRef]]:
    group: list[BlockRef] = []
    weight = 0
    for ref in refs:
        if group and (len(group) == _BLOCKS or weight + ref.size > _BYTES):
            yield group
            group, weight = [], 0
        group.append(ref)
        weight += ref.size
    if group:
        yield group
