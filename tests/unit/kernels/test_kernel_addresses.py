"""Addresses in batches: both kernels against each other and against the domain's own codec, on every network and on garbage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.chain.finding_many import forms_of
from shieldwall.kernels.compiled import addresses as compiled
from shieldwall.kernels.plain import addresses as plain
from shieldwall.model import address
from shieldwall.model.network import LITECOIN, MAIN, NETWORKS
from shieldwall.model.script import Script, ScriptKind, assemble, classify

networks = st.sampled_from(sorted(NETWORKS)).map(NETWORKS.get)
BECH32_LETTERS = st.sampled_from(address.BECH32)


@st.composite
def payable(draw):
    """A script that has an address, on some network."""
    kind = draw(st.sampled_from(["P2PKH", "P2SH", "P2WPKH", "P2WSH", "P2TR", "WITNESS"]))
    size = {"P2WSH": 32, "P2TR": 32}.get(kind, 20)
    if kind == "WITNESS":
        version, size = draw(st.integers(1, 16)), draw(st.integers(2, 40))
        return classify(bytes([0x50 + version, size]) + draw(st.binary(min_size=size, max_size=size)))
    payload = draw(st.one_of(st.binary(min_size=size, max_size=size), st.just(bytes(size)), st.just(b"\xff" * size)))
    return Script(ScriptKind[kind], payload)


@st.composite
def written(draw):
    """The address of a script, with the damage that copying does: cut, changed, in another case, in another alphabet."""
    network, script = draw(networks), draw(payable())
    text = address.encode(script, network) or ""
    damage = draw(st.sampled_from(["none", "cut", "letter", "upper", "mixed", "longer", "foreign", "one"]))
    place = draw(st.integers(0, max(len(text) - 1, 0)))
    match damage:
        case "cut":
            return text[:place]
        case "letter":
            return text[:place] + draw(st.sampled_from(address.BASE58 + address.BECH32)) + text[place + 1 :]
        case "upper":
            return text.upper()
        case "mixed":
            return text[:place] + text[place:].swapcase()
        case "longer":
            return text + draw(st.text(st.sampled_from(address.BASE58), max_size=60))
        case "foreign":
            return text[:place] + draw(st.sampled_from(["é", "\ud800", "1", " ", "\0", "𝟏"])) + text[place + 1 :]
        case "one":
            return "1" + text
        case _:
            return text


@st.composite
def segwit_text(draw):
    """A bech32 text with a right checksum of either kind, and any version, size and padding behind it."""
    hrp = draw(st.sampled_from([network.hrp for network in NETWORKS.values()]))
    data = draw(st.lists(st.integers(0, 31), min_size=0, max_size=84))
    final = draw(st.sampled_from([plain.BECH32_FINAL, plain.BECH32M_FINAL, 2]))
    values = [*(ord(c) >> 5 for c in hrp), 0, *(ord(c) & 31 for c in hrp), *data]
    check = 1
    for value in [*values, 0, 0, 0, 0, 0, 0]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit in range(5):
            check ^= plain.GENERATOR[bit] if top >> bit & 1 else 0
    check ^= final
    text = hrp + "1" + "".join(address.BECH32[v] for v in [*data, *(check >> 5 * (5 - k) & 31 for k in range(6))])
    return draw(st.sampled_from([text, text.upper()]))


texts = st.lists(
    st.one_of(written(), segwit_text(), st.text(st.sampled_from(address.BASE58), max_size=95), st.text(max_size=40)),
    max_size=8,
)


def decoded(codec, found, network):
    raw = "".join(found).encode("ascii", "replace")
    ends = np.cumsum(np.array([len(text) for text in found], np.int64))
    return codec.decode_addresses(np.frombuffer(raw, np.uint8), ends, forms_of(network))


def as_scripts(kinds, sizes, payloads):
    rows = zip(kinds.tolist(), sizes.tolist(), payloads, strict=True)
    return [None if k == plain.NO_KIND else Script(ScriptKind(k), row[:size].tobytes()) for k, size, row in rows]


@given(texts, networks)
def test_both_kernels_read_as_the_domain_does(found, network):
    ours, theirs = decoded(plain, found, network), decoded(compiled, found, network)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.dtype == other.dtype
        assert np.array_equal(mine, other)
    assert as_scripts(*ours) == [address.parse(text, network) for text in found]


scripts = st.one_of(
    payable(),
    st.binary(max_size=45).map(classify),
    st.sampled_from([0x58, 0x59]).map(lambda code: classify(bytes([code, 32]) + bytes(32))),  # Litecoin's own
    st.binary(min_size=33, max_size=33).map(lambda key: classify(b"\x21\x02" + key[1:] + b"\xac")),
)


@given(st.lists(scripts, max_size=8), networks)
def test_both_kernels_write_as_the_domain_does(chosen, network):
    data = np.frombuffer(b"?".join(script.payload for script in chosen) + b"?", np.uint8)
    sizes = np.array([len(script.payload) for script in chosen], np.int64)
    start = np.cumsum(sizes + 1) - sizes - 1
    kinds = np.array([script.kind for script in chosen], np.uint8)
    answers = [
        codec.encode_addresses(kinds, data, start, start + sizes, forms_of(network)) for codec in (plain, compiled)
    ]
    for mine, other in zip(*answers, strict=True):
        assert mine.dtype == other.dtype
        assert np.array_equal(mine, other)
    names = [row[:size].tobytes().decode() for row, size in zip(*answers[0], strict=True)]
    assert names == [address.encode(script, network) or "" for script in chosen]


@given(st.lists(payable(), min_size=1, max_size=5), networks)
def test_what_is_written_is_read_back(chosen, network):
    names = [address.encode(script, network) for script in chosen]
    kept = [(name, script) for name, script in zip(names, chosen, strict=True) if name]
    read = as_scripts(*decoded(compiled, [name for name, _ in kept], network))
    assert read == [script for _, script in kept]


# the valid and invalid examples that BIP 350 prints, by what they are to Bitcoin's main network
VALID = {
    "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4": "0014751e76e8199196d454941c45d1b3a323f1433bd6",
    "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y": (
        "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6"
    ),
    "BC1SW50QGDZ25J": "6002751e",
    "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs": "5210751e76e8199196d454941c45d1b3a323",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0": (
        "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    ),
}
INVALID = [
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


@pytest.mark.parametrize("codec", [plain, compiled])
def test_the_examples_of_bip_350(codec):
    found = as_scripts(*decoded(codec, [*VALID, *INVALID], MAIN))
    assert [assemble(script).hex() for script in found[: len(VALID)]] == list(VALID.values())
    assert found[len(VALID) :] == [None] * len(INVALID)


@pytest.mark.parametrize("codec", [plain, compiled])
def test_litecoin_reads_its_old_script_form_and_writes_the_new_one(codec):
    script = Script(ScriptKind.P2SH, bytes(range(20)))
    old = address.encode(script, MAIN)  # version 5, which Litecoin wrote too
    assert as_scripts(*decoded(codec, [old], LITECOIN)) == [script]
    data, end = np.frombuffer(script.payload, np.uint8), np.array([20])
    texts, sizes = codec.encode_addresses(np.array([3], np.uint8), data, end - 20, end, forms_of(LITECOIN))
    assert texts[0, : sizes[0]].tobytes().decode() == address.encode(script, LITECOIN) != old


def test_nothing_at_all():
    for codec in (plain, compiled):
        assert [len(part) for part in decoded(codec, [], MAIN)] == [0, 0, 0]
