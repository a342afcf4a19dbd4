"""Damage to any file of a store or a parcel is found and named, by opening or by `verify`."""

import json
import random
import shutil
from itertools import pairwise

import pytest
from chain_support import build_store, random_chain, write
from click.testing import CliRunner
from faults_support import EPOCH, statements

from shieldwall.chain.mirror import import_parcels
from shieldwall.chain.parcels import export_parcels
from shieldwall.chain.store import ChainStore
from shieldwall.chain.verify import verify
from shieldwall.cli.chain import chain as chain_command
from shieldwall.errors import ShieldwallError, StoreError


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A store with two runs of indexes, sealed epochs, a tail, statements, and rows of every table."""
    folder = tmp_path_factory.mktemp("damage")
    maker = random_chain(53, blocks=40)
    build_store(folder / "c", write(folder / "blk00000.dat", maker.blocks[3:37]), epoch_transactions=EPOCH)
    late = write(folder / "blk00001.dat", maker.blocks[37:])
    build_store(folder / "c", late, *statements(folder / "said", maker, 6))
    with ChainStore.open(folder / "c") as store:
        assert len(store.manifest.runs) > 1
        assert len(store.manifest.epochs) > 2
        assert store.rows("stated")
        assert store.rows("tx") > store.column("block_first_tx")[store.manifest.epochs[-1][0]]
        export_parcels(store, folder / "parcels")
    return folder / "c"


def files_of(folder):
    """Every file with bytes in it."""
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.stat().st_size)


def found_in(folder):
    """The words of `verify` or of opening; "" where nothing is wrong."""
    try:
        with ChainStore.open(folder) as store:
            report = verify(store, source=True)
    except StoreError as error:
        return str(error)
    return " ".join(check.detail for check in report.checks if not check.passed)


def named(name, words):
    """A wide column's two files are named together, and of an index the column or its pair."""
    stem = name.stem.removesuffix("_high")
    return stem in words or stem.rpartition("_")[0] + "_" in words


@pytest.fixture
def copy_of(tmp_path, base):
    """A copy of the store, put right again after each damage; returns the folder."""
    return shutil.copytree(base, tmp_path / "c")


def test_a_flipped_bit_in_any_file_is_found_and_the_file_is_named(base, copy_of):
    draw = random.Random(8)
    names = files_of(base)
    assert {name.suffix for name in names} == {".bin", ".json"}
    assert sum(name.name.startswith("epoch-") for name in names) > 2
    for name in names:
        whole = (base / name).read_bytes()
        for _ in range(400 if name.name == "manifest.json" else 40 if name.suffix == ".json" else 3):
            place, bit = draw.randrange(len(whole)), draw.randrange(8)
            changed = bytearray(whole)
            changed[place] ^= 1 << bit
            (copy_of / name).write_bytes(changed)
            words = found_in(copy_of)
            assert named(name, words), f"{name}, bit {bit} of byte {place} ({whole[place : place + 12]!r}): {words!r}"
        (copy_of / name).write_bytes(whole)
    assert not found_in(copy_of)


def test_every_field_of_the_manifest_is_held_to_its_checksum(base, copy_of):
    body = json.loads((base / "manifest.json").read_text())
    for key, value in body.items():
        changed = {
            int: lambda v: v + 1,
            str: lambda v: v[:-1] + ("0" if v[-1:] != "0" else "1"),
            list: lambda v: v[:-1] if v else ["x"],
            dict: lambda v: {**v, "tx": 1},
        }[type(value)](value)
        (copy_of / "manifest.json").write_text(json.dumps({**body, key: changed}))
        assert "manifest.json" in found_in(copy_of), key
        (copy_of / "manifest.json").write_text(json.dumps({name: body[name] for name in body if name != key}))
        assert "manifest.json" in found_in(copy_of), f"without {key}"


def test_a_file_cut_short_emptied_or_gone_is_named(base, copy_of):
    draw = random.Random(9)
    for name in files_of(base):
        whole = (base / name).read_bytes()
        for size in {0, draw.randrange(len(whole)), len(whole) - 1}:
            (copy_of / name).write_bytes(whole[:size])
            assert named(name, found_in(copy_of)), (name, size)
        (copy_of / name).unlink()
        words = found_in(copy_of)
        assert named(name, words) or (name.name == "manifest.json" and "holds no chain store" in words), (name, words)
        (copy_of / name).write_bytes(whole)
    assert not found_in(copy_of)


