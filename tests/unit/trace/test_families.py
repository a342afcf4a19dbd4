"""Families: what counts as a payment, statistics, published totals beside them, services by inflow."""

from __future__ import annotations

import json

import pytest
from choke_support import EXCHANGES, peel
from trace_support import Chain, Coverage, identity

from shieldwall.chain.build import build
from shieldwall.chain.store import ChainStore
from shieldwall.errors import UsageError
from shieldwall.intel import ReadOptions, TagSets
from shieldwall.model.network import MAIN, REGTEST
from shieldwall.trace.families.family import Family, choose, families_of, is_own, locate
from shieldwall.trace.families.payments import DUST, Receipt, receipts, targets_of
from shieldwall.trace.families.published import published_totals, whole
from shieldwall.trace.families.services import services_by_inflow
from shieldwall.trace.families.statistics import median, payment_statistics
from shieldwall.trace.labels import Label, NoLabels


def family(*names, name="Cobra"):
    return Family(name, name.lower(), tuple(sorted(identity(each) for each in names)), ("set",))


class Exchanges:
    """Labels of the exchanges of the story."""

    versions = ()
    stop = ("exchange",)

    def of(self, name: str) -> Label:
        service = EXCHANGES.get(name)
        return Label() if service is None else Label((), service, "exchange")


def traps():
    """One of each kind of output that a family's address may receive."""
    chain = Chain()
    victims = chain.fund(50_000, 60_000, 70_000)
    first, rest = chain.pay([victims[0]], ("cobra-1", 40_000), ("victim", 10_000))
    second, third = chain.pay([victims[1]], ("cobra-1", 30_000), ("cobra-2", 30_000))
    chain.pay([rest], ("cobra-1", DUST - 1), ("victim", 9_000))
    chain.mine()
    moved, back = chain.pay([first, second], ("cobra-2", 50_000), ("cobra-1", 19_000))  # own move, and change back
    chain.mine("cobra-2", 5_000)
    chain.pay([moved, victims[2]], ("cobra-1", 119_000))  # a payer is its own: no payment, whoever else paid
    chain.pay([third], ("elsewhere", 29_000))
    chain.pay([back], ("elsewhere", 18_000))
    chain.mine()
    return chain


def test_what_counts_as_a_payment():
    with traps().store() as store:
        located = locate(store, family("cobra-1", "cobra-2", "cobra-3"))
        found = receipts(store, located.holders, is_own([located]))
        body = payment_statistics(store, [located.family], {"set": "v1"}).body
    kinds = sorted((each.kind, each.amount) for each in found)
    assert kinds == [
        (Receipt.DUST, DUST - 1),
        (Receipt.INTERNAL, 19_000), (Receipt.INTERNAL, 50_000), (Receipt.INTERNAL, 119_000),
        (Receipt.MINED, 5_000),
        (Receipt.PAYMENT, 30_000), (Receipt.PAYMENT, 30_000), (Receipt.PAYMENT, 40_000),
    ]  # fmt: skip
    (row,) = body["families"]
    assert (row["payments"], row["transactions"], row["amount"], row["median_amount"]) == (3, 2, 100_000, 30_000)
    assert (row["addresses"], row["addresses_here"]) == (3, 2)
    assert [(each["month"], each["payments"], each["amount"]) for each in row["months"]] == [("2020-09", 3, 100_000)]
    assert row["left_out"]["internal"] == {"outputs": 3, "amount": 188_000}
    assert body["whole_chain"] is True
    assert body["sentence"].startswith("3 payments, 0.001 BTC, median 0.0003 BTC; 2 of 3 tagged addresses of 1 family")
    assert body["parameters"]["tag_sets"] == [{"set": "set", "version": "v1"}]


class AllInOne:
    """A clustering of one cluster."""

    stamp = {"name": "all in one"}  # noqa: RUF012

    def cluster_of(self, _: int) -> int:
        return 0


def test_payers_of_one_cluster_are_its_own():
    chain = Chain()
    (coin,) = chain.fund(10_000)
    (mule,) = chain.pay([coin], ("mule", 10_000))
    chain.pay([mule], ("cobra", 9_000))
    chain.mine()
    with chain.store() as store:
        plain = payment_statistics(store, [family("cobra")], {}).body["all"]
        clustered = payment_statistics(store, [family("cobra")], {}, clustering=AllInOne()).body
    assert (plain["payments"], clustered["all"]["payments"]) == (1, 0)
    assert clustered["parameters"]["clustering"] == {"name": "all in one"}


