"""`chain export` and `chain import`, as a person calls them."""

import json

import pytest
from chain_support import random_chain, write

from shieldwall import cli


@pytest.fixture
def run(capsys):
    def call(*words, code=0):
        assert cli.run([str(word) for word in words]) == code
        return capsys.readouterr()

    return call


@pytest.fixture
def chain(run, tmp_path):
    source = write(tmp_path / "blk00000.dat", random_chain(51, blocks=30).blocks)
    run("chain", "build", source, "--network", "regtest", "--epoch", 20, "--chain", tmp_path / "c")
    return tmp_path


def test_a_store_goes_over_in_parcels(run, chain):
    out = json.loads(run("chain", "export", chain / "p", "--chain", chain / "c", "-o", "json").out)
    assert len(out["written"]) > 1
    into = json.loads(run("chain", "import", chain / "p", "--chain", chain / "m", "-o", "json").out)
    assert into["epochs"] == len(out["written"])
    checks = json.loads(run("chain", "verify", "--source", "--chain", chain / "m", "-o", "json").out)
    assert all(check["passed"] for check in checks)
    again = json.loads(run("chain", "export", chain / "p", "--chain", chain / "c", "-o", "json").out)
    assert (again["written"], again["already"]) == ([], len(out["written"]))


def test_lines_of_bitcoin_etl(run, chain):
    run("chain", "export", chain / "lines", "--form", "bitcoin-etl", "--chain", chain / "c")
    assert {path.name for path in (chain / "lines").iterdir()} == {"blocks.json", "transactions.json"}
    run("chain", "export", chain / "p", "--zero-for-unknown", "--chain", chain / "c", code=2)


def test_what_is_no_parcel(run, chain):
    (chain / "x.parcel").write_bytes(b"no parcel")
    result = run("chain", "import", chain / "x.parcel", "--chain", chain / "m", code=4)
    assert "no parcel of this version" in result.err
    run("chain", "import", chain / "nowhere", "--chain", chain / "m", code=4)
    (chain / "empty").mkdir()
    run("chain", "import", chain / "empty", "--chain", chain / "m", code=2)
