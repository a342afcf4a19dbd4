"""The newest version of each person that this process has written: an older row of theirs, put back, is told by it.

A proof (`proving`) cannot tell an older row from the newest one. While the process runs, this can: someone who was shut out, or
lost a role, does not come in again by a row from before. A restart forgets it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from shieldwall.errors import Tampered


class Versions:
    """Versions that were committed, by id, each with the moment after which nobody can read an older one."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, float]] = {}

    def committed(self, written: Mapping[str, int]) -> None:
        """Remember versions whose transaction has just been committed."""
        now = time.monotonic()
        for name, version in written.items():
            if version >= self._known.get(name, (0, 0.0))[0]:
                self._known[name] = (version, now)

    def hold(self, name: str, version: int, began: float) -> None:
        """Refuse a version that is older than one that was committed before the reading transaction began.

        Args:
            name: Id of a person.
            version: As it was read.
            began: When the transaction began, in seconds of `time.monotonic`: one that began earlier may read older rows.

        Raises:
            Tampered: An older row was put back.
        """
        known, at = self._known.get(name, (0, 0.0))
        if version < known and at < began:
            raise Tampered(
                f"table people, row {name}: version {version} was put back in the place of version {known}",
                hint="somebody else writes in the database: restore a backup (shieldwall node restore)",
            )
