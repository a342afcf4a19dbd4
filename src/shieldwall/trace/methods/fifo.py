"""FIFO: first in, first out."""

from __future__ import annotations

from collections.abc import Sequence

from shieldwall.trace.methods.interface import Method, Sources, Split, Taint
from shieldwall.trace.methods.order import capacities, pay_in_order


class Fifo(Method):
    """Inputs in order pay outputs in index order, satoshi by satoshi; what is left at the end is the fee.

    Source: Anderson, Shumailov, Ahmed, "Making Bitcoin Legal" (2018), after Clayton's case (1816); the fee last, as that
    paper has it within a transaction. Each satoshi of an output is one satoshi of an input, so the way back is the same
    rule read from the outputs.
    """

    name = "fifo"
    conserved = True
    rule = "inputs in order pay outputs in index order, satoshi by satoshi; the fee is what is left at the end"
    backward_rule = (
        "each satoshi of an output is the one at the same place among the inputs in order, the fee at the end"
    )
    source = "Anderson, Shumailov, Ahmed 2018, after Clayton's case (1816)"

    def split(self, values: Sequence[int | None], taints: Sequence[Taint], outputs: Sequence[int]) -> Split:
        """Divide; only values of inputs before and among the tainted ones are needed."""
        return pay_in_order(values, taints, outputs)

    def trace_back(self, values: Sequence[int | None], wanted: Sequence[Taint], outputs: Sequence[int]) -> Sources:
        """Trace back; only values of inputs up to the last wanted satoshi are needed, and never that of the last input."""
        back = pay_in_order(outputs, wanted, capacities(values, wanted, outputs))
        return Sources(back.outputs, back.fee, back.origins)
