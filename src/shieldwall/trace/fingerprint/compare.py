"""May two transactions be one actor's? Reasons for and against, and a word of a fixed scale that never claims proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from shieldwall import __version__
from shieldwall.chain.store import ChainStore
from shieldwall.errors import PartialData, UsageError
from shieldwall.model.canonical import digest
from shieldwall.model.claim import Layer
from shieldwall.model.moment import utc
from shieldwall.model.transaction import TXID, internal
from shieldwall.trace.fingerprint.links import Inferred, LinkFact, find_links
from shieldwall.trace.fingerprint.single import told
from shieldwall.trace.fingerprint.table import UNKNOWN, fingerprint_table
from shieldwall.trace.fingerprint.window import BLOCKS, MOST, RARE, Share, Window, window_around

METHOD = "fingerprint comparison 1"
CALIBRATION = "weights are not calibrated; published error: none"
STEADY = ("version", "locktime", "replaceable", "input_kinds")
"""What one wallet program tends to keep; what follows from these (`final`, `segwit`) is told and not counted again."""
_FOLLOWS = {"final": "follows from locktime and replaceable for most programs", "segwit": "follows from input_kinds"}
_VARIES = {
    "output_kinds": "whom one pays decides it",
    "inputs": "one wallet's transactions differ in it",
    "outputs": "one wallet's transactions differ in it",
    "output_order": "often chance where there are few outputs",
    "bip69": "often chance where there are few inputs and outputs",
    "fee": "one wallet's transactions differ in it",
}
_COMPARED = (*STEADY, *_FOLLOWS, *_VARIES)
_AGAINST = 2  # steady attributes that must differ before likeness is called contradicted
_OTHER_VERSION = 0


class Verdict(StrEnum):
    """The scale. None of these words is proof, and none says how likely it is."""

    CONTRADICTED = "contradicted"  # no tie, and two or more steady attributes differ
    NOT_TOLD = "not told"  # nothing here speaks clearly either way
    CONSISTENT = "consistent"  # no tie, all steady attributes agree, and few others have all of them
    LINKED = "linked"  # something beside likeness ties those who pay


class Agreement(StrEnum):
    """How an attribute of two transactions compares."""

    AGREES = "agrees"
    DIFFERS = "differs"
    OVERLAPS = "overlaps"  # two sets that share some
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AttributeResult:
    """One attribute of the two.

    Attributes:
        name: As in `FingerprintTable`.
        agreement: Whether they agree.
        one: The first's value in words; None for unknown.
        other: The second's.
        around: How many transactions around have the value that both have; None where they do not agree.
        weight: What it counts for: "steady", or why it does not count.
    """

    name: str
    agreement: Agreement
    one: str | None
    other: str | None
    around: Share | None
    weight: str

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        around = None if self.around is None else {**asdict(self.around), "word": self.around.word}
        return {**asdict(self), "agreement": self.agreement.value, "around": around}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two transactions compared; an inference of this program.

    Attributes:
        txids: Display form of both.
        verdict: The word.
        because: In one line, what the word rests on.
        links: What ties them beside likeness.
        attributes: Each attribute of their fingerprints.
        joint: How many around share all steady attributes that both agree on; None where they do not agree on all.
        caveats: What weakens all of this here.
        window: What "around" was.
        chain: The store: network, tip, digest.
    """

    txids: tuple[str, str]
    verdict: Verdict
    because: str
    links: tuple[LinkFact, ...]
    attributes: tuple[AttributeResult, ...]
    joint: Share | None
    caveats: tuple[str, ...]
    window: dict[str, Any]
    chain: dict[str, Any]

    @property
    def sentence(self) -> str:
        """The answer for a person."""
        return f"{self.verdict.value}: {self.because}. An inference by {METHOD}, no proof; {CALIBRATION}."

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, with a digest of all the others."""
        body = {
            "transactions": list(self.txids),
            "verdict": self.verdict.value,
            "because": self.because,
            "sentence": self.sentence,
            "layer": Layer.INFERENCE.value,
            "method": METHOD,
            "calibration": CALIBRATION,
            "links": [fact.as_dict() for fact in self.links],
            "attributes": [result.as_dict() for result in self.attributes],
            "joint": None if self.joint is None else {**asdict(self.joint), "word": self.joint.word},
            "caveats": list(self.caveats),
            "window": self.window,
            "chain": self.chain,
            "program": f"shieldwall {__version__}",
        }
        return {**body, "digest": digest(body)}


def number_of(store: ChainStore, txid: str) -> int:
    """The number of a transaction that a person names.

    Raises:
        UsageError: Not 64 hex digits.
        PartialData: It is not in this store.
    """
    if not TXID.fullmatch(txid.lower()):
        raise UsageError(f"{txid!r} is no txid", hint="a txid is 64 hex digits")
    number = store.find_transaction(internal(txid.lower()))
    if number is None:
        raise PartialData(f"transaction {txid} is not in this store", hint="extend the store: shieldwall chain build")
    return number


def compare(
    store: ChainStore,
    one: int,
    other: int,
    *,
    inferred: Inferred | None = None,
    blocks: int = BLOCKS,
    most: int = MOST,
) -> Comparison:
    """Compare two transactions of a store.

    The attributes are those of Möser and Narayanan, "Resurrecting Address Clustering in Bitcoin" (FC 2022), which they try on
    a transaction and the one that spends its output; this comparison and its scale are ours.

    Args:
        store: The chain.
        one: Number of a transaction.
        other: Number of another.
        inferred: What clusterings, change rules and CoinJoin types say, where the caller has them.
        blocks: How far around, in blocks on either side, an agreement's rarity is counted.
        most: Transactions around each of the two that are looked at.

    Raises:
        UsageError: It is one transaction, or a limit below 1.
    """
    if one == other:
        raise UsageError("both are the same transaction", hint="name two")
    if blocks < 0 or most < 1:
        raise UsageError(f"a window of {blocks} blocks and {most} transactions", hint="ask for at least 0 and 1")
    inferred = inferred or Inferred()
    codes = [fingerprint_table(store, number, number + 1).row(number) for number in (one, other)]
    window = window_around(store, (one, other), blocks, most)
    attributes = tuple(_attribute(name, codes[0][name], codes[1][name], window) for name in _COMPARED)
    links = tuple(find_links(store, one, other, inferred))
    caveats = _caveats(store, (one, other), [bool(row["coinbase"]) for row in codes], inferred)
    agreed = all(result.agreement is Agreement.AGREES for result in attributes[: len(STEADY)])
    joint = window.joint({name: codes[0][name] for name in STEADY}) if agreed else None
    verdict, because = _verdict(links, attributes, joint, caveats)
    return Comparison(
        txids=(store.txid(one), store.txid(other)),
        verdict=verdict,
        because=because,
        links=links,
        attributes=attributes,
        joint=joint,
        caveats=caveats,
        window={
            "blocks": blocks,
            "transactions": len(window.columns["version"]),
            "left_out": window.left_out,
        },
        chain=_chain(store),
    )


def _attribute(name: str, one: int, other: int, window: Window) -> AttributeResult:
    agreement = _agreement(name, one, other)
    around = window.share(name, one) if agreement is Agreement.AGREES else None
    weight = "steady" if name in STEADY else _FOLLOWS.get(name) or _VARIES[name]
    return AttributeResult(name, agreement, told(name, one), told(name, other), around, weight)


def _agreement(name: str, one: int, other: int) -> Agreement:
    if UNKNOWN in (one, other) or (name == "version" and one == other == _OTHER_VERSION):
        return Agreement.UNKNOWN  # the store does not tell two unusual versions apart
    if one == other:
        return Agreement.AGREES
    overlap = name in ("input_kinds", "output_kinds") and one & other
    return Agreement.OVERLAPS if overlap else Agreement.DIFFERS


def _caveats(
    store: ChainStore, numbers: Sequence[int], coinbase: Sequence[bool], inferred: Inferred
) -> tuple[str, ...]:
    """What keeps likeness from saying anything: each of these transactions is not one payer's work."""
    found = []
    for number, mined in zip(numbers, coinbase, strict=True):
        if mined:
            found.append(f"{store.txid(number)} is a coinbase: mining software makes it, not a wallet")
        kind = inferred.joined(number) if inferred.joined is not None else None
        if kind is not None:
            found.append(f"{store.txid(number)} is typed as a CoinJoin ({kind}): several actors pay in it")
    return tuple(found)


