"""Moments as they stand in files: absolute, UTC, to the second."""

from __future__ import annotations

from datetime import UTC, datetime

from shieldwall.errors import UsageError


def utc(seconds: int) -> str:
    """Unix `seconds` as ISO 8601 in UTC, as in 2021-05-08T17:12:57Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def unix(text: str) -> int:
    """Unix seconds of an ISO 8601 date or time; one without a zone is UTC.

    Raises:
        UsageError: Not a date.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date", hint="write 2021-05-08 or 2021-05-08T17:12:57Z") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
