"""Say where the locks and pyproject.toml disagree; needs no network. Part of `make lint`.

Checks that every requirement is pinned at a version that it allows, that no pin is there for a requirement that is gone,
that the locks pin the same versions, that every pin has hashes, and that no lock names an index, a host or a path.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCKS = {
    "requirements-build.lock": ("build",),
    "requirements.lock": ("", "build"),
    "requirements-node.lock": ("", "node", "oidc", "pdf", "postgresql", "build"),
    "requirements-dev.lock": ("", "build", "dev", "docs"),
}
PLACES = re.compile(r"://|^\s*--(?!hash)|(?:^|\s)-[if]\s|(?:^|\s)(?:file:|/)", re.MULTILINE)

Pins = dict[str, set[str]]  # name -> its versions, one for each environment marker


def declared(*groups: str) -> list[Requirement]:
    """Requirements in pyproject.toml of groups and extras; "" is the project's own dependencies."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    core, extras = project["project"]["dependencies"], project["project"]["optional-dependencies"]
    tables = {"": core, **extras, **project["dependency-groups"]}
    return [Requirement(text) for group in groups for text in tables[group]]


def read_lock(text: str) -> tuple[Pins, set[str], list[str]]:
    """What a lock pins, which of it pyproject.toml asked for by name, and what has no hash."""
    pins: Pins = {}
    asked: set[str] = set()
    bare: list[str] = []
    for block in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE):
        if not block.strip() or block.startswith("#"):
            continue
        name, version = re.split(r"==", re.split(r"[ ;\\]", block, maxsplit=1)[0].strip())
        pins.setdefault(canonicalize_name(name), set()).add(version)
        if "(pyproject.toml" in block:
            asked.add(canonicalize_name(name))
        if "--hash=sha256:" not in block:
            bare.append(name)
    return pins, asked, bare


def problems() -> list[str]:
    """Everything that is wrong, a sentence each."""
    found: list[str] = []
    seen: Pins = {}
    for lock, groups in LOCKS.items():
        text = (ROOT / lock).read_text(encoding="utf-8")
        pins, asked, bare = read_lock(text)
        found += [f"{lock}: {name} has no hash" for name in bare]
        if place := PLACES.search(text):
            found.append(f"{lock}: names an index, a host or a path: {place.group().strip()!r}")
        wanted = declared(*groups)
        for requirement in wanted:
            versions = pins.get(canonicalize_name(requirement.name), set())
            if not versions:
                found.append(f"{lock}: {requirement} is not pinned")
            found += [
                f"{lock}: {requirement.name}=={version} does not fit {requirement}"
                for version in sorted(versions)
                if version not in requirement.specifier
            ]
        gone = asked - {canonicalize_name(requirement.name) for requirement in wanted}
        found += [f"{lock}: {name} is pinned, and pyproject.toml no longer asks for it" for name in sorted(gone)]
        for name, versions in pins.items():
            if seen.setdefault(name, versions) != versions:
                found.append(f"{lock}: {name} is pinned at other versions than in another lock")
    return found


def main() -> None:
    """Exit code 1 when something is wrong."""
    found = problems()
    for problem in found:
        print(problem)
    if found:
        sys.exit("run: make lock")
    print("locks fit pyproject.toml")


if __name__ == "__main__":
    main()
