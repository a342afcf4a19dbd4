"""What one measurement is told, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.data import Chain


@dataclass(frozen=True, slots=True)
class Job:
    """One measurement.

    Attributes:
        task: Its name in `child.TASKS`.
        chain: What it works on.
        scratch: An empty folder that may be filled.
        options: What else the task takes.
    """

    task: str
    chain: Chain
    scratch: Path
    options: dict[str, Any] = field(default_factory=dict)

    def on(self, chain: Chain, scratch: Path) -> Job:
        """The same measurement on another chain."""
        return replace(self, chain=chain, scratch=scratch)

    def as_text(self) -> str:
        """One line of JSON."""
        chain = [str(self.chain.folder), self.chain.transactions]
        return json.dumps([self.task, chain, str(self.scratch), self.options])

    @classmethod
    def from_text(cls, text: str) -> Job:
        """The job that `as_text` wrote."""
        task, (folder, transactions), scratch, options = json.loads(text)
        return cls(task, Chain(Path(folder), transactions), Path(scratch), options)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a measurement found: seconds of its work, and facts by name."""

    seconds: float
    facts: dict[str, Any] = field(default_factory=dict)


Task = Callable[[Job], Outcome]
