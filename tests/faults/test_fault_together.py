"""Two writers, and readers beside a writer: the second writer is refused, and a reader keeps what it opened."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from chain_support import build_store, facts_of, fork, random_chain, write
from faults_support import EPOCH, content_of

from shieldwall.chain.manifest import read_manifest
from shieldwall.chain.mirror import import_parcels
from shieldwall.chain.parcels import export_parcels
from shieldwall.chain.store import ChainStore
from shieldwall.chain.verify import verify
from shieldwall.chain.writer import ChainWriter
from shieldwall.errors import StoreError
from shieldwall.model.network import REGTEST


@pytest.fixture(scope="module")
def maker():
    return random_chain(41, blocks=40)


def states_of(store):
    """Txid and the state of every output of an opened store."""
    return [
        (store.outpoint(output), store.spend(output).state, store.spend(output).transaction)
        for output in range(store.rows("output"))
    ]


def test_a_second_build_is_refused_and_the_first_goes_on(tmp_path, maker):
    source = write(tmp_path / "blk00000.dat", maker.blocks)
    later = write(tmp_path / "blk00001.dat", maker.blocks)
    refused = []

    def second(_stage, done, _total):
        if done and not refused:
            with pytest.raises(StoreError, match="another process") as caught:
                build_store(tmp_path / "c", later)
            refused.append(caught.value)

    build_store(tmp_path / "c", source, batch=2000, commit=1, progress=second)
    assert refused[0].exit_code == 4
    assert "wait for it" in refused[0].hint
    build_store(tmp_path / "alone", source)
    assert content_of(tmp_path / "c").facts == facts_of(tmp_path / "alone")


def test_a_second_process_ends_with_code_4(tmp_path, maker):
    source = write(tmp_path / "blk00000.dat", maker.blocks[:4])
    build_store(tmp_path / "c", source)
    before = content_of(tmp_path / "c")
    with ChainStore.open(tmp_path / "c") as store:
        network = store.network
    command = [sys.executable, "-m", "shieldwall", "chain"]
    with ChainWriter(tmp_path / "c", network):
        done = subprocess.run(
            [*command, "build", str(source), "--chain", str(tmp_path / "c")],
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 4
        assert "another process is writing this store" in done.stderr
        assert "Traceback" not in done.stderr
        done = subprocess.run(
            [*command, "info", "--chain", str(tmp_path / "c"), "-o", "json"], check=True, capture_output=True, text=True
        )
        assert json.loads(done.stdout)["blocks"] == 4
    assert content_of(tmp_path / "c") == before


def test_an_import_beside_a_build_is_refused(tmp_path, maker):
    source = write(tmp_path / "blk00000.dat", maker.blocks)
    build_store(tmp_path / "c", source, epoch_transactions=EPOCH)
    with ChainStore.open(tmp_path / "c") as store:
        export_parcels(store, tmp_path / "parcels")
    with ChainWriter(tmp_path / "c", REGTEST), pytest.raises(StoreError, match="another process"):
        import_parcels(tmp_path / "c", [str(tmp_path / "parcels")])


def test_a_reader_keeps_what_it_opened_while_the_store_is_extended_and_rewritten(tmp_path, maker):
    late = write(tmp_path / "blk00000.dat", maker.blocks[10:20])
    more = write(tmp_path / "blk00001.dat", maker.blocks[20:])
    early = write(tmp_path / "blk00002.dat", maker.blocks[:10])
    build_store(tmp_path / "c", late, epoch_transactions=EPOCH)
    opened = []
    for source in (more, early):
        store = ChainStore.open(tmp_path / "c")
        opened.append((store, store.digest, states_of(store)))
        build_store(tmp_path / "c", source, batch=700, commit=1, epoch_transactions=EPOCH)
    for store, digest, states in opened:
        assert store.digest == digest
        assert states_of(store) == states
        assert store.rows("block") in (10, 31)
        for number in range(store.rows("tx")):
            found = store.find_transaction(store.column("tx_txid")[number].tobytes())
            assert found == number
        store.close()
    with ChainStore.open(tmp_path / "c") as store:
        assert store.rows("block") == len(maker.blocks)
        assert verify(store, source=True).passed


def test_a_reader_beside_a_cut_keeps_what_was_not_taken_out(tmp_path, maker):
    """What the docstring of `ChainStore` promises: open again after a reorganisation."""
    build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", maker.blocks), epoch_transactions=EPOCH)
    store = ChainStore.open(tmp_path / "c")
    kept = int(store.column("block_first_tx")[21])
    txids, values = store.column("tx_txid")[:kept].copy(), [store.values(number) for number in range(kept)]
    blocks = store.column("block_hash")[:21].copy()
    other = fork(maker, 20, 3, 40)
    build_store(tmp_path / "c", write(tmp_path / "blk00001.dat", other.blocks[21:]), batch=500, commit=1)
    assert (store.column("tx_txid")[:kept] == txids).all()
    assert (store.column("block_hash")[:21] == blocks).all()
    assert [store.values(number) for number in range(kept)] == values
    store.close()
    with ChainStore.open(tmp_path / "c") as again:
        assert again.rows("block") == len(other.blocks)
        assert verify(again, source=True).passed


@pytest.mark.parametrize("kind", ["extended", "rewritten", "reorganised"])
def test_every_opening_during_a_build_is_a_commit(tmp_path, maker, kind):
    """A thread opens the store without end while it is changed; each time it is whole by its own rows."""
    parts = {
        "extended": (maker.blocks[:10], maker.blocks[10:]),
        "rewritten": (maker.blocks[10:], maker.blocks[:10]),
        "reorganised": (maker.blocks[:20], fork(maker, 9, 5, 30).blocks[10:]),
    }[kind]
    sources = [write(tmp_path / f"blk0000{number}.dat", part) for number, part in enumerate(parts)]
    folder = tmp_path / "c"
    build_store(folder, sources[0], epoch_transactions=EPOCH)
    allowed = {tuple(hashes_of(part)) for part in ([*maker.blocks], parts[0], fork(maker, 9, 5, 30).blocks)}
    seen: list[int] = []
    faults: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                with ChainStore.open(folder) as store:
                    found = tuple(row.tobytes() for row in store.column("block_hash"))
                    if kind == "reorganised" and read_manifest(folder) != store.manifest:
                        continue  # its tip was taken out meanwhile, and other blocks are written over it: open again
                    assert any(found == chain[: len(found)] for chain in allowed) or found in allowed
                    assert len(store.column("output_value")) == store.rows("output")
                seen.append(len(found))
            except BaseException as error:  # noqa: BLE001 - told to the thread that waits
                faults.append(error)
                return

    reader = threading.Thread(target=read)
    reader.start()
    build_store(folder, sources[1], batch=600, commit=1, epoch_transactions=EPOCH)
    stop.set()
    reader.join()
    assert not faults, faults
    assert seen


def hashes_of(blocks):
    from shieldwall.chain.proof import parse_header

    return [parse_header(block[:80]).hash for block in blocks]


def test_a_lock_that_a_dead_process_left_is_no_obstacle(tmp_path, maker):
    source = write(tmp_path / "blk00000.dat", maker.blocks[:5])
    build_store(tmp_path / "c", source)
    assert (tmp_path / "c" / "lock").exists()
    (Path(tmp_path) / "c" / "unfinished").touch()
    assert build_store(tmp_path / "c", source).blocks == 0
    assert not (tmp_path / "c" / "unfinished").exists()
