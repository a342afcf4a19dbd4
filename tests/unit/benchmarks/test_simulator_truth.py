"""What the truth files say is what the chain shows; every kind has its published shape, look-alikes included.

The shapes are those of Stuetz et al. (AFT 2022), of the open detectors that follow them, and BlockSci's for the generic one.
"""

from collections import Counter

import numpy as np
import pytest
from simulator_support import is_change, key, of_kind, owner, rows, script_type, small_plan, truth, value

from simulator.kinds import EntityKind, JoinKind, ScriptType, TransactionKind
from simulator.wasabi import STANDARD
from simulator.whirlpool import POOL_FEES, POOLS

TENTH = 10_000_000  # satoshi


def values(outputs):
    return [value(output) for output in outputs]


def owners(outputs):
    return {owner(output) for output in outputs}


def keys(outputs):
    return [key(output) for output in outputs]


def entity_kind(entity):
    return EntityKind(int(truth()[0]["entity_kind"][entity]))


def assert_many_owners(row, least):
    assert len(owners(row.spends)) >= least
    assert len(set(keys(row.makes))) == len(row.makes)


def modal(amounts):
    return Counter(amounts).most_common(1)[0]


def is_generic(row):
    """The structural test of BlockSci."""
    people = (len(row.makes) + 1) // 2
    amount, count = modal(values(row.makes))
    enough = len(row.spends) >= 2 and len(row.makes) >= 3 and people <= len(set(keys(row.spends)))
    return enough and count == people and amount not in (546, 2730)


def test_the_numbers_in_the_json_are_those_of_the_tables():
    tables, said = truth()
    assert said["label"] == "simulator"
    assert said["transactions"] == len(tables["tx_kind"]) == len(rows())
    assert said["outputs"] == len(tables["output_owner"]) == len(tables["output_is_change"])
    assert said["inputs"] == len(tables["input_output"])
    assert sum(said["transactions_by_kind"].values()) == said["transactions"]
    assert sum(said["entities_by_kind"].values()) == len(tables["entity_kind"])


def test_every_kind_occurs():
    said = truth()[1]
    assert [name for name, count in said["transactions_by_kind"].items() if count == 0] == []
    assert [name for name, count in said["coinjoins_by_kind"].items() if count == 0] == []
    assert [name for name, count in said["entities_by_kind"].items() if count == 0] == []
    found = {script_type(output) for row in rows() for output in row.makes}
    assert found == set(ScriptType)


def test_a_transaction_of_one_sender_has_one_owner_of_inputs_and_its_change_is_theirs():
    joins = truth()[0]["coinjoin_kind"]
    for row in rows():
        if row.spends and joins[row.number] in (JoinKind.NONE, JoinKind.WHIRLPOOL_TX0):
            (sender,) = owners(row.spends)
            assert all(owner(output) == sender for output in row.makes if is_change(output))
        elif row.spends:
            assert len(owners(row.spends)) > 1
            assert owners(output for output in row.makes if is_change(output)) <= owners(row.spends)


def test_an_address_has_one_owner():
    seen = {}
    for row in rows():
        for output in row.makes:
            assert seen.setdefault(key(output), owner(output)) == owner(output)


def test_whirlpool_mixes():
    for row in of_kind("coinjoin_kind", JoinKind.WHIRLPOOL):
        (amount,) = set(values(row.makes))
        assert amount in POOLS.tolist()
        assert 5 <= len(row.spends) == len(row.makes) <= 8
        assert len(set(keys(row.spends))) == len(row.spends)
        extra = [brought - amount for brought in values(row.spends)]
        assert all(more == 0 or 100 <= more <= 110_000 for more in extra)
        assert 1 <= sum(more > 0 for more in extra) <= 4
        assert_many_owners(row, 2)


