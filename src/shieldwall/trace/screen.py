"""Many addresses at once: what is known about each, by tags and by the chain store. Directly only, no hops.

An address of which nothing is known is unknown: this never says that one is clean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shieldwall import __version__
from shieldwall.chain.spend import SpendState
from shieldwall.chain.store import ChainStore
from shieldwall.intel import KnownTag, Sourced, TagIndex, know
from shieldwall.model import address
from shieldwall.model.canonical import canonical_json, digest
from shieldwall.model.claim import Subject
from shieldwall.model.mention import ADDRESS, BLOCK_HASH, Mention, Mentions
from shieldwall.model.moment import utc
from shieldwall.model.network import NETWORKS, Network
from shieldwall.model.spreadsheet import csv_text
from shieldwall.model.transaction import internal
from shieldwall.trace.printable import printable
from shieldwall.trace.targets import paid_to

TAGGED, IN_STORE, UNKNOWN = "tagged", "in store, no tag", "unknown"
SANCTION = "sanction"
REACH = "direct only"  # exposure over hops is a trace's work
CSV_COLUMNS = (
    "address", "networks", "verdict", "sanctioned", "abuse", "tags", "source", "source_date", "in_store", "outputs",
    "received_satoshi", "held_satoshi", "unknown_satoshi", "last_height", "last_time_utc", "first_place", "mentioned",
)  # fmt: skip
_MOST_OUTPUTS = 20_000  # of one address, looked at one by one; a fraction of a second
_AMOUNTS = {
    SpendState.SPENT: "spent_amount",
    SpendState.SPENT_OUTSIDE: "spent_amount",
    SpendState.UNSPENT: "held_amount",
    SpendState.UNKNOWN: "unknown_amount",
    SpendState.UNSPENDABLE: "unspendable_amount",
}


@dataclass(frozen=True, slots=True)
class Screening:
    """The answer of a screening.

    Attributes:
        body: Everything but the digest, as plain JSON values; docs/screening.md names the fields.
    """

    body: dict[str, Any]
    _digest: str = field(default="", init=False, repr=False, compare=False)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One for each address, and for each transaction of which something is known; findings first."""
        rows: list[dict[str, Any]] = self.body["rows"]
        return rows

    @property
    def findings(self) -> int:
        """Rows that are sanctioned, or tagged with an abuse."""
        return sum(row["finding"] for row in self.rows)

    @property
    def complete(self) -> bool:
        """Whether something is known of every address, nothing was left unread, and nothing nearly is an address."""
        return not (self.body["counts"][UNKNOWN] or self.body["near_misses"] or self.body["unread"])

    @property
    def sentence(self) -> str:
        """The answer in words."""
        counts = self.body["counts"]
        return (
            f"{len(self.rows):,} screened: {counts['sanctioned']:,} sanctioned, {counts['abuse']:,} tagged with another "
            f"abuse, {counts[TAGGED] - counts['sanctioned'] - counts['abuse']:,} with other tags, "
            f"{counts[IN_STORE]:,} in the chain store without a tag, {counts[UNKNOWN]:,} unknown, which is not the same "
            f"as clean. Direct only: money that comes from or goes to others is not looked at."
        )

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON of the body."""
        if not self._digest:
            object.__setattr__(self, "_digest", digest(self.body))
        return self._digest

    def as_dict(self) -> dict[str, Any]:
        """The body and its digest."""
        return {**self.body, "digest": self.digest}

    def to_json(self) -> str:
        """`as_dict` as canonical JSON."""
        return canonical_json(self.as_dict()).decode()

    def to_csv(self) -> str:
        """The rows, safe to open in a spreadsheet."""
        return csv_text(CSV_COLUMNS, (_csv_row(row) for row in self.rows))


def screen(
    mentions: Mentions, index: TagIndex, store: ChainStore | None = None, *, unread: Sequence[str] = ()
) -> Screening:
    """What is known about everything that a text mentions.

    Args:
        mentions: From `find_mentions` or a document.
        index: The tag sets; all of them are asked.
        store: A chain store; None where there is none, and then whether an address is in use is not known.
        unread: What could not be read of the documents.

    Raises:
        StoreError: A tag set on disk is not what its manifest says.
    """
    subjects = {mention: _subjects(mention) for mention in mentions.mentions if mention.kind != BLOCK_HASH}
    said = index.lookup(subject for group in subjects.values() for subject in group)
    rows = [_row(mention, group, said, store) for mention, group in subjects.items()]
    shown = [row for row in rows if row["kind"] == ADDRESS or row["verdict"] != UNKNOWN]
    shown.sort(key=_urgency)
    counts = Counter(row["verdict"] for row in shown)
    body = {
        "rows": shown,
        "counts": {
            "sanctioned": sum(row["sanctioned"] for row in shown),
            "abuse": sum(row["finding"] and not row["sanctioned"] for row in shown),
            **{verdict: counts[verdict] for verdict in (TAGGED, IN_STORE, UNKNOWN)},
            "digits_of_which_nothing_is_known": len(rows) - len(shown),
            "block_hashes": len(mentions.mentions) - len(rows),
        },
        "near_misses": [miss.as_dict() for miss in mentions.near_misses],
        "near_misses_left_out": mentions.left_out,
        "unread": list(unread),
        "reach": REACH,
        "tag_sets": [{"set": name, "version": version} for name, version in sorted(index.versions.items())],
        "chain": None if store is None else _chain(store),
        "program": f"shieldwall {__version__}",
    }
    return Screening(body)


def _subjects(mention: Mention) -> tuple[Subject, ...]:
    """What tag sets may call it: an address on each of its networks; a transaction on all, for nothing ties it to one."""
    if mention.kind == ADDRESS:
        return tuple(_address_subject(mention.name, NETWORKS[name]) for name in mention.networks)
    txid = mention.name[:64]
    return tuple(Subject("transaction", network.caip2, txid) for network in NETWORKS.values())


def _address_subject(name: str, network: Network) -> Subject:
    script = address.parse(name, network)
    return Subject("address", network.caip2, name if script is None else address.encode(script, network) or name)


def _row(
    mention: Mention, subjects: Iterable[Subject], said: Mapping[Subject, tuple[Sourced, ...]], store: ChainStore | None
) -> dict[str, Any]:
    known = [know(subject, said[subject]) for subject in subjects if subject in said]
    tags = sorted((_tag(tag) for each in known for tag in each.tags), key=lambda tag: not tag["sanctioned"])
    chain = _figures(mention, store)
    sanctioned = any(tag["sanctioned"] for tag in tags)
    return {
        "address": mention.name,
        "kind": mention.kind,
        "networks": list(mention.networks),
        "verdict": TAGGED if tags else IN_STORE if chain["in_store"] else UNKNOWN,
        "finding": any(tag["abuse"] or tag["sanctioned"] for tag in tags),
        "sanctioned": sanctioned,
        "tags": tags,
        "contradictions": [entry.text for each in known for entry in each.contradictions],
        "retracted": sum(each.retracted for each in known),
        **chain,
        "first_place": str(mention.places[0]),
        "mentioned": len(mention.places),
        "places": [str(place) for place in mention.places],
        "note": mention.note,
    }


def _tag(tag: KnownTag) -> dict[str, Any]:
    """One thing said, with the source that is surest and, among equals, latest."""
    best = max(tag.sources, key=lambda source: (-1 if source.confidence is None else source.confidence, source.at))
    return {
        "label": tag.label,
        "category": tag.category,
        "abuse": tag.abuse,
        "actor": tag.actor,
        "sanctioned": SANCTION in (tag.abuse, tag.category),
        "confidence": tag.confidence,
        "said_by": tag.count,
        "set": best.set,
        "source": best.source or best.made_by,
        "source_date": best.at,
    }


def _figures(mention: Mention, store: ChainStore | None) -> dict[str, Any]:
    """What the store holds; None where there is no store of that network, or where there is too much to add up here."""
    empty: dict[str, Any] = {
        "in_store": None, "outputs": None, "received_amount": None, **dict.fromkeys(_AMOUNTS.values()),
        "last_height": None, "last_time": None, "linked": [],
    }  # fmt: skip
    if store is None or (mention.kind == ADDRESS and store.network.name not in mention.networks):
        return empty
    if mention.kind != ADDRESS:
        number = store.find_transaction(internal(mention.name[:64]))
        last = {} if number is None else _moment(store, number)
        return empty | {"in_store": number is not None} | last
    script = address.parse(mention.name, store.network)
    own, linked, twin = ([], [], None) if script is None else paid_to(store, script)
    outputs = sorted(own + linked)
    if not outputs:
        return empty | {"in_store": False}
    counted = {"in_store": True, "outputs": len(outputs), "linked": [store.identity(twin)] if twin and linked else []}
    if len(outputs) > _MOST_OUTPUTS:
        return empty | counted | _moment(store, store.transaction_of(outputs[-1]))
    return empty | counted | _amounts(store, outputs)


def _amounts(store: ChainStore, outputs: Sequence[int]) -> dict[str, Any]:
    """Satoshi by state, and the last transaction that pays or spends."""
    values = [int(value) for value in store.column("output_value")[list(outputs)]]
    sums = dict.fromkeys(_AMOUNTS.values(), 0)
    last = store.transaction_of(outputs[-1])
    for output, value in zip(outputs, values, strict=True):
        spend = store.spend(output)
        sums[_AMOUNTS[spend.state]] += value
        last = max(last, spend.transaction or 0)
    return {"received_amount": sum(values), **sums, **_moment(store, last)}


def _moment(store: ChainStore, transaction: int) -> dict[str, Any]:
    return {"last_height": store.height_of(transaction), "last_time": utc(store.time_of(transaction))}


def _chain(store: ChainStore) -> dict[str, Any]:
    tip_time = store.tip_time
    return {
        "network": store.network.name,
        "tip_height": store.tip_height,
        "tip_hash": store.tip_hash,
        "tip_time": None if tip_time is None else utc(tip_time),
        "digest": store.digest,
    }


def _urgency(row: Mapping[str, Any]) -> tuple[bool, bool, int]:
    return not row["sanctioned"], not row["finding"], (TAGGED, IN_STORE, UNKNOWN).index(row["verdict"])


def _csv_row(row: Mapping[str, Any]) -> tuple[object, ...]:
    tags = row["tags"]
    best = tags[0] if tags else {}
    return (
        row["address"], " ".join(row["networks"]), row["verdict"], "yes" if row["sanctioned"] else "no",
        "; ".join(sorted({tag["abuse"] for tag in tags if tag["abuse"]})),
        printable("; ".join(tag["label"] for tag in tags)),
        printable(best.get("source", "")), best.get("source_date", ""),
        None if row["in_store"] is None else "yes" if row["in_store"] else "no",
        row["outputs"], row["received_amount"], row["held_amount"], row["unknown_amount"],
        row["last_height"], row["last_time"], printable(row["first_place"]), row["mentioned"],
    )  # fmt: skip
