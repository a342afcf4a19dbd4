"""CoinJoins by their published rules, one requirement at a time: the plain twin, and what a verdict is told from.

A requirement holds (True), does not (False), or cannot be told (None) where who paid an input, or how much it brought, is
not known. A kind holds when all its requirements do; what cannot be told does not hold. Payments are the outputs that
are no data (OP_RETURN); the generic rule alone counts data as well, as BlockSci does. Where several kinds hold, the first
of `PRECEDENCE` is said. Wasabi stands there twice: see `kind_of`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from shieldwall.kernels import coinjoin_rules as rules
from shieldwall.kernels.arrays import (
    GENERIC,
    JOINMARKET,
    NO_COINJOIN,
    NONE32,
    NONE64,
    WABISABI,
    WASABI_1_0,
    WASABI_1_1,
    WHIRLPOOL,
    WHIRLPOOL_TX0,
    Bytes,
    Counts32,
    Graph,
    Offsets,
)

PRECEDENCE = (WHIRLPOOL, WHIRLPOOL_TX0, WASABI_1_0, WASABI_1_1, WABISABI, JOINMARKET, GENERIC)
VETOED_BY_SERVICE = (WASABI_1_0, WASABI_1_1, JOINMARKET)
"""Kinds that a service's batch of payments resembles: an input of a service vetoes them (GSL, `calculate_heuristics`)."""

Check = tuple[str, bool | None]


@dataclass(frozen=True)
class Shape:
    """What the rules look at in a transaction.

    Attributes:
        payers: Holder of each input; None where it is not known.
        brought: Satoshi of each input; None where it is not known.
        values: Satoshi of each output, data outputs too.
        data: For each output, whether it is data.
        holders: Holder of each output.
        service: True when a payer is a known service.
    """

    payers: tuple[int | None, ...]
    brought: tuple[int | None, ...]
    values: tuple[int, ...]
    data: tuple[bool, ...]
    holders: tuple[int, ...]
    service: bool = False
    payments: tuple[int, ...] = field(init=False)
    paid: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Satoshi (`payments`) and holders (`paid`) of the outputs that are no data."""
        pays = [place for place, data in enumerate(self.data) if not data]
        object.__setattr__(self, "payments", tuple(self.values[place] for place in pays))
        object.__setattr__(self, "paid", tuple(self.holders[place] for place in pays))

    @property
    def known_payers(self) -> int:
        """Different holders among the inputs, of those that are known."""
        return len(set(self.payers) - {None})

    @property
    def most_payers(self) -> int:
        """As many as there can be: every unknown one another."""
        return self.known_payers + self.payers.count(None)

    @property
    def distinct_paid(self) -> bool:
        """True when no two payments go to one holder."""
        return len(set(self.paid)) == len(self.paid)

    @property
    def top_payer(self) -> int:
        """Inputs of the known holder that brings most of them."""
        return max(Counter(payer for payer in self.payers if payer is not None).values(), default=0)


def mode(values: Iterable[int]) -> tuple[int, int]:
    """The value that comes most often, and how often; of equals the lowest, so that the order of outputs says nothing.

    BlockSci takes the first that its hash table yields, GraphSense's port of it the lowest, as here.
    """
    counts = Counter(values)
    return min(counts.items(), key=lambda item: (-item[1], item[0]), default=(0, 0))


def _at_least(shape: Shape, number: int) -> bool | None:
    """Whether at least so many different holders pay."""
    return True if shape.known_payers >= number else False if shape.most_payers < number else None


def _at_most(shape: Shape, number: int) -> bool | None:
    """Whether at most so many different holders pay."""
    return True if shape.most_payers <= number else False if shape.known_payers > number else None


def _spread(shape: Shape) -> bool | None:
    """Whether no holder brings more than a tenth of the inputs."""
    if rules.SHARE_PARTS * shape.top_payer > len(shape.payers):
        return False
    unknown = shape.payers.count(None)
    sure = rules.SHARE_PARTS * (shape.top_payer + unknown) <= len(shape.payers)
    return True if sure or unknown == 0 else None


def generic(shape: Shape) -> Iterator[Check]:
    """BlockSci, `isCoinjoin`: half of all outputs have one value, and as many holders pay."""
    half = (len(shape.values) + 1) // 2
    value, times = mode(shape.values)
    yield "two_inputs", len(shape.payers) >= 2
    yield "three_outputs", len(shape.values) >= 3
    yield "half_equal", times == half
    yield "inputs_for_half", half <= len(shape.payers)
    yield "payers_for_half", _at_least(shape, half)
    yield "equal_value_no_dust", value not in rules.GENERIC_DUST


def whirlpool(shape: Shape) -> Iterator[Check]:
    """GSL, `_whirlpool_coinjoin_heuristic`: five to eight in, as many out of a pool's amount."""
    inputs, pool = len(shape.payers), min(shape.payments, default=0)
    known = [value for value in shape.brought if value is not None]
    entrants = sum(value != pool for value in known)
    unknown = inputs - len(known)
    yield "mix_size", rules.MIX_LEAST <= inputs <= rules.MIX_MOST
    yield "as_many_payments", len(shape.payments) == inputs
    yield "pool_amounts", pool in rules.POOLS and set(shape.payments) == {pool}
    yield "distinct_payers", _at_least(shape, inputs)
    yield "distinct_paid", shape.distinct_paid
    fitting = all(value == pool or rules.EXTRA_LEAST <= value - pool <= rules.EXTRA_MOST for value in known)
    yield "inputs_fit_pool", None if fitting and unknown else fitting
    few = entrants <= rules.ENTRANTS_MOST and entrants + unknown >= 1
    yield "one_to_four_entrants", None if few and unknown else few


