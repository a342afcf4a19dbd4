"""The answer without its long lists: what a person reads first, and what a page shows while nobody asks for more.

A summary has every field of a result but `transfers` and `methods`, with its first ends instead of all, and a path for the
first few; what is left out is counted. From a compiled walk it is worked out in arrays, without an object for each of
the thousands of ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from shieldwall.kernels import walks
from shieldwall.kernels.arrays import NONE32
from shieldwall.model.amount import share
from shieldwall.model.moment import utc
from shieldwall.trace.facts import Facts
from shieldwall.trace.labels import NOTHING_KNOWN, Label
from shieldwall.trace.paths import path_to
from shieldwall.trace.record import EndKind
from shieldwall.trace.sentence import Gist, Lead, Others
from shieldwall.trace.services import AtService, services_of
from shieldwall.trace.touched import KINDS, Touched
from shieldwall.trace.view import gaps, reason_of

FIRST_ENDS = 20
FIRST_PATHS = 5
FIRST_GAPS = 20
LONG = ("ends", "paths", "paths_omitted", "gaps", "transfers", "methods")
"""Fields of a result that a summary leaves out, or cuts."""

Places = npt.NDArray[np.int64]
_FEE, _SERVICE, _HELD, _UNKNOWN = (
    KINDS.index(kind) for kind in (EndKind.FEE, EndKind.SERVICE, EndKind.HELD, EndKind.UNKNOWN)
)


def summary_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The summary of a result that has everything.

    Returns:
        The fields of docs/spec/trace-result.md but `transfers`, `methods` and `paths_omitted`. Of `ends` and `gaps` the first
        20; an end has the number of its outputs (`output_count`) instead of `outputs`; `paths` leads to the heaviest output
        of each of the first five ends. `ends_omitted`, `ends_omitted_amount` and `gaps_omitted` count the rest;
        `transactions` says how many were passed.
    """
    ends = body["ends"]
    first = {end["rank"] for end in [end for end in ends if end["kind"] != EndKind.FEE][:FIRST_PATHS]}
    paths = {path["end"]: path for path in reversed(body["paths"]) if path["end"] in first}
    return {
        **{name: value for name, value in body.items() if name not in LONG},
        "ends": [_without_outputs(end) for end in ends[:FIRST_ENDS]],
        "ends_omitted": len(ends[FIRST_ENDS:]),
        "ends_omitted_amount": sum(end["amount"] for end in ends[FIRST_ENDS:]),
        "paths": [paths[rank] for rank in sorted(paths)],
        "gaps": body["gaps"][:FIRST_GAPS],
        "gaps_omitted": len(body["gaps"][FIRST_GAPS:]),
        "transactions": len(body["transfers"]),
    }


def _without_outputs(end: Mapping[str, Any]) -> dict[str, Any]:
    return {"output_count" if name == "outputs" else name: _counted(name, value) for name, value in end.items()}


def _counted(name: str, value: object) -> object:
    return len(value) if name == "outputs" and isinstance(value, Sequence) else value


