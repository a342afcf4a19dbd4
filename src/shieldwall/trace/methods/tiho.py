"""TIHO: taint in, highest out."""

from __future__ import annotations

from collections.abc import Sequence

from shieldwall.trace.methods.interface import Method, Split, Taint, amount_of
from shieldwall.trace.methods.order import pay_in_order


class Tiho(Method):
    """Tainted money goes to the outputs of highest value first, of equal ones to the lowest index, and to the fee last.

    Source: Tironsakkul, Maarek, Eross, Just, "Probing the Mystery of Cryptocurrency Theft" (2019), as the authors' own
    library `taintedtx` has it: tainted inputs before clean ones, outputs by value from the highest. Not theirs: how ties
    are broken (their sort leaves it open), and the fee, of which there each input first bears its share. (The text of the
    paper was not at hand, so that TIHO stands in it first is not verified.)

    It begins with what is tainted, so it gives every seed the highest output at once, and two seeds followed one by one may
    claim the same satoshi. Where an output's money came from it cannot say: it has no way back.
    """

    name = "tiho"
    conserved = True
    reversible = False
    rule = (
        "tainted money goes to the outputs of highest value first, of equal ones to the lowest index, to the fee last"
    )
    source = "Tironsakkul, Maarek, Eross, Just 2019, policy TIHO"

    def split(self, values: Sequence[int | None], taints: Sequence[Taint], outputs: Sequence[int]) -> Split:
        """Divide; no value of an input is needed: what is tainted is known, and clean money comes after it."""
        del values
        amounts = [amount_of(taint) for taint in taints]
        ranked = sorted(range(len(outputs)), key=lambda place: (-outputs[place], place))
        whole: list[Taint] = [((0, amount),) if amount else () for amount in amounts]
        split = pay_in_order(amounts, whole, [outputs[place] for place in ranked])
        divided: list[Taint] = [()] * len(outputs)
        origins: list[int | None] = [None] * len(outputs)
        for place, taint, origin in zip(ranked, split.outputs, split.origins, strict=True):
            divided[place], origins[place] = taint, origin
        return Split(tuple(divided), split.fee, tuple(origins))
