"""Random money, as real chains of the regtest network: what the tests of this room are made of."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from trace_reference import Bounds, Outpoint, Payment, Put, World

from shieldwall.chain.build import BuildConfig, build
from shieldwall.chain.proof import sha256d
from shieldwall.chain.regtest import BlockMaker, Coin, p2wpkh, transaction, txid_of
from shieldwall.chain.store import ChainStore
from shieldwall.model import address
from shieldwall.model.network import REGTEST
from shieldwall.model.script import Script, ScriptKind, assemble
from shieldwall.model.transaction import display
from shieldwall.trace.labels import Label
from shieldwall.trace.targets import find_targets

FIRST_TIME = 1_600_000_000
# Nothing here is large enough to wait for a compiler, nor to be worth a thread: a build of six blocks starts forty.
PLAIN = BuildConfig(engine="plain", threads=1)
PEOPLE = [f"person-{number}" for number in range(6)]
FEW = settings(max_examples=settings().max_examples // 4)
"""For laws whose examples are each a chain, a store and several walks: fewer, and the full profile still tries more."""


def identity(name: str) -> str:
    """The regtest address of a person."""
    return address.identity(p2wpkh(name), REGTEST)


def data_script(size: int = 4) -> Script:
    """An OP_RETURN script: data that nobody can spend."""
    return Script(ScriptKind.OP_RETURN, bytes([0x6A, size]) + bytes(range(size)))


@dataclass
class Made:
    """A transaction as it was made."""

    height: int
    raw: bytes
    txid: str
    coins: tuple[Coin, ...]
    outputs: tuple[tuple[Script, int], ...]


@dataclass(repr=False)
class Chain:
    """A chain under the hand of a test: `pay` and `mine` as of a BlockMaker, and everything is remembered."""

    maker: BlockMaker = field(default_factory=lambda: BlockMaker(FIRST_TIME))
    made: list[Made] = field(default_factory=list)
    _pending: list[Made] = field(default_factory=list)

    def __repr__(self) -> str:
        told = [
            f"{made.height} {made.txid[:6]} <- {[f'{c.txid[:6]}:{c.index}={c.value}' for c in made.coins]} -> "
            f"{[(script.payload[:2].hex(), value) for script, value in made.outputs]}"
            for made in self.made
        ]
        return "\n".join(["chain", *told])

    def pay(self, coins: Sequence[Coin], *outputs: tuple[str | Script, int]) -> list[Coin]:
        """A transaction of the next block."""
        scripts = [(p2wpkh(to) if isinstance(to, str) else to, value) for to, value in outputs]
        paid = self.maker.pay(coins, scripts)
        raw = transaction(coins, scripts)
        self._pending.append(Made(self.maker.height + 1, raw, txid_of(raw), tuple(coins), tuple(scripts)))
        return paid

    def mine(self, name: str = "miner", claim: int = 0) -> Coin:
        """Close the block; the miner claims no more than `claim`."""
        coin = self.maker.mine(p2wpkh(name), claim=claim)
        coinbase = Made(self.maker.height, b"", coin.txid, (), ((p2wpkh(name), claim),))
        self.made += [coinbase, *self._pending]
        self._pending = []
        return coin

    def fund(self, *amounts: int, name: str = "origin") -> list[Coin]:
        """One block for each amount, all to one address."""
        return [self.mine(name, amount) for amount in amounts]

    def time(self, height: int) -> int:
        """Unix seconds of a block."""
        return FIRST_TIME + (height - 1) * 600

    @contextlib.contextmanager
    def store(self) -> Iterator[ChainStore]:
        """A store of the whole chain, built in one go."""
        with tempfile.TemporaryDirectory(prefix="shieldwall-test-") as name, self.store_in(Path(name)) as store:
            yield store

    def store_in(self, folder: Path) -> ChainStore:
        """The same in a folder of the caller's."""
        (folder / "blk00000.dat").write_bytes(self.maker.block_file())
        build(folder / "chain", [str(folder / "blk00000.dat")], config=PLAIN)
        return ChainStore.open(folder / "chain")

    def world(self) -> World:
        """What a store of the whole chain knows."""
        return Coverage(["whole"] * (self.maker.height + 1)).world(self)


