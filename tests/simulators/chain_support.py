"""Chains, their undo files and Esplora answers, made from the formats' own descriptions and not from the program.

Only making blocks is the program's (`chain.regtest`); taking them apart here is a second implementation.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from shieldwall.chain.build import BuildConfig, BuildReport, build
from shieldwall.chain.info import summary
from shieldwall.chain.proof import parse_header, sha256d
from shieldwall.chain.regtest import BlockMaker, Coin, frame, p2wpkh
from shieldwall.chain.store import ChainStore
from shieldwall.model.address import encode
from shieldwall.model.network import REGTEST, Network
from shieldwall.model.script import Script, ScriptKind, classify
from shieldwall.model.transaction import display

START = 1_600_000_000  # unix seconds of the first block made
KEY = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")  # the generator point
LONG_KEY = bytes.fromhex(
    "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
)
PRIME = 2**256 - 2**32 - 977


def scripts(seed: str) -> list[Script]:
    """One script of every kind, drawn from a seed."""
    body = sha256(seed.encode()).digest()
    key = b"\x02" + body
    multisig = b"\x51" + b"\x21" + key + b"\x21" + KEY + b"\x52\xae"
    return [
        Script(ScriptKind.P2WPKH, body[:20]),
        Script(ScriptKind.P2PKH, body[:20]),
        Script(ScriptKind.P2SH, body[:20]),
        Script(ScriptKind.P2WSH, body),
        Script(ScriptKind.P2TR, body),
        Script(ScriptKind.P2PK, key),
        Script(ScriptKind.MULTISIG, multisig),
        Script(ScriptKind.WITNESS, b"\x52\x10" + body[:16]),
        Script(ScriptKind.OP_RETURN, b"\x6a\x08" + body[:8]),
        Script(ScriptKind.OTHER, b"\x51" + body[:3]),
    ]


def random_chain(seed: int, blocks: int = 12, transactions: int = 4) -> BlockMaker:
    """A chain with every kind of script, spends within a block, zero values and fees."""
    draw = random.Random(seed)
    maker = BlockMaker(time=START)
    maker.mine(p2wpkh(f"miner {seed}"))
    extend(maker, draw, blocks - 1, transactions)
    return maker


def extend(maker: BlockMaker, draw: random.Random, blocks: int, transactions: int = 4) -> None:
    """More such blocks on top."""
    for _ in range(blocks):
        for _ in range(draw.randrange(transactions + 1)):
            coins = [coin for coin in maker.unspent.values() if coin.value > 2000]
            if not coins:
                break
            spent = draw.sample(coins, min(len(coins), draw.randrange(1, 4)))
            outputs: list[tuple[Script, int]] = []
            left = sum(coin.value for coin in spent) - draw.randrange(2000)
            for _ in range(draw.randrange(1, 5)):
                value = draw.choice((0, draw.randrange(left + 1)))
                left -= value
                outputs.append((draw.choice(scripts(str(draw.randrange(12)))), value))
            maker.pay(spent, outputs)
        maker.mine(draw.choice(scripts(str(draw.randrange(12)))[:6]))


def fork(maker: BlockMaker, height: int, seed: int, blocks: int) -> BlockMaker:
    """Another branch on top of the block at `height`, of blocks without payments."""
    other = BlockMaker(time=maker.time + 7)
    other.blocks = maker.blocks[: height + 1]
    for number in range(blocks):
        other.mine(p2wpkh(f"fork {seed} {number}"))
    return other


def clone(maker: BlockMaker) -> BlockMaker:
    """The same chain, to go on in another way."""
    return copy.deepcopy(maker)


def write(path: Path, blocks: Iterable[bytes], network: Network = REGTEST) -> Path:
    """A `blk*.dat` of these blocks."""
    path.write_bytes(b"".join(frame(block, network) for block in blocks))
    return path


def build_store(
    folder: Path, *sources: Path, engine: str = "plain", batch: int = 32 << 20, commit: int = 1 << 30, **more: Any
) -> BuildReport:
    """Build with small steps where wanted; the network is regtest unless said otherwise."""
    own = {name: more.pop(name) for name in ("threads", "epoch_transactions", "extend") if name in more}
    config = BuildConfig(batch_bytes=batch, commit_bytes=commit, engine=engine, **own)  # type: ignore[arg-type]
    return build(folder, [str(path) for path in sources], config=config, **{"network": REGTEST, **more})


def facts_of(folder: Path) -> dict[str, Any]:
    """What a store says of itself, and the state of every output by its name."""
    with ChainStore.open(folder) as store:
        states = {}
        for output in range(store.rows("output")):
            txid, index = store.outpoint(output)
            spend = store.spend(output)
            by = store.txid(spend.transaction) if spend.transaction is not None else spend.txid
            states[f"{txid}:{index}"] = (spend.state.value, by, spend.as_of)
        return {**summary(store), "states": states}


# taking apart


@dataclass(frozen=True)
class Spent:
    """An input: display txid and index of what it spends."""

    txid: str
    index: int
    script: bytes
    sequence: int
    witness: tuple[bytes, ...]


@dataclass(frozen=True)
class Parsed:
    """A transaction as its bytes say."""

    raw: bytes
    txid: str
    version: int
    locktime: int
    inputs: tuple[Spent, ...]
    outputs: tuple[tuple[int, bytes], ...]

    @property
    def coinbase(self) -> bool:
        return self.inputs[0].txid == "00" * 32


class _Bytes:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.place = 0

    def take(self, size: int) -> bytes:
        piece = self.raw[self.place : self.place + size]
        assert len(piece) == size
        self.place += size
        return piece

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def count(self) -> int:
        first = self.number(1)
        return first if first < 0xFD else self.number(2 << (first - 0xFD))

    def text(self) -> bytes:
        return self.take(self.count())


def parse_block(block: bytes) -> list[Parsed]:
    """The transactions of a block."""
    data = _Bytes(block)
    data.take(80)
    found = [_parse(data) for _ in range(data.count())]
    assert data.place == len(block)
    return found


def _parse(data: _Bytes) -> Parsed:
    begin = data.place
    version = int.from_bytes(data.take(4), "little", signed=True)
    segwit = data.raw[data.place : data.place + 2] == b"\0\1"
    if segwit:
        data.take(2)
    core = data.place
    inputs = [(data.take(32), data.number(4), data.text(), data.number(4)) for _ in range(data.count())]
    outputs = tuple((data.number(8), data.text()) for _ in range(data.count()))
    body = data.raw[core : data.place]
    witness = [tuple(data.text() for _ in range(data.count())) if segwit else () for _ in inputs]
    locktime = data.take(4)
    raw = data.raw[begin : data.place]
    return Parsed(
        raw=raw,
        txid=display(sha256d(raw[:4] + body + locktime)),
        version=version,
        locktime=int.from_bytes(locktime, "little"),
        inputs=tuple(Spent(display(entry[0]), *entry[1:], items) for entry, items in zip(inputs, witness, strict=True)),
        outputs=outputs,
    )


def outputs_of(blocks: Iterable[bytes]) -> dict[tuple[str, int], tuple[int, bytes]]:
    """Value and script of every output of some blocks."""
    return {
        (transaction.txid, index): output
        for block in blocks
        for transaction in parse_block(block)
        for index, output in enumerate(transaction.outputs)
    }


# rev*.dat and *-undo.raw


def varint(number: int) -> bytes:
    """VARINT of Bitcoin Core's `serialize.h`."""
    body = [number & 0x7F]
    while number > 0x7F:
        number = (number >> 7) - 1
        body.append(number & 0x7F | 0x80)
    return bytes(body[::-1])


