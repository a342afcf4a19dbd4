"""One small simulated chain in all forms, made once; and its transactions as rows that tests can ask."""

import json
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

import simulator
from simulator.kinds import ScriptType
from simulator.plan import make_plan

TRANSACTIONS = 3000


@cache
def small_plan():
    return make_plan(TRANSACTIONS)


@cache
def small_chain():
    """The folder of a chain of `TRANSACTIONS` transactions; all forms but Parquet, which needs pyarrow."""
    keeper = tempfile.TemporaryDirectory()
    folder = Path(keeper.name) / "chain"
    made = simulator.make(folder, transactions=TRANSACTIONS, forms=("blocks", "rpc", "etl"), prevout=True)
    return made, keeper  # the folder goes when the tests end


def small_folder():
    return small_chain()[0].folder


@cache
def truth():
    folder = small_folder() / "truth"
    tables = {path.stem: np.load(path) for path in folder.glob("*.npy")}
    return tables, json.loads((folder / "truth.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Row:
    """A transaction: numbers of the outputs that it spends and makes."""

    number: int
    spends: list = field(default_factory=list)
    makes: list = field(default_factory=list)


@cache
def rows():
    plan = small_plan()
    first_input, first_output = plan.offsets("first_input").tolist(), plan.offsets("first_output").tolist()
    spent = plan.state.inputs[: plan.spends].tolist()
    return [
        Row(number, spent[first_input[number] : first_input[number + 1]],
            list(range(first_output[number], first_output[number + 1])))
        for number in range(plan.transactions)
    ]  # fmt: skip


def of_kind(table, kind):
    return [rows()[number] for number in np.flatnonzero(truth()[0][table] == kind).tolist()]


def value(output):
    return int(small_plan().state.out["value"][output])


def key(output):
    return int(small_plan().state.out["key"][output])


def owner(output):
    return int(truth()[0]["output_owner"][output])


def is_change(output):
    return bool(truth()[0]["output_is_change"][output])


def script_type(output):
    return ScriptType(int(small_plan().state.key["kind"][key(output)]))
