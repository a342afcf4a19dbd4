"""Whether a new handling lets anyone in who was kept out: what a second person must agree to."""

from __future__ import annotations

from shieldwall.model.access import Handling
from shieldwall.model.marking import Marking


def opens(before: Handling, after: Handling) -> bool:
    """Whether `after` could show something to someone, or allow something, that `before` did not.

    Where it is false, whoever may see the thing afterwards could see it before. It says yes where that depends on who is in which
    case or group: they change.

    Example:
        >>> opens(Handling(marking=Marking.GREEN), Handling(marking=Marking.AMBER))
        False
        >>> opens(Handling(case="c1"), Handling(case="c2"))
        True
    """
    if after.marking < before.marking or after.pap < before.pap:
        return True
    if before.case is not None and after.case != before.case:
        return True
    if before.group is not None and after.group != before.group:
        return True
    own = before.marking == Marking.RED and before.case is None and before.group is None
    return own and (after.case is not None or after.group is not None or after.owner != before.owner)
