from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.model.network import MAIN
from shieldwall.model.transaction import TXID, Outpoint, display, internal

HEADER = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a"
    "51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)
COINBASE = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"


def test_names_of_the_genesis_block():
    assert display(sha256(sha256(HEADER).digest()).digest()) == MAIN.genesis
    assert display(HEADER[36:68]) == COINBASE
    assert internal(COINBASE) == HEADER[36:68]


@given(st.binary(min_size=32, max_size=32))
def test_there_and_back(raw):
    text = display(raw)
    assert internal(text) == internal(text.upper()) == raw
    assert TXID.fullmatch(text)
    assert bytes.fromhex(text) == raw[::-1]


@pytest.mark.parametrize("text", ["", COINBASE[:-1], COINBASE + "0", "g" + COINBASE[1:], COINBASE + "\n"])
def test_what_is_no_txid_does_not_match(text):
    assert not TXID.fullmatch(text)


def test_an_outpoint_reads_and_sorts_as_people_expect():
    first, tenth, other = Outpoint("ab", 2), Outpoint("ab", 10), Outpoint("ac", 0)
    assert str(tenth) == "ab:10"
    assert sorted([other, tenth, first]) == [first, tenth, other]
    assert len({first, Outpoint("ab", 2)}) == 1
