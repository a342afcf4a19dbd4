"""A chain simulator: block files of a made-up Bitcoin economy whose whole truth is known.

Everything follows from a seed by integer arithmetic, so that the same seed gives the same bytes on any platform. Error rates
measured on such a chain say how rules do on the simulator's habits, which are not those of the world: they are labelled
*simulator*.

Example:
    >>> from pathlib import Path
    >>> def small(folder: Path) -> int:
    ...     return make(folder, transactions=3000).blocks

It does not know keys: addresses, public keys and signatures have the right form and do not check against each other.
"""

from __future__ import annotations

from simulator.make import Simulated, make

__all__ = ["Simulated", "make"]
