"""The simulated chain is a chain: the same on any machine, proven by the program's own checks, money conserved."""

from collections import Counter
from hashlib import sha256

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from simulator_support import TRANSACTIONS, rows, small_chain, small_folder, small_plan, value

import simulator
from shieldwall.chain.build import BuildConfig, build
from shieldwall.chain.proof import parse_header
from shieldwall.chain.store import ChainStore
from shieldwall.chain.verify import verify
from shieldwall.errors import UsageError
from shieldwall.model.network import REGTEST
from simulator.__main__ import main
from simulator.blocks import make_blocks
from simulator.hashing import CONTEXT, own_sha256d, sha256d
from simulator.kinds import JoinKind
from simulator.plan import make_plan
from simulator.truth import tables as truth_of

DIGEST = "1765866c5731002292ef56a9d228a7d48a4d30d41781d32d8ea74783b9b621df"


def test_a_seed_always_gives_the_same_bytes():
    made, _ = small_chain()
    files = b"".join(path.read_bytes() for path in sorted((made.folder / "blocks").glob("blk*.dat")))
    assert made.digest == sha256(files).hexdigest() == DIGEST


def test_another_seed_gives_another_chain():
    one, other = make_plan(1000, seed=1), make_plan(1000, seed=2)
    assert one.transactions == other.transactions == 1000
    assert one.state.out["value"][:1000].tolist() != other.state.out["value"][:1000].tolist()


def test_every_block_proves_itself(tmp_path):
    report = build(tmp_path / "store", [str(small_folder() / "blocks")], config=BuildConfig(engine="plain"))
    assert (report.transactions, report.blocks) == (TRANSACTIONS, small_plan().blocks)
    assert (report.unresolved, report.stale, report.missing) == (0, 0, [])
    with ChainStore.open(tmp_path / "store") as store:
        checked = verify(store, source=True)
        assert checked.passed, [check for check in checked.checks if not check.passed]
        assert checked.unclaimed == ()  # each coinbase takes subsidy and fees to the last satoshi
        assert [entry.subsidy for entry in checked.blocks] == [REGTEST.subsidy(k) for k in range(len(checked.blocks))]
        assert all((entry.unclaimed or 0) >= 0 for entry in checked.blocks)


def test_headers_carry_work_and_link():
    previous = None
    for block in make_blocks(small_plan()):
        header = parse_header(block.header)
        assert header.proves_work
        assert previous is None or (header.previous == previous.hash and header.time > previous.time)
        previous = header


def test_no_transaction_pays_more_than_it_spends():
    for row in rows():
        if row.spends:
            assert sum(map(value, row.spends)) >= sum(map(value, row.makes)) > 0


@settings(max_examples=8)
@given(st.integers(0, 2**64 - 1))
def test_every_seed_tells_a_sound_story(seed):
    plan = make_plan(1500, seed=seed)
    tables = truth_of(plan)
    spent = plan.state.inputs[: plan.spends].astype(np.int64)
    assert len(np.unique(spent)) == len(spent)
    paid = plan.state.out["value"][: plan.outputs]
    assert (paid >= 0).all()
    came_ends = np.concatenate([[0], np.cumsum(paid[spent])])[plan.offsets("first_input")]
    paid_ends = np.concatenate([[0], np.cumsum(paid)])[plan.offsets("first_output")]
    fees = np.diff(came_ends) - np.diff(paid_ends)
    coinbase = np.isin(np.arange(1500), plan.first_tx)
    assert (fees[~coinbase] > 0).all()
    for height, first in enumerate(plan.first_tx[:-1].tolist()):
        assert -fees[first] == REGTEST.subsidy(height) + fees[first + 1 : plan.first_tx[height + 1]].sum()
    alone = ~coinbase & np.isin(tables["coinjoin_kind"], (JoinKind.NONE, JoinKind.WHIRLPOOL_TX0))
    sender = tables["output_owner"][spent]
    of_input = np.repeat(np.arange(1500), np.diff(plan.offsets("first_input")))
    first = np.full(1500, -1)
    first[of_input[::-1]] = sender[::-1]
    assert (sender == first[of_input])[alone[of_input]].all()


def test_no_output_is_spent_twice_or_before_it_is_made():
    spent = Counter(output for row in rows() for output in row.spends)
    assert set(spent.values()) == {1}
    for row in rows():
        assert all(output < row.makes[0] for output in row.spends)


def test_coinbases_mature_for_a_hundred_blocks():
    plan = small_plan()
    coinbases = set(plan.first_tx[:-1].tolist())
    maker = {output: row.number for row in rows() for output in row.makes}
    height = np.searchsorted(plan.first_tx, np.arange(plan.transactions), side="right") - 1
    found = 0
    for row in rows():
        for output in row.spends:
            if maker[output] in coinbases:
                found += 1
                assert height[row.number] - height[maker[output]] >= 100
                assert maker[output] > 0  # the first of all can never be spent
    assert found > 5


def test_blocks_are_not_too_heavy_and_not_too_many():
    plan = small_plan()
    assert np.diff(plan.first_tx).max() <= plan.per_block + 1
    for block in make_blocks(plan):
        assert len(block.raw) < 1_000_000


def test_a_mix_near_the_real_one():
    plan = make_plan(60_000)
    outputs, inputs = plan.outputs / plan.transactions, plan.spends / plan.transactions
    assert 2.3 < outputs < 3.5
    assert 2.0 < inputs < 3.0
    used = np.bincount(plan.state.out["key"][: plan.outputs])
    assert 0.8 < (used > 0).sum() / plan.transactions < 2.0
    assert used.max() > 0.02 * plan.outputs  # reuse has a heavy tail


@pytest.mark.parametrize("function", [sha256d, own_sha256d], ids=["sha256d", "own"])
def test_both_hashes_are_sha256_twice(function):
    @njit
    def run(data, digest, scratch):
        function(data, digest, scratch)

    for size in (0, 1, 55, 56, 63, 64, 65, 119, 120, 250, 1000):
        data = np.frombuffer(bytes(k % 251 for k in range(size)), np.uint8)
        digest = np.zeros(32, np.uint8)
        run(data.copy(), digest, np.zeros(CONTEXT, np.uint8))
        assert digest.tobytes() == sha256(sha256(data.tobytes()).digest()).digest()


@pytest.mark.parametrize(
    "wrong", [{"transactions": 5}, {"transactions": 10**9}, {"transactions": 2000, "per_block": 1},
              {"transactions": 2000, "seed": -1}, {"transactions": 2000, "forms": ()},
              {"transactions": 2000, "forms": ("csv",)}, {"transactions": 2000, "hash": "md5"}],
)  # fmt: skip
def test_numbers_out_of_range_are_refused(tmp_path, wrong):
    with pytest.raises(UsageError):
        simulator.make(tmp_path / "chain", **wrong)
    assert not (tmp_path / "chain").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="not an empty folder"):
        simulator.make(tmp_path, transactions=1000)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_command_says_what_it_made(tmp_path):
    done = CliRunner().invoke(main, [str(tmp_path / "chain"), "--transactions", "1000", "--form", "blocks"])
    assert done.exit_code == 0, done.output
    assert "1,000 transactions" in done.output
    assert "(simulator)" in done.output
    again = CliRunner().invoke(main, [str(tmp_path / "chain"), "--transactions", "1000"])
    assert again.exit_code == 2
    assert "not an empty folder" in again.output