@dataclass
class Coverage:
    """What of a chain is known.

    Attributes:
        blocks: For each height "whole", "loose" (some transactions, without header) or "gone".
        left_out: Transactions of loose blocks that are not there.
        previous: Inputs (txid, place) of which a source gives what they spend.
        statements: (outpoint, height): a source says at that height what became of the output, truly.
    """

    blocks: list[str]
    left_out: set[str] = field(default_factory=set)
    previous: set[tuple[str, int]] = field(default_factory=set)
    statements: list[tuple[Outpoint, int]] = field(default_factory=list)

    def present(self, chain: Chain) -> list[Made]:
        """The transactions that are there, in chain order."""
        return [
            made
            for made in chain.made
            if self.blocks[made.height] == "whole"
            or (self.blocks[made.height] == "loose" and made.raw and made.txid not in self.left_out)
        ]

    def heights(self, chain: Chain) -> list[int]:
        """Heights of which something is there."""
        loose = {made.height for made in self.present(chain)}
        return [height for height, kind in enumerate(self.blocks) if kind == "whole" or height in loose]

    def store_in(self, folder: Path, chain: Chain) -> ChainStore:
        """A store of just that, from single raw blocks and a fact file."""
        sources = []
        for height, kind in enumerate(self.blocks):
            if kind == "whole":
                sources.append(folder / f"{height}.raw")
                sources[-1].write_bytes(chain.maker.blocks[height])
        facts = self._facts(chain)
        if facts:
            sources.append(folder / "facts.jsonl")
            heading = {"format": "shieldwall-facts/1", "network": "regtest"}
            sources[-1].write_text("".join(json.dumps(line) + "\n" for line in [heading, *facts]))
        build(folder / "chain", [str(path) for path in sources], network=REGTEST, config=PLAIN)
        return ChainStore.open(folder / "chain")

    def _facts(self, chain: Chain) -> list[dict]:
        lines: list[dict] = []
        here = {made.txid for made in self.present(chain)}
        for height, kind in enumerate(self.blocks):
            wanted = [made for made in chain.made if made.height == height and made.raw and made.txid in here]
            if kind == "whole":  # the fact file only helps with what the block's inputs spend
                wanted = [
                    made for made in wanted if any((made.txid, k) in self.previous for k in range(len(made.coins)))
                ]
            if kind == "gone" or not wanted:
                continue
            block = chain.maker.blocks[height]
            lines.append(
                {
                    "block": {"height": height, "hash": display(sha256d(block[:80])), "time": chain.time(height)},
                    "transactions": [{"raw": made.raw.hex(), "previous": self._previous(made)} for made in wanted],
                }
            )
        spenders = {(coin.txid, coin.index): made for made in chain.made for coin in made.coins}
        for (txid, index), height in self.statements:
            if txid in here:
                spender = spenders.get((txid, index))
                spent = spender is not None and spender.height <= height
                fact = {"output": f"{txid}:{index}", "height": height}
                lines.append({"spend": fact | ({"spender": spender.txid} if spender and spent else {})})
        return lines

    def _previous(self, made: Made) -> list:
        return [
            [coin.value, assemble(coin.script).hex()] if (made.txid, place) in self.previous else None
            for place, coin in enumerate(made.coins)
        ]

    def world(self, chain: Chain) -> World:
        """What such a store must know, from the definitions in the chain store's specification."""
        present, heights = self.present(chain), self.heights(chain)
        here = {made.txid for made in present}
        payments = []
        for made in present:
            known = [coin.txid in here or (made.txid, place) in self.previous for place, coin in enumerate(made.coins)]
            payments.append(
                Payment(
                    made.txid,
                    made.height,
                    chain.time(made.height),
                    tuple((coin.txid, coin.index) for coin in made.coins),
                    tuple(coin.value if there else None for coin, there in zip(made.coins, known, strict=True)),
                    tuple(
                        Put(value, address.identity(script, REGTEST), script.unspendable)
                        for script, value in made.outputs
                    ),
                    tuple(
                        address.identity(coin.script, REGTEST) if there else None
                        for coin, there in zip(made.coins, known, strict=True)
                    ),
                )
            )
        return World(tuple(payments), self._states(chain, present, heights))

    def _states(self, chain: Chain, present: list[Made], heights: list[int]) -> dict[Outpoint, tuple[str, str]]:
        here = {made.txid for made in present}
        spenders = {(coin.txid, coin.index): made for made in chain.made for coin in made.coins}
        run = tip = heights[-1]  # the unbroken run of whole blocks up to the tip begins at `run`
        while self.blocks[run] == "whole" and run > 0 and self.blocks[run - 1] == "whole":
            run -= 1
        followed = self.blocks[tip] == "whole"
        stated: dict[Outpoint, int] = {}
        for outpoint, said_at in self.statements:
            stated[outpoint] = max(said_at, stated.get(outpoint, -1))
        states = {}
        for made in present:
            for index in range(len(made.outputs)):
                outpoint = (made.txid, index)
                spender, height = spenders.get(outpoint), stated.get(outpoint)
                if spender is not None and spender.txid in here:
                    states[outpoint] = ("spent", spender.txid)
                elif height is not None and spender is not None and spender.height <= height:
                    states[outpoint] = ("outside", spender.txid)
                elif height is not None and height >= (max(run - 1, 0) if followed else tip):
                    states[outpoint] = ("unspent", "")  # every block since is here, and none of them spends it
                elif followed and made.height >= run:
                    states[outpoint] = ("unspent", "")
                else:
                    states[outpoint] = ("unknown", "")
        return states


