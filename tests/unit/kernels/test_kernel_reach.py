"""Reach of a holder: both kernels agree on any small chain, no satoshi is lost, and each rule in a chain made for it."""

from __future__ import annotations

from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.kernels.arrays import COINBASE, NONE32, NONE64, Graph
from shieldwall.kernels.compiled import reach as compiled
from shieldwall.kernels.plain import reach as plain

HOLDERS = 7
WALLET, DATA = 5, 9  # kinds of holder: P2WPKH, OP_RETURN
CODES = 4


class World:
    """A chain under the hand of a test: transactions of (inputs, outputs); an input is an output's number, or an amount of
    money from outside (None: not known) as a tuple with who held it.
    """

    def __init__(self):
        self.first_input, self.first_output, self.flags = [], [], []
        self.value, self.holder, self.spender, self.link, self.payer = [], [], [], [], []
        self.outside, self.outside_value = [], []
        self.free = []

    def pay(self, inputs, outputs):
        number = len(self.flags)
        self.first_input.append(len(self.link))
        self.first_output.append(len(self.value))
        self.flags.append(0 if inputs else COINBASE)
        for source in inputs:
            if isinstance(source, tuple):
                self.outside.append(len(self.link))
                self.outside_value.append(NONE64 if source[0] is None else source[0])
                self.link.append((1 << 40) - 1)
                self.payer.append(NONE32 if source[1] is None else source[1])
            else:
                self.spender[source] = number
                self.free.remove(source)
                self.link.append(source)
                self.payer.append(self.holder[source])
        made = range(len(self.value), len(self.value) + len(outputs))
        for holder, value in outputs:
            self.value.append(value)
            self.holder.append(holder)
            self.spender.append(NONE32 if holder else 0xFFFFFFFE)
        self.free += [place for place in made if self.holder[place]]  # holder 0 is data
        return list(made)

    def graph(self):
        link = np.array(self.link, np.uint64)
        columns = {
            "first_input": np.array(self.first_input, np.uint32),
            "first_input_carries": np.empty(0, np.int64),
            "first_output": np.array(self.first_output, np.uint32),
            "first_output_carries": np.empty(0, np.int64),
            "flags": np.array(self.flags, np.uint8),
            "value": np.array(self.value, np.uint64),
            "holder": np.array(self.holder, np.uint32),
            "spender": np.array(self.spender, np.uint32),
            "link": link.astype(np.uint32),
            "link_high": (link >> np.uint64(32)).astype(np.uint8),
            "payer": np.array(self.payer, np.uint32),
            "outside": np.array(self.outside, np.uint64),
            "outside_value": np.array(self.outside_value, np.uint64),
        }
        for column in columns.values():
            column.flags.writeable = False
        return Graph(**columns)

    def around(self, *, stated=(), followed_from=0, holders=HOLDERS):
        kinds = np.full(holders, WALLET, np.uint8)
        kinds[0] = DATA
        chosen = sorted(stated)
        return plain.Surroundings(
            kinds, np.empty(0, np.uint32), np.zeros(8, np.int64), np.array([place for place, _ in chosen], np.uint64),
            np.array([said for _, said in chosen], np.uint8), followed_from,
        )  # fmt: skip

    def ask(self, kernel, name, who, tagged, budget=(3, 100, 1000), **around):
        return getattr(kernel, name)(
            self.graph(), tagged, self.around(**around), plain.Budget(*budget), *self.owned(who)
        )

    def owned(self, who):
        """Whom to ask for, as a kernel takes it: each alone, or a pair that is one key."""
        pairs = [pair if isinstance(pair, tuple) else (pair, pair) for pair in who]
        outputs = [[k for k, holder in enumerate(self.holder) if holder in pair] for pair in pairs]
        first = np.cumsum([0, *map(len, outputs)]).astype(np.int64)
        return np.array(pairs, np.uint32).reshape(-1, 2), first, np.array([*chain.from_iterable(outputs)], np.uint64)


def tags(codes, ends=(0, 1, 1, 0), holders=HOLDERS):
    """Tagged holders by number; codes 1 and 2 end, 3 does not."""
    who = sorted(codes)
    return plain.tagged_of(
        np.array(who, np.uint32), np.array([codes[k] for k in who], np.uint8), np.array(ends, np.uint8), holders
    )


