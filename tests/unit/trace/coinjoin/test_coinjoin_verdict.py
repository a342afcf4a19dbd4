"""What a transaction is told to be, with reasons, vetoes and what is unknown; and the real cases."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator_support import small_folder, truth
from trace_support import FEW, PLAIN, Chain, Coverage, chains, coverages, data_script

from shieldwall.chain.build import build
from shieldwall.chain.graph import graph_of
from shieldwall.chain.regtest import p2wpkh
from shieldwall.chain.store import ChainStore
from shieldwall.kernels.arrays import COINJOIN_NAMES, GENERIC, JOINMARKET, NO_COINJOIN, WASABI_1_0, WHIRLPOOL_TX0
from shieldwall.kernels.plain.coinjoins import PRECEDENCE, coinjoin_kinds, holds, kind_of
from shieldwall.model.network import LITECOIN_REGTEST
from shieldwall.trace.coinjoin.kinds import KINDS
from shieldwall.trace.coinjoin.reading import Shapes
from shieldwall.trace.coinjoin.starts import starts_of
from shieldwall.trace.coinjoin.verdict import CoinJoinVerdict, type_of
from shieldwall.trace.published_rates import NONE_PUBLISHED

MIX = "323df21f0b0756f98336437aa3d2fb87e02b59f1946b714a7b09df04d429dec2"
TX0 = "333f45431e47b9543772013ac83a9b33cc58dc3245ccfd48b972107bb8405c13"
LOOKS_LIKE_JOINMARKET = "4f112abd2eefe3484a7bbf7c1731f784cba19de677468835145e9c448fb18b7d"


def holders(store, *names):
    """The holders of people, as services are given."""
    return np.array(sorted(store.find_holder(p2wpkh(name)) for name in names), np.uint32)


def verdict_of(chain, *, services=()):
    """Of the last transaction with inputs."""
    with chain.store() as store:
        number = max(n for n in range(store.rows("tx")) if not store.is_coinbase(n))
        return type_of(store, number, holders(store, *services))


def paid_by(people, *outputs):
    """One transaction of a coin of each of `people`."""
    chain = Chain()
    coins = [chain.mine(f"payer-{place}", 30_000_000) for place in range(people)]
    chain.pay(coins, *outputs)
    chain.mine()
    return chain


def to_each(*values):
    return [(f"payee-{place}", value) for place, value in enumerate(values)]


@pytest.fixture(scope="module")
def real(tmp_path_factory, shared_data):
    """A store of each real case, by the file's name."""
    stores = {}
    for path in sorted((shared_data / "cases" / "coinjoin").glob("*.json")):
        folder = tmp_path_factory.mktemp("case") / "chain"
        build(folder, [str(path)], config=PLAIN)
        stores[path.stem] = ChainStore.open(folder)
    yield stores
    for store in stores.values():
        store.close()


@pytest.mark.needs("shared")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("coinjoin_tx", "whirlpool"),
        ("coinjoin_tx0", "whirlpool_tx0"),
        ("joinmarket-coinjoin", "generic"),
        ("batch-withdrawal-143", "none"),
        ("simple-legacy-p2pkh", "none"),
        ("op-return-charley", "none"),
    ],
)
def test_real_transactions_are_typed(real, name, kind):
    verdict = type_of(real[name], 0)
    assert verdict.kind == kind
    assert bool(verdict.reasons) == bool(verdict.published) == (kind != "none")
    assert verdict.unknown == ()
    assert verdict.has_several_payers == (kind in ("whirlpool", "generic"))


@pytest.mark.needs("shared")
def test_what_looks_like_joinmarket_is_vetoed_and_said_why(real):
    (veto,) = type_of(real["joinmarket-coinjoin"], 0).vetoes
    assert veto.kind == "joinmarket"
    assert "only two payments are equal" in veto.why
    assert "Stonewall" in veto.why


@pytest.mark.needs("shared")
def test_a_mix_whose_tx0_is_known_says_so(tmp_path, shared_data):
    cases = shared_data / "cases" / "coinjoin"
    build(tmp_path / "chain", [str(cases / "coinjoin_tx.json"), str(cases / "coinjoin_tx0.json")], config=PLAIN)
    with ChainStore.open(tmp_path / "chain") as store:
        mix, tx0 = (store.find_transaction(bytes.fromhex(txid)[::-1]) for txid in (MIX, TX0))
        assert "1 inputs come prepared from a tx0" in type_of(store, mix).reasons[-1]
        assert "of 4 the creating transaction is not in the store" in type_of(store, mix).reasons[-1]
        assert "1 prepared coins go into a mix, 0 elsewhere; 15 are unspent" in type_of(store, tx0).reasons[-1]


