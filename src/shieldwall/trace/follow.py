"""Follow money and put the answer together: walk, rank the ends, find the paths, name the gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shieldwall import __version__
from shieldwall.chain.store import ChainStore
from shieldwall.model.amount import share
from shieldwall.model.moment import utc
from shieldwall.trace.labels import Labels, NoLabels
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods import METHODS, method_named
from shieldwall.trace.published import PublishedHops
from shieldwall.trace.result import TraceResult
from shieldwall.trace.sentence import sentence
from shieldwall.trace.targets import Target
from shieldwall.trace.walk import EndKind, Ending, Walk, Walker, totals

MOST_PATHS = 100  # paths in a result; the rest is counted in `paths_omitted`
FORMAT = "shieldwall-trace/1"
DEFAULT_METHOD = "fifo"


def follow(
    store: ChainStore,
    targets: Sequence[Target],
    method: str = DEFAULT_METHOD,
    limits: Limits | None = None,
    *,
    labels: Labels | None = None,
    published: PublishedHops | None = None,
) -> TraceResult:
    """Follow the money of `targets` to every end.

    Args:
        store: The chain.
        targets: What to start from; see `shieldwall.trace.targets.find_targets`.
        method: poison, haircut, fifo; or all: the default method, with the totals of each side by side.
        limits: How far to go.
        labels: Tags and directory; none by default.
        published: Published hops that the store does not hold.

    Returns:
        The answer, with `seed_amount = held + service + unknown + fee + limit + gap`, exactly, for haircut and FIFO.

    Raises:
        UsageError: No such method.
        PartialData: The value of an input to start from is not known.
    """
    limits = limits or Limits()
    labels = labels or NoLabels()
    published = published or PublishedHops(())
    chosen = method_named(DEFAULT_METHOD if method == "all" else method)
    walker = Walker(store, chosen, limits, labels, published)
    walk = walker.run(targets)
    view = _View(store, walker, walk)
    ends = view.ends()
    sums = totals(walk.endings)
    body: dict[str, Any] = {
        "format": FORMAT,
        "program": f"shieldwall {__version__}",
        "targets": [target.as_dict() for target in targets],
        "network": store.network.name,
        "tip_height": store.tip_height,
        "tip_hash": store.tip_hash,
        "tip_time": None if store.tip_time is None else utc(store.tip_time),
        "chain_digest": store.digest,
        "method": chosen.name,
        "method_rule": chosen.rule,
        "conserved": chosen.conserved,
        "unit": "satoshi",
        "seed_amount": walk.seed_amount,
        "returned_amount": walk.returned_amount,
        **{f"{kind.value}_amount": sums[kind] for kind in EndKind},
        "unspendable_amount": sum(e.amount for e in walk.endings if e.kind == EndKind.FEE and e.output is not None),
        "ends": ends,
        "paths": view.paths(ends),
        "paths_omitted": max(0, sum(end["kind"] != "fee" for end in ends) - MOST_PATHS),
        "gaps": view.gaps(),
        "transfers": view.transfers(),
        "parameters": {
            "method": chosen.name,
            **limits.as_dict(),
            "tag_sets": list(labels.versions),
            "published_hops": published.ids,
        },
    }
    if method == "all":
        body["methods"] = [_side(store, targets, name, limits, labels, published) for name in METHODS]
    body["sentence"] = sentence(body)
    return TraceResult(body)


def _side(
    store: ChainStore, targets: Sequence[Target], name: str, limits: Limits, labels: Labels, published: PublishedHops
) -> dict[str, Any]:
    """One method's totals, and what of it each address got."""
    method = method_named(name)
    walker = Walker(store, method, limits, labels, published)
    walk = walker.run(targets)
    ends = _View(store, walker, walk).ends()
    sums = totals(walk.endings)
    return {
        "method": name,
        "conserved": method.conserved,
        "rule": method.rule,
        "source": method.source,
        "seed_amount": walk.seed_amount,
        "returned_amount": walk.returned_amount,
        **{f"{kind.value}_amount": sums[kind] for kind in EndKind},
        "transactions": len(walk.steps),
        "ends": [{key: end[key] for key in ("kind", "address", "amount", "share")} for end in ends],
    }


