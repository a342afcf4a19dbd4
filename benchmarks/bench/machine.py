"""What the benchmark runs on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = (
    "numpy", "numba", "pyarrow", "polars", "duckdb", "python-bitcoinlib", "graphsense-clustering", "scipy", "networkx",
)  # fmt: skip


def describe() -> dict[str, str]:
    """Processor, memory, system and versions, by name. Reads /proc where there is one."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return {
        "processor": f"{_line('/proc/cpuinfo', 'model name') or platform.machine()}, {os.cpu_count()} cores",
        "memory": f"{_kilobytes('MemTotal') / 2**20:.1f} GiB",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Python": platform.python_version(),
        **{name: _version(name) for name in LIBRARIES},
        "load before the run (1, 5, 15 minutes)": load,
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _line(path: str, key: str) -> str:
    """What stands behind `key` in a file of /proc; empty where there is none."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def _kilobytes(key: str) -> int:
    return int((_line("/proc/meminfo", key) or "0").split()[0])


def peak_bytes() -> int:
    """Most bytes that this process has held, of its own: what its parent held before it does not count, as in ru_maxrss."""
    told = _line("/proc/self/status", "VmHWM")
    if told:
        return int(told.split()[0]) * 1024
    import resource  # noqa: PLC0415 - no such module on some systems, which then have no peak to tell

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
