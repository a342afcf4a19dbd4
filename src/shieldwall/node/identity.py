"""The node's identity: an Ed25519 and an ML-DSA-65 key that only count together, their rotation, and an offline verifier.

A signature is both signatures (RFC 8032; FIPS 204) over one hash that names purpose, key and algorithms, so neither can be
stripped, exchanged or used elsewhere. A new pair is certified by the pair before it, back to the first. Verifying needs the
public document alone. Format and a test vector: docs/spec/node-keys.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey

from shieldwall.errors import BadText, Conflict, StoreError, Tampered
from shieldwall.model.access import Identity
from shieldwall.model.canonical import canonical_json
from shieldwall.model.strictjson import parse_json
from shieldwall.node.demand import demand
from shieldwall.node.spoken import SPOKEN, spoken
from shieldwall.store import Store
from shieldwall.store.nodekeys import KeyRow

ALGORITHMS = ("Ed25519", "ML-DSA-65")
FORMAT = "shieldwall-node-identity"
VERSION = 1
CERTIFY = "node-key"  # purpose of what a pair says of the next one
_SEED = 32
_ED = 32  # bytes of an Ed25519 public key
_ML = 1952  # bytes of an ML-DSA-65 public key (FIPS 204, table 2)
_CONTEXT = b"shieldwall/1"
_PURPOSE = re.compile(r"[a-z][a-z0-9.-]{0,63}")


@dataclass(frozen=True, slots=True)
class PublicPair:
    """Both public keys of a generation, 32 and 1,952 bytes."""

    ed25519: bytes
    mldsa65: bytes

    def __post_init__(self) -> None:
        if len(self.ed25519) != _ED or len(self.mldsa65) != _ML:
            raise ValueError("not the sizes of an Ed25519 and an ML-DSA-65 public key")

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 over a label and both keys."""
        return hashlib.sha256(b"shieldwall/1/fingerprint" + self.ed25519 + self.mldsa65).digest()

    @property
    def id(self) -> str:
        """The first 64 bits of the fingerprint, in hex."""
        return self.fingerprint.hex()[:16]

    @property
    def spoken(self) -> str:
        """The first 112 bits of the fingerprint as 14 words, and a check word."""
        return spoken(self.fingerprint[:SPOKEN])

    def verify(self, purpose: str, message: bytes, envelope: object) -> None:
        """Hold a signature against this pair: both algorithms, or nothing.

        Raises:
            Tampered: It is not this pair's, of this purpose, over this message.
        """
        ed25519, mldsa65 = _signatures(envelope, self.id)
        hashed = signed_hash(purpose, self.id, message)
        try:
            Ed25519PublicKey.from_public_bytes(self.ed25519).verify(ed25519, hashed)
            MLDSA65PublicKey.from_public_bytes(self.mldsa65).verify(mldsa65, hashed, _CONTEXT)
        except (InvalidSignature, ValueError):
            raise Tampered(f"a signature of key {self.id} ({purpose}) does not hold") from None

    def to_bytes(self) -> bytes:
        """Both keys, one after the other."""
        return self.ed25519 + self.mldsa65

    @classmethod
    def from_bytes(cls, raw: bytes) -> PublicPair:
        """What `to_bytes` wrote; ValueError when it is none."""
        return cls(raw[:_ED], raw[_ED:])


