"""Where money came from: against a reference written from the definitions, and against the way forward."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trace_reference import ORDERED, Bounds, World
from trace_reference import trace_back as reference
from trace_support import Chain, Coverage, Services, Start, bounds, chains, coverages, identity, starts, targets_of

from shieldwall.chain.store import ChainStore
from shieldwall.errors import PartialData, UsageError
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.marking import Marking
from shieldwall.model.network import REGTEST
from shieldwall.trace.backward import BackwardWalker
from shieldwall.trace.follow import follow
from shieldwall.trace.holders import Holders
from shieldwall.trace.labels import NoLabels
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods import METHODS, method_named
from shieldwall.trace.published import PublishedHops
from shieldwall.trace.record import EndKind, Walk
from shieldwall.trace.targets import Target, find_targets
from shieldwall.trace.walk import Walker

KINDS = [kind.value for kind in EndKind if kind != EndKind.MWEB]  # Litecoin alone has its sum
REVERSIBLE = [name for name, method in METHODS.items() if method.reversible]


def trace(store, *words, method="fifo", limits=None, **options):
    return follow(store, find_targets(store, words), method, limits, direction="backward", **options).body


def kinds(body):
    return {kind: body[f"{kind}_amount"] for kind in KINDS if body[f"{kind}_amount"]}


@pytest.fixture
def chain():
    """miner 100 and other 50 -> desk 90, friend 58, fee 2; friend 58 and late 10 -> shop 40, friend 28."""
    chain = Chain()
    (first,), (second,), (late,) = (
        chain.fund(100, name="miner"),
        chain.fund(50, name="other"),
        chain.fund(10, name="late"),
    )
    _, friend = chain.pay([first, second], ("desk", 90), ("friend", 58))
    chain.mine()
    chain.pay([friend, late], ("shop", 40), ("friend", 28))
    chain.mine()
    return chain


@pytest.fixture
def store(chain, tmp_path):
    with chain.store_in(tmp_path) as store:
        yield store


# examples


def test_sources_of_each_method(store):
    found = {}
    for method in REVERSIBLE:
        body = trace(store, identity("shop"), method=method)
        found[method] = {end["address"]: end["amount"] for end in body["ends"]}
        assert all(end["kind"] == "coinbase" for end in body["ends"])
    miner, other, late = identity("miner"), identity("other"), identity("late")
    # friend's 58 are satoshi 90 to 147 of 150: 10 of the miner's, 48 of the other's; shop takes the first 40 of them
    assert found["fifo"] == {miner: 10, other: 30}
    # from the last: late's 10, then the last 30 of friend's 58, which came after desk's 90 from the top of the pile
    assert found["lifo"] == {miner: 30, late: 10}
    assert found["haircut"] == {miner: 23, other: 11, late: 6}
    assert found["poison"] == {miner: 100, other: 50, late: 10}


def test_the_result_says_which_way(store):
    body = trace(store, identity("shop"))
    assert (body["direction"], body["seed_amount"]) == ("backward", 40)
    assert body["method_rule"] == METHODS["fifo"].backward_rule
    assert [transfer["hop"] for transfer in body["transfers"]] == [2, 1]  # chain order
    assert all(transfer["fee"] == 0 for transfer in body["transfers"])
    end = body["ends"][0]
    assert (end["address"], end["hops"], end["reason"]) == (
        identity("other"), 2, "newly mined: the subsidy and the fees of its block",
    )  # fmt: skip
    assert end["last_moved"] == body["transfers"][0]["time"]  # when it left there
    addresses = [step["address"] for step in body["paths"][0]["steps"]]
    assert addresses == [identity("other"), identity("friend"), identity("shop")]
    assert body["sentence"].startswith(
        "Of 0.0000004 BTC, 100.0 % (0.0000004 BTC) was newly mined, in 2 block rewards. "
    )


def test_a_service_is_a_source_unless_the_trace_starts_there(store):
    labels = Services(frozenset([identity("friend"), identity("shop")]))
    body = trace(store, identity("shop"), labels=labels)
    assert kinds(body) == {"service": 40}
    assert (body["ends"][0]["service"], body["ends"][0]["hops"]) == ("Northwind", 1)
    assert kinds(trace(store, identity("friend"), labels=labels)) == {"coinbase": 68}


def test_what_a_target_paid_to_itself_counts_once(store):
    body = trace(store, identity("friend"))  # 58, of which 18 came back to it with 10 of another's
    assert (body["seed_amount"], body["returned_amount"]) == (68, 18)
    assert kinds(body) == {"coinbase": 68}


def test_reasons_of_limits(store, chain):
    pays = chain.made[4].height
    reasons = []
    for limits in (
        Limits(hops=1),
        Limits(least=41),
        Limits(until_height=pays + 1),
        Limits(until_time=chain.time(pays) + 1),
        Limits(transactions=1),
    ):
        body = trace(store, identity("shop"), limits=limits)
        assert kinds(body) == {"limit": 40}
        reasons.append(body["ends"][0]["reason"])
    assert reasons == [
        "1 hops",
        "less than 41 satoshi",
        f"paid before height {pays + 1}",
        "paid before 2020-09-13T12:56:41Z",
        "1 transactions",
    ]
    assert kinds(trace(store, identity("shop"), limits=Limits(hops=2, least=40, until_height=pays))) == {"coinbase": 40}
    assert kinds(trace(store, identity("miner"), limits=Limits(hops=0))) == {"coinbase": 100}


def test_tiho_is_refused_and_left_out_of_all(store):
    with pytest.raises(UsageError, match="tiho cannot be asked backward"):
        trace(store, identity("shop"), method="tiho")
    body = trace(store, identity("shop"), method="all")
    assert [side["method"] for side in body["methods"]] == REVERSIBLE
    with pytest.raises(UsageError, match="no direction is called 'up'"):
        follow(store, find_targets(store, [identity("shop")]), direction="up")


def partial(chain, folder, *, previous=()):
    """A store of which only the last payment is there."""
    coverage = Coverage(["gone"] * 5 + ["loose"], previous={(chain.made[-1].txid, place) for place in previous})
    return coverage.store_in(folder, chain)


def test_gaps_with_and_without_the_value(chain, tmp_path):
    last, first = chain.made[-1], chain.made[4]
    with partial(chain, tmp_path, previous=[0, 1]) as store:
        body = trace(store, identity("shop"))
        assert kinds(body) == {"gap": 40}
        (end,) = body["ends"]
        assert (end["address"], end["gap_txid"]) == (identity("friend"), first.txid)
        assert (end["outputs"][0]["txid"], end["outputs"][0]["index"], end["outputs"][0]["value"]) == (
            first.txid,
            1,
            58,
        )
        assert body["gaps"][0]["spends"] == [f"{first.txid}:1"]
        steps = body["paths"][0]["steps"]
        assert [(step["txid"], step["proof"], step["height"]) for step in steps] == [
            (first.txid, "none", None), (last.txid, "txid", last.height),
        ]  # fmt: skip
        assert kinds(trace(store, identity("shop"), labels=Services(frozenset([identity("friend")])))) == {
            "service": 40
        }
        body = trace(store, f"{last.txid}:in:1")
        assert (kinds(body), body["ends"][0]["hops"]) == ({"gap": 10}, 0)


def test_without_the_values_the_inputs_cannot_be_told_apart(chain, tmp_path):
    last = chain.made[-1]
    with partial(chain, tmp_path) as store:
        body = trace(store, identity("shop"))
        assert kinds(body) == {"unknown": 40}
        assert "without that amount fifo cannot tell the inputs apart" in body["ends"][0]["reason"]
        poison = trace(store, identity("shop"), method="poison")
        assert [(end["kind"], end["amount"], end["outputs"][0]["value"]) for end in poison["ends"]] == [
            ("gap", 0, None)
        ] * 2
        assert "not known" in poison["ends"][0]["reason"]
        with pytest.raises(PartialData, match="what input 0 of"):
            trace(store, f"{last.txid}:in:0")


def test_a_published_trail_names_what_an_input_came_from(chain, tmp_path):
    last = chain.made[-1]
    resumes = f"{last.txid}:in:0"
    statement = {"spender": "ab" * 32, "then": [chain.made[4].txid], "resumes": resumes}
    subject = Subject("outpoint", REGTEST.caip2, f"{'cd' * 32}:0")
    claim = Claim(
        subject=subject,
        kind="hop",
        statement=statement,
        layer=Layer.OBSERVATION,
        source="a blog",
        made_by="desk",
        marking=Marking.CLEAR,
    )
    with partial(chain, tmp_path, previous=[0, 1]) as store:
        (gap,) = trace(store, identity("shop"), published=PublishedHops([claim]))["gaps"]
    assert (gap["source"], gap["resumes"]) == ("a blog", resumes)


# against the reference


def limits_of(wanted: Bounds) -> Limits:
    return Limits(wanted.hops, wanted.until_time, wanted.until_height, wanted.least, wanted.transactions)


def ends_of(body):
    found = {}
    for end in body["ends"]:
        for output in end["outputs"]:
            key = (
                end["kind"],
                output["txid"],
                output["index"],
                output["amount"],
                output["hops"],
                end["gap_txid"] or "",
            )
            found[key] = found.get(key, 0) + 1
    return found


def check(store: ChainStore, world: World, start: Start, wanted: Bounds) -> None:
    targets = targets_of(store, start)
    for name in REVERSIBLE:
        result = follow(store, targets, name, limits_of(wanted), labels=Services(wanted.services), direction="backward")
        body = result.body
        expected = reference(world, name, start.outputs, start.inputs, wanted)
        assert ends_of(body) == dict(expected.ends), name
        assert (body["seed_amount"], body["returned_amount"]) == (expected.seed, expected.returned)
        assert body["seed_amount"] + body["returned_amount"] == amount_of(world, start)
        if body["conserved"]:
            assert body["seed_amount"] == sum(body[f"{kind}_amount"] for kind in KINDS)
        check_form(body, world)


def amount_of(world: World, start: Start) -> int:
    """Satoshi of all seeds: what an input brought is the output that it spends, and named both ways it is one seed."""
    values = {(p.txid, k): put.value for p in world.payments for k, put in enumerate(p.outputs)}
    inputs = {
        p.inputs[k]: p.values[k] or 0
        for p in world.payments
        for k in range(len(p.inputs))
        if (p.txid, k) in start.inputs
    }
    return sum((inputs | {point: values[point] for point in start.outputs}).values())


def check_form(body, world):
    """Transfers that balance, paths that hang together and lead to a target, in the order of time."""
    spends = {point: p.txid for p in world.payments for point in p.inputs}
    for transfer in body["transfers"]:
        if body["conserved"]:
            inputs, outputs = transfer["inputs"], transfer["outputs"]
            assert sum(entry["amount"] for entry in inputs) == sum(entry["amount"] for entry in outputs)
    for path in body["paths"]:
        end = body["ends"][path["end"] - 1]
        steps = [(step["txid"], step["index"]) for step in path["steps"]]
        assert steps[0] in {(output["txid"], output["index"]) for output in end["outputs"]}
        for step, following in pairwise(steps):
            assert spends[step] == following[0]
        assert path["steps"][-1]["hop"] == 0
    assert len({path["end"] for path in body["paths"]}) + body["paths_omitted"] == len(body["ends"])
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


# against the way forward


def walk(store: ChainStore, output: int, name: str, walker: type[Walker | BackwardWalker]) -> Walk:
    target = Target("", "output", "", outputs=(output,))
    return walker(store, method_named(name), Limits(), Holders(store, NoLabels()), PublishedHops(())).run([target])


@settings(max_examples=25)
@given(chains(scale=10**6), st.data())
def test_what_came_from_a_seed_is_what_went_from_it(chain: Chain, data: st.DataObject) -> None:
    """Exactly for FIFO and LIFO, whose satoshi keep their identity; for haircut within what rounding can move.

    Each passed transaction rounds each of its parts by less than a satoshi, so two walks differ by less than the parts
    of both of them.
    """
    with chain.store() as store:
        count = store.rows("output")
        places = st.integers(0, count - 1)
        pairs = data.draw(st.lists(st.tuples(places, places).filter(lambda pair: pair[0] < pair[1]), max_size=6))
        for name in (*ORDERED, "haircut"):
            for source, later in pairs:
                there = walk(store, source, name, Walker)
                back = walk(store, later, name, BackwardWalker)
                forward = there.reached[later].amount if later in there.reached else 0
                backward = back.reached[source].amount if source in back.reached else 0
                parts = sum(len(step.inputs) + len(step.outputs) + 1 for step in (*there.steps, *back.steps))
                assert abs(forward - backward) <= (0 if name in ORDERED else parts)