@st.composite
def worlds(draw):
    world = World()
    amounts = st.one_of(st.integers(0, 50), st.integers(0, 2_000_000_000_000_000))
    for _ in range(draw(st.integers(1, 14))):
        free = draw(st.lists(st.sampled_from(world.free), max_size=4, unique=True)) if world.free else []
        sources = list(free)
        for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
            sources += [(draw(st.one_of(st.none(), amounts)), draw(st.one_of(st.none(), st.integers(1, HOLDERS - 1))))]
        left = sum(world.value[source] if not isinstance(source, tuple) else source[0] or 0 for source in sources)
        left = left if sources else draw(amounts)
        outputs = []
        for _ in range(draw(st.integers(1, 4))):
            value = draw(st.one_of(st.just(left), st.integers(0, left)))
            outputs.append((draw(st.integers(0, HOLDERS - 1)), value))
            left -= value
        world.pay(sources, outputs)
    return world


cases = st.tuples(
    worlds(),
    st.dictionaries(st.integers(1, HOLDERS - 1), st.integers(1, CODES - 1), max_size=4),
    st.tuples(st.integers(1, 4), st.integers(1, 8), st.integers(0, 40)),
    st.lists(st.one_of(st.integers(1, HOLDERS - 1), st.tuples(st.integers(1, 3), st.integers(4, 6))), max_size=3),
    st.integers(0, 8),
    st.dictionaries(st.integers(0, 20), st.integers(0, 2), max_size=4),
)


@given(cases, st.sampled_from(["sent", "received"]))
def test_both_kernels_agree_and_no_satoshi_is_lost(case, name):
    world, codes, budget, who, followed_from, stated = case
    arguments = name, who, tags(codes), budget
    around = {"followed_from": followed_from, "stated": list(stated.items())}
    mine, other = (world.ask(kernel, *arguments, **around) for kernel in (plain, compiled))
    for field, ours, theirs in zip(mine._fields, mine, other, strict=True):
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours, theirs), field
    _, first, outputs = world.owned(who)
    for row in range(len(who)):
        begun = sum(world.value[int(output)] for output in outputs[first[row] : first[row + 1]])
        ended = [int(mine.amount[row, code]) for code in (1, 2)]  # 3 does not end: what comes there goes on
        assert int(mine.sums[row, : plain.MONEY].sum()) + sum(ended) == begun
        assert (mine.direct[row] <= mine.amount[row]).all()
        assert ((mine.hops[row] > 0) == (mine.holders[row] > 0)).all()


@given(cases, st.sampled_from(["sent", "received"]))
def test_a_path_leads_from_the_holder_to_whom_it_names(case, name):
    world, codes, budget, who, *_ = case
    found = world.ask(plain, name, who, tags(codes), budget)
    graph = world.graph()
    for row, code in np.argwhere(found.hops).tolist():
        path = found.path[row, code, : found.hops[row, code]].tolist()
        pair = world.owned(who)[0][row].tolist()
        paid = [graph.holder[slice(*ends(graph, number))].tolist() for number in path]
        payers = [graph.payer[slice(*ends(graph, number, "first_input", "link"))].tolist() for number in path]
        near, far = (payers, paid) if name == "sent" else (paid, payers)
        assert set(pair) & set(near[0])
        assert found.nearest[row, code] in far[-1]
        assert codes[int(found.nearest[row, code])] == code
        spends = pairwise(path if name == "sent" else path[::-1])
        for early, late in spends:
            assert late in graph.spender[slice(*ends(graph, early))].tolist()


def ends(graph, number, column="first_output", table="value"):
    firsts = getattr(graph, column).tolist()
    return firsts[number], firsts[number + 1] if number + 1 < len(firsts) else len(getattr(graph, table))


BOTH = pytest.mark.parametrize("kernel", [plain, compiled])


@BOTH
def test_money_is_divided_where_several_pay(kernel):
    """1 pays 30 of 40 to 2, who pays 3: an amount by haircut, and by what way."""
    world = World()
    (mine,) = world.pay([], [(1, 30)])
    (other,) = world.pay([], [(4, 10)])
    joint, fee_left = world.pay([mine, other], [(2, 20), (5, 16)])  # fee 4
    world.pay([joint], [(3, 20)])
    found = world.ask(kernel, "sent", [1], tags({3: 1, 5: 2}))
    assert found.amount[0].tolist() == [0, 15, 12, 0]
    assert found.direct[0].tolist() == [0, 0, 12, 0]
    assert found.hops[0].tolist() == [0, 2, 1, 0]
    assert found.path[0, 1].tolist() == [2, 3, NONE32]
    assert found.sums[0, plain.FEES] == 3
    back = world.ask(kernel, "received", [3], tags({1: 1, 4: 2}))
    assert back.amount[0].tolist() == [0, 15, 5, 0]
    assert (back.path[0, 1].tolist(), back.nearest[0, 1]) == ([3, 2, NONE32], 1)
    assert fee_left == 3