@dataclass(frozen=True, slots=True)
class SecretPair:
    """Both secret keys of a generation, as their seeds of 32 bytes."""

    ed25519: bytes = field(repr=False)
    mldsa65: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> SecretPair:
        """A new pair."""
        return cls(secrets.token_bytes(_SEED), secrets.token_bytes(_SEED))

    @property
    def public(self) -> PublicPair:
        """The public halves."""
        return PublicPair(
            Ed25519PrivateKey.from_private_bytes(self.ed25519).public_key().public_bytes_raw(),
            MLDSA65PrivateKey.from_seed_bytes(self.mldsa65).public_key().public_bytes_raw(),
        )

    def sign(self, purpose: str, message: bytes) -> dict[str, Any]:
        """Both signatures over `message`, in an envelope that names key and algorithms."""
        key = self.public.id
        hashed = signed_hash(purpose, key, message)
        ed25519 = Ed25519PrivateKey.from_private_bytes(self.ed25519).sign(hashed)
        mldsa65 = MLDSA65PrivateKey.from_seed_bytes(self.mldsa65).sign(hashed, _CONTEXT)
        return {
            "algorithms": list(ALGORITHMS),
            "key": key,
            "signatures": [base64.b64encode(ed25519).decode(), base64.b64encode(mldsa65).decode()],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A public pair and its time.

    Attributes:
        public: The pair.
        created_at: Microseconds.
        retired_at: Microseconds; None while it is in use.
        certified: The envelope by the generation before; None for the first.
    """

    public: PublicPair
    created_at: int
    retired_at: int | None
    certified: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class PublicIdentity:
    """What others know of a node: every generation of its keys, the first one first. All that verifying needs.

    Attributes:
        node: The node's id, 32 hex digits.
        generations: At least one; the last one is in use.
    """

    node: str
    generations: tuple[Generation, ...]

    @property
    def current(self) -> PublicPair:
        """The pair in use."""
        return self.generations[-1].public

    def verify(self, purpose: str, message: bytes, envelope: object, *, at: int | None = None) -> None:
        """Hold a signature against the generation that it names.

        Args:
            purpose: What was signed for.
            message: What was signed.
            envelope: As `SecretPair.sign` gave it, from JSON.
            at: When it was made, in microseconds, where the message says so: the key must have been in use then.

        Raises:
            Tampered: It does not hold, or names a key that is none of this node's.
        """
        key = envelope.get("key") if isinstance(envelope, Mapping) else None
        for generation in self.generations:
            if generation.public.id != key:
                continue
            if at is not None and not generation.created_at <= at <= (generation.retired_at or at):
                raise Tampered(f"key {key} was not in use when that was signed")
            generation.public.verify(purpose, message, envelope)
            return
        raise Tampered("signed by none of the node's keys")

    def as_dict(self) -> dict[str, Any]:
        """The public document."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "node": self.node,
            "keys": [
                {
                    "id": each.public.id,
                    "ed25519": base64.b64encode(each.public.ed25519).decode(),
                    "mldsa65": base64.b64encode(each.public.mldsa65).decode(),
                    "created_at": each.created_at,
                    "retired_at": each.retired_at,
                    "certified": each.certified,
                }
                for each in self.generations
            ],
        }

    @classmethod
    def from_dict(cls, body: Any) -> PublicIdentity:  # noqa: ANN401 - whatever JSON held
        """The identity that a public document tells; every certificate is held against the generation before.

        Whether the first or the current pair is the right one, the spoken fingerprint tells.

        Raises:
            BadText: It is no such document.
            Tampered: A certificate does not hold.
        """
        try:
            demand(body["format"] == FORMAT, body["version"] == VERSION, 1 <= len(body["keys"]) <= 1000)
            demand(len(bytes.fromhex(body["node"])) == 16)
            generations = tuple(_generation(entry) for entry in body["keys"])
        except (KeyError, TypeError, ValueError, AttributeError, binascii.Error):
            raise BadText("that is no public document of a node", hint="shieldwall node key show -o json") from None
        return cls(body["node"], generations).checked()

    def checked(self) -> PublicIdentity:
        """Itself, where every generation is certified by the one before and times go forward.

        Raises:
            Tampered: Not so.
        """
        for before, after in zip(self.generations, self.generations[1:], strict=False):
            if before.retired_at != after.created_at or after.created_at <= before.created_at or not after.certified:
                raise Tampered(f"key {after.public.id} does not follow on key {before.public.id}")
            before.public.verify(CERTIFY, certificate(self.node, after.public, after.created_at), after.certified)
        if self.generations[0].certified or self.generations[-1].retired_at is not None:
            raise Tampered("the first or the last of the node's keys is missing")
        return self


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """The node's own identity, with the secret half of the pair in use."""

    identity: PublicIdentity
    secret: SecretPair = field(repr=False)

    @property
    def public(self) -> PublicPair:
        """The pair in use."""
        return self.identity.current

    def sign(self, purpose: str, message: bytes) -> dict[str, Any]:
        """Both signatures over `message`, in an envelope that names key and algorithms.

        Args:
            purpose: A word for what it is: a signature never holds for another purpose.
            message: What is signed.
        """
        return self.secret.sign(purpose, message)

    def verify(self, purpose: str, message: bytes, envelope: object, *, at: int | None = None) -> None:
        """See `PublicIdentity.verify`."""
        self.identity.verify(purpose, message, envelope, at=at)


def signed_hash(purpose: str, key: str, message: bytes) -> bytes:
    """What both algorithms sign: SHA-512 over a label, a header that names purpose, key and algorithms, and the message."""
    if not _PURPOSE.fullmatch(purpose):
        raise ValueError(f"{purpose!r} is no purpose")
    header = canonical_json({"algorithms": list(ALGORITHMS), "key": key, "purpose": purpose})
    return hashlib.sha512(b"shieldwall/1/signed" + len(header).to_bytes(4, "big") + header + message).digest()


