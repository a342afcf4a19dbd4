"""CoinJoins: each published rule with one requirement broken at a time, and the compiled pass against the plain one."""

from dataclasses import replace

import numpy as np
import pytest
from coinjoin_support import (
    BTC,
    DATA_HOLDERS,
    MADE,
    NO_SERVICES,
    Tx,
    brings,
    generic,
    graph,
    joinmarket,
    transactions,
    tx0,
    wabisabi,
    wasabi_1_0,
    wasabi_1_1,
    whirlpool,
)
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.kernels.arrays import (
    COINJOIN_NAMES,
    GENERIC,
    JOINMARKET,
    NO_COINJOIN,
    WABISABI,
    WASABI_1_0,
    WASABI_1_1,
    WHIRLPOOL,
    WHIRLPOOL_TX0,
)
from shieldwall.kernels.compiled.coinjoins import coinjoin_kinds as compiled
from shieldwall.kernels.plain.coinjoins import PRECEDENCE, coinjoin_kinds, is_stonewall, shape_of


def kind(tx: Tx, services=NO_SERVICES, starts=None) -> int:
    """What both kernels say of one transaction."""
    arrays, kinds = graph([tx])
    (plain,) = coinjoin_kinds(arrays, kinds, 0, 1, services, starts)
    (fast,) = compiled(arrays, kinds, 0, 1, services, starts)
    assert plain == fast
    return int(plain)


def with_input(tx: Tx, at: int, payer: int | None, value: int | None) -> Tx:
    inputs = list(tx.inputs)
    inputs[at] = (payer, value)
    return replace(tx, inputs=tuple(inputs))


def with_value(tx: Tx, at: int, value: int) -> Tx:
    outputs = list(tx.outputs)
    outputs[at] = (outputs[at][0], value)
    return replace(tx, outputs=tuple(outputs))


def to_one(tx: Tx) -> Tx:
    """The last payment goes to the holder of the first."""
    return replace(tx, outputs=(*tx.outputs[:-1], (tx.outputs[0][0], tx.outputs[-1][1])))


@pytest.mark.parametrize("code", sorted(MADE), ids=COINJOIN_NAMES.__getitem__)
def test_each_shape_is_of_its_kind(code):
    assert kind(MADE[code]()) == code


def test_every_kind_has_a_place_in_the_order():
    assert sorted(PRECEDENCE) == list(range(1, len(COINJOIN_NAMES)))


@pytest.mark.parametrize(
    "tx",
    [
        Tx((), generic().outputs),
        brings(1).paying(4_000_000, 4_000_000, 11_111, 22_222),  # one input
        brings(2).paying(4_000_000, 4_000_000),  # two outputs
        brings(2).paying(4_000_000, 4_000_000, 4_000_000, 22_222),  # three equal of four
        brings(2).paying(4_000_000, 11_111, 22_222, 33_333),  # one equal of four
        brings(2).paying(4_000_000, 4_000_000, 11_111, 22_222, 33_333),  # two equal of five
        with_input(generic(), 1, 0, BTC),  # one payer
        with_input(generic(), 1, None, BTC),  # a second one is not known
        brings(2).paying(546, 546, 11_111, 22_222),
        brings(2).paying(2_730, 2_730, 11_111, 22_222),
        brings(2).paying(546, 546, 22_222, 22_222),  # of two equal values the lowest counts
    ],
)
def test_near_misses_of_the_generic_shape(tx):
    assert kind(tx) == NO_COINJOIN


def test_generic_counts_data_outputs_and_takes_the_lowest_of_equals():
    assert kind(brings(2).paying(4_000_000, 4_000_000, 11_111).more((DATA_HOLDERS[0], 0))) == GENERIC
    assert kind(brings(2).paying(4_000_000, 4_000_000, 546, 546)) == NO_COINJOIN
    assert kind(brings(2).paying(4_000_000, 4_000_000, 547, 547)) == GENERIC
    assert kind(brings(2).paying(4_000_000, 4_000_000, 11_111)) == GENERIC  # half of three, rounded up


