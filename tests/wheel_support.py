"""The wheel as it would be published, and what it asks for."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def build_wheel(root: Path, folder: Path) -> Path:
    """Build into `folder` with the pinned backend; needs no network."""
    subprocess.run(
        [sys.executable, "-m", "flit_core.wheel", "--outdir", str(folder), str(root)], check=True, capture_output=True
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def requirements(wheel: Path) -> list[Requirement]:
    """What the wheel requires, extras left aside."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        fields = HeaderParser().parsestr(archive.read(name).decode())
    return [Requirement(text) for text in fields.get_all("Requires-Dist", [])]


def closure(wheel: Path) -> set[str]:
    """Names of all distributions that installing the wheel brings on this Python, its own not counted."""
    found: set[str] = set()
    wanted = requirements(wheel)
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        if name in found or not (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        wanted += [Requirement(text) for text in metadata.distribution(name).requires or ()]
    return found


def megabytes(folder: Path) -> float:
    """Size of all files below `folder`, in units of a million bytes."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()) / 1e6


def named_files(printed: str, folder: Path) -> list[Path]:
    """Every path to a file of the report kinds that a command's output names, seen from `folder`."""
    return [folder / name for name in dict.fromkeys(re.findall(r"[^\s'\"(]+\.(?:html|csv|json)\b", printed))]
