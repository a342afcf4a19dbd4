"""The chain as bitcoin-etl exports it: `blocks.json` and `transactions.json`, one JSON value a line; for small chains.

Its habits are kept: amounts in satoshi, inputs that say nothing of what they spend (so that a fee is
minus what is paid), and for a script without an address a
made-up one, "nonstandard" and the first 40 digits of its SHA-256.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from simulator.blocks import MadeBlock
from simulator.headers import Headers, Told
from simulator.nodewords import Decoder, ScriptWords, Words
from simulator.plan import Plan


class EtlFiles:
    """Writes both files into a folder.

    Args:
        folder: Where to.
        plan: The story of the blocks to come.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._headers = Headers()
        self._decoder = Decoder(plan)
        self._blocks = (folder / "blocks.json").open("w", encoding="utf-8")
        self._transactions = (folder / "transactions.json").open("w", encoding="utf-8")

    def take(self, block: MadeBlock) -> None:
        """Write the next block and its transactions."""
        told = self._headers.tell(block)
        self._blocks.write(json.dumps(_block(told, block)) + "\n")
        for index, words in enumerate(self._decoder.transactions(block)):
            self._transactions.write(json.dumps(_transaction(words, index, told, block)) + "\n")

    def close(self) -> None:
        """Close both files."""
        self._blocks.close()
        self._transactions.close()


def _block(told: Told, block: MadeBlock) -> dict[str, Any]:
    return {
        "hash": told.hash,
        "size": told.size,
        "stripped_size": told.stripped_size,
        "weight": told.weight,
        "number": block.height,
        "version": told.version,
        "merkle_root": told.merkle_root,
        "timestamp": told.time,
        "nonce": f"{told.nonce:x}",
        "bits": told.bits,
        "coinbase_param": told.coinbase_script,
        "transaction_count": block.last - block.first,
    }


def _transaction(words: Words, index: int, told: Told, block: MadeBlock) -> dict[str, Any]:
    return {
        "hash": words.txid,
        "size": words.size,
        "virtual_size": words.vsize,
        "version": words.version,
        "lock_time": words.locktime,
        "block_number": block.height,
        "block_hash": told.hash,
        "block_timestamp": told.time,
        "is_coinbase": not words.inputs,
        "index": index,
        "inputs": [
            {
                "index": number,
                "spent_transaction_hash": spend.txid,
                "spent_output_index": spend.index,
                "script_asm": spend.asm,
                "script_hex": spend.hex,
                "sequence": spend.sequence,
                "required_signatures": None,
                "type": None,
                "addresses": [],
                "value": None,
            }
            for number, spend in enumerate(words.inputs)
        ],
        "outputs": [_output(number, value, script) for number, (value, script) in enumerate(words.outputs)],
        "input_count": len(words.inputs),
        "output_count": len(words.outputs),
        "input_value": 0,
        "output_value": sum(value for value, _ in words.outputs),
        "fee": -sum(value for value, _ in words.outputs) if words.inputs else 0,
    }


def _output(number: int, value: int, script: ScriptWords) -> dict[str, Any]:
    made_up = "nonstandard" + sha256(bytes.fromhex(script.hex)).hexdigest()[:40]
    return {
        "index": number,
        "script_asm": script.asm,
        "script_hex": script.hex,
        "required_signatures": None,
        "type": script.type if script.address else "nonstandard",
        "addresses": [script.address or made_up],
        "value": value,
    }