def test_a_payer_that_nobody_knows(tmp_path):
    """The transaction that made what was spent is not there: the output may be a payment or a move of its own."""
    chain = Chain()
    (coin,) = chain.fund(10_000)
    (change,) = chain.pay([coin], ("somebody", 10_000))
    chain.mine()
    chain.pay([change], ("cobra", 9_000))
    chain.mine()
    blocks = ["gone", "gone", "gone", *["whole"] * (len(chain.maker.blocks) - 3)]
    with Coverage(blocks).store_in(tmp_path, chain) as store:
        result = payment_statistics(store, [family("cobra")], {})
    every = result.body["all"]
    assert (every["payments"], every["median_amount"]) == (0, None)
    assert every["left_out"]["unknown_payer"] == {"outputs": 1, "amount": 9_000}
    assert result.body["whole_chain"] is False
    assert "Of 1 more, 0.00009 BTC, a payer is not known" in result.sentence
    assert result.sentence.endswith(": no total.")


def test_no_address_here_is_unknown_not_zero():
    with peel().store() as store:
        result = payment_statistics(store, [family("nobody")], {})
        assert payment_statistics(store, [], {}).sentence.startswith("No tag of this network")
        services = services_by_inflow(store, [family("nobody")], NoLabels())
    assert result.sentence == "None of 1 tagged addresses of 1 family is in this store: unknown, not zero."
    assert result.body["families"][0]["here"] is False
    assert "unknown, not zero" in services.sentence


def test_an_output_of_two_families_counts_once_in_all():
    with peel().store() as store:
        body = payment_statistics(store, [family("ransom"), family("ransom", name="Viper")], {}).body
    assert [row["amount"] for row in body["families"]] == [99_000, 99_000]
    assert (body["all"]["payments"], body["all"]["amount"], body["all"]["addresses"]) == (1, 99_000, 1)


@pytest.mark.parametrize("last", ["deposit-a", "elsewhere"])
def test_money_that_came_back_as_another_payment_is_told(last):
    chain = Chain()
    (victim,) = chain.fund(1_000)
    (paid,) = chain.pay([victim], ("ransom", 1_000))
    (away,) = chain.pay([paid], ("away", 1_000))
    (back,) = chain.pay([away], ("ransom", 600))
    chain.pay([back], (last, 600))
    chain.mine()
    with chain.store() as store:
        paid_in_all = payment_statistics(store, [family("ransom")], {}).body["all"]["amount"]
        result = services_by_inflow(store, [family("ransom")], Exchanges())
    assert paid_in_all == result.body["seed_amount"] + result.body["returned_amount"] == 1_600
    assert result.sentence.startswith("Of 0.00001 BTC" if last == "deposit-a" else "None of 0.00001 BTC")
    assert "add up to 0.000016 BTC: 0.000006 of it is money of an earlier one that came back" in result.sentence


def test_services_by_inflow():
    chain = peel()
    (other,) = chain.fund(5_000)
    (paid,) = chain.pay([other], ("viper", 5_000))
    chain.pay([paid], ("deposit-b", 4_000), ("viper-home", 900))
    chain.mine()
    families = [family("ransom"), family("viper", name="Viper")]
    with chain.store() as store:
        result = services_by_inflow(store, families, Exchanges())
        alone = services_by_inflow(store, families[:1], Exchanges())
        located = [locate(store, each) for each in families]
        targets = [
            t for each in located for t in targets_of(store, each, receipts(store, each.holders, is_own([each])))
        ]
        with pytest.raises(UsageError, match="does not say how much"):
            services_by_inflow(store, families, Exchanges(), method="poison")
    rows = result.body["services"]
    assert [(row["rank"], row["service"], row["amount"], row["payments"]) for row in rows] == [
        (1, "Northwind", 45_000, 2), (2, "Southwind", 43_900, 3),
    ]  # fmt: skip
    assert rows[1]["families"] == [
        {"family": "Cobra", "amount": 39_900, "payments": 2}, {"family": "Viper", "amount": 4_000, "payments": 1},
    ]  # fmt: skip
    assert (rows[0]["least_hops"], rows[0]["most_hops"]) == (2, 4)
    assert rows[0]["unspent_amount"] == 45_000
    assert "add up to" not in result.sentence
    assert result.body["seed_amount"] == 104_000 == sum(result.body["ends"].values())
    assert [row["amount"] for row in alone.body["services"]] == [45_000, 39_900]
    assert {target.kind for target in targets} == {"address"}
    assert json.loads(result.to_json())["digest"] == result.digest


