"""Money as whole satoshi, and how people read it. No float ever holds an amount."""

from __future__ import annotations

import re

from shieldwall.errors import BadInput
from shieldwall.model.network import COIN

SHARE_DIGITS = 6
_DECIMAL = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{1,8}))?", re.ASCII)


def btc(satoshi: int) -> str:
    """`satoshi` as a decimal number of bitcoin, exact, without trailing zeros.

    Example:
        >>> btc(6_369_996_546), btc(0), btc(-1)
        ('63.69996546', '0', '-0.00000001')
    """
    sign = "-" if satoshi < 0 else ""
    whole, rest = divmod(abs(int(satoshi)), COIN)
    return f"{sign}{whole}.{rest:08d}".rstrip("0").rstrip(".")


def satoshi(text: str) -> int:
    """A decimal number of bitcoin as whole satoshi, exact.

    Example:
        >>> satoshi("63.69996546"), satoshi("0,5"), satoshi("10")
        (6369996546, 50000000, 1000000000)

    Raises:
        BadInput: It is none, or has more than eight decimals.
    """
    found = _DECIMAL.fullmatch(text.strip())
    if found is None:
        raise BadInput(
            f"{text.strip()[:40]!r} is no amount", hint="write a number with at most eight decimals, as in 6.2"
        )
    return int(found[1]) * COIN + int((found[2] or "").ljust(8, "0"))


def share(part: int, whole: int) -> str:
    """`part / whole` as a decimal string of six digits, rounded half up in integers; "0.000000" of nothing.

    Example:
        >>> share(1, 3), share(2, 3)
        ('0.333333', '0.666667')
    """
    if whole == 0:
        return "0.000000"
    scaled = (2 * part * 10**SHARE_DIGITS + whole) // (2 * whole)
    return f"{scaled // 10**SHARE_DIGITS}.{scaled % 10**SHARE_DIGITS:0{SHARE_DIGITS}d}"


def percent(part: int, whole: int) -> str:
    """`part / whole` as people say it: "62.0 %"; never "0.0 %" for something, never "100.0 %" for less than all.

    Example:
        >>> percent(1, 100_000), percent(99_999, 100_000), percent(62, 100)
        ('< 0.1 %', '> 99.9 %', '62.0 %')
    """
    if whole == 0 or part == 0:
        return "0 %"
    tenths = (2 * part * 1000 + whole) // (2 * whole)
    if tenths == 0 or part * 1000 < whole:
        return "< 0.1 %"
    if tenths >= 1000 and part < whole:
        return "> 99.9 %"
    return f"{tenths // 10}.{tenths % 10} %"