def tag_of(label: str, category: str = "exchange", source: str = "a list") -> dict:
    """A merged tag as it stands in a result."""
    return {
        "label": label,
        "category": category,
        "abuse": "",
        "actor": "",
        "confidence": 50,
        "count": 1,
        "sources": [
            {"set": "set", "version": "v1", "source": source, "made_by": "desk", "at": "2026-01-01", "label": label,
             "confidence": 50, "claim": "0" * 64}
        ],
    }  # fmt: skip


class Services:
    """Labels that call some addresses services."""

    versions: tuple = ()
    stop: tuple = ("exchange",)

    def __init__(self, addresses: frozenset[str], label: str = "Northwind") -> None:
        self.addresses = addresses
        self.label = label

    def of(self, identity: str) -> Label:
        if identity not in self.addresses:
            return Label()
        return Label((tag_of(self.label),), self.label, "exchange")


# random chains


@st.composite
def chains(draw, scale: int = 1) -> Chain:
    """A few blocks of small payments: several inputs and outputs, zero values, data, reuse, spends within a block.

    `scale`: what is mined is so many times as much.
    """
    chain = Chain()
    small = st.integers(0, 30).map(lambda value: value * scale)
    for _ in range(draw(st.integers(2, 6))):
        for _ in range(draw(st.integers(0, 4))):
            coins = [coin for coin in chain.maker.unspent.values() if coin.script.kind == ScriptKind.P2WPKH]
            if not coins:
                break
            places = draw(st.lists(st.integers(0, len(coins) - 1), min_size=1, max_size=4, unique=True))
            chosen = [coins[place] for place in places]
            chain.pay(chosen, *draw(payouts(sum(coin.value for coin in chosen))))
        chain.mine(draw(st.sampled_from(PEOPLE)), draw(small))
    return chain


