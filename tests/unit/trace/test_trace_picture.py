"""The picture: valid, bounded, nothing on top of anything else, and every satoshi somewhere."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_support import SVG, check, check_sums
from trace_reference import RULES
from trace_support import FEW, Chain, Services, bounds, chains, identity, starts, targets_of

from shieldwall.trace.arrangement import MOST_BOXES
from shieldwall.trace.follow import follow
from shieldwall.trace.layout import MOST_COLUMNS, MOST_IN_RUN, lay_out
from shieldwall.trace.limits import Limits
from shieldwall.trace.picture import lanes
from shieldwall.trace.runs import LEAST
from shieldwall.trace.targets import find_targets


def traced(chain, *words, **options):
    with chain.store() as store:
        return follow(store, find_targets(store, words), **options).body


@FEW
@given(st.data())
def test_any_trace_is_drawn_whole(data):
    chain = data.draw(chains())
    world = chain.world()
    start, wanted = data.draw(starts(world)), data.draw(bounds())
    limits = Limits(wanted.hops, wanted.until_time, wanted.until_height, wanted.least, wanted.transactions)
    with chain.store() as store:
        for name in RULES:
            body = follow(store, targets_of(store, start), name, limits, labels=Services(wanted.services)).body
            check(body)
        name = data.draw(st.sampled_from([name for name in RULES if name != "tiho"]))
        labels = Services(wanted.services)
        check(follow(store, targets_of(store, start), name, limits, labels=labels, direction="backward").body)


@pytest.mark.parametrize("count", [1, 5, 40, 41, 400])
def test_one_transaction_of_many_outputs(count):
    chain = Chain()
    (coin,) = chain.fund(10**6)
    chain.pay([coin], *((f"payee-{number}", 100 + number) for number in range(count)))
    chain.mine()
    body = traced(chain, identity("origin"))
    width, height = check(body)
    assert width < 600
    assert height < 3500
    others = [box for column in lay_out(body) for box in column.boxes if box.kind == "others"]
    if count <= MOST_BOXES:  # the start takes the room of one, and a sum of one is none
        assert not others
    else:
        (rest,) = others
        shown = sum(len(column.boxes) for column in lay_out(body)) - 1
        left = count + 1 - shown
        assert rest.words == f"+ {left} other{'' if left == 1 else 's'}"


@pytest.mark.parametrize("hops", [1, 23, 24, 60, 300])
def test_a_peel_chain(hops):
    chain = Chain()
    (coin,) = chain.fund(10**6)
    for number in range(hops):
        *_, coin = chain.pay([coin], (f"peel-{number}", 100), (f"chain-{number}", coin.value - 101))
        if number % 20 == 0:
            chain.mine()
    chain.mine()
    body = traced(chain, identity("origin"))
    width, height = check(body)
    assert width < 7000
    assert height < 2000
    columns = lay_out(body)
    last = columns[-1].boxes
    assert any(box.address == identity(f"chain-{hops - 1}") for box in last)  # the largest end is always shown
    (run,) = [column for column in columns if column.run] or [None]
    assert (run is not None) == (hops >= LEAST)
    if run:
        assert f">peel chain of {hops - 1} hops</text>" in lanes(body)
        assert len(run.boxes) <= MOST_IN_RUN + 1
        assert len(run.txids) == hops
    apart = lay_out(body, unfolded=True)
    check_sums(body, apart)
    if hops >= MOST_COLUMNS:
        many = next(column for column in apart if len(column.txids) > 1)
        assert f">{len(many.txids)} transactions</text>" in lanes(body, unfolded=True)


def test_a_peel_chain_is_one_column_and_what_one_address_got_is_one_box():
    chain = Chain()
    (coin,) = chain.fund(10**6)
    branch = None
    for number in range(9):
        piece, coin = chain.pay(
            [coin], ("desk" if number % 3 else "friend", 1000), (f"chain-{number}", coin.value - 1001)
        )
        branch = piece if number == 3 else branch
        chain.mine()
    chain.pay([branch], ("branch", 990))  # a friend's piece goes on, outside the chain
    chain.pay([coin], ("pool", coin.value - 5))  # all of it: no peeling
    chain.mine()
    with chain.store() as store:
        labels = Services(frozenset([identity("desk")]))
        body = follow(store, find_targets(store, [identity("origin")]), labels=labels).body
    check(body)
    start, run, *rest = lay_out(body)
    assert (run.run.hops, len(run.txids), run.run.anchor) == (8, 9, "#peel-1")
    told = {(box.kind, box.address): (box.amount, box.parts) for box in run.boxes}
    assert told["service", identity("desk")] == (6000, 6)
    assert told["held", identity("friend")] == (2000, 2)
    assert told["passed", identity("friend")] == (1000, 1)
    assert told["passed", identity("chain-8")][1] == 1
    assert start.boxes[0].amount == sum(box.amount for box in run.boxes) + run.fee
    assert {key for column in rest for key, _ in column.incoming} <= {box.key for box in run.boxes}
    assert " · 6 times</text>" in lanes(body)
    assert 'href="#peel-1"' in lanes(body, linked=True)
    assert "href" not in lanes(body)
    assert not any(column.run for column in lay_out(body, unfolded=True))


def test_hostile_words_stay_text():
    chain = Chain()
    (coin,) = chain.fund(100)
    chain.pay([coin], ("desk", 100))
    chain.mine()
    label = '<script>alert("1")</script>&\x1b[2J\u202e\x00'
    with chain.store() as store:
        labels = Services(frozenset([identity("desk")]), label)
        body = follow(store, find_targets(store, [identity("origin")]), labels=labels).body
    text = lanes(body)
    check(body)
    assert "<script" not in text
    assert not any(mark in text for mark in ("\x1b", "\u202e", "\x00"))
    assert "&lt;script&gt;" in text


def test_a_trace_of_nothing_is_an_empty_picture():
    chain = Chain()
    chain.fund(0)
    body = traced(chain, identity("origin"))
    assert body["seed_amount"] == 0
    assert ET.fromstring(lanes(body)).find(f".//{SVG}rect") is None  # noqa: S314


def test_a_seed_that_money_comes_back_to_is_drawn_with_all_it_holds():
    chain = Chain()
    first, second = chain.fund(100, 50)
    (back,) = chain.pay([first], ("person", 100))
    chain.mine()
    chain.pay([back, second], ("origin", 140))
    chain.mine()
    body = traced(chain, identity("origin"), method="haircut")
    check(body)
    assert body["returned_amount"] > 0


def test_a_gap_at_the_seed_itself_is_drawn(tmp_path):
    from trace_support import Coverage

    chain = Chain()
    (other,) = chain.fund(9, name="other")
    (mine,) = chain.fund(5, name="mine")
    chain.pay([other, mine], ("both", 14))
    chain.mine()
    merge = chain.made[-1].txid
    coverage = Coverage(["gone"] * 3 + ["whole"], previous={(merge, 1)})
    with coverage.store_in(tmp_path, chain) as store:
        body = follow(store, find_targets(store, [f"{merge}:in:1"])).body
    (box,) = lay_out(body)[0].boxes
    assert (box.kind, box.amount) == ("gap", 5)
    check(body)


def test_backward_the_sources_are_at_the_left_and_the_target_at_the_right():
    chain = Chain()
    first, second = chain.fund(100, 50)
    (middle, _) = chain.pay([first, second], ("middle", 120), ("desk", 30))
    chain.mine()
    chain.pay([middle], ("target", 110), ("change", 10))
    chain.mine()
    body = traced(chain, identity("target"), direction="backward")
    check(body)
    columns = lay_out(body)
    assert [{box.kind for box in column.boxes} for column in columns] == [{"coinbase"}, {"passed"}, {"seed"}]
    assert sum(box.amount for box in columns[0].boxes) == 110 == columns[2].boxes[0].amount
    picture = lanes(body)
    assert "Where the money came from" in picture
    assert ">sources</text>" in picture
