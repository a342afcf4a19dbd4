"""Peel chains by the published rules: what is followed, what ends a chain, and that every satoshi is somewhere."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trace_support import FEW, PLAIN, Chain, Coverage, Services, identity

from shieldwall.chain.build import build
from shieldwall.chain.store import ChainStore
from shieldwall.errors import BadInput, UsageError
from shieldwall.model.script import Script, ScriptKind
from shieldwall.model.transaction import internal
from shieldwall.trace.clusters.building import build_clustering
from shieldwall.trace.clusters.rules import ClusterRules
from shieldwall.trace.peel.follow import PeelLimits, follow_peel
from shieldwall.trace.peel.next_hop import NO_CANDIDATE, SEVERAL, UNKNOWN, UNSPENT
from shieldwall.trace.peel.profile import profile_of
from shieldwall.trace.peel.rules import FIND_NEXT, FIND_NEXT2, RULES, rule_named

SEIZURE = "943f2d576ed8d9f388ba75eb82fe35cce29479b84121827ac368a5a94f44cf7a"


def shop(number):
    """A payee with another type of address than the chain's own."""
    return Script(ScriptKind.P2PKH, bytes([1, *divmod(number, 250)]) + bytes(17))


@contextmanager
def clustered(chain):
    with (
        chain.store() as store,
        tempfile.TemporaryDirectory() as name,
        build_clustering(Path(name) / "clusters", store, ClusterRules()).clustering as clustering,
    ):
        yield store, clustering


def number(store, txid):
    found = store.find_transaction(internal(txid))
    assert found is not None
    return found


def peeled_chain(hops, piece=1000, fee=10):
    """A chain that pays a shop at each hop; the txids of its transactions."""
    chain = Chain()
    (coin,) = chain.fund(10**7)
    txids = []
    for step in range(hops):
        _, coin = chain.pay([coin], (shop(step), piece + step), (f"rest-{step}", coin.value - piece - step - fee))
        txids.append(coin.txid)
        if step % 7 == 0:
            chain.mine()
    chain.mine()
    return chain, txids


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("hops", [2, 5, 40])
def test_a_chain_is_followed_to_its_end(rule, hops):
    chain, txids = peeled_chain(hops)
    with clustered(chain) as (store, clustering):
        found = follow_peel(store, clustering, number(store, txids[0]), rule=rule)
    assert [hop.txid for hop in found.transactions] == txids
    assert len(found.hops) == hops - 1
    assert found.end == UNSPENT
    assert [hop.index for hop in found.hops] == [1] * (hops - 1)
    assert [output.amount for output in found.peeled] == [1000 + step for step in range(hops - 1)]
    assert found.sentence.startswith(f"Peel chain of {hops - 1} hop")
    assert found.rule.name == rule


def test_from_an_output_the_chain_begins_with_what_spends_it():
    chain, txids = peeled_chain(6)
    with clustered(chain) as (store, clustering):
        output = store.output_range(number(store, txids[1]))[1]
        assert [hop.txid for hop in follow_peel(store, clustering, output=output).transactions] == txids[2:]
        unspent = follow_peel(store, clustering, output=store.output_range(number(store, txids[-1]))[1])
    assert unspent.transactions == ()
    assert unspent.end == UNSPENT
    assert unspent.sentence == f"No peel chain from {txids[-1]}:1 by find-next2: {txids[-1]}:1 is unspent."


@FEW
@given(st.data())
def test_every_satoshi_is_somewhere(data):
    """What came in and what joined is what was peeled off, the fees, and what is left in the last transaction."""
    chain = Chain()
    (coin,) = chain.fund(10**9)
    txids = []
    hops = data.draw(st.integers(1, 12))
    for step in range(hops):
        coins = [coin]
        if data.draw(st.booleans()):
            coins += chain.fund(data.draw(st.integers(1, 10**6)), name=f"other-{step}")
        whole = sum(each.value for each in coins)
        pieces = data.draw(st.lists(st.integers(0, 10**5), min_size=1, max_size=4, unique=True))
        fee = data.draw(st.integers(0, 500))
        paid = [(shop(10 * step + k), piece) for k, piece in enumerate(pieces)]
        place = data.draw(st.integers(0, len(paid)))
        paid.insert(place, (f"rest-{step}", whole - sum(pieces) - fee))
        coin = chain.pay(coins, *paid)[place]
        txids.append(coin.txid)
    chain.mine()
    rule = data.draw(st.sampled_from(sorted(RULES)))
    with clustered(chain) as (store, clustering):
        found = follow_peel(store, clustering, number(store, txids[0]), rule=rule).to_dict()
    told = found["summary"]
    assert told["amount"] + told["joined_amount"] == told["peeled_amount"] + told["fee_amount"] + told["last_amount"]
    assert told["hops"] == hops - 1
    assert sum(entry["amount"] for entry in told["receivers"]) == told["peeled_amount"]
    assert sum(entry["outputs"] for entry in told["receivers"]) == told["peeled_outputs"]
    assert json.loads(json.dumps(found)) == found