def compact(number: int) -> bytes:
    """CompactSize."""
    if number < 0xFD:
        return bytes([number])
    if number < 1 << 16:
        return b"\xfd" + number.to_bytes(2, "little")
    return b"\xfe" + number.to_bytes(4, "little")


def compress_amount(number: int) -> int:
    """CompressAmount of `compressor.cpp`."""
    if number == 0:
        return 0
    exponent = 0
    while number % 10 == 0 and exponent < 9:
        number //= 10
        exponent += 1
    if exponent < 9:
        number, digit = divmod(number, 10)
        return 1 + (number * 9 + digit - 1) * 10 + exponent
    return 1 + (number - 1) * 10 + 9


def compress_script(script: bytes) -> bytes:
    """CompressScript of `compressor.cpp`, with its size in front where it has no template."""
    if len(script) == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return b"\x00" + script[3:23]
    if len(script) == 23 and script[:2] == b"\xa9\x14" and script[22] == 0x87:
        return b"\x01" + script[2:22]
    if len(script) == 35 and script[0] == 33 and script[34] == 0xAC and script[1] in (2, 3):
        return script[1:34]
    if len(script) == 67 and script[0] == 65 and script[66] == 0xAC and script[1] == 4:
        x, y = int.from_bytes(script[2:34], "big"), int.from_bytes(script[34:66], "big")
        if (y * y - x**3 - 7) % PRIME == 0:
            return bytes([4 + (y & 1)]) + script[2:34]
    return varint(len(script) + 6) + script


