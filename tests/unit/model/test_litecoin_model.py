"""Litecoin's addresses and the scripts of its extension block."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import UnknownAddress, UsageError
from shieldwall.model import address
from shieldwall.model.network import LITECOIN, LITECOIN_REGTEST, LITECOIN_TESTNET, MAIN, NETWORKS, REGTEST
from shieldwall.model.script import Script, ScriptKind, classify, from_identity

HASH = bytes(range(20))

# made by litecoind 0.21.2.1 for keys of its own
MADE = [
    ("LSjzriLiv5uTJgi9DwXSuFKsoWWwHqwrvK", LITECOIN, ScriptKind.P2PKH),
    ("MDRVJjM8HvQWerryeZaKDTjZ2o2cEtZ3dj", LITECOIN, ScriptKind.P2SH),
    ("miEq8Wpkkf6dTMi6dMwWvqeVeUjockJLKB", LITECOIN_TESTNET, ScriptKind.P2PKH),
    ("QaJFjqdWKT8scMBb4rD5RkVe6nG1ZBppgW", LITECOIN_TESTNET, ScriptKind.P2SH),
    ("Qh7B856GsmTX9ZNy2DFoBgCfMZfirZJ4zb", LITECOIN_REGTEST, ScriptKind.P2SH),
    ("rltc1qq56r8c9qewzr0xnga76n4u5nm4spc9gksah3wh", LITECOIN_REGTEST, ScriptKind.P2WPKH),
]
INSIDE = [
    ("ltcmweb1qqt60068ym4xft95enequswfgeh66tf6gmaezx0ykalglet9pz2k96qcljssvz9zgal9zkwq50mthd35um5ypnekvnax4x8pjav4amlrejsqgkh3a",
     LITECOIN),
    ("tmweb1qq2ks68fz5ksfnytgz3k5vsypr8ghn9s8d92cey4ycau7wxcxmdn5vqk6rttrev0nz2sg2zuh3scwt5pjujnpzhrn8dw557lzxjrz0cdmxuy3ym8z",
     LITECOIN_REGTEST),
]  # fmt: skip


@pytest.mark.parametrize(("text", "network", "kind"), MADE)
def test_addresses_that_a_node_has_made(text, network, kind):
    script = address.decode(text, network)
    assert script.kind == kind
    assert address.encode(script, network) == text


def test_old_script_addresses_are_read_and_written_in_the_new_form():
    script = Script(ScriptKind.P2SH, HASH)
    old = address.encode(script, MAIN)
    assert address.parse(old, LITECOIN) == script
    assert address.encode(script, LITECOIN).startswith("M")
    assert address.parse(address.encode(script, REGTEST), LITECOIN_TESTNET) == script


def test_an_address_of_litecoin_is_named_where_bitcoin_is_wanted():
    with pytest.raises(UnknownAddress, match="is an address of litecoin, and the chain is main"):
        address.decode("LSjzriLiv5uTJgi9DwXSuFKsoWWwHqwrvK", MAIN)
    with pytest.raises(UnknownAddress, match="is an address of litecoin, and the chain is main"):
        address.decode(INSIDE[0][0], MAIN)


@pytest.mark.parametrize(("text", "network"), INSIDE)
def test_an_address_inside_the_extension_block_is_named(text, network):
    for form in (text, text.upper()):
        with pytest.raises(UnknownAddress, match="is an MWEB address") as caught:
            address.decode(form, network)
        assert "mweb_pegin" in caught.value.hint
    assert address.parse(text, network) is None
    for wrong in (text[:-1] + ("q" if text[-1] != "q" else "p"), text[:9] + text[9:].upper(), text + "é", text * 2):
        assert not address.is_mweb_address(wrong, network)


@given(st.text(max_size=130), st.sampled_from(list(NETWORKS.values())))
def test_no_text_brings_it_down(text, network):
    for form in (text, f"ltcmweb1{text}", f"tmweb1{text}"):
        assert address.is_mweb_address(form, network) in (True, False)


@pytest.mark.parametrize(("version", "label"), [(8, "mweb_hogaddr"), (9, "mweb_pegin")])
def test_what_goes_into_the_extension_block_is_named(version, label):
    script = classify(bytes([0x50 + version, 32]) + bytes(range(32)))
    assert address.kind_label(script, LITECOIN) == label
    assert address.encode(script, LITECOIN) is None
    named = address.identity(script, LITECOIN)
    assert named == f"{label}:{script.payload.hex()}"
    assert from_identity(named) == script
    assert address.kind_label(script, MAIN) == "witness"
    assert address.encode(script, MAIN).startswith("bc1")
    with pytest.raises(UsageError, match="does not fit the kind"):
        from_identity(f"{label}:{bytes([0x57, 32]).hex()}{'00' * 32}")


def test_other_scripts_are_what_they_are_everywhere():
    for script in (
        Script(ScriptKind.P2WPKH, HASH),
        Script(ScriptKind.OP_RETURN, b"\x6a"),
        classify(b"\x52\x02\x01\x01"),
    ):
        assert address.mweb_role(script, LITECOIN) is None
        assert address.kind_label(script, LITECOIN) == script.kind.label
    shorter = classify(b"\x58\x14" + HASH)
    assert address.kind_label(shorter, LITECOIN) == "witness"
    assert address.encode(shorter, LITECOIN).startswith("ltc1")
