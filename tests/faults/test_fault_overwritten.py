"""The two coinbases of the main chain that a later block has again (BIP 30), at their heights, with their own bytes.

Headers and the other blocks are made: the real ones are not at hand. The coinbases are put together from the public keys
that they pay, and their txids prove them.
"""

import shutil
from itertools import pairwise

import numpy as np
import pytest
from chain_support import build_store, write
from faults_support import content_of

from shieldwall.chain.mirror import import_parcels
from shieldwall.chain.parcels import export_parcels
from shieldwall.chain.proof import merkle_root, parse_header, sha256d
from shieldwall.chain.regtest import p2wpkh, seal
from shieldwall.chain.store import ChainStore
from shieldwall.chain.writer import ChainWriter
from shieldwall.errors import BadBlock
from shieldwall.model.network import COIN, MAIN
from shieldwall.model.script import Script, ScriptKind, assemble
from shieldwall.model.transaction import display, internal

FIRST, LAST = 91_720, 91_884
EPOCH = 40  # blocks have one transaction each, so that the pairs stand in different epochs
KEYS = {
    "e3bf3d07d4b0375638d5f1db5255fe07ba2c4cb067cd81b84ee974b6585fb468": (
        "04124b212f5416598a92ccec88819105179dcb2550d571842601492718273fe0f2"
        "179a9695096bff94cd99dcccdea7cd9bd943bfca8fea649cac963411979a33e9"
    ),
    "d5d27987d2a3dfc724e359870c6644b40e497bdc0589a033220fe15429d88599": (
        "046896ecfc449cb8560594eb7f413f199deb9b4e5d947a142e7dc7d2de0b811b8e"
        "204833ea2a2fd9d4c7b153a8ca7661d0a0b7fc981df1f42f55d64b26b3da1e9c"
    ),
}
PAIRS = dict(zip(KEYS, MAIN.overwritten, strict=True))


def coinbase(script, locking):
    """A coinbase of 50 BTC."""
    return (
        b"\1\0\0\0\1" + bytes(32) + b"\xff" * 4 + bytes([len(script)]) + script + b"\xff" * 4
        + b"\1" + (50 * COIN).to_bytes(8, "little") + bytes([len(locking)]) + locking + bytes(4)
    )  # fmt: skip


TWICE = {
    txid: coinbase(bytes.fromhex("0456720e1b00"), assemble(Script(ScriptKind.P2PK, bytes.fromhex(key))))
    for txid, key in KEYS.items()
}


