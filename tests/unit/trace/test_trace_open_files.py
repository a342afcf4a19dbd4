"""Who asks many questions must not run out of open files."""

import gc
from pathlib import Path

import pytest
from trace_support import Chain, identity

from shieldwall.chain.store import ChainStore
from shieldwall.trace.follow import follow
from shieldwall.trace.targets import find_targets


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_many_traces_leave_no_file_open(tmp_path, engine):
    chain = Chain()
    chain.fund(1_000)
    with chain.store_in(tmp_path):
        pass
    gc.collect()
    gc.disable()
    try:
        before = open_files()
        for _ in range(3):
            with ChainStore.open(tmp_path / "chain") as store:
                result = follow(store, find_targets(store, [identity("origin")]), engine=engine)
            assert result.body["seed_amount"] == 1_000
        del result
        assert open_files() <= before + 1
    finally:
        gc.enable()
