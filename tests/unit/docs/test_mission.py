"""docs/mission.md names only what exists, and every line of the mission."""

from __future__ import annotations

import re
import subprocess
import sys

PARTS = 12  # lines of the mission, plus one for what is known


def rows(root):
    text = (root / "docs" / "mission.md").read_text(encoding="utf-8")
    table = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in table[2:]]


def test_every_part_has_a_state(root):
    found = rows(root)
    assert len(found) == PARTS + 1
    assert all(len(row) == 5 and row[4] for row in found)


def test_pages_and_tests_exist(root):
    for row in rows(root):
        for page in re.findall(r"\]\(([^)]+)\)", row[2]):
            assert (root / "docs" / page).is_file(), page
        for place in re.findall(r"`([^`]+)`", row[3]):
            assert any((root / place).rglob("test_*.py")), place


def test_commands_exist(root):
    for row in rows(root):
        for command in re.findall(r"`shieldwall ([^`]+)`", row[1]):
            asked = [sys.executable, "-m", "shieldwall", *command.split(), "--help"]
            assert subprocess.run(asked, check=False, capture_output=True).returncode == 0, command


def test_what_names_nothing_says_not_yet(root):
    for row in rows(root):
        assert row[1] or "not yet" in row[4]
