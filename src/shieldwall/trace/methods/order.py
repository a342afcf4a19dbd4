"""Satoshi laid in order over satoshi: what FIFO, LIFO and their ways back have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shieldwall.trace.methods.interface import CLEAN, Interval, Split, Taint, UnknownInput


def pay_in_order(values: Sequence[int | None], taints: Sequence[Taint], takers: Sequence[int]) -> Split:
    """Payers in order pay takers in order, satoshi by satoshi; what is left at the end is the `fee`.

    Args:
        values: Satoshi of each payer; None where not known, which only matters before and among the tainted ones.
        taints: What of each payer is tainted.
        takers: Satoshi of each taker.

    Raises:
        UnknownInput: A tainted payer stands behind one of unknown value.
    """
    runs = list(_runs(values, taints))
    divided: list[Taint] = []
    origins: list[int | None] = []
    first, next_run = 0, 0
    for value in takers:
        last = first + value
        parts: list[Interval] = []
        brought: dict[int, int] = {}
        while next_run < len(runs) and runs[next_run][1] <= first:
            next_run += 1
        at = next_run
        while at < len(runs) and runs[at][0] < last:
            begin, end, place = runs[at]
            begin, end = max(begin, first), min(end, last)
            if begin < end:  # not for a taker of nothing amid a run
                parts.append((begin - first, end - first))
                brought[place] = brought.get(place, 0) + end - begin
            at += 1
        divided.append(_joined(parts))
        origins.append(max(brought, key=lambda place: (brought[place], -place), default=None))
        first = last
    fee = sum(end - max(begin, first) for begin, end, _ in runs if end > first)
    return Split(tuple(divided), fee, tuple(origins))


def capacities(values: Sequence[int | None], wanted: Sequence[Taint], outputs: Sequence[int]) -> list[int]:
    """What each input can have brought of the wanted money, where inputs in order pay outputs in order.

    An input of unknown value that is the last brought all that the others did not; one before others leaves open what
    came from those behind it.

    Raises:
        UnknownInput: Wanted money stands behind such an input.
    """
    begin = end = 0
    for taint, output in zip(wanted, outputs, strict=True):
        if taint:
            end = begin + taint[-1][1]
        begin += output
    found: list[int] = []
    reached = 0
    for place, value in enumerate(values):
        if value is None:
            if reached < end and place < len(values) - 1:
                raise UnknownInput(place)
            found.append(max(0, begin - reached))
            break
        found.append(value)
        reached += value
    return found + [0] * (len(values) - len(found))


def mirrored(taint: Taint, value: int) -> Taint:
    """The same satoshi counted from the other end of `value`.

    Example:
        >>> mirrored(((0, 2), (5, 6)), 10)
        ((4, 5), (8, 10))
    """
    return tuple((value - last, value - first) for first, last in reversed(taint))


def _runs(values: Sequence[int | None], taints: Sequence[Taint]) -> Iterator[tuple[int, int, int]]:
    """Tainted runs of the payers' money: first, one past the last, and the payer."""
    last_tainted = max((place for place, taint in enumerate(taints) if taint), default=-1)
    begin = 0
    for place in range(last_tainted + 1):
        value = values[place]
        if value is None:
            raise UnknownInput(place)
        for first, last in taints[place]:
            yield begin + first, begin + last, place
        begin += value


def _joined(parts: Sequence[Interval]) -> Taint:
    if not parts:
        return CLEAN
    joined = [parts[0]]
    for first, last in parts[1:]:
        if first == joined[-1][1]:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return tuple(joined)