@pytest.mark.parametrize(
    "tx",
    [
        replace(whirlpool(), inputs=whirlpool().inputs[1:], outputs=whirlpool().outputs[1:]),  # four
        Tx(tuple((place, 5_000_000 + 10_000 * (place < 3)) for place in range(9)), ()).paying(*[5_000_000] * 9),
        replace(whirlpool(), outputs=whirlpool().outputs[1:]),  # four payments for five
        whirlpool().more((600, 5_000_000)),
        whirlpool().paying(*[4_000_000] * 5),  # no pool's amount
        with_value(whirlpool(), 4, 5_000_001),
        with_input(whirlpool(), 4, 3, 5_000_000),  # one payer twice
        with_input(whirlpool(), 4, None, 5_000_000),
        with_input(whirlpool(), 4, 4, None),
        to_one(whirlpool()),
        with_input(whirlpool(), 0, 0, 5_000_099),
        with_input(whirlpool(), 0, 0, 5_110_001),
        with_input(whirlpool(), 4, 4, 4_999_999),
        replace(whirlpool(), inputs=tuple((place, 5_000_000) for place in range(5))),  # nobody enters
        replace(whirlpool(), inputs=tuple((place, 5_010_000) for place in range(5))),  # five enter
    ],
)
def test_near_misses_of_a_mix(tx):
    assert kind(tx) != WHIRLPOOL


def test_a_mix_at_its_edges():
    assert kind(with_input(whirlpool(), 0, 0, 5_000_100)) == WHIRLPOOL
    assert kind(with_input(whirlpool(), 0, 0, 5_110_000)) == WHIRLPOOL
    eight = Tx(tuple((place, 100_000 + 500 * (place < 4)) for place in range(8)), ()).paying(*[100_000] * 8)
    assert kind(eight) == WHIRLPOOL


@pytest.mark.parametrize(
    "tx",
    [
        Tx((), tx0().outputs),  # a coinbase
        replace(tx0(), outputs=tx0().outputs[:-1]),  # no OP_RETURN
        tx0().more((DATA_HOLDERS[1], 0)),
        brings(1).paying(50_000).more((DATA_HOLDERS[0], 0)),  # no prepared coin
        tx0().more((600, 80_000_000)),  # three other payments
        brings(1).paying(50_000, 1_000_099, 90_000_000).more((DATA_HOLDERS[0], 0)),
        brings(1).paying(50_000, 1_110_001, 90_000_000).more((DATA_HOLDERS[0], 0)),
        with_value(tx0(), 0, 24_999),  # below half of the pool's fee
        with_value(tx0(), 0, 150_001),  # above three times of it
        with_value(tx0(), 5, 30_000),  # two fees
        with_value(tx0(), 4, 1_001_001),  # prepared coins that differ are other payments
        brings(1).paying(50_000, *[1_001_000] * 71).more((DATA_HOLDERS[0], 0)),
    ],
)
def test_near_misses_of_a_tx0(tx):
    assert kind(tx) != WHIRLPOOL_TX0


def test_a_tx0_at_its_edges():
    assert kind(with_value(tx0(), 0, 25_000)) == WHIRLPOOL_TX0
    assert kind(with_value(tx0(), 0, 150_000)) == WHIRLPOOL_TX0
    assert kind(brings(1).paying(50_000, *[1_001_000] * 70, 90_000_000).more((DATA_HOLDERS[0], 0))) == WHIRLPOOL_TX0


WASABI = (WASABI_1_0, WASABI_1_1)


@pytest.mark.parametrize(
    "tx",
    [
        replace(wasabi_1_0(), inputs=wasabi_1_0().inputs[:9]),
        with_input(wasabi_1_0(), 1, 0, BTC),  # one payer brings 2 of 14 inputs
        with_input(wasabi_1_0(), 1, None, BTC),  # or may
        wasabi_1_0().paying(*[9_990_000] * 2, 36_000),  # two participants
        wasabi_1_0().paying(*[10_500_001] * 12, 3_000_000, 36_000),  # beyond 5 %
        wasabi_1_0().paying(*[9_499_999] * 12, 3_000_000, 36_000),
        wasabi_1_0().paying(*[9_990_000] * 12, *[3_000_000 + 1_111 * place for place in range(14)]),  # less than half
        wasabi_1_0().paying(*[9_990_000] * 15),  # more participants than payers
        brings(28).paying(*[9_990_000] * 3, 3_000_000, 36_000),  # more than seven coins each
        to_one(wasabi_1_0()),
        brings(14).paying(*[9_990_000] * 12, 9_990_500),  # one amount, split
    ],
)
def test_near_misses_of_wasabi_1(tx):
    assert kind(tx) not in WASABI


