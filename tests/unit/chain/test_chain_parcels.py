"""Epochs are sealed where the chain says, and travel as parcels that are checked before they are taken in."""

import json
import random
import shutil

import pytest
from chain_support import build_store, clone, extend, facts_of, fork, random_chain, write

from shieldwall.chain.build import BuildConfig, build
from shieldwall.chain.mirror import import_parcels
from shieldwall.chain.parcels import export_parcels, find_parcels
from shieldwall.chain.store import ChainStore
from shieldwall.chain.verify import verify
from shieldwall.errors import BadInput, ShieldwallError, StoreError, UsageError
from shieldwall.model.network import REGTEST

EPOCH = 20


@pytest.fixture(scope="module")
def maker():
    return random_chain(31, blocks=40)


@pytest.fixture(scope="module")
def source(tmp_path_factory, maker):
    folder = tmp_path_factory.mktemp("parcels")
    build_store(folder / "c", write(folder / "blk00000.dat", maker.blocks), epoch_transactions=EPOCH)
    with ChainStore.open(folder / "c") as store:
        export_parcels(store, folder / "parcels")
    return folder


def epochs_of(folder):
    with ChainStore.open(folder) as store:
        assert verify(store, source=True).passed
        return store.manifest.epochs


def test_epochs_end_where_the_chain_says_however_it_was_built(tmp_path, source, maker):
    wanted = epochs_of(source / "c")
    assert len(wanted) > 3
    with ChainStore.open(source / "c") as store:
        firsts = [int(first) for first in store.column("block_first_tx")]
        edges = [0, *(firsts[blocks] for blocks, _ in wanted[:-1])]
        for begin, (blocks, _) in zip(edges, wanted, strict=True):
            end = firsts[blocks] if blocks < len(firsts) else store.rows("tx")
            assert end - begin >= EPOCH > firsts[blocks - 1] - begin
    for number, block in enumerate(maker.blocks):
        path = tmp_path / "one" / f"b{number}.raw"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(block)
        build_store(tmp_path / "c", path, epoch_transactions=EPOCH, extend=("load", "look up")[number % 2])
    assert epochs_of(tmp_path / "c") == wanted
    build_store(tmp_path / "small", source / "blk00000.dat", epoch_transactions=EPOCH, batch=500, commit=1)
    assert epochs_of(tmp_path / "small") == wanted
    build_store(tmp_path / "threads", source / "blk00000.dat", epoch_transactions=EPOCH, threads=1, engine="compiled")
    assert epochs_of(tmp_path / "threads") == wanted


def test_a_mirror_is_the_same_store(tmp_path, source, maker):
    report = import_parcels(tmp_path / "m", [str(source / "parcels")])
    assert report.epochs == len(epochs_of(source / "c"))
    assert report.raw
    build_store(tmp_path / "m", source / "blk00000.dat")  # the blocks behind the last epoch
    assert facts_of(tmp_path / "m") == facts_of(source / "c")
    assert epochs_of(tmp_path / "m") == epochs_of(source / "c")
    again = import_parcels(tmp_path / "m", [str(source / "parcels")])
    assert (again.epochs, again.already) == (0, report.epochs)


def test_parcels_taken_in_one_by_one_replace_what_is_not_sealed(tmp_path, source, maker):
    parcels = find_parcels([str(source / "parcels")])
    import_parcels(tmp_path / "m", [str(parcels[0].path), str(parcels[1].path)])
    blocks = parcels[1].sealed.last["block"]
    (tmp_path / "next.raw").write_bytes(maker.blocks[blocks])
    build_store(tmp_path / "m", tmp_path / "next.raw")
    report = import_parcels(tmp_path / "m", [str(source / "parcels")])
    assert (report.epochs, report.already, report.replaced) == (len(parcels) - 2, 2, 1)
    assert epochs_of(tmp_path / "m") == epochs_of(source / "c")
    with pytest.raises(BadInput, match="import the parcels between"):
        import_parcels(tmp_path / "other", [str(parcels[1].path)])


def test_parcels_without_raw_bytes(tmp_path, source):
    config = BuildConfig(keep_raw_below=0, engine="plain", epoch_transactions=EPOCH)
    build(tmp_path / "c", [str(source / "blk00000.dat")], config=config, network=REGTEST)
    assert epochs_of(tmp_path / "c") == epochs_of(source / "c")
    with ChainStore.open(tmp_path / "c") as store:
        export_parcels(store, tmp_path / "p")
    assert not import_parcels(tmp_path / "m", [str(tmp_path / "p")]).raw
    with ChainStore.open(tmp_path / "m") as store:
        report = verify(store, source=True)
        assert report.passed
        assert {entry.name: entry.skipped for entry in report.checks}["source"] == store.rows("tx")
        with pytest.raises(StoreError, match="passed on, without"):
            store.raw(1)


