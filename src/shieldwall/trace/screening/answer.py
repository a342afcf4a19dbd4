"""The screening of documents: one answer with all rows, the most urgent first, the same bytes for the same input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shieldwall import __version__
from shieldwall.chain.store import ChainStore
from shieldwall.model.canonical import canonical_json, digest
from shieldwall.model.claim import Subject
from shieldwall.model.mention import ADDRESS, BLOCK_HASH, Mention, Mentions
from shieldwall.model.moment import utc
from shieldwall.model.network import NETWORKS
from shieldwall.model.spreadsheet import csv_text
from shieldwall.model.transaction import internal
from shieldwall.trace.printable import printable
from shieldwall.trace.screening.figures import NOTHING
from shieldwall.trace.screening.own_rows import cells_of, headings
from shieldwall.trace.screening.recognising import recognize_all
from shieldwall.trace.screening.screener import IN_STORE, TAGGED, UNKNOWN, Screener, exposed_to, urgency

DIRECT = "direct only"
CSV_COLUMNS = (
    "address", "networks", "verdict", "sanctioned", "abuse", "tags", "source", "source_date", "in_store", "outputs",
    "received_satoshi", "held_satoshi", "unknown_satoshi", "last_height", "last_time_utc", "exposed_to", "exposed_hops",
    "exposed_direct_satoshi", "exposed_satoshi", "exposed_path", "exposure", "first_place", "mentioned",
)  # fmt: skip
CLUSTER_COLUMNS = ("cluster_size", "cluster_tagged_others", "cluster_inherited_inferred")
NO_STORE = "no_store_of_its_network"


@dataclass(frozen=True, slots=True)
class Screening:
    """The answer of a screening.

    Attributes:
        body: Everything but the digest, as plain JSON values; docs/screening.md names the fields.
        columns: Of the person's own list, as a CSV has them behind ours.
    """

    body: dict[str, Any]
    columns: tuple[str, ...] = ()
    _digest: str = field(default="", init=False, repr=False, compare=False)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One for each address, and for each transaction of which something is known; findings first."""
        rows: list[dict[str, Any]] = self.body["rows"]
        return rows

    @property
    def findings(self) -> int:
        """Rows that are sanctioned, or tagged with an abuse, themselves."""
        return sum(row["finding"] for row in self.rows)

    @property
    def exposed(self) -> int:
        """Rows whose money went to such an address, or came from one, within the hops."""
        return sum(map(exposed_to, self.rows))

    @property
    def complete(self) -> bool:
        """Whether something is known of every address, nothing was left unread, and nothing nearly is an address."""
        return not (self.body["counts"][UNKNOWN] or self.body["near_misses"] or self.body["unread"])

    @property
    def sentence(self) -> str:
        """The answer in words."""
        return sentence(self.body["counts"], self.body["hops"])

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
        clusters = self.body["clustering"] is not None
        heading = csv_heading(self.columns, clusters=clusters)
        return csv_text(heading, (csv_row(row, self.columns, clusters=clusters) for row in self.rows))


