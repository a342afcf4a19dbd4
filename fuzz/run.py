"""Drive the fuzz targets by coverage, with atheris: `make fuzz`, or

    python fuzz/run.py [--seconds N] [TARGET...]

The seconds are shared among the targets. Each begins with `corpus/TARGET/`; what it learns on the way is kept under
`build/fuzz/TARGET/` and taken up by the next run. An input that breaks a parser is written to `build/fuzz/TARGET-crash-...`,
with the command that repeats it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WORK = ROOT / "build" / "fuzz"
HELPERS = [str(ROOT / "tests" / "simulators"), *(str(ROOT / "tests" / "unit" / room) for room in ("node", "cases"))]
sys.path[:0] = [str(ROOT / "src"), *HELPERS, str(HERE)]

_MOST_BYTES = 1 << 14  # of one input
_MOST_SECONDS = 20  # that one input may take
_MOST_MEMORY = 2048  # MiB


def drive(name: str, words: list[str]) -> None:
    """Fuzz one target in this process; never returns."""
    import atheris

    with atheris.instrument_imports(include=["shieldwall"]):
        import fuzz_targets

        fuzz_targets.check(
            name, b""
        )  # what a target makes once is made, and what it imports, before the clock of an input runs
    atheris.Setup([sys.argv[0], *words], lambda data: fuzz_targets.check(name, data))
    atheris.Fuzz()


def run(name: str, seconds: int) -> bool:
    """Fuzz one target for some seconds in a process of its own; True when nothing was found."""
    learnt = WORK / name
    learnt.mkdir(parents=True, exist_ok=True)
    words = [
        f"-max_total_time={seconds}", f"-max_len={_MOST_BYTES}", f"-timeout={_MOST_SECONDS}",
        f"-rss_limit_mb={_MOST_MEMORY}", f"-artifact_prefix={WORK / name}-", "-print_final_stats=1", "-verbosity=0",
        str(learnt), str(HERE / "corpus" / name),
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, __file__, "--drive", name, *words],
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
    )
    numbers = dict(
        line.removeprefix("stat::").split(":", 1) for line in done.stderr.splitlines() if line[:6] == "stat::"
    )
    print(
        f"{name}: {numbers.get('number_of_executed_units', '?').strip()} inputs, exit code {done.returncode}",
        flush=True,
    )
    if done.returncode:
        print("\n".join([done.stdout[-3000:], done.stderr[-3000:]]))
        print(f"again: python fuzz/run.py --drive {name} {WORK.relative_to(ROOT)}/{name}-...", flush=True)
    return not done.returncode


def main() -> int:
    """Share the seconds among the targets; exit code 1 when one found something."""
    if sys.argv[1:2] == ["--drive"]:
        drive(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(",")[0])
    parser.add_argument("--seconds", type=int, default=int(os.environ.get("FUZZ_SECONDS", "3600")))
    parser.add_argument("targets", nargs="*")
    words = parser.parse_args()
    if find_spec("atheris") is None:
        sys.exit("atheris is not installed: python -m pip install --group fuzz (tests/faults needs none of it)")
    names = words.targets or sorted(path.name for path in (HERE / "corpus").iterdir())
    each = max(1, words.seconds // len(names))
    return int(False in {name: run(name, each) for name in names}.values())


if __name__ == "__main__":
    sys.exit(main())
