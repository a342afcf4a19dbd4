"""The Hypothesis machine over the house, and how it is run: so many steps, with a seed, counted as they are really made."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from leaks_exits_support import Exits
from leaks_house_support import Ears, Tally
from leaks_model_support import Dice
from web_support import Site

DICE = st.integers(0, 2**32 - 1)
EACH = 120  # steps of one run, after which the house is emptied


@dataclass
class Count:
    """Steps that were made."""

    steps: int = 0
    runs: int = 0
    tally: Tally = field(default_factory=Tally)
    by_name: dict[str, int] = field(default_factory=dict)


class LeakMachine(RuleBasedStateMachine):
    """People, groups, cases, markings, and every exit; `site`, `ears` and `count` are set by `run`."""

    site: ClassVar[Site]
    ears: ClassVar[Ears]
    count: ClassVar[Count]
    house: Exits

    @initialize(dice=DICE)
    def begin(self, dice):
        first = Dice(dice)
        self.drawn: Counter[tuple[str, int]] = Counter()
        self.house = Exits(self.site, first, self.ears, self.count.tally)
        self.house.furnish(first)
        self.count.runs += 1

    def _step(self, name: str, number: int) -> None:
        """One change or question, and after a change an exit by somebody.

        Hypothesis likes to draw the same step again: each time it is another one.
        """
        dice = Dice(number, self.drawn[name, number])
        self.drawn[name, number] += 1
        if name == "leave":
            self.house.leave(dice)
        else:
            getattr(self.house, name)(dice)
            self.house.settle()
            self.house.leave(dice)
        self.house.settle()
        self.count.steps += 1
        self.count.by_name[name] = self.count.by_name.get(name, 0) + 1


CHANGES = (
    "add_case", "add_case", "change_case", "set_members",
    "add_claim", "add_claim", "retract", "add_tags", "add_finding", "add_request", "change_request",
    "add_file", "add_watch", "stop_watch", "answer_alarm", "ring", "ring", "deliver",
    "ask_job", "work", "finish", "cancel_job",
    "remark", "ask_approval", "ask_approval", "decide", "decide", "withdraw",
    "change_person", "disable", "change_group", "issue_token", "revoke_token",
)  # fmt: skip
LOOKS = ("leave",) * 14


def _rule(name: str):
    def step(self, dice):
        self._step(name, dice)

    step.__name__ = name
    return rule(dice=DICE)(step)


for _number, _name in enumerate((*CHANGES, *LOOKS)):
    setattr(LeakMachine, f"{_name}_{_number}", _rule(_name))


@contextmanager
def _listening() -> Iterator[Ears]:
    ears, root = Ears(), logging.getLogger()
    own = logging.getLogger("shieldwall")
    before = root.level, own.level
    root.addHandler(ears)
    root.setLevel(logging.INFO)
    own.setLevel(logging.DEBUG)
    try:
        yield ears
    finally:
        root.removeHandler(ears)
        root.setLevel(before[0])
        own.setLevel(before[1])


def run(site: Site, steps: int, begin: int = 0, *, shrink: bool = True) -> Count:
    """Make at least so many steps.

    Args:
        site: A node; all that is in it goes.
        steps: How many.
        begin: The first seed; each further try of a hundred runs has the next one.
        shrink: Whether a leak that is found is made small.

    Raises:
        Leak: One was found.
    """
    count = Count()
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    with _listening() as ears:
        while count.steps < steps:
            runs = min(100, max(1, -(-(steps - count.steps) // EACH)))

            class Machine(LeakMachine):
                pass

            Machine.site, Machine.ears, Machine.count = site, ears, count
            seed(begin)(Machine)
            begin += 1
            run_state_machine_as_test(
                Machine,
                settings=settings(
                    max_examples=runs,
                    stateful_step_count=EACH,
                    deadline=None,
                    database=None,
                    derandomize=False,
                    phases=phases,
                    suppress_health_check=list(HealthCheck),
                    print_blob=False,
                ),
            )
    return count
