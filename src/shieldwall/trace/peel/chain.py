"""A peel chain as it was followed: one thing that unfolds into its hops."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shieldwall.model.amount import btc
from shieldwall.model.canonical import digest
from shieldwall.trace.peel.profile import ClusterProfile
from shieldwall.trace.peel.rules import PeelRule

FORMAT = "shieldwall-peel/1"
LIMIT = "limit"
NAMED = 5  # receivers named in the sentence


@dataclass(frozen=True, slots=True)
class Peeled:
    """An output that the chain does not go on with.

    Attributes:
        index: Its place in the transaction.
        address: Who is paid; `kind:payload` for a script without an address.
        amount: Satoshi.
        state: Where it stands as of the tip, as `SpendState` has it.
        own: True where the chain's own cluster is paid: it left the chain, not the cluster.
        service: Name of the service that tags say the address is of; None where they say none.
        category: Tag category that makes it one.
        labels: What tags call the address.
        why_not: Why the chain does not go on with it.
    """

    index: int
    address: str
    amount: int
    state: str
    own: bool
    service: str | None
    category: str | None
    labels: tuple[str, ...]
    why_not: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "index": self.index,
            "address": self.address,
            "amount": self.amount,
            "state": self.state,
            "own": self.own,
            "service": self.service,
            "category": self.category,
            "labels": list(self.labels),
            "why_not": self.why_not,
        }


@dataclass(frozen=True, slots=True)
class Hop:
    """A transaction of the chain.

    Attributes:
        txid: Display form.
        height: Of its block; None where not known.
        time: Of its block, ISO 8601 in UTC.
        proof: What the store has proven of it: inclusion, txid, or nothing.
        amount: Satoshi that the chain brings in: the output of the hop before; of the first, all its inputs. None where the
            value of an input is not known.
        joined: Satoshi of its other inputs; None likewise.
        fee: Satoshi; None likewise.
        index: The output that goes on; None in the last transaction.
        address: Who holds that output; "" in the last transaction.
        goes_on: Satoshi in it; 0 in the last transaction.
        why: Why the chain goes on with it; of the last transaction, why it does not go on.
        peeled: All other outputs; of the last transaction, all.
    """

    txid: str
    height: int | None
    time: str
    proof: str
    amount: int | None
    joined: int | None
    fee: int | None
    index: int | None
    address: str
    goes_on: int
    why: str
    peeled: tuple[Peeled, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "txid": self.txid,
            "height": self.height,
            "time": self.time,
            "proof": self.proof,
            "amount": self.amount,
            "joined_amount": self.joined,
            "fee": self.fee,
            "index": self.index,
            "address": self.address or None,
            "goes_on_amount": self.goes_on,
            "why": self.why,
            "peeled": [output.to_dict() for output in self.peeled],
        }


@dataclass(frozen=True, slots=True)
class PeelChain:
    """A chain and where it ends.

    Attributes:
        start: What was asked: a txid or an outpoint.
        rule: The rule that it was followed by.
        profile: Of the cluster that it is of; None where the first transaction has no one cluster that pays.
        own_address: The address that the cluster is named after; "" without one.
        hops: The transactions with an output that goes on, in order.
        last: The transaction at which it ends; None where the start is not spent here.
        end: "no candidate", "several candidates", "unspent", "unknown" or "limit".
        reason: Why it ends, in words.
        limit: Hops followed at most.
        stamp: What the clustering says of itself.
        covers: The chain that was looked at.
        coin: Sign of the network's coin.
    """

    start: str
    rule: PeelRule
    profile: ClusterProfile | None
    own_address: str
    hops: tuple[Hop, ...]
    last: Hop | None
    end: str
    reason: str
    limit: int
    stamp: dict[str, Any]
    covers: dict[str, Any]
    coin: str

    @property
    def transactions(self) -> tuple[Hop, ...]:
        """All transactions of the chain, the last one among them."""
        return (*self.hops, self.last) if self.last else self.hops

    @property
    def peeled(self) -> tuple[Peeled, ...]:
        """What was peeled off, in order: the outputs of all transactions before the last that did not go on."""
        return tuple(output for hop in self.hops for output in hop.peeled)

    @property
    def peeled_amount(self) -> int:
        """Satoshi of these."""
        return sum(output.amount for output in self.peeled)

    @property
    def receivers(self) -> list[dict[str, Any]]:
        """Every address that was paid by peeling, the one that was paid most first."""
        return _summed(self.peeled, lambda output: output.address, ("address", "service", "category", "own"))

    @property
    def services(self) -> list[dict[str, Any]]:
        """The services among the receivers, likewise; an address that no tag calls a service is of none known."""
        named = [output for output in self.peeled if output.service is not None]
        return _summed(named, lambda output: str(output.service), ("service", "category"))

    @property
    def sentence(self) -> str:
        """The chain in a sentence or two."""
        if not self.hops:
            return f"No peel chain from {self.start} by {self.rule.name}: {self.reason}."
        count = len(self.hops)
        first, last = self.transactions[0], self.transactions[-1]
        paid = len(self.receivers)
        hops, addresses = (
            f"{count} {'hop' if count == 1 else 'hops'}",
            f"{paid} {'address' if paid == 1 else 'addresses'}",
        )
        text = (
            f"Peel chain of {hops} by {self.rule.name} (inferred), {first.time} to {last.time}: "
            f"{btc(self.peeled_amount)} {self.coin} peeled off to {addresses}"
        )
        if self.services:
            named = ", ".join(f"{btc(entry['amount'])} to {entry['service']}" for entry in self.services[:NAMED])
            others = len(self.services) - NAMED
            text += f", of it {named}" + (f" and {others} other services" if others > 0 else "")
        return f"{text}; {btc(self.hops[-1].goes_on)} {self.coin} went on. It ends there: {self.reason}."

    def to_dict(self) -> dict[str, Any]:
        """The chain as plain JSON values with a digest: the summary, then the hops."""
        body: dict[str, Any] = {
            "format": FORMAT,
            "sentence": self.sentence,
            "start": self.start,
            "unit": "satoshi",
            "layer": "inference",
            "rule": self.rule.name,
            "rule_definition": self.rule.definition,
            "published": [rate.as_json() for rate in self.rule.published],
            "cluster": None if self.profile is None else {"named_after": self.own_address} | self.profile.to_dict(),
            "clustering": self.stamp,
            "covers": self.covers,
            "limit_hops": self.limit,
            "summary": self.summary(),
            "hops": [hop.to_dict() for hop in self.hops],
            "last": None if self.last is None else self.last.to_dict(),
        }
        return {**body, "digest": digest(body)}

    def summary(self) -> dict[str, Any]:
        """What is known of the whole without its hops."""
        return {
            "hops": len(self.hops),
            "first_txid": self.transactions[0].txid if self.transactions else None,
            "last_txid": self.transactions[-1].txid if self.transactions else None,
            "first_time": self.transactions[0].time if self.transactions else None,
            "last_time": self.transactions[-1].time if self.transactions else None,
            "amount": self.transactions[0].amount if self.transactions else None,
            "joined_amount": _known(hop.joined for hop in self.transactions),
            "peeled_amount": self.peeled_amount,
            "peeled_outputs": len(self.peeled),
            "own_amount": sum(output.amount for output in self.peeled if output.own),
            "fee_amount": _known(hop.fee for hop in self.transactions),
            "last_amount": sum(output.amount for output in self.last.peeled) if self.last else None,
            "end": self.end,
            "reason": self.reason,
            "receivers": self.receivers,
            "services": self.services,
        }


def _known(amounts: Iterable[int | None]) -> int | None:
    """The sum; None where a part of it is not known."""
    parts = list(amounts)
    return None if any(part is None for part in parts) else sum(part or 0 for part in parts)


def _summed(outputs: Iterable[Peeled], key: Any, names: tuple[str, ...]) -> list[dict[str, Any]]:  # noqa: ANN401
    groups: dict[str, list[Peeled]] = {}
    for output in outputs:
        groups.setdefault(key(output), []).append(output)
    rows = [
        {
            **{name: getattr(members[0], name) for name in names},
            "amount": sum(member.amount for member in members),
            "outputs": len(members),
        }
        for members in groups.values()
    ]
    return sorted(rows, key=lambda row: (-row["amount"], row[names[0]]))
