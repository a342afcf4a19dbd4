"""Exposure of addresses: categories, sanctions first, paths, amounts; what ends money; clusters; services too large to add up."""

from __future__ import annotations

import json

import pytest
from trace_support import Chain, identity

from shieldwall.errors import UsageError
from shieldwall.intel import ReadOptions, TagSets
from shieldwall.intel.setfile import Glance
from shieldwall.model.address import encode, key_hash
from shieldwall.model.claim import Subject
from shieldwall.model.mention import find_mentions
from shieldwall.model.network import REGTEST
from shieldwall.model.script import Script, ScriptKind
from shieldwall.trace.clusters.building import build_clustering
from shieldwall.trace.clusters.clustering import Clustering
from shieldwall.trace.clusters.rules import ClusterRules
from shieldwall.trace.screening import figures
from shieldwall.trace.screening.answer import screen
from shieldwall.trace.screening.exposure import Category, category_of
from shieldwall.trace.screening.recognising import recognize_all
from shieldwall.trace.screening.screener import Screener

TAGS = """address,label,category,abuse,source,confidence,lastmod
{listed},Listed one,user,sanction,the list,authority_data,2024-02-01
{robber},Robbers,user,ransomware,a report,forensic,2023-05-01
{desk},Northwind,exchange,,its page,service_api,2024-01-05
{charity},A charity,donation,,its page,service_api,2024-01-05
"""
KEY = b"\x02" + bytes(range(32))


@pytest.fixture(scope="module")
def chain():
    """origin pays 'payer'; payer pays the desk, the charity and a middle, which pays the listed one; the desk pays on."""
    chain = Chain()
    (first,) = chain.fund(10_000)
    (mine,) = chain.pay([first], ("payer", 10_000))
    chain.mine()
    desk, charity, middle, change = chain.pay(
        [mine], ("desk", 5_000), ("charity", 1_000), ("middle", 2_000), ("payer", 1_900)
    )
    chain.mine()
    chain.pay([middle], ("listed", 1_500), ("quiet", 500))
    chain.pay([desk], ("robber", 5_000))
    chain.pay([charity], ("robber", 1_000))
    chain.mine()
    chain.pay([change], (Script(ScriptKind.P2PK, KEY), 1_900))
    chain.mine()
    return chain


@pytest.fixture(scope="module")
def store(chain):
    with chain.store() as store:
        yield store


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tags")
    names = {name: identity(name) for name in ("desk", "robber", "listed", "charity")}
    (folder / "said.csv").write_text(TAGS.format(**names))
    sets = TagSets(folder / "sets")
    sets.import_files([folder / "said.csv"], options=ReadOptions(network=REGTEST))
    return sets.select(None)


def row_of(store, index, name, **options):
    screener = Screener.of(index, store, **{"engine": "plain", **options})
    (row,) = screener.rows(recognize_all([name if ":" in name or len(name) > 20 else identity(name)]))
    return row


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_categories_amounts_and_paths(chain, store, index, engine):
    row = row_of(store, index, "payer", engine=engine)
    txids = {tuple(script.payload for script, _ in made.outputs): made.txid for made in chain.made}
    spend = next(made.txid for made in chain.made if len(made.outputs) == 4)
    onward = [made.txid for made in chain.made if made.coins and made.coins[0].txid == spend]
    assert len(txids) > 4
    assert (row["verdict"], row["finding"]) == ("in store, no tag", False)
    reached = row["exposure"]["reached"]
    assert [(e["category"], e["way"], e["hops"], e["amount"], e["direct_amount"], e["holders"]) for e in reached] == [
        ("sanction", "sent", 2, 1_500, 0, 1),
        ("ransomware", "sent", 2, 1_000, 0, 1),  # through the charity; what the desk paid on is the desk's
        ("exchange", "sent", 1, 5_000, 5_000, 1),
        ("donation", "sent", 1, 1_000, 1_000, 1),
    ]
    assert [entry["finding"] for entry in reached] == [True, True, False, False]
    assert {entry["layer"] for entry in reached} == {"inference"}
    assert (reached[0]["path"], reached[2]["path"]) == ([spend, onward[0]], [spend])
    assert reached[0]["nearest"] == {
        "address": identity("listed"), "label": "Listed one", "set": "said", "source": "the list",
    }  # fmt: skip
    # 11,900 begun with: 10,000 and the change; 1,900 of it came back
    assert row["exposure"]["sent"] == {
        "held_amount": 2_400, "returned_amount": 1_900, "fee_amount": 100, "transactions": 4,
    }  # fmt: skip
    assert row["exposure"]["received"] == {"returned_amount": 1_900, "mined_amount": 10_000, "transactions": 3}


def test_where_money_came_from(store, index):
    reached = row_of(store, index, "listed")["exposure"]["reached"]
    assert reached == []  # from the payer, whom nothing is said of
    robber = row_of(store, index, "robber")
    assert robber["finding"]
    assert [(e["category"], e["way"], e["hops"], e["amount"]) for e in robber["exposure"]["reached"]] == [
        ("exchange", "received", 1, 5_000),
        ("donation", "received", 1, 1_000),
    ]