@pytest.mark.needs("shared")
def test_no_program_makes_a_coinjoin_before_it_exists(tmp_path, shared_data):
    """Two transactions of 2014 fit the rule of Wasabi 1.0, which came in 2018."""
    build(tmp_path / "chain", [str(shared_data / "bitcoin" / "mainnet" / "block300025.raw")], config=PLAIN)
    with ChainStore.open(tmp_path / "chain") as store:
        verdicts = [type_of(store, number) for number in (168, 432, 435)]
        assert [verdict.kind for verdict in verdicts] == ["generic", "none", "generic"]
        vetoed = [[veto.kind for veto in verdict.vetoes] for verdict in verdicts]
        assert vetoed == [["joinmarket"], ["wasabi_1_0"], ["wasabi_1_0", "joinmarket"]]
        assert "before block 530500" in verdicts[1].vetoes[0].why
        assert starts_of(store)[WASABI_1_0] == store.rows("tx")
        assert starts_of(store)[GENERIC] == 0


@pytest.mark.needs("shared")
@pytest.mark.parametrize(("dropped", "clusters"), [(False, 376), (True, 401)])
def test_clusters_of_a_real_block_without_its_generic_coinjoins(tmp_path, shared_data, dropped, clusters):
    """The known number: 376 with CoinJoins kept (the data's own FACTS.json), 401 with the generic ones left out."""
    build(tmp_path / "chain", [str(shared_data / "bitcoin" / "mainnet" / "block300025.raw")], config=PLAIN)
    parent: dict[int, int] = {}

    def root(holder):
        while parent.setdefault(holder, holder) != holder:
            holder = parent[holder]
        return holder

    with ChainStore.open(tmp_path / "chain") as store:
        shapes = Shapes(store)
        for number in range(store.rows("tx")):
            shape = shapes.of(number)
            for payer in shape.payers:
                joined = payer if dropped and holds(shape, GENERIC) else shape.payers[0]
                parent[max(root(payer), root(joined))] = min(root(payer), root(joined))
    assert len({root(holder) for holder in parent}) == clusters


def test_a_round_of_joinmarket_and_its_veto():
    chain = paid_by(4, *to_each(20_000_000, 20_000_000, 20_000_000, 20_000_000, 9_000_000, 9_100_000))
    verdict = verdict_of(chain)
    assert (verdict.kind, verdict.vetoes) == ("joinmarket", ())
    assert any("equal payments above 2730 satoshi: 4 of 0.2 BTC" in reason for reason in verdict.reasons)
    assert [rate.value for rate in verdict.published] == [NONE_PUBLISHED]
    vetoed = verdict_of(chain, services=["payer-2"])
    assert vetoed.kind == "none"
    assert [(veto.kind, "known service" in veto.why) for veto in vetoed.vetoes] == [("joinmarket", True)]


def test_two_equal_payments_among_many_are_told_without_a_stonewall():
    verdict = verdict_of(paid_by(2, *to_each(20_000_000, 20_000_000, 19_000_000)))
    assert (verdict.kind, len(verdict.vetoes)) == ("generic", 1)
    reused = verdict_of(paid_by(2, ("one", 20_000_000), ("two", 20_000_000), ("one", 19_000_000)))
    assert (reused.kind, reused.vetoes) == ("generic", ())


def test_a_tx0_is_typed_and_keeps_nobody_apart():
    chain = paid_by(1, (data_script(), 0), *to_each(50_000, 1_001_000, 1_001_000, 27_000_000))
    verdict = verdict_of(chain)
    assert verdict.code == WHIRLPOOL_TX0
    assert not verdict.has_several_payers
    assert "0 prepared coins go into a mix, 0 elsewhere; 2 are unspent" in verdict.reasons[-1]


