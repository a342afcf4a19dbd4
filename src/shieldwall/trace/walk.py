"""Walk the money forward through a chain store, transaction by transaction in chain order.

Only what is touched is held: a map from outputs to taint, and the transactions passed. A transaction is settled once,
when everything that flows into it has been settled, since payers stand before spenders in the store.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

from shieldwall.chain.readers.interface import Progress, silent
from shieldwall.chain.store import ChainStore, Spend, SpendState
from shieldwall.errors import PartialData
from shieldwall.model.claim import Claim
from shieldwall.model.moment import utc
from shieldwall.model.transaction import internal
from shieldwall.trace.holders import Holders
from shieldwall.trace.labels import NOTHING_KNOWN
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods.interface import CLEAN, Method, Taint, UnknownInput, amount_of
from shieldwall.trace.published import PublishedHops
from shieldwall.trace.targets import Target

_STRIDE = 256  # transactions between two reports of progress


class EndKind(StrEnum):
    """How money's way ends."""

    HELD = "held"  # unspent as of the tip
    SERVICE = "service"  # reached an address that tags say is a service's
    UNKNOWN = "unknown"  # the spend state is not known
    FEE = "fee"  # a sink: miners' fees, and outputs that nobody can ever spend
    LIMIT = "limit"  # a limit of the trace
    GAP = "gap"  # a named transaction that is not in the data


@dataclass(frozen=True, slots=True)
class Ending:
    """One output's taint at its end.

    Attributes:
        kind: How it ends.
        output: Number of the output; None for a fee.
        transaction: Transaction that made the output, or that paid the fee.
        amount: Tainted satoshi.
        reason: Why it ends here, where the kind does not say it.
        txid: Gap: the named transaction that is not in the data.
        claim: Gap: what is published of it; None when only the chain data names it.
    """

    kind: EndKind
    output: int | None
    transaction: int
    amount: int
    reason: str = ""
    txid: str = ""
    claim: Claim | None = None


@dataclass(slots=True)
class Step:
    """A transaction that tainted money went through.

    Attributes:
        transaction: Its number.
        hop: Spends from the seed.
        inputs: (position, output number or None, tainted satoshi) of the tainted inputs.
        outputs: (output number, tainted satoshi) of the tainted outputs.
        fee: Tainted satoshi of its fee.
    """

    transaction: int
    hop: int
    inputs: list[tuple[int, int | None, int]] = field(default_factory=list)
    outputs: list[tuple[int, int]] = field(default_factory=list)
    fee: int = 0


@dataclass(slots=True)
class Reached:
    """An output that money came to.

    Attributes:
        transaction: Transaction that made it.
        amount: Tainted satoshi.
        hop: Spends from the seed.
        origin: Output that brought most of it; None where the walk started.
        taint: What of it is tainted, until it is spent.
    """

    transaction: int
    amount: int
    hop: int
    origin: int | None
    taint: Taint


