"""A node that answers JSON-RPC from a chain in memory, in the forms of Bitcoin Core 23 and of older ones."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chain_support import Parsed, outputs_of, parse_block

from shieldwall.chain.proof import parse_header
from shieldwall.chain.readers.rpc_client import NodeAway
from shieldwall.chain.sources import SourceOptions
from shieldwall.model.transaction import display

URL = "rpc://127.0.0.1:18443"
COIN = 100_000_000


class NoAnswerError(Exception):
    """An error of the node: code and words."""


def amount(value: int) -> str:
    """A marker that `SimulatedNode.post` turns into a decimal number."""
    return f"#{value // COIN}.{value % COIN:08}#"


def block_json(
    block: bytes, height: int, verbosity: int, spent: Any = None, *, with_hex: bool = True
) -> dict[str, Any]:
    """A `getblock` answer; `spent` gives (satoshi, script) by outpoint for verbosity 3."""
    header = parse_header(block[:80])
    body: dict[str, Any] = {
        "hash": display(header.hash), "confirmations": 1, "height": height, "version": header.version,
        "merkleroot": display(header.merkle_root), "time": header.time, "nonce": int.from_bytes(block[76:80], "little"),
        "bits": block[72:76][::-1].hex(), "difficulty": 4.656542373906925e-10,
    }  # fmt: skip
    if height:
        body["previousblockhash"] = display(header.previous)
    transactions = parse_block(block)
    body["nTx"] = len(transactions)
    if verbosity:
        body["tx"] = [
            _transaction(each, spent if verbosity == 3 else None, with_hex=with_hex) if verbosity > 1 else each.txid
            for each in transactions
        ]
    return body


def _transaction(parsed: Parsed, spent: Any, *, with_hex: bool) -> dict[str, Any]:
    inputs = []
    for entry in parsed.inputs:
        fields: dict[str, Any] = {"sequence": entry.sequence}
        if entry.witness:
            fields["txinwitness"] = [piece.hex() for piece in entry.witness]
        if parsed.coinbase:
            fields["coinbase"] = entry.script.hex()
        else:
            fields |= {"txid": entry.txid, "vout": entry.index, "scriptSig": {"asm": "", "hex": entry.script.hex()}}
            if spent is not None:
                value, script = spent[entry.txid, entry.index]
                fields["prevout"] = {"generated": False, "height": 1, "value": amount(value),
                                     "scriptPubKey": {"hex": script.hex()}}  # fmt: skip
        inputs.append(fields)
    outputs = [
        {"value": amount(value), "n": n, "scriptPubKey": {"hex": script.hex()}}
        for n, (value, script) in enumerate(parsed.outputs)
    ]
    body = {"txid": parsed.txid, "version": parsed.version, "locktime": parsed.locktime, "vin": inputs, "vout": outputs}
    return body | ({"hex": parsed.raw.hex()} if with_hex else {})


def numbers(text: str) -> str:
    """JSON with its markers turned into decimal numbers."""
    return re.sub(r'"#([0-9.]+)#"', r"\1", text)


@dataclass
class SimulatedNode:
    """Answers for one active chain; other blocks that it has seen stay known by their hash.

    Attributes:
        blocks: The active chain, the genesis block first; assign another list for a reorganisation.
        waiting: Raw transactions by txid.
        says_previous: Verbosity 3 is known.
        has_index: Any transaction of the chain is found, not only those that wait.
        kept_from: Height below which blocks are pruned.
        away: The node does not answer.
        before_call: Called with each method before it is answered.
        calls: How often each method was asked.
    """

    blocks: list[bytes]
    waiting: dict[str, bytes] = field(default_factory=dict)
    says_previous: bool = True
    has_index: bool = False
    kept_from: int = 0
    away: bool = False
    before_call: Callable[[str], None] = lambda _method: None
    calls: Counter[str] = field(default_factory=Counter)
    _seen: dict[str, tuple[bytes, int]] = field(default_factory=dict)

    def options(self, **more: Any) -> SourceOptions:
        """What the program is told to ask this node."""
        return SourceOptions(post=self.post, **more)

    def post(self, body: bytes) -> bytes:
        """The transport."""
        if self.away:
            raise NodeAway("the node is away")
        answers = []
        for call in json.loads(body):
            self.calls[call["method"]] += 1
            self.before_call(call["method"])
            answer: dict[str, Any] = {"id": call["id"], "result": None, "error": None}
            try:
                answer["result"] = getattr(self, f"_{call['method']}")(*call["params"])
            except NoAnswerError as error:
                answer["error"] = {"code": error.args[0], "message": error.args[1]}
            except AttributeError:
                answer["error"] = {"code": -32601, "message": "Method not found"}
            answers.append(answer)
        return numbers(json.dumps(answers[::-1])).encode()  # in any order: the ids tell

    def _known(self) -> dict[str, tuple[bytes, int]]:
        for height, block in enumerate(self.blocks):
            self._seen[display(parse_header(block[:80]).hash)] = (block, height)
        return self._seen

    def _getblockchaininfo(self) -> dict[str, Any]:
        tip = display(parse_header(self.blocks[-1][:80]).hash)
        pruned = {"pruned": True, "pruneheight": self.kept_from} if self.kept_from else {"pruned": False}
        return {"chain": "regtest", "blocks": len(self.blocks) - 1, "bestblockhash": tip, **pruned}

    def _getblockhash(self, height: int) -> str:
        if not 0 <= height < len(self.blocks):
            raise NoAnswerError(-8, "Block height out of range")
        return display(parse_header(self.blocks[height][:80]).hash)

    def _block(self, name: str) -> tuple[bytes, int]:
        if name not in self._known():
            raise NoAnswerError(-5, "Block not found")
        return self._seen[name]

    def _getblockheader(self, name: str) -> dict[str, Any]:
        return block_json(*self._block(name), 0)

    def _getblock(self, name: str, verbosity: int) -> Any:
        block, height = self._block(name)
        if height < self.kept_from:
            raise NoAnswerError(-1, "Block not available (pruned data)")
        if verbosity == 0:
            return block.hex()
        if verbosity == 3 and not self.says_previous:
            verbosity = 2  # as old nodes take it
        return block_json(block, height, verbosity, outputs_of(self.blocks))

    def _getrawmempool(self) -> Sequence[str]:
        return list(self.waiting)

    def _getrawtransaction(self, txid: str) -> str:
        if txid in self.waiting:
            return self.waiting[txid].hex()
        for block in self.blocks if self.has_index else ():
            for parsed in parse_block(block):
                if parsed.txid == txid:
                    return parsed.raw.hex()
        raise NoAnswerError(-5, "No such mempool transaction. Use -txindex")
