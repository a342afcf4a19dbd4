"""Events of a case: what happened at a time, as somebody says. An event is a claim."""

from __future__ import annotations

from shieldwall.errors import BadInput, UsageError
from shieldwall.model.claim import ClaimKind
from shieldwall.model.moment import unix, utc

EVENT = ClaimKind("event", {"text": str, "when": str}, {"where": str})
"""What happened, and when: ISO 8601 in UTC; a day alone where nobody knows the hour."""

MOST_TEXT = 2000  # characters
LATEST = 7_258_118_400  # seconds: the year 2200, so that whatever a clock adds is a time as well


def event_statement(text: str, when: str, where: str = "") -> dict[str, str]:
    """The statement of an event.

    Raises:
        BadInput: No text, too long a one, or no time.
    """
    plain = " ".join(text.split())
    if not plain or len(plain) > MOST_TEXT or len(where) > MOST_TEXT:
        raise BadInput(f"an event has a text of at most {MOST_TEXT:,} characters")
    found = {"text": plain, "when": moment_of(when, "an event")}
    return found | ({"where": where.strip()} if where.strip() else {})


def moment_of(text: str, what: str) -> str:
    """A time that somebody wrote, as ISO 8601 in UTC; a day stays a day.

    Raises:
        BadInput: It is none, or none between 1970 and 2200.
    """
    plain = text.strip()
    try:
        seconds = unix(plain)
        found = plain if len(plain) == 10 else utc(seconds)
    except (UsageError, OverflowError, ValueError, OSError):
        seconds, found = -1, ""
    if not found or not 0 <= seconds <= LATEST:
        raise BadInput(f"{what}: {plain[:40]!r} is no time", hint="write 2021-05-08 or 2021-05-08T17:12:57Z")
    return found
