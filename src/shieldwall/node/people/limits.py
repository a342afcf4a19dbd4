"""Limits and bans, the same for sessions, tokens and codes: how often anyone may ask, and who is shut out for a while.

Rates are kept in memory. Failures are kept in the store: a restart, or another process, does not forgive them.
"""

from __future__ import annotations

import ipaddress
import math
import threading
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shieldwall.errors import TooMany
from shieldwall.model.access import Identity, Kind
from shieldwall.node.people.config import PeopleConfig

if TYPE_CHECKING:
    from shieldwall.store.attempts import Attempts
    from shieldwall.store.engine import Clock, Store
    from shieldwall.store.work import Work

DOORS = Identity(kind=Kind.NODE, person="", name="doors")
"""Who acts while nobody is known yet: it has no permission at all."""

Name = tuple[str, str]
"""What an attempt names: ("person", id), ("token", id), ("code", id of the person)."""

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_MOST_KEYS = 10_000  # whom a limit remembers


class Buckets:
    """A token bucket for each key: a burst at once, then a steady rate.

    Args:
        rate: How many a second.
        burst: How many at once, after a rest.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._levels: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str, now: int, count: int = 1) -> int:
        """Take `count` from a bucket, or only look with 0.

        Returns:
            0, or the seconds to wait where the bucket has none.
        """
        with self._lock:
            level, at = self._levels.pop(key, (self._burst, now))
            level = min(self._burst, level + max(0, now - at) * self._rate / _SECOND)
            short = level < 1
            self._levels[key] = (level if short else level - count, now)
            while len(self._levels) > _MOST_KEYS:
                self._levels.popitem(last=False)
        return max(1, math.ceil((1 - level) / self._rate)) if short else 0


class Gate:
    """Asked before anyone comes in, and told of those who could not.

    Args:
        store: Where failures are counted and recorded.
        config: The limits.
        clock: Microseconds.
    """

    def __init__(self, store: Store, config: PeopleConfig, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._bans = config.bans
        self._codes = replace(config.bans, failures=config.wrong_codes)
        self._strangers = Buckets(config.stranger_rate, config.stranger_burst)
        self._known = Buckets(config.identity_rate, config.identity_burst)
        self._told: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def stranger(self, client: str, *names: Name) -> None:
        """Let one more request of nobody known in, from an address.

        Raises:
            TooMany: Too many come from there, or it is banned, or what it names is.
        """
        place = place_of(client)
        self._pace(self._strangers, place, place, 1)
        self.enter(client, *names)

    def look(self, client: str) -> None:
        """As `stranger`, without counting: whether one who may turn out to be known is worth asking the store.

        Raises:
            TooMany: Too many strangers come from there.
        """
        place = place_of(client)
        self._pace(self._strangers, place, place, 0)

    def known(self, identity: Identity, client: str) -> None:
        """Let one more request of someone known in.

        Raises:
            TooMany: They ask too often.
        """
        place = place_of(client)
        if identity.token:  # many tokens of one person are no way around
            self._pace(self._known, identity.token, place, 1)
        self._pace(self._known, identity.person, place, 1)

    def enter(self, client: str, *names: Name) -> None:
        """Refuse who is banned, whatever they bring.

        Raises:
            TooMany: The address is banned, or what is named; `seconds` says for how long.
        """
        with self._store.inside(DOORS) as work:
            until, now = self.banned_until(work, client, *names), work.now
        self.refuse(client, until, now)

    def banned_until(self, work: Work, client: str, *names: Name) -> int:
        """Until when, in microseconds; 0 for not banned."""
        return work.attempts.banned_until([self._key(name) for name in _all(client, names)])

    def refuse(self, client: str, until: int, now: int) -> None:
        """Refuse, where a ban holds until some time after now.

        Raises:
            TooMany: It does.
        """
        if until:
            self._tell(place_of(client), "banned")
            raise TooMany(
                "too many failed attempts; you are shut out for a while",
                hint="wait; what is right is refused as well until then",
                seconds=max(1, math.ceil((until - now) / _SECOND)),
            )

    def failed(self, client: str, verb: str, why: str, *names: Name, **detail: Any) -> None:  # noqa: ANN401 - any JSON
        """Count a failure, and record it.

        Args:
            client: The address.
            verb: What was tried, as the audit log says it.
            why: In which way it failed; for the auditor, never for whoever tried.
            names: What was named in it.
            detail: More for the record; never a secret.

        Raises:
            AuditFailed: It cannot be recorded.
        """
        with self._store.upkeep(DOORS) as work:
            after = self.count(work, client, *names)
        self.record(client, verb, why, after, **detail)

    def over(self, client: str, verb: str, why: str, name: Name, **detail: Any) -> None:  # noqa: ANN401 - any JSON
        """As `failed`, for one that was right and is over: it counts against what is named, not against the address."""
        self._strangers.take(place_of(client), self._clock())
        with self._store.upkeep(DOORS) as work:
            after = [(name, work.attempts.failed(self._key(name), self._bans))]
        self.record(client, verb, why, after, **detail)

    def count(self, work: Work, client: str, *names: Name) -> list[tuple[Name, Attempts]]:
        """Count a failure within a transaction under way; `record` it after that."""
        self._strangers.take(place_of(client), self._clock())
        found = []
        for name in _all(client, names):
            rules = self._codes if name[0] == "code" else self._bans
            found.append((name, work.attempts.failed(self._key(name), rules)))
        return found

    def record(
        self,
        client: str,
        verb: str,
        why: str,
        after: list[tuple[Name, Attempts]],
        **detail: Any,  # noqa: ANN401 - any JSON
    ) -> None:
        """Record what `count` counted, and each ban that began with it."""
        place = place_of(client)
        self._store.record(DOORS, verb, "refused", client=place, why=why, **detail)
        for (kind, name), attempts in after:
            if attempts.bans and not attempts.failures:
                self._store.record(
                    DOORS,
                    "door.ban",
                    what=kind,
                    name=name,
                    until=attempts.banned_until,
                    bans=attempts.bans,
                    client=place,
                )

    def _pace(self, buckets: Buckets, key: str, place: str, count: int) -> None:
        seconds = buckets.take(key, self._clock(), count)
        if seconds:
            self._tell(place, "too often")
            raise TooMany("too many requests", hint=f"wait {seconds} s, then ask less often", seconds=seconds)

    def _tell(self, place: str, why: str) -> None:
        """Record refusals of one address once a minute, with how many there were: the log must not be filled by them."""
        now = self._clock()
        key = f"{why} {place}"
        with self._lock:
            last, count = self._told.pop(key, (0, 0))
            due = now - last >= _MINUTE
            self._told[key] = (now, 0) if due else (last, count + 1)
            while len(self._told) > _MOST_KEYS:
                self._told.popitem(last=False)
        if due:
            self._store.record(DOORS, "door.refuse", "refused", client=place, why=why, times=count + 1)

    def _key(self, name: Name) -> bytes:
        return self._store.secrets.keyed("attempt", *name)


def place_of(client: str) -> str:
    """Where limits think that a client is: its IPv4 address, or the /64 network of its IPv6 address.

    One who has an IPv6 address has the whole of its /64 (RFC 6177), so the rest of it is no other client.

    Example:
        >>> place_of("192.0.2.7"), place_of("2001:db8::7"), place_of("::ffff:192.0.2.7"), place_of("?")
        ('192.0.2.7', '2001:db8::/64', '192.0.2.7', 'unknown')
    """
    try:
        address = ipaddress.ip_address(client.split("%", 1)[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def _all(client: str, names: tuple[Name, ...]) -> list[Name]:
    return [("client", place_of(client)), *names]
