"""Ransomware groups and families, and what else each is called: names of the MISP galaxy, with its version.

Example:
    >>> [group.name for group in find("ALPHV ransomware")]
    ['BlackCat']
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

_PLAIN = re.compile(r"[^0-9a-z]+")
_ENDINGS = ("ransomware", "ransom", "locker", "group", "gang", "team")


@dataclass(frozen=True, slots=True)
class Group:
    """A family or group.

    Attributes:
        name: As the galaxy calls it.
        uuid: Of its entry there.
        aliases: Other names.
        notes: File names of its ransom notes.
    """

    name: str
    uuid: str
    aliases: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Galaxy:
    """The groups that are known, and where they are from."""

    source: str
    groups: tuple[Group, ...]


@cache
def galaxy() -> Galaxy:
    """The groups that ship with the program."""
    text = (resources.files("shieldwall.cases") / "data" / "ransomware.jsonl").read_text(encoding="utf-8")
    head, *rows = (json.loads(line) for line in text.splitlines())
    groups = tuple(
        Group(row["name"], row["uuid"], tuple(row.get("aliases", ())), tuple(row.get("notes", ()))) for row in rows
    )
    return Galaxy(f"{head['galaxy']}, version {head['version']}", groups)


def find(name: str) -> tuple[Group, ...]:
    """Every group that has this name or is also called so, the one whose own name it is first.

    Case, blanks and words such as "ransomware" do not count. Several mean that the galaxy has several: nobody knows from the
    name alone which one it is.
    """
    wanted = plain(name)
    return _by_name().get(wanted, ()) if wanted else ()


def plain(name: str) -> str:
    """A name as it is compared."""
    words = [word for word in _PLAIN.split(name.casefold()) if word]
    kept = [word for word in words if word not in _ENDINGS] or words
    return "".join(kept)


@cache
def _by_name() -> dict[str, tuple[Group, ...]]:
    found: dict[str, list[Group]] = {}
    for group in galaxy().groups:
        found.setdefault(plain(group.name), []).append(group)
    for group in galaxy().groups:
        for alias in group.aliases:
            there = found.setdefault(plain(alias), [])
            if group not in there:
                there.append(group)
    return {name: tuple(groups) for name, groups in found.items() if name}
