"""Write the hash-pinned locks from pyproject.toml: `make lock`.

One resolution serves every Python from 3.11 on and every platform (environment markers tell them apart), and no index,
host or path is written down, so that a lock holds wherever the packages come from. The locks agree with each other:
each is resolved under the versions of the larger one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST = "3.11"
NODE_EXTRAS = ("node", "oidc", "pdf", "postgresql")
HEADER = "# Made by `make lock` from pyproject.toml; do not edit. Install with --require-hashes.\n"


def find_uv() -> str:
    """The uv program: on the path, or beside this Python."""
    beside = Path(sys.executable).with_name("uv")
    found = shutil.which("uv") or (str(beside) if beside.exists() else None)
    if found is None:
        sys.exit("make lock needs uv: put it on the path (python3 -m pip install uv) and try again")
    return found


def resolve(uv: str, output: Path, *arguments: str) -> None:
    """Resolve into `output`, starting from the versions that are pinned there unless told to upgrade."""
    command = [uv, "pip", "compile", *arguments, "--universal", "--python-version", OLDEST, "--generate-hashes"]
    command += ["--no-header", "--quiet", "--no-emit-index-url", "--no-emit-find-links", "--output-file", output.name]
    if os.environ.get("UPGRADE"):
        command.append("--upgrade")
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - fixed words
    output.write_text(HEADER + output.read_text(encoding="utf-8").removeprefix(HEADER), encoding="utf-8")


def main() -> None:
    """The largest first; the others take its versions."""
    uv = find_uv()
    everything, node, core, build = (ROOT / f"requirements{part}.lock" for part in ("-dev", "-node", "", "-build"))
    groups = ["--group", "build", "--group", "dev", "--group", "docs"]
    resolve(uv, everything, "pyproject.toml", *groups)
    extras = [word for extra in NODE_EXTRAS for word in ("--extra", extra)]
    resolve(uv, node, "pyproject.toml", *extras, "--group", "build", "--constraints", everything.name)
    resolve(uv, core, "pyproject.toml", "--group", "build", "--constraints", everything.name)
    resolve(uv, build, "--group", "build", "--constraints", everything.name)


if __name__ == "__main__":
    main()
