"""Every satoshi of a small chain on its own: what points stop, from the definition, without any of the program's code."""

from __future__ import annotations

from dataclasses import dataclass

from trace_support import Chain, identity

from shieldwall.model import address
from shieldwall.model.network import REGTEST

ALWAYS = 1 << 62


@dataclass(frozen=True)
class Stay:
    """A satoshi at an address: from when until when."""

    address: str
    came: int
    until: int


def ways(chain: Chain, seeds: set[tuple[str, int]], services: frozenset[str], method: str) -> list[tuple[Stay, ...]]:
    """For every satoshi of the seeds the stays behind the seed, in order; a chain of whole blocks, followed to its end."""
    left = {(coin.txid, coin.index): chain.time(made.height) for made in chain.made for coin in made.coins}
    coins: dict[tuple[str, int], list] = {}  # satoshi by place: None, or a list of stays that grows
    found: list[list[Stay]] = []

    def begin(point, satoshi):
        """A seed: satoshi that are marked already go on, the others begin here."""
        for place, way in enumerate(satoshi):
            if way is None:
                found.append([])
                satoshi[place] = found[-1]
        return satoshi

    for made in chain.made:
        bought = [coins.pop((coin.txid, coin.index)) for coin in made.coins]
        if method == "lifo":
            bought = [satoshi[::-1] for satoshi in reversed(bought)]
        paying = [way for satoshi in bought for way in satoshi]
        for index, (script, value) in enumerate(made.outputs):
            point = (made.txid, index)
            got = paying[:value] if made.coins else [None] * value
            paying = paying[value:]
            where = address.identity(script, REGTEST)
            if not script.unspendable:
                stay = Stay(where, chain.time(made.height), left.get(point, ALWAYS))
                for way in got:
                    if way is not None:
                        way.append(stay)
            if point in seeds:
                got = begin(point, got)
            elif where in services:
                got = [None] * len(got)  # it is not followed there
            coins[point] = got
    return [tuple(way) for way in found]


def stopped(found: list[tuple[Stay, ...]], chosen: set[str], since: int | None) -> int:
    """Satoshi with a stay at a chosen address that lasts until `since` or comes later."""
    return sum(any(stay.address in chosen and (since is None or stay.until >= since) for stay in way) for way in found)


def seeds_of(chain: Chain, addresses: set[str]) -> set[tuple[str, int]]:
    """The outpoints paid to some addresses."""
    return {
        (made.txid, index)
        for made in chain.made
        for index, (script, value) in enumerate(made.outputs)
        if value and address.identity(script, REGTEST) in addresses
    }


def peel(chain: Chain | None = None) -> Chain:
    """A ransom of 100,000 to `ransom`, cut in two, peeled to two exchanges; the rest rests at `tail`."""
    chain = chain or Chain()
    (victim,) = chain.fund(100_000)
    (paid,) = chain.pay([victim], ("ransom", 99_000))
    chain.mine()
    boss, affiliate = chain.pay([paid], ("boss", 20_000), ("affiliate", 78_500))
    chain.mine()
    for number, (name, amount) in enumerate((("deposit-a", 30_000), ("deposit-b", 20_000), ("deposit-a", 15_000))):
        _, affiliate = chain.pay([affiliate], (name, amount), (f"hop-{number}", affiliate.value - amount - 100))
        chain.mine()
    chain.pay([affiliate], ("tail", affiliate.value - 100))
    chain.pay([boss], ("deposit-b", 19_900))
    chain.mine()
    return chain


EXCHANGES = {identity("deposit-a"): "Northwind", identity("deposit-b"): "Southwind"}
