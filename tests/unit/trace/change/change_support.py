"""Chains of transactions in which every trait varies that change rules look at."""

from __future__ import annotations

import contextlib
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from chain_support import START, build_store, outputs_of, rev_file, scripts, write

from shieldwall.chain.regtest import BlockMaker, Coin, p2wpkh, transaction, txid_of
from shieldwall.chain.store import ChainStore
from shieldwall.model.script import Script, ScriptKind
from shieldwall.model.transaction import internal

FINAL = 0xFFFFFFFF
REPLACEABLE = 0xFFFFFFFD


def spend(
    maker: BlockMaker,
    coins: Sequence[Coin],
    *outputs: tuple[Script | str, int],
    version: int = 2,
    locktime: int = 0,
    sequence: int = REPLACEABLE,
) -> list[Coin]:
    """A transaction of the next block, as its maker wants it; returns its coins."""
    puts = [(p2wpkh(to) if isinstance(to, str) else to, value) for to, value in outputs]
    fee = sum(coin.value for coin in coins) - sum(value for _, value in puts)
    assert fee >= 0
    for coin in coins:
        del maker.unspent[coin.txid, coin.index]
    raw = transaction(coins, puts, locktime=locktime, sequence=sequence)
    raw = version.to_bytes(4, "little") + raw[4:]
    maker._pending.append((raw, fee))
    return maker._take_in(txid_of(raw), puts)


def fund(maker: BlockMaker, *names: str) -> list[Coin]:
    """A coinbase coin for each name, 50 BTC."""
    return [maker.mine(p2wpkh(name)) for name in names]


def data(text: str = "hello") -> Script:
    """An output that nobody can ever spend."""
    return Script(ScriptKind.OP_RETURN, bytes([0x6A, len(text)]) + text.encode())


@contextlib.contextmanager
def store_of(maker: BlockMaker) -> Iterator[ChainStore]:
    """A store of the whole chain."""
    with tempfile.TemporaryDirectory(prefix="shieldwall-test-") as folder:
        build_store(Path(folder) / "c", write(Path(folder) / "blk00000.dat", maker.blocks), threads=1)
        with ChainStore.open(Path(folder) / "c") as store:
            yield store


@contextlib.contextmanager
def late_store_of(maker: BlockMaker, first: int, *, undo: bool, batch: int = 32 << 20) -> Iterator[ChainStore]:
    """A store of the blocks from `first` on; with undo data, the holders and values from before are known."""
    with tempfile.TemporaryDirectory(prefix="shieldwall-test-") as folder:
        blocks = write(Path(folder) / "blk00000.dat", maker.blocks[first:])
        if undo:
            rev_file(Path(folder) / "rev00000.dat", maker.blocks[first:], outputs_of(maker.blocks))
        build_store(Path(folder) / "c", blocks, batch=batch, threads=1)
        with ChainStore.open(Path(folder) / "c") as store:
            yield store


def number_of(store: ChainStore, coin: Coin) -> int:
    """The number of the transaction that made a coin."""
    number = store.find_transaction(internal(coin.txid))
    assert number is not None
    return number


def varied_chain(seed: int, blocks: int = 14, transactions: int = 5) -> BlockMaker:
    """Wallets of few habits in a random chain: one version, locktime, sequence, order and script kind each."""
    draw = random.Random(seed)
    maker = BlockMaker(time=START)
    for number in range(4):
        maker.mine(scripts(f"{seed} miner {number}")[number])
    for height in range(blocks):
        for _ in range(draw.randrange(1, transactions + 1)):
            _pay(maker, draw, height)
        maker.mine(draw.choice(scripts(f"{seed} miner {draw.randrange(4)}")[:7]))
    return maker


def _pay(maker: BlockMaker, draw: random.Random, height: int) -> None:
    coins = [coin for coin in maker.unspent.values() if coin.value > 2_000][:9]
    if not coins:
        return
    spent = draw.sample(coins, min(len(coins), draw.choice((1, 1, 1, 2, 3, 5))))
    if draw.random() < 0.5:
        spent.sort(key=lambda coin: (coin.txid, coin.index))
    left = sum(coin.value for coin in spent) - draw.choice((500, 500, 777, 0))
    outputs: list[tuple[Script | str, int]] = []
    for _ in range(draw.choice((1, 1, 1, 1, 1, 1, 2, 3)) if draw.random() < 0.97 else 70):
        round_value = left // 2 // 10**7 * 10**7
        value = draw.choice(
            (left // 2, round_value, round_value, draw.randrange(left + 1), min(left, 1000) * (left & 1))
        )
        left -= value
        pool = [spent[0].script, *scripts(f"{draw.randrange(9)}"), p2wpkh(f"new {draw.random()}")]
        outputs.append((draw.choice(pool), value))
    outputs.append((draw.choice((spent[0].script, p2wpkh(f"own {draw.random()}"))), left))
    if draw.random() < 0.1:
        outputs = outputs[:1]
    if draw.random() < 0.5:
        outputs.sort(key=lambda output: output[1])
    spend(
        maker,
        spent,
        *outputs,
        version=draw.choice((1, 2, 2, 3, 4)),
        locktime=draw.choice((0, 0, height + 1)),
        sequence=draw.choice((FINAL, FINAL - 1, REPLACEABLE)),
    )
