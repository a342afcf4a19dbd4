"""What a compiled walk touched, in arrays that read like a `Walk`: objects are made only of what someone looks at.

The kernel leaves codes; here they become ends in words, and what it cannot know is asked: what a source states of a
spend, and what is published of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from shieldwall.chain.mapping import place_of, places_of
from shieldwall.chain.store import ChainStore, SpendState
from shieldwall.kernels import walks
from shieldwall.kernels.walks import Question, State
from shieldwall.trace.holders import Holders
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods.interface import CLEAN
from shieldwall.trace.record import Ending, EndKind, Reached, Step
from shieldwall.trace.unseen import NOT_HERE, Unseen, undivided

Whole = npt.NDArray[np.int64]
KINDS = tuple(EndKind)
_CODE = {kind: code for code, kind in enumerate(KINDS)}
_MINER_REASON, _BURNT_REASON = "fee", "provably unspendable"
_OF_CODE = {
    walks.MINER: EndKind.FEE,
    walks.BURNT: EndKind.FEE,
    walks.SERVICE: EndKind.SERVICE,
    walks.OPEN: EndKind.HELD,
    walks.BEYOND: EndKind.LIMIT,
    walks.STUCK: EndKind.GAP,
}
_HALF, _LOW = 32, 0xFFFFFFFF


def exact_sum(amounts: Whole) -> int:
    """The sum of non-negative amounts, also where 64 bits do not hold it (poison counts money again at every hop)."""
    return (int((amounts >> _HALF).sum()) << _HALF) + int((amounts & _LOW).sum())


class Touched:
    """What a walk found (see `record.Walk`), from the arrays of the kernel.

    Args:
        store: The chain that was walked.
        question: What the kernel was asked.
        state: What it found.
        method: Name of the method.
        limits: Limits in words.
        holders: What the tags say, for the reasons of services.
        unseen: Published hops; is asked for what the store does not show.

    Attributes:
        backward: False.
        output: int64[n], ascending: the outputs that money came to.
        rows: int64[n, 9], what is known of each (columns in `kernels.walks`).
        kind: uint8[e], place in `KINDS` of each end.
        ends: int64[e, 6], the ends as the kernel left them.
        said: Place of an end -> the end in words, of those that take more than the arrays to tell.
    """

    backward = False

    def __init__(
        self,
        store: ChainStore,
        question: Question,
        state: State,
        method: str,
        limits: Limits,
        holders: Holders,
        unseen: Unseen,
    ) -> None:
        counts = state.counts
        self._store, self._state, self._method, self._limits, self._holders = store, state, method, limits, holders
        self._question = question
        self.seed_amount = int(counts[walks.SEED])
        self.returned_amount = int(counts[walks.RETURNED])
        begun = state.begun[: counts[walks.BEGUN]].tolist()
        self.seeds = [(transaction, amount) for transaction, amount in begun]
        self.rows = state.rows[: counts[walks.ROWS]]
        self.output: Whole = np.ascontiguousarray(self.rows[:, walks.OUTPUT])
        self.ends = state.endings[: counts[walks.ENDED]]
        of_code = np.array([_CODE[_OF_CODE[code]] for code in sorted(_OF_CODE)], np.uint8)
        self.kind: npt.NDArray[np.uint8] = of_code[self.ends[:, walks.END_KIND]]
        self.said: dict[int, Ending] = {}
        self._ask(unseen)
        self.notes: Sequence[str] = sorted(unseen.notes)

    def _ask(self, unseen: Unseen) -> None:
        """Tell held from unknown, and ask what is stated and published where nothing in the store spends an output."""
        store, ends = self._store, self.ends
        for output in unseen.claims:
            if output in self.reached:
                unseen.compare(output, store.spend(output))
        places = np.flatnonzero(ends[:, walks.END_KIND] == walks.OPEN)
        outputs = ends[places, walks.END_OUTPUT]
        early = ends[places, walks.END_TRANSACTION] < store.followed_from_tx
        special = np.isin(outputs, np.fromiter(unseen.claims, np.int64, len(unseen.claims))) | self._stated(outputs)
        self.kind[places[early & ~special]] = _CODE[EndKind.UNKNOWN]
        for place in places[special].tolist():
            output, transaction, amount = self._end_of(place)
            spend = store.spend(output)
            if spend.state == SpendState.UNSPENT:
                continue
            said = self.said[place] = unseen.end(output, transaction, amount, spend)
            self.kind[place] = _CODE[said.kind]
        stuck: dict[tuple[int, int], tuple[str, str]] = {}
        for place in np.flatnonzero(ends[:, walks.END_KIND] == walks.STUCK).tolist():
            spender, missing = int(ends[place, walks.END_TRANSACTION]), int(ends[place, walks.END_DETAIL])
            if (spender, missing) not in stuck:
                stuck[spender, missing] = undivided(store, spender, missing, self._method)
            reason, txid = stuck[spender, missing]
            output = int(ends[place, walks.END_OUTPUT])
            maker = spender if output < 0 else store.transaction_of(output)
            amount = int(ends[place, walks.END_AMOUNT])
            self.said[place] = Ending(EndKind.GAP, None if output < 0 else output, maker, amount, reason, txid)

    def _end_of(self, place: int) -> tuple[int, int, int]:
        end = self.ends[place]
        return int(end[walks.END_OUTPUT]), int(end[walks.END_TRANSACTION]), int(end[walks.END_AMOUNT])

    # sums, without objects

    @property
    def passed(self) -> int:
        """How many transactions the money went through."""
        return int(self._state.counts[walks.STEPS])

    @cached_property
    def sums(self) -> Mapping[EndKind, int]:
        """Satoshi by kind of end."""
        amounts = self.ends[:, walks.END_AMOUNT]
        return {kind: exact_sum(amounts[self.kind == code]) for code, kind in enumerate(KINDS)}

    @property
    def unspendable(self) -> int:
        """Satoshi in outputs that nobody can ever spend."""
        return exact_sum(self.ends[self.ends[:, walks.END_KIND] == walks.BURNT, walks.END_AMOUNT])

    def hops(self, places: npt.NDArray[np.int64]) -> Whole:
        """int64[k]: spends from a seed to each of these ends; of a fee, with that of its transaction."""
        ends = self.ends[places]
        found = np.zeros(len(places), np.int64)
        reached = ends[:, walks.END_ROW] >= 0
        found[reached] = self.rows[ends[reached, walks.END_ROW], walks.HOP]
        miners = ends[:, walks.END_KIND] == walks.MINER
        if miners.any():
            steps = self._state.steps[: self.passed]
            at = np.searchsorted(steps[:, walks.STEP_TRANSACTION], ends[miners, walks.END_TRANSACTION])
            found[miners] = steps[at, walks.STEP_HOP]
        return found

    def makers(self, places: npt.NDArray[np.int64]) -> Whole:
        """int64[k]: the transaction that made each of these ends, or paid the fee."""
        found: Whole = self.ends[places, walks.END_TRANSACTION]
        for at in np.flatnonzero(self.ends[places, walks.END_KIND] == walks.STUCK).tolist():
            found[at] = self.said[int(places[at])].transaction
        return found

    def standing(self, places: npt.NDArray[np.int64]) -> tuple[bool, int | None]:
        """Whether all of these outputs are unspent, and the least height as of which a source says what became of one."""
        outputs = self.ends[places, walks.END_OUTPUT]
        spender = self._store.column("output_spender")[outputs]
        here = (spender < self._store.rows("tx")) | (spender == walks.UNSPENDABLE)
        stated = ~here & self._stated(outputs)
        still = bool((~here & (stated | (self.makers(places) >= self._store.followed_from_tx))).all())
        spends = [self._store.spend(output) for output in outputs[stated].tolist()]
        still = still and all(spend.state == SpendState.UNSPENT for spend in spends)
        return still, min((spend.as_of for spend in spends if spend.as_of is not None), default=None)

    def _stated(self, outputs: Whole) -> npt.NDArray[np.bool_]:
        """bool[k]: of which outputs a source says what became of them."""
        stated = self._store.column("stated_output")
        if not len(stated):
            return np.zeros(len(outputs), np.bool_)
        at = places_of(stated, outputs).clip(max=len(stated) - 1)
        found: npt.NDArray[np.bool_] = np.asarray(stated[at]).astype(np.int64) == outputs
        return found

    # objects, when someone looks

    def ending(self, place: int) -> Ending:
        """One end in words."""
        if place in self.said:
            return self.said[place]
        code, detail = int(self.ends[place, walks.END_KIND]), int(self.ends[place, walks.END_DETAIL])
        output, transaction, amount = self._end_of(place)
        kind = KINDS[self.kind[place]]
        if code == walks.MINER:
            return Ending(kind, None, transaction, amount, _MINER_REASON)
        reason = ""
        if code == walks.BURNT:
            reason = _BURNT_REASON
        elif code == walks.SERVICE:
            reason = self._holders.label(int(self._store.column("output_holder")[output])).category or ""
        elif code == walks.BEYOND:
            reason = self._limits.reason(detail)
        elif kind == EndKind.UNKNOWN:
            reason = NOT_HERE
        return Ending(kind, output, transaction, amount, reason)

    @cached_property
    def endings(self) -> list[Ending]:
        """Where the money went, in the order in which it was met."""
        return [self.ending(place) for place in range(len(self.ends))]

    @cached_property
    def steps(self) -> list[Step]:
        """The transactions passed, in chain order."""
        counts = self._state.counts
        taken = self._state.taken[: counts[walks.TAKEN]].tolist()
        rows = self.rows[:, [walks.OUTPUT, walks.CAME]].tolist()
        steps = []
        for transaction, hop, fee, first, size, row, count in self._state.steps[: counts[walks.STEPS]].tolist():
            step = Step(transaction, hop, fee=fee)
            step.inputs = [
                (place, None if output < 0 else output, amount) for place, output, amount in taken[first : first + size]
            ]
            step.outputs = [(output, came) for output, came in rows[row : row + count] if came]
            steps.append(step)
        return steps

    @cached_property
    def reached(self) -> Mapping[int, Reached]:
        """Every output that money came to; what of it is tainted, satoshi by satoshi, is not kept."""
        return _Reached(self.output, self.rows)


class _Reached(Mapping[int, Reached]):
    """Rows of the kernel by output, each made an object when it is asked for."""

    def __init__(self, outputs: Whole, rows: Whole) -> None:
        self._outputs = outputs
        self._rows = rows

    def __len__(self) -> int:
        return len(self._outputs)

    def __iter__(self) -> Iterator[int]:
        return iter(self._outputs.tolist())

    def __contains__(self, output: object) -> bool:
        return isinstance(output, int) and self._place(output) >= 0

    def __getitem__(self, output: int) -> Reached:
        place = self._place(output)
        if place < 0:
            raise KeyError(output)
        _, transaction, amount, _, hop, origin, *_ = self._rows[place].tolist()
        return Reached(transaction, amount, hop, None if origin < 0 else origin, CLEAN)

    def _place(self, output: int) -> int:
        place = place_of(self._outputs, output)
        return place if place < len(self._outputs) and int(self._outputs[place]) == output else -1