def premix(shape: Shape) -> tuple[int, int, int, int]:
    """The pool that fits a tx0 best: its place, the prepared value, how many, and how many fees; place -1 for none.

    Of prepared values that come equally often the highest, as GSL has it.
    """
    found = (-1, 0, 0, 0)
    for place, (pool, fee) in enumerate(zip(rules.POOLS, rules.POOL_FEES, strict=True)):
        fits = [value for value in shape.payments if rules.EXTRA_LEAST <= value - pool <= rules.EXTRA_MOST]
        if not fits:
            continue
        value, times = max(Counter(fits).items(), key=lambda item: (item[1], item[0]))
        fees = sum(fee <= 2 * payment and payment <= 3 * fee for payment in shape.payments)
        found = (place, value, times, fees)
        if times <= rules.PREMIX_MOST and times >= len(shape.payments) - rules.OTHERS_MOST and fees == 1:
            break
    return found


def whirlpool_tx0(shape: Shape) -> Iterator[Check]:
    """GSL, `_whirlpool_tx0_heuristic`: one data output, equal coins for one pool, one fee for the coordinator."""
    place, _, times, fees = premix(shape)
    yield "one_input", len(shape.payers) >= 1
    yield "one_data_output", sum(shape.data) == 1
    yield "two_payments", len(shape.payments) >= 2
    yield "prepared_coins", place >= 0 and times <= rules.PREMIX_MOST
    yield "little_else", times >= len(shape.payments) - rules.OTHERS_MOST
    yield "one_pool_fee", fees == 1


def level(value: int) -> int:
    """The level of Wasabi 1.1 whose amount, 2^level times 0.1 BTC, is within 5 % of `value`; -1 for none."""
    for number in range(rules.LEVELS):
        if abs(value - (rules.BASE << number)) <= rules.BASE_SLACK << number:
            return number
    return -1


def levels(shape: Shape) -> dict[int, int]:
    """Levels that two payments or more have, and how many."""
    counts = Counter(map(level, shape.payments))
    return {number: times for number, times in sorted(counts.items()) if number >= 0 and times >= 2}


def base(shape: Shape) -> tuple[int, int]:
    """The value within 5 % of 0.1 BTC that comes most often, and how often."""
    return mode(value for value in shape.payments if level(value) == 0)


def _wasabi_1(shape: Shape, people: int) -> Iterator[Check]:
    yield "ten_inputs", len(shape.payers) >= rules.WASABI_1_INPUTS
    yield "payers_spread", _spread(shape)
    yield "three_people", people >= rules.WASABI_1_PEOPLE
    yield "payers_for_people", _at_least(shape, people)
    yield "few_coins_each", _at_most(shape, rules.COINS_EACH_MOST * people)
    yield "distinct_paid", shape.distinct_paid
    yield "no_even_split", len(shape.payers) >= rules.SMALL_ROUND or not _is_even_split(shape)


def _is_even_split(shape: Shape) -> bool:
    """A small round's payments in all are a multiple of the most frequent one, to one part in 10,000."""
    value, total = mode(shape.payments)[0], sum(shape.payments)
    if not value:
        return False
    parts = (2 * total + value) // (2 * value)
    return parts > 0 and rules.SPLIT_PARTS * abs(total - parts * value) <= total


