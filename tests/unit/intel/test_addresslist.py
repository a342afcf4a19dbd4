import pytest
from hypothesis import given
from hypothesis import strategies as st
from intel_support import FIRST, HASHED

from shieldwall.errors import BadText
from shieldwall.intel import ReadOptions, addresslist
from shieldwall.model.network import MAIN

NAMED = ReadOptions(set_name="leak")


def test_an_ofac_list_is_known_by_its_name():
    raw = f"{FIRST}\n{HASHED}\n".encode()
    result = addresslist.parse(raw, "/data/ofac/sanctioned_addresses_XBT.txt", ReadOptions(set_name="x"))
    assert [claim.subject.chain for claim in result.claims] == [MAIN.caip2] * 2
    claim = result.claims[0]
    assert dict(claim.statement) == {"label": "OFAC SDN list", "abuse": "sanction"}
    assert (claim.source, claim.made_by, claim.confidence) == ("OFAC SDN list", "US Treasury, OFAC", 60)


def test_another_currency_follows_from_the_name():
    raw = b"0x098B716B8Aaf21512996dC57EB0615e2383E2f96\n"
    claim = addresslist.parse(raw, "sanctioned_addresses_ETH.txt", NAMED).claims[0]
    assert (claim.subject.chain, claim.subject.name) == ("eip155:1", raw.decode().strip().lower())
    assert addresslist.parse(b"TMStbg5f\n", "list_TRX.txt", NAMED).claims[0].subject.chain == "trx"


def test_wrapping_comments_and_blank_lines_are_skipped():
    raw = f"# from the panel\n[\n  \"{FIRST}\",\r\n\n'{HASHED}';\n]\n".encode()
    claims = addresslist.parse(raw, "active_addresses.txt", NAMED).claims
    assert [claim.subject.name for claim in claims] == [FIRST, HASHED]
    assert claims[0].statement["label"] == "leak"
    assert claims[0].made_by == "active_addresses.txt"


def test_a_line_that_is_no_address_is_rejected_with_its_number():
    result = addresslist.parse(f"{FIRST}\nhello\n{FIRST[:-1]}x\n".encode(), "a.txt", NAMED)
    assert [(entry.place, entry.text) for entry in result.rejected] == [
        ("line 2", "hello"),
        ("line 3", FIRST[:-1] + "x"),
    ]
    assert result.rejected[1].nearest == (FIRST,)


def test_a_list_needs_a_label():
    with pytest.raises(BadText, match="no labels"):
        addresslist.parse(b"x", "a.txt", ReadOptions())


@given(st.binary(max_size=100) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "ignore")))
def test_anything_is_claims_rejections_or_bad_text(raw):
    for name in ("a.txt", "sanctioned_addresses_ETH.txt"):
        try:
            result = addresslist.parse(raw, name, NAMED)
        except BadText:
            continue
        assert not result.claims or name != "a.txt"
