"""The demonstration in two acts: the real Colonial ransom of May 2021 with its gaps, and an exercise without any."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from textwrap import fill

from shieldwall.cases.request import Sender
from shieldwall.model.amount import btc, percent
from shieldwall.model.network import MAIN, REGTEST
from shieldwall.playbooks.exercise import make_exercise
from shieldwall.playbooks.ransom import (
    Material,
    ask_to_freeze,
    lay_out,
    trace_ransom,
    write_report,
    write_request,
)
from shieldwall.trace.result import TraceResult

RANSOM_ADDRESS = "15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr"
MERGE_INPUT = "daf38c7b38eb0a587cf843f47000d5c294affb4f56017370ad48c5147f5e69d9:in:13"
SEIZURE_ADDRESS = "bc1qpx7vyv5tp7dm0g475ev527krg764t73dh77gls"
EXERCISE_LABEL = "EXERCISE on a simulated chain: people, firms, addresses and money are invented."

Say = Callable[[str], None]
_WIDTH = 100  # characters of a line of text


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the demonstration wrote and found."""

    files: tuple[Path, ...]
    colonial: TraceResult
    seizure: TraceResult
    exercise: TraceResult


def play(folder: Path, say: Say) -> Outcome:
    """Both acts; reports and request go into `folder`, stores into a temporary one."""
    folder.mkdir(parents=True, exist_ok=True)
    data = resources.files("shieldwall.playbooks") / "data"
    with resources.as_file(data) as shipped, tempfile.TemporaryDirectory(prefix="shieldwall-demo-") as work:
        colonial, seizure, first = _act_one(shipped / "colonial", Path(work) / "one", folder, say)
        exercise, second = _act_two(shipped / "exercise", Path(work) / "two", folder, say)
    return Outcome((*first, *second), colonial, seizure, exercise)


def _act_one(data: Path, work: Path, folder: Path, say: Say) -> tuple[TraceResult, TraceResult, list[Path]]:
    say("Act one: the Colonial Pipeline ransom, May 2021. Real transactions, each txid derived from its bytes.\n")
    bench = lay_out(
        Material(
            sources=[str(data / "facts.jsonl")],
            network=MAIN,
            tag_files=[data / "colonial-public.yaml"],
            published=[data / "published.jsonl"],
        ),
        work,
    )
    with bench.store:
        colonial = trace_ransom(bench, [RANSOM_ADDRESS])
        say(fill(colonial.body["sentence"], _WIDTH))
        for gap in colonial.body["gaps"]:
            say("\n" + fill(f"The gap, by ids that were published in the {gap['source']}:", _WIDTH))
            for txid in (gap["txid"], *gap["then"]):
                say(f"  {txid}")
            say(f"The trail is in the data again at\n  {gap['resumes']}")
        seizure = trace_ransom(bench, [MERGE_INPUT], "all")
        say(
            f"\nFrom there, 24 inputs merge. What input 13 brought ({btc(seizure.body['seed_amount'])} BTC) reaches the address"
        )
        say(f"of the seizure, {SEIZURE_ADDRESS}:")
        for side in seizure.body["methods"]:
            reached = sum(end["amount"] for end in side["ends"] if end["address"] == SEIZURE_ADDRESS)
            say(f"  {side['method']:<8} {btc(reached):>12} BTC")
    files = [
        write_report(colonial, folder / "colonial-ransom.html", title="Colonial Pipeline: the ransom of 8 May 2021"),
        write_report(
            seizure, folder / "colonial-seizure.html", title="Colonial Pipeline: from the merge to the seizure"
        ),
    ]
    return colonial, seizure, files


def _act_two(data: Path, work: Path, folder: Path, say: Say) -> tuple[TraceResult, list[Path]]:
    say("\nAct two: EXERCISE Northwind. A simulated chain with complete coverage; everything is invented.\n")
    exercise = make_exercise()
    work.mkdir(parents=True)
    block_file = work / "blk00000.dat"
    block_file.write_bytes(exercise.maker.block_file())
    bench = lay_out(
        Material(
            sources=[str(block_file)],
            network=REGTEST,
            tag_files=[data / "northwind.yaml"],
            directories=[data / "directory.toml"],
        ),
        work,
    )
    with bench.store:
        result = trace_ransom(bench, [exercise.ransom_address], "all")
        say(fill(result.body["sentence"], _WIDTH))
        for end in result.body["ends"][:4]:
            part = percent(end["amount"], result.body["seed_amount"])
            say(f"  {part:>7}  {btc(end['amount']):>11} BTC  {end['service'] or end['kind']}  {end['address'] or ''}")
        case = tomllib.loads((data / "case.toml").read_text(encoding="utf-8"))
        request = ask_to_freeze(bench, result, Sender(**case["sender"]), case)
    files = [
        write_report(result, folder / "exercise.html", title="Exercise Northwind: the ransom", label=EXERCISE_LABEL)
    ]
    if request is not None:
        files.append(write_request(request, folder / "freeze-request.html"))
        what = f"{btc(request.amount)} {request.coin} in {len(request.assets)} outputs"
        say(f"\nFreeze request to {request.recipient.legal_entity} for {what}.")
    return result, files
