"""What a person says of a transaction: the claim, its file, and what it does to answers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from chain_support import START, scripts
from change_support import data, fund, number_of, spend, store_of
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.chain.regtest import BlockMaker
from shieldwall.errors import BadText, ShieldwallError, StoreError, UsageError
from shieldwall.model.claim import Claim
from shieldwall.model.network import MAIN, REGTEST
from shieldwall.trace.change.chainwide import ChainChanges, change_outputs
from shieldwall.trace.change.decide import decide
from shieldwall.trace.change.overrule import Overrule, Overrules, overrule_of

TXID = "ab" * 32
WHEN = "2026-01-02T03:04:05Z"
COIN = 100_000_000


def say(output, txid=TXID, *, by="Mara", why="seen on the phone", at=WHEN, network=REGTEST):
    return overrule_of(network, txid, output, why=why, by=by, at=at)


def test_the_last_word_wins_and_every_word_is_kept(tmp_path):
    overrules = Overrules(tmp_path / "claims" / "change.jsonl")
    assert overrules.standing(REGTEST) == {}
    assert overrules.versions() == ()
    overrules.add(say(1))
    overrules.add(say(None, by="Tomas"))
    overrules.add(say(3, "cd" * 32))
    overrules.add(say(0, network=MAIN))
    standing = overrules.standing(REGTEST)
    assert {txid: found.output for txid, found in standing.items()} == {TXID: None, "cd" * 32: 3}
    assert standing[TXID].words == f"overruled by Tomas at {WHEN}: seen on the phone"
    with pytest.raises(UsageError, match="Tomas said it"):
        overrules.retract(REGTEST, TXID, by="Mara", at=WHEN)
    taken_back = overrules.retract(REGTEST, TXID, by="Tomas", at="2026-02-01T00:00:00Z")
    assert taken_back.retracted == "2026-02-01T00:00:00Z"
    assert list(overrules.standing(REGTEST)) == ["cd" * 32]
    with pytest.raises(UsageError, match="no overrule"):
        overrules.retract(REGTEST, TXID, by="Tomas", at=WHEN)
    assert [(claim.statement.get("output"), bool(claim.retracted)) for claim in overrules.versions()] == [
        (1, False), (None, False), (3, False), (0, False), (None, True),
    ]  # fmt: skip
    overrules.add(say(2))
    assert overrules.standing(REGTEST)[TXID].output == 2
    assert [claim.statement.get("output") for claim in overrules.versions()] == [1, None, 3, 0, None, 2]


def test_the_claim_is_one_for_all_nodes():
    claim = say(1).claim
    assert claim.as_dict() == {
        "subject": {"type": "transaction", "chain": REGTEST.caip2, "name": TXID},
        "kind": "change-overrule",
        "statement": {"output": 1, "why": "seen on the phone"},
        "layer": "inference",
        "source": "said by a person",
        "made_by": "Mara",
        "at": WHEN,
        "marking": "TLP:RED",
    }
    assert Claim.from_dict(claim.as_dict()) == claim


def test_a_word_that_was_cut_short_was_never_said(tmp_path):
    path = tmp_path / "change.jsonl"
    overrules = Overrules(path)
    overrules.add(say(1))
    whole = path.read_bytes()
    for size in (1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole + whole[:size])
        assert overrules.standing(REGTEST)[TXID].output == 1
        overrules.add(say(0))
        assert [claim.statement["output"] for claim in overrules.versions()] == [1, 0]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "{}",
        json.dumps(say(1).claim.as_dict() | {"kind": "tag"}),
        json.dumps(say(1).claim.as_dict() | {"statement": {"why": "x"}}),
        json.dumps(say(1).claim.as_dict() | {"statement": {"why": "x", "output": 1, "none": True}}),
        json.dumps(say(1).claim.as_dict() | {"statement": {"why": "x", "none": False}}),
        json.dumps(say(1).claim.as_dict() | {"statement": {"why": "x", "output": -1}}),
        json.dumps(say(1).claim.as_dict() | {"statement": {"why": "x", "output": True}}),
        json.dumps(say(1).claim.as_dict() | {"statement": {"output": 1}}),
        json.dumps(say(1).claim.as_dict() | {"subject": {"type": "transaction", "chain": REGTEST.caip2, "name": "x"}}),
        json.dumps(say(1).claim.as_dict() | {"made_by": ""}),
        json.dumps(say(1).claim.as_dict() | {"at": ""}),
    ],
)
def test_a_damaged_line_is_named(tmp_path, line):
    path = tmp_path / "change.jsonl"
    Overrules(path).add(say(1))
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(BadText, match=r"change.jsonl:2"):
        Overrules(path).standing(REGTEST)


@given(st.binary(max_size=200))
def test_any_file_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("claims") / "change.jsonl"
    path.write_bytes(content)
    try:
        assert Overrules(path).standing(REGTEST) == {}
    except ShieldwallError as error:
        assert str(path) in error.message  # noqa: PT017 - it may be fine as well


def test_a_folder_in_the_way_is_said(tmp_path):
    path = tmp_path / "change.jsonl"
    path.mkdir()
    with pytest.raises(StoreError, match="cannot be read"):
        Overrules(path).standing(REGTEST)
    with pytest.raises(StoreError, match="cannot be written"):
        Overrules(path).add(say(1))


@pytest.mark.parametrize(("why", "by"), [("", "Mara"), ("  ", "Mara"), ("x", ""), ("x", " ")])
def test_an_overrule_needs_a_reason_and_a_name(why, by):
    with pytest.raises(UsageError, match="needs a reason and a name"):
        say(1, why=why, by=by)


@pytest.fixture(scope="module")
def made():
    maker = BlockMaker(time=START)
    one, other, third = fund(maker, "a", "b", "c")
    paid = spend(maker, [one], ("shop", COIN), ("x", COIN + 1), (data(), 0))
    plain = spend(maker, [other], ("shop", COIN), ("y", COIN + 1))
    sweep = spend(maker, [third], ("shop", COIN))
    maker.mine(scripts("miner")[0])
    with store_of(maker) as store:
        yield store, paid[0].txid, number_of(store, paid[0]), number_of(store, plain[0]), sweep[0].txid, one.txid


def test_decide_honours_it_and_says_so(made):
    store, txid, number, *_ = made
    rule = "power_of_ten(3)"
    assert decide(store, number, rule).output == 1
    verdict = decide(store, number, rule, {txid: say(0, txid)})
    assert (verdict.output, verdict.candidates, verdict.overruled.claim.made_by) == (0, (1,), "Mara")
    assert verdict.summary == (
        f"Output 0 is change, overruled by Mara at {WHEN}: seen on the phone. By the rule power_of_ten(3): output 1 is change."
    )
    none = decide(store, number, rule, {txid: say(None, txid)})
    assert none.output is None
    assert none.summary.startswith("No output is change, overruled by Mara")
    assert none.as_json()["claim"] == say(None, txid).claim.id


@pytest.mark.parametrize("output", [2, 3, 99])
def test_an_output_that_is_no_change_is_refused(made, output):
    store, txid, number, *_ = made
    with pytest.raises(UsageError, match=txid):
        decide(store, number, "rbf", {txid: say(output, txid)})
    with pytest.raises(UsageError, match=txid):
        ChainChanges(store, "rbf", [say(output, txid)])


def test_a_coinbase_has_no_change(made):
    store, *_, coinbase = made
    with pytest.raises(UsageError, match="coinbase"):
        ChainChanges(store, "rbf", [say(0, coinbase)])


def test_the_whole_chain_takes_it_into_account(made):
    store, txid, number, plain, sweep, _ = made
    elsewhere = say(0, "cd" * 32)
    overrules = [say(None, txid), say(0, sweep), elsewhere]
    before = change_outputs(store, "power_of_ten(3)")
    changes = ChainChanges(store, "power_of_ten(3)", overrules)
    after = changes.outputs(0, store.rows("tx"))
    assert changes.overrules == tuple(sorted(overrule.claim.id for overrule in overrules))
    differ = np.flatnonzero(before != after).tolist()
    assert after[number] == -1
    assert before[plain] == after[plain] >= 0
    assert len(differ) == 2  # that one, and the sweep that a person says is change
    assert changes.outputs(number, number + 1).tolist() == [-1]


def test_an_overrule_is_read_from_its_claim():
    with pytest.raises(BadText, match="not a change-overrule"):
        Overrule.of(Claim.from_dict(say(1).claim.as_dict() | {"kind": "hop"}))
