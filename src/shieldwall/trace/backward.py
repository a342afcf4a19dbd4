"""Walk the money backward: where what stands in the targets came from, transaction by transaction against chain order.

The mirror of `walk`: a transaction is settled once, when everything that it paid and that is asked for is known, since
spenders stand behind payers in the store. It answers by the accounting rule of the method, not who paid whom.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from shieldwall.chain.readers.interface import Progress, silent
from shieldwall.chain.spend import Input
from shieldwall.chain.store import ChainStore
from shieldwall.trace.extension import CAME_OUT, Extension
from shieldwall.trace.holders import Holders
from shieldwall.trace.labels import NOTHING_KNOWN
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods.interface import CLEAN, Method, Sources, UnknownInput, amount_of
from shieldwall.trace.published import PublishedHops
from shieldwall.trace.record import Ending, EndKind, Outside, Reached, Step, Walk
from shieldwall.trace.seeds import Seeds, input_at, value_of_seed
from shieldwall.trace.targets import Target
from shieldwall.trace.unseen import claims_by_input
from shieldwall.trace.walk import STRIDE

_MINED = "newly mined: the subsidy and the fees of its block"


class BackwardWalker:
    """Walks one trace backward.

    Args:
        store: The chain.
        method: Which inputs an output's money came from.
        limits: How far to go.
        holders: Addresses, and what the tags say of them.
        published: Published hops; one whose trail is in the data again at an input names what that input came from.
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
        self._claims = claims_by_input(store, published)
        self._extension = Extension(store)
        self._progress = progress
        self._wanted: dict[int, dict[int, Reached]] = {}  # transaction -> what is asked for of its outputs
        self._queue: list[int] = []  # negative numbers: the latest first
        self._queued: set[int] = set()
        self._passed = 0
        self._walk = Walk(backward=True)

    def run(self, targets: Sequence[Target]) -> Walk:
        """Walk from the targets to every source.

        Raises:
            PartialData: The value of an input to start from is not known.
            UsageError: The method cannot be asked backward.
        """
        store, walk = self._store, self._walk
        seeds = Seeds(store, targets)
        seeds.outputs |= seeds.spent  # what an input brought is the output that it spends
        for output in seeds.spent:
            made = seeds.by_maker.setdefault(store.transaction_of(output), [])
            if output not in made:
                made.append(output)
        for transaction in (*seeds.by_maker, *seeds.by_spender):
            self._push(transaction)
        while self._queue:
            transaction = -heapq.heappop(self._queue)
            self._settle(transaction, seeds.by_spender.get(transaction, ()), seeds.by_maker.get(transaction, ()))
            if not len(walk.steps) % STRIDE:
                self._progress(f"tracing back, {self._method.name}", len(walk.steps), 0)
        walk.steps.reverse()
        return walk

    def _push(self, transaction: int) -> None:
        if transaction not in self._queued:
            self._queued.add(transaction)
            heapq.heappush(self._queue, -transaction)

    def _settle(self, transaction: int, seed_inputs: Collection[int], seed_outputs: Sequence[int]) -> None:
        wanted = self._wanted.pop(transaction, {})
        for output in seed_outputs:
            value = int(self._store.column("output_value")[output])
            self._walk.begin(transaction, value, wanted[output].amount if output in wanted else 0)
            if value:
                wanted[output] = Reached(transaction, value, 0, None, ((0, value),))
        self._walk.reached.update(wanted)
        room = not self._limits.count(self._passed)  # one transaction at most is passed here
        followed = {
            output: wanted[output]
            for output in sorted(wanted)
            if self._goes_on(output, wanted[output], asked=output in seed_outputs, room=room)
        }
        if followed:
            self._passed += 1
        if followed or seed_inputs:
            self._pass_back(transaction, followed, seed_inputs)
        for reached in wanted.values():
            reached.taint = CLEAN  # it is settled; the runs of FIFO and LIFO are not kept for long traces

    def _goes_on(self, output: int, reached: Reached, *, asked: bool, room: bool) -> bool:
        """Whether to follow an output to what paid it; else it ends here."""
        store, maker = self._store, reached.transaction
        if store.is_coinbase(maker):
            self._end(EndKind.COINBASE, output, reached, _MINED)
            return False
        label = NOTHING_KNOWN if asked else self._holders.label(int(store.column("output_holder")[output]))
        if label.service is not None:
            self._end(EndKind.SERVICE, output, reached, label.category or "")
            return False
        if self._extension.moves(maker):
            self._end(EndKind.MWEB, output, reached, CAME_OUT)
            return False
        limits = self._limits
        reason = limits.size(reached.hop, reached.amount)
        if not reason and limits.timed:
            reason = limits.before(store.height_of(maker), store.time_of(maker))
        reason = reason or ("" if room else limits.count(self._passed))
        if reason:
            self._end(EndKind.LIMIT, output, reached, reason)
        return not reason

    def _end(self, kind: EndKind, output: int, reached: Reached, reason: str) -> None:
        self._walk.endings.append(Ending(kind, output, reached.transaction, reached.amount, reason, left=reached.left))

    def _pass_back(self, transaction: int, followed: dict[int, Reached], seed_inputs: Collection[int]) -> None:
        """Ask the inputs for what is asked of the outputs."""
        store = self._store
        links, values = store.links(transaction)
        sources = self._sources(transaction, values, followed) if followed else None
        hop = min((reached.hop for reached in followed.values()), default=0) + 1
        step = Step(transaction, hop)
        step.outputs = [(output, reached.amount) for output, reached in followed.items()]
        first = store.output_range(transaction).start
        outside: dict[int, tuple[int, int | None]] = {}  # position -> satoshi, output into which most of it went
        for place, taint in enumerate(sources.inputs if sources else ()):
            if taint and sources is not None:
                amount, heir = amount_of(taint), first + (sources.heirs[place] or 0)
                step.inputs.append((place, links[place], amount))
                link = links[place]
                if link is None:
                    outside[place] = (amount, heir)
                    continue
                maker = store.transaction_of(link)
                self._wanted.setdefault(maker, {})[link] = Reached(maker, amount, hop, heir, taint, transaction)
                self._push(maker)
        if sources is not None:
            self._walk.steps.append(step)
        self._end_outside(transaction, hop, outside, [place for place in seed_inputs if links[place] is None], values)

    def _sources(self, transaction: int, values: Sequence[int | None], followed: dict[int, Reached]) -> Sources | None:
        """What the method says; None where it needs an amount that nobody gives, which ends the outputs here."""
        store = self._store
        wanted = [followed[output].taint if output in followed else CLEAN for output in store.output_range(transaction)]
        try:
            sources = self._method.trace_back(values, wanted, store.values(transaction))
        except UnknownInput as unknown:
            missing = input_at(store, transaction, unknown.place)
            reason = (
                f"paid by {store.txid(transaction)}, whose input {unknown.place} spends {missing.txid}:{missing.index}; "
                f"without that amount {self._method.name} cannot tell the inputs apart"
            )
            for output, reached in followed.items():
                self._end(EndKind.UNKNOWN, output, reached, reason)
            return None
        if sources.unplaced:
            output, reached = next(iter(followed.items()))
            reason = f"the inputs of {store.txid(transaction)} are said to be worth less than its outputs"
            self._walk.endings.append(
                Ending(EndKind.UNKNOWN, output, transaction, sources.unplaced, reason, left=reached.left)
            )
        return sources

    def _end_outside(
        self,
        transaction: int,
        hop: int,
        asked: dict[int, tuple[int, int | None]],
        seeds: Sequence[int],
        values: Sequence[int | None],
    ) -> None:
        """Inputs whose transaction is not here: a service where the source gives a tagged script, else a gap."""
        wanted = {place: (amount, hop, heir) for place, (amount, heir) in asked.items()}
        for place in sorted(seeds):
            value = value_of_seed(self._store, transaction, place, values[place])
            self._walk.begin(transaction, value, asked[place][0] if place in asked else 0)
            if value:
                wanted[place] = (value, 0, None)
        for place, entry in self._inputs(transaction, wanted):
            amount, hops, heir = wanted[place]
            outside = Outside(entry.txid, entry.index, entry.holder, entry.value, hops, heir)
            named = NOTHING_KNOWN if entry.holder is None or place in seeds else self._holders.label(entry.holder)
            if named.service is not None:
                kind, reason, txid, claim = EndKind.SERVICE, named.category or "", "", None
            else:
                kind, txid = EndKind.GAP, entry.txid
                claim = self._claims.get(f"{self._store.txid(transaction)}:in:{place}")
                reason = "made by a transaction that is not in this data"
                if entry.value is None:
                    reason += "; what it brought in all is not known"
            self._walk.endings.append(
                Ending(kind, None, transaction, amount, reason, txid, claim, left=transaction, outside=outside)
            )

    def _inputs(self, transaction: int, places: Collection[int]) -> Iterator[tuple[int, Input]]:
        if places:
            for place, entry in enumerate(islice(self._store.inputs(transaction), max(places) + 1)):
                if place in places:
                    yield place, entry
