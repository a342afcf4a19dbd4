"""How somebody wants a picture: whatever is folded, opened, pinned or made small, every satoshi stays somewhere."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from picture_support import check_sums
from trace_support import FEW, Chain, chains, identity, starts, targets_of

from shieldwall.trace.arrangement import DENSITIES, MOST_DRAWN, PLAIN, Arrangement, arranged
from shieldwall.trace.follow import follow
from shieldwall.trace.layout import lay_out
from shieldwall.trace.picture import Around, Marks, draw
from shieldwall.trace.targets import find_targets


def traced(chain, *words):
    with chain.store() as store:
        return follow(store, find_targets(store, words)).body


def boxes_of(columns):
    return {box.key: box for column in columns for box in column.boxes}


@st.composite
def arrangements(draw, keys, txids):
    some = st.frozensets(st.sampled_from(sorted(keys))) if keys else st.just(frozenset())
    return Arrangement(
        shown=draw(some),
        pinned=draw(some),
        closed=draw(some),
        unfolded=draw(st.frozensets(st.sampled_from(sorted(txids)))) if txids else frozenset(),
        least=draw(st.integers(0, 10**6)),
        boxes=draw(st.sampled_from((1, 3, *DENSITIES))),
    )


@FEW
@given(st.data())
def test_however_it_is_arranged_nothing_is_lost(data):
    chain = data.draw(chains())
    start = data.draw(starts(chain.world()))
    with chain.store() as store:
        body = follow(store, targets_of(store, start)).body
    keys = {f"{transfer['txid']}:{entry['index']}" for transfer in body["transfers"] for entry in transfer["outputs"]}
    arrangement = data.draw(arrangements(keys, {transfer["txid"] for transfer in body["transfers"]}))
    columns = lay_out(body, arrangement)
    check_sums(body, columns)
    assert len(boxes_of(columns)) == sum(len(column.boxes) for column in columns)
    assert sum(len(column.txids) for column in columns) == len(body["transfers"])


def tree(width=3, depth=4):
    """Money that parts in three, again and again."""
    chain = Chain()
    coins = list(chain.fund(10**9))
    for step in range(depth):
        following = []
        for number, coin in enumerate(coins):
            part = (coin.value - 10) // width
            following += chain.pay([coin], *((f"payee-{step}-{number}-{place}", part) for place in range(width)))
        chain.mine()
        coins = following
    return traced(chain, identity("origin"))


def test_a_box_that_is_closed_says_what_is_behind_it_and_opens_again():
    body = tree()
    first = next(box for box in lay_out(body)[1].boxes if box.kind == "passed")
    closed = PLAIN.after({"kind": "collapse", "keys": [first.key]})
    columns = lay_out(body, closed)
    check_sums(body, columns)
    assert boxes_of(columns)[first.key].closed == 1 + 3 + 9
    again = closed.after({"kind": "expand", "keys": [], "from": [first.key]})
    assert again == PLAIN
    assert len(lay_out(body, again)) == len(lay_out(body))


def test_what_is_pinned_or_opened_is_shown_however_small():
    body = tree()
    few = PLAIN.after({"kind": "boxes", "value": 1}).after({"kind": "least", "value": 10**9})
    columns = lay_out(body, few)
    hidden = next(box for column in columns for box in column.boxes if box.kind == "others").members[-1]
    assert hidden not in boxes_of(columns)
    for kind in ("pin", "expand"):
        shown = lay_out(body, few.after({"kind": kind, "keys": [hidden]}))
        assert hidden in boxes_of(shown)
        check_sums(body, shown)


def test_steps_one_after_the_other():
    steps = [
        {"kind": "pin", "keys": ["a:0"]},
        {"kind": "note"},
        {"kind": "unpin", "keys": ["a:0"]},
        {"kind": "boxes", "value": 10**6},
    ]
    assert arranged(steps) == Arrangement(boxes=MOST_DRAWN)


def test_a_run_is_unfolded_alone():
    chain = Chain()
    (coin,) = chain.fund(10**6)
    for number in range(6):
        _, coin = chain.pay([coin], (f"friend-{number}", 1000), (f"chain-{number}", coin.value - 1001))
        chain.mine()
    body = traced(chain, identity("origin"))
    (run,) = [column.run for column in lay_out(body) if column.run]
    apart = PLAIN.after({"kind": "unfold", "keys": [run.transfers[0]["txid"]]})
    assert not any(column.run for column in lay_out(body, apart))


def test_three_thousand_transactions_are_folded_to_what_can_be_drawn():
    body = tree(width=3, depth=7)
    assert len(body["transfers"]) == (3**7 - 1) // 2
    for boxes in DENSITIES:
        columns = lay_out(body, Arrangement(boxes=boxes))
        shown = [box for box in boxes_of(columns).values() if box.kind != "others"]
        assert len(shown) <= max(boxes, 40)
        check_sums(body, columns)


def test_a_page_around_it_has_a_link_for_each_box_and_says_what_is_marked():
    chain = Chain()
    (coin,) = chain.fund(1000)
    chain.pay([coin], ("desk", 600), ("rest", 390))
    chain.mine()
    body = traced(chain, identity("origin"))
    columns = lay_out(body)
    key = f"{body['transfers'][0]['txid']}:0"
    around = Around(
        link=lambda key: f"?box={key}",
        selected=key,
        marks={key: Marks(notes=1, watched=True)},
        pinned=frozenset((key,)),
    )
    text = draw(body, columns, around=around)
    assert text.count("<a ") == text.count("</a>") == len(boxes_of(columns)) + 1
    assert f'data-key="{key}"' in text
    assert text.count('aria-current="true"') == 1
    assert "◆ ✎ ◉" in text
    assert 'role="group"' in text


def test_a_line_is_dashed_where_other_money_came_in_beside():
    chain = Chain()
    (coin,) = chain.fund(1000)
    (other,) = chain.fund(500, name="other")
    (alone,) = chain.pay([coin], ("middle", 990))
    chain.mine()
    chain.pay([alone, other], ("one", 700), ("two", 700))
    chain.mine()
    body = traced(chain, identity("origin"))
    assert [transfer["mixed"] for transfer in body["transfers"]] == [False, True]
    assert draw(body, lay_out(body)).count('class="flow mixed"') == 2


def test_a_sum_of_a_run_may_be_spent_in_part_where_it_is_folded_and_in_part_elsewhere():
    chain = Chain()
    small, *large = chain.fund(10_000, *([10**6] * 30))
    pieces = []
    for number in range(6):  # a peel chain that pays the friend twice: one box of two outputs
        name = "friend" if number in (1, 3) else f"desk-{number}"
        piece, small = chain.pay([small], (name, 500), (f"chain-{number}", small.value - 500))
        pieces.append(piece)
        chain.mine()
    chain.pay([pieces[1]], ("near", 500))
    chain.mine()
    for number, coin in enumerate(large):
        chain.pay([coin], (f"large-{number}", coin.value))
        chain.mine()
    between = chain.made[-1].txid
    chain.pay([pieces[3]], ("far", 500))
    chain.mine()
    body = traced(chain, identity("origin"))
    columns = lay_out(body, Arrangement(boxes=1, pinned=frozenset((f"{between}:0",))))
    check_sums(body, columns)
    assert sum(len(column.txids) > 1 for column in columns) == 1
    assert [column.txids for column in columns][-2:] == [[between], [chain.made[-1].txid]]
