"""Each method against a reference written from its definition, on random chains that are known whole or in part."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from trace_reference import RULES, Bounds, World
from trace_reference import trace as reference
from trace_support import Chain, Coverage, Services, Start, bounds, chains, coverages, ends_of, starts, targets_of

from shieldwall.chain.store import ChainStore
from shieldwall.trace.follow import follow
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods import method_named
from shieldwall.trace.record import EndKind

KINDS = [kind.value for kind in EndKind if kind != EndKind.MWEB]  # Litecoin alone has its sum


def limits_of(wanted: Bounds) -> Limits:
    return Limits(wanted.hops, wanted.until_time, wanted.until_height, wanted.least, wanted.transactions)


def check(store: ChainStore, world: World, start: Start, wanted: Bounds) -> None:
    targets = targets_of(store, start)
    for name in RULES:
        result = follow(store, targets, name, limits_of(wanted), labels=Services(wanted.services))
        body = result.body
        expected = reference(world, name, start.outputs, start.inputs, wanted)
        assert ends_of(body) == expected.ends, name
        assert (body["seed_amount"], body["returned_amount"]) == (expected.seed, expected.returned)
        assert body["seed_amount"] + body["returned_amount"] == start.amount(world)
        assert {kind: body[f"{kind}_amount"] for kind in KINDS} == {kind: expected.total(kind) for kind in KINDS}
        if method_named(name).conserved:
            assert body["seed_amount"] == sum(body[f"{kind}_amount"] for kind in KINDS)
        check_form(body, world, start)


def check_form(body: dict, world: World, start: Start) -> None:
    """What holds of every result: sums of ends, transfers that balance, paths that hang together."""
    outputs = {(p.txid, index): put for p in world.payments for index, put in enumerate(p.outputs)}
    spends = {point: p.txid for p in world.payments for point in p.inputs}
    for end in body["ends"]:
        assert end["amount"] == sum(output["amount"] for output in end["outputs"]) > 0
        for output in end["outputs"]:
            if output["index"] is not None:
                put = outputs[output["txid"], output["index"]]
                assert (put.value, put.address) == (output["value"], end["address"])
                assert output["amount"] <= put.value
    ranks = [end["rank"] for end in body["ends"]]
    assert ranks == list(range(1, len(ranks) + 1))
    for transfer in body["transfers"]:
        assert transfer["inputs"]
        came = sum(entry["amount"] for entry in transfer["inputs"])
        if body["conserved"]:
            assert came == transfer["fee"] + sum(entry["amount"] for entry in transfer["outputs"])
    others = sum(end["kind"] != "fee" for end in body["ends"])
    assert len({path["end"] for path in body["paths"]}) + body["paths_omitted"] == others
    brought = {
        p.inputs[place] for p in world.payments for place in range(len(p.inputs)) if (p.txid, place) in start.inputs
    }
    for end in body["ends"]:  # at a service every output has a path of its own, the largest first
        mine = [path["steps"][-1] for path in body["paths"] if path["end"] == end["rank"]]
        assert len({(step["txid"], step["index"]) for step in mine}) == len(mine)
        if end["kind"] == "service" and not body["paths_omitted"]:
            assert len(mine) == len([output for output in end["outputs"] if output["index"] is not None])
    seed_spenders = {txid for txid, _ in start.inputs}
    for path in body["paths"]:
        steps = [(step["txid"], step["index"]) for step in path["steps"]]
        end = body["ends"][path["end"] - 1]
        assert steps[-1] in {(output["txid"], output["index"]) for output in end["outputs"]}
        assert steps[0] in start.outputs or steps[0][0] in seed_spenders or steps[0] in brought
        amounts = {(output["txid"], output["index"]): output["amount"] for output in end["outputs"]}
        assert path["steps"][-1]["amount"] == amounts[steps[-1]]
        assert end["kind"] == "service" or amounts[steps[-1]] == max(amounts.values())
        for step, following in itertools.pairwise(steps):
            assert spends[step] == following[0]
    assert sum(gap["amount"] for gap in body["gaps"]) == body["gap_amount"]


@given(st.data())
def test_whole_chain(data: st.DataObject) -> None:
    chain = data.draw(chains())
    world = chain.world()
    with chain.store() as store:
        check(store, world, data.draw(starts(world)), data.draw(bounds()))


@settings(max_examples=2 * settings().max_examples)
@given(st.data())
def test_partial_chain(data: st.DataObject) -> None:
    chain = data.draw(chains())
    coverage = data.draw(coverages(chain))
    world = coverage.world(chain)
    start, wanted = data.draw(starts(world)), data.draw(bounds())
    with tempfile.TemporaryDirectory() as name, coverage.store_in(Path(name), chain) as store:
        check(store, world, start, wanted)


@settings(max_examples=25)
@given(st.data())
def test_same_input_same_bytes(data: st.DataObject) -> None:
    """Nothing depends on the order of the targets, nor on how many steps the store was built in."""
    from shieldwall.chain.build import build
    from shieldwall.trace.report import render

    chain = data.draw(chains())
    world = chain.world()
    start = data.draw(starts(world))
    shuffled = Start(data.draw(st.permutations(start.words)), start.outputs, start.inputs)
    wanted = data.draw(bounds())
    cut = data.draw(st.integers(1, len(chain.maker.blocks) - 1))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "blk00000.dat").write_bytes(chain.maker.block_file(range(cut)))
        build(folder / "steps", [str(folder / "blk00000.dat")])
        (folder / "blk00001.dat").write_bytes(chain.maker.block_file(range(cut, len(chain.maker.blocks))))
        build(folder / "steps", [str(folder / "blk00000.dat"), str(folder / "blk00001.dat")])
        found = []
        with chain.store_in(folder) as once, ChainStore.open(folder / "steps") as steps:
            for store, order in ((once, start), (steps, shuffled)):
                result = follow(
                    store, targets_of(store, order), "all", limits_of(wanted), labels=Services(wanted.services)
                )
                found.append((result.to_json(), result.to_csv(), render(result), result.digest))
    assert found[0] == found[1]


def test_the_support_makes_gaps() -> None:
    """The coverage that the property tests rest on does make each kind of hole."""
    chain = Chain()
    first, second = chain.fund(10, 20)
    (middle,) = chain.pay([first], ("person-0", 10))
    chain.mine()
    chain.pay([second, middle], ("person-1", 30))
    chain.mine()
    coverage = Coverage(["gone", "whole", "gone", "gone", "whole"])
    world = coverage.world(chain)
    states = {state for state, _ in world.states.values()}
    assert states == {"unknown", "unspent"}
    assert world.payments[-1].values == (None, None)
