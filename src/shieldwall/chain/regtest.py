"""Make valid blocks of a regtest network: for exercises and tests, where every transaction is to be known.

Work, merkle roots, txids, heights (BIP 34) and subsidies are real, so that a store proves them like any other chain's.
Signatures are not: an input carries bytes of the right size, drawn from its outpoint, since nothing here checks scripts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np

from shieldwall.chain.proof import merkle_root, parse_header, sha256d
from shieldwall.chain.readers.esplora_json import compact_size
from shieldwall.model.network import LITECOIN_REGTEST, REGTEST, Network, Work
from shieldwall.model.script import Script, ScriptKind, assemble
from shieldwall.model.transaction import display, internal

GENESIS = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a"
    "51323a9fb8aa4b1e5e4adae5494dffff7f20020000000101000000010000000000000000000000000000000000000000000000000000000000000000"
    "ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f6620"
    "7365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6"
    "a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"
)
"""Block 0 of regtest (Bitcoin Core, `kernel/chainparams.cpp`)."""

LITECOIN_GENESIS = bytes.fromhex(
    "010000000000000000000000000000000000000000000000000000000000000000000000d9ced4ed1130f7b7faad9be25323ffafa33232a17c3edf6c"
    "fd97bee6bafbdd97dae5494dffff7f20000000000101000000010000000000000000000000000000000000000000000000000000000000000000ffff"
    "ffff4804ffff001d0104404e592054696d65732030352f4f63742f32303131205374657665204a6f62732c204170706c65e280997320566973696f6e"
    "6172792c2044696573206174203536ffffffff0100f2052a010000004341040184710fa689ad5023690c80f3a49c8f13f8d45b8c857fbcbc8bc4a8e4"
    "d3eb4b10f4d4604fa08dce601aaf0f470216fe1b51850b4acf21b179c45070ac7b03a9ac00000000"
)
"""Block 0 of Litecoin's regtest (Litecoin Core, `chainparams.cpp`)."""

_BITS = 0x207FFFFF  # the regtest target: every second hash meets it
_VERSION = 0x20000000


@dataclass(frozen=True, slots=True)
class Coin:
    """An output that a maker can spend: display txid, index, satoshi, script."""

    txid: str
    index: int
    value: int
    script: Script


def p2wpkh(name: str) -> Script:
    """A holder drawn from a name: the same name is the same address, and nobody has its key."""
    return Script(ScriptKind.P2WPKH, sha256(b"shieldwall exercise: " + name.encode()).digest()[:20])


def transaction(
    inputs: Iterable[Coin], outputs: Sequence[tuple[Script, int]], *, locktime: int = 0, sequence: int = 0xFFFFFFFD
) -> bytes:
    """A transaction that spends `inputs` into (script, satoshi) outputs; the difference is the fee."""
    coins = list(inputs)
    body = b"\x02\0\0\0" + b"\0\x01" + compact_size(len(coins))
    for coin in coins:
        body += internal(coin.txid) + coin.index.to_bytes(4, "little") + b"\0" + sequence.to_bytes(4, "little")
    body += compact_size(len(outputs))
    for script, value in outputs:
        raw = assemble(script)
        body += value.to_bytes(8, "little") + compact_size(len(raw)) + raw
    for coin in coins:
        seed = sha256(internal(coin.txid) + coin.index.to_bytes(4, "little")).digest()
        signature = (seed * 3)[:71]
        key = b"\x02" + sha256(coin.script.payload).digest()
        body += b"\x02" + compact_size(len(signature)) + signature + compact_size(len(key)) + key
    return body + locktime.to_bytes(4, "little")


def txid_of(raw: bytes) -> str:
    """The display txid of a transaction made here (segwit form), or of a coinbase made here (old form)."""
    if raw[4:6] != b"\0\x01":
        return display(sha256d(raw))
    witness = _witness_size(raw)
    return display(sha256d(raw[:4] + raw[6 : len(raw) - 4 - witness] + raw[-4:]))


def _witness_size(raw: bytes) -> int:
    inputs, _ = _count(raw, 6)
    return inputs * (1 + 1 + 71 + 1 + 33)


def _count(raw: bytes, place: int) -> tuple[int, int]:
    first = raw[place]
    if first < 0xFD:
        return first, place + 1
    size = 2 << (first - 0xFD)
    return int.from_bytes(raw[place + 1 : place + 1 + size], "little"), place + 1 + size


