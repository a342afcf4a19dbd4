"""Key slots: the node's master key, wrapped by one or more keys that people or machines hold.

The master key is 32 random bytes that never change. Each slot holds it wrapped by AES-256-GCM, bound to node and slot: a
passphrase slot under a key that Argon2id (RFC 9106) makes of the passphrase, a file slot under a key that HKDF (RFC 5869) makes
of the 32 random bytes in a credential file. Format: docs/spec/node-keys.md.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shieldwall.errors import BadText, Conflict, NotFound, StoreError, UsageError, WrongKey
from shieldwall.model.strictjson import parse_json
from shieldwall.node.demand import demand

FORMAT = "shieldwall-node-keys"
VERSION = 1
SHORTEST = 12  # characters of a passphrase
MOST_SLOTS = 16
_KEY = 32
_NONCE = 12
_LONGEST = 1024  # characters of a passphrase
_LARGEST = 1 << 16  # bytes of the file


@dataclass(frozen=True, slots=True)
class Cost:
    """What a guess at a passphrase costs (Argon2id).

    Attributes:
        memory: KiB.
        passes: Over the memory.
        lanes: Threads.
    """

    memory: int = 64 * 1024
    passes: int = 3
    lanes: int = 4

    def __post_init__(self) -> None:
        if not (8 <= self.memory <= 1 << 18 and 1 <= self.passes <= 16 and 1 <= self.lanes <= 16):
            raise ValueError("memory 8 KiB to 256 MiB, 1 to 16 passes, 1 to 16 lanes")
        if self.memory < 8 * self.lanes:
            raise ValueError("8 KiB for each lane")


@dataclass(frozen=True, slots=True)
class Passphrase:
    """A passphrase that someone knows."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credential:
    """The 32 bytes of a credential file."""

    key: bytes = field(repr=False)


SlotKey = Passphrase | Credential


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The master key, wrapped once.

    Attributes:
        id: 16 hex digits.
        kind: passphrase or file.
        name: Whose it is, for people.
        made_at: Unix seconds.
        salt: Of the derivation.
        cost: Of a passphrase; None for a file.
        wrapped: Nonce and sealed master key.
    """

    id: str
    kind: str
    name: str
    made_at: int
    salt: bytes
    cost: Cost | None
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class KeySlots:
    """All slots of a node.

    Attributes:
        node: The node's id, 32 hex digits.
        slots: At least one.
    """

    node: str
    slots: tuple[Slot, ...]

    def unlock(self, key: SlotKey) -> bytes:
        """The master key.

        Raises:
            WrongKey: The key opens no slot; which ones there are is not told.
        """
        kind = _kind(key)
        for slot in self.slots:
            if slot.kind != kind:
                continue
            wrapping = _wrapping(key, slot.salt, slot.cost)
            try:
                return AESGCM(wrapping).decrypt(
                    slot.wrapped[:_NONCE], slot.wrapped[_NONCE:], _bound(self.node, slot.id)
                )
            except InvalidTag:
                continue
        raise WrongKey("that key does not open the node", hint="check passphrase or credential file")

    def with_slot(self, master: bytes, key: SlotKey, *, name: str, at: int, cost: Cost | None = None) -> KeySlots:
        """The slots and a new one.

        Args:
            master: The master key.
            key: What opens the new slot.
            name: Whose it is.
            at: Unix seconds.
            cost: Of a passphrase; the usual one by default.

        Raises:
            UsageError: The passphrase is too short, the name is none, or there are too many slots.
        """
        if len(self.slots) >= MOST_SLOTS:
            raise UsageError(
                f"a node has at most {MOST_SLOTS} key slots", hint="remove one: shieldwall node key slot remove"
            )
        if not name or len(name) > 100 or not name.isprintable():
            raise UsageError("a key slot needs a name of 1 to 100 characters")
        if isinstance(key, Passphrase):
            check_passphrase(key.text)
        chosen = (cost or Cost()) if isinstance(key, Passphrase) else None
        slot_id, salt, nonce = secrets.token_hex(8), secrets.token_bytes(32), secrets.token_bytes(_NONCE)
        sealed = AESGCM(_wrapping(key, salt, chosen)).encrypt(nonce, master, _bound(self.node, slot_id))
        slot = Slot(id=slot_id, kind=_kind(key), name=name, made_at=at, salt=salt, cost=chosen, wrapped=nonce + sealed)
        return replace(self, slots=(*self.slots, slot))

    def without(self, slot_id: str) -> KeySlots:
        """The slots but one.

        Raises:
            NotFound: There is no such slot.
            Conflict: It is the last one.
        """
        left = tuple(slot for slot in self.slots if slot.id != slot_id)
        if len(left) == len(self.slots):
            raise NotFound(f"there is no key slot {slot_id}", hint="shieldwall node key slot list")
        if not left:
            raise Conflict(
                "the last key slot stays: without it nobody could open the node", hint="add another one first"
            )
        return replace(self, slots=left)

    def as_dict(self) -> dict[str, Any]:
        """The slots as JSON."""
        return {"format": FORMAT, "version": VERSION, "node": self.node, "slots": [_plain(slot) for slot in self.slots]}

    @classmethod
    def from_json(cls, raw: bytes, place: str) -> KeySlots:
        """What `as_dict` wrote, read with bounds: what is read before any key is known must not cost what it likes.

        Raises:
            StoreError: It is no such thing.
        """
        if len(raw) > _LARGEST:
            raise StoreError(f"{place}: larger than {_LARGEST} bytes")
        try:
            return cls.from_dict(parse_json(raw, place), place)
        except BadText as error:
            raise _broken(error.message) from None

    @classmethod
    def from_dict(cls, body: Any, place: str) -> KeySlots:  # noqa: ANN401 - whatever JSON held
        """See `from_json`."""
        try:
            if body["format"] != FORMAT or body["version"] != VERSION:
                raise StoreError(f"{place}: of another format or version", hint="install the program that wrote it")
            node, listed = body["node"], body["slots"]
            demand(len(bytes.fromhex(node)) == 16, 1 <= len(listed) <= MOST_SLOTS)
            return cls(node, tuple(_slot(entry) for entry in listed))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise _broken(f"{place}: no key slots of a node") from None


def new_slots(key: SlotKey, *, name: str, at: int, cost: Cost | None = None) -> tuple[KeySlots, bytes]:
    """A new node's slots with one that `key` opens, and its master key."""
    master = secrets.token_bytes(_KEY)
    return KeySlots(secrets.token_hex(16), ()).with_slot(master, key, name=name, at=at, cost=cost), master