class Summary:
    """The long part of a summary, from the arrays of a compiled walk.

    Args:
        facts: Transactions and addresses of the store that was walked.
        walk: What was touched.
    """

    def __init__(self, facts: Facts, walk: Touched) -> None:
        self._facts = facts
        self._walk = walk
        self._group()

    def _group(self) -> None:
        """Ends by kind, holder and named gap."""
        walk, facts = self._walk, self._facts
        output = walk.ends[:, walks.END_OUTPUT]
        holder = np.full(len(output), NONE32, np.int64)
        here = output >= 0
        holder[here] = facts.holder_of(output[here])
        self._gap_names = sorted({said.txid for said in walk.said.values() if said.txid})
        numbers = {txid: number for number, txid in enumerate(self._gap_names, 1)}
        gap = np.zeros(len(output), np.int64)
        for place, said in walk.said.items():
            gap[place] = numbers.get(said.txid, 0)
        key = (gap << 36) | (walk.kind.astype(np.int64) << 32) | holder
        self._order = np.argsort(key, kind="stable")
        ordered = key[self._order]
        self._starts = np.flatnonzero(np.diff(ordered, prepend=-1))
        self._stops = np.append(self._starts[1:], len(ordered))
        amounts = walk.ends[self._order, walks.END_AMOUNT]
        empty = np.empty(0, np.int64)
        self._sums: Places = np.add.reduceat(amounts, self._starts) if len(amounts) else empty
        self._kind: Places = (ordered[self._starts] >> 32) & 15
        self._holder: Places = ordered[self._starts] & NONE32
        self._gap: Places = ordered[self._starts] >> 36

    def _first(self, among: Places, count: int) -> list[int]:
        """The first of some groups as a result ranks them: fees last, the largest first, then by kind, address and gap."""
        if not len(among):
            return []
        order = among[np.lexsort((-self._sums[among], self._kind[among] == _FEE))]
        if len(order) > count:  # those that are as large as the last of them may come before it by their names
            last = order[count - 1]
            ties = (self._sums[order] == self._sums[last]) & ((self._kind[order] == _FEE) == (self._kind[last] == _FEE))
            order = order[: max(count, int(np.flatnonzero(ties)[-1]) + 1)]
        self._name(order)
        return sorted(order.tolist(), key=self._rank)[:count]

    def _rank(self, group: int) -> tuple[bool, int, str, str, str]:
        kind, gap = KINDS[self._kind[group]], int(self._gap[group])
        name = self._gap_names[gap - 1] if gap else ""
        return kind == EndKind.FEE, -int(self._sums[group]), kind.value, self._address(group) or "", name

    def _name(self, groups: Places) -> None:
        holders = self._holder[groups]
        self._facts.holders.name(holders[holders != NONE32].astype(np.uint32))

    def _address(self, group: int) -> str | None:
        holder = int(self._holder[group])
        return None if holder == NONE32 else self._facts.holders.identity(holder)

    # ends

    @cached_property
    def _ranked(self) -> list[int]:
        return self._first(np.arange(len(self._sums)), FIRST_ENDS)

    def fields(self) -> dict[str, Any]:
        """The fields of a summary that a result has in full: ends, paths, gaps, and what is left out of them."""
        ends = [self._end(group, rank) for rank, group in enumerate(self._ranked, 1)]
        paths = []
        for group, end in [pair for pair in zip(self._ranked, ends, strict=True) if pair[1]["kind"] != "fee"][
            :FIRST_PATHS
        ]:
            members = self._members(group)
            ending = self._walk.ending(int(members[self._walk.ends[members, walks.END_AMOUNT].argmax()]))
            if ending.output is not None:
                paths.append(path_to(self._facts, self._walk, end, ending, ending.amount))
        return {
            "ends": ends,
            "ends_omitted": len(self._sums) - len(ends),
            "ends_omitted_amount": sum(self._walk.sums.values()) - sum(end["amount"] for end in ends),
            "paths": paths,
            "gaps": self._gaps[:FIRST_GAPS],
            "gaps_omitted": len(self._gaps[FIRST_GAPS:]),
            "transactions": self._walk.passed,
        }

    @cached_property
    def _gaps(self) -> list[dict[str, Any]]:
        return gaps(self._facts, (said for _, said in sorted(self._walk.said.items(), key=lambda item: item[0])))

    def _members(self, group: int) -> Places:
        """Places of a group's ends, in the order in which they were met."""
        return self._order[self._starts[group] : self._stops[group]]

    def _end(self, group: int, rank: int) -> dict[str, Any]:
        members = self._members(group)
        kind, holder, gap = KINDS[self._kind[group]], int(self._holder[group]), int(self._gap[group])
        label = NOTHING_KNOWN if holder == NONE32 else self._facts.holders.label(holder)
        times = self._facts.times(self._walk.makers(members))
        amount = int(self._sums[group])
        return {
            "rank": rank,
            "kind": kind.value,
            "address": self._address(group),
            "output_count": len(members),
            "amount": amount,
            "share": share(amount, self._walk.seed_amount),
            "hops": int(self._walk.hops(members).min()),
            "first_received": utc(int(times.min())),
            "last_moved": utc(int(times.max())),
            "tags": list(label.tags),
            "contradictions": list(label.contradictions),
            "inherited": label.inherited,
            "service": label.service if kind == EndKind.SERVICE else None,
            "freezable_by": list(label.freezable_by),
            "gap_txid": self._gap_names[gap - 1] if gap else None,
            "reason": reason_of(self._reasons(members)),
        }

    def _reasons(self, members: Places) -> list[str]:
        """The reasons of a group's ends, each of a kind once, in order."""
        ends = self._walk.ends[members]
        code = (ends[:, walks.END_KIND] << 32) | ends[:, walks.END_DETAIL]
        for place in (set(members.tolist()) & self._walk.said.keys()) if self._walk.said else ():
            code[np.searchsorted(members, place)] = -1 - place
        _, firsts = np.unique(code, return_index=True)
        return [self._walk.ending(int(members[first])).reason for first in sorted(firsts.tolist())]

    # the sentence

    @cached_property
    def _service_groups(self) -> dict[str, list[int]]:
        """Groups of ends at each service, an address each."""
        grouped: dict[str, list[int]] = {}
        for group in np.flatnonzero(self._kind == _SERVICE).tolist():
            grouped.setdefault(str(self._label(group).service), []).append(group)
        return grouped

    def _label(self, group: int) -> Label:
        return self._facts.holders.label(int(self._holder[group]))

    @cached_property
    def services(self) -> list[dict[str, Any]]:
        """The field `services`."""
        rows = []
        for service, groups in self._service_groups.items():
            for group, label in ((group, self._label(group)) for group in groups):
                names = [entry["name"] for entry in label.freezable_by]
                rows.append(AtService(service, int(self._sums[group]), bool(label.inherited), names))
        return services_of(rows, self._walk.seed_amount)

    def gist(self) -> Gist:
        """What the sentence says of the ends."""
        held = np.flatnonzero(self._kind == _HELD)
        candidates: list[tuple[int, int, dict[str, Any] | None]] = [
            (int(self._sums[group]), group, None) for group in self._first(held, 1)
        ]
        for entry in self.services:
            if entry["amount"] == self.services[0]["amount"]:
                groups = np.array(self._service_groups[entry["service"]], np.int64)
                candidates.append((entry["amount"], self._first(groups, 1)[0], entry))
        lead = min(candidates, key=lambda found: (-found[0], self._rank(found[1])), default=None)
        rest = held if lead is None else held[held != lead[1]]
        others = {
            "service": Others.services([entry for entry in self.services if lead is None or entry is not lead[2]]),
            "held": Others(len(rest), sum(self._sums[rest].tolist())),
        }
        lost = np.flatnonzero(self._kind == _UNKNOWN)
        first_lost = next((self._address(group) for group in self._first(lost, 1)), None)
        first_gap = self._gaps[0]["txid"] if self._gaps else ""
        return Gist(
            None if lead is None else self._lead(lead[1], lead[2]),
            others,
            (len(lost), first_lost),
            (len(self._gaps), first_gap),
        )

    def _lead(self, group: int, service: dict[str, Any] | None) -> Lead:
        groups = [group] if service is None else self._service_groups[service["service"]]
        members = np.concatenate([self._members(each) for each in groups])
        still, stated = self._walk.standing(members)
        hops = self._walk.hops(members)
        last = utc(int(self._facts.times(self._walk.makers(members)).max()))
        return Lead(self._end(group, 0), service, int(hops.min()), int(hops.max()), last, still, stated)
