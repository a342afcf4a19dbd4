"""LIFO: last in, first out."""

from __future__ import annotations

from collections.abc import Sequence

from shieldwall.trace.methods.interface import Method, Sources, Split, Taint, UnknownInput
from shieldwall.trace.methods.order import capacities, mirrored, pay_in_order


class Lifo(Method):
    """Inputs from the last to the first, each from its last satoshi, pay outputs in index order; the rest is the fee.

    Source: Tironsakkul, Maarek, Eross, Just, "Probing the Mystery of Cryptocurrency Theft" (2019), policy LIFO, as the
    authors' own library `taintedtx` has it: the inputs reversed, the outputs in order. There each input first bears its
    share of the fee; here the fee is what is left, as with FIFO, so that satoshi stay whole. (The text of the paper was
    not at hand. Another implementation reverses the outputs instead, which differs only in who pays the fee.)
    """

    name = "lifo"
    conserved = True
    rule = "inputs from the last to the first pay outputs in index order, last satoshi first; the fee is what is left"
    backward_rule = (
        "each satoshi of an output is the one at the same place among the inputs from the last satoshi to the first"
    )
    source = "Tironsakkul, Maarek, Eross, Just 2019, policy LIFO"

    def split(self, values: Sequence[int | None], taints: Sequence[Taint], outputs: Sequence[int]) -> Split:
        """Divide; only values of inputs behind and among the tainted ones are needed."""
        last = len(values) - 1
        turned = [_turned(taint, values[place], place) for place, taint in enumerate(taints)]
        try:
            split = pay_in_order(values[::-1], turned[::-1], outputs)
        except UnknownInput as unknown:
            raise UnknownInput(last - unknown.place) from None
        return Split(split.outputs, split.fee, tuple(None if at is None else last - at for at in split.origins))

    def trace_back(self, values: Sequence[int | None], wanted: Sequence[Taint], outputs: Sequence[int]) -> Sources:
        """Trace back; values of inputs from the last to that of the last wanted satoshi are needed, the first's never."""
        try:
            takers = capacities(values[::-1], wanted, outputs)
        except UnknownInput as unknown:
            raise UnknownInput(len(values) - 1 - unknown.place) from None
        back = pay_in_order(outputs, wanted, takers)
        inputs = [mirrored(taint, value) for taint, value in zip(back.outputs, takers, strict=True)]
        return Sources(tuple(inputs[::-1]), back.fee, back.origins[::-1])


def _turned(taint: Taint, value: int | None, place: int) -> Taint:
    if not taint:
        return taint
    if value is None:
        raise UnknownInput(place)
    return mirrored(taint, value)
