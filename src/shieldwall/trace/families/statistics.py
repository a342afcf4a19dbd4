"""Payment statistics of families: count, sum, median, by month, with how much of a family the store holds at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shieldwall import __version__
from shieldwall.chain.store import ChainStore
from shieldwall.model.amount import btc
from shieldwall.model.moment import utc
from shieldwall.model.network import MAIN
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.families.family import Family, Located, is_own, locate
from shieldwall.trace.families.payments import DUST, Receipt, Received, receipts
from shieldwall.trace.families.published import beside, whole
from shieldwall.trace.families.result import FamilyResult

FORMAT = "shieldwall-family-payments/1"


def payment_statistics(
    store: ChainStore,
    families: Sequence[Family],
    versions: Mapping[str, str],
    *,
    least: int = DUST,
    clustering: Clustering | None = None,
    everybody: bool = True,
) -> FamilyResult:
    """What was paid to each family, and to all of them together, each output once.

    Args:
        store: The chain.
        families: From `families_of`.
        versions: Tag set -> version, for the record.
        least: Satoshi; smaller outputs are dust.
        clustering: With it, payers in one cluster with a tagged address are the family's own, too: an inference.
        everybody: Whether `families` are all that the tag sets know: only then published totals of many stand beside theirs.

    Returns:
        The answer; `payments` are outputs, `median_amount` is the lower of the two middle ones' mean in whole satoshi.
    """
    cluster_of = None if clustering is None else clustering.cluster_of
    rows, located_all = [], []
    for family in families:
        located = locate(store, family)
        found = receipts(store, located.holders, is_own([located], cluster_of), least)
        rows.append(_row(store, located, found, clustering))
        located_all.append(located)
    own = is_own(located_all, cluster_of)
    holders = {holder for located in located_all for holder in located.holders}
    together = receipts(store, holders, own, least)
    rows.sort(key=lambda row: (-row["amount"], -row["addresses_here"], row["family"]))
    body: dict[str, Any] = {
        "format": FORMAT,
        **stamp(store),
        "families": rows,
        "all": {
            **figures(together),
            "families": len(families),
            "families_here": sum(1 for located in located_all if located.here),
            "addresses": len({name for family in families for name in family.addresses}),
            "addresses_here": len(holders),
            "published": beside(store, "", together) if everybody and store.network == MAIN else [],
        },
        "parameters": {
            "least_amount": least,
            "tag_sets": _sets(versions),
            "clustering": None if clustering is None else clustering.stamp,
        },
    }
    body["sentence"] = _sentence(body, store.network.coin)
    return FamilyResult(body)


def stamp(store: ChainStore) -> dict[str, Any]:
    """What every answer about families says of program and chain."""
    heights = store.column("block_height")
    return {
        "program": f"shieldwall {__version__}",
        "network": store.network.name,
        "tip_height": store.tip_height,
        "tip_hash": store.tip_hash,
        "tip_time": None if store.tip_time is None else utc(store.tip_time),
        "chain_digest": store.digest,
        "unit": "satoshi",
        "whole_chain": whole(store),
        "blocks": len(heights),
        "first_time": utc(int(store.column("block_time")[0])) if len(heights) else None,
    }


def figures(found: Sequence[Received]) -> dict[str, Any]:
    """Count, sum, median and months of the payments among receipts, and what the other receipts are."""
    paid = [each for each in found if each.kind == Receipt.PAYMENT]
    amounts = sorted(each.amount for each in paid)
    months: dict[str, list[int]] = {}
    for each in paid:
        months.setdefault(utc(each.time)[:7], []).append(each.amount)
    return {
        "payments": len(paid),
        "transactions": len({each.transaction for each in paid}),
        "amount": sum(amounts),
        "median_amount": median(amounts),
        "least_amount": amounts[0] if amounts else None,
        "most_amount": amounts[-1] if amounts else None,
        "first_time": utc(min(each.time for each in paid)) if paid else None,
        "last_time": utc(max(each.time for each in paid)) if paid else None,
        "months": [
            {"month": month, "payments": len(sums), "amount": sum(sums), "median_amount": median(sorted(sums))}
            for month, sums in sorted(months.items())
        ],
        "left_out": {
            kind.value: {
                "outputs": sum(1 for each in found if each.kind == kind),
                "amount": sum(each.amount for each in found if each.kind == kind),
            }
            for kind in Receipt
            if kind != Receipt.PAYMENT
        },
    }


def median(amounts: Sequence[int]) -> int | None:
    """The middle one of ascending amounts; of two their mean, rounded down to a whole unit; None of none.

    Example:
        >>> median([1, 2, 9]), median([1, 2]), median([])
        (2, 1, None)
    """
    if not amounts:
        return None
    middle = len(amounts) // 2
    return amounts[middle] if len(amounts) % 2 else (amounts[middle - 1] + amounts[middle]) // 2


def _row(
    store: ChainStore, located: Located, found: Sequence[Received], clustering: Clustering | None
) -> dict[str, Any]:
    family = located.family
    return {
        "family": family.name,
        "layer": "attribution" if clustering is None else "inference",  # a clustering says what is the family's own
        "sets": list(family.sets),
        "addresses": len(family.addresses),
        "addresses_here": located.here,
        "here": located.here > 0,
        **figures(found),
        "published": beside(store, family.key, found) if store.network == MAIN else [],
    }


def _sets(versions: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"set": name, "version": version} for name, version in sorted(versions.items())]


def _sentence(body: dict[str, Any], coin: str) -> str:
    every = body["all"]
    if not every["families"]:
        return "No tag of this network names a ransomware family: unknown, which is not the same as none."
    here = f"{every['addresses_here']} of {every['addresses']} tagged addresses of {_families(every)} are in this store"
    if not every["addresses_here"]:
        return (
            f"None of {every['addresses']} tagged addresses of {_families(every)} is in this store: unknown, not zero."
        )
    middle = f", median {btc(every['median_amount'])} {coin}" if every["payments"] else ""
    unsure = every["left_out"][Receipt.UNKNOWN_PAYER.value]
    perhaps = (
        f" Of {unsure['outputs']} more, {btc(unsure['amount'])} {coin}, a payer is not known: payments, or moves of its own."
        if unsure["outputs"] else ""
    )  # fmt: skip
    cover = (
        f"The store holds every block to height {body['tip_height']} ({body['tip_time']})."
        if body["whole_chain"]
        else f"The store is a part of the chain ({body['blocks']} blocks, the last of {body['tip_time']}): no total."
    )
    paid = f"{every['payments']} {'payment' if every['payments'] == 1 else 'payments'}"
    return f"{paid}, {btc(every['amount'])} {coin}{middle}; {here}.{perhaps} {cover}"


def _families(every: dict[str, Any]) -> str:
    return "1 family" if every["families"] == 1 else f"{every['families']} families"