def test_wasabi_1_at_its_edges():
    assert kind(brings(14).paying(*[9_500_000] * 12, 3_000_000)) == WASABI_1_0
    assert kind(brings(14).paying(*[10_500_000] * 12, 3_000_000)) == WASABI_1_0
    assert kind(brings(21).paying(*[9_990_000] * 3, 3_000_000, 36_000)) == WASABI_1_0  # seven coins each
    assert kind(brings(20).paying(*[9_990_000] * 13)) == WASABI_1_0  # a split, but of a round of twenty inputs


def test_levels_of_wasabi_1():
    assert kind(wasabi_1_0().more((700, 19_980_000))) == WASABI_1_0  # a level of one payment is none
    by_chance = wasabi_1_0().more((700, 19_980_000), (701, 20_500_000))  # two changes near a level
    assert kind(by_chance) == WASABI_1_0
    assert kind(wasabi_1_0().more((700, 19_980_000), (701, 19_980_000))) == WASABI_1_1
    assert kind(with_value(wasabi_1_1(), 0, 9_990_001)) == WASABI_1_1
    few = [3_000_000 + 1_111 * place for place in range(20)]
    assert (
        kind(brings(14).paying(*[9_990_000] * 4, *[19_980_000] * 2, *few)) == NO_COINJOIN
    )  # neither half nor the rest


@pytest.mark.parametrize(
    "tx",
    [
        replace(wabisabi(), inputs=wabisabi().inputs[:19]),
        Tx(tuple((max(place, 2), BTC) for place in range(24)), wabisabi().outputs),  # one payer brings 3 of 24
        with_value(wabisabi(), 16, 4_999),
        to_one(wabisabi()),
        brings(24).paying(*[65_536] * 8, *[100_000] * 5, 7_777, 8_888),  # two values repeat
        wabisabi().more(*[(700 + place, 1_000_003 + place) for place in range(13)]),  # less than half repeat
        brings(24).paying(*[65_536] * 5, *[100_000] * 4, *[531_441] * 3),  # all repeat
    ],
)
def test_near_misses_of_wabisabi(tx):
    assert kind(tx) != WABISABI


def test_wabisabi_at_its_edges():
    assert kind(replace(wabisabi(), inputs=wabisabi().inputs[:20])) == WABISABI
    assert kind(with_value(wabisabi(), 16, 5_000)) == WABISABI
    assert kind(Tx(tuple((max(place, 1), BTC) for place in range(24)), wabisabi().outputs)) == WABISABI  # 2 of 24
    assert kind(wabisabi().more((DATA_HOLDERS[0], 0))) == WABISABI  # data is no payment


@pytest.mark.parametrize(
    "tx",
    [
        brings(4).paying(*[4_000_000] * 2, 11_111, 22_222),  # two equal
        brings(4).paying(*[4_000_000] * 3, 1, 2, 3, 4),  # less than half
        brings(2).paying(*[4_000_000] * 3, 11_111),  # fewer payers than participants
        with_input(with_input(joinmarket(), 3, 0, BTC), 2, 0, BTC),
        with_input(joinmarket(), 3, None, BTC),
        to_one(joinmarket()),
        brings(4).paying(*[4_000_000] * 4),  # no change
        brings(4).paying(*[2_730] * 4, 11_111, 22_222, 33_333, 44_444),
        brings(61).paying(*[4_000_000] * 3, 11_111, 22_222, 33_333),  # more than twenty coins each
        brings(50).paying(*[4_000_000] * 30, *[11_111 + place for place in range(20)]),  # fewer than 1.7 payments each
    ],
)
def test_near_misses_of_joinmarket(tx):
    assert kind(tx) != JOINMARKET


