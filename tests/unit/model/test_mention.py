"""Texts of every kind: what is found, what is only offered, and that no word is taken for an address."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.model import address
from shieldwall.model.mention import MOST_NEAR_MISSES, PERHAPS, SEARCHES, find_mentions
from shieldwall.model.network import MAIN, NETWORKS, REGTEST, TESTNET3
from shieldwall.model.place import Place, Ruler
from shieldwall.model.recognition import first_letters, prefixes, recognize, resembles
from shieldwall.model.script import Script, ScriptKind

HASHED = "15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr"
SCRIPTED = "34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo"
SEGWIT = "bc1qq2euq8pw950klpjcawuy4uj39ym43hs6cfsegq"
TXID = "7957a35fe64f80d234d76d83a2a8f1a0d8149a41d81de548f0a65a8a999f6f18"
SPLIT = [SEGWIT[place : place + 4] for place in range(0, 42, 4)]


def names(text, network=None):
    return [mention.name for mention in find_mentions(text, network).mentions]


def offered(text):
    found = find_mentions(text)
    assert found.mentions == ()
    (miss,) = found.near_misses
    return miss


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "pay to {}.",
        "({})[{}]<{}>",
        "**{}** _{}_ `{}` ~{}~",
        "'{}' \u201c{}\u201d \u00ab{}\u00bb",
        "bitcoin:{}?amount=0.1&label=x",
        "bitcoin%3A{}%3Famount%3D1",
        "https://block.example/address/{}#top",
        "адрес{}Адрес",
        "\u00a0{}\u00a0,{};{}|{}",
        "a\tb\t{}\tc",
        "\ufeff{}\u200b",
        "住所：{}。",
        r"\n{}\n\u003c{}\u003e\x3d{}\x3d",
        "\u200bthanks\u200b{}\u200bthanks\u200b{}\u200b",
        "Оплата{}\u200bОплата",
        "wallet_{}_2021.txt",
    ],
)
@pytest.mark.parametrize("name", [HASHED, SCRIPTED, SEGWIT])
def test_whatever_stands_around_it(text, name):
    assert names(text.replace("{}", name)) == [name]


def test_capitals_are_the_same_address():
    (mention,) = find_mentions(f"{SEGWIT.upper()} {SEGWIT}").mentions
    assert (mention.name, len(mention.places)) == (SEGWIT, 2)


def test_every_place_is_told():
    found = find_mentions(f"one {HASHED}\n\n  {SEGWIT}, {HASHED}\n")
    assert [(m.name, [(p.line, p.column, p.offset) for p in m.places]) for m in found.mentions] == [
        (HASHED, [(1, 5, 4), (3, 47, 86)]),
        (SEGWIT, [(3, 3, 42)]),
    ]
    assert found.as_dict()["mentions"][1]["places"][0]["line"] == 3
    assert len(found) == 2


def test_all_networks_that_share_an_address_are_told():
    shared = address.encode(Script(ScriptKind.P2PKH, bytes(range(20))), TESTNET3)
    (mention,) = find_mentions(shared).addresses()
    expected = [network.name for network in NETWORKS.values() if address.parse(shared, network)]
    assert list(mention.networks) == expected
    assert {"testnet3", "testnet4", "signet", "regtest"} <= set(expected)
    assert names(f"{shared} {HASHED}", MAIN) == [HASHED]
    assert find_mentions(f"{shared} {HASHED}").addresses("regtest") == (mention,)


SCRIPTS = (
    st.binary(min_size=20, max_size=20).map(lambda raw: Script(ScriptKind.P2PKH, raw))
    | st.binary(min_size=20, max_size=20).map(lambda raw: Script(ScriptKind.P2SH, raw))
    | st.binary(min_size=20, max_size=20).map(lambda raw: Script(ScriptKind.P2WPKH, raw))
    | st.binary(min_size=32, max_size=32).map(lambda raw: Script(ScriptKind.P2WSH, raw))
    | st.binary(min_size=32, max_size=32).map(lambda raw: Script(ScriptKind.P2TR, raw))
)


@given(SCRIPTS, st.sampled_from(list(NETWORKS.values())), st.text(" \n.,;:!()[]<>\u00a0\u200b'\"", max_size=4))
def test_every_address_of_every_network_is_found(script, network, around):
    name = address.encode(script, network)
    (mention,) = find_mentions(around + name + around).mentions
    assert mention.name == name
    assert network.name in mention.networks
    assert resembles(name) or len(name) < 32 or name.isupper() or name.islower() or not any(map(str.isdigit, name[1:]))


def test_txids_outputs_inputs_and_block_hashes():
    block = "00000000000000000008a89e854d57e5667df88f1cdef6fde2fbca1de5b639ad"
    text = f"{TXID.upper()} {TXID}:1, {TXID}:in:02 https://block.example/tx/{TXID}#vout=0 {block} {'0' * 64}"
    found = find_mentions(text).mentions
    assert [(m.kind, m.name, len(m.places)) for m in found] == [
        ("txid", TXID, 2),
        ("output", f"{TXID}:1", 1),
        ("input", f"{TXID}:in:2", 1),
        ("block hash", block, 1),
    ]
    assert found[0].note == PERHAPS


def test_digests_that_say_what_they_are_are_no_txids():
    assert names(f"sha256:{TXID} SHA256={TXID} p2tr:{TXID} 0x{TXID} {TXID}ab") == []


def test_characters_that_cannot_be_seen():
    (mention,) = find_mentions(f"{HASHED[:9]}\u200b{HASHED[9:20]}\u00ad{HASHED[20:]}").mentions
    assert (mention.name, mention.note) == (HASHED, "characters that cannot be seen stood in it")


@pytest.mark.parametrize(
    ("text", "meant", "why"),
    [
        (" ".join(SPLIT), SEGWIT, "in groups"),
        ("send your most mine coin " + " ".join(SPLIT), SEGWIT, "in groups"),
        ("\u00a0".join(SPLIT) + " thanks a lot", SEGWIT, "in groups"),
        ("-".join(SPLIT), SEGWIT, "in groups"),
        (" ".join(HASHED[place : place + 5] for place in range(0, 34, 5)), HASHED, "in groups"),
        (f"> pay {HASHED[:20]}\n> {HASHED[20:]} now", HASHED, "broken over two lines"),
        (f"pay {HASHED[:30]}=\r\n{HASHED[30:]}", HASHED, "broken over two lines"),
        (f"{TXID[:50]}\n{TXID[50:]}", TXID, "broken over two lines"),
        (SCRIPTED.replace("o", "0"), SCRIPTED, "stand in no address"),
        (SEGWIT.replace("q8", "Q8"), SEGWIT, "BIP 173 forbids"),
        (SEGWIT.replace("0", "o"), SEGWIT, "stand in no address"),
        (SCRIPTED.replace("C", "С").replace("o", "о"), SCRIPTED, "another alphabet"),
        (TXID.replace("a", "а"), TXID, "another alphabet"),
        (HASHED[:-1] + "q", HASHED, "checksum does not hold"),
        (SEGWIT[:-1] + "p", SEGWIT, "checksum does not hold"),
    ],
)
def test_near_misses_are_offered_and_never_taken(text, meant, why):
    miss = offered(text)
    assert meant in miss.proposals
    assert why in miss.why
    assert f"did you mean {meant}" in str(miss) or len(miss.proposals) > 1


def test_one_beyond_repair_is_told_without_a_proposal():
    miss = offered("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVXX")
    assert (miss.proposals, miss.why) == ((), "its checksum does not hold")
    assert "did you mean" not in str(miss)
    assert miss.as_dict()["places"][0]["line"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "3DSecureAuthenticationServiceFactory 1MillionDollarQuestionAnswered",
        "d41d8cd98f00b204e9800998ecf8427e\nd41d8cd98f00b204e9800998ecf8427e",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709\nda39a3ee5e6b4b0d3255bfef95601890afd80709",
        "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG 0x52908400098527886E0F7030069857D2E4169EE7",
        "many of them were very nice when they came here last time with many more from them",
        "bc1 bc1query tb1 ltc1 1 3 bc11111111111111",
        "nYl1JzDiI444aLf1dfgLYi6AHx8MuDW6/dfgLYi6AHx8MuDW6nYl1JzDiI444aLf1dfgLYi6AHx8MuDW6a",
    ],
)
def test_words_that_are_nothing(text):
    found = find_mentions(text)
    assert (found.mentions, found.near_misses) == ((), ())


def test_of_one_network_near_misses_are_its_own():
    wrong = address.encode(Script(ScriptKind.P2PKH, bytes(range(20))), REGTEST)[:-1] + "1"
    assert find_mentions(wrong, MAIN).near_misses == ()
    assert find_mentions(wrong, REGTEST).near_misses[0].text == wrong


def test_the_work_is_bounded():
    wrong = [f"1A{number:05d}".replace("0", "Z") + "vBMSEYstWetqTFn5Au4m4GFg7xJ" for number in range(3000)]
    began = time.monotonic()
    found = find_mentions("\n".join(wrong))
    assert time.monotonic() - began < 30
    assert len(found.near_misses) == MOST_NEAR_MISSES
    assert found.left_out > 0
    assert found.unsearched == MOST_NEAR_MISSES - SEARCHES


@pytest.mark.parametrize(
    "unit", ["m", "1a ", "3abc ", "3abc\n", "3abcd\n> ", "3\u200b", "3а", "=\n", "bc1q", "ab" * 40 + "\n", "%3"]
)
def test_no_text_takes_quadratic_time(unit):
    def seconds(size):
        text = (unit * size)[:size]
        began = time.perf_counter()
        find_mentions(text)
        return time.perf_counter() - began

    seconds(10_000)
    assert seconds(400_000) < 40 * max(seconds(40_000), 0.01)


PIECES = st.lists(
    st.text(max_size=20)
    | st.sampled_from(
        [HASHED, SEGWIT, SCRIPTED[:20], SCRIPTED[20:], TXID, TXID[:50], "\n", "\n> ", " ", "%3A", "\u200b", "а"]
    )
    | st.from_regex(r"[13mn2LM][1-9A-Za-z]{25,36}", fullmatch=True)
    | st.from_regex(r"(bc|tb|ltc|bcrt)1[02-9ac-hj-np-z]{8,60}", fullmatch=True),
    max_size=8,
)


@given(PIECES)
def test_any_text_gives_places_at_which_it_stands(pieces):
    text = "".join(pieces)
    found = find_mentions(text)
    assert found.characters == len(text)
    lines = text.split("\n")
    for mention in found.mentions:
        assert recognize(mention.name) or mention.kind != "address"
        for place in mention.places:
            first = mention.name[0]
            assert text[place.offset].lower() == lines[place.line - 1][place.column - 1].lower() == first.lower()
    for miss in found.near_misses:
        assert all(recognize(proposal) or len(proposal) == 64 for proposal in miss.proposals)


class Halves:
    def at(self, offset):
        return ("second", 4) if offset >= 4 else ("first", 0)


def test_a_ruler_counts_within_cells():
    ruler = Ruler("a\nb\nc\nde", "file", Halves())
    assert ruler.place(2) == Place("file", "first", 2, 1, 2)
    assert ruler.place(4) == Place("file", "second", 1, 1, 0)
    assert ruler.place(7) == Place("file", "second", 2, 2, 3)
    assert str(Place("file", "second", 2, 2, 3)) == "file, second, line 2"
    assert str(Place("page 3", "", 2, 2, 3)) == "page 3, line 2, column 2"


def test_every_network_has_its_letters():
    assert {"1", "3", "m", "n", "2"} <= set(first_letters())
    assert {network.hrp for network in NETWORKS.values()} == set(prefixes())


@pytest.mark.needs("shared")
def test_every_address_of_the_packs_is_found_and_nothing_else(shared_data):
    """The lists of OFAC hold one address a line: of Bitcoin all are found, of other coins none."""
    folder = shared_data / "attribution" / "ofac"
    listed = (folder / "sanctioned_addresses_XBT.txt").read_text().split()
    assert names("\n".join(listed), MAIN) == list(dict.fromkeys(name for name in listed if recognize(name)))
    assert len(listed) - len(names("\n".join(listed))) < 3
    for coin in ("ETH", "TRX", "XMR", "ZEC", "XRP", "DASH"):  # USDT began on Bitcoin: its list holds such addresses
        text = (folder / f"sanctioned_addresses_{coin}.txt").read_text()
        assert [m.name for m in find_mentions(text).mentions if recognize(m.name)] == []


@pytest.mark.needs("shared")
def test_prose_offers_next_to_nothing(shared_data):
    texts = [path.read_text(encoding="utf-8") for path in shared_data.parent.rglob("*.md")]
    found = [find_mentions(text) for text in texts]
    assert sum(map(len, texts)) > 100_000
    assert sum(len(each.near_misses) for each in found) <= 1
