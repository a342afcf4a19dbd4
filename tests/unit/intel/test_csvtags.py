import pytest
from hypothesis import given
from hypothesis import strategies as st
from intel_support import FIRST, HASHED, attribution, refused

from shieldwall.errors import BadText
from shieldwall.intel import ReadOptions, csvtags
from shieldwall.model.network import MAIN

NAMED = ReadOptions(set_name="receipts")


def read(text, options=NAMED):
    return csvtags.parse(text.encode(), "a.csv", options)


def test_columns_are_the_fields_of_a_tag():
    text = (
        "Address,label,category,abuse,actor,source,currency,confidence,date,is_cluster_definer,amount\n"
        f'{FIRST},"Binance, cold",exchange,,binance,https://example.org,BTC,ownership,2021-05-08,TRUE,12.5\n'
        f"{HASHED},Other,,scam,,,,40,,,\n"
    )
    first, second = read(text).claims
    assert first.subject.chain == MAIN.caip2
    assert dict(first.statement) == {
        "label": "Binance, cold",
        "category": "exchange",
        "actor": "binance",
        "cluster_definer": True,
        "further": ["amount=12.5"],
    }
    assert (first.source, first.confidence, first.at) == ("https://example.org", 100, "2021-05-08")
    assert (second.confidence, second.statement["abuse"], second.source) == (40, "scam", "")


def test_without_a_label_column_the_option_or_the_set_names_them():
    assert read(f"address\n{FIRST}\n").claims[0].statement["label"] == "receipts"
    assert read(f"address\n{FIRST}\n", ReadOptions(label="ransom")).claims[0].statement["label"] == "ransom"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(delimiter):
    text = delimiter.join(("label", "address")) + "\r\n" + delimiter.join(("x", FIRST)) + "\r\n\r\n"
    assert [claim.statement["label"] for claim in read(text).claims] == ["x"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "a.csv: empty"),
        ("name,label\nx,y\n", "a.csv:1: the header has no column `address`"),
        ("address,date,LastMod\n", "a.csv:1: two columns"),
        (f"address,label\n{FIRST}\n", "a.csv:2: 1 cells under a header of 2"),
        (f'address,label\n{FIRST},"open\n', "a.csv:2: not CSV"),
        (f"address,date\n{FIRST},soon\n", "a.csv:2: 'lastmod' is 'soon'"),
        ("address,label\n,x\n", "a.csv:2: a tag needs an address"),
    ],
)
def test_what_breaks_the_form_names_file_and_line(text, what):
    with pytest.raises(BadText) as caught:
        read(text)
    assert str(caught.value).startswith(what)


def test_the_real_receipts_are_all_addresses():
    path = attribution("showing-the-receipts", "addresses.csv")
    result = csvtags.parse(path.read_bytes(), str(path), NAMED)
    assert (len(result.claims), len(result.rejected)) == (1013, 0)
    assert result.further == {"amountreceivedbtc": 1013, "amountreceivedusd": 1013, "type": 1013}
    assert result.claims[0].statement["further"][-1] == "type=origCluster"


@given(
    st.binary(max_size=100) | st.text('address,;\t"\n\r 1', max_size=60).map(lambda text: b"address\n" + text.encode())
)
def test_anything_is_claims_or_bad_text(raw):
    message = refused(lambda: csvtags.parse(raw, "a.csv", NAMED))
    assert not message or message.startswith("a.csv")
