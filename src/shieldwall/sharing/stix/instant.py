"""Times of STIX and TAXII: text outside, microseconds of Unix time inside, so that two spellings of one instant are one.

STIX (2.1, section 3.2) has any number of digits of a second and demands Z; TAXII (2.1, section 2) has exactly six. Offsets and
further digits are read all the same, since they are seen in the wild; digits beyond the sixth are cut.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from shieldwall.errors import BadText

_FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,30}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
FIRST = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""The first instant that can be written: the year 1."""

_LAST = (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) - _EPOCH) // _MICROSECOND


def read_instant(text: object, place: str) -> int:
    """Microseconds of Unix time of an RFC 3339 time.

    Raises:
        BadText: It is none; a leap second is none here.

    Example:
        >>> read_instant("1970-01-01T00:00:01.5Z", "here"), read_instant("1970-01-01T01:00:01.500000+01:00", "here")
        (1500000, 1500000)
    """
    try:
        return _micros(text if isinstance(text, str) else "")
    except ValueError:
        raise BadText(f"{place}: {str(text)[:40]!r} is no time", hint="write 2026-11-30T12:00:00.000Z") from None


@lru_cache(maxsize=1024)  # an object says its time twice, and many of one source say the same one
def _micros(text: str) -> int:
    form = _FORM.fullmatch(text) if len(text) < 64 else None
    if form is None:
        raise ValueError
    year, month, day, hour, minute, second, digits, sign, off_hours, off_minutes = form.groups()
    moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    micros = (moment - _EPOCH) // _MICROSECOND + int((digits or "0")[:6].ljust(6, "0"))
    if sign:
        off = (int(off_hours) * 60 + int(off_minutes)) * 60_000_000
        micros -= off if sign == "+" else -off
    if not FIRST <= micros <= _LAST:  # by its offset outside of the years 1 to 9999
        raise ValueError
    return micros


def stix_time(micros: int) -> str:
    """An instant as STIX writes it: at least milliseconds, further digits where there are any."""
    text = taxii_time(micros)
    return text[:-4] + "Z" if text.endswith("000Z") else text


def taxii_time(micros: int) -> str:
    """An instant as TAXII writes it: exactly six digits of a second."""
    moment = _EPOCH + timedelta(microseconds=min(micros, _LAST))
    return moment.strftime("%Y-%m-%dT%H:%M:%S.").rjust(20, "0") + f"{moment.microsecond:06}Z"