def _verdict(
    links: Sequence[LinkFact], attributes: Sequence[AttributeResult], joint: Share | None, caveats: Sequence[str]
) -> tuple[Verdict, str]:
    ties = [fact for fact in links if fact.of_actor]
    steady = [result for result in attributes if result.name in STEADY]
    against = [result.name for result in steady if result.agreement is Agreement.DIFFERS]
    if ties:
        but = f"; yet they differ in {' and '.join(against)}" if against and not caveats else ""
        whose = " (by one of those who pay in it)" if caveats else ""
        return Verdict.LINKED, "; ".join(fact.text for fact in ties) + whose + but
    if caveats:
        return Verdict.NOT_TOLD, "; ".join(caveats)
    if len(against) >= _AGAINST:
        return Verdict.CONTRADICTED, f"they differ in {' and '.join(against)}; one person may still use two wallets"
    if against:
        return Verdict.NOT_TOLD, f"they differ in {against[0]}, which alone decides nothing"
    if joint is None:
        silent = [result.name for result in steady if result.agreement is not Agreement.AGREES]
        return Verdict.NOT_TOLD, f"nothing clear is known of {' and '.join(silent)}"
    some = f"{joint.same} of {joint.of} transactions around share all of {', '.join(STEADY)}"
    if joint.word == "rare":
        return Verdict.CONSISTENT, f"they agree in all of it, and only {some}"
    return Verdict.NOT_TOLD, f"they agree, but so do many: {some} ({joint.word}; rare is one in {RARE})"


def _chain(store: ChainStore) -> dict[str, Any]:
    return {
        "network": store.network.name,
        "tip_height": store.tip_height,
        "tip_hash": store.tip_hash,
        "tip_time": None if store.tip_time is None else utc(store.tip_time),
        "digest": store.digest,
    }