def test_what_is_not_known_is_neither_yes_nor_no():
    """With the coins of two payers unknown, four equal payments may be a round or not."""
    chain = paid_by(4, *to_each(20_000_000, 20_000_000, 20_000_000, 20_000_000, 9_000_000, 9_100_000))
    blocks = ["gone" if 0 < height < 3 else "whole" for height in range(chain.maker.height + 1)]
    with tempfile.TemporaryDirectory() as name, Coverage(blocks).store_in(Path(name), chain) as store:
        verdict = type_of(store, store.rows("tx") - 1)
    assert verdict.kind == "none"
    assert verdict.unknown == ("joinmarket",)
    told = [each for one in verdict.considered if one.kind == "joinmarket" for each in one.requirements]
    assert [each.holds for each in told if "not known" in each.text] == ["unknown"]


def test_a_verdict_is_plain_values():
    verdict = verdict_of(paid_by(2, *to_each(20_000_000, 20_000_000, 19_000_000)))
    body = json.loads(json.dumps(verdict.as_json()))
    assert body["kind"] == "generic"
    assert body["inference"] is True
    assert [one["kind"] for one in body["considered"]] == [KINDS[code].name for code in PRECEDENCE]
    assert body["published"][1]["value"] == NONE_PUBLISHED


def check_all(store, services):
    kinds = np.asarray(store.column("holder_kind"))
    said = coinjoin_kinds(graph_of(store), kinds, 0, store.rows("tx"), services, starts_of(store))
    for number, code in enumerate(said.tolist()):
        verdict = type_of(store, number, services)
        assert verdict.code == code
        assert (verdict.kind == "none") == (code == NO_COINJOIN)
        check_words(verdict)


def check_words(verdict: CoinJoinVerdict) -> None:
    """Every requirement has words, and a kind that is said has only such as hold."""
    for one in verdict.considered:
        assert all(each.text for each in one.requirements)
        if one.kind == verdict.kind:
            assert {each.holds for each in one.requirements} == {"yes"}


@FEW
@given(st.data())
def test_a_verdict_is_what_the_kernel_says_on_random_chains(data):
    chain = data.draw(chains(scale=1_000_000))
    coverage = data.draw(coverages(chain))
    with tempfile.TemporaryDirectory() as name, coverage.store_in(Path(name), chain) as store:
        check_all(store, np.arange(0, store.rows("holder"), 3, dtype=np.uint32))


def test_a_verdict_is_what_the_kernel_says_of_the_simulators_coinjoins(tmp_path):
    tables, _ = truth()
    build(
        tmp_path / "chain", [str(path) for path in sorted((small_folder() / "blocks").glob("blk*.dat"))], config=PLAIN
    )
    with ChainStore.open(tmp_path / "chain") as store:
        shapes = Shapes(store)
        numbers = [number for number in range(store.rows("tx")) if len(store.output_range(number)) >= 3]
        said = {}
        for number in numbers:
            verdict = type_of(store, number)
            assert verdict.code == kind_of(shapes.of(number))
            check_words(verdict)
            said[number] = verdict.code
    joined = tables["coinjoin_kind"]
    names = ["none", "whirlpool", "whirlpool_tx0", "wasabi_1_0", "wasabi_1_1", "wabisabi", "joinmarket"]
    found = 0
    for code, name in enumerate(names[1:], 1):
        for number in np.flatnonzero(joined == code).tolist():
            assert COINJOIN_NAMES[said[number]] == name
            found += 1
    assert found > 5


def test_kinds_are_what_the_kernels_know():
    assert sorted(KINDS) == list(range(1, len(COINJOIN_NAMES)))
    assert [kind.name for kind in KINDS.values() if not kind.has_several_payers] == ["whirlpool_tx0"]
    assert all(kind.published for kind in KINDS.values())
    assert KINDS[JOINMARKET].first_height == 336_861


def test_every_rate_names_its_source():
    for kind in KINDS.values():
        assert kind.source
        for rate in kind.published:
            assert rate.source
            assert rate.known == (rate.value != NONE_PUBLISHED)
            assert set(rate.as_json()) == {"what", "value", "source"}


def test_another_currency_has_no_wasabi():
    chain = Chain()
    chain.fund(1_000)
    with chain.store() as store:
        assert starts_of(store).tolist() == [0] * len(COINJOIN_NAMES)
        store.network = LITECOIN_REGTEST
        rows = store.rows("tx")
        assert starts_of(store).tolist() == [rows, 0, rows, rows, rows, rows, rows, 0]
