"""Broken input is our error with file and place, and the committed store stays as it is."""

import contextlib
import json
import os
import random

import pytest
from chain_support import Esplora, build_store, facts_of, outputs_of, plain_undo, random_chain, rev_file, write
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shieldwall.chain.build import BuildConfig, build
from shieldwall.chain.readers.facts import FORMAT
from shieldwall.chain.regtest import GENESIS
from shieldwall.chain.store import ChainStore
from shieldwall.errors import BadInput, BadText, ShieldwallError, StoreError, WrongNetwork
from shieldwall.model.network import REGTEST, TESTNET3


@pytest.fixture(scope="module")
def chain():
    return random_chain(17, blocks=8)


@pytest.fixture(scope="module")
def base(tmp_path_factory, chain):
    """A store of the first half."""
    folder = tmp_path_factory.mktemp("base")
    build_store(folder / "c", write(folder / "blk00000.dat", chain.blocks[:4]))
    return folder / "c"


def attempt(folder, source, **more):
    """Build; True when it was taken, False when it was refused as it should be, naming the source."""
    try:
        build_store(folder, source, **more)
    except ShieldwallError as error:
        refused = error
    else:
        return True
    assert refused.exit_code == 4, refused
    assert source.stem in str(refused), refused
    return False


damages = st.tuples(
    st.integers(0, 1 << 20), st.sampled_from(["flip", "cut", "insert", "remove"]), st.binary(min_size=1, max_size=5)
)


def damage(data, how):
    """Flip bits, cut, put something in, or take something out."""
    place, kind, extra = how[0] % len(data), how[1], how[2]
    if kind == "flip":
        return data[:place] + bytes([data[place] ^ (extra[0] or 1)]) + data[place + 1 :]
    if kind == "cut":
        return data[:place]
    if kind == "insert":
        return data[:place] + extra + data[place:]
    return data[:place] + data[place + len(extra) :]


def check_damage(folder, base, name, whole, data, digest, **more):
    """Broken bytes are refused and change nothing, or hold the very transactions of the chain."""
    import shutil

    target = folder / "c"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(base, target)
    manifest = (target / "manifest.json").read_bytes()
    source = folder / name
    source.write_bytes(data)
    if attempt(target, source, **more):
        with ChainStore.open(target) as store:
            assert {store.txid(number) for number in range(store.rows("tx"))} <= whole
    else:
        assert (target / "manifest.json").read_bytes() == manifest
        assert facts_of(target)["digest"] == digest


@pytest.fixture(scope="module")
def txids(chain):
    """All that a store may ever hold; a changed header of regtest may carry the little work that it names."""
    return set(Esplora(chain.blocks).where)


@settings(max_examples=80)
@given(damages)
@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_a_damaged_block_file(tmp_path_factory, chain, base, txids, engine, how):
    folder = tmp_path_factory.mktemp("d")
    whole = write(folder / "x", chain.blocks[4:]).read_bytes()
    broken = damage(whole, how)
    check_damage(folder, base, "blk00001.dat", txids, broken, facts_of(base)["digest"], engine=engine)


@settings(max_examples=60)
@given(damages)
@pytest.mark.parametrize("form", ["raw", "hex", "json"])
def test_a_damaged_single_block(tmp_path_factory, chain, base, txids, form, how):
    folder = tmp_path_factory.mktemp("d")
    block = chain.blocks[5]
    content = {"raw": block, "hex": block.hex().encode(), "json": json.dumps({"block": block.hex()}).encode()}[form]
    check_damage(folder, base, f"b.{form}", txids, damage(content, how), facts_of(base)["digest"])


@settings(max_examples=60)
@given(damages)
def test_damaged_undo_files(tmp_path_factory, chain, how):
    folder = tmp_path_factory.mktemp("d")
    spent = outputs_of(chain.blocks)
    source = write(folder / "blk00000.dat", chain.blocks[5:])
    rev = rev_file(folder / "rev00000.dat", chain.blocks[5:], spent)
    rev.write_bytes(damage(rev.read_bytes(), how))
    with contextlib.suppress(BadInput):
        build_store(folder / "c", source)
    (folder / "b.raw").write_bytes(chain.blocks[7])
    (folder / "b-undo.raw").write_bytes(damage(plain_undo(chain.blocks[7], spent) + b"\0", how))
    attempt(folder / "d", folder / "b.raw")


@settings(max_examples=60)
@given(damages)
def test_damaged_esplora_answers(tmp_path_factory, chain, how):
    folder = tmp_path_factory.mktemp("d")
    esplora = Esplora(chain.blocks)
    txids = list(esplora.where)[-6:]
    body = json.dumps([esplora.transaction(txid) for txid in txids]).encode()
    (folder / "a.json").write_bytes(damage(body, how))
    if attempt(folder / "c", folder / "a.json"):
        with ChainStore.open(folder / "c") as store:
            assert {store.txid(number) for number in range(store.rows("tx"))} <= set(txids)


