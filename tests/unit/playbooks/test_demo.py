"""The demonstration tells the story that the issue asks for, with the published numbers, and says what is not known."""

from __future__ import annotations

import json
import re

import pytest

from shieldwall.cli import run
from shieldwall.playbooks import demo
from shieldwall.playbooks.exercise import make_exercise

FC = "fc78327d4e46dac01dc313067b1ac7f274cdb3a07ea9f28f6f71473145f1b264"


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    said = []
    return folder, demo.play(folder, said.append), "\n".join(said)


def test_act_one_names_the_hops_that_are_published_and_absent(played):
    body = played[1].colonial.body
    assert body["seed_amount"] == 7_500_050_000
    assert body["gap_amount"] == 7_500_034_246
    assert body["unknown_amount"] == 1_693
    assert body["fee_amount"] == 14_061
    (gap,) = body["gaps"]
    assert gap["txid"] == FC
    assert [txid[:8] for txid in gap["then"]] == ["0677781a", "9436dbf0"]
    assert gap["resumes"] == demo.MERGE_INPUT
    assert "Wolfram" in gap["source"]


@pytest.mark.parametrize(
    ("method", "reached"), [("poison", 6_369_996_546), ("haircut", 5_828_829_111), ("fifo", 6_146_816_619)]
)
def test_what_reaches_the_seizure_by_each_method(played, method, reached):
    sides = {side["method"]: side for side in played[1].seizure.body["methods"]}
    ends = sides[method]["ends"]
    assert sum(end["amount"] for end in ends if end["address"] == demo.SEIZURE_ADDRESS) == reached
    assert re.search(rf"{method}\s+{reached // 10**8}\.{reached % 10**8:08d} BTC", played[2])


def test_the_seizure_address_is_not_said_to_hold_it_still(played):
    end = next(end for end in played[1].seizure.body["ends"] if end["address"] == demo.SEIZURE_ADDRESS)
    assert end["kind"] == "unknown"
    assert end["tags"][0]["label"] == "FBI seizure address"


def test_act_two_reaches_the_exchange_in_full_coverage(played):
    body = played[1].exercise.body
    assert body["seed_amount"] == 1_000_000_000
    assert body["service_amount"] == 620_000_000
    assert body["unknown_amount"] == body["gap_amount"] == body["limit_amount"] == 0
    assert body["seed_amount"] == sum(body[f"{kind}_amount"] for kind in ("held", "service", "fee"))
    assert "62.0 % (6.2 BTC) sits at Meridian Exchange (exercise)" in body["sentence"]
    assert "can freeze it" in body["sentence"]


def test_the_three_methods_part_in_the_exercise(played):
    held = {side["method"]: side["service_amount"] for side in played[1].exercise.body["methods"]}
    assert held["haircut"] < held["fifo"] == 620_000_000 <= held["poison"]


def test_everything_about_the_exercise_is_labelled(played):
    folder, outcome, said = played
    assert "EXERCISE" in said
    for name in ("exercise.html", "freeze-request.html"):
        assert "EXERCISE" in (folder / name).read_text()
    assert json.loads((folder / "freeze-request.json").read_text())["exercise"] is True
    assert outcome.files


def test_the_request_asks_for_what_the_trace_found(played):
    folder, outcome, _ = played
    request = json.loads((folder / "freeze-request.json").read_text())
    assert request["amount"] == 620_000_000
    assert request["trace_digest"] == outcome.exercise.digest
    assert len(request["assets"]) == 3
    assert {asset["address"] for asset in request["assets"]} == {make_exercise().deposit_address}
    assert all(asset["proof"] == "inclusion" for asset in request["assets"])
    assert request["kind"] == "freeze"  # one thing is asked; a disclosure would be another request


def test_twice_played_is_the_same_to_the_byte(played, tmp_path):
    folder = played[0]
    demo.play(tmp_path, lambda _: None)
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first


def test_reports_load_nothing_and_run_nothing(played):
    for path in played[1].files:
        page = path.read_text()
        assert "<script" not in page
        assert not re.search(r"""(?:src|href|url)\s*[=(]""", page.replace("xmlns=", "").replace('href="#', ""))
        assert "default-src 'none'" in page


def test_the_command_prints_where_the_reports_are(tmp_path, capsys):
    assert run(["demo", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    *_, last = printed.splitlines()
    assert "make serve" in last
    for line in printed.splitlines()[-6:-2]:
        assert (tmp_path / "out" / line.strip().rpartition("/")[2]).is_file()


def test_the_exercise_chain_is_the_same_every_time():
    assert make_exercise().maker.blocks[-1] == make_exercise().maker.blocks[-1]
