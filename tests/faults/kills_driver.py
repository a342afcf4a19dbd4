"""Kill builds and imports at random moments, and look at what they leave; one interpreter that forks a child for each.

    python kills_driver.py KILLS SEED FOLDER

Forking spares the start of an interpreter for each kill. A child is killed by SIGKILL, either after a random time or
before a random thing that it does to the disk. Says what was killed; ends with code 1 and the seed of the kill at a fault.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "simulators")]

import pytest
from faults_support import Act, Scene, content_of, left_over, scenes, stop_at


def measured(scene: Scene, folder: Path) -> tuple[float, int]:
    """Seconds that the act of a scene takes, and how many things it does to the disk."""
    scene.begin(folder)
    done: list[None] = []
    with pytest.MonkeyPatch.context() as patch:
        stop_at(patch.setattr, 0, lambda: done.append(None))
        start = time.perf_counter()
        scene.act(folder)
        seconds = time.perf_counter() - start
    shutil.rmtree(folder)
    return seconds, len(done)


def run_and_kill(act: Act, folder: Path, draw: random.Random, most: tuple[float, int]) -> bool:
    """Do `act` in a child that dies at a random moment before `most`, as `measured`; True when it had ended before."""
    by_count = draw.random() < 0.5
    moment = draw.randrange(most[1]) if by_count else draw.random() * most[0]
    child = os.fork()
    if not child:
        code = 1
        try:
            if by_count:
                stop_at(setattr, int(moment), lambda: os.kill(os.getpid(), signal.SIGKILL))
            act(folder)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    if not by_count:
        time.sleep(moment)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return False
    assert os.waitstatus_to_exitcode(status) == 0, "the child failed by itself"
    return True


def check(scene: Scene, folder: Path) -> None:
    """What was left is a commit; doing the same again ends in the same store."""
    found = content_of(folder)
    before, after = scene.prefixes()
    if found is not None:
        count = len(found.blocks)
        assert found.blocks in (before[:count], after[:count]), "what is left is no beginning of a chain"
    else:
        assert scene.base is None, "the store before is gone"
    scene.act(folder)
    assert content_of(folder) == scene.wanted, "going on led to another store"
    assert not left_over(folder), left_over(folder)


def main(kills: int, seed: int, folder: Path) -> int:
    """Do it `kills` times."""
    (folder / "scenes").mkdir(parents=True)
    all_scenes = scenes(folder / "scenes")
    most = {scene.name: measured(scene, folder / "measured") for scene in all_scenes}
    ended: Counter[str] = Counter()
    killed: Counter[str] = Counter()
    for number in range(kills):
        draw = random.Random(f"{seed} {number}")
        scene = all_scenes[number % len(all_scenes)]
        place = folder / f"kill {number}"
        scene.begin(place)
        try:
            done = run_and_kill(scene.act, place, draw, most[scene.name])
            (ended if done else killed)[scene.name] += 1
            if draw.random() < 0.3:  # and once more on the way back
                run_and_kill(scene.act, place, draw, most[scene.name])
            check(scene, place)
        except BaseException:
            traceback.print_exc()
            print(f"kill {number} of seed {seed}, {scene.name!r}: see {place}")
            return 1
        shutil.rmtree(place)
    for scene in all_scenes:
        print(f"{scene.name}: {killed[scene.name]} killed, {ended[scene.name]} ended before")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
