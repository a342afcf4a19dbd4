"""What rings: the same however the chain's growth is cut into looks, with crashes and repeats in between."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from shieldwall.node.watches.looking import (
    GONE,
    HORIZON,
    MOST_KNOWN,
    RECEIVED,
    SPENT,
    WAITING,
    Movement,
    Seen,
    Tip,
    begin,
    look,
)


def move(number, height, kind=RECEIVED, amount=1000):
    return Movement(kind=kind, txid=f"{number:064x}", amount=amount, height=height)


def by_txid(*movements):
    return {each.txid: each for each in movements}


def keys(events):
    return [(event.kind, int(event.txid, 16), event.turn) for event in events]


def test_what_was_there_when_the_watch_was_set_does_not_ring():
    seen = begin(Tip(height=5), by_txid(move(1, 5)))
    seen, events = look(seen, Tip(height=6), by_txid(move(1, 5), move(2, 6, SPENT)), still=())
    assert keys(events) == [(SPENT, 2, 0)]


def test_what_is_gone_rings_and_what_comes_back_rings_again():
    seen = begin(Tip(height=5), {})
    seen, events = look(seen, Tip(height=6), by_txid(move(1, 6)), still=())
    assert keys(events) == [(RECEIVED, 1, 0)]
    seen, events = look(seen, Tip(height=7), {}, still=())
    assert keys(events) == [(GONE, 1, 0)]
    assert events[0].movement.amount == 1000
    seen, events = look(seen, Tip(height=8), by_txid(move(1, 8)), still=())
    assert keys(events) == [(RECEIVED, 1, 1)]
    _, events = look(seen, Tip(height=9), {}, still=())
    assert keys(events) == [(GONE, 1, 1)]


def test_another_block_with_the_same_transaction_is_no_news():
    seen = begin(Tip(height=6), by_txid(move(1, 6)))
    assert look(seen, Tip(height=7), by_txid(move(1, 7)), still=())[1] == []


def test_a_double_spend_rings_for_both():
    seen = begin(Tip(height=6), by_txid(move(1, 6, SPENT)))
    _, events = look(seen, Tip(height=7), by_txid(move(2, 6, SPENT)), still=())
    assert keys(events) == [(GONE, 1, 0), (SPENT, 2, 0)]


def test_what_waits_rings_once_and_once_more_when_it_is_in_a_block():
    waits = {move(1, None).txid: replace(move(1, None), kind=WAITING)}
    seen = begin(Tip(height=6), {})
    seen, events = look(seen, Tip(height=6), {}, still=(), waiting=waits)
    assert keys(events) == [(WAITING, 1, 0)]
    seen, events = look(seen, Tip(height=6), {}, still=(), waiting=waits)
    assert events == []
    _, events = look(seen, Tip(height=7), by_txid(move(1, 7)), still=(), waiting=waits)
    assert keys(events) == [(RECEIVED, 1, 0)]


def test_an_address_that_joins_a_cluster_brings_no_old_news():
    seen = begin(Tip(height=6), by_txid(move(1, 6)), members="a")
    found = by_txid(move(1, 6), move(2, 4), move(3, 7))
    seen, events = look(seen, Tip(height=7), found, still=(), members="b")
    assert keys(events) == [(RECEIVED, 3, 0)]
    assert look(seen, Tip(height=7), found, still=(), members="b")[1] == []


def test_an_address_that_leaves_a_cluster_takes_nothing_back():
    seen = begin(Tip(height=6), by_txid(move(1, 6)), members="a")
    seen, events = look(seen, Tip(height=7), {}, still={move(1, 6).txid}, members="b")
    assert (events, seen.known) == ([], {})


def test_what_is_settled_is_not_remembered():
    found = by_txid(*(move(number, number * 1000) for number in range(1, 6)))
    seen = begin(Tip(height=5000), found)
    assert sorted(int(txid, 16) for txid in seen.known) == [3, 4, 5]
    assert seen.above == 5000 - HORIZON
    many = begin(Tip(height=1), {str(number): move(number, number) for number in range(MOST_KNOWN + 10)})
    assert (len(many.known), many.above) == (MOST_KNOWN, 9)


def test_a_flood_rings_in_parts_and_none_of_it_is_lost():
    found = by_txid(*(move(number, 1 + number // 3) for number in range(20)))
    seen, rang = begin(Tip(height=0), {}), []
    for _ in range(20):
        above = {txid: each for txid, each in found.items() if each.height > seen.above}
        seen, events = look(seen, Tip(height=9), above, still=(), most=4)
        assert len(events) <= 6
        rang += keys(events)
    assert seen.tip == Tip(height=9)
    assert rang == [(RECEIVED, number, 0) for number in range(20)]


heights = st.lists(st.none() | st.integers(1, 30), max_size=30)


@settings(max_examples=200)
@given(
    heights=heights,
    cuts=st.lists(st.integers(0, 31), max_size=8),
    crashes=st.lists(st.booleans(), min_size=10, max_size=10),
    most=st.integers(1, 40),
)
def test_any_slicing_of_growth_rings_the_same(heights, cuts, crashes, most):
    """Looks at a growing chain, each made again where its outcome was lost, in parts where there is much."""
    moved = [move(number, height, SPENT if number % 2 else RECEIVED) for number, height in enumerate(heights)]

    def at(tip):
        return by_txid(*(each for each in moved if each.height is not None and each.height <= tip))

    seen = begin(Tip(height=0), {})
    rang: set = set()
    for tip, crash in zip([*sorted(cuts), 31], [*crashes[: len(cuts)], False], strict=True):
        if crash:
            look(seen, Tip(height=tip), at(tip), still=(), most=most)  # and the process ends
        while True:
            seen, events = look(Seen.from_dict(seen.as_dict()), Tip(height=tip), at(tip), still=(), most=most)
            assert not rang & {event.key for event in events}
            rang |= {event.key for event in events}
            if seen.tip.height == tip:
                break
    once = {event.key for event in look(begin(Tip(height=0), {}), Tip(height=31), at(31), still=())[1]}
    assert rang == once


@settings(max_examples=200)
@given(st.lists(st.sets(st.integers(0, 8)), min_size=1, max_size=8))
def test_what_stands_and_what_was_taken_back_add_up(states):
    """Over any course of the chain, what rang and was not taken back is what the chain holds in the end."""
    seen, standing, rang = begin(Tip(height=0), {}), {}, []
    for height, state in enumerate(states, 1):
        seen, events = look(seen, Tip(height=height), by_txid(*(move(number, height) for number in state)), still=())
        for event in events:
            assert event.key not in rang
            rang.append(event.key)
            standing[event.txid] = event.kind != GONE
    assert {int(txid, 16) for txid, stands in standing.items() if stands} == states[-1]
