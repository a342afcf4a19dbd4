"""Backups: one file with all that the store holds, made while the node runs, restored into a new folder anywhere.

The file carries the key slots, so what opens the node opens its backup; it may be sealed to offline keys besides, which open it
when every passphrase is lost. Chain stores are not in it: they are public facts, and can be built again. Nor are sessions,
challenges and invitations: whoever was signed in signs in again. Format: docs/spec/backup.md.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shieldwall import __version__
from shieldwall.errors import BadText, StoreError, Tampered, WrongKey
from shieldwall.model.access import Identity
from shieldwall.model.canonical import canonical_json
from shieldwall.model.strictjson import parse_json
from shieldwall.node.demand import demand
from shieldwall.node.exported import Exported
from shieldwall.node.home import KEYS, OpenHome, folder_for, new_store, slots_json, write_private
from shieldwall.node.identity import load_keys
from shieldwall.node.nodeconfig import FILE, load_node, node_toml
from shieldwall.node.offlinekey import OfflinePublic, OfflineSecret
from shieldwall.node.sealedfile import PREFIX, read_frames, write_frames
from shieldwall.node.slots import Cost, KeySlots, SlotKey
from shieldwall.node.witness import Witness
from shieldwall.store import Secrets, Store, migrate
from shieldwall.store.dump import dump, load
from shieldwall.store.engine import Clock, wall_clock

MAGIC = b"shieldwall-backup 1\n"
LEFT_OUT = frozenset(("answers", "sessions", "challenges", "invitations"))
"""Tables that are not in a backup: who was signed in is not signed in elsewhere."""

_LARGEST_HEADER = 1 << 20  # bytes
_KEY = 32
_NONCE = 12
_MOST_RECIPIENTS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What stands at the front of a backup, in the clear.

    Attributes:
        node: The node's id.
        made_at: Microseconds.
        program: The version that made it.
        form: The form of the database.
        prefix: Of the nonces.
        wrapped: The file's key, under one that comes from the master key.
        recipients: By id of an offline key: file key and master key, sealed to it.
        slots: The key slots of the node.
        raw: As it stands in the file.
    """

    node: str
    made_at: int
    program: str
    form: str
    prefix: bytes
    wrapped: bytes
    recipients: Mapping[str, bytes]
    slots: KeySlots
    raw: bytes = field(repr=False, default=b"")

    @property
    def bound(self) -> bytes:
        """What every frame is bound to."""
        return sha256(self.raw).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore made.

    Attributes:
        node: The node's id.
        path: Its new folder.
        made_at: When the backup was made, in microseconds.
        leaves: Leaves of the audit log in it.
        rows: Rows by table.
        warning: Why the node will not start without an administrator's word: it is older than an exported root; "" else.
    """

    node: str
    path: Path
    made_at: int
    leaves: int
    rows: Mapping[str, int]
    warning: str


def write_backup(
    home: OpenHome, target: Path, identity: Identity, to: Sequence[OfflinePublic] = ()
) -> Mapping[str, int]:
    """Write a backup of an open node, of one moment, while it runs; its name appears when it is whole and on the disk.

    Args:
        home: The node.
        target: A new file.
        identity: Who asks.
        to: Offline keys that it is sealed to besides.

    Returns:
        Rows by table.

    Raises:
        StoreError: The file is there already, or cannot be written.
    """
    if target.exists():
        raise StoreError(f"{target}: there is a file already", hint="name a new file")
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    counts: dict[str, int] = {}
    try:
        with home.store.look(identity, "node.backup", to=[key.id for key in to]) as work, _new(aside) as file:
            lines = _lines_of(home, dump(work, leave_out=LEFT_OUT), counts)
            _write(file, home, to, work.now, lines)
            work.note(rows=sum(counts.values()))
        aside.rename(target)  # after the record of the act is committed
        _sync(target.parent)
    except OSError as error:
        raise StoreError(
            f"{target}: cannot be written ({error.strerror})", hint="check free space and rights"
        ) from None
    finally:
        aside.unlink(missing_ok=True)
    return counts


def read_header(file: IO[bytes], place: str) -> Header:
    """The front of a backup, read within bounds.

    Raises:
        BadText: It is no backup.
    """
    magic, size = file.read(len(MAGIC)), int.from_bytes(file.read(4), "big")
    if magic != MAGIC or not 2 <= size <= _LARGEST_HEADER:
        raise BadText(f"{place}: no backup of a node")
    raw = file.read(size)
    try:
        body = parse_json(raw, place)
        recipients = {entry["key"]: base64.b64decode(entry["sealed"], validate=True) for entry in body["to"]}
        header = Header(
            node=body["node"],
            made_at=body["made_at"],
            program=body["program"],
            form=body["form"],
            prefix=bytes.fromhex(body["prefix"]),
            wrapped=bytes.fromhex(body["wrapped"]),
            recipients=recipients,
            slots=KeySlots.from_dict(body["slots"], place),
            raw=raw,
        )
        demand(type(header.made_at) is int, isinstance(header.form, str), isinstance(header.program, str))
        demand(
            len(header.prefix) == PREFIX, len(header.wrapped) == _NONCE + _KEY + 16, header.slots.node == header.node
        )
        demand(len(recipients) <= _MOST_RECIPIENTS, 0 <= header.made_at < 1 << 60)
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error):
        raise BadText(f"{place}: the front of the backup is broken", hint="take another copy of it") from None
    return header


def restore(
    source: Path,
    path: Path,
    *,
    key: Callable[[], SlotKey] | None = None,
    offline: OfflineSecret | None = None,
    new_slot: SlotKey | None = None,
    settings: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    identity: Identity,
    clock: Clock = wall_clock,
    cost: Cost | None = None,
) -> Restored:
    """Make a new node folder of a backup. Nothing in the file names a place on this machine.

    Args:
        source: The backup.
        path: The new folder.
        key: Opens a key slot of the node.
        offline: An offline key that it was sealed to, instead.
        new_slot: Opens the node from now on, where `offline` was used.
        settings: For node.toml, over those of the backup: database, audit_roots.
        environ: Variables over them.
        identity: Who does it.
        clock: Microseconds of Unix time.
        cost: Of a new passphrase.

    Raises:
        WrongKey: The key does not open it.
        Tampered: It was changed or cut.
        StoreError: The folder is not new, or cannot be written.
    """
    try:
        file = source.open("rb")
    except OSError as error:
        raise StoreError(f"{source}: cannot be read ({error.strerror})", hint="check the name") from None
    with file:
        header = read_header(file, str(source))
        if header.form not in migrate.known():
            raise StoreError(
                f"{source}: made by version {header.program[:20]}, whose database has a form that this program does not know",
                hint="install that version, or a later one",
            )
        file_key, master, slots = _keys(header, key, offline, new_slot, clock() // 1_000_000, cost)
        lines = read_frames(file, file_key, header.prefix, header.bound, str(source))
        kept = _first(lines, str(source))
        path = path.absolute()
        folder_for(path)
        try:
            write_private(path / FILE, node_toml({**kept, **(settings or {})}).encode())
            write_private(path / KEYS, slots_json(slots))
            config = load_node(path, environ or {})
            with new_store(path, config, Secrets(master), clock) as store:
                rows = _load(store, identity, lines, str(source), header.form)
                return _finish(store, identity, header, path, Exported(config.audit_roots), rows)
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)  # nothing of a restore that failed looks like a node
            raise


def _finish(
    store: Store, identity: Identity, header: Header, path: Path, exported: Exported, rows: Mapping[str, int]
) -> Restored:
    keys = load_keys(store, identity, header.node)
    witness = Witness(store, keys, exported)
    leaves = store.audit_size()
    warning = ""
    try:
        if exported.last() is not None:
            witness.verify_quickly(identity)
    except Tampered as error:
        warning = error.message
    form = migrate.newest()
    store.record(identity, migrate.RESTORED, "done", made_at=header.made_at, leaves=leaves, form=form)
    if not warning:
        witness.sign(identity)
    return Restored(node=header.node, path=path, made_at=header.made_at, leaves=leaves, rows=rows, warning=warning)


def _keys(
    header: Header,
    key: Callable[[], SlotKey] | None,
    offline: OfflineSecret | None,
    new_slot: SlotKey | None,
    at: int,
    cost: Cost | None,
) -> tuple[bytes, bytes, KeySlots]:
    """The file's key, the master key, and the slots of the new folder."""
    if offline is not None:
        sealed = header.recipients.get(offline.public.id)
        if sealed is None:
            raise WrongKey("the backup was not sealed to that offline key", hint="take the key that it was sealed to")
        both = offline.open(sealed, _info(header.node, header.prefix))
        if new_slot is None or len(both) != 2 * _KEY:
            raise WrongKey("a restore by an offline key needs a new passphrase or credential file")
        slots = KeySlots(header.node, ()).with_slot(both[_KEY:], new_slot, name="restored", at=at, cost=cost)
        return both[:_KEY], both[_KEY:], slots
    if key is None:
        raise WrongKey("a key of the node is needed", hint="give its passphrase or credential file")
    master = header.slots.unlock(key())
    try:
        opened = AESGCM(Secrets(master).derive("backup")).decrypt(
            header.wrapped[:_NONCE], header.wrapped[_NONCE:], _info(header.node, header.prefix)
        )
    except InvalidTag:
        raise Tampered("the backup's key is not what was written", hint="take another copy of the backup") from None
    return opened, master, header.slots


