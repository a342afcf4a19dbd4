"""Every error that Shieldwall raises on purpose, in one tree.

::

    ShieldwallError                 exit code 1
    ├── UsageError                  2  the call's words are wrong
    │   └── RemoteRefused           2  a source that would learn what is being looked at
    ├── PartialData                 3  the data has a hole, and the caller asked for none
    ├── BadInput                    4  outside data is broken: names the file and the place
    │   ├── BadBlock                4  a block or transaction that its own bytes refute
    │   ├── BadText                 4  YAML, JSON or CSV that does not fit its schema
    │   └── UnknownAddress          4  a text that is no valid address; offers the nearest valid one
    └── StoreError                  4  a chain store or tag set on disk is not what its manifest says
        └── WrongNetwork            4  data of another network than the store's

A message says what the other side did and what to do next. Foreign exceptions are mapped at the edge of a room, so a
caller needs to know only this file.
"""

from __future__ import annotations


class ShieldwallError(Exception):
    """The base of the tree.

    Args:
        message: What happened, with file and place where there is one.
        hint: What to do next; empty when there is nothing to do.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  next: {self.hint}" if self.hint else self.message


class UsageError(ShieldwallError):
    """The call's words are wrong."""

    exit_code = 2


class RemoteRefused(UsageError):
    """A source outside this machine that would learn what is being looked at."""


class PartialData(ShieldwallError):
    """The data has a hole, and the caller asked for none."""

    exit_code = 3


class BadInput(ShieldwallError):
    """Outside data is broken; the message names the file and the place in it."""

    exit_code = 4


class BadBlock(BadInput):
    """A block or transaction that its own bytes refute."""


class BadText(BadInput):
    """YAML, JSON or CSV that does not fit its schema."""


class UnknownAddress(BadInput):
    """A text that is no valid address of the network; `nearest` holds valid addresses one slip away."""

    def __init__(self, message: str, *, hint: str = "", nearest: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.nearest = nearest


class StoreError(ShieldwallError):
    """A chain store or tag set on disk is not what its manifest says."""

    exit_code = 4


class WrongNetwork(StoreError):
    """Data of another network than the store's."""
