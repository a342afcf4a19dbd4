"""The node's folder: made, opened, and looked at before anything is done with it.

    DIR/node.toml            settings (node.nodeconfig)
    DIR/keys.json            the master key, wrapped in slots (node.slots)
    DIR/node.db              the store, where it is SQLite
    DIR/audit-roots.jsonl    signed roots, unless the settings say elsewhere (node.exported)

Only the folder's owner may enter it. Opening runs the self-test of the cryptography, and refuses a clock that stands before the
last entry of the audit log, and a log that does not continue the newest exported root.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from shieldwall.errors import StoreError, Tampered
from shieldwall.model.access import Identity
from shieldwall.model.moment import utc
from shieldwall.node.exported import Exported
from shieldwall.node.identity import NodeKeys, begin_keys, load_keys
from shieldwall.node.keysource import KeySource
from shieldwall.node.nodeconfig import FILE, NodeConfig, is_server, load_node, node_toml
from shieldwall.node.operators import NODE
from shieldwall.node.selftest import must_pass
from shieldwall.node.slots import Cost, KeySlots, SlotKey, new_slots
from shieldwall.node.witness import Due, Witness
from shieldwall.store import Secrets, Store
from shieldwall.store.engine import Clock, wall_clock

KEYS = "keys.json"
SLACK = 60 * 1_000_000  # microseconds that the clock may stand before the last entry of the audit log
_ACCEPTED = "clock accepted at"  # the log's time that a clock before it was accepted with
_MAGIC = b"SQLite format 3\x00"  # of a database that is not encrypted


@dataclass(frozen=True, slots=True)
class OpenHome:
    """An open node: everything that serving and commands need. Close it, or leave its context.

    Attributes:
        path: Its folder.
        config: Its settings.
        slots: Its key slots.
        secrets: The keys of its store.
        store: Its store.
        keys: Its identity.
        exported: Its exported roots.
    """

    path: Path
    config: NodeConfig
    slots: KeySlots
    secrets: Secrets = field(repr=False)
    store: Store
    keys: NodeKeys
    exported: Exported

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()

    @property
    def witness(self) -> Witness:
        """Signs roots of the audit log."""
        due = Due(self.config.roots_every_leaves, self.config.roots_every_minutes * 60_000_000)
        return Witness(self.store, self.keys, self.exported, due)


def make_home(
    path: Path,
    key: SlotKey,
    *,
    identity: Identity,
    slot: str = "first",
    settings: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock = wall_clock,
    cost: Cost | None = None,
) -> OpenHome:
    """Make a node: folder, settings, keys, store, identity and a first signed root.

    Args:
        path: Its folder; new, or empty.
        key: What opens its first key slot.
        identity: Who does it.
        slot: Name of that slot.
        settings: For node.toml, by name.
        environ: Variables over them.
        clock: Microseconds of Unix time.
        cost: Of a passphrase.

    Raises:
        UsageError: A setting does not fit, or the passphrase is too short.
        StoreError: There is something already, or it cannot be written.
    """
    must_pass()
    slots, master = new_slots(key, name=slot, at=clock() // 1_000_000, cost=cost)
    path = path.absolute()
    folder_for(path)
    try:
        write_private(path / FILE, node_toml(settings or {}).encode())
        config = load_node(path, environ or {})
        write_private(path / KEYS, slots_json(slots))
        secrets = Secrets(master)
        store = new_store(path, config, secrets, clock)
        store.record(identity, "node.init", "done", node=slots.node)
        keys = begin_keys(store, identity, slots.node)
        home = OpenHome(path, config, slots, secrets, store, keys, Exported(config.audit_roots))
        home.witness.sign(identity)
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)  # it was new or empty: nothing that failed looks like a node
        raise
    return home


def open_home(
    path: Path,
    source: KeySource,
    *,
    identity: Identity = NODE,
    environ: Mapping[str, str] | None = None,
    clock: Clock = wall_clock,
    accept_clock: bool = False,
    checked: bool = True,
) -> OpenHome:
    """Open a node.

    Args:
        path: Its folder.
        source: Where the key comes from.
        identity: Who does it, for the audit log.
        environ: Variables over its settings.
        clock: Microseconds of Unix time.
        accept_clock: Go on with a clock that stands before the last entry of the audit log, and record that.
        checked: Refuse a clock or an audit log that does not fit; False for the commands that look into why.

    Raises:
        WrongKey: The key does not open it.
        Tampered: The audit log does not continue the newest exported root, or something else was changed.
        StoreError: It cannot be opened.
    """
    must_pass()
    path = path.absolute()
    config = load_node(path, environ or {})
    only_owner(path)
    slots = read_slots(path)
    secrets = Secrets(slots.unlock(source()))
    place = database(path, config)
    if not is_server(place):
        _encrypted(Path(place))
    store = Store.open(place, secrets, clock)
    try:
        keys = load_keys(store, identity, slots.node)
        home = OpenHome(path, config, slots, secrets, store, keys, Exported(config.audit_roots))
        if checked:
            refuse_old_clock(store, identity, accept=accept_clock)
            home.witness.verify_quickly(identity)
    except BaseException:
        store.close()
        raise
    return home


def refuse_old_clock(store: Store, identity: Identity, *, accept: bool = False) -> None:
    """Refuse a clock that stands more than a minute before the last entry of the audit log.

    The log never goes back: while the clock stands before its last entry, entries bear that entry's time, and so does all that
    the store dates. What is accepted holds until the clock has passed that time.

    Args:
        store: The store.
        identity: Who starts.
        accept: Go on, and record it.

    Raises:
        StoreError: It does.
    """
    with store.inside(identity) as work:
        last = work.audit.head().at
        accepted = work.notes.get(_ACCEPTED)
    now = store.clock()
    if now >= last - SLACK or accepted == str(last):
        return
    if not accept:
        raise StoreError(
            f"the clock says {utc(now // 1_000_000)}, and the audit log's last entry is of {utc(last // 1_000_000)}",
            hint="set the clock; if it is right and the log's time was wrong: shieldwall node status --accept-clock",
        )
    with store.act(identity, "node.clock", behind_seconds=(last - now) // 1_000_000) as work:
        work.notes.put(_ACCEPTED, str(work.audit.head().at))


def read_slots(path: Path) -> KeySlots:
    """The key slots of the node in `path`.

    Raises:
        StoreError: There are none, or they are broken.
    """
    file = path / KEYS
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise StoreError(f"{file}: cannot be read ({error.strerror})", hint="restore keys.json from a backup") from None
    return KeySlots.from_json(raw, str(file))


def change_slots(home: OpenHome, change: Callable[[KeySlots], KeySlots], identity: Identity, verb: str) -> OpenHome:
    """Put other key slots in the place of a node's, as an act: the file is written before the act is committed.

    Args:
        home: The node.
        change: Makes the new slots of those in the file.
        identity: Who does it.
        verb: As in key-slot.add.
    """
    before = read_slots(home.path)
    slots = change(before)
    changed = {slot.id for slot in slots.slots} ^ {slot.id for slot in before.slots}
    try:
        with home.store.act(identity, verb, slots=sorted(changed)):
            replace_private(home.path / KEYS, slots_json(slots))
    except Exception:  # the act was not recorded, so it must not have been done
        replace_private(home.path / KEYS, slots_json(before))
        raise
    return OpenHome(home.path, home.config, slots, home.secrets, home.store, home.keys, home.exported)


def slots_json(slots: KeySlots) -> bytes:
    """The text of keys.json."""
    return json.dumps(slots.as_dict(), indent=1).encode() + b"\n"


def new_store(path: Path, config: NodeConfig, secrets: Secrets, clock: Clock) -> Store:
    """Make a node's store; a file of its own is for its owner alone, and so are those that SQLite lays beside it.

    Raises:
        StoreError: There is one already, or it cannot be made.
    """
    place = database(path, config)
    if not is_server(place):
        write_private(Path(place), b"")
    return Store.create(place, secrets, clock)


def database(path: Path, config: NodeConfig) -> str:
    """The place of a node's store, as `Store` takes it."""
    return config.database if is_server(config.database) else str(path / config.database)


