"""Where a trace stops and why: services, limits, seeds that meet, published hops, a key and its hash."""

from __future__ import annotations

import pytest
from trace_support import Chain, Coverage, Services, data_script, ends_of, identity, tag_of

from shieldwall.errors import PartialData
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.marking import Marking
from shieldwall.model.network import MAIN, REGTEST
from shieldwall.model.script import Script, ScriptKind
from shieldwall.trace.follow import follow
from shieldwall.trace.labels import Label
from shieldwall.trace.limits import Limits
from shieldwall.trace.published import PublishedHops
from shieldwall.trace.targets import find_targets


@pytest.fixture
def chain():
    """origin 100 -> exchange 60, friend 39, fee 1; friend 39 -> last 20, last 19; exchange 60 -> wallet 60."""
    chain = Chain()
    (first,) = chain.fund(100)
    exchange, friend = chain.pay([first], ("exchange", 60), ("friend", 39))
    chain.mine()
    chain.pay([friend], ("last", 20), ("last", 19))
    chain.mine()
    chain.pay([exchange], ("wallet", 60))
    chain.mine()
    return chain


@pytest.fixture
def store(chain, tmp_path):
    with chain.store_in(tmp_path) as store:
        yield store


def trace(store, *words, method="fifo", limits=None, **options):
    return follow(store, find_targets(store, words), method, limits, **options).body


def kinds(body):
    return {
        kind: body[f"{kind}_amount"]
        for kind in ("held", "service", "unknown", "fee", "limit", "gap")
        if body[f"{kind}_amount"]
    }


def test_a_service_stops_the_trace(store):
    labels = Services(frozenset([identity("exchange")]))
    body = trace(store, identity("origin"), labels=labels)
    assert kinds(body) == {"service": 60, "held": 39, "fee": 1}
    end = next(end for end in body["ends"] if end["kind"] == "service")
    assert (end["service"], end["address"], end["reason"]) == ("Northwind", identity("exchange"), "exchange")
    assert end["tags"] == [tag_of("Northwind")]
    assert kinds(trace(store, identity("origin"))) == {"held": 99, "fee": 1}


def test_a_seed_at_a_service_does_not_stop_at_once(store):
    labels = Services(frozenset([identity("exchange")]))
    assert kinds(trace(store, identity("exchange"), labels=labels)) == {"held": 60}


def test_money_that_an_input_to_start_from_spends_is_followed_into_it(store, chain):
    """Else it would be counted where it stopped, and again where the trace starts from the input."""
    labels = Services(frozenset([identity("exchange")]))
    last = chain.made[-1].txid
    for limits in (None, Limits(hops=1), Limits(least=1000), Limits(transactions=1), Limits(until_height=2)):
        body = trace(store, identity("origin"), f"{last}:in:0", labels=labels, limits=limits)
        assert (body["seed_amount"], body["returned_amount"]) == (100, 60) if limits is None else True
        assert body["service_amount"] == 0
        assert body["seed_amount"] + body["returned_amount"] == 160
        assert body["seed_amount"] == sum(kinds(body).values())


def test_reasons_of_limits(store, chain):
    friend = chain.made[2].height  # the block in which origin pays
    reasons = {}
    for limits in (
        Limits(hops=1),
        Limits(least=50),
        Limits(until_height=friend),
        Limits(until_time=chain.time(friend)),
        Limits(transactions=1),
    ):
        body = trace(store, identity("origin"), limits=limits)
        assert body["seed_amount"] == 100
        end = next(end for end in body["ends"] if end["address"] == identity("friend"))
        assert end["kind"] == "limit"
        reasons[end["reason"]] = limits
    assert list(reasons) == [
        "1 hops",
        "less than 50 satoshi",
        "moved on after height 2",
        "moved on after 2020-09-13T12:36:40Z",
        "1 transactions",
    ]


def test_the_bounds_of_limits_are_inside(store, chain):
    """--hops 1 passes one spend, --least 39 follows 39, --until the very block follows its spends."""
    assert kinds(trace(store, identity("origin"), limits=Limits(hops=2))) == {"held": 99, "fee": 1}
    assert kinds(trace(store, identity("origin"), limits=Limits(hops=0))) == {"limit": 100}
    assert kinds(trace(store, identity("friend"), limits=Limits(least=39))) == {"held": 39}
    assert kinds(trace(store, identity("friend"), limits=Limits(least=40))) == {"limit": 39}
    last = max(made.height for made in chain.made)
    assert kinds(trace(store, identity("origin"), limits=Limits(until_height=last))) == {"held": 99, "fee": 1}
    assert kinds(trace(store, identity("exchange"), limits=Limits(until_time=chain.time(last)))) == {"held": 60}