def undo_data(block: bytes, spent: dict[tuple[str, int], tuple[int, bytes]], height: int = 7) -> bytes:
    """CBlockUndo: what each transaction but the coinbase spends."""
    transactions = parse_block(block)[1:]
    body = compact(len(transactions))
    for transaction in transactions:
        body += compact(len(transaction.inputs))
        for entry in transaction.inputs:
            value, script = spent[entry.txid, entry.index]
            body += varint(2 * height) + (b"\0" if height else b"") + varint(compress_amount(value))
            body += compress_script(script)
    return body


def rev_file(
    path: Path, blocks: Sequence[bytes], spent: dict[tuple[str, int], tuple[int, bytes]], network: Network = REGTEST
) -> Path:
    """A `rev*.dat` with a record for each block."""
    records = b""
    for block in blocks:
        data = undo_data(block, spent)
        records += network.magic + len(data).to_bytes(4, "little") + data + sha256d(block[4:36] + data)
    path.write_bytes(records + bytes(1000))
    return path


def plain_undo(block: bytes, spent: dict[tuple[str, int], tuple[int, bytes]]) -> bytes:
    """`*-undo.raw`: the spent outputs one after the other."""
    body = b""
    for transaction in parse_block(block)[1:]:
        for entry in transaction.inputs:
            value, script = spent[entry.txid, entry.index]
            body += value.to_bytes(8, "little") + compact(len(script)) + script
    return body


# Esplora


@dataclass
class Esplora:
    """Answers as an Esplora instance over a chain gives them."""

    blocks: Sequence[bytes]
    network: Network = REGTEST

    def __post_init__(self) -> None:
        self.outputs = outputs_of(self.blocks)
        self.spenders: dict[tuple[str, int], tuple[str, int]] = {}
        self.where: dict[str, tuple[int, Parsed]] = {}
        for height, block in enumerate(self.blocks):
            for transaction in parse_block(block):
                self.where[transaction.txid] = (height, transaction)
                for place, entry in enumerate(() if transaction.coinbase else transaction.inputs):
                    self.spenders[entry.txid, entry.index] = (transaction.txid, place)

    @property
    def tip(self) -> int:
        return len(self.blocks) - 1

    def status(self, height: int) -> dict[str, Any]:
        header = parse_header(self.blocks[height][:80])
        name = display(header.hash)
        return {"confirmed": True, "block_height": height, "block_hash": name, "block_time": header.time}

    def output(self, value: int, script: bytes) -> dict[str, Any]:
        entry = {"scriptpubkey": script.hex(), "scriptpubkey_type": "any", "value": value}
        address = encode(classify(script), self.network)
        return entry | ({"scriptpubkey_address": address} if address else {})

    def transaction(self, txid: str) -> dict[str, Any]:
        height, parsed = self.where[txid]
        inputs = []
        for entry in parsed.inputs:
            paid = self.outputs.get((entry.txid, entry.index))
            body: dict[str, Any] = {
                "txid": entry.txid,
                "vout": entry.index,
                "prevout": self.output(*paid) if paid else None,
                "scriptsig": entry.script.hex(),
                "is_coinbase": parsed.coinbase,
                "sequence": entry.sequence,
            }
            if any(entry.witness):
                body["witness"] = [item.hex() for item in entry.witness]
            inputs.append(body)
        return {
            "txid": txid,
            "version": parsed.version,
            "locktime": parsed.locktime,
            "vin": inputs,
            "vout": [self.output(*output) for output in parsed.outputs],
            "status": self.status(height),
        }

    def outspends(self, txid: str) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = []
        for index in range(len(self.where[txid][1].outputs)):
            spender = self.spenders.get((txid, index))
            if spender is None:
                answer.append({"spent": False})
            else:
                status = self.status(self.where[spender[0]][0])
                answer.append({"spent": True, "txid": spender[0], "vin": spender[1], "status": status})
        return answer

    def history(self, script: bytes) -> list[str]:
        """Txids that pay or spend from a script, newest first."""
        found = []
        for txid, (_, parsed) in self.where.items():
            spent = [self.outputs.get((entry.txid, entry.index)) for entry in parsed.inputs]
            if any(output[1] == script for output in parsed.outputs) or any(o and o[1] == script for o in spent):
                found.append(txid)
        return found[::-1]

    def counts(self, script: bytes) -> dict[str, Any]:
        mine = [key for key, output in self.outputs.items() if output[1] == script]
        return {
            "address": encode(classify(script), self.network),
            "chain_stats": {
                "tx_count": len(self.history(script)),
                "funded_txo_count": len(mine),
                "spent_txo_count": sum(key in self.spenders for key in mine),
            },
        }


def coin(block: bytes, txid_place: int, index: int) -> Coin:
    """A coin of a block by the place of its transaction and its index."""
    parsed = parse_block(block)[txid_place]
    value, script = parsed.outputs[index]
    return Coin(parsed.txid, index, value, classify(script))