def test_families_are_read_from_tags(tmp_path):
    one, two, three = identity("a"), identity("b"), identity("c")
    (tmp_path / "one.csv").write_text(
        f"address,label,category,abuse,source\n{one},LockBit,,ransomware,x\n{two},lock-bit,,ransomware,x\n"
        f"{three},Shop,shop,,x\n{three},Robber,,theft,x\n"
    )
    (tmp_path / "two.csv").write_text(
        f"address,label,category,abuse,source\n{one},LockBit,,ransomware,y\n{one},Conti,,ransomware,y\n"
    )
    sets = TagSets(tmp_path / "tags")
    sets.import_files([tmp_path / "one.csv", tmp_path / "two.csv"], options=ReadOptions(network=REGTEST))
    found = families_of(sets.select(None), REGTEST)
    assert [(each.name, each.addresses, each.sets) for each in found] == [
        ("Conti", (one,), ("two",)),
        ("LockBit", tuple(sorted((one, two))), ("one", "two")),
    ]
    assert families_of(sets.select(None), MAIN) == []
    assert [each.name for each in choose(found, ["LOCKBIT", "lock bit"])] == ["LockBit"]
    assert choose(found, []) == found
    with pytest.raises(UsageError, match="'lockbit2'") as raised:
        choose(found, ["LockBit 2"])
    assert "known: LockBit" in raised.value.hint


def test_median():
    assert [median(each) for each in ([], [4], [1, 4], [1, 2, 9])] == [None, 4, 2, 2]


def test_published_totals_are_whole():
    totals = published_totals()
    assert {(entry.family, entry.amount) for entry in totals} >= {
        ("", 2_296_754_000_000),
        ("Cryptolocker", 112_840_000_000),
    }
    for entry in totals:
        assert entry.source
        assert entry.url.startswith("https://")
        assert bool(entry.since) == bool(entry.until)
        assert 0 < entry.amount < 21_000_000 * 10**8


@pytest.mark.needs("shared")
def test_published_facts_are_those_of_the_shared_data(shared_data):
    import csv
    from decimal import Decimal

    with (shared_data / "attribution/showing-the-receipts/addresses.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    (receipts_,) = [entry for entry in published_totals() if entry.addresses == 1013]
    assert (len(rows), sum(Decimal(row["amountReceivedBTC"]) for row in rows)) == (
        1013,
        Decimal(receipts_.amount) / 10**8,
    )


@pytest.mark.needs("shared")
def test_darkside_on_the_colonial_data(root, shared_data, tmp_path):
    """Real chain data, a part of the chain: the two payments are found, and nothing of it looks like a total."""
    build(tmp_path / "chain", [str(root / "src/shieldwall/playbooks/data/colonial/facts.jsonl")])
    (tmp_path / "more.csv").write_text(
        "address,label,abuse,source\n15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr,Darkside,ransomware,the case\n"
    )
    sets = TagSets(tmp_path / "tags")
    sets.import_files([shared_data / "attribution/tagpacks/ransomwhere.yaml", tmp_path / "more.csv"])
    index = sets.select(None)
    found = families_of(index, MAIN)
    assert len(found) == 119  # of 122 labels, three differ from others in capitals or spaces only
    with ChainStore.open(tmp_path / "chain") as store:
        body = payment_statistics(store, choose(found, ["DarkSide"]), index.versions).body
        assert not whole(store)
    (row,) = body["families"]
    assert (row["addresses_here"], row["addresses"]) == (2, 4)
    assert row["payments"] == 2
    assert row["left_out"]["internal"] == {"outputs": 1, "amount": 1_693}  # change, to an address that is tagged, too
    assert not body["whole_chain"]
    assert body["sentence"].endswith("no total.")
    (published,) = row["published"]
    assert published["comparable"] is False
    assert published["published_amount"] == 7_500_050_000
    assert published["here_amount"] == row["amount"] == published["published_amount"]
