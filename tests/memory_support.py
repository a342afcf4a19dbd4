"""Where tests may write without a disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_ROOM = 4 << 30  # bytes; the tests fill a gigabyte at once, with a chain of a million transactions


def memory() -> Path | None:
    """A folder in memory that has room, and from which programs may be run; None where there is none.

    Containers often have one of 64 MB, or one that nothing may be run from: a virtualenv in it would not work.
    """
    folder = Path("/dev/shm")  # noqa: S108 - who writes into it makes a name of their own
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return None
    if os.statvfs(folder).f_flag & os.ST_NOEXEC or shutil.disk_usage(folder).free < _ROOM:
        return None
    return folder
