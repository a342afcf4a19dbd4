"""Kill -9 at random moments leaves the last commit, and the same command goes on from there."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from faults_support import content_of, left_over, scenes, stop_at

KILLS = int(os.environ.get("SHIELDWALL_KILLS", "50"))
SEED = int(os.environ.get("SHIELDWALL_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)


class Stop(BaseException):
    """The machine stops here."""


def stop():
    raise Stop


@pytest.mark.full
def test_processes_killed_at_random_moments_go_on(tmp_path):
    """`make faults-long` kills 500; SHIELDWALL_SEED repeats a run."""
    driver = Path(__file__).with_name("kills_driver.py")
    done = subprocess.run(
        [sys.executable, "-W", "error", driver, str(KILLS), str(SEED), tmp_path / "kills"],
        check=False,
        capture_output=True,
        text=True,
    )
    print(done.stdout)  # noqa: T201 - how many were killed, shown by -rP
    assert done.returncode == 0, f"SHIELDWALL_SEED={SEED} SHIELDWALL_KILLS={KILLS}\n{done.stdout}\n{done.stderr}"
    assert " killed" in done.stdout


@pytest.mark.full
def test_a_stop_before_each_thing_done_to_the_disk(tmp_path):
    """Every act of every scene, stopped at every seventeenth place, in one process."""
    (tmp_path / "scenes").mkdir()
    for scene in scenes(tmp_path / "scenes", blocks=24):
        number, ended = 0, False
        while not ended:
            folder = tmp_path / f"{scene.name} {number}"
            scene.begin(folder)
            with pytest.MonkeyPatch.context() as patch:
                stop_at(patch.setattr, number, stop)
                try:
                    scene.act(folder)
                    ended = True
                except Stop:
                    pass
            found = content_of(folder)
            assert found is not None or scene.base is None
            scene.act(folder)
            assert content_of(folder) == scene.wanted, (scene.name, number)
            assert not left_over(folder)
            number += 17
        assert number > 17
