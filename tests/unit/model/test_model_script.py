"""A known script of every kind (that any script comes back is in `test_script.py`)."""

import pytest

from shieldwall.errors import UsageError
from shieldwall.model import address
from shieldwall.model.network import MAIN
from shieldwall.model.script import Script, ScriptKind, assemble, classify, from_identity

GENESIS_KEY = (
    "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb6"
    "49f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f"
)
ONE = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"  # the generator, key of the secret 1
TWO_KEYS = f"21{ONE}41{GENESIS_KEY}"

KNOWN = [
    ("genesis", f"41{GENESIS_KEY}ac", "P2PK", GENESIS_KEY),
    ("compressed key", f"21{ONE}ac", "P2PK", ONE),
    ("p2pkh", "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac", "P2PKH", "62e907b15cbf27d5425399ebf6f0fb50ebb88f18"),
    ("BIP 49", "a914336caa13e08b96080a32b5d818d59b4ab3b3674287", "P2SH", "336caa13e08b96080a32b5d818d59b4ab3b36742"),
    ("BIP 173", "0014751e76e8199196d454941c45d1b3a323f1433bd6", "P2WPKH", "751e76e8199196d454941c45d1b3a323f1433bd6"),
    ("BIP 173 script", "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262", "P2WSH",
     "1863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"),
    ("BIP 86", "5120a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c", "P2TR",
     "a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c"),
    ("version 2", "5210751e76e8199196d454941c45d1b3a323", "WITNESS", None),
    ("version 16", "6002751e", "WITNESS", None),
    ("anchor", "51024e73", "WITNESS", None),
    ("42 bytes", "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6", "WITNESS", None),
    ("1 of 2", f"51{TWO_KEYS}52ae", "MULTISIG", None),
    ("2 of 2", f"52{TWO_KEYS}52ae", "MULTISIG", None),
    ("data", "6a0b68656c6c6f20776f726c64", "OP_RETURN", None),
    ("OP_RETURN alone", "6a", "OP_RETURN", None),
    ("OP_RETURN with a p2pkh behind", "6a76a914" + "00" * 20 + "88ac", "OP_RETURN", None),
    ("empty", "", "OTHER", None),
    ("anyone can spend", "51", "OTHER", None),
    ("version 0 of 16 bytes", "0010" + "00" * 16, "OTHER", None),
    ("41 bytes of program", "5129" + "00" * 41, "OTHER", None),
    ("1 byte of program", "510100", "OTHER", None),
    ("OP_RESERVED is no version", "50024e73", "OTHER", None),
    ("3 of 2", f"53{TWO_KEYS}52ae", "OTHER", None),
    ("0 of 2", f"00{TWO_KEYS}52ae", "OTHER", None),
    ("1 of 3 with two keys", f"51{TWO_KEYS}53ae", "OTHER", None),
    ("key with a wrong first byte", f"2105{ONE[2:]}ac", "OTHER", None),
    ("key that is too short", f"20{ONE[2:]}ac", "OTHER", None),
    ("p2sh with OP_EQUALVERIFY", "a914" + "00" * 20 + "88", "OTHER", None),
]  # fmt: skip


@pytest.mark.parametrize(("script", "kind", "payload"), [row[1:] for row in KNOWN], ids=[row[0] for row in KNOWN])
def test_known_scripts(script, kind, payload):
    found = classify(bytes.fromhex(script))
    assert (found.kind.name, found.payload.hex()) == (kind, script if payload is None else payload)
    assert assemble(found).hex() == script
    assert found.kind.label == kind.lower()
    assert found.unspendable == (kind == "OP_RETURN")
    text = address.identity(found, MAIN)
    assert (address.parse(text, MAIN) or from_identity(text)) == found
    assert from_identity(f"{found.kind.label.upper()}:{found.payload.hex().upper()}") == found


def test_every_kind_is_known():
    assert {row[2] for row in KNOWN} == {kind.name for kind in ScriptKind}


def test_the_numbers_that_stores_hold_do_not_change():
    names = ["OTHER", "P2PK", "P2PKH", "P2SH", "MULTISIG", "P2WPKH", "P2WSH", "P2TR", "WITNESS", "OP_RETURN"]
    assert [(kind.name, kind.value) for kind in ScriptKind] == [(name, number) for number, name in enumerate(names)]


def test_multisig_up_to_sixteen_keys():
    key = "21" + ONE
    for keys in range(1, 17):
        assert classify(bytes.fromhex(f"51{key * keys}{0x50 + keys:02x}ae")).kind is ScriptKind.MULTISIG
    assert classify(bytes.fromhex(f"51{key * 17}61ae")).kind is ScriptKind.OTHER


@pytest.mark.parametrize("kind", ScriptKind)
@pytest.mark.parametrize("size", [0, 19, 21, 31, 34, 64, 255])
def test_a_payload_of_another_size_is_refused(kind, size):
    """Whatever its size, a payload is its kind's or a usage error."""
    try:
        script = from_identity(f"{kind.label}:{'00' * size}")
    except UsageError:
        assert kind is not ScriptKind.OTHER
    else:
        assert script == Script(kind, bytes(size)) == classify(assemble(script))


@pytest.mark.parametrize("kind", [kind for kind in ScriptKind if kind is not ScriptKind.OTHER])
def test_a_payload_that_no_push_can_hold_is_refused(kind):
    with pytest.raises(UsageError):
        from_identity(f"{kind.label}:{'00' * 256}")
