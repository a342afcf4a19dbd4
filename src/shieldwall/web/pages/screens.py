"""The screens, in the order in which they stand in the head of every page. Board gets a place here."""

from __future__ import annotations

from dataclasses import dataclass

from shieldwall.model.access import Identity, Permission
from shieldwall.model.words import message


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen.

    Attributes:
        name: What it is called; a message.
        path: Where it is.
        key: The key that leads to it.
        needs: The permission without which it has nothing to show; None for none.
    """

    name: str
    path: str
    key: str
    needs: Permission | None = None


SCREENS = (
    Screen(message("Desk"), "/", "1", Permission.READ),
    Screen(message("Trace"), "/traces", "2", Permission.READ),
    Screen(message("Cases"), "/cases", "3", Permission.READ),
    Screen(message("Requests"), "/requests", "4", Permission.READ),
    Screen(message("Sharing"), "/share", "5", Permission.READ),
    Screen(message("Node"), "/node", "6"),
)


def screens_of(identity: Identity) -> list[Screen]:
    """Those that have something to show to someone."""
    return [screen for screen in SCREENS if screen.needs is None or identity.may(screen.needs)]


KEYS = (
    ("/", message("go to the box that takes anything")),
    ("1 2 3 4 5 6", message("Desk, Trace, Cases, Requests, Sharing, Node")),
    ("← → ↑ ↓", message("walk along the money, and between lanes")),
    ("e", message("expand: show what is folded, or what was cut off")),
    ("c", message("collapse: fold what is behind it")),
    ("p", message("pin, or let go")),
    ("t", message("tag the address")),
    ("n", message("write a note")),
    ("o", message("overrule which output is change")),
    ("w", message("watch the address")),
    ("u", message("take the last step back")),
    ("r", message("do it again")),
    ("s", message("save the sheet as it stands")),
    ("Esc", message("close what is open")),
    ("?", message("show these keys")),
)
"""The keys, and what they do; a message each."""

_ANYWHERE = ("/", "1 2 3 4 5 6", "Esc", "?")
KEYS_OF = {
    "case": (
        ("r", message("write a request")),
        ("t", message("trace the money")),
        ("p", message("make a package")),
        ("f", message("write down a finding")),
        ("e", message("take something into evidence")),
        ("g", message("show the network")),
    ),
    "cases": (("n", message("take in an incident")),),
    "request": (("s", message("save the draft")),),
}
"""Keys of pages whose keys do other things than those of a sheet; a message each."""


def keys_of(template: str) -> list[tuple[str, str]]:
    """The keys of a page, by the name of its template."""
    if template not in KEYS_OF:
        return list(KEYS)
    anywhere = {key: what for key, what in KEYS if key in _ANYWHERE}
    head, tail = [each for each in anywhere.items() if each[0] not in ("Esc", "?")], [*anywhere.items()][-2:]
    return [*head, *KEYS_OF[template], *tail]