def made(first=FIRST, last=LAST, pairs=PAIRS):
    """Blocks of the main network with these coinbases at these heights."""
    at = {height: TWICE[txid] for txid, heights in pairs.items() for height in heights}
    blocks, previous = [], bytes(31) + b"\1"
    for height in range(first, last + 1):
        raw = at.get(height) or coinbase(b"\3" + height.to_bytes(3, "little"), assemble(p2wpkh(str(height))))
        root = merkle_root(np.frombuffer(sha256d(raw), np.uint8).reshape(1, 32))
        head = (1).to_bytes(4, "little") + previous + root + (1_289_700_000 + height).to_bytes(4, "little")
        blocks.append(seal(head) + b"\1" + raw)
        previous = parse_header(blocks[-1][:80]).hash
    return blocks


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A store of them, built at once behind its first block, and its blocks."""
    folder = tmp_path_factory.mktemp("overwritten")
    blocks = made()
    begin(folder / "c", folder, blocks[0])
    build_store(folder / "c", write(folder / "blk00000.dat", blocks[1:], MAIN), network=MAIN)
    return folder, blocks


def begin(target, folder, block):
    """A store of one block of known height: no coinbase of that time carries its own."""
    (folder / "first.raw").write_bytes(block)
    build_store(target, folder / "first.raw", network=MAIN, height=FIRST, epoch_transactions=EPOCH)


def states_of(folder):
    """(height, txid) -> spend state of each doubled coinbase that is there."""
    found = {}
    with ChainStore.open(folder) as store:
        for number in range(store.rows("tx")):
            if store.txid(number) in TWICE:
                (output,) = store.output_range(number)
                found[store.height_of(number), store.txid(number)] = store.spend(output).state.value
    return found


def wanted_at(tip):
    """What they are once the chain has come to a height."""
    return {
        (height, txid): "unspendable" if height == heights[0] and heights[1] <= tip else "unspent"
        for txid, heights in PAIRS.items()
        for height in heights
        if height <= tip
    }


def test_the_coinbases_are_the_real_ones():
    assert MAIN.overwritten == ((91_722, 91_880), (91_812, 91_842))
    for txid, raw in TWICE.items():
        assert display(sha256d(raw)) == txid


def test_the_first_of_each_is_never_unspent(scene):
    folder, blocks = scene
    assert states_of(folder / "c") == wanted_at(LAST)
    found = content_of(folder / "c")
    assert len(found.blocks) == len(blocks)
    with ChainStore.open(folder / "c") as store:
        assert len(store.manifest.epochs) == 4
        for txid, (_, late) in PAIRS.items():
            number = store.find_transaction(internal(txid))
            assert number is not None
            assert store.height_of(number) == late
        assert found.facts["unspendable_outputs"] == 2
        assert found.facts["unspent_value"] == (len(blocks) - 2) * 50 * COIN


@pytest.mark.parametrize("extend", ["load", "look up"])
@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_extended_step_by_step(tmp_path, scene, extend, engine):
    folder, blocks = scene
    begin(tmp_path / "c", tmp_path, blocks[0])
    edges = [91_721, 91_723, 91_812, 91_842, 91_843, 91_880, 91_881, LAST + 1]
    for number, (first, last) in enumerate(pairwise(edges)):
        part = write(tmp_path / f"blk0000{number}.dat", blocks[first - FIRST : last - FIRST], MAIN)
        build_store(tmp_path / "c", part, network=MAIN, extend=extend, engine=engine, batch=500, commit=1)
        assert states_of(tmp_path / "c") == wanted_at(last - 1)
    assert content_of(tmp_path / "c") == content_of(folder / "c")


def test_taken_in_by_parcels(tmp_path, scene):
    folder, blocks = scene
    with ChainStore.open(folder / "c") as store:
        export_parcels(store, tmp_path / "p")
    for number, path in enumerate(sorted((tmp_path / "p").iterdir()), 1):
        import_parcels(tmp_path / "m", [str(path)], engine="plain")
        assert states_of(tmp_path / "m") == wanted_at(FIRST + number * EPOCH - 1)
    build_store(tmp_path / "m", write(tmp_path / "rest.dat", blocks, MAIN), network=MAIN)
    assert content_of(tmp_path / "m") == content_of(folder / "c")


@pytest.mark.parametrize("tip", [91_880, 91_879, 91_842, 91_841, 91_800, 91_721])
def test_cut_back_they_can_be_spent_again(tmp_path, scene, tip):
    folder, _ = scene
    shutil.copytree(folder / "c", tmp_path / "c")
    with ChainWriter(tmp_path / "c", MAIN) as writer:
        writer.cut(tip - FIRST + 1)
    assert states_of(tmp_path / "c") == wanted_at(tip)
    assert content_of(tmp_path / "c") is not None


@pytest.mark.parametrize("extend", ["load", "look up"])
def test_a_coinbase_again_at_any_other_height_is_refused(tmp_path, extend):
    (txid, (early, late)), *_ = PAIRS.items()
    blocks = made(FIRST, 91_890, {txid: (early, late + 1)})
    begin(tmp_path / "c", tmp_path, blocks[0])
    build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", blocks[1:100], MAIN), network=MAIN)
    before = content_of(tmp_path / "c")
    with pytest.raises(BadBlock, match=r"again|stands in two blocks"):
        build_store(tmp_path / "c", write(tmp_path / "blk00001.dat", blocks[100:], MAIN), network=MAIN, extend=extend)
    assert content_of(tmp_path / "c") == before
    assert states_of(tmp_path / "c") == {(early, txid): "unspent"}