def test_the_limit_of_transactions_counts_spends_not_seeds(store):
    """Many seeds in many transactions used up the limit before the first spend was followed."""
    everyone = [identity(name) for name in ("origin", "exchange", "friend", "miner")]
    assert "limit" not in kinds(trace(store, *everyone, limits=Limits(transactions=3)))
    assert kinds(trace(store, identity("origin"), limits=Limits(transactions=2))) == {"held": 60, "limit": 39, "fee": 1}


def test_an_input_to_start_from_is_passed_whatever_the_limit_of_hops(store, chain):
    body = trace(store, f"{chain.made[2].txid}:in:0", limits=Limits(hops=0))
    assert body["limit_amount"] == 99
    assert {output["hops"] for end in body["ends"] for output in end["outputs"] if output["index"] is not None} == {1}


def test_an_input_of_unknown_value_is_partial_data(chain, tmp_path):
    coverage = Coverage(["gone", "gone", "whole", "whole", "whole"])
    with coverage.store_in(tmp_path, chain) as store, pytest.raises(PartialData) as caught:
        trace(store, f"{chain.made[2].txid}:in:0")
    assert chain.made[0].txid in caught.value.message


def test_end_of_many_reasons_says_the_first_and_how_many_others(tmp_path):
    chain = Chain()
    for amount in (30, 20, 10):
        (coin,) = chain.fund(amount)
        chain.pay([coin], ("elsewhere", amount))
        chain.mine()
    with chain.store_in(tmp_path) as store:
        limits = Limits(least=15, until_height=2)
        body = trace(store, identity("origin"), limits=limits)
    (end,) = (end for end in body["ends"] if end["kind"] == "limit")
    assert end["reason"] == "moved on after height 2; and 1 other reason"
    assert [output["reason"] for output in end["outputs"]] == ["moved on after height 2", "less than 15 satoshi"]


def test_unspendable_outputs_are_a_sink_of_their_own(tmp_path):
    chain = Chain()
    (coin,) = chain.fund(10)
    chain.pay([coin], (data_script(), 7))
    chain.mine()
    with chain.store_in(tmp_path) as store:
        body = trace(store, identity("origin"))
        poison = trace(store, identity("origin"), method="poison")
    assert (body["fee_amount"], body["unspendable_amount"]) == (10, 7)
    assert "0.00000007 BTC) was destroyed in outputs that nobody can spend" in body["sentence"]
    assert (poison["fee_amount"], poison["unspendable_amount"]) == (7, 7)


def test_poison_of_nothing_but_a_fee_has_a_sentence(tmp_path):
    chain = Chain()
    (coin,) = chain.fund(10)
    chain.pay([coin], ("nobody", 0))
    chain.mine()
    with chain.store_in(tmp_path) as store:
        body = trace(store, identity("origin"), method="poison")
    assert body["ends"] == body["paths"] == []
    assert "nothing is marked any more: it went to fees" in body["sentence"]


def test_seeds_worth_nothing_pass_nothing(tmp_path):
    chain = Chain()
    (coin,) = chain.fund(0)
    chain.pay([coin], ("friend", 0))
    chain.mine()
    with chain.store_in(tmp_path) as store:
        body = trace(store, f"{chain.made[-1].txid}:in:0", identity("origin"))
    assert body["sentence"].startswith("There is nothing to follow")
    assert body["transfers"] == body["ends"] == []


def test_a_key_is_known_by_what_is_said_of_its_hash(tmp_path):
    from embit.hashes import hash160

    from shieldwall.model import address

    key = b"\x02" + bytes(range(32))
    hashed = address.identity(Script(ScriptKind.P2PKH, hash160(key)), REGTEST)
    chain = Chain()
    (coin,) = chain.fund(10)
    chain.pay([coin], (Script(ScriptKind.P2PK, key), 10))
    chain.mine()
    with chain.store_in(tmp_path) as store:
        body = trace(store, identity("origin"), labels=Services(frozenset([hashed])))
        assert kinds(body) == {"service": 10}
        assert body["ends"][0]["address"] == f"p2pk:{key.hex()}"


