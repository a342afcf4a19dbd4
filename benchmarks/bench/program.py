"""Run the program itself, as a person does."""

from __future__ import annotations

import subprocess
import sys
from time import perf_counter

from bench.errors import BenchError

COMMAND = (sys.executable, "-m", "shieldwall")
"""How the program is called."""

_TAIL = 500  # characters of a failed command's words that are shown
_DONE = (0, 1)  # exit codes: done, and done with a finding


def timed(*words: str) -> float:
    """Seconds of a command from starting the process to its end.

    Raises:
        BenchError: It failed; its last words are in the message.
    """
    begin = perf_counter()
    said(*words)
    return perf_counter() - begin


def said(*words: str) -> str:
    """What a command prints.

    Raises:
        BenchError: It failed; its last words are in the message.
    """
    done = subprocess.run([*COMMAND, *words], check=False, capture_output=True, text=True)  # noqa: S603 - own words
    if done.returncode not in _DONE:
        raise BenchError(f"{' '.join(words)}: {done.stderr[-_TAIL:].strip()}", hint="see the words of the command")
    return done.stdout
