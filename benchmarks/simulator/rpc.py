"""The chain as the answers of Bitcoin Core's `getblock HASH 2` (or 3), one JSON file per block; for small chains."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from simulator.blocks import MadeBlock
from simulator.headers import Headers, Told
from simulator.nodewords import Decoder, ScriptWords, Spend, Words
from simulator.plan import Plan

_AMOUNT = re.compile(r'"satoshi:(\d+)\.(\d{8})"')


class RpcFiles:
    """Writes `block-HEIGHT.json`.

    Args:
        folder: Where to.
        plan: The story of the blocks to come.
        prevout: Say the previous output of each input, as verbosity 3 does.
    """

    def __init__(self, folder: Path, plan: Plan, *, prevout: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._blocks = plan.blocks
        self._prevout = prevout
        self._headers = Headers()
        self._decoder = Decoder(plan)
        self._kept: dict[str, Any] | None = None

    def take(self, block: MadeBlock) -> None:
        """Write the block before, whose successor is now known."""
        told = self._headers.tell(block)
        if self._kept is not None:
            self._write({**self._kept, "nextblockhash": told.hash})
        transactions = [self._transaction(words) for words in self._decoder.transactions(block)]
        self._kept = {**_head(told, block, self._blocks), "tx": transactions}

    def close(self) -> None:
        """Write the last block."""
        if self._kept is not None:
            self._write(self._kept)
            self._kept = None

    def _write(self, answer: dict[str, Any]) -> None:
        text = _AMOUNT.sub(r"\1.\2", json.dumps(answer))
        (self._folder / f"block-{answer['height']:06d}.json").write_text(text + "\n", encoding="utf-8")

    def _transaction(self, words: Words) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "txid": words.txid,
            "hash": words.hash,
            "version": words.version,
            "size": words.size,
            "vsize": words.vsize,
            "weight": words.weight,
            "locktime": words.locktime,
            "vin": [self._input(spend) for spend in words.inputs],
            "vout": [
                {"value": _bitcoin(value), "n": number, "scriptPubKey": _script(script)}
                for number, (value, script) in enumerate(words.outputs)
            ],
        }
        if words.inputs:
            answer["fee"] = _bitcoin(words.fee)
        else:
            answer["vin"] = [{"coinbase": words.coinbase, "sequence": 0xFFFFFFFF}]
        answer["hex"] = words.raw
        return answer

    def _input(self, spend: Spend) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "txid": spend.txid,
            "vout": spend.index,
            "scriptSig": {"asm": spend.asm, "hex": spend.hex},
        }
        if spend.witness:
            answer["txinwitness"] = list(spend.witness)
        if self._prevout:
            answer["prevout"] = {
                "generated": spend.generated,
                "height": spend.height,
                "value": _bitcoin(spend.value),
                "scriptPubKey": _script(spend.previous),
            }
        answer["sequence"] = spend.sequence
        return answer


def _bitcoin(value: int) -> str:
    """Satoshi as a mark that becomes a number with eight digits behind the point, as a node writes it."""
    return f"satoshi:{value // 10**8}.{value % 10**8:08d}"


def _script(script: ScriptWords) -> dict[str, Any]:
    answer = {"asm": script.asm, "hex": script.hex, "type": script.type}
    if script.address is not None:
        answer["address"] = script.address
    return answer


def _head(told: Told, block: MadeBlock, blocks: int) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "hash": told.hash,
        "confirmations": blocks - block.height,
        "height": block.height,
        "version": told.version,
        "versionHex": f"{told.version:08x}",
        "merkleroot": told.merkle_root,
        "time": told.time,
        "mediantime": told.median_time,
        "nonce": told.nonce,
        "bits": told.bits,
        "difficulty": told.difficulty,
        "chainwork": told.chainwork,
        "nTx": block.last - block.first,
    }
    if told.previous is not None:
        answer["previousblockhash"] = told.previous
    return {**answer, "strippedsize": told.stripped_size, "size": told.size, "weight": told.weight}
