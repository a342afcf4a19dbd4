"""Walk the money forward through a chain store, transaction by transaction in chain order, in plain Python.

Only what is touched is held: a map from outputs to taint, and the transactions passed. A transaction is settled once,
when everything that flows into it has been settled, since payers stand before spenders in the store. The compiled kernel
(`kernels.compiled.walking`, read by `touched`) is held to this: both give one answer.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence

from shieldwall.chain.readers.interface import Progress, silent
from shieldwall.chain.store import ChainStore, SpendState
from shieldwall.trace.extension import WENT_IN, Extension
from shieldwall.trace.holders import Holders
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods.interface import CLEAN, Method, UnknownInput, amount_of
from shieldwall.trace.published import PublishedHops
from shieldwall.trace.record import Ending, EndKind, Reached, Step, Walk
from shieldwall.trace.seeds import Seeds, value_of_seed
from shieldwall.trace.targets import Target
from shieldwall.trace.unseen import Unseen, undivided

STRIDE = 256  # transactions between two reports of progress


class TooLong(Exception):
    """A walk has passed more transactions than it should in plain Python."""


class Walker:
    """Walks one trace forward.

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
        self._holder_of = store.column("output_holder")
        self._unseen = Unseen(store, published)
        self._extension = Extension(store)
        self._progress = progress
        self._incoming: dict[int, list[int]] = {}  # transaction -> tainted outputs that it spends
        self._queue: list[int] = []
        self._queued: set[int] = set()
        self._followed: set[int] = set()  # transactions that a spend led to: what the limit of transactions counts
        self._seeds = Seeds(store, ())
        self._walk = Walk()

    def run(self, targets: Sequence[Target], most: int | None = None) -> Walk:
        """Walk from the targets to every end.

        Args:
            targets: What to start from.
            most: Transactions after which to give up; None for never.

        Raises:
            PartialData: The value of an input to start from is not known.
            TooLong: There are more than `most`.
        """
        walk = self._walk
        seeds = self._seeds = Seeds(self._store, targets)
        for transaction in (*seeds.by_maker, *seeds.by_spender):
            self._push(transaction)
        while self._queue:
            transaction = heapq.heappop(self._queue)
            self._settle(transaction, seeds.by_spender.get(transaction, ()), seeds.by_maker.get(transaction, ()))
            if not len(walk.steps) % STRIDE:
                self._progress(f"tracing, {self._method.name}", len(walk.steps), 0)
            if most is not None and len(walk.steps) > most:
                raise TooLong
        walk.notes = sorted(self._unseen.notes)
        return walk

    def _push(self, transaction: int) -> None:
        if transaction not in self._queued:
            self._queued.add(transaction)
            heapq.heappush(self._queue, transaction)

    def _settle(self, transaction: int, seed_inputs: Collection[int], seed_outputs: Sequence[int]) -> None:
        arrived: dict[int, Reached] = {}
        if self._incoming.get(transaction) or seed_inputs:
            arrived = self._pass_on(transaction, seed_inputs)
        for output in seed_outputs:
            value = int(self._store.column("output_value")[output])
            self._walk.begin(transaction, value, arrived[output].amount if output in arrived else 0)
            if value:
                arrived[output] = Reached(transaction, value, 0, None, ((0, value),))
        self._walk.reached.update(arrived)
        for output in sorted(arrived) if seed_outputs else arrived:  # without seeds they are in order
            self._route(output, transaction, arrived[output].amount)

    def _pass_on(self, transaction: int, seed_inputs: Collection[int]) -> dict[int, Reached]:
        """What a transaction's outputs carry of what its inputs bring."""
        store, walk = self._store, self._walk
        links, values = store.links(transaction)
        coming = {output: walk.reached[output] for output in self._incoming.pop(transaction, ())}
        taints = [coming[link].taint if link in coming else CLEAN for link in links]
        hops = [reached.hop for reached in coming.values()]
        for reached in coming.values():
            reached.taint = CLEAN  # it is spent; FIFO's runs are not kept for long traces
        for place in sorted(seed_inputs):
            value = value_of_seed(store, transaction, place, values[place])
            walk.begin(transaction, value, amount_of(taints[place]))
            if value:
                taints[place] = ((0, value),)
                hops.append(0)
        if not hops:
            return {}  # inputs to start from that bring nothing
        hop = min(hops)
        step = Step(transaction, hop + 1)
        step.inputs = [(k, links[k], amount_of(taint)) for k, taint in enumerate(taints) if taint]
        if self._extension.moves(transaction):
            self._stop_at(transaction, step, EndKind.MWEB, WENT_IN)
            return {}
        numbers = store.output_range(transaction)
        try:
            split = self._method.split(values, taints, store.values(transaction))
        except UnknownInput as unknown:
            self._stop_without(transaction, unknown.place, step)
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

    def _stop_without(self, transaction: int, place: int, step: Step) -> None:
        """The method needs the value of an input that nobody gives: a gap, named by the missing transaction."""
        reason, missing = undivided(self._store, transaction, place, self._method.name)
        self._stop_at(transaction, step, EndKind.GAP, reason, missing)

    def _stop_at(self, transaction: int, step: Step, kind: EndKind, reason: str, missing: str = "") -> None:
        """Everything that a transaction's inputs bring ends before it."""
        for _, output, amount in step.inputs:
            maker = transaction if output is None else self._store.transaction_of(output)
            self._walk.endings.append(Ending(kind, output, maker, amount, reason, missing))

    def _route(self, output: int, transaction: int, amount: int) -> None:
        """Follow an output, or end there."""
        store, seeds = self._store, self._seeds
        spend = store.spend(output)
        if output in self._unseen.claims:
            self._unseen.compare(output, spend)
        if spend.state == SpendState.UNSPENDABLE:
            return self._end(EndKind.FEE, output, transaction, amount, "provably unspendable")
        if self._extension.holds(output) and output not in seeds.spent:
            return self._end(EndKind.MWEB, output, transaction, amount, WENT_IN)
        if self._holders.tagged and output not in seeds.outputs and output not in seeds.spent:
            label = self._holders.label(
                int(self._holder_of[output])
            )  # whoever names money at a service wants it followed
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
        self._walk.endings.append(self._unseen.end(output, transaction, amount, spend))
        return None

    def _end(self, kind: EndKind, output: int, transaction: int, amount: int, reason: str = "") -> None:
        self._walk.endings.append(Ending(kind, output, transaction, amount, reason))

    def _limit(self, output: int, spender: int, amount: int) -> str:
        """Why a spend is not followed; "" when it is."""
        if output in self._seeds.spent:
            return ""  # else its money would count here and again where the trace starts from that input
        limits = self._limits
        reason = limits.size(self._walk.reached[output].hop, amount)
        if not reason and limits.timed:
            reason = limits.after(self._store.height_of(spender), self._store.time_of(spender))
        if reason or spender in self._followed:
            return reason
        return limits.count(len(self._followed))
