"""What a node reads from files and people: formats of keys, roots, proofs and backups, settings, tokens, passkeys, uploads, jobs.

`fuzz_targets` joins them to its table. Where a format is signed or sealed, the keys are here, so that seeds hold and a changed
input gets behind the first door.
"""

from __future__ import annotations

import io
import json
import math
import shutil
from contextlib import suppress
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fuzz_folder import Target, path_of, preparing, text_of
from home_support import KEY, OPERATOR, Hand, made
from oidc_support import SigningKey
from passkey_support import EDDSA, Authenticator, Key, b64

from shieldwall.errors import ShieldwallError, WrongKey
from shieldwall.model.canonical import canonical_json
from shieldwall.model.claim import Claim
from shieldwall.model.strictjson import parse_json
from shieldwall.node.auditing import is_signed
from shieldwall.node.backup import read_header, restore, write_backup
from shieldwall.node.exported import Exported
from shieldwall.node.home import slots_json
from shieldwall.node.identity import CERTIFY, Generation, PublicIdentity, SecretPair, certificate
from shieldwall.node.jobs.kinds import KINDS, parse
from shieldwall.node.keysource import credential_file, passphrase_file
from shieldwall.node.kinds import check_claim
from shieldwall.node.node import people_config
from shieldwall.node.nodeconfig import FILE, PREFIX, explain, load_node
from shieldwall.node.offlinekey import read_public, read_secret
from shieldwall.node.people.config import OidcConfig, PeopleConfig
from shieldwall.node.people.oidc import Provider, checked_claims
from shieldwall.node.people.passkeys import check_assertion, check_registration, credential_id
from shieldwall.node.proofs import check_proof
from shieldwall.node.sealedfile import MOST_LINES, read_frames, write_frames
from shieldwall.node.slots import Credential, KeySlots, Passphrase, check_passphrase
from shieldwall.node.spoken import SPOKEN, heard, spoken
from shieldwall.node.uploads import MOST_BYTES, MOST_FILES, packs_in
from shieldwall.node.watches.looking import Movement, Seen, Tip, look
from shieldwall.store.credentials import Passkey

# values and claims


def strict_json(data: bytes) -> None:
    """What is read is what every reader reads, and has one canonical form."""
    with suppress(ShieldwallError):
        _finite(parse_json(data, "here", floats=True))
    value = parse_json(data, "here")
    assert value == json.loads(data.decode())
    with suppress(TypeError):  # half a surrogate pair
        raw = canonical_json(value)
        again = parse_json(raw, "again")
        assert again == value
        assert canonical_json(again) == raw


def _finite(value: object) -> None:
    if isinstance(value, float):
        assert math.isfinite(value)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _finite(inner)


def claim(data: bytes) -> None:
    """A claim that is taken comes back from its own JSON, under the same id."""
    found = Claim.from_dict(parse_json(data, "here"), "here")
    check_claim(found, "here")
    again = Claim.from_dict(parse_json(canonical_json(found.as_dict()), "again"), "again")
    assert (again, again.id, again.signature) == (found, found.id, found.signature)
    assert all(isinstance(each, str) for each in (found.subject.type, found.subject.chain, found.subject.name))


# keys


def key_slots(data: bytes) -> None:
    """`keys.json`: it is read before any key is known."""
    slots = KeySlots.from_json(data, "here")
    assert KeySlots.from_json(slots_json(slots), "again") == slots
    for key in (KEY, Passphrase("four random words")):
        costs = [slot.cost for slot in slots.slots if slot.cost and isinstance(key, Passphrase)]
        if all(cost.memory <= 1024 and cost.passes <= 2 for cost in costs):
            with suppress(WrongKey):
                slots.unlock(key)


def credential(data: bytes) -> None:
    """A credential file, or one with a passphrase."""
    path = path_of("credential", "key")
    path.touch(0o600)
    path.write_bytes(data)
    with suppress(ShieldwallError):
        check_passphrase(passphrase_file(path).text)
    assert isinstance(credential_file(path), Credential)


def offline_key(data: bytes) -> None:
    """Either half of a key for backups."""
    with suppress(ShieldwallError):
        public = read_public(data, "here")
        assert read_public(canonical_json(public.as_dict()), "again") == public
    secret = read_secret(data, "here")
    assert read_secret(canonical_json(secret.as_dict()), "again") == secret
    with suppress(WrongKey):
        secret.open(data, b"")


@cache
def identity() -> tuple[SecretPair, PublicIdentity]:
    """A node's identity in its second generation, and the secret half of that."""
    first, second = (SecretPair(bytes([each]) * 32, bytes([each + 1]) * 32) for each in (1, 3))
    node = "ab" * 16
    signed = first.sign(CERTIFY, certificate(node, second.public, 2000))
    generations = (
        Generation(public=first.public, created_at=1000, retired_at=2000, certified=None),
        Generation(public=second.public, created_at=2000, retired_at=None, certified=signed),
    )
    return second, PublicIdentity(node, generations).checked()


