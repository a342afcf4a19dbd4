"""Litecoin's extension block: money that goes in ends there, money that comes out begins there, and nothing goes through."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trace_support import FIRST_TIME, PLAIN, Chain, Services

from shieldwall.chain.build import build
from shieldwall.chain.regtest import BlockMaker, p2wpkh
from shieldwall.chain.store import ChainStore
from shieldwall.cli import run
from shieldwall.errors import UsageError
from shieldwall.intel.rates import Valuer, parse_rates
from shieldwall.model import address
from shieldwall.model.network import LITECOIN_REGTEST, REGTEST
from shieldwall.model.script import Script, ScriptKind
from shieldwall.trace.follow import DIRECTIONS, follow
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods import METHODS
from shieldwall.trace.report import render
from shieldwall.trace.targets import find_targets

COIN = 10**8


def inside(version, number):
    """A script of 32 bytes of a witness version: 9 is paid in, 8 is the sum of what is inside."""
    return Script(ScriptKind.WITNESS, bytes([0x50 + version, 32]) + bytes([number]) * 32)


def who(name, network=LITECOIN_REGTEST):
    return address.identity(p2wpkh(name), network)


class Story:
    """The thief pays 6 of 10 LTC in, somebody else 5; block by block the extension is moved, and 4 are paid out."""

    def __init__(self, network=LITECOIN_REGTEST):
        chain = self.chain = Chain(BlockMaker(FIRST_TIME, network=network))
        (stolen,) = chain.fund(10 * COIN, name="thief")
        (other,) = chain.fund(5 * COIN, name="somebody")
        paid_in, _ = chain.pay([stolen], (inside(9, 1), 6 * COIN), ("friend", 4 * COIN))
        (also,) = chain.pay([other], (inside(9, 2), 5 * COIN))
        (pool,) = chain.pay([paid_in, also], (inside(8, 1), 11 * COIN))
        self.first, self.paid_in = pool.txid, f"{paid_in.txid}:{paid_in.index}"
        chain.mine()
        rest, out = chain.pay([pool], (inside(8, 2), 7 * COIN), ("out", 4 * COIN))
        self.second, self.pool = rest.txid, f"{rest.txid}:0"
        chain.mine()
        chain.pay([out], ("late", 4 * COIN))
        chain.mine()


@pytest.fixture(scope="module")
def story():
    return Story()


@pytest.fixture(scope="module")
def store(story, tmp_path_factory):
    with story.chain.store_in(tmp_path_factory.mktemp("extension")) as store:
        yield store


def traced(store, *words, method="fifo", **more):
    return follow(store, find_targets(store, list(words)), method, **more).body


def ends(body):
    return sorted((end["kind"], end["address"], end["amount"]) for end in body["ends"])


def passed(body):
    return {transfer["txid"] for transfer in body["transfers"]}


@pytest.mark.parametrize("method", [method for method in METHODS if method != "poison"])
def test_what_is_paid_in_ends_there(store, story, method):
    body = traced(store, who("thief"), method=method)
    assert (body["mweb_amount"], body["held_amount"], body["unknown_amount"]) == (6 * COIN, 4 * COIN, 0)
    assert body["seed_amount"] == 10 * COIN
    (end,) = [end for end in body["ends"] if end["kind"] == "mweb"]
    assert end["address"].startswith("mweb_pegin:")
    assert "hides amounts and holders" in end["reason"]
    assert not passed(body) & {story.first, story.second}
    assert "60.0 % (6 LTC) went into the extension block (MWEB)" in body["sentence"]


def test_poison_marks_nothing_beyond_it(store, story):
    body = traced(store, who("thief"), method="poison")
    assert not passed(body) & {story.first, story.second}
    assert {end["address"] for end in body["ends"]}.isdisjoint({who("out"), who("late")})


@pytest.mark.parametrize("method", ["poison", "haircut", "fifo", "lifo"])
def test_what_is_paid_out_begins_there(store, story, method):
    body = traced(store, who("late"), method=method, direction="backward")
    assert ends(body) == [("mweb", who("out"), 4 * COIN)]
    assert story.second not in passed(body)
    assert "came out of the extension block (MWEB)" in body["sentence"]


def test_a_trace_may_start_from_what_was_paid_out(store):
    assert ends(traced(store, who("out"))) == [("held", who("late"), 4 * COIN)]


def test_a_service_comes_before_the_extension_on_the_way_back(store):
    body = traced(store, who("late"), direction="backward", labels=Services(frozenset({who("out")})))
    assert ends(body) == [("service", who("out"), 4 * COIN)]


def test_no_limit_hides_it(store):
    assert traced(store, who("thief"), limits=Limits(hops=1))["mweb_amount"] == 6 * COIN
    assert traced(store, who("thief"), limits=Limits(hops=0))["mweb_amount"] == 0  # it did not get there
    back = traced(store, who("out"), limits=Limits(hops=0), direction="backward")
    assert back["mweb_amount"] == 4 * COIN


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_outputs_of_the_extension_as_targets(store, story, direction):
    pool = traced(store, story.pool, direction=direction)
    assert pool["mweb_amount"] == pool["seed_amount"] == 7 * COIN
    paid = traced(store, story.paid_in, direction=direction)
    assert paid["coinbase_amount" if direction == "backward" else "mweb_amount"] == 6 * COIN


def test_an_input_of_the_last_transaction_ends_before_it(store, story):
    alone = traced(store, f"{story.second}:in:0")
    assert (alone["mweb_amount"], alone["seed_amount"], alone["transfers"]) == (11 * COIN, 11 * COIN, [])
    both = traced(store, who("thief"), f"{story.first}:in:0")  # the same money, counted once
    assert (both["mweb_amount"], both["seed_amount"], both["returned_amount"]) == (6 * COIN, 10 * COIN, 6 * COIN)


def test_without_what_it_spends_it_is_still_known(story, tmp_path):
    block = tmp_path / "block.raw"
    block.write_bytes(story.chain.maker.blocks[4])
    build(tmp_path / "chain", [str(block)], network=LITECOIN_REGTEST, config=PLAIN)
    with ChainStore.open(tmp_path / "chain") as store:
        assert ends(traced(store, who("out"), direction="backward")) == [("mweb", who("out"), 4 * COIN)]


def test_a_payment_to_such_a_script_is_no_movement_of_the_extension(tmp_path):
    chain = Chain(BlockMaker(FIRST_TIME, network=LITECOIN_REGTEST))
    (coin,) = chain.fund(10 * COIN)
    chain.pay([coin], (inside(8, 1), COIN), ("friend", 9 * COIN))
    chain.mine()
    with chain.store_in(tmp_path) as store:
        assert ends(traced(store, who("friend"), direction="backward")) == [("coinbase", who("origin"), 9 * COIN)]
        assert traced(store, who("origin"))["mweb_amount"] == COIN


def test_on_bitcoin_the_same_scripts_mean_nothing(tmp_path):
    story = Story(REGTEST)
    with story.chain.store_in(tmp_path) as store:
        body = traced(store, who("thief", REGTEST), method="poison")
        assert "mweb_amount" not in body
        assert {story.first, story.second} <= passed(body)
        assert who("late", REGTEST) in {end["address"] for end in body["ends"]}
        assert "BTC" in body["sentence"]


@given(st.data())
def test_every_satoshi_ends_once_whatever_the_start(store, story, data):
    points = [f"{made.txid}:{index}" for made in story.chain.made for index in range(len(made.outputs))]
    points += [f"{made.txid}:in:{place}" for made in story.chain.made for place in range(len(made.coins))]
    chosen = data.draw(st.lists(st.sampled_from(points), min_size=1, max_size=4))
    direction = data.draw(st.sampled_from(DIRECTIONS))
    method = data.draw(st.sampled_from(["haircut", "fifo", "lifo"]))
    limits = Limits(hops=data.draw(st.sampled_from([None, 0, 1])))
    body = traced(store, *chosen, method=method, direction=direction, limits=limits)
    assert sum(end["amount"] for end in body["ends"]) == body["seed_amount"]
    assert not passed(body) & {story.first, story.second}


def test_the_page_and_the_terminal_name_coin_and_extension(store, story, tmp_path, monkeypatch, capsys):
    result = follow(store, find_targets(store, [who("thief")]), "all")
    page = render(result)
    assert "in the extension block<br>60.0 %" in page
    assert "The seven parts add up" in page
    assert "hidden in the extension block" in page
    assert "LTC followed" in page
    assert "BTC" not in page
    monkeypatch.setenv("SHIELDWALL_CHAIN", str(store.folder))
    monkeypatch.setenv("SHIELDWALL_DATA", str(tmp_path))
    assert run(["trace", who("thief"), "--method", "all", "--strict", "-o", "table"]) == 0
    out = capsys.readouterr().out
    assert "6 LTC" in out
    assert "mweb" in out
    assert "BTC" not in out


def test_the_least_amount_is_in_the_chain_s_coin(store, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SHIELDWALL_CHAIN", str(store.folder))
    monkeypatch.setenv("SHIELDWALL_DATA", str(tmp_path))
    assert run(["trace", who("thief"), "--least", "10.5ltc"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"]["least_amount"] == 1_050_000_000
    assert run(["trace", who("thief"), "--least", "10.5btc"]) == 2
    assert "whose coin is LTC" in capsys.readouterr().err


def test_rates_of_bitcoin_do_not_value_litecoin(store):
    def rates(name, text):
        return parse_rates(text.encode(), name)

    bitcoin = rates("own.csv", "date,currency,rate,source\n2020-09-13,USD,10000,desk\n")
    with pytest.raises(UsageError, match="the rates value BTC") as caught:
        traced(store, who("thief"), fiat=Valuer([bitcoin], "USD"))
    assert "rates of LTC" in str(caught.value.hint)
    with pytest.raises(UsageError, match="no rate file leads from LTC to USD"):
        Valuer([bitcoin], "USD", coin="LTC")
    for file in (
        rates("own.csv", "date,base,currency,rate,source\n2020-09-13,LTC,USD,50,desk\n"),
        rates("LTC-USD.csv", "Date,Open,Close\n2020-09-13,49,50\n"),
    ):
        body = traced(store, who("thief"), fiat=Valuer([file], "USD", coin="LTC"))
        assert body["fiat"]["seed"] == {"value": "500.00", "unvalued_amount": 0}
        assert "valued as if they were LTC" in body["notes"][-1]
