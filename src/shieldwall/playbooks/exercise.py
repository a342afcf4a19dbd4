"""Exercise Northwind: a small regtest chain with complete coverage, on which the flagship job runs to its end.

Everything is invented and drawn from names, so that the chain is the same on every machine: a ransom is paid, the operator
takes a cut, the affiliate peels the rest off in pieces, most of them into one deposit address of an exchange.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from shieldwall.chain.regtest import BlockMaker, Coin, p2wpkh
from shieldwall.model import address
from shieldwall.model.network import COIN, REGTEST
from shieldwall.model.script import Script

FIRST_BLOCK = int(datetime(2026, 10, 1, 6, tzinfo=UTC).timestamp())
RANSOM = 10 * COIN  # satoshi
FEE = 10_000  # satoshi of each transaction
_MATURE = 101  # blocks before anyone spends, as coinbases want it

_PEELS = (  # what the affiliate's peel chain pays at each step, in satoshi; the rest goes on
    ("deposit", 170_000_000),
    ("cash-out-1", 35_000_000),
    ("deposit", 260_000_000),
    ("cash-out-2", 60_000_000),
    ("deposit", 190_000_000),
)


@dataclass(frozen=True, slots=True)
class Exercise:
    """The exercise chain and the names in its story."""

    maker: BlockMaker
    ransom_address: str
    deposit_address: str
    operator_address: str


def make_exercise() -> Exercise:
    """Make the chain: 101 quiet blocks, then the ransom and what became of it, among other people's payments."""
    maker = BlockMaker(FIRST_BLOCK - _MATURE * 600)
    miners = [maker.mine(p2wpkh(f"miner-{number % 7}")) for number in range(_MATURE)]
    bystanders = _Bystanders(maker, miners[20:])
    waterworks = _spend_all(maker, miners[:1], p2wpkh("broker"))
    bystanders.live(6)
    paid, _ = maker.pay([waterworks], [(p2wpkh("ransom"), RANSOM), (p2wpkh("broker"), waterworks.value - RANSOM - FEE)])
    bystanders.live(3)
    cut = RANSOM // 5
    affiliate, _ = maker.pay([paid], [(p2wpkh("affiliate-0"), RANSOM - cut - FEE), (p2wpkh("operator"), cut)])
    bystanders.live(8)
    for number, (name, amount) in enumerate(_PEELS, 1):
        coins = [affiliate]
        if number == 3:  # other money joins, behind the ransom's: the methods part here
            coins.append(_spend_all(maker, miners[1:2], p2wpkh("affiliate-own"), COIN))
        rest = sum(coin.value for coin in coins) - amount - FEE
        _, affiliate = maker.pay(coins, [(p2wpkh(name), amount), (p2wpkh(f"affiliate-{number}"), rest)])
        bystanders.live(2 + number % 3)
    bystanders.live(12)
    return Exercise(maker, _address("ransom"), _address("deposit"), _address("operator"))


class _Bystanders:
    """Other people who pay each other in every block."""

    def __init__(self, maker: BlockMaker, coins: list[Coin]) -> None:
        self._maker = maker
        self._coins = coins
        self._turn = 0

    def live(self, blocks: int) -> None:
        """Some payments a block, then the block."""
        for _ in range(blocks):
            for _ in range(3):
                coin = self._coins.pop(0)
                self._turn += 1
                part = coin.value * (20 + self._turn * 7 % 60) // 100
                payee, payer = p2wpkh(f"person-{self._turn * 13 % 97}"), p2wpkh(f"person-{self._turn * 29 % 97}")
                self._coins += self._maker.pay([coin], [(payee, part), (payer, coin.value - part - FEE)])
            self._maker.mine(p2wpkh(f"miner-{self._turn % 7}"))


def _spend_all(maker: BlockMaker, coins: list[Coin], to: Script, amount: int | None = None) -> Coin:
    whole = sum(coin.value for coin in coins)
    if amount is None:
        return maker.pay(coins, [(to, whole - FEE)])[0]
    return maker.pay(coins, [(to, amount), (p2wpkh("elsewhere"), whole - amount - FEE)])[0]


def _address(name: str) -> str:
    return address.identity(p2wpkh(name), REGTEST)
