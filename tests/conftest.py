"""Shared by all tests: profiles of hypothesis, where data and components are, and what their absence means.

A test names what it needs: `@pytest.mark.needs("shared")`. Where that is missing, the test is a counted skip; in CI
(the variable CI is set) it is a failure, since CI must have everything.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from postgres_support import Server

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
IN_CI = bool(os.environ.get("CI"))
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

# Helpers of tests, `*_support.py`, are imported by their plain name.
sys.path[:0] = sorted({str(path.parent) for path in (ROOT / "tests").rglob("*_support.py")})
sys.path.append(str(ROOT / "benchmarks"))  # the simulator

# No deadlines: how loaded the machine is must not decide.
for profile, examples in (("default", 50), ("full", 1000)):
    settings.register_profile(
        profile,
        max_examples=examples,
        derandomize=IN_CI,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("default")


@cache
def can_cut_network() -> bool:
    """Whether this process may start another one without a network."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    return subprocess.run([unshare, "-rn", "true"], check=False, capture_output=True).returncode == 0


@cache
def is_checkout() -> bool:
    """Whether the tree is a git checkout, so that it is known which files are its own."""
    return shutil.which("git") is not None and (ROOT / ".git").exists()


@cache
def has_postgresql() -> bool:
    """Whether there is a PostgreSQL server that tests can start for themselves."""
    from postgres_support import programs

    return programs() is not None


COMPONENTS: dict[str, tuple[Callable[[], bool], str]] = {
    "shared": (SHARED.is_dir, "the shared data beside the repository"),
    "browser": (lambda: any(map(shutil.which, BROWSERS)), "a browser without a screen (make system-deps)"),
    "no-network": (can_cut_network, "the right to cut a process off the network (unshare)"),
    "git": (is_checkout, "git and a checkout"),
    "postgresql": (has_postgresql, "a PostgreSQL server (make system-deps)"),
    "litecoind": (lambda: shutil.which("litecoind") is not None, "a Litecoin node (make system-deps)"),
    "faketime": (lambda: shutil.which("faketime") is not None, "faketime (make system-deps)"),
}


def require(component: str) -> None:
    """Go on where `component` is there; else skip, or fail in CI."""
    there, words = COMPONENTS[component]
    if there():
        return
    if IN_CI:
        pytest.fail(f"missing: {words}; CI must have it", pytrace=False)
    pytest.skip(f"missing: {words}")


def write_to_memory() -> None:
    """Let tests write into memory where there is room: what they build is synced at every step, which a disk makes slow.

    `TMPDIR` says otherwise. It holds for the processes that tests start too, and for the workers.
    """
    from memory_support import memory

    found = memory()
    if found is not None and not os.environ.get("TMPDIR"):
        os.environ["TMPDIR"] = str(found)
        tempfile.tempdir = None  # somebody has asked before, and the answer is remembered


def pytest_configure(config: pytest.Config) -> None:
    """Compiled kernels are kept where the other caches are, for this process and those that it starts; see `write_to_memory`."""
    write_to_memory()
    os.environ.setdefault("NUMBA_CACHE_DIR", str(config.rootpath / ".pytest_cache" / "d" / "numba"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Examples in docstrings belong to the full tests."""
    for item in items:
        if isinstance(item, pytest.DoctestItem):
            item.add_marker(pytest.mark.full)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """See `require`."""
    for marker in item.iter_markers("needs"):
        for component in marker.args:
            require(component)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real chain data, tag packs and cases, which lie beside the repository, not in it."""
    require("shared")
    return SHARED


@pytest.fixture(scope="session")
def browser() -> str:
    """The program that draws pages without a screen."""
    require("browser")
    return next(filter(None, map(shutil.which, BROWSERS)))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server of this run's own; a test that takes it is marked `needs("postgresql")`."""
    require("postgresql")
    from postgres_support import running

    with running() as server:
        yield server
