"""Haircut over a whole chain: the same money at the same places as following it, and not a satoshi lost."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trace_support import FEW, Chain, chains, coverages, identity, starts, targets_of

from shieldwall.errors import StoreError
from shieldwall.kernels.engine import EngineName
from shieldwall.trace.follow import follow
from shieldwall.trace.holders import Holders
from shieldwall.trace.labels import NoLabels
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods import method_named
from shieldwall.trace.published import PublishedHops
from shieldwall.trace.targets import find_targets
from shieldwall.trace.walk import Walker
from shieldwall.trace.whole import haircut_targets, haircut_whole

ENGINES: tuple[EngineName, ...] = ("plain", "compiled")


@FEW
@given(st.data())
def test_it_is_what_following_finds(data: st.DataObject) -> None:
    chain = data.draw(chains(scale=data.draw(st.sampled_from([1, 11_666_666_666_663]))))
    coverage = data.draw(coverages(chain))
    start = data.draw(starts(coverage.world(chain)))
    with tempfile.TemporaryDirectory() as name, coverage.store_in(Path(name), chain) as store:
        targets = [target for target in targets_of(store, start) if target.outputs and not target.inputs]
        common = Limits(), Holders(store, NoLabels()), PublishedHops(())
        walk = Walker(store, method_named("haircut"), *common).run(targets)
        expected = np.zeros(store.rows("output"), np.uint64)
        for output, reached in walk.reached.items():
            expected[output] = reached.amount
        for engine in ENGINES:
            whole = haircut_targets(store, targets, engine)
            assert whole.tainted.tolist() == expected.tolist()
            assert (whole.seed, whole.returned) == (walk.seed_amount, walk.returned_amount)
            assert whole.unspent(store) + whole.fees + whole.stuck == whole.seed


def test_what_it_says_of_a_payment(tmp_path):
    chain = Chain()
    (coin,) = chain.fund(100)
    (other,) = chain.fund(300, name="other")
    chain.pay([coin, other], ("friend", 200), ("shop", 190))  # a fee of 10
    chain.mine()
    with chain.store_in(tmp_path) as store:
        for engine in ENGINES:
            whole = haircut_targets(store, find_targets(store, [identity("origin")]), engine)
            # shares of 50, 47.5 and 2.5 of the 100: the tie goes to the first
            assert sorted(whole.tainted.tolist())[-4:] == [0, 48, 50, 100]
            assert (whole.seed, whole.fees, whole.stuck, whole.returned) == (100, 2, 0, 0)
            assert (whole.unspent(store), whole.burnt(store)) == (98, 0)
        result = follow(store, find_targets(store, [identity("origin")]), "haircut")
        assert (result.held_amount, result.fee_amount) == (98, 2)
        empty = haircut_whole(store, [])
        assert (empty.seed, int(empty.tainted.sum())) == (0, 0)


def test_damaged_links_are_named(tmp_path):
    chain = Chain()
    (coin,) = chain.fund(100)
    (coin,) = chain.pay([coin], ("friend", 99))
    chain.pay([coin], ("last", 98))
    chain.mine()
    with chain.store_in(tmp_path) as store:
        targets = find_targets(store, [identity("origin")])
        damaged = store.column("input_output").low.copy()
        damaged[-1] = 4_000_000_000
        store.column("input_output").low = damaged
        for engine in ENGINES:
            with pytest.raises(StoreError, match="point beyond the store"):
                haircut_targets(store, targets, engine)
        with pytest.raises(StoreError, match="point beyond the store"):
            follow(store, targets, "haircut", engine="compiled")
