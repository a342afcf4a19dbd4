"""Addresses there and back, published vectors, and the nearest valid one."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shieldwall.errors import UnknownAddress
from shieldwall.model import address
from shieldwall.model.network import MAIN, NETWORKS, REGTEST, TESTNET3
from shieldwall.model.script import Script, ScriptKind, assemble, classify

SHORT = [ScriptKind.P2PKH, ScriptKind.P2SH, ScriptKind.P2WPKH]
networks = st.sampled_from(list(NETWORKS.values()))
addressed = st.one_of(
    st.builds(Script, st.sampled_from(SHORT), st.binary(min_size=20, max_size=20)),
    st.builds(Script, st.sampled_from([ScriptKind.P2WSH, ScriptKind.P2TR]), st.binary(min_size=32, max_size=32)),
    st.builds(
        lambda version, program: classify(bytes([0x50 + version, len(program)]) + program),
        st.integers(1, 16),
        st.binary(min_size=2, max_size=40),
    ),
)  # fmt: skip

PUBLISHED = [  # BIP 173 and BIP 350
    ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", MAIN, "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
    (
        "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
        TESTNET3,
        "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
    ),
    ("BC1SW50QGDZ25J", MAIN, "6002751e"),
    (
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        MAIN,
        "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    ),
    ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", MAIN, "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac"),
    ("3P14159f73E4gFr7JterCCQh9QjiTjiZrG", MAIN, "a914e9c3dd0c07aac76179ebc76a6c78d4d67c6c160a87"),
]
INVALID = [  # BIP 350
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
    "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
    "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
    "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
    "bc1pw5dgrnzv",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
    "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
    "bc1gmk9yu",
]


@given(addressed, networks)
def test_there_and_back(script, network):
    assume(address.mweb_role(script, network) is None)  # what Litecoin's extension block takes has no address
    text = address.encode(script, network)
    assert text is not None
    assert address.decode(text, network) == script
    assert classify(assemble(script)) == script


@pytest.mark.parametrize(("text", "network", "script"), PUBLISHED)
def test_published_addresses(text, network, script):
    assert assemble(address.decode(text, network)).hex() == script


@pytest.mark.parametrize("text", INVALID)
def test_published_invalid_addresses(text):
    assert address.parse(text, MAIN) is None


@given(st.text(max_size=100) | st.from_regex(r"(bc1|BC1|tb1|bcrt1|1|3)[0-9a-zA-Z]{10,80}", fullmatch=True), networks)
def test_any_text_is_an_answer_and_never_a_traceback(text, network):
    script = address.parse(text, network)
    if script is None:
        with pytest.raises(UnknownAddress):
            address.decode(text, network)
    else:
        assert address.encode(script, network) in (text, text.lower())


@settings(max_examples=15)
@given(addressed, networks, st.data())
def test_the_nearest_address_mends_one_character(script, network, data):
    text = address.encode(script, network)
    assert text is not None
    place = data.draw(st.integers(len(network.hrp) + 1 if text.startswith(network.hrp + "1") else 1, len(text) - 1))
    letters = address.BECH32 if text.startswith(network.hrp + "1") else address.BASE58
    wrong = text[:place] + data.draw(st.sampled_from([c for c in letters if c != text[place]])) + text[place + 1 :]
    if address.parse(wrong, network) is None:
        assert text in address.nearest(wrong, network, limit=20)
        with pytest.raises(UnknownAddress) as caught:
            address.decode(wrong, network)
        assert caught.value.nearest or "is an address of" in str(caught.value)


def test_the_nearest_address_mends_case():
    genesis = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
    assert address.nearest("1a1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", MAIN)[0] == genesis
    assert address.nearest("1A1zP1eP5QGEfi2DMPTfTL5SLMv7DivfNa", MAIN)[0] == genesis
    assert address.nearest("bc1qW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", MAIN)[0].startswith("bc1qw508")
    assert address.nearest("hello", MAIN) == ()
    assert address.nearest("x" * 200, MAIN) == ()


def test_an_address_of_another_network_names_it():
    with pytest.raises(UnknownAddress, match="is an address of main"):
        address.decode("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", REGTEST)


def test_scripts_without_an_address_keep_an_identity():
    for script in (Script(ScriptKind.P2PK, b"\x02" + bytes(32)), Script(ScriptKind.OTHER, b"\x51")):
        assert address.encode(script, MAIN) is None
        assert address.identity(script, MAIN) == f"{script.kind.label}:{script.payload.hex()}"
