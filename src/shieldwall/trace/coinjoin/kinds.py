"""The kinds of CoinJoin: rule in a sentence, whose it is, what was published of its error, and when it can be first."""

from __future__ import annotations

from dataclasses import dataclass

from shieldwall.kernels.arrays import (
    COINJOIN_NAMES,
    GENERIC,
    JOINMARKET,
    NO_COINJOIN,
    WABISABI,
    WASABI_1_0,
    WASABI_1_1,
    WHIRLPOOL,
    WHIRLPOOL_TX0,
)
from shieldwall.trace.published_rates import PublishedRate, none_published

BLOCKSCI = "BlockSci 0.7, isCoinjoin (tx_identification.cpp)"
GSL = "graphsense-lib 2.16 to 2.18, heuristics_service.py, after Schnoering and Vazirgiannis, arXiv 2311.12491 (2023)"
STUETZ = "Stuetz et al., Adoption and Actual Privacy of Decentralized CoinJoin Implementations in Bitcoin (AFT 2022)"
KAPPOS = "Kappos et al., How to Peel a Million (USENIX Security 2022), section 6"
DUMPLINGS = "Dumplings (nopara73 and crocs-muni), Constants.cs"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of CoinJoin.

    Attributes:
        code: Its number in `shieldwall.kernels.arrays`.
        title: As people read it.
        rule: What a transaction must have, in words.
        source: Whose rule it is.
        published: What was published of its error.
        first_height: The main network's first block that can hold one, 0 for any; before it the rule is not applied.
        note: What else to know; "" for nothing.
    """

    code: int
    title: str
    rule: str
    source: str
    published: tuple[PublishedRate, ...]
    first_height: int = 0
    note: str = ""

    @property
    def name(self) -> str:
        """As in results, such as "wasabi_1_0"."""
        return COINJOIN_NAMES[self.code]

    @property
    def has_several_payers(self) -> bool:
        """True where the payers are not one holder's, so that co-spend joins nobody; a tx0 has one payer."""
        return self.code not in (NO_COINJOIN, WHIRLPOOL_TX0)


def _accuracy(found: str) -> PublishedRate:
    return PublishedRate(
        f"accuracy of the authors' own detection ({found}), whose rule differs in details", ">99 %", STUETZ
    )


_WASABI = (_accuracy("30,251 Wasabi transactions, blocks 530,500 to 725,348"),)

KINDS = {
    kind.code: kind
    for kind in (
        Kind(
            GENERIC,
            "generic CoinJoin",
            "at least 2 inputs and 3 outputs; the value that comes most often is that of half of the outputs, rounded up, "
            "exactly; at least so many different holders pay; the value is not 546 or 2730 satoshi",
            BLOCKSCI,
            (
                PublishedRate("accuracy as a validator of clusters, not of single transactions", "87.5 %", KAPPOS),
                none_published(BLOCKSCI, "error rate for single transactions"),
            ),
            note="of two values that come equally often the lowest counts, as GraphSense has it: BlockSci takes the first of a "
            "hash table, which depends on its build. OP_RETURN counts as an output here.",
        ),
        Kind(
            WHIRLPOOL,
            "Whirlpool mix",
            "5 to 8 inputs and as many payments, each of one pool's amount (0.001, 0.01, 0.05 or 0.5 BTC); holders distinct on "
            "both sides; 1 to 4 inputs bring 100 to 110,000 satoshi more than that, the others just that",
            GSL,
            (_accuracy("223,597 Samourai transactions, blocks 530,500 to 725,348"),),
            570_000,
        ),
        Kind(
            WHIRLPOOL_TX0,
            "Whirlpool tx0",
            "one OP_RETURN; 1 to 70 equal payments 100 to 110,000 satoshi above a pool's amount; at most 2 other payments; one "
            "payment of 0.5 to 3 times the pool's fee",
            GSL,
            (none_published(GSL),),
            570_000,
            note="prepares coins for a mix and has one payer: it does not keep its payers apart. With one prepared coin alone "
            "the rule is weak; that a prepared coin goes into a mix is told as a further reason.",
        ),
        Kind(
            WASABI_1_0,
            "Wasabi 1.0 round",
            "at least 10 inputs, none of whose holders brings more than a tenth of them; the most frequent value within 5 % of "
            "0.1 BTC is that of n >= 3 payments and of half of all but one; n to 7n different payers; holders paid distinct; "
            "with fewer than 20 inputs, no even split of one amount",
            GSL,
            _WASABI,
            530_500,
        ),
        Kind(
            WASABI_1_1,
            "Wasabi 1.1 round",
            "as Wasabi 1.0, but over the levels 2^i times 0.1 BTC (5 %) with two payments or more, one of them above the first; "
            "n is the largest level's count; the levels hold half of all payments but one, or all but one for each payer and one",
            GSL,
            _WASABI,
            530_500,
            note="where the rule of 1.0 holds too, 1.1 is said only if a level above the first holds one value twice.",
        ),
        Kind(
            WABISABI,
            "WabiSabi (Wasabi 2.0) round",
            "at least 20 inputs, none of whose holders brings more than a tenth of them; payments of at least 5,000 satoshi to "
            "distinct holders; 3 or more values come twice or more; they make half of all payments but one, and not all",
            GSL,
            (none_published(GSL + "; its confidence of 60 is set by hand"),),
            741_213,
            note="a round of Wasabi 1.x with half of its payments at its levels is called that, though this rule holds too.",
        ),
        Kind(
            JOINMARKET,
            "JoinMarket",
            "n >= 3 payments of the most frequent value above 2,730 satoshi, half of all payments or more; n different payers or "
            "more; at least one payment of another value; holders paid distinct; from 50 inputs on at most 20 n inputs and "
            "at least 1.7 n payments",
            GSL,
            (none_published(GSL + "; its confidence of 49 is set by hand"),),
            336_861,
            note="a round of any other program with one equal amount has this shape too. Vetoed where a known service pays, and "
            "for two equal payments, the shape of a Stonewall.",
        ),
    )
}
