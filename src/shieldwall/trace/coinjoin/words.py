"""The requirements of the CoinJoin rules in words, with the figures of one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from shieldwall.kernels import coinjoin_rules as rules
from shieldwall.kernels.arrays import WASABI_1_0, WASABI_1_1
from shieldwall.kernels.plain import coinjoins as plain
from shieldwall.kernels.plain.coinjoins import Shape
from shieldwall.model.amount import btc


def requirement(kind: int, key: str, shape: Shape) -> str:
    """What a requirement of a rule asks, and what the transaction has.

    Args:
        kind: The code of the rule's kind.
        key: The requirement's name in `shieldwall.kernels.plain.coinjoins`.
        shape: The transaction.
    """
    return _WORDS[key](kind, shape)


def _people(kind: int, shape: Shape) -> int:
    if kind == WASABI_1_0:
        return plain.base(shape)[1]
    if kind == WASABI_1_1:
        return max(plain.levels(shape).values(), default=0)
    return plain.denomination(shape)[1]


def _payers(shape: Shape) -> str:
    unknown = shape.payers.count(None)
    return f"{shape.known_payers} different holders pay" + (
        f", {unknown} inputs' holders are not known" if unknown else ""
    )


def _half(shape: Shape) -> int:
    return (len(shape.values) + 1) // 2


def _equal(value: int, times: int) -> str:
    return f"{times} of {btc(value)} BTC"


def _repeats(shape: Shape) -> list[int]:
    return [times for times in Counter(shape.payments).values() if times >= 2]


def _levels(shape: Shape) -> str:
    found = [f"{times} near {btc(rules.BASE << level)} BTC" for level, times in plain.levels(shape).items()]
    return "payments by level: " + (", ".join(found) or "none")


def _brought(shape: Shape) -> str:
    known = [value for value in shape.brought if value is not None]
    unknown = len(shape.brought) - len(known)
    told = f"inputs of {btc(min(known))} to {btc(max(known))} BTC" if known else "inputs"
    return told + (f", {unknown} of a value that is not known" if unknown else "")


def _paid(shape: Shape) -> str:
    return f"payments of {btc(min(shape.payments, default=0))} to {btc(max(shape.payments, default=0))} BTC"


def _entrants(shape: Shape) -> str:
    pool = min(shape.payments, default=0)
    new = sum(value is not None and value != pool for value in shape.brought)
    unknown = shape.brought.count(None)
    return f"{new} inputs bring more than the pool's amount" + (f", {unknown} are not known" if unknown else "")


def _premix(shape: Shape) -> str:
    place, value, times, _ = plain.premix(shape)
    if place < 0:
        return "no payment is a little above a pool's amount"
    return f"{_equal(value, times)}, prepared for the pool of {btc(rules.POOLS[place])} BTC"


def _fee(shape: Shape) -> str:
    place, _, _, fees = plain.premix(shape)
    if place < 0:
        return "no pool, so no fee of one"
    return f"payments of 0.5 to 3 times the pool's fee of {btc(rules.POOL_FEES[place])} BTC: {fees} (needs 1)"


def _spread(shape: Shape) -> str:
    unknown = shape.payers.count(None)
    told = (
        f"the holder that brings most inputs brings {shape.top_payer} of {len(shape.payers)} (needs a tenth or fewer)"
    )
    return told + (f"; of {unknown} inputs the holder is not known" if unknown else "")


def _inputs(least: int) -> Callable[[int, Shape], str]:
    return lambda _, shape: f"{len(shape.payers)} inputs (needs {least} or more)"


_WORDS: dict[str, Callable[[int, Shape], str]] = {
    # generic
    "two_inputs": _inputs(2),
    "three_outputs": lambda _, shape: f"{len(shape.values)} outputs (needs 3 or more)",
    "half_equal": lambda _, shape: (
        f"equal outputs: {_equal(*plain.mode(shape.values))} (needs {_half(shape)} exactly, half of {len(shape.values)})"
    ),
    "inputs_for_half": lambda _, shape: f"{len(shape.payers)} inputs (needs {_half(shape)} or more)",
    "payers_for_half": lambda _, shape: f"{_payers(shape)} (needs {_half(shape)} or more)",
    "equal_value_no_dust": lambda _, shape: (
        f"the equal value is {plain.mode(shape.values)[0]} satoshi (needs another than 546 and 2730)"
    ),
    # Whirlpool
    "mix_size": lambda _, shape: f"{len(shape.payers)} inputs (needs 5 to 8)",
    "as_many_payments": lambda _, shape: (
        f"{len(shape.payments)} payments for {len(shape.payers)} inputs (needs as many)"
    ),
    "pool_amounts": lambda _, shape: f"{_paid(shape)} (needs one pool's amount: {', '.join(map(btc, rules.POOLS))})",
    "distinct_payers": lambda _, shape: f"{_payers(shape)} (needs {len(shape.payers)})",
    "distinct_paid": lambda _, shape: (
        f"{len(set(shape.paid))} different holders get {len(shape.payments)} payments (needs one each)"
    ),
    "inputs_fit_pool": lambda _, shape: f"{_brought(shape)} (needs the pool's amount, or 100 to 110,000 satoshi more)",
    "one_to_four_entrants": lambda _, shape: f"{_entrants(shape)} (needs 1 to 4)",
    # tx0
    "one_input": _inputs(1),
    "one_data_output": lambda _, shape: f"{sum(shape.data)} OP_RETURN outputs (needs 1)",
    "two_payments": lambda _, shape: f"{len(shape.payments)} payments (needs 2 or more)",
    "prepared_coins": lambda _, shape: f"prepared coins: {_premix(shape)} (needs 1 to 70)",
    "little_else": lambda _, shape: (
        f"{len(shape.payments) - plain.premix(shape)[2]} payments beside the prepared coins (needs 2 or fewer)"
    ),
    "one_pool_fee": lambda _, shape: _fee(shape),
    # Wasabi 1.x
    "ten_inputs": _inputs(rules.WASABI_1_INPUTS),
    "payers_spread": lambda _, shape: _spread(shape),
    "base_value": lambda _, shape: (
        f"payments within 5 % of 0.1 BTC: {sum(plain.level(value) == 0 for value in shape.payments)} (needs 1 or more)"
    ),
    "half_base": lambda _, shape: (
        f"equal payments near 0.1 BTC: {_equal(*plain.base(shape))} (needs half of all {len(shape.payments)} but one)"
    ),
    "three_people": lambda kind, shape: f"{_people(kind, shape)} participants by the largest group (needs 3 or more)",
    "payers_for_people": lambda kind, shape: f"{_payers(shape)} (needs {_people(kind, shape)} or more)",
    "few_coins_each": lambda kind, shape: (
        f"{_payers(shape)} (needs {rules.COINS_EACH_MOST * _people(kind, shape)} or fewer)"
    ),
    "no_even_split": lambda _, shape: (
        f"{len(shape.payers)} inputs, payments of {btc(sum(shape.payments))} BTC in all (needs 20 inputs, or no multiple of "
        f"{btc(plain.mode(shape.payments)[0])} BTC)"
    ),
    "level_above": lambda _, shape: f"{_levels(shape)} (needs one above the first)",
    "enough_at_levels": lambda _, shape: (
        f"{sum(plain.levels(shape).values())} of {len(shape.payments)} payments are at a level (needs half of all but one, or "
        "all but one for each payer and one)"
    ),
    # WabiSabi
    "twenty_inputs": _inputs(rules.WABISABI_INPUTS),
    "no_small_payment": lambda _, shape: f"least payment {min(shape.payments, default=0)} satoshi (needs 5000 or more)",
    "three_repeated_values": lambda _, shape: f"{len(_repeats(shape))} values come twice or more (needs 3 or more)",
    "half_repeated": lambda _, shape: (
        f"{sum(_repeats(shape))} of {len(shape.payments)} payments repeat (needs half of all but one)"
    ),
    "one_not_repeated": lambda _, shape: (
        f"{len(shape.payments) - sum(_repeats(shape))} payments do not repeat (needs 1 or more)"
    ),
    # JoinMarket
    "three_equal": lambda _, shape: (
        f"equal payments above 2730 satoshi: {_equal(*plain.denomination(shape))} (needs 3 or more)"
    ),
    "two_equal": lambda _, shape: (
        f"equal payments above 2730 satoshi: {_equal(*plain.denomination(shape))} (needs 2 or more)"
    ),
    "half_equal_payments": lambda _, shape: (
        f"{plain.denomination(shape)[1]} equal of {len(shape.payments)} payments (needs half or more)"
    ),
    "one_change": lambda _, shape: (
        f"{len(shape.payments) - shape.payments.count(plain.denomination(shape)[0])} payments of another value (needs 1 or more)"
    ),
    "few_coins_in_large_round": lambda _, shape: (
        f"{len(shape.payers)} inputs for {plain.denomination(shape)[1]} participants (needs fewer than 50, or 20 each or fewer)"
    ),
    "payments_in_large_round": lambda _, shape: (
        f"{len(shape.payments)} payments for {plain.denomination(shape)[1]} participants "
        "(needs fewer than 50 inputs, or 1.7 each or more)"
    ),
}