def wasabi_1_0(shape: Shape) -> Iterator[Check]:
    """GSL, `_wasabi_10_heuristic`: equal outputs near 0.1 BTC, at least half of all but the coordinator's."""
    value, people = base(shape)
    yield "base_value", value > 0
    yield "half_base", 2 * people >= len(shape.payments) - 1
    yield from _wasabi_1(shape, people)


def is_majority(shape: Shape) -> bool:
    """True when at least half of the payments, but the coordinator's, are at a level of Wasabi 1.1."""
    return 2 * sum(levels(shape).values()) >= len(shape.payments) - 1


def wasabi_1_1(shape: Shape) -> Iterator[Check]:
    """GSL, `_wasabi_11_heuristic` (Schnoering and Vazirgiannis, equation 22), with a level above the first."""
    found = levels(shape)
    at_levels = sum(found.values())
    yield "level_above", any(found)
    enough = True if is_majority(shape) else _at_least(shape, len(shape.payments) - 1 - at_levels)
    yield "enough_at_levels", enough
    yield from _wasabi_1(shape, max(found.values(), default=0))


def wabisabi(shape: Shape) -> Iterator[Check]:
    """GSL, `_wasabi_20_heuristic`: a large round with several values that repeat."""
    counts = Counter(shape.payments)
    repeats = [times for times in counts.values() if times >= 2]
    yield "twenty_inputs", len(shape.payers) >= rules.WABISABI_INPUTS
    yield "payers_spread", _spread(shape)
    yield "no_small_payment", min(shape.payments, default=0) >= rules.WABISABI_LEAST
    yield "distinct_paid", shape.distinct_paid
    yield "three_repeated_values", len(repeats) >= rules.WABISABI_AMOUNTS
    yield "half_repeated", 2 * sum(repeats) >= len(shape.payments) - 1
    yield "one_not_repeated", sum(repeats) < len(shape.payments)


def denomination(shape: Shape) -> tuple[int, int]:
    """The value of JoinMarket's equal payments, dust left out, and how many there are."""
    return mode(value for value in shape.payments if value > rules.JOINMARKET_DUST)


def joinmarket(shape: Shape) -> Iterator[Check]:
    """GSL, `_joinmarket_heuristic`: at least half of the payments are equal, and at least as many holders pay."""
    _, people = denomination(shape)
    yield "three_equal", people >= rules.JOINMARKET_PEOPLE
    yield from joinmarket_shape(shape)


def joinmarket_shape(shape: Shape) -> Iterator[Check]:
    """The rule of `joinmarket` for two participants or more, as GSL first had it."""
    value, people = denomination(shape)
    inputs, payments = len(shape.payers), len(shape.payments)
    yield "two_equal", people >= 2
    yield "half_equal_payments", 2 * people >= payments
    yield "payers_for_people", _at_least(shape, people)
    yield "distinct_paid", shape.distinct_paid
    yield "one_change", any(payment != value for payment in shape.payments)
    small = inputs < rules.LARGE_ROUND
    yield "few_coins_in_large_round", small or inputs <= rules.COINS_MOST * people
    yield "payments_in_large_round", small or 10 * payments >= rules.PAYMENTS_LEAST_TENTHS * people


def is_stonewall(shape: Shape) -> bool:
    """GSL, `_is_stonewall`: three or four payments, of which exactly two are equal; one wallet's decoy."""
    twice = [value for value, times in Counter(shape.payments).items() if times == 2]
    return (
        len(shape.payers) >= 2
        and len(shape.payments) in rules.STONEWALL_PAYMENTS
        and shape.distinct_paid
        and len(twice) == 1
        and twice[0] >= rules.STONEWALL_LEAST
    )


RULES: dict[int, Callable[[Shape], Iterator[Check]]] = {
    GENERIC: generic,
    WHIRLPOOL: whirlpool,
    WHIRLPOOL_TX0: whirlpool_tx0,
    WASABI_1_0: wasabi_1_0,
    WASABI_1_1: wasabi_1_1,
    WABISABI: wabisabi,
    JOINMARKET: joinmarket,
}


def holds(shape: Shape, kind: int) -> bool | None:
    """Whether a kind's rule holds, vetoes left aside; None when that cannot be told."""
    answer: bool | None = True
    for _, check in RULES[kind](shape):
        if check is False:
            return False
        answer = answer and check
    return answer


