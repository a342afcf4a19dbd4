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
    ├── StoreError                  4  a store on disk is not what it says of itself, or cannot be written
    │   ├── WrongNetwork            4  data of another network than the store's
    │   ├── WrongKey                4  a key that does not open what it should
    │   ├── Tampered                4  something was changed behind the program's back
    │   └── AuditFailed             4  the audit record could not be written, so there is no answer
    └── Refused                     1  the node will not do it for whoever asks
        ├── NotSignedIn             1  nobody is signed in, or no longer
        ├── ConfirmFirst            1  signed in, but too long ago for this
        ├── NotAllowed              1  signed in, and not allowed to
        ├── NotFound                1  nothing there that whoever asks may know of
        ├── Conflict                1  it was changed or done in the meantime
        └── TooMany                 1  too often, or too much

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


class WrongKey(StoreError):
    """A passphrase, credential file or key that does not open what it should."""


class Tampered(StoreError):
    """Something was changed behind the program's back: a flipped byte, an edited log, an older copy."""


class AuditFailed(StoreError):
    """The audit record could not be written; what was asked for was not done and is not answered."""


class Refused(ShieldwallError):
    """The node will not do it for whoever asks."""


class NotSignedIn(Refused):
    """Nobody is signed in: no session or token, or one that is over."""


class ConfirmFirst(Refused):
    """Signed in, but the last passkey ceremony is too long ago for this; do it again first."""


class NotAllowed(Refused):
    """Signed in, and not allowed to."""


class NotFound(Refused):
    """There is nothing that whoever asks may know of; absent and hidden look the same."""


class Conflict(Refused):
    """It was changed, or done, in the meantime."""


class TooMany(Refused):
    """Too often, or too much; `seconds` says when to try again (0: not by waiting)."""

    def __init__(self, message: str, *, hint: str = "", seconds: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.seconds = seconds