def test_two_that_fit_are_none():
    chain = Chain()
    (coin,) = chain.fund(1000)
    one, other = chain.pay([coin], ("one", 400), ("other", 500))
    chain.pay([one], ("one-next", 400))
    chain.pay([other], ("other-next", 500))
    chain.mine()
    with clustered(chain) as (store, clustering):
        found = follow_peel(store, clustering, number(store, one.txid), rule=FIND_NEXT)
    assert found.end == SEVERAL
    assert found.hops == ()
    assert "outputs 0, 1 fit equally well" in found.sentence


def test_no_spent_output_of_the_cluster_is_no_candidate():
    chain = Chain()
    (coin,) = chain.fund(1000)
    first, second = chain.pay([coin], (shop(1), 400), (shop(2), 500))
    chain.pay([first], ("x", 400))
    chain.pay([second], ("y", 400))
    chain.mine()
    with clustered(chain) as (store, clustering):
        found = follow_peel(store, clustering, number(store, first.txid))
    assert found.end == NO_CANDIDATE
    assert {output.why_not for output in found.last.peeled} == {"no address of the cluster is p2pkh"}


def test_the_spender_must_look_like_the_cluster():
    """Both outputs go to addresses of the cluster's type; one is spent together with a SegWit coin, as the cluster never does."""
    chain = Chain()
    (coin,) = chain.fund(1000)
    (begin,) = chain.pay([coin], (shop(1), 1000))
    one, other = chain.pay([begin], (shop(2), 400), (shop(3), 500))
    chain.pay([one, *chain.fund(50, name="z")], ("heap", 450))
    chain.pay([other], (shop(4), 500))
    chain.mine()
    with clustered(chain) as (store, clustering):
        found = follow_peel(store, clustering, number(store, one.txid), rule=FIND_NEXT)
    assert found.profile.to_dict()["address_types"] == ["p2pkh"]
    assert found.profile.to_dict()["features"] == ["version 2, replaceable, no locktime, no SegWit"]
    assert found.hops[0].index == 1
    assert found.hops[0].peeled[0].why_not == (
        "the cluster has made no transaction like its spender (version 2, replaceable, no locktime, SegWit)"
    )


def test_find_next2_wants_a_whole_cluster():
    """The next hop is paid by one address of a cluster of two: `find-next` goes on, `find-next2` does not."""
    chain = Chain()
    (coin,) = chain.fund(1000)
    (pal,) = chain.fund(77, name="pal")
    _, rest = chain.pay([coin], (shop(1), 400), ("mine", 500))
    (again,) = chain.fund(30, name="mine")
    chain.pay([pal, again], ("heap", 107))  # "mine" and "pal" are one cluster now
    chain.pay([rest], (shop(2), 100), ("rest-2", 300))
    chain.mine()
    with clustered(chain) as (store, clustering):
        start = number(store, rest.txid)
        assert len(follow_peel(store, clustering, start, rule=FIND_NEXT).hops) == 1
        strict = follow_peel(store, clustering, start, rule=FIND_NEXT2)
    assert strict.hops == ()
    assert strict.end == NO_CANDIDATE
    assert "1 payers of a cluster of 2, not the whole of it" in strict.reason


def test_where_change_stands_is_learnt_from_change_that_is_known():
    """The cluster's known change is always last, so that an output in first place is no candidate."""
    chain = Chain()
    first, second = chain.fund(1000, 900)
    _, back = chain.pay([first], (shop(1), 400), ("origin", 500))  # to itself: known change, last
    rest, _ = chain.pay([second], ("rest", 500), (shop(2), 300))
    chain.pay([rest], ("elsewhere", 500))
    chain.mine()
    with clustered(chain) as (store, clustering):
        holder = int(store.column("input_holder")[store.input_range(number(store, back.txid))[0]])
        profile = profile_of(store, clustering, clustering.cluster_of(holder))
        found = follow_peel(store, clustering, number(store, rest.txid), rule=FIND_NEXT)
    assert (profile.change, profile.changes, profile.transactions) == ("last", 1, 2)
    assert found.end == NO_CANDIDATE
    assert found.last.peeled[0].why_not == "change of this cluster stands last"


def test_a_coinjoin_has_no_cluster_that_pays():
    chain = Chain()
    coins = [chain.fund(1000 + k, name=f"payer-{k}")[0] for k in range(3)]
    made = chain.pay(coins, ("a", 700), ("b", 700), ("c", 700), ("d", 290), ("e", 300))
    chain.mine()
    with clustered(chain) as (store, clustering):
        found = follow_peel(store, clustering, number(store, made[0].txid))
    assert found.end == UNKNOWN
    assert "its payers are of 3 clusters" in found.reason
    assert found.profile is None
    assert found.to_dict()["cluster"] is None


