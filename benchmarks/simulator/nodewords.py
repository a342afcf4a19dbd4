"""Transactions as plain values, for the forms that are text: one decoder for RPC answers and bitcoin-etl."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from shieldwall.model import address
from shieldwall.model.network import REGTEST
from shieldwall.model.script import classify
from simulator.blocks import MadeBlock
from simulator.kinds import TYPE_NAMES, ScriptType
from simulator.plan import Plan

_OPCODES = {
    0x00: "0", 0x51: "1", 0x6A: "OP_RETURN", 0x76: "OP_DUP", 0x87: "OP_EQUAL", 0x88: "OP_EQUALVERIFY", 0xA9: "OP_HASH160",
    0xAC: "OP_CHECKSIG",
}  # fmt: skip
_SIGNATURE = 70  # bytes; a longer push that begins as DER is one
_LONGEST_PUSH = 75  # bytes, of the pushes that the simulator makes


@dataclass(frozen=True, slots=True)
class ScriptWords:
    """A script in the words of a node: words, hex, type, and the address where there is one."""

    asm: str
    hex: str
    type: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Spend:
    """An input: what it spends (display txid, index, height, coinbase or not, satoshi, script) and what it says."""

    txid: str
    index: int
    height: int
    generated: bool
    value: int
    previous: ScriptWords
    asm: str
    hex: str
    witness: tuple[str, ...]
    sequence: int


@dataclass(frozen=True, slots=True)
class Words:
    """A transaction; hashes in display order, amounts in satoshi."""

    txid: str
    hash: str
    version: int
    size: int
    weight: int
    locktime: int
    raw: str
    coinbase: str
    inputs: tuple[Spend, ...]
    outputs: tuple[tuple[int, ScriptWords], ...]

    @property
    def vsize(self) -> int:
        """A quarter of the weight, rounded up (BIP 141)."""
        return (self.weight + 3) // 4

    @property
    def fee(self) -> int:
        """Satoshi; 0 of a coinbase."""
        return sum(spend.value for spend in self.inputs) - sum(value for value, _ in self.outputs) if self.inputs else 0


def asm(script: bytes) -> str:
    """Bitcoin Core's words for a script of the simulator's kinds (twin of `texts.word_rows`)."""
    words = []
    place = 0
    while place < len(script):
        code = script[place]
        place += 1
        if 1 <= code <= _LONGEST_PUSH:
            pushed = script[place : place + code]
            place += code
            signs = code >= _SIGNATURE and pushed[0] == 0x30
            words.append(pushed[:-1].hex() + "[ALL]" if signs else pushed.hex())
        else:
            words.append(_OPCODES[code])
    return " ".join(words)


def script_words(script: bytes, kind: ScriptType) -> ScriptWords:
    """A locking script in words."""
    return ScriptWords(asm(script), script.hex(), TYPE_NAMES[kind], address.encode(classify(script), REGTEST))


class Decoder:
    """Takes blocks in order; remembers the scripts of their outputs, so it is for small chains."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._scripts: list[ScriptWords] = []
        self._owner = np.repeat(np.arange(plan.transactions), np.diff(plan.offsets("first_output"))).tolist()
        self._first_input = plan.offsets("first_input").tolist()
        self._first_output = plan.offsets("first_output").tolist()

    def transactions(self, block: MadeBlock) -> Iterator[Words]:
        """The transactions of the next block."""
        state = self._plan.state
        raw = block.data.tobytes()
        base = self._first_output[block.first]
        keys = state.out["key"][base : self._first_output[block.last]]
        for (start, end), kind in zip(block.script.tolist(), state.key["kind"][keys].tolist(), strict=True):
            self._scripts.append(script_words(raw[start:end], ScriptType(kind)))
        for number in range(block.first, block.last):
            begin, witness, end = block.places[number - block.first].tolist()
            stripped = end - begin - (end - 4 - witness + 2 if witness else 0)
            first, last = self._first_output[number], self._first_output[number + 1]
            yield Words(
                txid=block.txids[number].tobytes()[::-1].hex(),
                hash=block.wtxids[number - block.first].tobytes()[::-1].hex(),
                version=int(state.tx["version"][number]),
                size=end - begin,
                weight=3 * stripped + end - begin,
                locktime=int(state.tx["locktime"][number]),
                raw=raw[begin:end].hex(),
                coinbase="" if number > block.first else raw[42 : 42 + raw[41]].hex(),
                inputs=tuple(self._inputs(block, raw, number, witness)),
                outputs=tuple(zip(state.out["value"][first:last].tolist(), self._scripts[first:last], strict=True)),
            )

    def _inputs(self, block: MadeBlock, raw: bytes, number: int, witness: int) -> Iterator[Spend]:
        state = self._plan.state
        first, last = self._first_input[number], self._first_input[number + 1]
        base = self._first_input[block.first]
        for spend in range(first, last):
            coin = int(state.inputs[spend])
            source = self._owner[coin]
            start, end = block.unlock[spend - base].tolist()
            items, witness = _witness(raw, witness) if witness else ((), 0)
            yield Spend(
                txid=block.txids[source].tobytes()[::-1].hex(),
                index=coin - self._first_output[source],
                height=int(np.searchsorted(self._plan.first_tx, source, side="right")) - 1,
                generated=int(state.tx["kind"][source]) == 0,
                value=int(state.out["value"][coin]),
                previous=self._scripts[coin],
                asm=asm(raw[start:end]),
                hex=raw[start:end].hex(),
                witness=items,
                sequence=0xFFFFFFFF - int(state.tx["sequence"][number]),
            )


def _witness(raw: bytes, place: int) -> tuple[tuple[str, ...], int]:
    """The items of one input's witness in hex, and where the next begins; all counts here are of one byte."""
    items = []
    count = raw[place]
    place += 1
    for _ in range(count):
        size = raw[place]
        items.append(raw[place + 1 : place + 1 + size].hex())
        place += 1 + size
    return tuple(items), place
