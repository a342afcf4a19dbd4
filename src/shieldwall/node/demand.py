"""One word for what outside data must satisfy, so that readers can say it in a line each."""

from __future__ import annotations


def demand(*holds: bool) -> None:
    """Refuse what does not hold.

    Raises:
        ValueError: One of them does not; the reader knows what it is reading, and says so.
    """
    if not all(holds):
        raise ValueError("not as its format says")
