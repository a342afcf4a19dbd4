"""`shieldwall cluster peel`: one line that unfolds, in every format."""

from __future__ import annotations

import csv
import io
import json

import pytest
from click.testing import CliRunner
from trace_support import PLAIN, Chain

from shieldwall.chain.build import build
from shieldwall.chain.store import ChainStore
from shieldwall.cli.root import shieldwall
from shieldwall.errors import BadInput, PartialData, StoreError
from shieldwall.playbooks.exercise import make_exercise
from shieldwall.trace.targets import find_targets


@pytest.fixture(scope="module")
def member(tmp_path_factory):
    """A store of the exercise, a clustering of it, and the outpoint of the ransom."""
    folder = tmp_path_factory.mktemp("member")
    exercise = make_exercise()
    (folder / "blk00000.dat").write_bytes(exercise.maker.block_file())
    build(folder / "chain", [str(folder / "blk00000.dat")], config=PLAIN)
    with ChainStore.open(folder / "chain") as store:
        (target,) = find_targets(store, [exercise.ransom_address])
        txid, index = store.outpoint(target.outputs[0])
    done = ask(folder, "build")
    assert done.exit_code == 0, done.output
    return folder, f"{txid}:{index}"


def ask(folder, *words):
    places = ["--chain", str(folder / "chain"), "--data", str(folder / "data")]
    return CliRunner().invoke(shieldwall, ["cluster", *words, *places])


def test_the_summary_comes_first_and_unfolds(member):
    folder, start = member
    short, long = ask(folder, "peel", start, "-o", "table"), ask(folder, "peel", start, "-o", "table", "--unfold")
    assert short.exit_code == long.exit_code == 0, short.output + long.output
    first = short.stdout.splitlines()[0]
    assert first.startswith("Peel chain of 5 hops by find-next2 (inferred), 2026-10-01T07:30:00Z to ")
    assert "7.25 BTC peeled off to 4 addresses" in first
    assert long.stdout.splitlines()[0] == first
    assert len(long.stdout.splitlines()) > len(short.stdout.splitlines()) + 10
    assert "goes on in output" not in short.stdout
    assert long.stdout.count("goes on in output") == 5
    assert "false discovery rate 0.02 %" in short.stdout


def test_json_and_csv_have_every_hop(member):
    folder, start = member
    found = json.loads(ask(folder, "peel", start, "-o", "json").stdout)
    assert found["format"] == "shieldwall-peel/1"
    assert (found["summary"]["hops"], found["start"]) == (5, start)
    rows = list(csv.DictReader(io.StringIO(ask(folder, "peel", start, "-o", "csv", "--rule", "find-next").stdout)))
    assert [row["txid"] for row in rows] == [hop["txid"] for hop in (*found["hops"], found["last"])]
    assert rows[-1]["index"] == ""


def test_from_a_transaction_and_with_a_limit(member):
    folder, start = member
    found = json.loads(ask(folder, "peel", start, "-o", "json").stdout)
    again = json.loads(ask(folder, "peel", found["hops"][1]["txid"], "--hops", "2", "-o", "json").stdout)
    assert [hop["txid"] for hop in again["hops"]] == [hop["txid"] for hop in found["hops"][1:3]]
    assert again["summary"]["end"] == "limit"


def test_what_is_no_beginning_is_refused(member):
    folder, start = member
    address = json.loads(ask(folder, "peel", start, "-o", "json").stdout)["hops"][0]["address"]
    assert isinstance(ask(folder, "peel", address).exception, BadInput)
    assert isinstance(ask(folder, "peel", "0" * 64).exception, PartialData)
    none_such = ask(folder, "peel", f"{start.partition(':')[0]}:99").exception
    assert isinstance(none_such, BadInput)
    assert none_such.hint.startswith(f"name {start.partition(':')[0]}:0")
    assert isinstance(ask(folder, "peel", start, "--name", "other").exception, StoreError)


def test_where_several_fit_a_person_can_go_on(tmp_path):
    chain = Chain()
    (coin,) = chain.fund(1000)
    one, other = chain.pay([coin], ("one", 400), ("other", 500))
    chain.pay([one], ("one-next", 400))
    chain.pay([other], ("other-next", 500))
    chain.mine()
    chain.store_in(tmp_path).close()
    assert ask(tmp_path, "build").exit_code == 0
    told = ask(tmp_path, "peel", one.txid, "-o", "table").stdout
    assert "outputs 0, 1 fit equally well" in told
    assert f"To go on with one of them: shieldwall cluster peel {one.txid}:N" in told
