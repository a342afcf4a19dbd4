"""Full inclusion proofs of a real block of Bitcoin, and of every transaction of a chain that is made here."""

from __future__ import annotations

import pytest
from pack_support import contents, packed

from shieldwall.cases.pack import verifier
from shieldwall.cases.pack.proving import prove
from shieldwall.chain.build import build
from shieldwall.chain.regtest import BlockMaker, p2wpkh
from shieldwall.chain.store import ChainStore
from shieldwall.model.network import REGTEST

BLOCK = "0000000000000000821c4e0acc40f88bedbce3b73ba2358b5ade58a9022cc78c"  # 300025, mined on 2014-05-10
MERKLE_LEVELS = 9  # of 461 transactions


@pytest.mark.needs("shared")
def test_every_transaction_of_block_300025_is_proven_to_be_in_it(shared_data, tmp_path):
    build(tmp_path / "chain", [str(shared_data / "bitcoin/mainnet/block300025.raw")])
    with ChainStore.open(tmp_path / "chain") as chain:
        proofs = prove(chain, [chain.txid(number) for number in range(chain.rows("tx"))])
    assert len(proofs) > 400
    assert {proof.state for proof in proofs} == {"inclusion proven"}
    report = verifier.verify(packed(contents(proofs, traces=[], exercise=False)))
    assert report.states == {"inclusion proven": len(proofs)}
    assert list(report.blocks) == [BLOCK]
    assert report.blocks[BLOCK]["network"] == "main"
    assert report.blocks[BLOCK]["work"].bit_length() - 1 == 64  # difficulty 8,000,872,136 and 2^32 hashes for one
    told = verifier.told(report)
    assert BLOCK in told
    assert "Not real money" not in told
    assert {len(proof.branch) for proof in proofs} == {MERKLE_LEVELS}


def test_every_transaction_of_a_chain_is_proven(tmp_path):
    maker = BlockMaker(1_700_000_000)
    miners = [maker.mine(p2wpkh(f"m{number}")) for number in range(103)]
    for number in range(3):
        maker.pay([miners[number]], [(p2wpkh("x"), miners[number].value - 1000)])
        maker.mine(p2wpkh(f"n{number}"))
    (tmp_path / "blk00000.dat").write_bytes(maker.block_file())
    build(tmp_path / "chain", [str(tmp_path / "blk00000.dat")], network=REGTEST)
    with ChainStore.open(tmp_path / "chain") as chain:
        txids = [chain.txid(number) for number in range(chain.rows("tx"))]
        proofs = prove(chain, txids)
        blocks = chain.rows("block")
    report = verifier.verify(packed(contents(proofs, traces=[])))
    assert report.states == {"inclusion proven": len(set(txids))}
    assert len(report.blocks) == blocks