def screen(
    mentions: Mentions,
    screener: Screener,
    *,
    unread: Sequence[str] = (),
    own: tuple[tuple[str, ...], Mapping[str, dict[str, Any]]] = ((), {}),
) -> Screening:
    """What is known about everything that a text mentions.

    Args:
        mentions: From `find_mentions` or a document.
        screener: Tag sets, store, and how far to look.
        unread: What could not be read of the documents.
        own: The columns of lists among them, and the row that each address stands in (`own_rows.own_rows`).

    Raises:
        StoreError: A tag set on disk is not what its manifest says.
    """
    addresses = [mention for mention in mentions.mentions if mention.kind == ADDRESS]
    others = [mention for mention in mentions.mentions if mention.kind not in (ADDRESS, BLOCK_HASH)]
    rows = screener.rows(recognize_all([mention.name for mention in addresses]))
    for row, mention in zip(rows, addresses, strict=True):
        row.update(_places(mention))
        if own[0]:
            row["row"] = own[1].get(mention.name)
    digits = [_transaction_row(mention, screener) for mention in others]
    order = {id(mention): number for number, mention in enumerate(mentions.mentions)}
    placed = [
        (order[id(mention)], row)
        for mention, row in zip((*addresses, *others), (*rows, *digits), strict=True)
        if mention.kind == ADDRESS or row["verdict"] != UNKNOWN
    ]
    shown = [row for _, row in sorted(placed, key=lambda entry: entry[0])]
    shown.sort(key=urgency)
    exposures = screener.exposures
    counts = count(shown)
    body = {
        "rows": shown,
        "notes": notes(counts, screener),
        "counts": {
            **counts,
            "digits_of_which_nothing_is_known": len(rows) + len(digits) - len(shown),
            "block_hashes": len(mentions.mentions) - len(addresses) - len(others),
        },
        "near_misses": [miss.as_dict() for miss in mentions.near_misses],
        "near_misses_left_out": mentions.left_out,
        "unread": list(unread),
        **stamp(screener),
        "reach": DIRECT if exposures is None else f"{exposures.hops} hops",
    }
    return Screening(body, own[0])


def notes(counts: Mapping[str, int], screener: Screener) -> list[str]:
    """What a reader must know of the whole: that the store is not of the network of some addresses."""
    other, store = counts[NO_STORE], screener.store
    if store is None or not other:
        return []
    name = store.network.name
    total = sum(counts[verdict] for verdict in (TAGGED, IN_STORE, UNKNOWN))
    note = (
        f"{other:,} of {total:,} not valid on {name}, the network of the chain store, which was not asked about them: "
        "name a store of their network with --chain"
    )
    return [note]