def test_a_changed_parcel_is_refused_and_nothing_is_taken_in(tmp_path, source):
    draw = random.Random(9)
    first = find_parcels([str(source / "parcels")])[0]
    data = first.path.read_bytes()
    for number in range(40):
        folder = tmp_path / str(number)
        folder.mkdir()
        changed = bytearray(data)
        place = draw.randrange(len(data)) if number % 2 else draw.randrange(first.start)
        if number % 5 == 4:
            del changed[place:]
        else:
            changed[place] ^= 1 << draw.randrange(8)
        (folder / first.path.name).write_bytes(changed)
        with pytest.raises(ShieldwallError) as caught:
            import_parcels(folder / "m", [str(folder)])
        assert str(folder / first.path.name) in caught.value.message or isinstance(caught.value, UsageError)
        assert not (folder / "m" / "manifest.json").exists()


def forged(source, folder, change):
    """A parcel that was changed by someone who made its digests fit again."""
    from dataclasses import asdict
    from hashlib import sha256

    from shieldwall.chain.epochs import sealed_from
    from shieldwall.chain.parcels import FORMAT, parcel_name, read_parcel

    path = find_parcels([str(source / "parcels")])[0].path
    parcel = read_parcel(path)
    data = path.read_bytes()[parcel.start :]
    columns = {}
    for name, size in parcel.sizes.items():
        columns[name], data = bytearray(data[:size]), data[size:]
    change(columns)
    body = asdict(parcel.sealed)
    body["columns"] |= {name: sha256(part).hexdigest() for name, part in columns.items()}
    sealed = sealed_from(body)
    sizes = [[name, len(part)] for name, part in columns.items()]
    heading = {"epoch": body, "digest": sealed.digest, "sizes": sizes}
    text = json.dumps(heading).encode()
    folder.mkdir()
    out = folder / parcel_name(0, sealed.digest)
    out.write_bytes(f"{FORMAT} {len(text)}\n".encode() + text + b"".join(columns.values()))
    return folder


@pytest.mark.parametrize(
    ("column", "place", "what"),
    [
        ("block_header", 5, "header"),
        ("tx_txid", 40, "merkle"),
        ("block_digest", 3, "digest"),
        ("input_output", 0, "spend|link|input"),
        ("output_value", 7, "values"),
        ("tx_first_output", 4, "rows|digest|ascend|values|links"),
        ("output_holder", 3, "holder"),
        ("holder_kind", 0, "kind"),
        ("tx_flags", 1, "flags"),
    ],
)
def test_a_forged_parcel_is_refused_by_what_it_says(tmp_path, source, column, place, what):
    def change(columns):
        columns[column][place] ^= 0xFF

    folder = forged(source, tmp_path / "p", change)
    with pytest.raises(BadInput, match=what):
        import_parcels(tmp_path / "m", [str(folder)])
    assert not (tmp_path / "m" / "manifest.json").exists()


def test_a_parcel_of_the_format_before_is_refused(tmp_path, source):
    """Its flags lack bits, which would read as version "other", no locktime, not final."""
    path = find_parcels([str(source / "parcels")])[0].path
    (tmp_path / path.name).write_bytes(path.read_bytes().replace(b"shieldwall-parcel/2", b"shieldwall-parcel/1", 1))
    with pytest.raises(BadInput, match="no parcel of this version") as caught:
        import_parcels(tmp_path / "m", [str(tmp_path / path.name)])
    assert "chain export" in caught.value.hint


def test_a_reorganisation_deeper_than_the_last_epoch(tmp_path, source, maker):
    shutil.copytree(source / "c", tmp_path / "c")
    before = epochs_of(tmp_path / "c")
    depth = maker.blocks[before[-2][0] - 3 :]
    other = fork(maker, len(maker.blocks) - len(depth) - 1, 7, len(depth) + 1)
    report = build_store(tmp_path / "c", write(tmp_path / "blk00001.dat", other.blocks[-len(depth) - 1 :]))
    assert report.rolled_back == len(depth)
    after = epochs_of(tmp_path / "c")
    assert after[: len(before) - 2] == before[:-2]
    assert after[len(before) - 2 :] != before[-2:]
    build_store(tmp_path / "fresh", write(tmp_path / "blk00002.dat", other.blocks), epoch_transactions=EPOCH)
    assert epochs_of(tmp_path / "fresh") == after
    assert facts_of(tmp_path / "fresh") == facts_of(tmp_path / "c")
    with pytest.raises(BadInput, match="another"):
        import_parcels(tmp_path / "c", [str(source / "parcels")])


def test_an_extension_that_looks_up_is_one_that_loads(tmp_path, maker):
    early = write(tmp_path / "blk00000.dat", maker.blocks[:30])
    longer = clone(maker)
    extend(longer, random.Random(2), 6)
    late = write(tmp_path / "blk00001.dat", longer.blocks[30:])
    for way in ("load", "look up"):
        build_store(tmp_path / way, early, epoch_transactions=EPOCH)
        build_store(tmp_path / way, late, extend=way, batch=700, commit=2000)
    assert facts_of(tmp_path / "load") == facts_of(tmp_path / "look up")
    assert epochs_of(tmp_path / "load") == epochs_of(tmp_path / "look up")


def test_nothing_to_export(tmp_path, maker):
    build_store(tmp_path / "c", write(tmp_path / "blk00000.dat", maker.blocks[:3]))
    with ChainStore.open(tmp_path / "c") as store, pytest.raises(UsageError, match="no sealed epoch"):
        export_parcels(store, tmp_path / "p")