def node_identity(data: bytes) -> None:
    """The public document of a node."""
    body = parse_json(data, "here")
    found = PublicIdentity.from_dict(body)
    assert PublicIdentity.from_dict(parse_json(canonical_json(found.as_dict()), "again")) == found
    assert heard(found.current.spoken) == found.current.fingerprint[:SPOKEN]
    with suppress(ShieldwallError):
        found.verify("x", b"", body)


def fingerprint(data: bytes) -> None:
    """A fingerprint as somebody heard it: what is accepted is spoken alike."""
    text = text_of(data)
    raw = heard(text)
    assert spoken(raw).split() == text.lower().replace("-", " ").split()


# the audit


def signed_roots(data: bytes) -> None:
    """The file of signed roots."""
    path = path_of("roots", "roots.jsonl")
    path.write_bytes(data)
    exported, (_, known) = Exported(path), identity()
    with suppress(ShieldwallError):
        exported.last()
    lines = exported.lines()
    for line in lines:
        is_signed(line, known)
    if lines:
        assert exported.last() == lines[-1]
        with exported.appending() as appender:
            appender.append(lines[0])
        assert exported.lines() == [*lines, lines[0]]


ENTRY: dict[str, Any] = {"act": "claim.add", "number": 1, "outcome": "done"}
"""The entry that the seed proves; none other can be proven."""


def audit_proof(data: bytes) -> None:
    """A proof, held against a node's public keys."""
    assert check_proof(parse_json(data, "here"), identity()[1]) == ENTRY


# backups

FRAME_KEY, FRAME_PREFIX = bytes(32), bytes(7)


def backup_frames(data: bytes) -> None:
    """The frames of a backup, the zlib stream in a frame, and lines that come back as they went in."""
    key, prefix = FRAME_KEY, FRAME_PREFIX
    with suppress(ShieldwallError):
        list(read_frames(io.BytesIO(data), key, prefix, b"", "here"))
    lines = data.splitlines()
    file = io.BytesIO()
    write_frames(file, key, prefix, b"", lines)
    assert list(read_frames(io.BytesIO(file.getvalue()), key, prefix, b"", "here")) == lines
    sealed = AESGCM(key).encrypt(prefix + bytes(4) + b"\x01", data, b"")
    found = list(read_frames(io.BytesIO(len(sealed).to_bytes(4, "big") + sealed), key, prefix, b"", "here"))
    assert sum(map(len, found)) <= MOST_LINES


@cache
def backup() -> tuple[bytes, bytes, list[bytes]]:
    """The front of a small node's backup, the key of its frames, and its lines."""
    with preparing():
        home, path = made(path_of("backup", "node")), path_of("backup", "whole")
        write_backup(home, path, OPERATOR)
        key = home.secrets.derive("backup")
        home.close()
    whole = path.read_bytes()
    file = io.BytesIO(whole)
    header = read_header(file, "here")
    front = whole[: file.tell()]
    info = f"shieldwall/1/backup/{header.node}/".encode() + header.prefix
    file_key = AESGCM(key).decrypt(header.wrapped[:12], header.wrapped[12:], info)
    return front, file_key, list(read_frames(file, file_key, header.prefix, header.bound, "here"))


def backup_front(data: bytes) -> None:
    """The front of a backup, which nothing seals."""
    header = read_header(io.BytesIO(data), "here")
    with suppress(WrongKey):
        header.slots.unlock(KEY)
    assert header.bound == sha256(header.raw).digest()


def backup_lines(data: bytes) -> None:
    """What a backup says, sealed by someone who has the key; `=` is what stands in that line of a good one.

    A node is made of it, or nothing is left.
    """
    front, key, good = backup()
    lines = [good[at] if line == b"=" and at < len(good) else line for at, line in enumerate(data.splitlines())]
    path, folder = path_of("restore", "backup"), path_of("restore", "node")
    header = read_header(io.BytesIO(front), "here")
    with path.open("wb") as file:
        file.write(front)
        write_frames(file, key, header.prefix, header.bound, lines)
    try:
        restore(path, folder, key=lambda: KEY, identity=OPERATOR, clock=Hand())
    except ShieldwallError:
        assert not folder.exists()
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# settings


def node_settings(data: bytes) -> None:
    """`node.toml`, and its first bytes as each variable."""
    path = path_of("settings", "node", FILE)
    path.write_bytes(data)
    text = text_of(data[:100]).replace("\0", "")
    for name in ("name", "host", "port", "database", "chain", "sources", "workers"):
        with suppress(ShieldwallError):
            explain(load_node(path.parent, {PREFIX + name.upper(): text}))
    config = load_node(path.parent, {})
    assert all(isinstance(row["value"], str) for row in explain(config))
    people_config(config)


# people

CHALLENGE = bytes(range(32))
PEOPLE = PeopleConfig()


