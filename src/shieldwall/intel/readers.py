"""Which reader a file is for, and the file read: the one place of this room's readers that opens a file."""

from __future__ import annotations

import re
from pathlib import Path

from shieldwall.intel import actorpack, addresslist, csvtags, tagpack
from shieldwall.intel.interface import Pack, Reader, ReadOptions
from shieldwall.intel.textfile import read_bytes

READERS: dict[str, Reader] = {
    "actorpack": actorpack.parse,
    "addresslist": addresslist.parse,
    "csvtags": csvtags.parse,
    "tagpack": tagpack.parse,
}

_BY_SUFFIX = {
    ".csv": "csvtags",
    ".tsv": "csvtags",
    ".txt": "addresslist",
    ".lst": "addresslist",
    ".list": "addresslist",
}
_ACTORS = re.compile(rb"^actors[ ]*:", re.MULTILINE)
_TAGS = re.compile(rb"^tags[ ]*:", re.MULTILINE)
_ADDRESS_COLUMN = re.compile(rb"(^|[,;\t\"])address($|[,;\t\"\r])", re.IGNORECASE)


def choose(name: str, raw: bytes) -> str:
    """The name of the reader for a file called `name` that holds `raw`: by its ending, else by what it says.

    Example:
        >>> choose("addresses.csv", b""), choose("pack.yaml", b"actors:"), choose("unknown", b"address,label")
        ('csvtags', 'actorpack', 'csvtags')
    """
    suffix = Path(name).suffix.lower()
    if suffix in (".yaml", ".yml"):
        return "actorpack" if _ACTORS.search(raw) and not _TAGS.search(raw) else "tagpack"
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    if _ACTORS.search(raw):
        return "actorpack"
    if _TAGS.search(raw):
        return "tagpack"
    first = raw.partition(b"\n")[0].strip()
    return "csvtags" if _ADDRESS_COLUMN.search(first) else "addresslist"


def read(path: Path, options: ReadOptions) -> tuple[Pack, bytes]:
    """What a file says, and its bytes.

    Raises:
        UsageError: The file cannot be opened.
        BadText: It is not what its reader reads.
    """
    raw = read_bytes(path)
    return parse(path.name, raw, str(path), options), raw


def parse(name: str, raw: bytes, place: str, options: ReadOptions) -> Pack:
    """What the bytes of a file called `name` say; `place` names it in errors.

    Raises:
        BadText: They are not what their reader reads.
    """
    return READERS[choose(name, raw)](raw, place, options)