@BOTH
def test_what_passes_through_a_service_is_not_followed_and_what_passes_through_others_is(kernel):
    world = World()
    (coin,) = world.pay([], [(1, 100)])
    (there,) = world.pay([coin], [(2, 100)])
    world.pay([there], [(3, 100)])
    stops = world.ask(kernel, "sent", [1], tags({2: 1, 3: 2}))
    assert (stops.amount[0].tolist(), stops.hops[0].tolist()) == ([0, 100, 0, 0], [0, 1, 0, 0])
    goes_on = world.ask(kernel, "sent", [1], tags({2: 3, 3: 2}))
    assert (goes_on.amount[0].tolist(), goes_on.hops[0].tolist()) == ([0, 0, 100, 100], [0, 0, 2, 1])


@BOTH
def test_a_coinjoin_ends_it(kernel):
    """Five take part with equal amounts and change: nobody can tell whose is whose."""
    world = World()
    coins = [world.pay([], [(holder, 1_000_000 + holder)])[0] for holder in range(1, 6)]
    world.pay(
        coins, [(holder, 900_000) for holder in range(6, 11)] + [(holder, 90_000 + holder) for holder in range(11, 16)]
    )
    codes = tags({6: 1, 1: 2}, holders=20)
    found = world.ask(kernel, "sent", [2], codes, holders=20)
    assert found.sums[0, plain.COINJOINED] == 1_000_002
    assert found.hops[0].tolist() == [0, 0, 0, 0]
    back = world.ask(kernel, "received", [7], codes, holders=20)
    assert back.sums[0, plain.COINJOINED] == 900_000
    assert back.hops[0].tolist() == [0, 0, 0, 0]


@BOTH
def test_change_comes_back_and_is_not_counted_as_sent(kernel):
    world = World()
    (coin,) = world.pay([], [(1, 100)])
    change, _ = world.pay([coin], [(1, 60), (2, 40)])
    world.pay([change], [(3, 60)])
    found = world.ask(kernel, "sent", [1], tags({2: 1, 3: 2}))
    assert found.sums[0, plain.RETURNED] == 60
    assert found.direct[0].tolist() == [0, 40, 60, 0]
    twin = world.ask(kernel, "sent", [(1, 2)], tags({3: 2}))
    assert (twin.sums[0, plain.RETURNED], twin.direct[0, 2], twin.sums[0, plain.HELD]) == (100, 60, 40)


@BOTH
def test_the_last_hop_the_budget_and_what_nobody_knows(kernel):
    world = World()
    (coin,) = world.pay([], [(1, 100)])
    for holder in (2, 3, 4):
        (coin,) = world.pay([coin], [(holder, 100)])
    assert world.ask(kernel, "sent", [1], tags({4: 1}), (2, 9, 99)).sums[0, plain.BEYOND] == 100
    assert world.ask(kernel, "sent", [1], tags({4: 1}), (3, 9, 99)).amount[0, 1] == 100
    cut = world.ask(kernel, "sent", [1], tags({4: 1}), (3, 2, 99)).sums[0]
    assert cut[plain.CUT] == 100
    small = world.ask(kernel, "sent", [1], tags({4: 1}), (3, 9, 4)).sums[0]
    assert (small[plain.CUT], small[plain.CUT_TRANSACTIONS], small[plain.TOUCHED]) == (100, 1, 2)
    unknown = world.ask(kernel, "sent", [4], tags({}), followed_from=9).sums[0]
    assert (unknown[plain.UNKNOWN], unknown[plain.HELD]) == (100, 0)
    (joint,) = world.pay([coin, (None, None)], [(5, 150)])
    assert world.ask(kernel, "sent", [4], tags({5: 1})).sums[0, plain.UNKNOWN] == 100
    assert world.ask(kernel, "sent", [4], tags({5: 1})).hops[0, 1] == 1  # met, though how much came there is not known
    assert world.ask(kernel, "received", [5], tags({})).sums[0, plain.UNKNOWN] == 150
    assert joint == 4
    assert world.ask(kernel, "received", [1], tags({})).sums[0, plain.MINED] == 100


@BOTH
def test_money_from_outside_the_store_says_so_unless_its_holder_is_tagged(kernel):
    world = World()
    world.pay([(70, 6), (30, None)], [(1, 100)])
    found = world.ask(kernel, "received", [1], tags({6: 1}))
    assert (found.direct[0, 1], found.sums[0, plain.OUTSIDE]) == (70, 30)


@given(st.sets(st.integers(0, 200_000), max_size=40), st.integers(0, 200_000))
def test_every_tagged_holder_is_found_and_no_other(who, other):
    holders = sorted(who)
    table = plain.tagged_of(np.array(holders, np.uint32), np.ones(len(who), np.uint8), np.ones(2, np.uint8), 200_001)
    for holder in {*holders, other}:
        bucket = holder >> table.shift
        part = table.holder[table.first[bucket] : table.first[bucket + 1]].tolist()
        assert (holder in part) == (holder in who)
