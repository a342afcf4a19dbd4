"""The cryptography under the node, held against known answers at every start; a node whose cryptography fails does not start.

Known answers: SHA-256 (FIPS 180-4), HMAC (RFC 4231, 4.2), HKDF (RFC 5869, A.1), AES-256-GCM (the GCM submission to NIST, test
case 14), Ed25519 (RFC 8032, 7.1), Argon2id (the reference implementation's own tests). For ML-DSA-65, ML-KEM-768 and the hybrid
HPKE: the public key of a fixed seed by its digest, a round trip, and the refusal of what was changed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.backends.openssl.backend import backend
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shieldwall.errors import StoreError

OLDEST_OPENSSL = 4
HYBRID = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
"""The one suite that seals to an offline key: ML-KEM-768 with X25519, HKDF-SHA256, AES-256-GCM."""


@dataclass(frozen=True, slots=True)
class Result:
    """Of one test: its name, and what is wrong ("" for nothing)."""

    name: str
    wrong: str

    @property
    def passed(self) -> bool:
        """Whether it passed."""
        return not self.wrong


def _aes_gcm(key: bytes, nonce: bytes, plain: bytes) -> bytes:
    return AESGCM(key).encrypt(nonce, plain, None)


def _aes_gcm_open(key: bytes, nonce: bytes, sealed: bytes) -> bytes:
    return AESGCM(key).decrypt(nonce, sealed, None)


def _hkdf(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(key)


def _argon2id(password: bytes, salt: bytes) -> bytes:
    return hash_secret_raw(password, salt, time_cost=2, memory_cost=256, parallelism=1, hash_len=32, type=Type.ID)


def _ml_dsa_public(seed: bytes) -> bytes:
    return MLDSA65PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()


def _ml_dsa_verify(signed: bytes, shown: bytes) -> bool:
    """Whether a signature over one text verifies over another."""
    key = MLDSA65PrivateKey.from_seed_bytes(bytes(range(32)))
    try:
        key.public_key().verify(key.sign(signed, b"test"), shown, b"test")
    except InvalidSignature:
        return False
    return True


def _ml_kem_public(seed: bytes) -> bytes:
    return MLKEM768PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()


def _ml_kem_agree(flipped: int) -> bool:
    """Whether both sides have one secret when `flipped` is laid over the first byte of the ciphertext."""
    key = MLKEM768PrivateKey.generate()
    secret, ciphertext = key.public_key().encapsulate()
    return key.decapsulate(bytes([ciphertext[0] ^ flipped]) + ciphertext[1:]) == secret


def _hpke(info: bytes) -> bool:
    """Whether what was sealed with the info "test" opens with `info`."""
    key = MLKEM768X25519PrivateKey(MLKEM768PrivateKey.generate(), X25519PrivateKey.generate())
    sealed = HYBRID.encrypt(b"plain", key.public_key(), b"test")
    try:
        return HYBRID.decrypt(sealed, key, info) == b"plain"
    except InvalidTag:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Primitives:
    """What is tested; a test of the test puts a broken one in."""

    sha256: Callable[[bytes], bytes] = lambda raw: hashlib.sha256(raw).digest()
    hmac_sha256: Callable[[bytes, bytes], bytes] = lambda key, raw: hmac.digest(key, raw, "sha256")
    hkdf: Callable[[bytes, bytes, bytes, int], bytes] = _hkdf
    aes_gcm: Callable[[bytes, bytes, bytes], bytes] = _aes_gcm
    aes_gcm_open: Callable[[bytes, bytes, bytes], bytes] = _aes_gcm_open
    argon2id: Callable[[bytes, bytes], bytes] = _argon2id
    ed25519: Callable[[bytes, bytes], bytes] = lambda seed, raw: Ed25519PrivateKey.from_private_bytes(seed).sign(raw)
    ml_dsa_public: Callable[[bytes], bytes] = _ml_dsa_public
    ml_dsa_verify: Callable[[bytes, bytes], bool] = _ml_dsa_verify
    ml_kem_public: Callable[[bytes], bytes] = _ml_kem_public
    ml_kem_agree: Callable[[int], bool] = _ml_kem_agree
    hpke: Callable[[bytes], bool] = _hpke
    random: Callable[[int], bytes] = secrets.token_bytes
    openssl: Callable[[], str] = backend.openssl_version_text


def self_test(primitives: Primitives | None = None) -> list[Result]:
    """Every test, and what is wrong with each."""
    tried = primitives or Primitives()
    return [Result(name, _wrong(test, tried)) for name, test in _TESTS.items()]


def must_pass(primitives: Primitives | None = None) -> None:
    """Refuse to go on where a test fails.

    Raises:
        StoreError: One does; all that do are named.
    """
    failed = [f"{result.name} ({result.wrong})" for result in self_test(primitives) if not result.passed]
    if failed:
        raise StoreError(
            f"the cryptography of this machine fails its self-test: {', '.join(failed)}",
            hint="install the program anew from its lock; if that does not help, the machine is broken",
        )


def _sha256(tried: Primitives) -> bool:
    return tried.sha256(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def _hmac(tried: Primitives) -> bool:
    known = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    return tried.hmac_sha256(b"\x0b" * 20, b"Hi There").hex() == known


def _hkdf_known(tried: Primitives) -> bool:
    known = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    return tried.hkdf(b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA)), 42).hex() == known


def _aes_known(tried: Primitives) -> bool:
    known = "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
    sealed = tried.aes_gcm(bytes(32), bytes(12), bytes(16))
    if sealed.hex() != known or tried.aes_gcm_open(bytes(32), bytes(12), sealed) != bytes(16):
        return False
    try:
        tried.aes_gcm_open(bytes(32), bytes(12), bytes([sealed[0] ^ 1]) + sealed[1:])
    except InvalidTag:
        return True
    return False


def _argon2id_known(tried: Primitives) -> bool:
    known = "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"
    return tried.argon2id(b"password", b"somesalt").hex() == known


def _ed25519_known(tried: Primitives) -> bool:
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    known = (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
        "655141438e7a100b"
    )
    return tried.ed25519(seed, b"").hex() == known


def _ml_dsa(tried: Primitives) -> bool:
    digest = hashlib.sha256(tried.ml_dsa_public(bytes(range(32)))).hexdigest()
    return (
        digest == "d666806e11cee19a7c989f7445f90dd419cf4d2d51db8c0fdb4c0f0a542238c9"
        and tried.ml_dsa_verify(b"one", b"one")
        and not tried.ml_dsa_verify(b"one", b"two")
    )


def _ml_kem(tried: Primitives) -> bool:
    digest = hashlib.sha256(tried.ml_kem_public(bytes(range(64)))).hexdigest()
    return (
        digest == "0b7934c83125c788995e2ba6bd761e33046b3e40571be53e023309a29f398cc9"
        and tried.ml_kem_agree(0)
        and not tried.ml_kem_agree(1)
    )


def _hpke_hybrid(tried: Primitives) -> bool:
    return tried.hpke(b"test") and not tried.hpke(b"other")


def _randomness(tried: Primitives) -> bool:
    draws = {tried.random(32) for _ in range(8)}
    return len(draws) == 8 and all(len(draw) == 32 and len(set(draw)) > 8 for draw in draws)


def _openssl(tried: Primitives) -> bool:
    words = tried.openssl().split()
    number = words[1].split(".")[0] if len(words) > 1 else ""
    return number.isdigit() and int(number) >= OLDEST_OPENSSL


_TESTS: dict[str, Callable[[Primitives], bool]] = {
    "SHA-256": _sha256,
    "HMAC-SHA-256": _hmac,
    "HKDF-SHA-256": _hkdf_known,
    "AES-256-GCM": _aes_known,
    "Argon2id": _argon2id_known,
    "Ed25519": _ed25519_known,
    "ML-DSA-65": _ml_dsa,
    "ML-KEM-768": _ml_kem,
    "HPKE MLKEM768-X25519": _hpke_hybrid,
    "randomness": _randomness,
    f"OpenSSL {OLDEST_OPENSSL} or newer": _openssl,
}


def _wrong(test: Callable[[Primitives], bool], tried: Primitives) -> str:
    try:
        return "" if test(tried) else "another answer than the known one"
    except Exception as error:  # noqa: BLE001 - whatever a broken library does, it is a test that failed
        return type(error).__name__