def folder_for(path: Path) -> None:
    """Make a node's folder, for its owner alone.

    Raises:
        StoreError: There is something in it, or it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(path.iterdir()):
            raise StoreError(f"{path}: the folder is not empty", hint="name a new folder")
        path.chmod(0o700)
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be made ({error.strerror})", hint="name a folder that you may write"
        ) from None


def only_owner(path: Path) -> None:
    """Refuse a folder, or keys in it, that others may read or write.

    Raises:
        StoreError: They may.
    """
    for file in (path, path / KEYS):
        try:
            mode = file.stat().st_mode
        except OSError as error:
            raise StoreError(f"{file}: cannot be read ({error.strerror})", hint="restore a backup") from None
        if mode & 0o077:
            raise StoreError(f"{file}: others than its owner may use it", hint=f"chmod go= {file}")


def write_private(path: Path, raw: bytes) -> None:
    """Write a new file that its owner alone may read, synced to disk.

    Raises:
        StoreError: There is one, or it cannot be written.
    """
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})", hint="name another place") from None


def replace_private(path: Path, raw: bytes) -> None:
    """Put a file in the place of another one at once: a stop leaves the old one or the new one.

    Raises:
        StoreError: It cannot be written.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    write_private(aside, raw)
    try:
        aside.replace(path)
        number = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})", hint="check free space and rights") from None


def _encrypted(path: Path) -> None:
    """Refuse a SQLite file in the clear: a build of sqlcipher3 without SQLCipher would take the key and do nothing with it."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_MAGIC))
    except OSError:
        return  # opening the store says what is wrong
    if start == _MAGIC:
        raise Tampered(f"{path}: the database is not encrypted", hint="restore a backup: shieldwall node restore")
