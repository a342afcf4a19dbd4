"""The self-test passes here, and names each primitive that is broken."""

from __future__ import annotations

import pytest
from home_support import made, opened

from shieldwall.errors import StoreError
from shieldwall.node import home as home_module
from shieldwall.node.selftest import Primitives, must_pass, self_test


def test_it_passes_here():
    results = self_test()
    assert [result.name for result in results if not result.passed] == []
    assert len(results) == 11
    must_pass()


def broken(*_):
    raise RuntimeError("no")


CONSTANT = b"\x07" * 32


def always(answer):
    """A primitive that gives one answer whatever it is asked."""
    return lambda *_: answer


BROKEN = {
    "sha256": (always(CONSTANT), "SHA-256"),
    "hmac_sha256": (always(CONSTANT), "HMAC-SHA-256"),
    "hkdf": (always(bytes(42)), "HKDF-SHA-256"),
    "aes_gcm": (always(bytes(32)), "AES-256-GCM"),
    "aes_gcm_open": (always(bytes(16)), "AES-256-GCM"),  # never looks at the tag
    "argon2id": (always(CONSTANT), "Argon2id"),
    "ed25519": (always(CONSTANT * 2), "Ed25519"),
    "ml_dsa_public": (always(CONSTANT), "ML-DSA-65"),
    "ml_dsa_verify": (always(True), "ML-DSA-65"),
    "ml_kem_public": (always(CONSTANT), "ML-KEM-768"),
    "ml_kem_agree": (always(True), "ML-KEM-768"),
    "hpke": (always(True), "HPKE MLKEM768-X25519"),
    "random": (always(bytes(range(32))), "randomness"),
    "openssl": (always("OpenSSL 3.0.19 27 Jan 2026"), "OpenSSL 4 or newer"),
}


@pytest.mark.parametrize("name", list(BROKEN))
def test_each_broken_primitive_is_named_and_alone(name):
    stand_in, told = BROKEN[name]
    for instead in (stand_in, broken):
        results = self_test(Primitives(**{name: instead}))
        assert [result.name for result in results if not result.passed] == [told]
        with pytest.raises(StoreError, match=told):
            must_pass(Primitives(**{name: instead}))


def test_a_node_whose_cryptography_fails_does_not_start(tmp_path, monkeypatch):
    made(tmp_path / "node").close()
    monkeypatch.setattr(home_module, "must_pass", lambda: must_pass(Primitives(random=bytes)))
    with pytest.raises(StoreError, match="randomness"):
        opened(tmp_path / "node")
    with pytest.raises(StoreError, match="randomness"):
        made(tmp_path / "another")
    assert not (tmp_path / "another").exists()