@dataclass(slots=True)
class BlockMaker:
    """Makes a chain of regtest blocks on top of the genesis block.

    Args:
        time: Unix seconds of the first block to be made.
        interval: Seconds between blocks.
        network: Bitcoin's or Litecoin's regtest.

    Attributes:
        blocks: Serialised blocks, the genesis block first.
        unspent: Coins by (display txid, index).
    """

    time: int
    interval: int = 600
    network: Network = REGTEST
    blocks: list[bytes] = field(default_factory=list)
    unspent: dict[tuple[str, int], Coin] = field(default_factory=dict)
    _pending: list[tuple[bytes, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.blocks = self.blocks or [LITECOIN_GENESIS if self.network == LITECOIN_REGTEST else GENESIS]

    @property
    def height(self) -> int:
        """Height of the last block."""
        return len(self.blocks) - 1

    def pay(self, inputs: Sequence[Coin], outputs: Sequence[tuple[Script, int]]) -> list[Coin]:
        """Put a transaction into the next block; returns its coins, which can be spent at once.

        Raises:
            ValueError: An input is not unspent, or the outputs are more than the inputs.
        """
        fee = sum(coin.value for coin in inputs) - sum(value for _, value in outputs)
        if fee < 0:
            raise ValueError(f"outputs of {-fee} satoshi more than the inputs")
        for coin in inputs:
            if self.unspent.pop((coin.txid, coin.index), None) is None:
                raise ValueError(f"{coin.txid}:{coin.index} is not unspent")
        raw = transaction(inputs, outputs)
        self._pending.append((raw, fee))
        return self._take_in(txid_of(raw), outputs)

    def mine(self, miner: Script, *, claim: int | None = None) -> Coin:
        """Close a block with what is pending; the miner gets subsidy and fees, or `claim` satoshi of them."""
        height = self.height + 1
        reward = self.network.subsidy(height) + sum(fee for _, fee in self._pending)
        value = reward if claim is None else claim
        number = height.to_bytes((height.bit_length() + 8) // 8, "little") if height > 16 else b""
        script = bytes([len(number)]) + number if number else bytes([0x50 + height])
        coinbase = (
            b"\x02\0\0\0\x01" + bytes(32) + b"\xff\xff\xff\xff" + compact_size(len(script) + 1) + script + b"\0"
            + b"\xff\xff\xff\xff\x01" + value.to_bytes(8, "little")
        )  # fmt: skip
        raw_script = assemble(miner)
        coinbase += compact_size(len(raw_script)) + raw_script + bytes(4)
        raws = [coinbase, *(raw for raw, _ in self._pending)]
        self._pending = []
        txids = np.frombuffer(b"".join(internal(txid_of(raw)) for raw in raws), np.uint8).reshape(-1, 32)
        previous = parse_header(self.blocks[-1][:80]).hash
        head = _VERSION.to_bytes(4, "little") + previous + merkle_root(txids) + self.time.to_bytes(4, "little")
        self.blocks.append(seal(head, self.network.work) + compact_size(len(raws)) + b"".join(raws))
        self.time += self.interval
        return self._take_in(txid_of(coinbase), [(miner, value)])[0]

    def _take_in(self, txid: str, outputs: Sequence[tuple[Script, int]]) -> list[Coin]:
        coins = [Coin(txid, index, value, script) for index, (script, value) in enumerate(outputs)]
        for coin in coins:
            if not coin.script.unspendable:
                self.unspent[coin.txid, coin.index] = coin
        return coins

    def block_file(self, order: Sequence[int] | None = None) -> bytes:
        """The chain as a `blk*.dat`; `order` gives block numbers in another order."""
        chosen = range(len(self.blocks)) if order is None else order
        return b"".join(frame(self.blocks[number], self.network) for number in chosen)


def seal(head: bytes, work: Work = "sha256d") -> bytes:
    """An 80-byte header from its first 72 bytes, with the first nonce that carries the work."""
    for nonce in range(1 << 32):
        header = head + _BITS.to_bytes(4, "little") + nonce.to_bytes(4, "little")
        if parse_header(header).carries_work(work):
            return header
    raise ValueError("no nonce carries the work")


def frame(block: bytes, network: Network = REGTEST) -> bytes:
    """A block as it stands in a `blk*.dat`: magic, size, block."""
    return network.magic + len(block).to_bytes(4, "little") + block
