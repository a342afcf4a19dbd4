"""The built wheel, installed from the lock into a virtualenv of its own, does its job in an empty folder."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from wheel_support import build_wheel, megabytes, named_files

pytestmark = pytest.mark.full

MOST_MEGABYTES = 350
MOST_SECONDS = 9 if os.environ.get("CI") else 3


@dataclass(frozen=True)
class Home:
    """A person's whole world: the virtualenv, a home, a folder for temporary files, and the folder to work in."""

    folder: Path

    @property
    def venv(self) -> Path:
        return self.folder / "venv"

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def run(self, *words, cut=False):
        """Run the installed program with nothing of the repository in sight; with `cut`, off the network."""
        env = {"PATH": f"{self.venv / 'bin'}:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(self.folder / "home")}
        env |= {"TMPDIR": str(self.folder / "temporary"), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "error"}
        command = ["shieldwall", *words]
        if cut:
            command = ["unshare", "-rn", *command]
        return subprocess.run(command, cwd=self.work, env=env, check=False, capture_output=True, text=True, timeout=120)

    def outside(self) -> set[tuple[str, int, int]]:
        """Every file outside the folder to work in, with size and time of change."""
        return {
            (str(path), path.lstat().st_size, path.lstat().st_mtime_ns)
            for path in self.folder.rglob("*")
            if not path.is_relative_to(self.work) and not path.is_dir()
        }


@pytest.fixture(scope="module")
def home(root, tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("person"))
    for name in ("home", "temporary", "work"):
        (home.folder / name).mkdir()
    wheel = build_wheel(root, tmp_path_factory.mktemp("wheel"))
    python = home.venv / "bin" / "python"
    uv = shutil.which("uv")
    if uv:
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, home.venv], check=True)
        pip = [uv, "pip", "install", "--quiet", "--python", python]
    else:
        subprocess.run([sys.executable, "-m", "venv", home.venv], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    for words in (
        ["--require-hashes", "-r", root / "requirements-build.lock"],
        ["--require-hashes", "--no-build-isolation", "-r", root / "requirements.lock"],
        ["--no-deps", "--no-index", wheel],
    ):
        subprocess.run([*pip, *words], check=True)
    subprocess.run([python, "-m", "compileall", "-q", home.venv / "lib"], check=False, capture_output=True)
    return home


def test_the_install_is_small(home):
    packages = next((home.venv / "lib").glob("python*")) / "site-packages"
    names = {entry.name.partition("-")[0] for entry in packages.glob("*.dist-info")}
    assert len(names) <= 20, sorted(names)
    assert megabytes(packages) <= MOST_MEGABYTES


def test_help_comes_from_the_wheel(home):
    done = home.run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "demo" in done.stdout


def test_the_core_says_what_a_node_needs_and_has_its_client(home):
    refused = home.run("node", "status")
    assert refused.returncode == 2
    assert "shieldwall[node]" in refused.stderr
    assert home.run("node", "--help").returncode == 0
    command = [home.venv / "bin" / "python", "-W", "error", "-c", "import shieldwall.client"]
    assert subprocess.run(command, check=False, cwd=home.work, capture_output=True).returncode == 0


@pytest.mark.needs("no-network")
def test_the_demonstration_runs_in_an_empty_folder_without_network(home):
    before = home.outside()
    start = time.perf_counter()
    done = home.run("demo", cut=True)
    taken = time.perf_counter() - start
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    reports = named_files(done.stdout, home.work)
    assert len(reports) >= 2
    for report in reports:
        assert report.resolve().is_relative_to(home.work)
        assert {".html", ".csv", ".json"} <= {path.suffix for path in report.parent.glob(report.stem + ".*")}, report
        assert report.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert home.outside() == before
    assert taken < MOST_SECONDS


@pytest.mark.needs("no-network")
def test_the_demonstration_tells_both_acts(home):
    said = home.run("demo", cut=True).stdout
    for amount in ("63.69996546", "58.28829111", "61.46816619"):
        assert amount in said
    assert "EXERCISE" in said
    assert "can freeze it" in said


@pytest.mark.needs("no-network")
def test_the_demonstration_writes_the_same_bytes_twice(home):
    def play():
        done = home.run("demo", cut=True)
        assert done.returncode == 0, done.stdout + done.stderr
        folder = named_files(done.stdout, home.work)[0].parent
        return done.stdout, {path.name: path.read_bytes() for path in folder.iterdir()}

    assert play() == play()