def kind_of(shape: Shape, barred: Collection[int] = ()) -> int:
    """The kind of a transaction: the first of `PRECEDENCE` that holds, is not vetoed and not `barred`.

    Of Wasabi 1.0 and 1.1, 1.1 is said where a level above the first holds one value twice: a round has one exact amount for
    each level, while two changes may fall within 5 % of one. A transaction that is 1.1 only since its payers are many
    (`is_majority` is False) is WabiSabi where that rule holds too, since it has one standard amount near 0.1 BTC.
    """
    if not shape.payers or len(shape.values) < 3:
        return NO_COINJOIN
    for kind in order_for(shape):
        if kind not in barred and holds(shape, kind) and not (shape.service and kind in VETOED_BY_SERVICE):
            return kind
    return NO_COINJOIN


def order_for(shape: Shape) -> tuple[int, ...]:
    """`PRECEDENCE` for this transaction: the three rules of Wasabi in the order that `kind_of` tells."""
    above = Counter(value for value in shape.payments if level(value) > 0)
    wasabi = [WASABI_1_1, WASABI_1_0] if any(times >= 2 for times in above.values()) else [WASABI_1_0, WASABI_1_1]
    wasabi.append(WABISABI)
    if not is_majority(shape):
        wasabi.remove(WASABI_1_1)
        wasabi.append(WASABI_1_1)
    return (WHIRLPOOL, WHIRLPOOL_TX0, *wasabi, JOINMARKET, GENERIC)


def shape_of(graph: Graph, holder_kinds: Bytes, transaction: int, services: Counts32) -> Shape:
    """The shape of a transaction of a graph.

    Args:
        graph: The chain.
        holder_kinds: uint8[h], the store's `holder_kind`.
        transaction: Its number.
        services: uint32[k], ascending: holders that are known services.
    """
    first_in, last_in = _rows(graph.first_input, graph.first_input_carries, transaction, len(graph.link))
    first, last = _rows(graph.first_output, graph.first_output_carries, transaction, len(graph.value))
    payers = [None if payer == NONE32 else payer for payer in graph.payer[first_in:last_in].tolist()]
    holders = graph.holder[first:last].tolist()
    known = np.array([payer for payer in payers if payer is not None], np.uint32)
    return Shape(
        tuple(payers),
        tuple(_brought(graph, number) for number in range(first_in, last_in)),
        tuple(graph.value[first:last].tolist()),
        tuple(int(holder_kinds[holder]) == rules.DATA_KIND for holder in holders),
        tuple(holders),
        _any_of(known, services),
    )


def coinjoin_kinds(
    graph: Graph, holder_kinds: Bytes, first: int, last: int, services: Counts32, starts: Offsets | None = None
) -> npt.NDArray[np.uint8]:
    """The kind of each transaction from `first` up to `last`.

    Args:
        graph: The chain.
        holder_kinds: uint8[h], the store's `holder_kind`.
        first: First transaction.
        last: One past the last.
        services: uint32[k], ascending: holders that are known services, which veto the kinds of `VETOED_BY_SERVICE`; may
            be empty.
        starts: int64[8], for each code the first transaction that may be of that kind: a program makes none before it
            exists. None where all may be of all.

    Returns:
        uint8[last - first], the codes of `shieldwall.kernels.arrays`.
    """
    kinds = np.zeros(last - first, np.uint8)
    for transaction in range(first, last):
        start, end = _rows(graph.first_output, graph.first_output_carries, transaction, len(graph.value))
        if end - start >= 3:
            shape = shape_of(graph, holder_kinds, transaction, services)
            kinds[transaction - first] = kind_of(shape, barred(starts, transaction))
    return kinds


def barred(starts: Offsets | None, transaction: int) -> tuple[int, ...]:
    """The kinds that a transaction cannot be of, by `starts` of `coinjoin_kinds`."""
    return () if starts is None else tuple(np.flatnonzero(starts > transaction).tolist())


def _any_of(numbers: Counts32, sorted_numbers: Counts32) -> bool:
    places = np.searchsorted(sorted_numbers, numbers)
    inside = places < len(sorted_numbers)
    return bool((sorted_numbers[places[inside]] == numbers[inside]).any())


def _rows(low: Counts32, carries: npt.NDArray[np.int64], row: int, total: int) -> tuple[int, int]:
    first = _ascending(low, carries, row)
    return first, _ascending(low, carries, row + 1) if row + 1 < len(low) else total


def _ascending(low: Counts32, carries: npt.NDArray[np.int64], row: int) -> int:
    return int(low[row]) + (int(np.searchsorted(carries, row, "right")) << 32)


def _brought(graph: Graph, number: int) -> int | None:
    link = int(graph.link[number]) | int(graph.link_high[number]) << 32
    if link != (1 << 40) - 1:
        return int(graph.value[link])
    place = int(np.searchsorted(graph.outside, np.uint64(number)))
    value = int(graph.outside_value[place])
    return None if value == NONE64 else value
