"""Attempts that failed, by keyed hash of who tried: counted, and banned for a while where they are too many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select, update

from shieldwall.store.prepared import Prepared
from shieldwall.store.schema import attempts

if TYPE_CHECKING:
    from shieldwall.store.work import Work

_SECOND = 1_000_000  # microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class BanRules:
    """When failures become a ban; times in seconds.

    Attributes:
        failures: How many within `window` are too many.
        window: How long a failure counts.
        first: The first ban; each further one is twice the one before.
        longest: No ban is longer. After this long without one, the next is a first again.
    """

    failures: int = 10
    window: int = 900
    first: int = 900
    longest: int = 86_400


@dataclass(frozen=True, slots=True)
class Attempts:
    """What is known of one who tries; times in microseconds.

    Attributes:
        failures: Since `since`.
        since: When the first of them was.
        banned_until: When the last ban ends; 0 for never banned.
        bans: How many there were without a quiet time between them.
    """

    failures: int = 0
    since: int = 0
    banned_until: int = 0
    bans: int = 0

    def failed(self, now: int, rules: BanRules) -> Attempts:
        """What is known after one more failure.

        Example:
            >>> rules = BanRules(failures=2)
            >>> once = Attempts().failed(1_000_000, rules)
            >>> once.banned_until, once.failed(2_000_000, rules).banned_until
            (0, 902000000)
        """
        quiet = self.banned_until and now - self.banned_until > rules.longest * _SECOND
        bans = 0 if quiet else self.bans
        fresh = not self.failures or now - self.since > rules.window * _SECOND
        failures, since = (1, now) if fresh else (self.failures + 1, self.since)
        if failures < rules.failures:
            return Attempts(failures, since, self.banned_until, bans)
        length = min(rules.first << min(bans, 32), rules.longest)
        return Attempts(0, now, now + length * _SECOND, bans + 1)


_BANS = Prepared(
    select(attempts.c.banned_until).where(attempts.c.key.in_([bindparam("a"), bindparam("b"), bindparam("c")]))
)  # at most three are named at a time


class AttemptLog:
    """The attempts, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._connection = work.connection

    def banned_until(self, keys: Iterable[bytes]) -> int:
        """Until when the longest ban of any of these lasts, in microseconds; 0 where none does."""
        several = list(keys)
        last = 0
        for start in range(0, len(several), 3):
            three = [*several[start : start + 3], several[start], several[start]][:3]
            found = _BANS.run(self._connection, a=three[0], b=three[1], c=three[2])
            last = max([last, *found.scalars()])
        return last if last > self._work.now else 0

    def failed(self, key: bytes, rules: BanRules) -> Attempts:
        """Count a failure; what is known then. One at a time: nobody gets more tries by trying at once."""
        self._work.store.backend.lock_head(self._connection)
        now = self._work.now
        row = self._connection.execute(select(attempts).where(attempts.c.key == key)).one_or_none()
        before = Attempts() if row is None else Attempts(row.failures, row.since, row.banned_until, row.bans)
        after = before.failed(now, rules)
        values = {
            "failures": after.failures,
            "since": after.since,
            "banned_until": after.banned_until,
            "bans": after.bans,
        }
        if row is None:
            old = now - 2 * rules.longest * _SECOND  # by then nothing of it counts any more
            self._connection.execute(delete(attempts).where(attempts.c.since < old, attempts.c.banned_until < old))
            self._connection.execute(insert(attempts).values(key=key, **values))
        else:
            self._connection.execute(update(attempts).where(attempts.c.key == key).values(**values))
        return after
