"""Each predicate on transactions that it names an output of, and on those that it does not."""

from __future__ import annotations

import pytest
from chain_support import START, scripts
from change_support import FINAL, data, fund, late_store_of, number_of, spend, store_of

from shieldwall.chain.regtest import BlockMaker, p2wpkh
from shieldwall.errors import UsageError
from shieldwall.trace.change.decide import decide
from shieldwall.trace.change.predicates import PREDICATES, PowerOfTen, every_predicate
from shieldwall.trace.change.spenders import FEATURES, Consistent

P2WPKH, P2PKH, P2SH, P2WSH, P2TR, P2PK, MULTISIG = scripts("someone")[:7]
BTC = 100_000_000


@pytest.fixture
def maker():
    return BlockMaker(time=START)


def named(maker, coin, rule):
    """Indexes that a rule leaves of the transaction that made a coin, and why for each output."""
    with store_of(maker) as store:
        verdict = decide(store, number_of(store, coin), rule)
    return verdict.candidates, [reasons[0].why for reasons in verdict.reasons]


def test_address_type(maker):
    one, other = fund(maker, "a", "b")
    paid = spend(maker, [one], (P2SH, BTC), ("change", 3 * BTC))
    mixed = spend(maker, [other, paid[0]], (P2SH, BTC), ("change", 3 * BTC))
    maker.mine(P2SH)
    assert named(maker, paid[0], "address_type") == (
        (1,),
        ["all inputs are p2wpkh, and it is p2sh", "all inputs are p2wpkh, and so is it"],
    )
    assert named(maker, mixed[0], "address_type") == ((), ["the inputs are of several kinds: p2sh, p2wpkh"] * 2)


def test_address_reuse(maker):
    one, other = fund(maker, "a", "b")
    back = spend(maker, [one], ("shop", BTC), ("a", BTC))
    away = spend(maker, [other], ("shop", BTC), ("elsewhere", BTC))
    maker.mine(P2SH)
    assert named(maker, back[0], "address_reuse") == (
        (1,),
        ["its address pays no input", "its address pays an input too"],
    )
    assert named(maker, away[0], "address_reuse")[0] == ()