def test_a_coinbase_and_nothing_at_all_are_refused():
    chain, _ = peeled_chain(2)
    with clustered(chain) as (store, clustering):
        with pytest.raises(BadInput, match="coinbase"):
            follow_peel(store, clustering, 1)
        with pytest.raises(UsageError, match="transaction or with an output"):
            follow_peel(store, clustering)
        with pytest.raises(UsageError, match="transaction or with an output"):
            follow_peel(store, clustering, 1, 2)
        with pytest.raises(UsageError, match="no peel rule"):
            follow_peel(store, clustering, 1, rule="find-last")
    with pytest.raises(UsageError, match="at most 0 hops"):
        PeelLimits(0)


@pytest.mark.parametrize("name", ["findNext2", "find_next2", "find-next2", "FIND-NEXT2"])
def test_a_rule_is_known_by_each_spelling(name):
    assert rule_named(name).whole


def test_a_limit_is_said():
    chain, txids = peeled_chain(30)
    with clustered(chain) as (store, clustering):
        found = follow_peel(store, clustering, number(store, txids[0]), limits=PeelLimits(7))
    assert len(found.hops) == 7
    assert found.end == "limit"
    assert "limit: 7 hops" in found.sentence


def test_services_are_named_and_summed():
    chain = Chain()
    (coin,) = chain.fund(10_000)
    for step in range(6):
        rest = coin.value - 300
        coin = chain.pay([coin], ("desk" if step % 2 else shop(step), 300), (f"rest-{step}", rest))[1]
    chain.pay([coin], (shop(99), 1), ("end", coin.value - 1))
    chain.mine()
    labels = Services(frozenset([identity("desk")]), "Northwind")
    with clustered(chain) as (store, clustering):
        first = next(made.txid for made in chain.made if len(made.outputs) == 2)
        found = follow_peel(store, clustering, number(store, first), labels=labels)
    assert [(entry["service"], entry["amount"], entry["outputs"]) for entry in found.services] == [
        ("Northwind", 900, 3)
    ]
    assert "of it 0.000009 to Northwind" in found.sentence
    assert {entry["service"] for entry in found.receivers} == {"Northwind", None}


def test_same_question_same_bytes():
    chain, txids = peeled_chain(9)
    with clustered(chain) as (store, clustering):
        one, other = (follow_peel(store, clustering, number(store, txids[0])).to_dict() for _ in range(2))
    assert one == other
    assert one["digest"] == other["digest"]
    assert one["layer"] == "inference"
    assert {rate["value"] for rate in one["published"]} == {"124.46 %", "0.02 %"}
    assert one["clustering"]["parameters"]["coinjoin"] == "drop"


def test_what_the_data_does_not_tell_is_unknown():
    """Some transactions of the last block are here, so that whether the rest was spent is not known."""
    chain = Chain()
    (coin,) = chain.fund(1000)
    _, rest = chain.pay([coin], (shop(1), 400), ("rest", 500))
    chain.mine()
    chain.pay([rest], (shop(2), 100), ("rest-2", 300))
    chain.mine()
    blocks = ["whole"] * (chain.maker.height + 1)
    blocks[-2:] = ["loose", "gone"]
    coverage = Coverage(blocks, previous={(rest.txid, 0)})
    with (
        tempfile.TemporaryDirectory() as name,
        coverage.store_in(Path(name), chain) as store,
        build_clustering(Path(name) / "clusters", store, ClusterRules()).clustering as clustering,
    ):
        found = follow_peel(store, clustering, number(store, rest.txid))
    assert found.end == UNKNOWN
    assert "not known whether it is spent" in found.reason
    assert found.hops == ()


def test_on_the_real_ransom_the_seizure_is_peeled_off_and_the_rest_is_unknown(tmp_path):
    """The seized output is one hop; whether the next transaction's outputs were spent, these few facts do not tell."""
    facts = resources.files("shieldwall.playbooks") / "data" / "colonial" / "facts.jsonl"
    build(tmp_path / "chain", [str(facts)], config=PLAIN)
    with (
        ChainStore.open(tmp_path / "chain") as store,
        build_clustering(tmp_path / "clusters", store, ClusterRules()).clustering as clustering,
    ):
        found = follow_peel(store, clustering, number(store, SEIZURE))
    assert [output.address for output in found.peeled] == ["bc1qpx7vyv5tp7dm0g475ev527krg764t73dh77gls"]
    assert (found.peeled_amount, found.hops[0].goes_on) == (6_369_996_546, 590_422_177)
    assert found.end == UNKNOWN