def test_whirlpool_preparations():
    for row in of_kind("coinjoin_kind", JoinKind.WHIRLPOOL_TX0):
        spendable = [output for output in row.makes if script_type(output) != ScriptType.DATA]
        assert len(row.makes) - len(spendable) == 1
        ((pool, fee),) = [
            (amount, fee)
            for amount, fee in zip(POOLS.tolist(), POOL_FEES.tolist(), strict=True)
            if sum(fee <= 2 * paid <= 6 * fee for paid in values(spendable)) == 1
            and any(amount + 100 <= paid <= amount + 110_000 for paid in values(spendable))
        ]
        prepared = [paid for paid in values(spendable) if pool + 100 <= paid <= pool + 110_000]
        assert len(set(prepared)) == 1
        assert len(spendable) - 2 <= len(prepared) <= 70
        assert fee in values(spendable)


def test_wasabi_1_rounds():
    for kind in (JoinKind.WASABI_1_0, JoinKind.WASABI_1_1):
        for row in of_kind("coinjoin_kind", kind):
            assert len(row.spends) >= 10
            assert modal(keys(row.spends))[1] <= len(row.spends) / 10
            equal = Counter(values(row.makes))
            levels = [
                sum(count for paid, count in equal.items() if abs(paid - (TENTH << i)) <= (TENTH << i) // 20)
                for i in range(9)
            ]
            assert levels[0] >= 3
            assert levels[0] <= len(set(keys(row.spends))) <= 7 * levels[0]
            mixed = levels[0] if kind == JoinKind.WASABI_1_0 else sum(levels)
            assert 2 * mixed >= len(row.makes) - 1
            if kind == JoinKind.WASABI_1_1:
                amount = max(equal, key=equal.get)
                repeated = [i for i in range(9) if equal[amount << i] >= 2]
                assert repeated == list(range(len(repeated)))
                assert len(repeated) >= 2
            assert_many_owners(row, 10)


def test_wabisabi_rounds():
    for row in of_kind("coinjoin_kind", JoinKind.WABISABI):
        equal = Counter(values(row.makes))
        repeated = {paid: count for paid, count in equal.items() if count >= 2}
        assert len(row.spends) >= 20
        assert modal(keys(row.spends))[1] <= len(row.spends) / 10
        assert min(values(row.makes)) >= 5_000
        assert len(repeated) >= 3
        assert len(row.makes) > sum(repeated.values()) >= len(row.makes) / 2
        assert set(repeated) & set(STANDARD.tolist())
        assert values(row.makes) == sorted(values(row.makes), reverse=True)
        assert_many_owners(row, 20)


def test_joinmarket_rounds():
    for row in of_kind("coinjoin_kind", JoinKind.JOINMARKET):
        amount, people = modal(values(row.makes))
        assert 2 * people >= len(row.makes)
        assert 3 <= people <= len(set(keys(row.spends)))
        assert any(paid != amount for paid in values(row.makes))
        assert len(owners(row.spends)) == people
        assert_many_owners(row, 3)


def test_generic_rounds():
    for row in of_kind("coinjoin_kind", JoinKind.GENERIC):
        assert is_generic(row)
        assert_many_owners(row, 3)


def test_payjoins_pay_someone_who_brings_a_coin():
    for row in of_kind("coinjoin_kind", JoinKind.PAYJOIN):
        assert len(row.spends) == len(row.makes) == len(owners(row.spends)) == 2
        assert owners(row.makes) == owners(row.spends)


def test_an_equal_batch_looks_like_a_coinjoin_and_has_one_payer():
    for row in of_kind("tx_kind", TransactionKind.EQUAL_BATCH):
        (payer,) = owners(row.spends)
        assert entity_kind(payer) == EntityKind.EXCHANGE
        assert modal(values(row.makes))[1] >= 5
        assert truth()[0]["coinjoin_kind"][row.number] == JoinKind.NONE
    assert any(is_generic(row) for row in of_kind("tx_kind", TransactionKind.EQUAL_BATCH))


def test_a_stonewall_has_one_owner_and_a_decoy():
    for row in of_kind("tx_kind", TransactionKind.STONEWALL):
        (payer,) = owners(row.spends)
        amount, count = modal(values(row.makes))
        assert (len(row.makes), count) == (4, 2)
        assert sorted(owner(output) == payer for output in row.makes if value(output) == amount) == [False, True]


def test_peel_chains_hang_together():
    tables = truth()[0]
    assert len(tables["peel_chain"]) > 1
    for number, (holder, campaign, start, end, hops, done) in enumerate(tables["peel_chain"].tolist()):
        hop_txs = np.flatnonzero(tables["tx_peel_chain"] == number).tolist()
        assert len(hop_txs) == hops
        assert tables["tx_peel_hop"][hop_txs].tolist() == list(range(hops))
        coin = start
        for tx in hop_txs:
            row = rows()[tx]
            assert row.spends == [coin]
            assert owner(coin) == holder
            assert tables["tx_kind"][tx] == TransactionKind.PEEL
            assert len(row.makes) in (1, 2)
            coin = next((output for output in row.makes if is_change(output)), row.makes[0])
        assert coin == end
        if campaign >= 0 and done:
            assert entity_kind(owner(end)) in (EntityKind.EXCHANGE, EntityKind.RANSOM_ACTOR)


def test_campaigns_begin_with_victims_and_end_at_exchanges():
    tables = truth()[0]
    maker = {output: row for row in rows() for output in row.makes}
    actors = tables["campaign"][:, 0].tolist()
    assert len(tables["ransom"]) >= 3
    for campaign, output, victim in tables["ransom"].tolist():
        row = maker[output]
        assert tables["tx_kind"][row.number] == TransactionKind.RANSOM_PAYMENT
        assert owner(output) == actors[campaign]
        assert owners(row.spends) == {victim}
        bought = maker[row.spends[0]]
        assert {entity_kind(seller) for seller in owners(bought.spends)} == {EntityKind.EXCHANGE}
    assert len(tables["deposit"]) > 0
    for campaign, chain, output, exchange in tables["deposit"].tolist():
        assert owner(output) == exchange
        assert entity_kind(exchange) == EntityKind.EXCHANGE
        assert tables["peel_chain"][chain, 1] == campaign
        assert tables["tx_peel_chain"][maker[output].number] == chain
    paid = np.bincount(tables["ransom"][:, 0], minlength=len(actors)).tolist()
    assert paid == tables["campaign"][:, 2].tolist()


def test_a_wallet_keeps_its_habits():
    plan, tables = small_plan(), truth()[0]
    payments = np.flatnonzero(tables["tx_kind"] == TransactionKind.PAYMENT)
    habit = tables["entity_fingerprint"]
    for row in (rows()[number] for number in payments.tolist()):
        (payer,) = owners(row.spends)
        assert tables["tx_fingerprint"][row.number] == habit[payer]
        assert plan.state.tx["version"][row.number] == (2 if habit[payer] & 1 else 1)
        assert (plan.state.tx["locktime"][row.number] > 0) == bool(habit[payer] & 2)
        changes = [place for place, output in enumerate(row.makes) if is_change(output)]
        place = (int(habit[payer]) >> 3) & 3
        if changes and place == 0:
            assert changes == [0]
        if changes and place == 1:
            assert changes == [len(row.makes) - 1]


@pytest.mark.parametrize("shape", ["P2PKH", "P2WPKH", "P2TR"])
def test_change_of_one_output_is_of_the_wallets_type(shape):
    tables = truth()[0]
    for row in of_kind("tx_kind", TransactionKind.PAYMENT):
        for output in row.makes:
            if is_change(output) and not tables["entity_fingerprint"][owner(output)] & 256:
                wanted = (int(tables["entity_fingerprint"][owner(output)]) >> 5) & 7
                assert (script_type(output) == ScriptType[shape]) == (wanted == ScriptType[shape])