def test_optimal_and_optimal_with_fee(maker):
    coins = spend(maker, fund(maker, "a"), ("a", 3 * BTC), ("a", 2 * BTC), ("a", BTC), ("a", BTC))
    clear = spend(maker, coins[:2], ("shop", 3 * BTC), ("c", BTC))  # 1 and the fee of 1 are no less than 2
    maker.mine(P2SH)
    large = spend(maker, coins[2:], ("shop", BTC // 2), ("c", BTC))
    maker.mine(P2SH)
    assert named(maker, clear[0], "optimal")[0] == (1,)
    assert named(maker, clear[0], "optimal_with_fee") == (
        (),
        [
            "300000000 satoshi and the fee of 100000000 are together not smaller than the smallest input, 200000000",
            "100000000 satoshi and the fee of 100000000 are together not smaller than the smallest input, 200000000",
        ],
    )
    assert named(maker, large[0], "optimal")[0] == (0,)
    assert named(maker, large[0], "optimal_with_fee")[0] == ()


def test_optimal_with_fee_names_what_fits_with_the_fee(maker):
    coins = spend(maker, fund(maker, "a"), ("a", 3 * BTC), ("a", 2 * BTC))
    paid = spend(maker, coins, ("shop", 4 * BTC), ("c", BTC - 1_000))
    maker.mine(P2SH)
    assert named(maker, paid[0], "optimal_with_fee")[0] == (1,)


def test_with_one_input_every_output_is_smaller(maker):
    paid = spend(maker, fund(maker, "a"), ("shop", BTC), ("c", BTC))
    maker.mine(P2SH)
    assert named(maker, paid[0], "optimal")[0] == (0, 1)


def test_optimal_says_nothing_where_a_value_is_not_known(maker):
    (coin,) = fund(maker, "a")
    paid = spend(maker, [coin], ("shop", BTC), ("c", 2 * BTC))
    maker.mine(P2SH)
    with late_store_of(maker, 2, undo=False) as store:
        for rule in ("optimal", "optimal_with_fee", "address_type", "fresh_address"):
            verdict = decide(store, number_of(store, paid[0]), rule)
            assert verdict.candidates == ()
            assert "not known" in verdict.reasons[0][0].why
        assert decide(store, number_of(store, paid[0]), "power_of_ten(3)").reasons


@pytest.mark.parametrize("digits", range(1, 16))
def test_power_of_ten(maker, digits):
    step = 10**digits
    value = min(step, 2 * BTC)
    (coin,) = fund(maker, "a")
    paid = spend(maker, [coin], ("shop", value), ("c", value + 1), ("d", 0))
    maker.mine(P2SH)
    assert named(maker, paid[0], f"power_of_ten({digits})")[0] == ((1,) if step == value else (0, 1))


@pytest.mark.parametrize("digits", [0, -1, 16])
def test_power_of_ten_has_bounds(digits):
    with pytest.raises(UsageError, match="power_of_ten"):
        PowerOfTen(digits)


def test_client_behaviour_and_fresh_address(maker):
    one, other, third = fund(maker, "a", "b", "shop")
    first = spend(maker, [one], ("shop", BTC), ("new", BTC))
    again = spend(maker, [first[1]], ("shop", BTC // 2), ("new", BTC // 3))
    both = spend(maker, [other], ("newer", BTC), ("newest", BTC))
    itself = spend(maker, [third], ("shop", BTC), ("latest", BTC))
    maker.mine(P2SH)
    for rule in ("client_behaviour", "fresh_address"):
        assert named(maker, first[0], rule)[0] == (1,)
        assert named(maker, again[0], rule)[0] == ()
    assert named(maker, both[0], "client_behaviour")[0] == (0, 1)
    assert named(maker, both[0], "fresh_address") == (
        (),
        ["2 outputs pay addresses that are first seen here, not one"] * 2,
    )
    assert named(maker, itself[0], "client_behaviour")[0] == (1,)
    assert named(maker, itself[0], "fresh_address") == ((), ["an output pays an address that also pays an input"] * 2)


def test_an_address_paid_twice_is_fresh_in_both_outputs(maker):
    paid = spend(maker, fund(maker, "a"), ("new", BTC), ("new", 2 * BTC), ("a", BTC))
    maker.mine(P2SH)
    assert named(maker, paid[0], "client_behaviour")[0] == (0, 1)
    assert named(maker, paid[0], "fresh_address")[0] == ()


@pytest.mark.parametrize("batch", [1, 32 << 20])
def test_a_payer_from_outside_has_been_seen(maker, batch):
    """However many batches it took: the numbers of such holders do not follow the order of outputs."""
    old, other, last = fund(maker, "old", "other", "last")
    spend(maker, [old], ("x", BTC), ("y", BTC))
    maker.mine(P2SH)
    paid = spend(maker, [other], ("old", BTC), ("z", BTC), ("last", BTC))
    maker.mine(P2WSH)
    spend(maker, [last], ("p", BTC), ("q", BTC))
    maker.mine(P2TR)
    with late_store_of(maker, 4, undo=True, batch=batch) as store:
        found = decide(store, number_of(store, paid[0]), "client_behaviour")
        assert found.candidates == (1, 2)  # "last" is seen later only, as far as this store knows


def likewise(maker, rule, **traits):
    """Indexes left of a transaction whose outputs are spent by transactions of other traits: the second's are its own."""
    plain = {"version": 2, "locktime": 0, "sequence": FINAL}
    (coin,) = fund(maker, "a")
    paid = spend(maker, [coin], ("shop", BTC), ("c", BTC), ("kept", BTC), **(plain | traits))
    spend(maker, paid[:1], ("x", BTC), **plain)
    spend(maker, paid[1:2], ("y", BTC), **(plain | traits))
    maker.mine(P2SH)
    return named(maker, paid[0], rule)


@pytest.mark.parametrize(
    ("rule", "traits"),
    [
        ("locktime", {"locktime": 5}),
        ("version", {"version": 1}),
        ("version", {"version": 7}),
        ("rbf", {"sequence": FINAL - 2}),
    ],
)
def test_locktime_version_and_rbf_keep_what_is_unspent(maker, rule, traits):
    left, why = likewise(maker, rule, **traits)
    assert left == (1, 2)
    assert why[2] == "no transaction here spends it, so that nothing speaks against it"
    assert likewise(BlockMaker(time=START), rule)[0] == (0, 1, 2)


def consistent(maker, feature, *, own, like, unlike):
    """What `consistent` names where the first output's spender is unlike the transaction, and the second's like it."""
    paid = own(maker)
    unlike(maker, paid[0])
    like(maker, paid[1])
    maker.mine(P2SH)
    return named(maker, paid[0], f"consistent({feature})")


def one_to_two(maker, **traits):
    (coin,) = fund(maker, "a")
    return spend(maker, [coin], ("shop", BTC), ("c", BTC), **traits)


@pytest.mark.parametrize(
    ("feature", "traits"),
    [
        ("locktime", {"locktime": 5}),
        ("version", {"version": 1}),
        ("rbf", {"sequence": FINAL}),
    ],
)
def test_consistent_flags(maker, feature, traits):
    left, why = consistent(
        maker,
        feature,
        own=lambda maker: one_to_two(maker, **traits),
        like=lambda maker, coin: spend(maker, [coin], ("x", BTC), **traits),
        unlike=lambda maker, coin: spend(maker, [coin], ("x", BTC)),
    )
    assert left == (1,)
    assert why[1].startswith("its spender is like this transaction")


def test_consistent_counts(maker):
    for feature in ("output_count", "in_out_count"):
        left, why = consistent(
            BlockMaker(time=START),
            feature,
            own=one_to_two,
            like=lambda maker, coin: spend(maker, [coin], ("x", BTC // 2), ("y", BTC // 2)),
            unlike=lambda maker, coin: spend(maker, [coin], ("x", BTC)),
        )
        assert left == (1,)
        assert "outputs: one" in why[0]
    two = consistent(
        maker,
        "in_out_count",
        own=one_to_two,
        like=lambda maker, coin: spend(maker, [coin], ("x", BTC // 2), ("y", BTC // 2)),
        unlike=lambda maker, coin: spend(maker, [coin, *fund(maker, "more")], ("x", BTC), ("y", BTC)),
    )
    assert two[0] == (1,)


def test_consistent_ordered(maker):
    own = one_to_two  # equal amounts, of which the scripts decide
    expected = sorted((p2wpkh("shop").payload, p2wpkh("c").payload)) == [p2wpkh("shop").payload, p2wpkh("c").payload]

    def up(maker, coin):
        spend(maker, [coin], ("x", BTC // 4), ("y", BTC // 2))

    def down(maker, coin):
        spend(maker, [coin], ("x", BTC // 2), ("y", BTC // 4))

    like, unlike = (up, down) if expected else (down, up)
    assert consistent(maker, "ordered", own=own, like=like, unlike=unlike)[0] == (1,)


def test_consistent_address_types_segwit_and_multisig():
    for feature, script in (("address_types", P2PKH), ("segwit", P2PKH), ("multisig", MULTISIG)):
        maker = BlockMaker(time=START)
        if feature == "multisig":
            coins = spend(maker, fund(maker, "a"), (P2PKH, 2 * BTC))
        else:
            coins = fund(maker, "a")
        paid = spend(maker, coins, (script, BTC), ("c" if feature != "multisig" else P2PKH, BTC // 2))
        spend(maker, paid[:1], ("x", BTC))
        spend(maker, paid[1:], ("x", BTC // 2))
        maker.mine(P2SH)
        assert named(maker, paid[0], f"consistent({feature})")[0] == (1,), feature


def test_consistent_absolute_fee(maker):
    (coin,) = fund(maker, "a")
    paid = spend(maker, [coin], ("shop", BTC), ("c", coin.value - BTC - 777))
    spend(maker, paid[:1], ("x", BTC - 500))
    spend(maker, paid[1:], ("x", paid[1].value - 777))
    maker.mine(P2SH)
    assert named(maker, paid[0], "consistent(absolute_fee)")[0] == (1,)


def test_consistent_zero_conf(maker):
    (coin,) = fund(maker, "a")
    before = spend(maker, [coin], ("a", 3 * BTC))
    paid = spend(maker, before, ("shop", BTC), ("c", BTC))
    spend(maker, paid[1:], ("x", BTC))
    maker.mine(P2SH)
    spend(maker, paid[:1], ("x", BTC))
    maker.mine(P2SH)
    assert named(maker, paid[0], "consistent(zero_conf)")[0] == (1,)


def test_consistent_needs_a_standard_transaction_with_both_outputs_spent(maker):
    one, other = fund(maker, "a", "b")
    three = spend(maker, [one], ("x", BTC), ("y", BTC), ("z", BTC))
    for coin in three:
        spend(maker, [coin], ("w", BTC))
    half = spend(maker, [other], ("x", BTC), ("y", BTC))
    spend(maker, half[:1], ("w", BTC))
    maker.mine(P2SH)
    for feature in FEATURES:
        assert named(maker, three[0], f"consistent({feature})") == (
            (),
            ["it has not exactly two outputs that can be spent"] * 3,
        )
        assert named(maker, half[0], f"consistent({feature})") == (
            (),
            ["the store does not hold the spenders of both outputs"] * 2,
        )


def test_consistent_says_nothing_where_a_feature_is_not_known(maker):
    one, other = fund(maker, "a", "b")
    more = fund(maker, "d")
    paid = spend(maker, [other], ("x", BTC), ("y", BTC))
    spend(maker, [paid[0], one], ("w", BTC))
    spend(maker, paid[1:], ("w", BTC))
    spend(maker, more, ("v", BTC))
    maker.mine(P2SH)
    with late_store_of(maker, 3, undo=False) as store:
        number = number_of(store, paid[0])
        for feature in ("address_types", "segwit", "multisig", "absolute_fee"):
            verdict = decide(store, number, f"consistent({feature})")
            assert (verdict.candidates, verdict.reasons[0][0].why) == (
                (),
                f"{feature} is not known of this transaction or of a spender",
            )
        assert decide(store, number, "consistent(version)").candidates == (0, 1)


def test_there_is_no_such_feature():
    with pytest.raises(UsageError, match="no such feature"):
        Consistent("relative_fee")


def test_peeling(maker):
    (coin,) = fund(maker, "a")
    hops = [spend(maker, [coin], ("shop 0", BTC), ("c 0", 40 * BTC))]
    for number in range(1, 4):
        hops.append(spend(maker, hops[-1][1:], (f"shop {number}", BTC), (f"c {number}", (40 - 2 * number) * BTC)))
    spend(maker, hops[0][:1], ("cashed", BTC))
    maker.mine(P2SH)
    assert named(maker, hops[0][0], "peeling")[0] == (1,)
    assert named(maker, hops[1][0], "peeling")[0] == (0, 1)  # the other output is not spent
    assert named(maker, hops[3][0], "peeling")[0] == (0, 1)  # the end of the chain: the transaction before is of it


def test_a_lone_payment_is_no_peel_chain(maker):
    one, *others = fund(maker, "a", "b", "c")
    lone = spend(maker, [one], ("shop", BTC), ("c", BTC))
    spend(maker, lone, ("x", BTC))
    many = spend(maker, others, ("shop", BTC), ("c", BTC))
    spend(maker, many[:1], ("x", BTC // 2), ("y", BTC // 3))
    maker.mine(P2SH)
    why = "neither the transaction before nor one behind has one input and two outputs"
    assert named(maker, lone[0], "peeling") == ((), [why] * 2)
    assert named(maker, many[0], "peeling") == ((), ["it has not one input and two outputs"] * 2)


def test_spent_standard_and_none(maker):
    one, other = fund(maker, "a", "b")
    paid = spend(maker, [one], ("x", BTC), ("y", BTC))
    spend(maker, paid[:1], ("w", BTC))
    noted = spend(maker, [other], ("x", BTC), ("y", BTC), (data(), 0))
    maker.mine(P2SH)
    assert named(maker, paid[0], "spent")[0] == (0,)
    assert named(maker, paid[0], "standard")[0] == (0, 1)
    assert named(maker, noted[0], "standard")[0] == ()
    assert named(maker, noted[0], "none") == ((), ["the rule names nothing"] * 3)


@pytest.mark.parametrize("predicate", every_predicate(), ids=str)
def test_no_rule_names_what_cannot_be_change(maker, predicate):
    """Coinbases, sweeps, and outputs that nobody can ever spend."""
    one, other, third = fund(maker, "a", "b", "c")
    sweep = spend(maker, [one], ("a", BTC))
    noted = spend(maker, [other], (data(), 1), ("b", BTC))
    paid = spend(maker, [third], (data(), 1), ("c", BTC), ("x", 3 * BTC))
    maker.mine(P2SH)
    with store_of(maker) as store:
        for coin in (one, sweep[0], noted[1]):
            verdict = decide(store, number_of(store, coin), predicate)
            assert verdict.candidates == ()
            assert verdict.output is None
        assert 0 not in decide(store, number_of(store, paid[0]), predicate).candidates


def test_every_predicate_has_a_definition_a_source_and_figures_that_fit():
    seen = set()
    for predicate in every_predicate():
        published = predicate.published
        assert predicate.definition.endswith(".")
        assert published.source
        seen.add(str(predicate))
        for figure in (published.tpr, published.fpr, published.coverage):
            assert figure is None or 0 < float(figure) < 1
        if published.known:
            doc = type(predicate).__doc__ or ""
            assert all(figure in doc for figure in (published.tpr, published.fpr, published.coverage) if figure)
            assert len(published.rates()) == 3
        else:
            assert (
                "none" in (type(predicate).__doc__ or "").lower()
                or "no rates" in (type(predicate).__doc__ or "").lower()
            )
            assert [rate.known for rate in published.rates()] == [False]
    assert len(seen) == len(every_predicate())
    assert set(PREDICATES) < seen


def test_what_looks_at_spenders_looks_ahead():
    ahead = {str(predicate) for predicate in every_predicate() if predicate.looks_ahead}
    still = {"locktime", "version", "rbf", "peeling", "spent"}
    assert ahead == still | {f"consistent({feature})" for feature in FEATURES}