def new_credential() -> tuple[Credential, str]:
    """A random credential, and the text of its file."""
    key = secrets.token_bytes(_KEY)
    return Credential(key), key.hex() + "\n"


def read_credential(text: str, place: str) -> Credential:
    """The credential in a file's text.

    Raises:
        WrongKey: It is none.
    """
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != _KEY:
        raise WrongKey(
            f"{place}: no credential file (64 hex digits)",
            hint="name one that opens the node; `node init` and `node key slot add` make one where no file is yet",
        )
    return Credential(key)


def check_passphrase(text: str) -> None:
    """Refuse a passphrase that is too short to last.

    Raises:
        UsageError: It is.
    """
    if len(text) < SHORTEST:
        raise UsageError(f"a passphrase has at least {SHORTEST} characters", hint="four or more random words are good")
    if len(text) > _LONGEST or len(set(text)) < 4:
        raise UsageError(
            "that passphrase is too long, or says one thing over and over", hint="four or more random words"
        )


def _kind(key: SlotKey) -> str:
    return "passphrase" if isinstance(key, Passphrase) else "file"


def _wrapping(key: SlotKey, salt: bytes, cost: Cost | None) -> bytes:
    if isinstance(key, Credential):
        return HKDF(algorithm=SHA256(), length=_KEY, salt=salt, info=b"shieldwall/1/slot").derive(key.key)
    chosen = cost or Cost()
    try:
        return hash_secret_raw(
            unicodedata.normalize("NFC", key.text).encode("utf-8", "surrogatepass"),  # keyboards differ in accents
            salt,
            time_cost=chosen.passes,
            memory_cost=chosen.memory,
            parallelism=chosen.lanes,
            hash_len=_KEY,
            type=Type.ID,
        )
    except HashingError as error:
        raise StoreError(
            f"the passphrase cannot be tried ({error})", hint=f"it needs {chosen.memory} KiB of memory"
        ) from None


def _bound(node: str, slot: str) -> bytes:
    return f"shieldwall/1/slot/{node}/{slot}".encode()


def _plain(slot: Slot) -> dict[str, Any]:
    cost = {"memory": slot.cost.memory, "passes": slot.cost.passes, "lanes": slot.cost.lanes} if slot.cost else {}
    return {
        "id": slot.id,
        "kind": slot.kind,
        "name": slot.name,
        "made_at": slot.made_at,
        "salt": slot.salt.hex(),
        **cost,
        "wrapped": slot.wrapped.hex(),
    }


def _slot(entry: Mapping[str, Any]) -> Slot:
    kind, name, made_at = entry["kind"], entry["name"], entry["made_at"]
    cost = None
    if kind == "passphrase":
        numbers = [entry["memory"], entry["passes"], entry["lanes"]]
        demand(*(type(number) is int for number in numbers))
        cost = Cost(*numbers)
    else:
        demand(kind == "file")
    salt, wrapped = bytes.fromhex(entry["salt"]), bytes.fromhex(entry["wrapped"])
    demand(len(bytes.fromhex(entry["id"])) == 8, len(salt) == 32, len(wrapped) == _NONCE + _KEY + 16)
    demand(isinstance(name, str), type(made_at) is int)
    demand(len(name) <= 100, 0 <= made_at < 1 << 40)
    return Slot(id=entry["id"], kind=kind, name=name, made_at=made_at, salt=salt, cost=cost, wrapped=wrapped)


def _broken(message: str) -> StoreError:
    return StoreError(message, hint="restore keys.json from a backup; without it nothing opens the node")
