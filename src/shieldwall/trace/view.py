"""A walk in the words of the result: ends ranked, paths, gaps, transfers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shieldwall.chain.store import ChainStore
from shieldwall.model.amount import share
from shieldwall.model.moment import utc
from shieldwall.trace.holders import Holders
from shieldwall.trace.labels import NOTHING_KNOWN
from shieldwall.trace.walk import Ending, EndKind, Step, Walk

MOST_PATHS = 100  # paths in a result; the rest is counted in `paths_omitted`
MOST_STEPS = 400  # steps of a path; of a longer one the middle is counted in `steps_omitted`

_Group = tuple[str, str, str]  # kind, address, gap


class View:
    """A walk in the words of the result.

    Args:
        store: The chain that was walked.
        holders: Addresses, and what the tags say of them.
        walk: What it found.
    """

    def __init__(self, store: ChainStore, holders: Holders, walk: Walk) -> None:
        self._store = store
        self._holders = holders
        self._walk = walk
        self._steps = {step.transaction: step for step in walk.steps}
        self._values = store.column("output_value")
        self._holder_of = store.column("output_holder")
        self._transactions: dict[int, dict[str, Any]] = {}  # the same few are named again and again

    def sums(self) -> list[dict[str, Any]]:
        """What each end got, in the order of `ends`, without its outputs."""
        seed = self._walk.seed_amount
        sums = [(key, sum(member.amount for member in members)) for key, members in self._groups().items()]
        return [
            {"kind": kind, "address": address or None, "amount": amount, "share": share(amount, seed)}
            for (kind, address, _), amount in sorted(sums, key=_rank)
        ]

    def ends(self) -> list[dict[str, Any]]:
        """Ends grouped by kind, address and named gap; the largest first, fees last."""
        groups = self._groups()
        sums = [(key, sum(member.amount for member in members)) for key, members in groups.items()]
        return [
            {"rank": rank, **self._end(groups[key], key, amount)}
            for rank, (key, amount) in enumerate(sorted(sums, key=_rank), 1)
        ]

    def _groups(self) -> Mapping[_Group, list[Ending]]:
        groups: dict[_Group, list[Ending]] = {}
        for ending in self._walk.endings:
            groups.setdefault((ending.kind.value, self._address(ending.output) or "", ending.txid), []).append(ending)
        return groups

    def _end(self, members: Sequence[Ending], key: _Group, amount: int) -> dict[str, Any]:
        kind, address, gap = key
        outputs = [self._output(member) for member in members]
        output = members[0].output
        label = NOTHING_KNOWN if output is None else self._holders.label(int(self._holder_of[output]))
        return {
            "kind": kind,
            "address": address or None,
            "outputs": outputs,
            "amount": amount,
            "share": share(amount, self._walk.seed_amount),
            "hops": min(entry["hops"] for entry in outputs),
            "first_received": min(entry["time"] for entry in outputs),
            "last_moved": max(entry["time"] for entry in outputs),
            "tags": list(label.tags),
            "contradictions": list(label.contradictions),
            "service": label.service if kind == EndKind.SERVICE else None,
            "freezable_by": list(label.freezable_by),
            "gap_txid": gap or None,
            "reason": _reason([member.reason for member in members]),
        }

    def _output(self, ending: Ending) -> dict[str, Any]:
        output, hops, made = ending.output, 0, self._transaction(ending.transaction)
        if output is not None:
            hops = self._walk.reached[output].hop if output in self._walk.reached else 0
        elif ending.transaction in self._steps:
            hops = self._steps[ending.transaction].hop
        spend = None if output is None else self._store.spend(output)
        return {
            "txid": made["txid"],
            "index": None if output is None else output - made["first"],
            "state": None if spend is None else spend.state.value,
            "as_of": None if spend is None else spend.as_of,
            "amount": ending.amount,
            "share": share(ending.amount, self._walk.seed_amount),
            "value": None if output is None else int(self._values[output]),
            "hops": hops,
            "height": made["height"],
            "time": made["time"],
            "reason": ending.reason,
        }

    def paths(self, ends: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """For each end, fees left out, its heaviest path from a seed: at each step the input that brought most.

        Of an end at a service every output has its path: whoever is asked to freeze them must be able to follow each.
        An end that is no output of this store (what an input to start from brought, and no method could divide) has
        none; at most `MOST_PATHS`, of the largest ends.
        """
        numbers = {
            (self._transaction(ending.transaction)["txid"], self._index(ending)): ending.output
            for ending in self._walk.endings
        }
        found: list[dict[str, Any]] = []
        wanted = []
        for end in [end for end in ends if end["kind"] != EndKind.FEE]:
            ranked = sorted(end["outputs"], key=lambda output: -output["amount"])
            wanted += [(end, output) for output in ranked[: None if end["kind"] == EndKind.SERVICE else 1]]
        for end, heaviest in wanted:
            output = numbers[heaviest["txid"], heaviest["index"]]
            if output is None or len(found) == MOST_PATHS:
                continue
            chain = [output]
            while (reached := self._walk.reached.get(chain[-1])) is not None and reached.origin is not None:
                chain.append(reached.origin)
            chain.reverse()
            left = max(0, len(chain) - MOST_STEPS)
            if left:
                chain[MOST_STEPS // 2 : MOST_STEPS // 2 + left] = []
            steps = [self._path_step(number) for number in chain]
            steps[-1]["amount"] = heaviest["amount"]  # of what an input to start from spends, only the input is tainted
            path = {"end": end["rank"], "kind": end["kind"], "address": end["address"]}
            found.append({**path, "steps": steps, "steps_omitted": left})
        return found

    def _path_step(self, output: int) -> dict[str, Any]:
        reached = self._walk.reached.get(output)
        maker = self._store.transaction_of(output) if reached is None else reached.transaction
        made = self._transaction(maker)
        return {
            "txid": made["txid"],
            "index": output - made["first"],
            "address": self._address(output),
            "amount": 0 if reached is None else reached.amount,
            "value": int(self._values[output]),
            "hop": 0 if reached is None else reached.hop,
            "height": made["height"],
            "time": made["time"],
            "proof": self._store.proof_of(maker),
        }

    def gaps(self) -> list[dict[str, Any]]:
        """Every missing transaction that a gap names, the largest first, with what hangs on it and what is published."""
        grouped: dict[tuple[str, str], list[Ending]] = {}
        for ending in self._walk.endings:
            if ending.kind == EndKind.GAP:
                grouped.setdefault((ending.txid, ending.claim.id if ending.claim else ""), []).append(ending)
        gaps = [self._gap(txid, members) for (txid, _), members in sorted(grouped.items())]
        return sorted(gaps, key=lambda gap: -gap["amount"])

    def _gap(self, txid: str, members: Sequence[Ending]) -> dict[str, Any]:
        claim = members[0].claim
        return {
            "txid": txid,
            "amount": sum(member.amount for member in members),
            "spends": [
                f"{self._transaction(member.transaction)['txid']}:{self._index(member)}"
                for member in members
                if member.output is not None
            ],
            "layer": claim.layer.value if claim else "observation",
            "source": claim.source if claim else "the chain data names it",
            "then": list(claim.statement.get("then", [])) if claim else [],
            "resumes": claim.statement.get("resumes") if claim else None,
            "reason": _reason([member.reason for member in members]),
        }

    def transfers(self) -> list[dict[str, Any]]:
        """Every transaction passed, in chain order: what came in tainted, what went where."""
        return [self._transfer(step) for step in self._walk.steps]

    def _transfer(self, step: Step) -> dict[str, Any]:
        made = self._transaction(step.transaction)
        return {
            "txid": made["txid"],
            "height": made["height"],
            "time": made["time"],
            "hop": step.hop,
            "inputs": self._transfer_inputs(step),
            "outputs": [
                {"index": output - made["first"], "address": self._address(output), "amount": amount}
                for output, amount in step.outputs
            ],
            "fee": step.fee,
        }

    def _transfer_inputs(self, step: Step) -> list[dict[str, Any]]:
        rows = []
        outside = None
        for place, output, amount in step.inputs:
            if output is not None:
                reached = self._walk.reached.get(output)
                maker = self._transaction(
                    self._store.transaction_of(output) if reached is None else reached.transaction
                )
                txid, index, address = maker["txid"], output - maker["first"], self._address(output)
            else:  # an input to start from, of which the source gives the value
                outside = outside or list(self._store.inputs(step.transaction))
                entry = outside[place]
                txid, index = entry.txid, entry.index
                address = None if entry.holder is None else self._holders.identity(entry.holder)
            rows.append({"place": place, "txid": txid, "index": index, "address": address, "amount": amount})
        return rows

    def _transaction(self, number: int) -> dict[str, Any]:
        found = self._transactions.get(number)
        if found is None:
            store = self._store
            found = self._transactions[number] = {
                "txid": store.txid(number),
                "first": store.output_range(number).start,
                "height": store.height_of(number),
                "time": utc(store.time_of(number)),
            }
        return found

    def _index(self, ending: Ending) -> int | None:
        return None if ending.output is None else ending.output - int(self._transaction(ending.transaction)["first"])

    def _address(self, output: int | None) -> str | None:
        return None if output is None else self._holders.identity(int(self._holder_of[output]))


def _rank(entry: tuple[_Group, int]) -> tuple[bool, int, _Group]:
    (kind, address, gap), amount = entry
    return (kind == EndKind.FEE, -amount, (kind, address, gap))


def _reason(reasons: Iterable[str]) -> str:
    """The reason of all, or the first and how many others there are: each output carries its own."""
    distinct = list(dict.fromkeys(reasons))
    others = len(distinct) - 1
    return distinct[0] if not others else f"{distinct[0]}; and {others} other {'reason' if others == 1 else 'reasons'}"
