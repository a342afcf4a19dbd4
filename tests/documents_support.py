"""Commands and their output as documents show them, and a place where they can be run word for word.

A fenced block whose first line begins with `$ shieldwall` is a promise: each of its commands runs as it stands, and what
stands below it is what it prints. A line of only `...` stands for any lines left out. Every other block is prose.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROMPT = "$ "
FENCE = re.compile(r"^(?P<fence>```+|~~~+)[^\n]*\n(?P<body>.*?)^(?P=fence)\s*$", re.MULTILINE | re.DOTALL)
NOT_SHOWN = {".git", ".venv", "docs/_build", "shieldwall-demo"}


@dataclass(frozen=True, slots=True)
class Example:
    """One command of a block.

    Attributes:
        line: Its line in the document, from 1.
        command: Its words, without the prompt.
        shown: The lines that the document shows below it.
    """

    line: int
    command: str
    shown: tuple[str, ...]

    @property
    def is_help(self) -> bool:
        return self.command.split()[-1] in ("--help", "-h")

    @property
    def needs_shared(self) -> bool:
        return "../shared/" in self.command


def blocks(text: str) -> list[list[Example]]:
    """The blocks of a Markdown text that promise something, each as its commands in order."""
    found = []
    for match in FENCE.finditer(text):
        body = match["body"]
        if not body.startswith(PROMPT + "shieldwall"):
            continue
        first_line = text.count("\n", 0, match.start("body")) + 1
        examples: list[Example] = []
        for offset, line in enumerate(body.splitlines()):
            if line.startswith(PROMPT):
                examples.append(Example(first_line + offset, line.removeprefix(PROMPT), ()))
            else:
                last = examples.pop()
                examples.append(Example(last.line, last.command, (*last.shown, line)))
        found.append(examples)
    return found


def fits(shown: tuple[str, ...], printed: str) -> bool:
    """Whether `printed` is what the document shows, with `...` for lines that it leaves out."""
    lines = [line.rstrip() for line in shown]
    while lines and not lines[-1]:
        lines.pop()
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line) + r"\n" for line in lines)
    trimmed = "".join(line.rstrip() + "\n" for line in printed.rstrip().splitlines())
    return re.fullmatch(pattern, trimmed) is not None


def stage(root: Path, folder: Path) -> Path:
    """A folder that looks like a clone of `root` with the shared data beside it, in which examples may write."""
    clone = folder / "shieldwall"
    clone.mkdir()
    for entry in root.iterdir():
        if entry.name not in NOT_SHOWN and not entry.name.startswith(".numba"):
            (clone / entry.name).symlink_to(entry)
    if (root.parent / "shared").is_dir():
        (folder / "shared").symlink_to(root.parent / "shared")
    return clone


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one line as a person with an 80-column screen and nothing configured would."""
    programs = str(Path(sys.executable).parent)
    env = {key: value for key, value in os.environ.items() if not key.startswith("SHIELDWALL_")}
    env |= {"PATH": programs + os.pathsep + env.get("PATH", ""), "COLUMNS": "80", "NO_COLOR": "1", "TZ": "UTC"}
    env |= {"HOME": str(folder.parent), "XDG_DATA_HOME": str(folder.parent / "data")}
    env |= {"XDG_CONFIG_HOME": str(folder.parent / "config")}
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, env=env, check=False, capture_output=True, text=True, timeout=300
    )