@st.composite
def payouts(draw, available: int) -> list[tuple[str | Script, int]]:
    """Outputs of no more than `available` satoshi in all."""
    outputs: list[tuple[str | Script, int]] = []
    for _ in range(draw(st.integers(1, 4))):
        value = draw(st.sampled_from([available, available // 2, available // 3, 0]) | st.integers(0, available))
        to = draw(st.sampled_from([*PEOPLE, *PEOPLE, "data"]))
        outputs.append((data_script() if to == "data" else to, value))
        available -= value
    return outputs


@st.composite
def coverages(draw, chain: Chain) -> Coverage:
    """Anything from all to almost nothing of it; at least one transaction is there."""
    kinds = st.sampled_from(["whole", "whole", "loose", "gone"])
    blocks = [draw(kinds) for _ in chain.maker.blocks]
    blocks[0] = "whole" if blocks[0] == "whole" else "gone"
    if not any(kind == "whole" for kind in blocks[1:]):
        blocks[draw(st.integers(1, len(blocks) - 1))] = "whole"
    coverage = Coverage(blocks)
    for made in chain.made:
        if made.raw and draw(st.integers(0, 4)) == 0:
            coverage.left_out.add(made.txid)
        for place in range(len(made.coins)):
            if draw(st.booleans()):
                coverage.previous.add((made.txid, place))
        for index in range(len(made.outputs)):
            if draw(st.integers(0, 3)) == 0:
                height = draw(st.integers(made.height, len(blocks) - 1))
                coverage.statements.append(((made.txid, index), height))
    return coverage


@dataclass
class Start:
    """Targets as a person writes them, and what they stand for."""

    words: list[str]
    outputs: set[Outpoint]
    inputs: set[tuple[str, int]]

    def amount(self, world: World) -> int:
        """Satoshi of all seeds, each once."""
        values = {(p.txid, k): put.value for p in world.payments for k, put in enumerate(p.outputs)}
        brought = {(p.txid, k): value for p in world.payments for k, value in enumerate(p.values)}
        return sum(values[point] for point in self.outputs) + sum(brought[entry] or 0 for entry in self.inputs)


@st.composite
def starts(draw, world: World) -> Start:
    """One to four targets of every kind, which may overlap."""
    start = Start([], set(), set())
    for _ in range(draw(st.integers(1, 4))):
        payment = draw(st.sampled_from(world.payments))
        kind = draw(st.sampled_from(["address", "transaction", "output", "input"]))
        index = draw(st.integers(0, len(payment.outputs) - 1))
        known = [place for place, value in enumerate(payment.values) if value is not None]
        if kind == "address":
            wanted = payment.outputs[index].address
            start.words.append(wanted)
            start.outputs |= {
                (p.txid, k) for p in world.payments for k, put in enumerate(p.outputs) if put.address == wanted
            }
        elif kind == "transaction":
            start.words.append(payment.txid)
            start.outputs |= {(payment.txid, k) for k in range(len(payment.outputs))}
        elif kind == "input" and known:
            place = draw(st.sampled_from(known))
            start.words.append(f"{payment.txid}:in:{place}")
            start.inputs.add((payment.txid, place))
        else:
            start.words.append(f"{payment.txid}:{index}")
            start.outputs.add((payment.txid, index))
    return start


@st.composite
def bounds(draw) -> Bounds:
    """Limits, most of them open."""
    return Bounds(
        hops=draw(st.none() | st.integers(0, 3)),
        least=draw(st.sampled_from([0, 0, 0, 5, 20])),
        until_height=draw(st.none() | st.none() | st.integers(0, 6)),
        until_time=draw(st.none() | st.none() | st.integers(FIRST_TIME, FIRST_TIME + 3600)),
        transactions=draw(st.sampled_from([10**6, 10**6, 1, 2, 3])),
        services=frozenset(identity(name) for name in draw(st.sets(st.sampled_from(PEOPLE), max_size=2))),
    )


def ends_of(body: dict) -> Counter:
    """The ends of a result in the form of the reference."""
    found: Counter = Counter()
    for end in body["ends"]:
        for output in end["outputs"]:
            hops = None if output["index"] is None else output["hops"]
            found[end["kind"], output["txid"], output["index"], output["amount"], hops, end["gap_txid"] or ""] += 1
    return found


def targets_of(store: ChainStore, start: Start):
    """The targets in a store."""
    return find_targets(store, start.words)
