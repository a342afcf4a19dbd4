"""Runs in a trace: transactions in a row, each of which spends one output of the one before and pays something off.

A run is an observation about the shape of a trace, so that a picture can show it as one thing: tainted money comes in by one
input, and its largest part that goes on so goes on so again. It is what a peel chain looks like; whose it is, and which output is
change, it does not say (`peel` infers that).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PEEL, MOVED = "peel", "moved"
LEAST = 4  # transactions of a run
MOST_OUTPUTS = 3  # tainted, of each transaction: with more it is no peeling


@dataclass(frozen=True, slots=True)
class Run:
    """Transactions in a row.

    Attributes:
        number: From 1, in the order of their beginnings.
        transfers: Of a result's body, in order.
        inside: Outpoints that one of them makes and the next one spends.
        kind: `PEEL`, or `MOVED` for transactions of one cluster (see `moved`), in which "next" is any later one.
    """

    number: int
    transfers: tuple[Mapping[str, Any], ...]
    inside: frozenset[str]
    kind: str = PEEL

    @property
    def hops(self) -> int:
        """Steps from one transaction to the next."""
        return len(self.transfers) - 1

    @property
    def count(self) -> tuple[int, str]:
        """What a small card says: a number and its unit."""
        return (self.hops, "hops") if self.kind == PEEL else (len(self.transfers), "within")

    @property
    def anchor(self) -> str:
        """Where a page unfolds it; "" for nowhere."""
        return f"#peel-{self.number}" if self.kind == PEEL else ""

    @property
    def amount(self) -> int:
        """Tainted satoshi that came in."""
        return sum(entry["amount"] for entry in self.transfers[0]["inputs"])

    @property
    def fee(self) -> int:
        """Tainted satoshi that went to fees."""
        return sum(transfer["fee"] for transfer in self.transfers)

    def goes_on(self, transfer: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
        """Whether an output of one of the transfers is what the next one spends."""
        return f"{transfer['txid']}:{entry['index']}" in self.inside


def peel_runs(body: Mapping[str, Any], but: Collection[str] = ()) -> list[Run]:
    """The runs of a trace forward, each transaction in at most one; none backward, where payments look alike from behind.

    Args:
        body: Of a trace result.
        but: Txids that are spoken for.
    """
    if body["direction"] == "backward":
        return []
    transfers = {
        transfer["txid"]: transfer
        for transfer in body["transfers"]
        if _is_like_it(transfer) and transfer["txid"] not in but
    }
    spender = {_key(entry): transfer for transfer in transfers.values() for entry in transfer["inputs"]}
    following = {txid: found for txid, transfer in transfers.items() if (found := _next(transfer, spender)) is not None}
    seeds = Counter(_key(output) for end in body["ends"] for output in end["outputs"])
    runs: list[Run] = []
    taken: set[str] = set()
    for txid, transfer in transfers.items():
        if txid in taken:
            continue
        members, inside = [transfer], set()
        while (step := following.get(members[-1]["txid"])) is not None:
            key, then = step
            if then["txid"] in taken or seeds[key]:  # part of the output stays where it is, or began there
                break
            inside.add(key)
            members.append(then)
        if len(members) >= LEAST:
            taken.update(member["txid"] for member in members)
            runs.append(Run(len(runs) + 1, tuple(members), frozenset(inside)))
    return runs


def _is_like_it(transfer: Mapping[str, Any]) -> bool:
    return len(transfer["inputs"]) == 1 and 2 <= len(transfer["outputs"]) <= MOST_OUTPUTS


def _next(
    transfer: Mapping[str, Any], spender: Mapping[str, Mapping[str, Any]]
) -> tuple[str, Mapping[str, Any]] | None:
    """The largest output that goes on into a like transaction with all its money, and that transaction."""
    outputs: Sequence[Mapping[str, Any]] = sorted(
        transfer["outputs"], key=lambda entry: (-entry["amount"], entry["index"])
    )
    for entry in outputs:
        key = f"{transfer['txid']}:{entry['index']}"
        then = spender.get(key)
        if then is not None and then["inputs"][0]["amount"] == entry["amount"]:
            return key, then
    return None


def _key(entry: Mapping[str, Any]) -> str:
    return f"{entry['txid']}:{entry['index']}"
