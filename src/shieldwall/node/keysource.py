"""Where the key that opens a node comes from: a credential file, a passphrase in a file, or someone who types it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from shieldwall.errors import UsageError, WrongKey
from shieldwall.node.slots import Credential, Passphrase, SlotKey, read_credential

KeySource = Callable[[], SlotKey]
"""Gives the key when it is needed, not before."""

CREDENTIAL = "shieldwall-node-key"  # its name among systemd's credentials
PASSPHRASE_FILE = "SHIELDWALL_NODE_PASSPHRASE_FILE"  # noqa: S105 - a variable's name
KEY_FILE = "SHIELDWALL_NODE_KEY_FILE"
_LARGEST = 4096  # bytes


def key_source(
    environ: Mapping[str, str], *, key_file: Path | None = None, ask: Callable[[], str] | None = None
) -> KeySource:
    """The first of these that there is.

    1. the credential file that a command names, or SHIELDWALL_NODE_KEY_FILE;
    2. systemd's credential shieldwall-node-key ($CREDENTIALS_DIRECTORY);
    3. the passphrase in the file that SHIELDWALL_NODE_PASSPHRASE_FILE names;
    4. the passphrase that `ask` gives.

    Args:
        environ: The environment's variables.
        key_file: The credential file that a command names.
        ask: Asks someone for the passphrase; None when nobody is there.
    """

    def source() -> SlotKey:
        if key_file is not None or environ.get(KEY_FILE):
            return credential_file(key_file or Path(environ[KEY_FILE]))
        given = Path(environ["CREDENTIALS_DIRECTORY"]) / CREDENTIAL if environ.get("CREDENTIALS_DIRECTORY") else None
        if given is not None and given.is_file():
            return read_credential(
                _private_text(given, group=True), str(given)
            )  # systemd lets the service in by its group
        if environ.get(PASSPHRASE_FILE):
            return passphrase_file(Path(environ[PASSPHRASE_FILE]))
        if ask is None:
            raise UsageError(
                "the node's key is needed",
                hint=f"give --key-file FILE, {PASSPHRASE_FILE}, or --passphrase-stdin",
            )
        return Passphrase(ask())

    return source


def credential_file(path: Path) -> Credential:
    """The credential in a file that its owner alone may read.

    Raises:
        WrongKey: It is none, or others may read it.
    """
    return read_credential(_private_text(path), str(path))


def passphrase_file(path: Path) -> Passphrase:
    """The passphrase in a file that its owner alone may read; a line end is not part of it.

    Raises:
        WrongKey: It cannot be read, or others may read it.
    """
    return Passphrase(_private_text(path).removesuffix("\n").removesuffix("\r"))


def _private_text(path: Path, *, group: bool = False) -> str:
    """The text of a file that its owner alone may use; `group` where the group may read it."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(_LARGEST + 1)
    except OSError as error:
        raise WrongKey(
            f"{path}: cannot be read ({error.strerror})", hint="check the name and the file's rights"
        ) from None
    if mode & (0o037 if group else 0o077):
        raise WrongKey(f"{path}: others than its owner may use it, so it is no secret", hint=f"chmod go= {path}")
    if len(raw) > _LARGEST:
        raise WrongKey(f"{path}: too large for a key or passphrase")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise WrongKey(f"{path}: not UTF-8") from None