# published hops


def hop(outpoint, spender, *, source="a blog", network=REGTEST, **statement):
    return Claim(
        subject=Subject("outpoint", network.caip2, outpoint),
        kind="hop",
        statement={"spender": spender, **statement},
        layer=Layer.OBSERVATION,
        source=source,
        made_by="desk",
        marking=Marking.CLEAR,
    )


SPENDER, NEXT, RIVAL = "ab" * 32, "cd" * 32, "ef" * 32


@pytest.fixture
def torn(chain, tmp_path):
    """The same chain without the block in which `friend` spends, nor any after it but the last."""
    chain.mine()
    coverage = Coverage(["gone", "whole", "whole", "gone", "gone", "whole"])
    with coverage.store_in(tmp_path, chain) as store:
        yield store, f"{chain.made[2].txid}:1", chain


def test_a_published_hop_turns_unknown_into_a_named_gap(torn):
    store, outpoint, _ = torn
    assert kinds(trace(store, identity("origin"))) == {"unknown": 99, "fee": 1}
    claims = PublishedHops([hop(outpoint, SPENDER, then=[NEXT], resumes=f"{NEXT}:in:3")])
    body = trace(store, identity("origin"), published=claims)
    assert kinds(body) == {"gap": 39, "unknown": 60, "fee": 1}
    (gap,) = body["gaps"]
    assert gap == {
        "txid": SPENDER,
        "amount": 39,
        "spends": [outpoint],
        "layer": "observation",
        "source": "a blog",
        "then": [NEXT],
        "resumes": f"{NEXT}:in:3",
        "reason": f"published as spent by {SPENDER}: a blog",
    }
    assert body["parameters"]["published_hops"] == claims.ids
    assert body["notes"] == []
    end = next(end for end in body["ends"] if end["kind"] == "gap")
    assert (end["gap_txid"], end["address"]) == (SPENDER, identity("friend"))


def test_published_hops_never_override_the_facts(store, chain):
    spent = f"{chain.made[2].txid}:1"
    held = f"{chain.made[4].txid}:0"
    true = hop(f"{chain.made[2].txid}:0", chain.made[-1].txid, source="a paper")
    claims = PublishedHops([hop(spent, SPENDER), hop(held, SPENDER), true])
    body = trace(store, identity("origin"), published=claims)
    assert kinds(body) == {"held": 99, "fee": 1}
    assert body["gaps"] == []
    assert body["notes"] == sorted(
        [
            (
                f"{spent} is published as spent by {SPENDER} (a blog); in the chain data it is spent by {chain.made[4].txid}, "
                "which holds"
            ),
            (
                f"{held} is published as spent by {SPENDER} (a blog); in the chain data it is unspent as of its tip, which "
                "holds"
            ),
            f"{chain.made[2].txid}:0 is published as spent by {chain.made[-1].txid} (a paper); the chain data says so, too",
        ]
    )


def test_claims_on_outputs_that_the_trace_does_not_touch_say_nothing(store, chain):
    claims = PublishedHops(
        [hop(f"{chain.made[0].txid}:0", SPENDER), hop(f"{RIVAL}:0", SPENDER), hop(f"{RIVAL}:7", NEXT)]
    )
    body = trace(store, identity("friend"), published=claims)
    assert body["notes"] == []


def test_rivals_are_shown_and_the_order_of_claims_does_not_matter(torn):
    store, outpoint, _ = torn
    claims = [hop(outpoint, SPENDER), hop(outpoint, RIVAL, source="a forum")]
    bodies = [trace(store, identity("origin"), published=PublishedHops(order)) for order in (claims, claims[::-1])]
    assert bodies[0] == bodies[1]
    (note,) = bodies[0]["notes"]
    assert SPENDER in note
    assert RIVAL in note
    assert "a contradiction; the gap names the first" in note


def test_claims_of_another_chain_are_not_used(torn):
    store, outpoint, _ = torn
    body = trace(store, identity("origin"), published=PublishedHops([hop(outpoint, SPENDER, network=MAIN)]))
    assert kinds(body) == {"unknown": 99, "fee": 1}
    assert body["notes"] == [f"published hops of {outpoint} are of another chain than regtest, and not used"]


