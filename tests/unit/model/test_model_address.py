"""The whole lists of BIP 173 and BIP 350, errors and hints (there and back is in `test_address.py`)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shieldwall.errors import UnknownAddress
from shieldwall.model import address
from shieldwall.model.network import MAIN, NETWORKS, REGTEST, SIGNET, TESTNET3, TESTNET4
from shieldwall.model.script import Script, ScriptKind, assemble, classify

GENESIS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
GENESIS_KEY = bytes.fromhex(
    "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb6"
    "49f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f"
)
SEGWIT = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
TAPROOT = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"
PUZZLE = "3P14159f73E4gFr7JterCCQh9QjiTjiZrG"

VALID = [
    # BIP 350, which replaces the list of BIP 173
    ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", MAIN, "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
    ("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", TESTNET3,
     "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"),
    ("bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y", MAIN,
     "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6"),
    ("BC1SW50QGDZ25J", MAIN, "6002751e"),
    ("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", MAIN, "5210751e76e8199196d454941c45d1b3a323"),
    ("tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy", TESTNET4,
     "0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433"),
    ("tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c", SIGNET,
     "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433"),
    (TAPROOT, MAIN, "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
    # BIP 86, BIP 84, the anchor of Bitcoin Core 28
    ("bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr", MAIN,
     "5120a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c"),
    ("bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", MAIN, "0014c0cebcd6c3d3ca8c75dc5ec62ebe55330ef910e2"),
    ("bc1pfeessrawgf", MAIN, "51024e73"),
    # base58: genesis, the burn addresses, a script, BIP 49 on the test network
    (GENESIS, MAIN, "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac"),
    ("1111111111111111111114oLvT2", MAIN, "76a914" + "00" * 20 + "88ac"),
    ("1BitcoinEaterAddressDontSendf59kuE", MAIN, "76a914759d6677091e973b9e9d99f19c68fbf43e3f05f988ac"),
    (PUZZLE, MAIN, "a914e9c3dd0c07aac76179ebc76a6c78d4d67c6c160a87"),
    ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", TESTNET3, "76a914243f1394f44554f4ce3fd68649c19adc483ce92488ac"),
    ("2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2", REGTEST, "a914336caa13e08b96080a32b5d818d59b4ab3b3674287"),
]  # fmt: skip

INVALID = [
    # BIP 350
    "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
    "tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf",
    "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
    "tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47",
    "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
    "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
    "bc1pw5dgrnzv",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
    "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
    "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
    "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",
    "bc1gmk9yu",
    # BIP 173: a version above 0 with the old checksum
    "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7k7grplx",
    "BC1SW50QA3JX3S",
    "bc1zw508d6qejxtdg4y5r3zarvaryvg6kdaj",
    # not addresses
    "", " ", "1", "bc1", "bc1q", GENESIS[:-1], GENESIS + "1", "1" + GENESIS, "0" + GENESIS[1:], f" {GENESIS}",
    f"{GENESIS}\n", GENESIS.lower(), GENESIS.replace("z", "ｚ"), SEGWIT + "q", SEGWIT.replace("1", "", 1), "x" * 100_000,
    "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",  # a secret key
]  # fmt: skip


@pytest.mark.parametrize(("text", "network", "script"), VALID, ids=[row[0][:24] for row in VALID])
def test_valid_addresses(text, network, script):
    found = address.decode(text, network)
    assert assemble(found).hex() == script
    assert found == classify(bytes.fromhex(script))
    assert address.encode(found, network) == (text.lower() if text.isupper() else text)


@pytest.mark.parametrize("text", INVALID, ids=lambda text: repr(text[:24]))
def test_invalid_addresses(text):
    for network in NETWORKS.values():
        assert address.parse(text, network) is None
    with pytest.raises(UnknownAddress):
        address.decode(text, MAIN)


@pytest.mark.parametrize("text", [SEGWIT, TAPROOT])
def test_upper_case_is_the_same_address_and_mixed_case_is_none(text):
    assert address.decode(text.upper(), MAIN) == address.decode(text, MAIN)
    for mixed in (
        text[:-1] + text[-1:].upper(),
        text.capitalize(),
        text[:10] + text[10:].upper(),
        text[:3].upper() + text[3:],
    ):
        if mixed == text:  # ends in a digit
            continue
        with pytest.raises(UnknownAddress) as caught:
            address.decode(mixed, MAIN)
        assert caught.value.nearest == (text,)
        assert f"did you mean {text}?" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "network", "named"),
    [
        (GENESIS, REGTEST, "main"),
        (SEGWIT, TESTNET3, "main"),
        (SEGWIT.upper(), REGTEST, "main"),
        (
            "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
            MAIN,
            "testnet3 or testnet4 or signet or regtest or litecoin-testnet or litecoin-regtest",
        ),
        ("tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy", MAIN, "testnet3 or testnet4 or signet"),
        ("tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy", REGTEST, "testnet3 or testnet4 or signet"),
    ],
)
def test_an_address_of_another_network_is_named(text, network, named):
    with pytest.raises(UnknownAddress) as caught:
        address.decode(text, network)
    assert caught.value.message == f"{text} is an address of {named}, and the chain is {network.name}"
    assert caught.value.nearest == ()


def swapped(text, places):
    return "".join(c.swapcase() if n in places else c for n, c in enumerate(text))


def flippable(text):
    """Letters whose other case is a letter of base58 too, or that somebody may have typed for one."""
    return [n for n, c in enumerate(text) if c.isalpha()]


@settings(max_examples=25)
@given(st.sampled_from([GENESIS, PUZZLE, "1BitcoinEaterAddressDontSendf59kuE"]), st.data())
def test_up_to_three_letters_in_the_wrong_case_are_mended(text, data):
    places = data.draw(st.sets(st.sampled_from(flippable(text)), min_size=1, max_size=3))
    wrong = swapped(text, places)
    assert text in address.nearest(wrong, MAIN)
    with pytest.raises(UnknownAddress) as caught:
        address.decode(wrong, MAIN)
    assert text in caught.value.nearest


@settings(max_examples=25)
@given(st.sampled_from([GENESIS, PUZZLE, SEGWIT, TAPROOT, "bc1pfeessrawgf"]), st.data())
def test_any_one_character_off_is_mended(text, data):
    """Also in the first characters, and also by a character that no address has."""
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    wrong = text[:place] + letter + text[place + 1 :]
    if address.parse(wrong, MAIN) is None:
        assert text in address.nearest(wrong, MAIN)


@settings(max_examples=25)
@given(st.sampled_from([SEGWIT, TAPROOT]), st.data())
def test_a_bech32_address_in_any_case_is_mended(text, data):
    places = data.draw(st.sets(st.integers(0, len(text) - 1)))
    wrong = swapped(text, places)
    assert address.parse(wrong, MAIN) or address.nearest(wrong, MAIN) == (text,)


def test_blanks_around_an_address_are_no_reason_to_doubt_it():
    for text in (GENESIS, SEGWIT):
        with pytest.raises(UnknownAddress) as caught:
            address.decode(f" {text}\n", MAIN)
        assert text in caught.value.nearest


def test_nearest_gives_no_more_than_asked_for():
    assert address.nearest(GENESIS.swapcase()[:1] + GENESIS[1:], MAIN, limit=0) == ()
    assert address.nearest(SEGWIT.capitalize(), MAIN, limit=1) == (SEGWIT,)
    assert address.nearest("", MAIN) == address.nearest("x" * 91, MAIN) == address.nearest("ä" * 30, MAIN) == ()


ALPHABET = address.BASE58 + address.BECH32 + "0OIl1 \n:+_é"
ODD = st.one_of(
    st.text(max_size=40),
    st.text(st.sampled_from(ALPHABET), max_size=40),
    st.builds(
        str.__add__, st.sampled_from(["bc1", "BC1", "bc1q", "tb1", "bcrt1p", "Bc1"]), st.text(ALPHABET, max_size=90)
    ),
    st.builds(str.__add__, st.sampled_from([GENESIS[:30], SEGWIT[:39]]), st.text(ALPHABET, max_size=4)),
)


@settings(max_examples=25)
@given(ODD, st.sampled_from(list(NETWORKS.values())))
def test_odd_text_raises_nothing_but_unknown_address(text, network):
    script = address.parse(text, network)
    if script is not None:
        assert address.decode(text, network) == script
        assert address.encode(script, network) in (text, text.lower())
        return
    with pytest.raises(UnknownAddress) as caught:
        address.decode(text, network)
    assert len(caught.value.nearest) <= 3
    assert all(address.parse(near, network) for near in caught.value.nearest)
    assert caught.value.hint


def test_the_key_of_the_genesis_block_and_its_hash_are_one_holder():
    script = address.key_hash(GENESIS_KEY)
    assert script == Script(ScriptKind.P2PKH, bytes.fromhex("62e907b15cbf27d5425399ebf6f0fb50ebb88f18"))
    assert address.encode(script, MAIN) == GENESIS


def test_a_compressed_key_and_its_hash_are_one_holder():
    key = bytes.fromhex("0330d54fd0dd420a6e5f8d3624f5f3482cae350f79d5f0753bf5beef9c2d91af3c")  # BIP 84
    witness = Script(ScriptKind.P2WPKH, address.key_hash(key).payload)
    assert address.encode(witness, MAIN) == "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"


@pytest.mark.parametrize("script", [b"", b"\x51", b"\x6a\x01\x00", b"\x41" + GENESIS_KEY + b"\xac"])
def test_a_script_without_an_address_has_none(script):
    found = classify(script)
    assert address.encode(found, MAIN) is None
    assert address.identity(found, MAIN) == f"{found.kind.label}:{found.payload.hex()}"