def _write(file: IO[bytes], home: OpenHome, to: Sequence[OfflinePublic], at: int, lines: Iterator[bytes]) -> None:
    file_key, prefix, nonce = secrets.token_bytes(_KEY), secrets.token_bytes(PREFIX), secrets.token_bytes(_NONCE)
    node, info = home.slots.node, _info(home.slots.node, prefix)
    wrapped = nonce + AESGCM(home.secrets.derive("backup")).encrypt(nonce, file_key, info)
    both = file_key + home.secrets.master
    sealed = [{"key": key.id, "sealed": base64.b64encode(key.seal(both, info)).decode()} for key in to]
    raw = canonical_json(
        {
            "form": migrate.newest(),
            "made_at": at,
            "node": node,
            "prefix": prefix.hex(),
            "program": __version__,
            "slots": home.slots.as_dict(),
            "to": sealed,
            "wrapped": wrapped.hex(),
        }
    )
    file.write(MAGIC + len(raw).to_bytes(4, "big") + raw)
    write_frames(file, file_key, prefix, sha256(raw).digest(), lines)
    file.flush()
    os.fsync(file.fileno())


def _lines_of(home: OpenHome, rows: Iterator[tuple[str, Mapping[str, Any]]], counts: dict[str, int]) -> Iterator[bytes]:
    """The lines of the frames: settings that name no place, every row, and how many there were."""
    config = home.config
    kept = {"name": config.name, "host": config.host, "port": config.port, "people": asdict(config.people)}
    yield canonical_json({"settings": kept})
    for table, row in rows:
        counts[table] = counts.get(table, 0) + 1
        yield canonical_json([table, row])
    yield canonical_json({"end": counts})


