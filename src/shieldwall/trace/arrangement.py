"""How somebody wants a trace to be drawn: what is opened, folded, pinned, and how small money is summed. Pure.

An arrangement changes what a picture tells apart, never what it sums to: whatever it does not show is in a "+ n others".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

MOST_BOXES = 40  # boxes shown beside the sums, where nobody asks for more
MOST_DRAWN = 400  # at most, whatever is asked for: more of them no browser moves smoothly
DENSITIES = (MOST_BOXES, 120, 300)
"""How many boxes one may ask for."""

EXPAND, COLLAPSE, PIN, UNPIN, LEAST, BOXES, UNFOLD = (
    "expand", "collapse", "pin", "unpin", "least", "boxes", "unfold",
)  # fmt: skip
KINDS = (EXPAND, COLLAPSE, PIN, UNPIN, LEAST, BOXES, UNFOLD)
"""Steps that change an arrangement."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What a picture shows.

    Attributes:
        shown: Outpoints that are shown, however small.
        pinned: Likewise, marked, and not hidden by folding either.
        closed: Outpoints behind which everything is summed.
        unfolded: Txids with which runs begin that are shown hop by hop.
        least: Satoshi; smaller boxes are summed, unless they are shown or pinned.
        boxes: How many boxes are shown beside the sums.
    """

    shown: frozenset[str] = frozenset()
    pinned: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()
    unfolded: frozenset[str] = frozenset()
    least: int = 0
    boxes: int = MOST_BOXES

    def after(self, step: Mapping[str, Any]) -> Arrangement:
        """The arrangement that a step makes of this one; what is no step of an arrangement changes nothing.

        Args:
            step: `kind`, with `keys` (outpoints; of unfold txids) or `value`.
        """
        keys, value = frozenset(step.get("keys", ())), int(step.get("value", 0))
        match step["kind"]:
            case "expand":
                return replace(self, shown=self.shown | keys, closed=self.closed - frozenset(step.get("from", ())))
            case "collapse":
                return replace(self, closed=self.closed | keys)
            case "unfold":
                return replace(self, unfolded=self.unfolded | keys)
            case "pin":
                return replace(self, pinned=self.pinned | keys)
            case "unpin":
                return replace(self, pinned=self.pinned - keys)
            case "least":
                return replace(self, least=max(value, 0))
            case "boxes":
                return replace(self, boxes=min(max(value, 1), MOST_DRAWN))
            case _:
                return self

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "shown": sorted(self.shown),
            "pinned": sorted(self.pinned),
            "closed": sorted(self.closed),
            "unfolded": sorted(self.unfolded),
            "least": self.least,
            "boxes": self.boxes,
        }


PLAIN = Arrangement()
"""As a trace is drawn before anybody has touched it."""


def arranged(steps: Iterable[Mapping[str, Any]]) -> Arrangement:
    """What steps make of a trace as it is drawn at first, one after the other."""
    found = PLAIN
    for step in steps:
        found = found.after(step)
    return found
