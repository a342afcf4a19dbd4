"""The words of `shieldwall trace`: backward, values, graphs, and what goes wrong with them."""

from __future__ import annotations

import csv
import io
import json
from xml.etree import ElementTree as ET

import pytest
from trace_support import Chain, identity

from shieldwall.cli import run

COIN = 10**8


@pytest.fixture(autouse=True)
def chain(tmp_path, monkeypatch):
    """10 BTC mined on 13 September 2020: 4 to a desk, 6 to a friend."""
    chain = Chain()
    (coin,) = chain.fund(10 * COIN)
    chain.pay([coin], ("desk", 4 * COIN), ("friend", 6 * COIN))
    chain.mine()
    chain.store_in(tmp_path).close()
    for name in ("CHAIN", "DATA"):
        monkeypatch.setenv(f"SHIELDWALL_{name}", str(tmp_path / name.lower()))
    (tmp_path / "own.csv").write_text("date,currency,rate,source\n2020-09-13,USD,10000.5,Example desk\n")
    monkeypatch.chdir(tmp_path)
    return chain


def call(capsys, *words):
    code = run(["trace", *words])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return code, said.out, said.err


def test_backward(capsys):
    code, out, _ = call(capsys, identity("friend"), "--backward")
    body = json.loads(out)
    assert (code, body["direction"], body["coinbase_amount"]) == (0, "backward", 6 * COIN)
    _, out, _ = call(capsys, identity("friend"), "--backward", "--method", "all", "-o", "table")
    assert "was newly mined, in 1 block reward" in out
    assert "the way from source 1:" in out
    assert "coinbase  service  unknown  gap  limit" in out
    assert "tiho" not in out
    code, _, err = call(capsys, identity("friend"), "--backward", "--method", "tiho")
    assert (code, "tiho cannot be asked backward" in err) == (2, True)


def test_values(capsys):
    words = [identity("origin"), "--fiat", "usd", "--rates", "own.csv"]
    body = json.loads(call(capsys, *words)[1])
    assert body["fiat"]["seed"]["value"] == "100005.00"
    assert body["fiat"]["files"][0]["file"] == "own.csv"
    _, out, _ = call(capsys, *words, "-o", "table")
    assert "(about 100,000 USD at the rate of 2020-09-13)" in " ".join(out.split())
    assert "USD then" in out
    assert "60003.00" in out
    rows = list(csv.DictReader(io.StringIO(call(capsys, *words, "-o", "csv")[1])))
    assert [row["fiat_value"] for row in rows] == ["60003.00", "40002.00"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--fiat", "USD"], 2, "takes rates, and none are shipped"),
        (["--rates", "own.csv"], 2, "name the currency too"),
        (["--rates-within", "3"], 2, "name the currency too"),
        (["--fiat", "CHF", "--rates", "own.csv"], 2, "these lead to USD"),
        (["--fiat", "USD", "--rates", "none.csv"], 2, "No such file"),
        (["--fiat", "USD", "--rates", "bad.csv"], 4, "no heading of a rate file"),
        (["--graphml", "no/such/a.graphml"], 2, "make it first (mkdir -p no/such)"),
        (["--report", "no/such/a.html"], 2, "--report no/such/a.html: there is no folder no/such"),
        (["--report", "."], 2, "name a file in it, such as trace.html"),
        (["--graphml", "."], 2, "name a file in it, such as trace.graphml"),
        (["--stop", "exchnage"], 2, "no tag of the sets used has the category 'exchnage'"),
        (["--until", "2020-09-13T99:00"], 2, "is not a date"),
    ],
)
def test_wrong_words(capsys, tmp_path, words, code, message):
    (tmp_path / "bad.csv").write_text("nonsense\n")
    got, out, err = call(capsys, identity("origin"), *words)
    assert (got, out, message in err) == (code, "", True)


@pytest.mark.parametrize("option", ["--report", "--graphml"])
def test_a_file_that_cannot_be_written_is_refused_before_the_walk(capsys, monkeypatch, option):
    monkeypatch.setattr("shieldwall.cli.trace.follow", lambda *_, **__: pytest.fail("it walked"))
    assert call(capsys, identity("origin"), option, "no/such/file")[0] == 2


def test_until_takes_a_time(capsys):
    def limited(until, *words):
        return json.loads(call(capsys, identity("origin"), "--until", until, *words)[1])["limit_amount"]

    assert limited("2020-09-13T12:36:39") == 10 * COIN
    assert limited("2020-09-13T12:36:40") == limited("2020-09-13T14:36:40+02:00") == limited("2020-09-14") == 0
    assert limited("2020-09-13") == 10 * COIN  # the first second of the day


def test_a_graph_is_written_and_named(capsys, tmp_path):
    code, out, err = call(capsys, identity("origin"), "--graphml", "trace.graphml")
    assert (code, err) == (0, "graph: trace.graphml\n")
    text = (tmp_path / "trace.graphml").read_text(encoding="utf-8")
    assert json.loads(out)["digest"] in text
    assert ET.fromstring(text.encode()).tag.endswith("graphml")  # noqa: S314 - our own text


def test_the_same_from_python(tmp_path):
    import shieldwall

    with shieldwall.open_chain() as store:
        options = {"tags": [], "fiat": "usd", "rates": [tmp_path / "own.csv"], "direction": "backward"}
        body = shieldwall.trace_money(store, [identity("friend")], **options).body
    assert (body["direction"], body["fiat"]["seed"]["value"]) == ("backward", "60003.00")
