"""Run the examples of README.md and write what they print below them: `make readme`.

Every block whose first line begins with `$ shieldwall` is run in order, as the tests run it (tests/documents_support.py), in
one folder that looks like a clone. A line of only `...` goes on standing for what it stood for: the lines beside it are
looked for in the new output. Where one of them is not there once, nothing is written, and the example is named. An example
that shows nothing stays without output; to begin a new one, write any line below its command.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from documents_support import Example, blocks, fits, run, stage  # noqa: E402

README = ROOT / "README.md"
ELLIPSIS = "..."


class Misfit(Exception):
    """An example that cannot be filled in; the words say why."""


def place(lines: Sequence[str], wanted: str, start: int) -> int:
    """Where `wanted` stands in `lines` from `start` on.

    Raises:
        Misfit: Not there, or there more than once.
    """
    found = [number for number in range(start, len(lines)) if lines[number] == wanted]
    if len(found) != 1:
        raise Misfit(f"the line beside {ELLIPSIS} is printed {len(found)} times instead of once: {wanted!r}")
    return found[0]


def parts_of(shown: Sequence[str]) -> list[list[str]]:
    """The lines between the ellipses; one part more than there are ellipses."""
    parts: list[list[str]] = [[]]
    for line in shown:
        if line == ELLIPSIS:
            parts.append([])
        else:
            parts[-1].append(line)
    return parts


def refill(shown: Sequence[str], printed: str) -> list[str]:
    """What `printed` gives in the form of `shown`: the same command's earlier output, perhaps with ellipses.

    Raises:
        Misfit: A line beside an ellipsis is not printed, or more than once.
    """
    lines = [line.rstrip() for line in printed.rstrip().splitlines()]
    parts = parts_of([line.rstrip() for line in "\n".join(shown).rstrip().splitlines()])
    filled: list[str] = []
    at = 0
    for number, part in enumerate(parts):
        if number:
            filled.append(ELLIPSIS)
        if not part and len(parts) > 1:
            continue  # the example begins or ends with an ellipsis
        start = place(lines, part[0], at) if number else 0
        at = place(lines, part[-1], start) + 1 if number < len(parts) - 1 else len(lines)
        filled += lines[start:at]
    return filled


def answer(example: Example, clone: Path) -> list[str]:
    """Run an example in `clone`, and give the lines to show below it.

    Raises:
        Misfit: It fails, or its output does not take the form of what is shown.
    """
    done = run(example.command, clone)
    if done.returncode:
        raise Misfit(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")
    if not example.shown:
        return []
    filled = refill(example.shown, done.stdout)
    if not fits(tuple(filled), done.stdout):
        raise Misfit(f"it prints what cannot be shown in a document:\n{done.stdout}")
    return filled


def fill(text: str, folder: Path) -> str:
    """`text` with its examples run in an empty `folder`.

    Raises:
        Misfit: See `answer`; line and command are named.
    """
    clone = stage(ROOT, folder)
    examples = [example for block in blocks(text) for example in block]
    answers: list[list[str]] = []
    for example in examples:
        print(f"{README.name}:{example.line}: {example.command}", file=sys.stderr)
        try:
            answers.append(answer(example, clone))
        except Misfit as error:
            raise Misfit(f"{README.name}:{example.line}: {example.command}\n{error}") from None
    lines = text.splitlines()
    for example, shown in zip(reversed(examples), reversed(answers), strict=True):  # from below: line numbers stay true
        lines[example.line : example.line + len(example.shown)] = shown
    return "\n".join(lines) + "\n"


def main() -> None:
    """Fill README.md in; it stays as it is where an example cannot be filled in."""
    before = README.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        try:
            after = fill(before, Path(folder))
        except Misfit as error:
            sys.exit(f"nothing was written: {error}")
    if after != before:
        README.write_text(after, encoding="utf-8")
    print("README.md: filled in" if after != before else "README.md: nothing to change")


if __name__ == "__main__":
    main()
