"""Rates: what files say, what a value is made of, and what no file can do to the program."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import BadText, ShieldwallError, UsageError
from shieldwall.intel.rates import Valuer, parse_rates, read_rates

COIN = 10**8
DAYS = "Date,Open,High,Low,Close,Adj Close,Volume\n"
ECB_HEADING = "Date,USD,GBP,CYP,\n"


def at(day, hour=12):
    return int(datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC).timestamp())


def history(name="BTC-USD.csv", **closes):
    rows = "".join(f"{day.replace('_', '-')[1:]},1,1,1,{close},1,1\n" for day, close in closes.items())
    return parse_rates((DAYS + rows).encode(), name)


def zipped(text, name="eurofxref-hist.csv"):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return file.getvalue()


def cryptocompare(*days):
    rows = ",".join(f'{{"time":{time},"open":9,"close":{close}}}' for time, close in days)
    return f'{{"Response":"Success","Data":{{"Aggregated":false,"Data":[{rows}]}}}}'.encode()


# forms


def test_a_price_history_gives_its_close():
    file = history(d2021_06_07="33560.707031", d2021_06_08="null")
    assert {pair: list(series) for pair, series in file.quotes.items()} == {("BTC", "USD"): [date(2021, 6, 7)]}
    quote = file.quotes["BTC", "USD"][date(2021, 6, 7)]
    assert (quote.rate, quote.what) == (Decimal("33560.707031"), "daily close")
    assert "BTC-USD.csv" in quote.source


def test_cryptocompare_gives_the_exact_close_of_the_day():
    raw = cryptocompare((1709596800, "63804.11"), (1709683200, "66115.57"), (1709769600, 0))
    file = parse_rates(raw, "cryptocompare_btc_usd_2024.json")
    series = file.quotes["BTC", "USD"]
    assert {day: str(quote.rate) for day, quote in series.items()} == {
        date(2024, 3, 5): "63804.11", date(2024, 3, 6): "66115.57",
    }  # fmt: skip
    assert file.as_dict() == {
        "file": "cryptocompare_btc_usd_2024.json",
        "sha256": hashlib.sha256(raw).hexdigest(),
        "sources": ["CryptoCompare"],
        "first_date": "2024-03-05",
        "last_date": "2024-03-06",
    }


@pytest.mark.parametrize("pack", [str.encode, zipped])
def test_the_ecb_counts_in_euro(pack):
    file = parse_rates(pack(ECB_HEADING + "2025-03-06,1.0796,0.8379,N/A,\n2025-03-05,1.0694,,N/A,\n"), "ecb")
    assert sorted(file.quotes) == [("EUR", "GBP"), ("EUR", "USD")]
    assert len(file.quotes["EUR", "USD"]) == 2
    assert "European Central Bank" in file.as_dict()["sources"][0]


def test_ones_own_table_names_its_source():
    raw = b"\xef\xbb\xbfdate,currency,rate,source\n2021-05-08,usd,58803.78,desk A\n2021-05-08,EUR,48300,desk B\n"
    file = parse_rates(raw, "own.csv")
    assert file.as_dict()["sources"] == ["desk A", "desk B"]
    assert sorted(file.quotes) == [("BTC", "EUR"), ("BTC", "USD")]
    file = parse_rates(b"date,base,currency,rate,source\n2021-05-08,USD,EUR,0.82,desk\n", "own.csv")
    assert list(file.quotes) == [("USD", "EUR")]


@pytest.mark.parametrize(
    ("raw", "name", "message"),
    [
        (b"", "x.csv", "no heading"),
        (b"a,b\n1,2\n", "x.csv", "x.csv:1: no heading"),
        (DAYS.encode() + b"2021-06-07,1,1,1,5,1,1\n", "prices.csv", "this name does not tell"),
        (DAYS.encode(), "BTC-USD.csv", "no rate in it"),
        (DAYS.encode() + b"2021-06-07,1,1,1,5,1\n", "BTC-USD.csv", "BTC-USD.csv:2: 6 cells under a heading of 7"),
        (DAYS.encode() + b"07.06.2021,1,1,1,5,1,1\n", "BTC-USD.csv", "BTC-USD.csv:2: '07.06.2021' is no date"),
        (DAYS.encode() + b"2021-06-07,1,1,1,1e999999999,1,1\n", "BTC-USD.csv", "is no rate"),
        (DAYS.encode() + b"2021-06-07,1,1,1,-5,1,1\n", "BTC-USD.csv", "is no rate"),
        (DAYS.encode() + b'2021-06-07,1,1,1,"5,1,1\n', "BTC-USD.csv", "not CSV"),
        (
            DAYS.encode() + b"2021-06-07,1,1,1,5,1,1\n2021-06-07,1,1,1,6,1,1\n",
            "BTC-USD.csv",
            "BTC-USD.csv:3: BTC in USD on 2021-06-07 is 6 here and 5 before",
        ),
        (b"date,currency,rate,source\n2021-05-08,USD,5,\n", "x.csv", "x.csv:2: no source"),
        (b"date,currency,rate,source\n2021-05-08,dollars,5,x\n", "x.csv", "is no currency"),
        (b"{", "btc-usd.json", "not JSON"),
        (b"[1]", "btc-usd.json", "no heading"),
        (b'{"Data":7}', "btc-usd.json", "no list of days"),
        (b'{"Data":[7]}', "btc-usd.json", "day 1: no object"),
        (cryptocompare((99, 5), ("1e3", 5)), "btc-usd.json", "day 2: '1e3' is no time"),
        (cryptocompare((99, "NaN")), "btc-usd.json", "no rate"),
        (cryptocompare((99, "true")), "btc-usd.json", "is no rate"),
        (b"PK\x03\x04nonsense", "x.zip", "not a readable zip"),
        (zipped("x", "readme.txt"), "x.zip", "0 CSV files in it instead of one"),
        (b"\xff\xfe", "x.csv", "not UTF-8"),
    ],
)
def test_broken_files_name_the_place(raw, name, message):
    with pytest.raises(BadText, match="(?s).*" + message.replace("(", r"\(")):
        parse_rates(raw, name)


def test_a_small_archive_of_a_large_table_is_refused(monkeypatch):
    monkeypatch.setattr("shieldwall.intel.rates.readers._MOST_UNZIPPED", 1000)
    with pytest.raises(BadText, match="when unpacked"):
        parse_rates(zipped("0" * 1001), "bomb.zip")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        read_rates(tmp_path / "none.csv")


# values


def test_a_value_carries_what_made_it():
    file = history(d2021_06_07="33560.707031")
    worth = Valuer([file], "USD").value(6_370_000_000, at("2021-06-07", 17))
    assert worth.as_dict() == {
        "amount": 6_370_000_000,
        "currency": "USD",
        "value": "2137817.04",
        "rate": "33560.707031",
        "rate_date": "2021-06-07",
        "rates": [
            {
                "from": "BTC", "to": "USD", "rate": "33560.707031", "inverted": False, "date": "2021-06-07",
                "what": "daily close", "source": "BTC-USD.csv, as it was given to this program", "file": "BTC-USD.csv",
                "sha256": file.sha256,
            }
        ],
        "reason": "",
    }  # fmt: skip


def test_the_day_is_that_of_utc():
    valuer = Valuer([history(d2021_06_07="1", d2021_06_08="2")], "USD")
    assert valuer.value(COIN, at("2021-06-08", 0) - 1).text == "1.00"
    assert valuer.value(COIN, at("2021-06-08", 0)).text == "2.00"


def test_no_rate_is_no_value_and_older_ones_only_when_allowed():
    file = history(d2021_06_04="30000", d2021_06_09="40000")
    worth = Valuer([file], "USD").value(COIN, at("2021-06-07"))
    assert (worth.text, worth.rates, worth.reason) == (None, (), "no rate of BTC in USD for 2021-06-07")
    assert Valuer([file], "USD", 2).value(COIN, at("2021-06-07")).text is None
    worth = Valuer([file], "USD", 3).value(COIN, at("2021-06-07"))
    assert (worth.text, worth.as_dict()["rate_date"]) == ("30000.00", "2021-06-04")  # never a later one
    assert Valuer([file], "USD", 31).value(COIN, at("2022-01-01")).text is None


def test_chains_store_every_rate():
    ecb = parse_rates((ECB_HEADING + "2021-06-07,1.25,0.8,N/A,\n").encode(), "ecb.csv")
    usd = history(d2021_06_07="10000")
    worth = Valuer([usd, ecb], "EUR").value(COIN, at("2021-06-07"))
    assert (worth.text, worth.rate) == ("8000.00", "8000.00000000")
    assert [(leg.base, leg.currency, str(leg.quote.rate), leg.inverted) for leg in worth.rates] == [
        ("BTC", "USD", "10000", False),
        ("USD", "EUR", "1.25", True),
    ]
    worth = Valuer([usd, ecb], "GBP").value(COIN, at("2021-06-07"))
    assert (worth.text, len(worth.rates)) == ("6400.00", 3)
    assert len({leg.sha256 for leg in worth.rates}) == 2


def test_the_shorter_way_and_the_first_file_hold():
    ecb = parse_rates((ECB_HEADING + "2021-06-07,1.25,0.8,N/A,\n").encode(), "ecb.csv")
    direct = history("BTC-EUR.csv", d2021_06_07="7999")
    valuer = Valuer([history(d2021_06_07="10000"), ecb, direct], "EUR")
    assert valuer.value(COIN, at("2021-06-07")).text == "7999.00"
    first, second = history(d2021_06_07="1"), history("btc_usd.csv", d2021_06_07="2", d2021_06_08="3")
    valuer = Valuer([first, second], "USD", 1)
    assert valuer.value(COIN, at("2021-06-07")).text == "1.00"
    assert valuer.value(COIN, at("2021-06-08")).text == "3.00"  # of the very day before an older one of the first file


def test_no_way_to_a_currency_is_told():
    with pytest.raises(UsageError, match="no rate file leads from BTC to EUR") as caught:
        Valuer([history(d2021_06_07="1")], "EUR")
    assert caught.value.hint == "these lead to USD"
    ecb = parse_rates((ECB_HEADING + "2021-06-07,1.25,0.8,N/A,\n").encode(), "ecb.csv")
    with pytest.raises(UsageError, match="no rate file leads from BTC to USD") as caught:
        Valuer([ecb], "USD")
    assert "prices of BTC" in caught.value.hint


@given(st.integers(0, 21 * 10**14), st.decimals("0.00000001", "999999999", places=8))
def test_values_are_exact_to_the_half_cent(satoshi, rate):
    file = parse_rates(f"date,currency,rate,source\n2021-06-07,USD,{rate:f},x\n".encode(), "own.csv")
    cents = Valuer([file], "USD").value(satoshi, at("2021-06-07")).cents
    exact = Fraction(rate) * satoshi * 100 / COIN
    assert cents is not None
    assert -Fraction(1, 2) < cents - exact <= Fraction(1, 2)


# what files may try


@given(
    st.binary(max_size=300),
    st.sampled_from(["BTC-USD.csv", "x"]),
    st.sampled_from([b"", b"PK\x03\x04", b"{", DAYS.encode()]),
)
def test_any_bytes_give_rates_or_a_plain_error(raw, name, start):
    try:
        file = parse_rates(start + raw, name)
    except ShieldwallError:
        return
    assert all(quote.rate > 0 for series in file.quotes.values() for quote in series.values())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["Data", "time", "close", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["Data", "Response"]), JSON, max_size=2))
def test_any_json_gives_rates_or_a_plain_error(body):
    try:
        parse_rates(json.dumps(body).encode(), "BTC-USD.json")
    except ShieldwallError:
        return


CELLS = st.sampled_from(
    ["2021-06-07", "2021-02-30", "USD", "1.5", "N/A", "", "x", '"', "1e9", "desk", "0", "9" * 40]
) | st.text(max_size=8)


@given(
    st.sampled_from(
        ["date,currency,rate,source", "date,base,currency,rate,source", "Date,USD,GBP", DAYS.strip(), "Date,USD,"]
    ),
    st.lists(st.lists(CELLS, max_size=8), max_size=5),
)
def test_any_table_gives_rates_or_a_plain_error(heading, rows):
    text = "\n".join([heading, *(",".join(row) for row in rows)])
    for raw in (text.encode("utf-8", "surrogatepass"), zipped(text.encode("utf-8", "surrogatepass"))):
        try:
            parse_rates(raw, "BTC-USD.csv")
        except ShieldwallError:
            continue


@given(st.binary(max_size=40), st.integers(0, 200))
def test_any_damage_to_an_archive_gives_a_plain_error_or_rates(patch, place):
    raw = bytearray(zipped(ECB_HEADING + "2021-06-07,1.25,0.8,N/A,\n"))
    raw[place : place + len(patch)] = patch
    try:
        parse_rates(bytes(raw), "ecb.zip")
    except ShieldwallError:
        return


# the files that the sources publish


@pytest.mark.needs("shared")
def test_the_published_files(shared_data):
    folder = shared_data / "rates"
    prices, ecb = read_rates(folder / "BTC-USD.csv"), read_rates(folder / "eurofxref-hist.zip")
    recorded = read_rates(folder / "cryptocompare_btc_usd_2024-03-05_2025-03-07.json")
    assert len(prices.quotes["BTC", "USD"]) == 4630
    assert len(recorded.quotes["BTC", "USD"]) == 368
    assert (ecb.as_dict()["first_date"], ecb.as_dict()["last_date"]) == ("1999-01-04", "2025-03-06")
    assert len(ecb.quotes["EUR", "USD"]) == 6704
    paid, seized = at("2021-05-08", 17), at("2021-06-07", 17)
    assert Valuer([prices], "USD").value(75 * COIN, paid).text == "4410283.30"  # DOJ and press: 4.4 million
    assert Valuer([prices], "USD").value(6_370_000_000, seized).text == "2137817.04"  # 2.28 million at the open
    weekend = Valuer([prices, ecb], "EUR")
    assert weekend.value(75 * COIN, paid).text is None  # a Saturday: the ECB publishes nothing
    worth = Valuer([prices, ecb], "EUR", 1).value(75 * COIN, paid)
    assert [leg.day for leg in worth.rates] == [date(2021, 5, 8), date(2021, 5, 8) - timedelta(days=1)]