def test_a_spend_that_the_source_states_is_a_gap_with_or_without_claims(chain, tmp_path):
    coverage = Coverage(["gone", "whole", "whole", "gone", "gone"])
    outpoint = (chain.made[2].txid, 1)
    coverage.statements.append((outpoint, 4))
    spender = chain.made[4].txid
    with coverage.store_in(tmp_path, chain) as store:
        body = trace(store, identity("origin"))
        (gap,) = body["gaps"]
        assert (gap["txid"], gap["source"], gap["then"]) == (spender, "the chain data", [])
        same = trace(
            store,
            identity("origin"),
            published=PublishedHops([hop(":".join(map(str, outpoint)), spender, then=[NEXT])]),
        )
        assert (same["gaps"][0]["then"], same["notes"]) == ([NEXT], [])
        other = trace(store, identity("origin"), published=PublishedHops([hop(":".join(map(str, outpoint)), RIVAL)]))
        assert (other["gaps"][0]["txid"], len(other["notes"])) == (spender, 1)
        assert f"says that {spender} spent it" in other["notes"][0]
        assert ends_of(body) == ends_of(other)


# what a result counts rather than shows


def test_paths_that_are_left_out_are_counted(tmp_path):
    chain = Chain()
    (coin,) = chain.fund(10_000)
    chain.pay([coin], *((f"somebody-{number}", 10 + number) for number in range(130)))
    chain.mine()
    with chain.store_in(tmp_path) as store:
        body = trace(store, identity("origin"))
    assert (len(body["ends"]), len(body["paths"]), body["paths_omitted"]) == (131, 100, 30)
    assert [path["end"] for path in body["paths"]] == list(range(1, 101))


def test_a_long_path_keeps_both_ends_and_counts_its_middle(tmp_path):
    chain = Chain()
    (coin,) = chain.fund(1000)
    for number in range(450):
        (coin,) = chain.pay([coin], (f"stop-{number}", 1000 - number))
    chain.mine()
    with chain.store_in(tmp_path) as store:
        body = trace(store, identity("origin"))
    (path,) = body["paths"]
    assert (len(path["steps"]), path["steps_omitted"]) == (400, 51)
    assert path["steps"][0]["hop"] == 0
    assert path["steps"][-1]["hop"] == 450
    assert [step["hop"] for step in path["steps"]] == [*range(200), *range(251, 451)]


def test_a_gap_at_the_seed_itself_has_no_path_and_is_counted(chain, tmp_path):
    (other,) = chain.fund(9, name="other")
    (mine,) = chain.fund(5, name="mine")
    chain.pay([other, mine], ("both", 14))
    chain.mine()
    merge = chain.made[-1].txid
    coverage = Coverage(["gone"] * 7 + ["whole"], previous={(merge, 1)})
    with coverage.store_in(tmp_path, chain) as store:
        body = trace(store, f"{merge}:in:1")
    assert kinds(body) == {"gap": 5}
    assert (body["paths"], body["paths_omitted"]) == ([], 1)
    (gap,) = body["gaps"]
    assert (gap["txid"], gap["spends"]) == (other.txid, [])
    assert f"whose input 0 spends {other.txid}:0; without that amount fifo cannot divide" in gap["reason"]


def test_all_gives_the_default_method_and_every_side(store):
    body = trace(store, identity("origin"), method="all")
    assert [side["method"] for side in body["methods"]] == ["poison", "haircut", "fifo", "lifo", "tiho"]
    for side in body["methods"]:
        alone = trace(store, identity("origin"), method=side["method"])
        for name in ("seed", "returned", "held", "service", "unknown", "fee", "limit", "gap"):
            assert side[f"{name}_amount"] == alone[f"{name}_amount"]
        assert side["ends"] == alone["ends"]
        assert side["transactions"] == len(alone["transfers"])
    assert {key: body[key] for key in body if key not in ("methods",)} == trace(store, identity("origin"))


def test_tags_stand_with_every_kind_of_end(store):
    class Friendly:
        versions = ()
        stop = ()

        def of(self, name):
            return (
                Label((tag_of("A friend", "user"),), contradictions=("two names",))
                if name == identity("last")
                else Label()
            )

    body = trace(store, identity("origin"), labels=Friendly())
    end = next(end for end in body["ends"] if end["address"] == identity("last"))
    assert (end["kind"], end["tags"][0]["label"], end["contradictions"]) == ("held", "A friend", ["two names"])
    assert end["service"] is None