NAMES = ["blk00000.dat", "b.raw", "b.json", "b.hex", "b.dat", "a.json", "facts.jsonl", "tip", "a.bin"]
STARTS = [
    b"",
    REGTEST.magic,
    b"\0" * 9,
    b"{",
    b"[",
    b'{"format": "shieldwall-facts/1", "network": "regtest"}\n',
    b'{"format": "shieldwall-facts/1", "network": "nowhere"}\n',
    b'{"chain_stats": ',
    b'[{"vin": ',
    b'[{"spent": true}',
    b'{"block": "',
    GENESIS[:80],
    REGTEST.magic + b"\x1d\x01\0\0" + GENESIS,
]


@settings(max_examples=300)
@given(st.sampled_from(NAMES), st.sampled_from(STARTS), st.binary(max_size=300) | st.text(max_size=80).map(str.encode))
@example("tip", b"", b"9" * 5000)
@example("a.json", b"", b'{"chain_stats": {"tx_count": ' + b"9" * 5000 + b"}}")
@example("a.json", b"", b'[{"vin": ' + b"[" * 50_000)
@example("b.json", b"", b'{"merkleroot": ' + b"[" * 50_000)
@example("facts.jsonl", STARTS[5], b'{"block": ' + b"[" * 50_000)
@example("a.json", b"", b'{"vin": [], "a": "\\ud800"}')
def test_any_bytes_in_any_reader(tmp_path_factory, name, start, rest):
    folder = tmp_path_factory.mktemp("d")
    (folder / name).write_bytes(start + rest)
    attempt(folder / "c", folder / name)


def test_wrong_magic_is_named_with_its_place(tmp_path, chain):
    good = write(tmp_path / "blk00000.dat", chain.blocks[:2]).read_bytes()
    for extra in (b"what is this", TESTNET3.magic + good[4:], b"\0\0\0" + b"x" * 20):
        (tmp_path / "blk00000.dat").write_bytes(good + extra)
        with pytest.raises(BadInput, match=rf"blk00000\.dat, offset {len(good)}"):
            build_store(tmp_path / "c", tmp_path / "blk00000.dat")
    (tmp_path / "blk00000.dat").write_bytes(good + bytes(100_000))
    assert build_store(tmp_path / "c", tmp_path / "blk00000.dat").blocks == 2
    (tmp_path / "blk00000.dat").write_bytes(b"")
    (tmp_path / "blk00001.dat").write_bytes(bytes(1000))
    assert build_store(tmp_path / "c", tmp_path / "blk00000.dat", tmp_path / "blk00001.dat").blocks == 0


# fact files

HEAD = {"format": FORMAT, "network": "regtest"}


def fact_file(folder, *lines):
    path = folder / "facts.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def block_line(chain, number, **changes):
    esplora = Esplora(chain.blocks)
    rows = []
    for height, parsed in esplora.where.values():
        if height == number:
            spent = [esplora.outputs.get((entry.txid, entry.index)) for entry in parsed.inputs]
            previous = [] if parsed.coinbase else [[entry[0], entry[1].hex()] if entry else None for entry in spent]
            rows.append({"raw": parsed.raw.hex(), "previous": previous})
    status = esplora.status(number)
    block = {"height": number, "hash": status["block_hash"], "time": status["block_time"], **changes}
    return {"block": block, "transactions": rows}


def test_facts_are_derived_and_not_read(tmp_path, chain):
    first = Esplora(chain.blocks).where
    txid = next(txid for txid, (height, _) in first.items() if height == 5)
    state = {"spend": {"output": f"{txid}:0", "height": 8, "spender": None}}
    report = build_store(tmp_path / "c", fact_file(tmp_path, HEAD, block_line(chain, 5), block_line(chain, 6), state))
    assert report.blocks == 2
    assert report.unresolved == 0


