import pytest
from hypothesis import given
from hypothesis import strategies as st
from intel_support import FIRST, HASHED

from shieldwall.intel.interface import Rejected
from shieldwall.intel.subject import address_subject, chain_of, suggest, transaction_subject
from shieldwall.model import address
from shieldwall.model.claim import Subject
from shieldwall.model.network import LITECOIN, LITECOIN_REGTEST, MAIN, REGTEST
from shieldwall.model.script import Script, ScriptKind


@pytest.mark.parametrize(
    ("currency", "network", "chain"),
    [
        ("BTC", "", MAIN.caip2),
        ("XBT", "", MAIN.caip2),
        ("btc", "regtest", REGTEST.caip2),
        ("LTC", "", LITECOIN.caip2),
        ("Litecoin", "", LITECOIN.caip2),
        ("", "litecoin-regtest", LITECOIN_REGTEST.caip2),
        ("", REGTEST.caip2, REGTEST.caip2),
        ("ETH", "", "eip155:1"),
        ("USDT", "ETH", "eip155:1"),
        ("USDT", "", "usdt"),
        ("V-Systems", "", "v-systems"),
        ("x", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"),
        ("\n?", "", ""),
    ],
)
def test_chain_is_caip2_where_sure_else_the_word(currency, network, chain):
    assert chain_of(currency, network, MAIN)[0] == chain


def test_btc_means_the_network_of_the_options():
    assert chain_of("BTC", "", REGTEST) == (REGTEST.caip2, REGTEST)
    assert chain_of("LTC", "", REGTEST) == (LITECOIN.caip2, LITECOIN)
    assert chain_of("LTC", "", LITECOIN_REGTEST) == (LITECOIN_REGTEST.caip2, LITECOIN_REGTEST)


def test_a_litecoin_address_is_held_to_its_checksum_and_named_so():
    script = Script(ScriptKind.P2SH, bytes(range(20)))
    text, old = address.encode(script, LITECOIN), address.encode(script, MAIN)
    assert text is not None
    assert old is not None
    both = [address_subject(each, LITECOIN.caip2, LITECOIN, "x") for each in (text, old)]
    assert both == [Subject("address", LITECOIN.caip2, text)] * 2  # 3... is read as M...: one holder, one subject
    wrong = address_subject(text[:-1] + ("1" if text[-1] != "1" else "2"), LITECOIN.caip2, LITECOIN, "line 4")
    assert isinstance(wrong, Rejected)
    assert wrong.reason == "no valid Litecoin address (litecoin): its checksum does not hold"
    (answered,) = suggest([wrong], MAIN)
    assert text in answered.nearest


def test_one_address_is_one_subject_however_it_is_written():
    bech32 = address.encode(Script(ScriptKind.P2WPKH, bytes(range(20))), MAIN)
    assert bech32 is not None
    lower, upper = (address_subject(text, MAIN.caip2, MAIN, "x") for text in (bech32, bech32.upper()))
    assert lower == upper == Subject("address", MAIN.caip2, bech32)
    mixed = "0x098B716B8Aaf21512996dC57EB0615e2383E2f96"
    assert address_subject(mixed, "eip155:1", None, "x") == Subject("address", "eip155:1", mixed.lower())


@given(st.text(max_size=120))
def test_any_text_is_a_subject_or_rejected(text):
    for bitcoin in (MAIN, LITECOIN, None):
        for make in (address_subject, transaction_subject):
            made = make(text, "chain", bitcoin, "line 1")
            assert isinstance(made, Subject | Rejected)
            if isinstance(made, Rejected):
                assert made.place == "line 1"
                assert len(made.text) <= 120


def test_transactions_are_64_hex_digits():
    txid = "AB" * 32
    assert transaction_subject(txid, "c", MAIN, "x") == Subject("transaction", "c", txid.lower())
    assert isinstance(transaction_subject("ab", "c", MAIN, "x"), Rejected)
    assert transaction_subject("0x" + txid, "eip155:1", None, "x") == Subject(
        "transaction", "eip155:1", "0x" + "ab" * 32
    )


def test_the_nearest_address_is_asked_for_the_first_few_only():
    wrong = [address_subject(each[:-1] + "1", MAIN.caip2, MAIN, "x") for each in [FIRST] + [HASHED] * 20]
    answered = suggest([each for each in wrong if isinstance(each, Rejected)], MAIN)
    assert answered[0].nearest == (FIRST,)
    assert sum(bool(each.nearest) for each in answered) == 5
