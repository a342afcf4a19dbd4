"""Where a walk ended, or began, in the words of the result: ends ranked, gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shieldwall.model.amount import share
from shieldwall.trace.facts import Facts
from shieldwall.trace.record import Ending, EndKind, Walked

Group = tuple[str, str, str]  # kind, address, gap


class View:
    """The ends of a walk in the words of the result.

    Args:
        facts: Transactions and addresses of the store that was walked.
        walk: What it found.
    """

    def __init__(self, facts: Facts, walk: Walked) -> None:
        self._facts = facts
        self._walk = walk
        self._steps = {step.transaction: step for step in walk.steps}

    def ends(self) -> list[dict[str, Any]]:
        """Ends grouped by kind, address and named gap; the largest first, fees last."""
        groups = self._groups()
        sums = [(key, sum(member.amount for member in members)) for key, members in groups.items()]
        return [
            {"rank": rank, **self._end(groups[key], key, amount)}
            for rank, (key, amount) in enumerate(sorted(sums, key=_rank), 1)
        ]

    def _groups(self) -> Mapping[Group, list[Ending]]:
        groups: dict[Group, list[Ending]] = {}
        for ending in self._walk.endings:
            address = self._facts.address_of(ending) or ""
            groups.setdefault((ending.kind.value, address, ending.txid), []).append(ending)
        return groups

    def _end(self, members: Sequence[Ending], key: Group, amount: int) -> dict[str, Any]:
        kind, address, gap = key
        outputs = [self._output(member) for member in members]
        label = self._facts.label_of(members[0])
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
            "inherited": label.inherited,
            "service": label.service if kind == EndKind.SERVICE else None,
            "freezable_by": list(label.freezable_by),
            "gap_txid": gap or None,
            "reason": reason_of([member.reason for member in members]),
        }

    def _output(self, ending: Ending) -> dict[str, Any]:
        output, outside = ending.output, ending.outside
        txid, index = self._facts.outpoint(ending)
        moved = self._facts.transaction(ending.transaction if ending.left is None else ending.left)
        value = None if outside is None else outside.value
        hops = 0 if outside is None else outside.hop
        spend = None
        if output is not None:
            hops = self._walk.reached[output].hop if output in self._walk.reached else 0
            spend = self._facts.store.spend(output)
            value = int(self._facts.values[output])
        elif outside is None and ending.transaction in self._steps:
            hops = self._steps[ending.transaction].hop
        return {
            "txid": txid,
            "index": index,
            "state": None if spend is None else spend.state.value,
            "as_of": None if spend is None else spend.as_of,
            "amount": ending.amount,
            "share": share(ending.amount, self._walk.seed_amount),
            "value": value,
            "hops": hops,
            "height": moved["height"],
            "time": moved["time"],
            "reason": ending.reason,
        }

    def gaps(self) -> list[dict[str, Any]]:
        """Every missing transaction that a gap names; see `gaps`."""
        return gaps(self._facts, self._walk.endings)


def gaps(facts: Facts, endings: Iterable[Ending]) -> list[dict[str, Any]]:
    """Every missing transaction that a gap names, the largest first, with what hangs on it and what is published."""
    grouped: dict[tuple[str, str], list[Ending]] = {}
    for ending in endings:
        if ending.kind == EndKind.GAP:
            grouped.setdefault((ending.txid, ending.claim.id if ending.claim else ""), []).append(ending)
    found = [_gap(facts, txid, members) for (txid, _), members in sorted(grouped.items())]
    return sorted(found, key=lambda gap: -gap["amount"])


def _gap(facts: Facts, txid: str, members: Sequence[Ending]) -> dict[str, Any]:
    claim = members[0].claim
    outpoints = [facts.outpoint(m) for m in members if m.output is not None or m.outside is not None]
    return {
        "txid": txid,
        "amount": sum(member.amount for member in members),
        "spends": [f"{made}:{index}" for made, index in outpoints],
        "layer": claim.layer.value if claim else "observation",
        "source": claim.source if claim else "the chain data",
        "then": list(claim.statement.get("then", [])) if claim else [],
        "resumes": claim.statement.get("resumes") if claim else None,
        "reason": reason_of([member.reason for member in members]),
    }


def _rank(entry: tuple[Group, int]) -> tuple[bool, int, Group]:
    (kind, address, gap), amount = entry
    return (kind == EndKind.FEE, -amount, (kind, address, gap))


def reason_of(reasons: Iterable[str]) -> str:
    """The reason of all, or the first and how many others there are: each output carries its own."""
    distinct = list(dict.fromkeys(reasons))
    others = len(distinct) - 1
    return distinct[0] if not others else f"{distinct[0]}; and {others} other {'reason' if others == 1 else 'reasons'}"
