"""The one seam of tag sets: where their versions are kept.

`tagset.TagSets` keeps them as files, in clear, for the command line; `stored.StoredTagSets` in a node's encrypted store, where
each person finds what they may see. Both have the same names, and both give a `TagIndex` to look things up in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from shieldwall.intel.interface import ReadOptions
from shieldwall.intel.manifest import TagSetInfo
from shieldwall.intel.preparing import ImportReport
from shieldwall.intel.setfile import Glance
from shieldwall.model.claim import Claim, Subject

if TYPE_CHECKING:
    from shieldwall.intel.tagset import Comparison, TagIndex


class OpenedSet(Protocol):
    """A version of a tag set, opened for look-ups."""

    @property
    def keys(self) -> NDArray[np.uint64]:
        """uint64[n], ascending: `setfile.subject_key` of its subjects."""

    def lookup(self, subjects: Sequence[Subject], keys: NDArray[np.uint64]) -> dict[Subject, tuple[Claim, ...]]:
        """The claims on those of `subjects` that the set has; `keys` are their keys, in the same order."""

    def glances(self, digest: str, name: str = "") -> list[Glance]:
        """What can be seen of every claim without taking it in, sorted by subject."""

    def claims(self) -> Iterator[Claim]:
        """Every claim, sorted by subject."""

    def verify(self, digest: str) -> bytes:
        """Hold the whole set against its digest; returns its lines."""


class Shelf(Protocol):
    """Where versions of tag sets are kept."""

    def import_files(
        self, paths: Iterable[Path], *, set_name: str | None = None, options: ReadOptions | None = None
    ) -> list[ImportReport]:
        """Import files: each into a set called like the file without its ending, or all into `set_name`."""

    def sets(self) -> tuple[TagSetInfo, ...]:
        """The current version of every set, by name."""

    def select(self, names: Iterable[str] | None = None) -> TagIndex:
        """The sets called `names` (`NAME` or `NAME@VERSION`), opened; None for all."""

    def compare(self, a: str, b: str) -> Comparison:
        """How many subjects two sets share."""