def certificate(node: str, public: PublicPair, created_at: int) -> bytes:
    """What a generation signs of the next one."""
    return canonical_json({"created_at": created_at, "fingerprint": public.fingerprint.hex(), "node": node})


def begin_keys(store: Store, identity: Identity, node: str) -> NodeKeys:
    """Make the node's first pair, as an act."""
    secret = SecretPair.generate()
    public = secret.public
    with store.act(identity, "node-key.begin", key=public.id) as work:
        work.node_keys.add(_row(public, secret, work.now, b""))
    return load_keys(store, identity, node)


def rotate_keys(store: Store, identity: Identity, keys: NodeKeys) -> NodeKeys:
    """Put a new pair in the place of the one in use, certified by it, as an act."""
    secret, node = SecretPair.generate(), keys.identity.node
    public = secret.public
    with store.act(identity, "node-key.rotate", key=public.id, before=keys.public.id) as work:
        store.backend.lock_head(work.connection)  # two rotations at once would certify two successors of one key
        if work.node_keys.current() != keys.public.id:
            raise Conflict("the keys were rotated in the meantime", hint="look at them again first")
        created_at = max(work.now, keys.identity.generations[-1].created_at + 1)
        signed = keys.sign(CERTIFY, certificate(node, public, created_at))
        work.node_keys.add(_row(public, secret, created_at, canonical_json(signed)))
    return load_keys(store, identity, node)


def refreshed(store: Store, identity: Identity, keys: NodeKeys) -> NodeKeys:
    """The keys in use now: `keys`, unless another process rotated them."""
    with store.inside(identity) as work:
        current = work.node_keys.current()
    return keys if current == keys.public.id else load_keys(store, identity, keys.identity.node)


def load_keys(store: Store, identity: Identity, node: str) -> NodeKeys:
    """The node's identity as its store keeps it.

    Raises:
        Tampered: A certificate does not hold, or the secret half is not that of the public one.
        StoreError: There is none.
    """
    with store.inside(identity) as work:
        rows = work.node_keys.all()
    if not rows:
        raise StoreError("the node has lost its keys", hint="restore a backup: shieldwall node restore")
    try:
        generations = tuple(_kept(row) for row in rows)
        known = PublicIdentity(node, generations).checked()
        secret = SecretPair(rows[-1].secret[:_SEED], rows[-1].secret[_SEED:])
        fitting = secret.public == known.current
    except (BadText, ValueError):
        fitting = False
    if not fitting:
        raise Tampered("the node's keys are not what was written", hint="restore a backup: shieldwall node restore")
    return NodeKeys(known, secret)


def _row(public: PublicPair, secret: SecretPair, at: int, certified: bytes) -> KeyRow:
    return KeyRow(
        id=public.id,
        public=public.to_bytes(),
        secret=secret.ed25519 + secret.mldsa65,
        created_at=at,
        certified=certified,
    )


def _kept(row: KeyRow) -> Generation:
    public = PublicPair.from_bytes(row.public)
    demand(public.id == row.id)
    return Generation(
        public=public,
        created_at=row.created_at,
        retired_at=row.retired_at,
        certified=parse_json(row.certified, f"key {row.id}") if row.certified else None,
    )


def _generation(entry: Mapping[str, Any]) -> Generation:
    created_at, retired_at, certified = entry["created_at"], entry["retired_at"], entry["certified"]
    demand(type(created_at) is int, retired_at is None or type(retired_at) is int)
    demand(certified is None or isinstance(certified, Mapping))
    public = PublicPair(_base64(entry["ed25519"]), _base64(entry["mldsa65"]))
    demand(public.id == entry["id"])
    return Generation(public=public, created_at=created_at, retired_at=retired_at, certified=certified)


def _signatures(envelope: object, key: str) -> Sequence[bytes]:
    """Both signatures of an envelope; what names other algorithms, or one of them alone, is refused."""
    try:
        demand(isinstance(envelope, Mapping))
        body = dict(cast("Mapping[str, Any]", envelope))
        demand(set(body) == {"algorithms", "key", "signatures"}, body["key"] == key)
        demand(body["algorithms"] == list(ALGORITHMS), len(body["signatures"]) == 2)
        return [_base64(text) for text in body["signatures"]]
    except (KeyError, TypeError, ValueError):
        raise Tampered(f"that is no signature by both algorithms ({' and '.join(ALGORITHMS)})") from None


def _base64(text: object) -> bytes:
    if not isinstance(text, str):
        raise ValueError("not base64")  # noqa: TRY004 - callers map ValueError
    return base64.b64decode(text, validate=True)
