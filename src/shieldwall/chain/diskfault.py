"""A fault of the file system in our words, by whose file it is."""

from __future__ import annotations

import os
from pathlib import Path

from shieldwall.errors import BadInput, ShieldwallError, StoreError


def disk_fault(error: OSError, folder: Path) -> ShieldwallError:
    """What to raise for `error`: of the store in `folder` where the file is one of its own or not named, else of a source."""
    name = error.filename if isinstance(error.filename, str) else os.fspath(error.filename or folder)
    text = f"{name}: {error.strerror or error}"
    if Path(name).absolute().is_relative_to(folder.absolute()):
        hint = "the last committed state is intact: make room or give permission, and run the same command again"
        return StoreError(text, hint=hint)
    return BadInput(text, hint="make the file readable, or leave it out")
