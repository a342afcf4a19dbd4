"""`shieldwall cluster build | list | show | why | refused | verify`, as typed."""

import json

import pytest
from trace_support import PLAIN, Chain, identity

from shieldwall.chain.build import build
from shieldwall.cli import run
from shieldwall.model.network import REGTEST


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A store of two payments, and data beside it."""
    monkeypatch.setenv("SHIELDWALL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SHIELDWALL_CHAIN", str(tmp_path / "chain"))
    monkeypatch.setenv("SHIELDWALL_CONFIG", str(tmp_path / "none.toml"))
    chain = Chain()
    for pair in (("a", "b"), ("b", "c"), ("d", "e")):
        chain.pay([chain.mine(name, 1_000) for name in pair], ("shop", 1_900))
        chain.mine()
    mine(tmp_path, chain)
    return tmp_path, chain


def mine(folder, chain):
    (folder / "blocks.dat").write_bytes(chain.maker.block_file())
    build(folder / "chain", [str(folder / "blocks.dat")], network=REGTEST, config=PLAIN)


def call(capsys, *words):
    code = run(list(words))
    told = capsys.readouterr()
    return code, told.out, told.err


def test_build_list_show_why_verify(place, capsys):
    folder, chain = place
    code, out, _ = call(capsys, "cluster", "build", "-o", "json")
    built = json.loads(out)
    assert (code, built["done"], built["clusters_of_many"]) == (0, "built", 2)
    assert json.loads(call(capsys, "cluster", "build", "-o", "json")[1])["done"] == "unchanged"
    code, out, _ = call(capsys, "cluster", "list", "-o", "json")
    assert (code, [row["name"] for row in json.loads(out)]) == (0, ["co-spend"])
    code, out, _ = call(capsys, "cluster", "show", identity("a"), "-o", "json")
    assert (code, json.loads(out)["size"]) == (0, 3)
    code, out, _ = call(capsys, "cluster", "show", identity("a"), "-o", "table", "--members", "2")
    assert "is in a cluster of 3 (inferred: co-spend" in out
    assert "+ 1 other members" in out
    code, out, _ = call(capsys, "cluster", "show", identity("a"), "-o", "csv")
    assert len(out.splitlines()) == 4
    code, out, _ = call(capsys, "cluster", "why", identity("a"), identity("c"), "-o", "json")
    assert (code, len(json.loads(out))) == (0, 2)
    code, _, err = call(capsys, "cluster", "why", identity("a"), identity("d"))
    assert (code, "different clusters" in err) == (1, True)
    assert call(capsys, "cluster", "verify")[0] == 0
    assert call(capsys, "cluster", "refused", "-o", "json")[:2] == (0, "[]\n")
    chain.mine()
    mine(folder, chain)
    assert "blocks came since" in call(capsys, "cluster", "show", identity("a"), "-o", "table")[1]
    assert json.loads(call(capsys, "cluster", "build", "-o", "json")[1])["done"] == "extended"


def test_what_is_wrong_has_a_next_step(place, capsys):
    folder, _ = place
    code, _, err = call(capsys, "cluster", "show", identity("a"), "--name", "mine")
    assert (code, "cluster build --name mine" in err) == (4, True)
    assert call(capsys, "cluster", "build", "--change", " ")[0] == 2
    assert call(capsys, "cluster", "build", "--change", "unique(")[0] == 2
    assert call(capsys, "cluster", "build", "--name", "../x")[0] == 2
    assert call(capsys, "cluster", "build")[0] == 0
    code, _, err = call(capsys, "cluster", "show", identity("nobody"))
    assert (code, "unknown, which is not the same as clean" in err) == (3, True)
    (path,) = (folder / "data" / "clusters").glob("*/*/cluster-*.bin")
    path.write_bytes(bytes(path.stat().st_size))
    code, _, err = call(capsys, "cluster", "verify")
    assert (code, path.name in err) == (4, True)
    (manifest,) = (folder / "data" / "clusters").glob("*/*/manifest.json")
    manifest.write_text("{}")
    code, out, err = call(capsys, "cluster", "list", "-o", "json")
    assert (code, out, str(manifest) in err) == (4, "[]\n", True)


def test_stores_that_begin_otherwise_do_not_share_a_clustering(place, capsys, tmp_path_factory):
    assert call(capsys, "cluster", "build")[0] == 0
    other = tmp_path_factory.mktemp("other")
    chain = Chain()
    chain.maker.interval = 700
    chain.mine("z", 5)
    (other / "block.raw").write_bytes(chain.maker.blocks[1])
    build(other / "chain", [str(other / "block.raw")], network=REGTEST, config=PLAIN)
    assert call(capsys, "cluster", "build", "--chain", str(other / "chain"))[0] == 0
    assert call(capsys, "cluster", "verify")[0] == 0
    assert call(capsys, "cluster", "verify", "--chain", str(other / "chain"))[0] == 0
