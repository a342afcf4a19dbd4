"""The most that an output can hold is said by the network of the store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shieldwall.chain.build import BuildConfig, build
from shieldwall.chain.checks.values import check_values
from shieldwall.chain.regtest import BlockMaker, p2wpkh
from shieldwall.chain.store import ChainStore
from shieldwall.model.network import COIN, LITECOIN_REGTEST, MAX_LITECOIN, MAX_MONEY, REGTEST


@pytest.mark.parametrize(("network", "most"), [(REGTEST, MAX_MONEY), (LITECOIN_REGTEST, MAX_LITECOIN)])
def test_the_limit_is_the_network_s(tmp_path, network, most):
    maker = BlockMaker(time=1_600_000_000, network=network)
    maker.mine(p2wpkh("miner"))
    (tmp_path / "blk00000.dat").write_bytes(maker.block_file())
    build(tmp_path / "chain", [str(tmp_path / "blk00000.dat")], config=BuildConfig(engine="plain"))
    with ChainStore.open(tmp_path / "chain") as store:
        assert store.network.max_money == most
        assert check_values(store)[0].passed
        store.network = replace(network, max_money=2_000 * COIN)
        assert check_values(store)[0].passed
        store.network = replace(network, max_money=49 * COIN)  # genesis and block 1 pay 50 each
        check = check_values(store)[0]
        assert not check.passed
        assert "output 0 of more than 49 coins" in check.detail