def test_files_of_one_length_put_in_each_others_place_are_named(base, copy_of):
    by_size: dict[int, list] = {}
    for name in files_of(base):
        by_size.setdefault((base / name).stat().st_size, []).append(name)
    swapped = 0
    for group in by_size.values():
        for one, other in pairwise(group):
            first, second = (base / one).read_bytes(), (base / other).read_bytes()
            if first == second:
                continue
            (copy_of / one).write_bytes(second)
            (copy_of / other).write_bytes(first)
            words = found_in(copy_of)
            assert named(one, words) or named(other, words), (one, other, words)
            (copy_of / one).write_bytes(first)
            (copy_of / other).write_bytes(second)
            swapped += 1
    assert swapped > 10


def test_two_epochs_put_in_each_others_place_are_named(base, copy_of):
    with ChainStore.open(base) as store:
        home = store.manifest.generation
    one, other = (copy_of / home / f"epoch-00000{number}.json" for number in (0, 1))
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    assert one.name in found_in(copy_of)


def test_a_build_and_a_cut_on_a_damaged_epoch_say_so(base, copy_of):
    with ChainStore.open(base) as store:
        home, last = store.manifest.generation, len(store.manifest.epochs) - 1
    path = copy_of / home / f"epoch-{last:06d}.json"
    path.write_bytes(path.read_bytes()[:-7])
    before = (copy_of / "manifest.json").read_bytes()
    maker = random_chain(53, blocks=40)
    maker.mine(maker.unspent[next(iter(maker.unspent))].script)
    with pytest.raises(StoreError, match=path.name):
        build_store(copy_of, write(copy_of.parent / "blk00002.dat", maker.blocks[-1:]))
    assert (copy_of / "manifest.json").read_bytes() == before


@pytest.mark.parametrize(("name", "code"), [("columns-1/output_value.bin", 1), ("manifest.json", 4)])
def test_the_command_says_it_with_its_exit_code(base, copy_of, name, code):
    if code == 1:
        data = bytearray((copy_of / name).read_bytes())
        data[3] ^= 4
        (copy_of / name).write_bytes(data)
        done = CliRunner().invoke(
            chain_command, ["verify", "--chain", str(copy_of), "-o", "json"], standalone_mode=False
        )
        assert done.return_value == code
        assert "output_value" in done.output
        return
    (copy_of / name).write_bytes((copy_of / name).read_bytes()[:-30])
    done = CliRunner().invoke(chain_command, ["verify", "--chain", str(copy_of)], standalone_mode=False)
    assert isinstance(done.exception, ShieldwallError)
    assert done.exception.exit_code == code
    assert name in str(done.exception)


def test_damage_to_a_parcel_is_named_and_nothing_is_taken_in(tmp_path, base):
    draw = random.Random(10)
    parcels = sorted((base.parent / "parcels").iterdir())
    names = [path.name for path in parcels]
    assert len(names) > 2
    for number in range(60):
        folder = shutil.copytree(base.parent / "parcels", tmp_path / "parcels")
        name = draw.choice(names)
        data = bytearray((folder / name).read_bytes())
        kind = number % 4
        if kind < 2:
            place = draw.randrange(len(data)) if kind else draw.randrange(3000)
            data[place] ^= 1 << draw.randrange(8)
        elif kind == 2:
            del data[draw.randrange(len(data)) :]
        else:
            data += b"\0"
        (folder / name).write_bytes(data)
        with pytest.raises(ShieldwallError) as caught:
            import_parcels(tmp_path / "m", [str(folder)], engine="plain")
        assert caught.value.exit_code == 4
        assert name in caught.value.message, (name, caught.value)
        if (tmp_path / "m" / "manifest.json").exists():  # the epochs before it
            with ChainStore.open(tmp_path / "m") as store:
                assert len(store.manifest.epochs) == names.index(name)
                assert verify(store, source=True).passed
        shutil.rmtree(folder)
        shutil.rmtree(tmp_path / "m", ignore_errors=True)
