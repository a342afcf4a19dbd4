"""Kill -9 at random moments while a node writes: nothing that was acknowledged is lost, and the audit log verifies."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = int(os.environ.get("SHIELDWALL_KILLS", "50"))
SEED = int(os.environ.get("SHIELDWALL_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)


def kill(times, folder):
    driver = Path(__file__).with_name("node_kills_driver.py")
    done = subprocess.run(
        [sys.executable, "-W", "error", driver, str(times), str(SEED), folder],
        check=False,
        capture_output=True,
        text=True,
    )
    print(done.stdout)  # noqa: T201 - how many were killed, shown by -rP
    assert done.returncode == 0, f"SHIELDWALL_SEED={SEED} SHIELDWALL_KILLS={times}\n{done.stdout}\n{done.stderr}"
    assert f"{times} killed" in done.stdout


def test_a_few_kills(tmp_path):
    kill(4, tmp_path / "kills")


@pytest.mark.full
def test_nodes_killed_at_random_moments_lose_nothing(tmp_path):
    """`make faults-long` kills 500; SHIELDWALL_SEED repeats a run."""
    kill(KILLS, tmp_path / "kills")