class _View:
    """A walk in the words of the result."""

    def __init__(self, store: ChainStore, walker: Walker, walk: Walk) -> None:
        self._store = store
        self._walker = walker
        self._walk = walk
        self._steps = {step.transaction: step for step in walk.steps}

    def ends(self) -> list[dict[str, Any]]:
        """Ends grouped by kind, address and named gap, largest first."""
        groups: dict[tuple[str, str, str], list[Ending]] = {}
        for ending in self._walk.endings:
            key = (ending.kind.value, self._address(ending.output) or "", ending.txid)
            groups.setdefault(key, []).append(ending)
        ends = [self._end(members) for members in groups.values()]
        ends.sort(key=lambda end: (end["kind"] == "fee", -end["amount"], end["kind"], end["address"] or "", end["gap_txid"] or ""))
        for rank, end in enumerate(ends, 1):
            end["rank"] = rank
        return ends

    def _end(self, members: Sequence[Ending]) -> dict[str, Any]:
        first = members[0]
        store, seed = self._store, self._walk.seed_amount
        amount = sum(member.amount for member in members)
        outputs = [self._output(member) for member in members]
        label = self._walker.label(int(store.column("output_holder")[first.output])) if first.output is not None else None
        times = sorted(output["time"] for output in outputs)
        return {
            "kind": first.kind.value,
            "address": self._address(first.output),
            "outputs": outputs,
            "amount": amount,
            "share": share(amount, seed),
            "hops": min(output["hops"] for output in outputs),
            "first_received": times[0],
            "last_moved": times[-1],
            "tags": list(label.tags) if label else [],
            "contradictions": list(label.contradictions) if label else [],
            "service": label.service if label and first.kind == EndKind.SERVICE else None,
            "freezable_by": list(label.freezable_by) if label else [],
            "gap_txid": first.txid or None,
            "reason": first.reason,
        }

    def _output(self, ending: Ending) -> dict[str, Any]:
        store = self._store
        txid = store.txid(ending.transaction)
        index, hops = None, 0
        if ending.output is not None:
            txid, index = store.outpoint(ending.output)
            hops = self._walk.hops.get(ending.output, 0)
        elif ending.transaction in self._steps:
            hops = self._steps[ending.transaction].hop
        return {
            "txid": txid,
            "index": index,
            "amount": ending.amount,
            "share": share(ending.amount, self._walk.seed_amount),
            "value": None if ending.output is None else int(store.column("output_value")[ending.output]),
            "hops": hops,
            "height": store.height_of(ending.transaction),
            "time": utc(store.time_of(ending.transaction)),
            "reason": ending.reason,
        }

    def paths(self, ends: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """For each end its heaviest path from a seed: at each step the input that brought most of the money."""
        by_outpoint = {self._store.outpoint(e.output): e.output for e in self._walk.endings if e.output is not None}
        found = []
        for end in [end for end in ends if end["kind"] != "fee"][:MOST_PATHS]:
            heaviest = max(end["outputs"], key=lambda output: (output["amount"], output["txid"]))
            output = by_outpoint.get((heaviest["txid"], heaviest["index"]))
            if output is None:
                continue
            chain = [output]
            while self._walk.origin.get(chain[-1]) is not None:
                chain.append(self._walk.origin[chain[-1]])  # type: ignore[arg-type]
            steps = [self._path_step(number) for number in reversed(chain)]
            found.append({"end": end["rank"], "kind": end["kind"], "address": end["address"], "steps": steps})
        return found

    def _path_step(self, output: int) -> dict[str, Any]:
        store = self._store
        txid, index = store.outpoint(output)
        maker = store.transaction_of(output)
        return {
            "txid": txid,
            "index": index,
            "address": self._address(output),
            "amount": self._walker.tainted(output),
            "value": int(store.column("output_value")[output]),
            "hop": self._walk.hops.get(output, 0),
            "height": store.height_of(maker),
            "time": utc(store.time_of(maker)),
            "proof": store.proof_of(maker),
        }

    def gaps(self) -> list[dict[str, Any]]:
        """Every missing transaction that a gap names, with what hangs on it and what is published of it."""
        grouped: dict[tuple[str, str], list[Ending]] = {}
        for ending in self._walk.endings:
            if ending.kind == EndKind.GAP:
                grouped.setdefault((ending.txid, ending.claim), []).append(ending)
        gaps = []
        for (txid, claim_id), members in sorted(grouped.items()):
            claim = self._walker.claim(claim_id) if claim_id else None
            outputs = [member.output for member in members if member.output is not None]
            gaps.append(
                {
                    "txid": txid,
                    "amount": sum(member.amount for member in members),
                    "spends": [":".join(map(str, self._store.outpoint(output))) for output in outputs],
                    "layer": claim.layer.value if claim else "observation",
                    "source": claim.source if claim else "the chain data names it",
                    "then": list(claim.statement.get("then", [])) if claim else [],
                    "resumes": claim.statement.get("resumes") if claim else None,
                    "reason": members[0].reason,
                }
            )
        return gaps

    def transfers(self) -> list[dict[str, Any]]:
        """Every transaction passed, in chain order: what came in tainted, what went where."""
        store = self._store
        rows = []
        for step in self._walk.steps:
            entries = list(store.inputs(step.transaction))
            rows.append(
                {
                    "txid": store.txid(step.transaction),
                    "height": store.height_of(step.transaction),
                    "time": utc(store.time_of(step.transaction)),
                    "hop": step.hop,
                    "inputs": [
                        {
                            "place": place,
                            "txid": entries[place].txid,
                            "index": entries[place].index,
                            "address": self._identity(entries[place].holder),
                            "amount": amount,
                        }
                        for place, _, amount in step.inputs
                    ],
                    "outputs": [
                        {
                            "index": output - store.output_range(step.transaction)[0],
                            "address": self._address(output),
                            "amount": amount,
                        }
                        for output, amount in step.outputs
                    ],
                    "fee": step.fee,
                }
            )
        return rows

    def _address(self, output: int | None) -> str | None:
        return None if output is None else self._identity(int(self._store.column("output_holder")[output]))

    def _identity(self, holder: int | None) -> str | None:
        return None if holder is None else self._store.identity(holder)
