"""The picture: valid, bounded, nothing on top of anything else, and every satoshi somewhere."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trace_reference import RULES
from trace_support import Chain, Services, bounds, chains, identity, starts, targets_of

from shieldwall.trace.follow import follow
from shieldwall.trace.layout import MOST_BOXES, MOST_COLUMNS, lay_out
from shieldwall.trace.limits import Limits
from shieldwall.trace.picture import lanes
from shieldwall.trace.targets import find_targets

SVG = "{http://www.w3.org/2000/svg}"


def check(body):
    """Everything that must hold of any picture; returns its width and height."""
    columns = lay_out(body)
    check_sums(body, columns)
    picture = ET.fromstring(lanes(body))  # noqa: S314 - our own text
    width, height = (int(part) for part in picture.get("viewBox").split()[2:])
    rectangles = [
        tuple(int(entry.get(name)) for name in ("x", "y", "width", "height")) for entry in picture.iter(SVG + "rect")
    ]
    assert len(rectangles) == sum(len(column.boxes) for column in columns)
    for number, (x, y, wide, high) in enumerate(rectangles):
        assert x >= 0
        assert x + wide <= width
        assert y >= 0
        assert y + high <= height
        for other_x, other_y, other_wide, other_high in rectangles[:number]:
            apart = x + wide <= other_x or other_x + other_wide <= x or y + high <= other_y or other_y + other_high <= y
            assert apart
    assert len(rectangles) <= MOST_BOXES + len(columns)
    assert len(columns) <= MOST_COLUMNS + 1
    assert lanes(body) == lanes(body)
    return width, height


def check_sums(body, columns):
    """What comes in makes what goes out and the fee; what is left at the end are the ends."""
    boxes = {box.key: box for column in columns for box in column.boxes}
    left = {key: box.amount for key, box in boxes.items()}
    conserved = body["conserved"]
    for number, column in enumerate(columns):
        for key, amount in column.incoming:
            left[key] -= amount
            assert boxes[key].column < number
        if conserved and column.txids and body["returned_amount"] == 0:
            made = sum(box.amount for box in column.boxes) + column.fee
            brought = sum(amount for _, amount in column.incoming)
            assert made == brought or any("starts here" in box.words for box in column.boxes) or len(column.txids) > 1
    assert all(amount >= 0 for amount in left.values())
    fees = sum(
        output["amount"]
        for end in body["ends"]
        for output in end["outputs"]
        if output["index"] is None and end["kind"] == "fee"
    )
    if conserved:
        assert sum(left.values()) + fees == body["seed_amount"]
        assert sum(column.fee for column in columns) == fees
    assert sum(len(column.txids) for column in columns) == len(body["transfers"])


def traced(chain, *words, **options):
    with chain.store() as store:
        return follow(store, find_targets(store, words), **options).body


@settings(max_examples=40)
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


@pytest.mark.parametrize("count", [1, 5, 40, 400])
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
    if count < MOST_BOXES:
        assert not others
    else:
        (rest,) = others
        shown = sum(len(column.boxes) for column in lay_out(body)) - 1
        assert rest.words == f"+ {count + 1 - shown} others"


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
    if hops >= MOST_COLUMNS:
        assert f">{len(next(c for c in columns if len(c.txids) > 1).txids)} transactions</text>" in lanes(body)


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
