"""A store that begins late: what is earlier is left out for good, and named as gaps with their value where known."""

import random

import pytest
from chain_support import build_store, clone, extend, facts_of, random_chain, write

from shieldwall.chain.build import BuildConfig, build
from shieldwall.chain.info import summary
from shieldwall.chain.since import Since
from shieldwall.chain.store import ChainStore
from shieldwall.chain.verify import verify
from shieldwall.errors import UsageError
from shieldwall.model.network import REGTEST


@pytest.fixture(scope="module")
def maker():
    return random_chain(41, blocks=30)


@pytest.fixture(scope="module")
def source(tmp_path_factory, maker):
    return write(tmp_path_factory.mktemp("since") / "blk00000.dat", maker.blocks)


def info(folder):
    with ChainStore.open(folder) as store:
        assert verify(store, source=True).passed
        return summary(store)


def test_what_is_earlier_is_left_out_now_and_later(tmp_path, source, maker):
    report = build_store(tmp_path / "c", source, since=Since(height=12))
    assert (report.blocks, report.earlier) == (len(maker.blocks) - 12, 12)
    found = info(tmp_path / "c")
    assert found["first_height"] == 12
    assert found["unresolved_inputs"] > 0
    again = build_store(tmp_path / "c", source)
    assert (again.blocks, again.earlier, again.rewritten) == (0, 12, False)
    longer = clone(maker)
    extend(longer, random.Random(3), 4)
    more = build_store(tmp_path / "c", write(tmp_path / "blk00001.dat", longer.blocks))
    assert (more.blocks, more.rewritten) == (4, False)
    assert info(tmp_path / "c")["first_height"] == 12


def test_a_date_is_the_first_block_of_that_time(tmp_path, source):
    build_store(tmp_path / "all", source)
    with ChainStore.open(tmp_path / "all") as store:
        times = [int(time) for time in store.column("block_time")]
    build_store(tmp_path / "c", source, since=Since(time=times[9]))
    build_store(tmp_path / "between", source, since=Since(time=times[9] - 1))
    assert info(tmp_path / "c")["first_height"] == info(tmp_path / "between")["first_height"] == 9
    with pytest.raises(UsageError, match="or later"):
        build_store(tmp_path / "none", source, since=Since(time=times[-1] + 1))


def test_an_earlier_beginning_puts_blocks_in_and_a_later_one_is_refused(tmp_path, source):
    build_store(tmp_path / "c", source, since=Since(height=12))
    with pytest.raises(UsageError, match="begins at height 12"):
        build_store(tmp_path / "c", source, since=Since(height=15))
    assert build_store(tmp_path / "c", source, since=Since(height=5)).rewritten
    build_store(tmp_path / "wanted", source, since=Since(height=5))
    assert facts_of(tmp_path / "c") == facts_of(tmp_path / "wanted")
    build_store(tmp_path / "c", source, since=Since(height=0))
    build_store(tmp_path / "all", source)
    assert facts_of(tmp_path / "c") == facts_of(tmp_path / "all")


@pytest.mark.parametrize("raw", ["keep", "drop", "auto"])
def test_raw_bytes_are_kept_where_wanted(tmp_path, source, raw):
    config = BuildConfig(raw=raw, keep_raw_below=0, engine="plain")
    build(tmp_path / "c", [str(source)], network=REGTEST, config=config)
    with ChainStore.open(tmp_path / "c") as store:
        assert bool(store.rows("raw")) == (raw == "keep")
        assert verify(store, source=True).passed
        assert store.raw(store.rows("tx") - 1)