def test_joinmarket_at_its_edges():
    assert kind(brings(3).paying(*[2_731] * 3, 11_111)) == JOINMARKET
    assert kind(brings(60).paying(*[4_000_000] * 3, 11_111, 22_222, 33_333)) == JOINMARKET
    assert kind(brings(50).paying(*[4_000_000] * 10, *[11_111 + place for place in range(7)])) == JOINMARKET
    many_data = joinmarket().more(*[(DATA_HOLDERS[place], 0) for place in range(5)])
    assert kind(many_data) == JOINMARKET  # data is no payment


def test_a_service_among_the_payers_vetoes_what_its_batches_look_like():
    services = np.array([2, 950], np.uint32)
    services.flags.writeable = False
    assert kind(joinmarket(), services) == GENERIC
    assert kind(wasabi_1_0(), services) not in WASABI
    assert kind(wasabi_1_1(), services) not in WASABI
    for code in (WABISABI, WHIRLPOOL):
        assert kind(MADE[code](), services) == code
    other = np.array([100, 950], np.uint32)
    other.flags.writeable = False
    assert kind(joinmarket(), other) == JOINMARKET


def test_a_program_that_does_not_exist_yet_makes_nothing():
    starts = np.ones(len(COINJOIN_NAMES), np.int64)
    starts[GENERIC] = 0
    starts.flags.writeable = False
    assert kind(joinmarket(), starts=starts) == GENERIC
    for code in (WABISABI, WHIRLPOOL, WHIRLPOOL_TX0, WASABI_1_0, WASABI_1_1):
        assert kind(MADE[code](), starts=starts) in (NO_COINJOIN, GENERIC)


def test_a_stonewall_is_generic_and_no_joinmarket():
    arrays, kinds = graph([generic(), joinmarket(), brings(2).paying(4_999, 4_999, 6_000, 7_000)])
    assert [is_stonewall(shape_of(arrays, kinds, number, NO_SERVICES)) for number in range(3)] == [True, False, False]
    assert kind(generic()) == GENERIC


def test_one_wabisabi_round_with_payments_near_a_tenth_stays_one():
    """The 1.1 rule holds by its many payers alone; most payments are elsewhere."""
    tx = brings(40).paying(
        *[10_000_000] * 4,
        *[9_565_938] * 2,
        *[20_000_000] * 3,
        *[65_536] * 6,
        *[100_000] * 6,
        *[531_441] * 6,
        7_777,
        8_888,
    )
    assert kind(tx) == WABISABI
    arrays, kinds = graph([tx])
    starts = np.zeros(len(COINJOIN_NAMES), np.int64)
    starts[WABISABI] = 1
    starts.flags.writeable = False
    assert coinjoin_kinds(arrays, kinds, 0, 1, NO_SERVICES, starts) == compiled(
        arrays, kinds, 0, 1, NO_SERVICES, starts
    )
    assert compiled(arrays, kinds, 0, 1, NO_SERVICES, starts) == WASABI_1_1


@given(st.lists(transactions(), min_size=1, max_size=12), st.sets(st.integers(0, 120), max_size=4), st.integers(0, 12))
def test_compiled_says_what_plain_says(made, services, start):
    arrays, kinds = graph(made)
    tagged = np.array(sorted(services), np.uint32)
    tagged.flags.writeable = False
    starts = np.full(len(COINJOIN_NAMES), start, np.int64)
    starts.flags.writeable = False
    for chosen in (starts, None):
        plain = coinjoin_kinds(arrays, kinds, 0, len(made), tagged, chosen)
        fast = compiled(arrays, kinds, 0, len(made), tagged, chosen)
        assert plain.tolist() == fast.tolist()
        assert fast.dtype == plain.dtype == np.uint8
    parts = [compiled(arrays, kinds, number, number + 1, tagged, None).tolist() for number in range(len(made))]
    assert [code for part in parts for code in part] == plain.tolist()


def test_a_transaction_larger_than_the_scratch():
    many = brings(3_000).paying(*[4_000_000] * 2_000, *range(1_000_000, 1_001_800), at=3_000)
    assert kind(many) == JOINMARKET
    assert kind(brings(3_000).paying(*range(1_000_000, 1_005_000), at=3_000)) == NO_COINJOIN
    payments = [value for value in range(1_000_000, 1_002_500) for _ in range(2)]
    assert kind(brings(5_000).paying(*payments, 7_777, at=5_000)) == WABISABI
