"""FIFO: first in, first out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shieldwall.trace.methods.interface import CLEAN, Interval, Method, Split, Taint, UnknownInput


class Fifo(Method):
    """Inputs in order pay outputs in index order, satoshi by satoshi; what is left at the end is the fee.

    Source: Anderson, Shumailov, Ahmed, "Making Bitcoin Legal" (2018), after Clayton's case (1816); the fee last, as that
    paper has it within a transaction.
    """

    name = "fifo"
    conserved = True
    rule = "inputs in order pay outputs in index order, satoshi by satoshi; the fee is what is left at the end"
    source = "Anderson, Shumailov, Ahmed 2018, after Clayton's case (1816)"

    def split(self, values: Sequence[int | None], taints: Sequence[Taint], outputs: Sequence[int]) -> Split:
        """Divide; only values of inputs before and among the tainted ones are needed."""
        runs = list(_runs(values, taints))
        divided: list[Taint] = []
        origins: list[int | None] = []
        first, next_run = 0, 0
        for value in outputs:
            last = first + value
            parts: list[Interval] = []
            brought: dict[int, int] = {}
            while next_run < len(runs) and runs[next_run][1] <= first:
                next_run += 1
            at = next_run
            while at < len(runs) and runs[at][0] < last:
                begin, end, place = runs[at]
                begin, end = max(begin, first), min(end, last)
                if begin < end:  # not for an output of nothing amid a run
                    parts.append((begin - first, end - first))
                    brought[place] = brought.get(place, 0) + end - begin
                at += 1
            divided.append(_joined(parts))
            origins.append(max(brought, key=lambda place: (brought[place], -place), default=None))
            first = last
        fee = sum(end - max(begin, first) for begin, end, _ in runs if end > first)
        return Split(tuple(divided), fee, tuple(origins))


def _runs(values: Sequence[int | None], taints: Sequence[Taint]) -> Iterator[tuple[int, int, int]]:
    """Tainted runs of the transaction's money: first, one past the last, and the input that brought it."""
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