@dataclass(slots=True)
class Walk:
    """What a walk found.

    Attributes:
        seed_amount: Satoshi started from, each once.
        returned_amount: Satoshi that came back to a seed by its own money and are not counted again.
        endings: Where it went.
        steps: The transactions passed, in chain order.
        reached: Every output that money came to, seeds among them.
        notes: What a person should know, sorted.
    """

    seed_amount: int = 0
    returned_amount: int = 0
    endings: list[Ending] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    reached: dict[int, Reached] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Walker:
    """Walks one trace.

    Args:
        store: The chain.
        method: How taint divides.
        limits: How far to go.
        holders: Addresses, and what the tags say of them.
        published: Hops that someone published and the store does not hold.
        progress: Called now and then with the transactions passed.
    """

    def __init__(
        self,
        store: ChainStore,
        method: Method,
        limits: Limits,
        holders: Holders,
        published: PublishedHops,
        progress: Progress = silent,
    ) -> None:
        self._store = store
        self._method = method
        self._limits = limits
        self._holders = holders
        self._published = published
        self._progress = progress
        self._claims: dict[int, tuple[Claim, ...]] = {}  # output -> what is published of its spend
        self._incoming: dict[int, list[int]] = {}  # transaction -> tainted outputs that it spends
        self._queue: list[int] = []
        self._queued: set[int] = set()
        self._followed: set[int] = set()  # transactions that a spend led to: what the limit of transactions counts
        self._seeds: set[int] = set()  # outputs to start from
        self._onward: set[int] = set()  # outputs that an input to start from spends
        self._walk = Walk()

    def run(self, targets: Sequence[Target]) -> Walk:
        """Walk from the targets to every end.

        Raises:
            PartialData: The value of an input to start from is not known.
        """
        store, walk = self._store, self._walk
        self._claims, walk.notes = claims_by_output(store, self._published)
        self._seeds = {output for target in targets for output in target.outputs}
        seed_outputs: dict[int, list[int]] = {}
        for output in sorted(self._seeds):
            seed_outputs.setdefault(store.transaction_of(output), []).append(output)
        seed_inputs: dict[int, set[int]] = {}
        links = store.column("input_output")
        for number in {number for target in targets for number in target.inputs}:
            spender = store.transaction_of_input(number)
            seed_inputs.setdefault(spender, set()).add(number - store.input_range(spender)[0])
            self._onward.add(int(links[number]))  # where it spends nothing of this store: no output has that number
        for transaction in (*seed_outputs, *seed_inputs):
            self._push(transaction)
        while self._queue:
            transaction = heapq.heappop(self._queue)
            self._settle(transaction, seed_inputs.get(transaction, set()), seed_outputs.get(transaction, ()))
            if not len(walk.steps) % _STRIDE:
                self._progress(f"tracing, {self._method.name}", len(walk.steps), 0)
        walk.notes.sort()
        return walk

    def _push(self, transaction: int) -> None:
        if transaction not in self._queued:
            self._queued.add(transaction)
            heapq.heappush(self._queue, transaction)

    def _settle(self, transaction: int, seed_inputs: set[int], seed_outputs: Sequence[int]) -> None:
        arrived: dict[int, Reached] = {}
        if self._incoming.get(transaction) or seed_inputs:
            arrived = self._pass_on(transaction, seed_inputs)
        for output in seed_outputs:
            value = int(self._store.column("output_value")[output])
            self._begin(value, arrived[output].amount if output in arrived else 0)
            if value:
                arrived[output] = Reached(transaction, value, 0, None, ((0, value),))
        self._walk.reached.update(arrived)
        for output in sorted(arrived):
            self._route(output, transaction, arrived[output].amount)

    def _begin(self, value: int, already: int) -> None:
        """Count a seed's money once: what its own money brought back is returned, the rest is new."""
        self._walk.seed_amount += value - already
        self._walk.returned_amount += already

    def _pass_on(self, transaction: int, seed_inputs: set[int]) -> dict[int, Reached]:
        """What a transaction's outputs carry of what its inputs bring."""
        store, walk = self._store, self._walk
        links, values = store.links(transaction)
        coming = {output: walk.reached[output] for output in self._incoming.pop(transaction, ())}
        taints = [coming[link].taint if link in coming else CLEAN for link in links]
        hops = [reached.hop for reached in coming.values()]
        for reached in coming.values():
            reached.taint = CLEAN  # it is spent; FIFO's runs are not kept for long traces
        for place in sorted(seed_inputs):
            value = values[place]
            if value is None:
                missing = next(islice(store.inputs(transaction), place, None))
                raise PartialData(
                    f"what input {place} of {store.txid(transaction)} brought is not known: {missing.txid} is not in "
                    "this store, and no source gives its output",
                    hint="extend the store with that transaction: shieldwall chain build",
                )
            self._begin(value, amount_of(taints[place]))
            if value:
                taints[place] = ((0, value),)
                hops.append(0)
        if not hops:
            return {}  # inputs to start from that bring nothing
        hop = min(hops)
        step = Step(transaction, hop + 1)
        step.inputs = [(k, links[k], amount_of(taint)) for k, taint in enumerate(taints) if taint]
        numbers = store.output_range(transaction)
        try:
            split = self._method.split(values, taints, store.values(transaction))
        except UnknownInput as unknown:
            self._stop_at(transaction, unknown.place, step)
            return {}
        step.fee = split.fee
        arrived = {}
        for place, taint in enumerate(split.outputs):
            origin = split.origins[place]
            if taint and origin is not None:
                amount, payer = amount_of(taint), links[origin]
                payer = payer if payer in coming else None
                arrived[numbers[place]] = Reached(transaction, amount, hop + 1, payer, taint)
                step.outputs.append((numbers[place], amount))
        if split.fee:
            walk.endings.append(Ending(EndKind.FEE, None, transaction, split.fee, "fee"))
        walk.steps.append(step)
        return arrived

    def _stop_at(self, transaction: int, place: int, step: Step) -> None:
        """The method needs the value of an input that nobody gives: a gap, named by the missing transaction."""
        missing = next(islice(self._store.inputs(transaction), place, None))
        reason = (
            f"spent by {self._store.txid(transaction)}, whose input {place} spends {missing.txid}:{missing.index}; without "
            f"that amount {self._method.name} cannot divide"
        )
        for _, output, amount in step.inputs:
            maker = transaction if output is None else self._store.transaction_of(output)
            self._walk.endings.append(Ending(EndKind.GAP, output, maker, amount, reason, missing.txid))

    def _route(self, output: int, transaction: int, amount: int) -> None:
        """Follow an output, or end there."""
        store = self._store
        spend = store.spend(output)
        if output in self._claims and (spend.state not in (SpendState.UNKNOWN, SpendState.SPENT_OUTSIDE)):
            self._compare(output, spend)
        if spend.state == SpendState.UNSPENDABLE:
            return self._end(EndKind.FEE, output, transaction, amount, "provably unspendable")
        asked = output in self._seeds or output in self._onward  # whoever names money at a service wants it followed
        label = NOTHING_KNOWN if asked else self._holders.label(int(store.column("output_holder")[output]))
        if label.service is not None:
            return self._end(EndKind.SERVICE, output, transaction, amount, label.category or "")
        if spend.state == SpendState.UNSPENT:
            return self._end(EndKind.HELD, output, transaction, amount)
        if spend.state == SpendState.SPENT and spend.transaction is not None:
            reason = self._limit(output, spend.transaction, amount)
            if reason:
                return self._end(EndKind.LIMIT, output, transaction, amount, reason)
            self._incoming.setdefault(spend.transaction, []).append(output)
            self._followed.add(spend.transaction)
            return self._push(spend.transaction)
        if spend.txid:
            return self._end_outside(output, transaction, amount, spend)
        return self._end_unknown(output, transaction, amount, spend.as_of)

    def _compare(self, output: int, spend: Spend) -> None:
        """The data knows what became of an output of which hops are published: it holds, and the difference is told."""
        known = "unspent as of its tip" if spend.state == SpendState.UNSPENT else "never to be spent"
        if spend.transaction is not None:
            known = f"spent by {self._store.txid(spend.transaction)}"
        for claim in self._claims[output]:
            said = f"spent by {claim.statement['spender']}"
            verdict = (
                "the chain data says so, too" if known == said else f"in the chain data it is {known}, which holds"
            )
            self._walk.notes.append(f"{claim.subject.name} is published as {said} ({claim.source}); {verdict}")

    def _end_outside(self, output: int, transaction: int, amount: int, spend: Spend) -> None:
        """The source names the spender, which is not here; what is published of the hops after it comes along."""
        spender = str(spend.txid)
        agreeing = [claim for claim in self._claims.get(output, ()) if claim.statement["spender"] == spender]
        for claim in self._claims.get(output, ()):
            if claim not in agreeing:
                self._walk.notes.append(
                    f"{claim.subject.name} is published as spent by {claim.statement['spender']} ({claim.source}); "
                    f"the source of the chain data says that {spender} spent it"
                )
        reason = f"spent by {spender}, says the source as of height {spend.as_of}"
        self._end(EndKind.GAP, output, transaction, amount, reason, spender, agreeing[0] if agreeing else None)

    def _end_unknown(self, output: int, transaction: int, amount: int, as_of: int | None) -> None:
        claims = self._claims.get(output, ())
        if claims:
            chosen = claims[0]
            spender = str(chosen.statement["spender"])
            for rival in claims[1:]:
                if rival.statement["spender"] != spender:
                    self._walk.notes.append(
                        f"{rival.subject.name} is published as spent by {spender} ({chosen.source}) and as spent by "
                        f"{rival.statement['spender']} ({rival.source}): a contradiction; the gap names the first"
                    )
            reason = f"published as spent by {spender}: {chosen.source}"
            return self._end(EndKind.GAP, output, transaction, amount, reason, spender, chosen)
        reason = (
            f"unspent as of height {as_of}, not known since" if as_of is not None else "spend state not in this data"
        )
        return self._end(EndKind.UNKNOWN, output, transaction, amount, reason)

    def _end(
        self,
        kind: EndKind,
        output: int,
        transaction: int,
        amount: int,
        reason: str = "",
        txid: str = "",
        claim: Claim | None = None,
    ) -> None:
        self._walk.endings.append(Ending(kind, output, transaction, amount, reason, txid, claim))

    def _limit(self, output: int, spender: int, amount: int) -> str:
        """Why a spend is not followed; "" when it is."""
        limits = self._limits
        if output in self._onward:
            return ""  # else its money would count here and again where the trace starts from that input
        if limits.hops is not None and self._walk.reached[output].hop >= limits.hops:
            return f"{limits.hops} hops"
        if amount < limits.least:
            return f"less than {limits.least} satoshi"
        if limits.until_height is not None:
            height = self._store.height_of(spender)
            if height is None:
                return "moved on at a height that is not known"
            if height > limits.until_height:
                return f"moved on after height {limits.until_height}"
        if limits.until_time is not None and self._store.time_of(spender) > limits.until_time:
            return f"moved on after {utc(limits.until_time)}"
        if spender not in self._followed and len(self._followed) >= limits.transactions:
            return f"{limits.transactions} transactions"
        return ""


def claims_by_output(store: ChainStore, published: PublishedHops) -> tuple[dict[int, tuple[Claim, ...]], list[str]]:
    """Published hops by the output of this store that they start from, and notes on those of another chain."""
    found: dict[int, tuple[Claim, ...]] = {}
    notes = []
    for outpoint, claims in published.by_outpoint.items():
        here = tuple(claim for claim in claims if claim.subject.chain == store.network.caip2)
        if len(here) < len(claims):
            notes.append(f"published hops of {outpoint} are of another chain than {store.network.name}, and not used")
        txid, _, index = outpoint.partition(":")
        maker = store.find_transaction(internal(txid)) if here else None
        if maker is not None and int(index) < len(store.output_range(maker)):
            found[store.output_range(maker)[int(index)]] = here
    return found, notes


def totals(endings: Sequence[Ending]) -> Mapping[EndKind, int]:
    """Satoshi by kind of end."""
    sums = dict.fromkeys(EndKind, 0)
    for ending in endings:
        sums[ending.kind] += ending.amount
    return sums