def _first(lines: Iterator[bytes], place: str) -> dict[str, Any]:
    try:
        kept = parse_json(next(lines, b""), place)["settings"]
        demand(set(kept) <= {"name", "host", "port", "people"})
        return {name: value for name, value in kept.items() if _is_plain(value)}
    except (BadText, KeyError, TypeError, ValueError):
        raise Tampered(f"{place}: the backup does not begin as one") from None


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int) or (
        isinstance(value, dict)
        and all(isinstance(entry, int) and str(name).isidentifier() for name, entry in value.items())
    )


def _load(store: Store, identity: Identity, lines: Iterator[bytes], place: str, form: str) -> Mapping[str, int]:
    ended: dict[str, int] = {}

    def rows() -> Iterator[tuple[str, Mapping[str, Any]]]:
        for line in lines:
            body = parse_json(line, place)
            if isinstance(body, dict):
                ended.update(body.get("end", {}))
                return
            if not isinstance(body, list) or len(body) != 2 or not isinstance(body[1], dict):
                raise BadText(f"{place}: a line is no row")
            yield str(body[0]), body[1]

    with store.upkeep(identity) as work:
        counts = load(work, rows(), form=form)
        if counts != ended or next(lines, None) is not None:
            raise Tampered(
                f"{place}: the backup has other rows than it says at its end", hint="take another copy of it"
            )
        head = work.audit.head().frontier  # Tampered where there is none
        if head.size != counts.get("audit_leaves", 0):
            raise Tampered(f"{place}: the audit log in it has another size than its head says")
    return counts


def _info(node: str, prefix: bytes) -> bytes:
    return f"shieldwall/1/backup/{node}/".encode() + prefix


@contextlib.contextmanager
def _new(path: Path) -> Iterator[IO[bytes]]:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        yield file


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
