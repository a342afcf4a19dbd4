"""Where fuzz targets put the files that their parsers read."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from shieldwall.errors import ShieldwallError

Target = Callable[[bytes], object]


@cache
def _folder() -> Path:
    """This process's own folder, gone at its end."""
    folder = Path(tempfile.mkdtemp(prefix="shieldwall-fuzz-"))
    process = os.getpid()

    def remove() -> None:
        if os.getpid() == process:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


@contextlib.contextmanager
def preparing() -> Iterator[None]:
    """What a target makes for itself must be made: none of our errors then counts as the answer to an input."""
    try:
        yield
    except ShieldwallError as error:
        raise RuntimeError(f"a fuzz target cannot be prepared: {error}") from error


def path_of(*parts: str) -> Path:
    """A path in that folder; its own folder is there."""
    path = _folder().joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def text_of(data: bytes) -> str:
    """Bytes as the text that a command line would hand over."""
    return data.decode("utf-8", "surrogateescape")