@pytest.mark.parametrize("hops", [1, 2, 3, 10])
def test_every_satoshi_is_in_exactly_one_place(store, index, hops):
    for name in ("origin", "payer", "desk", "robber", "charity", "middle", "listed", "quiet"):
        row = row_of(store, index, name, hops=hops)
        for way in ("sent", "received"):
            rest = sum(value for key, value in row["exposure"][way].items() if key.endswith("_amount"))
            ended = [e["amount"] for e in row["exposure"]["reached"] if e["way"] == way and e["ends"]]
            assert rest + sum(ended) == row["received_amount"] > 0


def test_fewer_hops_see_less_and_none_see_nothing(store, index):
    near = row_of(store, index, "payer", hops=1)["exposure"]
    assert [entry["category"] for entry in near["reached"]] == ["exchange", "donation"]
    assert near["sent"]["beyond_amount"] == 3_000  # behind the middle, and behind the charity
    assert "exposure" not in row_of(store, index, "payer", hops=0)
    assert row_of(store, index, "stranger")["exposure"] == {"hops": 3, "reached": [], "sent": {}, "received": {}}
    for hops in (-1, 11):
        with pytest.raises(UsageError, match="hops"):
            Screener.of(index, store, hops=hops)


def test_the_exposed_come_before_the_others_and_are_counted(store, index):
    text = "\n".join(identity(name) for name in ("quiet", "payer", "desk", "robber", "listed"))
    screening = screen(find_mentions(text), Screener.of(index, store, engine="plain"))
    assert [row["address"] for row in screening.rows] == [
        identity(name) for name in ("listed", "robber", "desk", "payer", "quiet")
    ]
    assert (screening.findings, screening.exposed) == (2, 2)
    assert screening.body["counts"]["exposed"] == 2
    assert "Of those without a finding 2 sent money to" in screening.sentence
    assert (screening.body["hops"], screening.body["reach"]) == (3, "3 hops")
    again = screen(find_mentions(text), Screener.of(index, store, engine="compiled"))
    assert screening.to_json() == again.to_json()
    assert json.loads(screening.to_json())["digest"] == screening.digest
    assert "sent sanction 2 hops, 1500 satoshi, Listed one" in screening.to_csv()


def test_a_key_in_its_other_form_belongs_to_the_address(store, index):
    """Only the key was paid; who has its hash asks for the same holder."""
    row = row_of(store, index, encode(key_hash(KEY), REGTEST))
    assert (row["in_store"], row["received_amount"], row["linked"]) == (True, 1_900, [f"p2pk:{KEY.hex()}"])
    assert [entry["category"] for entry in row["exposure"]["reached"]] == []
    assert row["exposure"]["received"]["beyond_amount"] == 1_900


def test_an_address_with_too_many_outputs_is_counted_and_not_added_up(store, index, monkeypatch):
    monkeypatch.setattr(figures, "MOST_OUTPUTS", 1)
    screener = Screener.of(index, store, engine="plain")
    found = recognize_all([identity("payer"), identity("middle")])
    for _ in range(2):  # the second time it is known
        payer, middle = screener.rows(found)
        assert (payer["in_store"], payer["outputs"], payer["received_amount"], payer["exposure"]) == (
            True,
            2,
            None,
            None,
        )
        assert payer["last_height"] == 3
        assert middle["received_amount"] == 2_000
        assert middle["exposure"]["reached"]


def test_a_cluster_hands_its_tags_on_and_says_so(tmp_path, index):
    chain = Chain()
    one, other = chain.fund(10, name="listed")[0], chain.fund(20, name="quiet")[0]
    chain.pay([one, other], ("friend", 30))
    chain.mine()
    with chain.store() as store:
        build_clustering(tmp_path / "co-spend", store, ClusterRules())
        with Clustering.open(tmp_path / "co-spend", store) as clustering:
            row = row_of(store, index, "quiet", clustering=clustering)
            assert (row["verdict"], row["finding"]) == ("in store, no tag", False)
            assert row["cluster"] == {
                "size": 2,
                "tagged_others": 1,
                "inherited": [
                    {
                        "address": identity("listed"), "label": "Listed one", "category": "user", "abuse": "sanction",
                        "actor": "", "confidence": 60,
                    }
                ],
                "layer": "inference",
            }  # fmt: skip
            assert row_of(store, index, "listed", clustering=clustering)["cluster"]["inherited"] == []
            assert row_of(store, index, "stranger", clustering=clustering)["cluster"] is None
            body = screen(find_mentions(identity("quiet")), Screener.of(index, store, clustering=clustering)).body
            assert body["clustering"] == clustering.stamp


def said(category="", abuse=""):
    return Glance(Subject("address", "", ""), "tag", category, abuse, retracted=False)


def test_one_holder_is_one_thing_the_most_urgent():
    assert category_of([said("exchange"), said("user", "sanction")]) == Category("sanction", 0)
    assert category_of([said("sanction")]) == Category("sanction", 0)
    assert category_of([said("exchange"), said("user", "scam"), said("", "ransomware")]) == Category("ransomware", 1)
    assert category_of([said("user"), said("exchange")]) == Category("exchange", 2)
    assert category_of([said("donation")]) == Category("donation", 3)
    assert category_of([said()]) == Category("tagged", 3)
    assert category_of([]) is None
    assert [Category("", rank).ends for rank in range(4)] == [True, True, True, False]


def test_without_any_tag_nobody_is_met(store, tmp_path):
    row = row_of(store, TagSets(tmp_path).select(None), "payer")
    assert row["exposure"]["reached"] == []
    assert row["exposure"]["sent"]["held_amount"] == 9_900
