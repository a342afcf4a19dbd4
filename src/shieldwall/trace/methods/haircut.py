"""Haircut: every output is as tainted as the inputs on average."""

from __future__ import annotations

from collections.abc import Sequence

from shieldwall.trace.methods.interface import (
    CLEAN,
    Method,
    Sources,
    Split,
    Taint,
    amount_of,
    heaviest,
    total_known,
)


def shares(part: int, weights: Sequence[int]) -> list[int]:
    """`part` divided in proportion to `weights`, in whole units, none lost: largest remainder (Hamilton).

    What floors leave over goes, one unit each, to the largest remainders; of equal ones, to the lowest index. Products are
    exact (Python integers; 51 + 51 bits for satoshi, so an implementation in 64 bits needs 128-bit products).

    Example:
        >>> shares(10, [1, 1, 1])
        [4, 3, 3]
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    floors, rests = zip(*(divmod(part * weight, whole) for weight in weights), strict=True)
    divided = list(floors)
    left = part - sum(floors)
    if not left:
        return divided
    for place in sorted(range(len(weights)), key=lambda place: (-rests[place], place))[:left]:
        divided[place] += 1
    return divided


class Haircut(Method):
    """Outputs in index order, then the fee, share the taint in proportion to their values.

    Source: Möser, Böhme, Breuker, "Towards Risk Scoring of Bitcoin Transactions" (2014), section 3, policy Haircut; the
    division into whole satoshi by largest remainder, ties to the lowest index, the fee last, is ours, so that taint is
    conserved to the last satoshi. The share of an input in an output is the same read from either side, so the way back
    divides what is asked for in proportion to the inputs.
    """

    name = "haircut"
    conserved = True
    rule = "outputs and fee share the taint in proportion to their values, by largest remainder, the fee last"
    backward_rule = "an output's money came from all inputs, in proportion to their values, by largest remainder"
    source = "Möser, Böhme, Breuker 2014, policy Haircut"

    def split(self, values: Sequence[int | None], taints: Sequence[Taint], outputs: Sequence[int]) -> Split:
        """Divide; every input's value is needed."""
        amounts = [amount_of(taint) for taint in taints]
        fee = total_known(values) - sum(outputs)
        *divided, burnt = shares(sum(amounts), [*outputs, max(fee, 0)])
        origin = heaviest(amounts)
        return Split(
            tuple(((0, part),) if part else CLEAN for part in divided),
            burnt,
            tuple(origin if part else None for part in divided),
        )

    def trace_back(self, values: Sequence[int | None], wanted: Sequence[Taint], outputs: Sequence[int]) -> Sources:
        """Trace back; every input's value is needed, unless there is only one input."""
        amounts = [amount_of(taint) for taint in wanted]
        asked = sum(amounts)
        paid = sum(outputs)
        known = [paid if value is None and len(values) == 1 else value for value in values]
        missing = max(
            0, paid - total_known(known)
        )  # where a source says less of the inputs than there is in the outputs
        *brought, unplaced = shares(asked, [*(value or 0 for value in known), missing])
        heir = heaviest(amounts)
        return Sources(
            tuple(((0, part),) if part else CLEAN for part in brought),
            unplaced,
            tuple(heir if part else None for part in brought),
        )