@pytest.mark.parametrize(
    "line",
    [
        5,
        [],
        {},
        {"block": 5},
        {"block": {"height": 1, "hash": "00", "time": 1}, "transactions": []},
        {"block": {"height": -1, "hash": "00" * 32, "time": 1}, "transactions": []},
        {"block": {"height": 1, "hash": "0 " * 32, "time": 1}, "transactions": []},
        {"block": {"height": True, "hash": "00" * 32, "time": 1}, "transactions": []},
        {"block": {"height": 1, "hash": "00" * 32, "time": 1}, "transactions": ["x"]},
        {"block": {"height": 1, "hash": "00" * 32, "time": 1}, "transactions": [{"raw": "00"}]},
        {"block": {"height": 1, "hash": "00" * 32, "time": 1}, "transactions": [{"raw": None}]},
        {"block": {"height": 1, "hash": "00" * 32, "time": 1}, "transactions": {"raw": "00"}},
        {"spend": {"output": "ab:0", "height": 1}},
        {"spend": {"output": "ab" * 32, "height": 1}},
        {"spend": {"output": "ab" * 32 + ":-1", "height": 1}},
        {"spend": {"output": "ab" * 32 + ":" + "9" * 30, "height": 1}},
        {"spend": {"output": "ab" * 32 + ":0", "height": 1, "spender": "ab"}},
        {"spend": {"output": "ab" * 32 + ":0", "height": 1, "spender": 5}},
        {"spend": {"output": "ab" * 32 + ":0", "height": 1 << 33}},
        {"spend": "x"},
    ],
)
def test_lines_that_are_no_facts(tmp_path, line):
    with pytest.raises(BadInput, match=r"facts\.jsonl, line 2"):
        build_store(tmp_path / "c", fact_file(tmp_path, HEAD, line))


def test_facts_of_an_unknown_or_another_network(tmp_path):
    with pytest.raises(BadText, match="nowhere"):
        build_store(tmp_path / "c", fact_file(tmp_path, {**HEAD, "network": "nowhere"}))
    with pytest.raises(WrongNetwork):
        build_store(tmp_path / "c", fact_file(tmp_path, {**HEAD, "network": "main"}))
    with pytest.raises(BadText, match="first line"):
        build_store(tmp_path / "c", fact_file(tmp_path, {"format": "shieldwall-facts/9", "network": "regtest"}))


# the machine

unprivileged = pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read everything")


@unprivileged
def test_files_without_permission(tmp_path, chain):
    source = write(tmp_path / "blk00000.dat", chain.blocks)
    source.chmod(0)
    with pytest.raises(BadInput, match=r"blk00000\.dat"):
        build_store(tmp_path / "c", source)


def test_a_fault_of_the_disk_names_the_file(tmp_path, chain, monkeypatch):
    source = write(tmp_path / "blk00000.dat", chain.blocks)

    def refused(path, *_):
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refused)
        with pytest.raises(BadInput, match=r"blk00000\.dat: Permission denied"):
            build_store(tmp_path / "c", source)
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(StoreError, match="file"):
        build(blocked / "inside", [str(source)], config=BuildConfig(engine="plain"))


# the store itself


@settings(max_examples=150)
@given(damages)
def test_a_damaged_manifest(tmp_path_factory, base, how):
    import shutil

    folder = tmp_path_factory.mktemp("d") / "c"
    shutil.copytree(base, folder)
    body = (folder / "manifest.json").read_bytes()
    (folder / "manifest.json").write_bytes(damage(body, how))
    with contextlib.suppress(StoreError), ChainStore.open(folder) as store:
        assert store.rows("block") >= 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("network", "nowhere"),
        ("network", []),
        ("generation", "../elsewhere"),
        ("generation", 5),
        ("index", "index-../.."),
        ("rows", {}),
        ("rows", []),
        ("rows", {"tx": -1}),
        ("indexed", {"tx": 1 << 80, "holder": 0, "output": 0}),
        ("files", "abc"),
        ("files", [5]),
        ("digest", 5),
        ("surplus", 1),
    ],
)
def test_fields_of_a_manifest(tmp_path, base, field, value):
    import shutil

    shutil.copytree(base, tmp_path / "c")
    path = tmp_path / "c" / "manifest.json"
    body = json.loads(path.read_text())
    path.write_text(json.dumps({**body, field: value}))
    with pytest.raises(StoreError, match=r"manifest\.json"):
        ChainStore.open(tmp_path / "c")
    with pytest.raises(StoreError, match=r"manifest\.json"):
        build_store(tmp_path / "c", write(tmp_path / "x.dat", [GENESIS]))


def test_columns_that_are_missing_or_short(tmp_path, base):
    import shutil

    names = sorted(path.relative_to(base) for path in base.rglob("*.bin"))
    assert len(names) > 30
    for number, name in enumerate(names):
        folder = tmp_path / str(number)
        shutil.copytree(base, folder)
        if not (folder / name).stat().st_size:
            continue
        (folder / name).write_bytes((folder / name).read_bytes()[: -random.Random(number).randrange(1, 4)])
        with pytest.raises(StoreError, match=name.name):
            ChainStore.open(folder)
        (folder / name).unlink()
        with pytest.raises(StoreError, match=name.name):
            ChainStore.open(folder)
    with pytest.raises(StoreError, match="holds no chain store"):
        ChainStore.open(tmp_path / "none")