@cache
def authenticator() -> Authenticator:
    """An authenticator with one key, always the same."""
    key = Key(b"\x07" * 32, PEOPLE.host, b"\x05" * 16, EDDSA, Ed25519PrivateKey.from_private_bytes(b"\x09" * 32))
    return Authenticator(origin=PEOPLE.origins[0], algorithm=EDDSA, keys=[key])


def passkey_made(data: bytes) -> None:
    """A browser's answer with a new passkey."""
    found = check_registration(PEOPLE, parse_json(data, "here"), CHALLENGE)
    assert found.sign_count >= 0


def passkey_attested(data: bytes) -> None:
    """The authenticator's part of such an answer: CBOR."""
    client = {"type": "webauthn.create", "challenge": b64(CHALLENGE), "origin": PEOPLE.origins[0]}
    body = {
        "id": b64(b"\x07" * 32),
        "rawId": b64(b"\x07" * 32),
        "type": "public-key",
        "response": {"clientDataJSON": b64(json.dumps(client).encode()), "attestationObject": b64(data)},
    }
    check_registration(PEOPLE, body, CHALLENGE)


def passkey_shown(data: bytes) -> None:
    """A browser's answer at signing in."""
    (key,) = authenticator().keys
    known = Passkey(
        id=key.id, person="05" * 16, name="x", public_key=key.cose(), sign_count=0, created_at=0, used_at=None
    )
    body = parse_json(data, "here")
    with suppress(ShieldwallError):
        credential_id(body)
    assert check_assertion(PEOPLE, body, CHALLENGE, known, named=False) >= 0


NOW = 1_800_000_000  # Unix seconds
OIDC = OidcConfig(
    issuer="https://login.example.org", client_id="node", redirect="http://localhost:8420/api/v1/oidc/callback"
)


def oidc_claims(data: bytes) -> None:
    """What an ID token says, once its signature was checked."""
    claims = parse_json(data, "here", floats=True)
    if isinstance(claims, dict):
        subject = checked_claims(claims, OIDC, "nonce", NOW)
        assert (claims["iss"], claims["nonce"], claims["sub"]) == (OIDC.issuer, "nonce", subject)


@cache
def provider_key() -> SigningKey:
    """The provider's key, always the same."""
    key = SigningKey("EdDSA")
    key.kid, key.private = "k", Ed25519PrivateKey.from_private_bytes(b"\x0b" * 32)
    return key


def oidc_answers(data: bytes) -> None:
    """Three answers of a provider, one a line: what it says of itself, its keys, and a token."""
    about, _, rest = data.partition(b"\n")
    keys, _, token = rest.partition(b"\n")
    asked = iter((about, token, keys, keys, keys))
    provider = Provider(OIDC, lambda _: next(asked), lambda: NOW * 1_000_000)
    assert provider.address("state", "nonce", "verifier").lower().startswith(("https://", "http://"))
    assert 0 < len(provider.subject("code", "verifier", "nonce")) <= 255


# what people send


def upload(data: bytes) -> None:
    """A file that somebody sends: names are labels, and what it holds is bounded."""
    found = packs_in("../x/packs.zip", data)
    assert len(found) <= MOST_FILES
    assert sum(len(source.raw) for source in found) <= max(MOST_BYTES, len(data))
    assert all("/" not in source.name and source.name.isprintable() for source in found)


def job_parameters(data: bytes) -> None:
    """The parameters of a job, of any kind."""
    body = parse_json(data, "here")
    for kind in KINDS:
        with suppress(ShieldwallError):
            found = parse(kind, body)
            assert type(found) is KINDS[kind]
            hash(found)


def watch_seen(data: bytes) -> None:
    """What a watch has seen, as the store gives it back; what is read can be looked on from."""
    seen = Seen.from_dict(parse_json(data, "here"))
    assert Seen.from_dict(parse_json(canonical_json(seen.as_dict()), "again")) == seen
    found = {"cd" * 32: Movement(kind="received", txid="cd" * 32, amount=1, height=7)}
    after, _ = look(seen, Tip(height=9, hash="ef" * 32), found, still=(), waiting={})
    assert set(after.known) <= set(found)


TARGETS: dict[str, Target] = {
    "strict_json": strict_json,
    "claim": claim,
    "key_slots": key_slots,
    "credential": credential,
    "offline_key": offline_key,
    "node_identity": node_identity,
    "fingerprint": fingerprint,
    "signed_roots": signed_roots,
    "audit_proof": audit_proof,
    "backup_front": backup_front,
    "backup_frames": backup_frames,
    "backup_lines": backup_lines,
    "node_settings": node_settings,
    "passkey_made": passkey_made,
    "passkey_attested": passkey_attested,
    "passkey_shown": passkey_shown,
    "oidc_claims": oidc_claims,
    "oidc_answers": oidc_answers,
    "upload": upload,
    "job_parameters": job_parameters,
    "watch_seen": watch_seen,
}
"""Name -> function."""
