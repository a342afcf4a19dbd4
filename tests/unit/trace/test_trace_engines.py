"""The compiled walk against the plain one: one answer, row by row, on random chains that are known whole or in part."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator_support import small_folder
from trace_support import FEW, PLAIN, Chain, Coverage, Services, bounds, chains, coverages, identity, starts, targets_of

from shieldwall.chain.build import build
from shieldwall.chain.graph import graph_of
from shieldwall.chain.store import ChainStore
from shieldwall.errors import PartialData, UsageError
from shieldwall.kernels.compiled.walking import Walking
from shieldwall.kernels.walks import END_AMOUNT, ENDED, PAUSED, SEED
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.marking import Marking
from shieldwall.model.network import REGTEST
from shieldwall.trace import engines
from shieldwall.trace.engines import question_of, walk_compiled, walk_forward
from shieldwall.trace.follow import follow
from shieldwall.trace.holders import Holders
from shieldwall.trace.labels import Label, NoLabels
from shieldwall.trace.limits import Limits
from shieldwall.trace.methods import METHODS, method_named
from shieldwall.trace.published import PublishedHops
from shieldwall.trace.record import Walk
from shieldwall.trace.summary import summary_of
from shieldwall.trace.targets import find_targets
from shieldwall.trace.touched import Touched
from shieldwall.trace.walk import Walker


def told(walk: Callable[[], Walk | Touched]) -> Walk | Touched | str:
    """What a walk found, or why there is none."""
    try:
        return walk()
    except PartialData as error:
        return error.message


def same_walk(store: ChainStore, targets, limits: Limits, services=frozenset(), published=()) -> None:
    """Every method, every field."""
    hops = PublishedHops(published)
    for name in METHODS:
        method = method_named(name)
        labels = Services(services) if services else NoLabels()
        plain = told(lambda: Walker(store, method, limits, Holders(store, labels), hops).run(targets))  # noqa: B023
        compiled = told(lambda: walk_compiled(store, targets, method, limits, Holders(store, labels), hops))  # noqa: B023
        if isinstance(plain, str):
            assert compiled == plain
            continue
        assert isinstance(compiled, Touched)
        assert (compiled.seed_amount, compiled.returned_amount) == (plain.seed_amount, plain.returned_amount), name
        assert compiled.seeds == plain.seeds, name
        assert compiled.endings == plain.endings, name
        assert compiled.steps == plain.steps, name
        assert compiled.passed == len(plain.steps)
        assert compiled.notes == plain.notes
        for reached in plain.reached.values():
            reached.taint = ()
        assert dict(compiled.reached) == plain.reached, name


@given(st.data())
def test_whole_chain(data: st.DataObject) -> None:
    chain = data.draw(chains())
    start, wanted = data.draw(starts(chain.world())), data.draw(bounds())
    limits = Limits(wanted.hops, wanted.until_time, wanted.until_height, wanted.least, wanted.transactions)
    with chain.store() as store:
        same_walk(store, targets_of(store, start), limits, wanted.services)


@given(st.data())
def test_partial_chain(data: st.DataObject) -> None:
    chain = data.draw(chains())
    coverage = data.draw(coverages(chain))
    start, wanted = data.draw(starts(coverage.world(chain))), data.draw(bounds())
    limits = Limits(wanted.hops, wanted.until_time, wanted.until_height, wanted.least, wanted.transactions)
    with tempfile.TemporaryDirectory() as name, coverage.store_in(Path(name), chain) as store:
        same_walk(store, targets_of(store, start), limits, wanted.services)


def same_answer(store: ChainStore, targets, limits: Limits, services=frozenset()) -> None:
    """One digest, and a summary that says what the whole answer says, before anybody asked for that."""
    for name in METHODS:
        plain, compiled = (
            follow(store, targets, name, limits, labels=Services(services), engine=engine)
            for engine in ("plain", "compiled")
        )
        summary = compiled.summary
        assert summary == summary_of(plain.body), name
        assert (compiled.sentence, compiled.held_amount) == (plain.body["sentence"], plain.body["held_amount"])
        assert compiled.to_json() == plain.to_json(), name
        assert compiled.to_csv() == plain.to_csv()
        assert compiled.digest == plain.digest


@FEW
@given(st.data())
def test_one_digest(data: st.DataObject) -> None:
    chain = data.draw(chains())
    coverage = data.draw(coverages(chain))
    start, wanted = data.draw(starts(coverage.world(chain))), data.draw(bounds())
    limits = Limits(wanted.hops, wanted.until_time, wanted.until_height, wanted.least, wanted.transactions)
    with tempfile.TemporaryDirectory() as name, coverage.store_in(Path(name), chain) as store:
        targets = targets_of(store, start)
        try:
            follow(store, targets, "poison")
        except PartialData:
            return
        same_answer(store, targets, limits, wanted.services)


@FEW
@given(st.data())
def test_amounts_whose_products_take_more_than_64_bits(data: st.DataObject) -> None:
    chain = data.draw(chains(scale=11_666_666_666_663))  # at most 180 times that in all: what there can ever be
    start = data.draw(starts(chain.world()))
    with chain.store() as store:
        same_walk(store, targets_of(store, start), Limits())


def test_more_ends_than_a_summary_shows(tmp_path):
    chain = Chain()
    coins = chain.fund(10_000, 9_000)
    chain.pay([coins[0]], *((f"somebody-{number % 40}", 10 + number // 4) for number in range(130)))
    chain.pay([coins[1]], *((f"service-{number}", 7) for number in range(30)), ("elsewhere", 90))
    chain.mine()
    services = frozenset(identity(f"service-{number}") for number in range(30))
    with chain.store_in(tmp_path) as store:
        targets = find_targets(store, [identity("origin")])
        same_answer(store, targets, Limits(), services)
        result = follow(store, targets, labels=Services(services), engine="compiled")
    assert (len(result.summary["ends"]), result.summary["ends_omitted"]) == (20, len(result.body["ends"]) - 20)
    shown = sum(end["amount"] for end in result.summary["ends"])
    assert shown + result.summary["ends_omitted_amount"] == 19_000


class Desks(Services):  # type: ignore[misc]
    """Addresses of a few services, some of which have their name only of another."""

    def of(self, identity: str) -> Label:
        number = self.numbers.get(identity)
        if number is None:
            return Label()
        name = f"desk {number % 3}"
        freezers = ({"name": f"{name} Ltd", "legal_entity": None},) if number % 4 else ()
        return Label(
            (), name, "exchange", freezable_by=freezers, inherited=self.first if number % 2 or number > 30 else None
        )

    def __init__(self, names: list[str]) -> None:
        super().__init__(frozenset(names))
        self.numbers = {name: number for number, name in enumerate(names)}
        self.first = names[0]


@pytest.mark.parametrize("held", [900, 60, 1])
def test_several_addresses_of_one_service_are_summed_the_same(tmp_path, held):
    chain = Chain()
    coins = chain.fund(3_000, 3_000)
    names = [f"desk-{number}" for number in range(40)]
    chain.pay([coins[0]], *((name, 10 + number % 7) for number, name in enumerate(names)), ("elsewhere", held))
    (between, *_) = chain.pay([coins[1]], ("between", 50), *((name, 3) for name in names[::3]), ("nobody", held))
    chain.pay([between], (names[1], 30), (names[4], 20))
    chain.mine()
    with chain.store_in(tmp_path) as store:
        targets = find_targets(store, [identity("origin")])
        labels = Desks([identity(name) for name in names])
        for name in METHODS:
            plain, compiled = (follow(store, targets, name, labels=labels, engine=e) for e in ("plain", "compiled"))
            assert compiled.summary == summary_of(plain.body), name
            assert compiled.digest == plain.digest
    at_desks = [end for end in plain.body["ends"] if end["kind"] == "service"]
    services = plain.body["services"]
    assert sum(entry["amount"] for entry in services) == plain.body["service_amount"]
    assert sum(entry["addresses"] for entry in services) == len(at_desks) == 40
    assert sum(entry["inherited"] for entry in services) == sum(end["inherited"] is not None for end in at_desks)
    lead = services[0]
    said = (
        f"{lead['service']}, {lead['addresses']} addresses (inferred, by its cluster, for {lead['inherited']} of them)"
    )
    assert (said in plain.sentence) == (held < 900)


def test_many_seeds_and_rows_make_the_arrays_grow(tmp_path):
    chain = Chain()
    coins = chain.fund(*range(1, 41))
    for turn in range(12):
        coins = chain.pay(coins, *((f"person-{turn}-{number}", 15 + number % 3) for number in range(40)))
    chain.mine()
    with chain.store_in(tmp_path) as store:
        targets = find_targets(store, [identity("origin"), identity("person-3-7"), identity("person-8-1")])
        for size in (2, 1 << 14):
            for name in METHODS:
                plain = Walker(store, method_named(name), Limits(), Holders(store, NoLabels()), PublishedHops(())).run(
                    targets
                )
                question = question_of(store, targets, method_named(name), Limits())
                walking = Walking(graph_of(store), question, size)
                while walking.run(budget=3) == PAUSED:
                    pass
                assert int(walking.state.counts[SEED]) == plain.seed_amount
                ended = walking.state.endings[: walking.state.counts[ENDED], END_AMOUNT]
                assert ended.tolist() == [ending.amount for ending in plain.endings]


def test_published_hops_are_told_the_same(tmp_path):
    chain = Chain()
    (coin,) = chain.fund(100)
    _, second = chain.pay([coin], ("exchange", 60), ("friend", 39))
    chain.mine()
    chain.pay([second], ("last", 39))
    chain.mine()
    made = chain.made[2].txid
    coverage = Coverage(["whole", "whole", "whole", "gone"])
    hops = [
        hop(f"{made}:0", "ab" * 32),
        hop(f"{made}:1", "cd" * 32, then=["ef" * 32]),
        hop(f"{made}:1", "12" * 32),
        hop(f"{chain.made[0].txid}:0", made),
    ]
    with coverage.store_in(tmp_path, chain) as store:
        targets = find_targets(store, [identity("origin")])
        same_walk(store, targets, Limits(), published=hops)
        loose = Coverage(["whole", "whole", "loose", "gone"])
    (tmp_path / "loose").mkdir()
    with loose.store_in(tmp_path / "loose", chain) as store:
        same_walk(store, find_targets(store, [identity("origin")]), Limits(), published=hops)


def test_a_result_is_whole_after_its_store_is_closed(tmp_path):
    chain = Chain()
    (coin,) = chain.fund(100)
    chain.pay([coin], ("friend", 99))
    chain.mine()
    with chain.store_in(tmp_path) as store:
        targets = find_targets(store, [identity("origin")])
        compiled, plain = (follow(store, targets, engine=engine) for engine in ("compiled", "plain"))
    shutil.rmtree(tmp_path / "chain")
    assert compiled.to_json() == plain.to_json()


def test_engines_that_there_are(tmp_path, monkeypatch):
    chain = Chain()
    (coin,) = chain.fund(100)
    for number in range(9):
        (coin,) = chain.pay([coin], (f"stop-{number}", 100))
    chain.mine()
    with chain.store_in(tmp_path) as store:
        targets = find_targets(store, [identity("origin")])
        with pytest.raises(UsageError, match="engine"):
            follow(store, targets, engine="fast")
        common = store, targets, method_named("fifo"), Limits(), Holders(store, NoLabels()), PublishedHops(())
        assert isinstance(walk_forward(*common), Walk)
        monkeypatch.setattr(engines, "COMPILED_FROM", 0)
        assert isinstance(walk_forward(*common), Touched)  # loaded by the other tests
        monkeypatch.setattr(engines, "_KERNELS", "not loaded")
        assert isinstance(walk_forward(*common), Walk)
        monkeypatch.setattr(engines, "PLAIN_FIRST", 5)
        assert isinstance(walk_forward(*common), Touched)
        assert isinstance(walk_forward(*common, engine="plain"), Walk)


def test_a_seed_of_unknown_value_is_partial_data_in_both(tmp_path):
    chain = Chain()
    (coin,) = chain.fund(100)
    chain.pay([coin], ("friend", 99))
    chain.mine()
    with Coverage(["gone", "gone", "whole"]).store_in(tmp_path, chain) as store:
        same_walk(store, find_targets(store, [f"{chain.made[2].txid}:in:0"]), Limits())
        with pytest.raises(PartialData):
            follow(store, find_targets(store, [f"{chain.made[2].txid}:in:0"]), engine="compiled")


@pytest.mark.parametrize("method", METHODS)
def test_a_simulated_chain(simulated, method):
    """Payments, sweeps, peel chains, coinjoins and batches as wallets make them; services that stop or do not."""
    store, deposits = simulated
    rng = np.random.default_rng(2)
    for hops, services in ((None, frozenset()), (6, deposits)):
        outputs = rng.integers(0, store.rows("output"), 12).tolist()
        words = ["{}:{}".format(*store.outpoint(output)) for output in outputs]
        targets = find_targets(store, words)
        labels = Services(services) if services else None
        compiled, plain = (
            follow(store, targets, method, Limits(hops=hops), labels=labels, engine=engine)
            for engine in ("compiled", "plain")
        )
        assert compiled.summary == summary_of(plain.body)
        assert compiled.digest == plain.digest
        assert compiled.summary["transactions"] > 12


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = small_folder()
    chain = tmp_path_factory.mktemp("simulated") / "chain"
    build(chain, [str(folder / "blocks")], network=REGTEST, config=PLAIN)
    with ChainStore.open(chain) as store:
        truth = np.load(folder / "truth" / "output_owner.npy"), np.load(folder / "truth" / "entity_kind.npy")
        at_services = store.column("output_holder")[np.isin(truth[1][truth[0]], (1, 2))]
        yield store, frozenset(store.identities(np.unique(at_services)))


def hop(outpoint: str, spender: str, **further) -> Claim:
    return Claim(
        subject=Subject("outpoint", REGTEST.caip2, outpoint),
        kind="hop",
        statement={"spender": spender, **further},
        layer=Layer.OBSERVATION,
        source="a report",
        made_by="desk",
        marking=Marking.CLEAR,
    )
