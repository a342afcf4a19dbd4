"""Run the program itself, as a person does."""

from __future__ import annotations

import subprocess
import sys
from time import perf_counter

from bench.errors import BenchError

_TAIL = 500  # characters of a failed command's words that are shown
_DONE = (0, 1)  # exit codes: done, and done with a finding


def timed(*words: str) -> float:
    """Seconds of a command from starting the process to its end.

    Raises:
        BenchError: It failed; its last words are in the message.
    """
    command = [sys.executable, "-m", "shieldwall", *words]
    begin = perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - own words
    seconds = perf_counter() - begin
    if done.returncode not in _DONE:
        raise BenchError(
            f"{' '.join(command[1:])}: {done.stderr[-_TAIL:].strip()}", hint="see the words of the command"
        )
    return seconds
