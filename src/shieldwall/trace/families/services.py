"""Services ranked by what came to them from ransomware families: by a taint method, with hops, each satoshi once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from shieldwall.chain.readers.interface import Progress, silent
from shieldwall.chain.store import ChainStore
from shieldwall.errors import UsageError
from shieldwall.kernels.engine import EngineName
from shieldwall.model.amount import btc, share
from shieldwall.trace.choke.answer import counted_once
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.families.family import Family, is_own, locate
from shieldwall.trace.families.payments import DUST, receipts, targets_of
from shieldwall.trace.families.result import FamilyResult
from shieldwall.trace.families.statistics import stamp
from shieldwall.trace.follow import DEFAULT_METHOD, follow
from shieldwall.trace.labels import Labels
from shieldwall.trace.limits import Limits
from shieldwall.trace.record import EndKind
from shieldwall.trace.targets import Target

FORMAT = "shieldwall-family-services/1"


def services_by_inflow(
    store: ChainStore,
    families: Sequence[Family],
    labels: Labels,
    *,
    method: str = DEFAULT_METHOD,
    limits: Limits | None = None,
    least: int = DUST,
    clustering: Clustering | None = None,
    engine: EngineName = "auto",
    progress: Progress = silent,
) -> FamilyResult:
    """Services by what they received of the payments to `families`.

    The amounts of a service are those of one trace of all payments together, so that money of which several families had
    a part counts once. What each family sent there is of a trace of its own payments; these may add up to more.

    Args:
        store: The chain.
        families: From `families_of`.
        labels: Tags and directory: which addresses are services.
        method: fifo, lifo, haircut or tiho.
        limits: How far to follow.
        least: Satoshi; smaller outputs are dust, and no payment.
        clustering: As in `payment_statistics`; members of a service's cluster are the service's, too: an inference.
        engine: auto, plain or compiled; the answer is the same.
        progress: Called now and then while a trace is walked.

    Raises:
        UsageError: A method that counts nothing.
        PartialData: As `follow` says.
    """
    if method in ("poison", "all"):
        raise UsageError(f"--method {method} does not say how much came where", hint="use fifo, lifo, haircut or tiho")
    cluster_of = None if clustering is None else clustering.cluster_of
    located = [locate(store, family) for family in families]
    targets: list[Target] = []
    parts: list[tuple[str, list[Target]]] = []
    for each in located:
        found = targets_of(
            store,
            each,
            receipts(store, each.holders, is_own([each], cluster_of), least),
        )
        if found:
            parts.append((each.family.name, found))
            targets += found
    limits = limits or Limits()
    walk = partial(
        follow,
        store,
        method=method,
        limits=limits,
        labels=labels,
        clustering=clustering,
        engine=engine,
        progress=progress,
    )
    whole = walk(targets).body
    rows = _services(whole)
    for name, found in parts:
        alone = whole if len(parts) == 1 else walk(found).body
        for service, row in _services(alone).items():
            if service in rows:  # else all of it belongs to a payment of another family in the common trace
                rows[service]["families"].append({"family": name, "amount": row["amount"], "payments": row["payments"]})
    ranked = sorted(rows.values(), key=lambda row: (-row["amount"], row["service"]))
    for rank, row in enumerate(ranked, 1):
        row["rank"] = rank
        row["families"].sort(key=lambda part: (-part["amount"], part["family"]))
    body: dict[str, Any] = {
        "format": FORMAT,
        **stamp(store),
        **{name: whole[name] for name in ("method", "method_rule", "seed_amount", "returned_amount")},
        "services": ranked,
        "ends": {kind.value: whole[f"{kind.value}_amount"] for kind in EndKind if f"{kind.value}_amount" in whole},
        "families": [each.family.name for each in located],
        "families_here": len(parts),
        "addresses": len({name for each in located for name in each.family.addresses}),
        "addresses_here": len({holder for each in located for holder in each.holders}),
        "notes": [
            *whole["notes"],
            "what a family sent is of its own trace: where families' money met, the parts add up to more than the sum",
        ],
        "parameters": {**whole["parameters"], "least_payment": least},
    }
    body["sentence"] = _sentence(body, store.network.coin)
    return FamilyResult(body)


def _services(body: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The services among a trace's ends, all addresses of one together."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for end in body["ends"]:
        if end["kind"] == EndKind.SERVICE:
            found.setdefault(end["service"], []).append(end)
    return {service: _row(service, ends, body["seed_amount"]) for service, ends in found.items()}


def _row(service: str, ends: Sequence[Mapping[str, Any]], seed: int) -> dict[str, Any]:
    outputs = [output for end in ends for output in end["outputs"]]
    freezers = {entry["id"]: entry["name"] for end in ends for entry in end["freezable_by"]}
    amount = sum(end["amount"] for end in ends)
    return {
        "service": service,
        "layer": "inference" if any(end.get("inherited") for end in ends) else "attribution",
        "category": next((tag["category"] for end in ends for tag in end["tags"] if tag["category"]), ""),
        "amount": amount,
        "share": share(amount, seed),
        "payments": len(outputs),
        "transactions": len({output["txid"] for output in outputs}),
        "addresses": len(ends),
        "inherited_addresses": sum(1 for end in ends if end.get("inherited")),
        "unspent_amount": sum(output["amount"] for output in outputs if output["state"] == "unspent"),
        "least_hops": min(output["hops"] for output in outputs),
        "most_hops": max(output["hops"] for output in outputs),
        "first_time": min(output["time"] for output in outputs),
        "last_time": max(output["time"] for output in outputs),
        "freezable_by": sorted(freezers.values()),
        "families": [],
    }


def _sentence(body: dict[str, Any], coin: str) -> str:
    seed, here = body["seed_amount"], f"{body['addresses_here']} of {body['addresses']} tagged addresses in this store"
    if not seed:
        return f"No payment to these families is in this store ({here}): unknown, not zero."
    once = counted_once(body, coin)
    once = f" {once}" if once else ""
    if not body["services"]:
        return (
            f"None of {btc(seed)} {coin} paid to these families ({here}) reached an address that a tag calls a service's."
            f"{once}"
        )
    first = body["services"][0]
    total = sum(row["amount"] for row in body["services"])
    return (
        f"Of {btc(seed)} {coin} paid to {len(body['families'])} {'family' if len(body['families']) == 1 else 'families'} "
        f"({here}), {btc(total)} {coin} reached {_services_of(len(body['services']))}; most, {btc(first['amount'])} {coin} in "
        f"{first['payments']} {'payment' if first['payments'] == 1 else 'payments'}, {first['service']}.{once} Method "
        f"{body['method']}."
    )


def _services_of(count: int) -> str:
    return f"{count} {'service' if count == 1 else 'services'}"