def count(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many rows say what; adds up over parts of a list."""
    found = Counter[str]()
    for row in rows:
        found[row["verdict"]] += 1
        found["sanctioned"] += row["sanctioned"]
        found[NO_STORE] += row["in_store"] is None
        found["abuse"] += row["finding"] and not row["sanctioned"]
        if not row["finding"] and row.get("exposure"):
            found["exposed"] += exposed_to(dict(row))
    return {name: found[name] for name in ("sanctioned", "abuse", "exposed", TAGGED, IN_STORE, UNKNOWN, NO_STORE)}


def sentence(counts: Mapping[str, int], hops: int) -> str:
    """The counts in words."""
    total = sum(counts[verdict] for verdict in (TAGGED, IN_STORE, UNKNOWN))
    near = (
        f" Of those without a finding {counts['exposed']:,} sent money to, or had it from, a sanctioned or abuse-tagged "
        f"address within {hops} hop{'s' if hops > 1 else ''}."
        if hops
        else " Direct only: money that comes from or goes to others is not looked at."
    )
    return (
        f"{total:,} screened: {counts['sanctioned']:,} sanctioned, {counts['abuse']:,} tagged with another "
        f"abuse, {counts[TAGGED] - counts['sanctioned'] - counts['abuse']:,} with other tags, "
        f"{counts[IN_STORE]:,} in the chain store without a tag, {counts[UNKNOWN]:,} unknown, which is not the same "
        f"as clean.{near}"
    )


def stamp(screener: Screener) -> dict[str, Any]:
    """What an answer was made of: versions of tag sets, chain, clustering, program, and how far was looked."""
    exposures, inherited = screener.exposures, screener.inherited
    return {
        "hops": 0 if exposures is None else exposures.hops,
        "tag_sets": [{"set": name, "version": version} for name, version in sorted(screener.index.versions.items())],
        "chain": None if screener.store is None else _chain(screener.store),
        "clustering": None if inherited is None else inherited.clustering.stamp,
        "program": f"shieldwall {__version__}",
    }


def _places(mention: Mention) -> dict[str, Any]:
    return {
        "first_place": str(mention.places[0]),
        "mentioned": len(mention.places),
        "places": [str(place) for place in mention.places],
        "note": mention.note,
    }


def _transaction_row(mention: Mention, screener: Screener) -> dict[str, Any]:
    """A transaction, or an output or input of one; on all networks, for nothing ties its digits to one."""
    txid, store = mention.name[:64], screener.store
    subjects = [Subject("transaction", network.caip2, txid) for network in NETWORKS.values()]
    row = {
        "address": mention.name,
        "kind": mention.kind,
        "networks": list(mention.networks),
        "verdict": UNKNOWN,
        **screener.said.of_subjects(subjects),
        **NOTHING,
        **_places(mention),
    }
    number = None if store is None else store.find_transaction(internal(txid))
    if store is not None:
        row["in_store"] = number is not None
    if store is not None and number is not None:
        row["last_height"], row["last_time"] = store.height_of(number), utc(store.time_of(number))
    row["verdict"] = TAGGED if row["tags"] else IN_STORE if row["in_store"] else UNKNOWN
    return row


def _chain(store: ChainStore) -> dict[str, Any]:
    tip_time = store.tip_time
    return {
        "network": store.network.name,
        "tip_height": store.tip_height,
        "tip_hash": store.tip_hash,
        "tip_time": None if tip_time is None else utc(tip_time),
        "digest": store.digest,
    }


def csv_heading(columns: Sequence[str] = (), *, clusters: bool = False) -> tuple[str, ...]:
    """The columns of a CSV: ours, those of clusters where they are asked for, then the person's own."""
    return (*CSV_COLUMNS, *(CLUSTER_COLUMNS if clusters else ()), *headings(columns))


def csv_row(row: Mapping[str, Any], columns: Sequence[str] = (), *, clusters: bool = False) -> tuple[object, ...]:
    """A row as the cells of `csv_heading`; of its exposure the most urgent entry, and all of them in words."""
    tags = row["tags"]
    best = tags[0] if tags else {}
    reached = (row.get("exposure") or {}).get("reached", ())
    nearest = reached[0] if reached else {}
    return (
        row["address"], " ".join(row["networks"]), row["verdict"], "yes" if row["sanctioned"] else "no",
        "; ".join(sorted({tag["abuse"] for tag in tags if tag["abuse"]})),
        printable("; ".join(tag["label"] for tag in tags)),
        printable(best.get("source", "")), best.get("source_date", ""),
        None if row["in_store"] is None else "yes" if row["in_store"] else "no",
        row["outputs"], row["received_amount"], row["held_amount"], row["unknown_amount"],
        row["last_height"], row["last_time"],
        nearest.get("category"), nearest.get("hops"), nearest.get("direct_amount"), nearest.get("amount"),
        " ".join(nearest.get("path", ())), "; ".join(map(in_words, reached)),
        printable(row["first_place"]), row["mentioned"],
        *(_cluster_cells(row.get("cluster")) if clusters else ()), *cells_of(row, columns),
    )  # fmt: skip


def _cluster_cells(cluster: Mapping[str, Any] | None) -> tuple[object, ...]:
    if cluster is None:
        return None, None, None
    return cluster["size"], cluster["tagged_others"], inherited_words(cluster)


def inherited_words(cluster: Mapping[str, Any]) -> str:
    """What the tags of other members call a cluster; each label says that it is inferred."""
    labels = dict.fromkeys(printable(tag["label"]) for tag in cluster["inherited"])
    return "; ".join(f"{label} (inferred)" for label in labels)


def in_words(entry: Mapping[str, Any]) -> str:
    """One category that was reached, in a few words."""
    hops = f"{entry['hops']} hop{'s' if entry['hops'] > 1 else ''}"
    return (
        f"{entry['way']} {entry['category']} {hops}, {entry['amount']} satoshi, {printable(entry['nearest']['label'])}"
    )
