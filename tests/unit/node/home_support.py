"""What tests of the node's folder share: one that is made quickly, its key, and a clock that a test sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shieldwall.node.home import OpenHome, make_home, open_home
from shieldwall.node.operators import operator
from shieldwall.node.slots import Cost, Credential, SlotKey

KEY = Credential(bytes(range(32)))
OTHER = Credential(bytes(32))
CHEAP = Cost(memory=64, passes=1, lanes=1)
OPERATOR = operator("test")
START = 1_800_000_000_000_000  # microseconds


class Hand:
    """A clock that goes on by a millisecond with each look, and that a test sets."""

    def __init__(self, at: int = START) -> None:
        self.at = at

    def __call__(self) -> int:
        self.at += 1000
        return self.at


def made(path: Path, clock: Hand | None = None, **settings: Any) -> OpenHome:
    """A new node in `path`, open."""
    return make_home(path, KEY, identity=OPERATOR, settings=settings, clock=clock or Hand(), cost=CHEAP)


def opened(path: Path, clock: Hand | None = None, key: SlotKey = KEY, **options: Any) -> OpenHome:
    """The node in `path`, open again."""
    return open_home(path, lambda: key, identity=OPERATOR, clock=clock or Hand(START + 10_000_000), **options)


def act(home: OpenHome, count: int = 1, verb: str = "test.act") -> None:
    """Leave entries in its audit log."""
    for number in range(count):
        home.store.record(OPERATOR, verb, "done", number=number)
