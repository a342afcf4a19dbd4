"""Poison: one tainted satoshi in marks everything out."""

from __future__ import annotations

from collections.abc import Sequence

from shieldwall.trace.methods.interface import CLEAN, Method, Sources, Split, Taint, amount_of, heaviest


class Poison(Method):
    """Any tainted input marks every output whole.

    Source: Möser, Böhme, Breuker, "Towards Risk Scoring of Bitcoin Transactions" (2014), section 3, policy Poison.
    It marks, it does not measure: amounts are values of marked outputs, their sum grows with every hop, and nothing is
    conserved. A transaction's fee is not marked. Backward it marks every input whole: all that can have had a part.
    """

    name = "poison"
    conserved = False
    rule = "any tainted input marks every output whole; amounts are not conserved"
    backward_rule = "any part of an output marks every input whole; amounts are not conserved"
    source = "Möser, Böhme, Breuker 2014, policy Poison"

    def split(self, values: Sequence[int | None], taints: Sequence[Taint], outputs: Sequence[int]) -> Split:
        """Mark every output of more than nothing; `values` are not needed."""
        del values
        origin = heaviest([amount_of(taint) for taint in taints])
        if origin is None:
            return Split((CLEAN,) * len(outputs), 0, (None,) * len(outputs))
        marked = tuple(((0, value),) if value else CLEAN for value in outputs)
        return Split(marked, 0, tuple(origin if taint else None for taint in marked))

    def trace_back(self, values: Sequence[int | None], wanted: Sequence[Taint], outputs: Sequence[int]) -> Sources:
        """Mark every input of more than nothing; one of unknown value is marked by an interval without length."""
        del outputs
        heir = heaviest([amount_of(taint) for taint in wanted])
        if heir is None:
            return Sources((CLEAN,) * len(values), 0, (None,) * len(values))
        marked = tuple(CLEAN if value == 0 else ((0, value or 0),) for value in values)
        return Sources(marked, 0, tuple(heir if taint else None for taint in marked))
