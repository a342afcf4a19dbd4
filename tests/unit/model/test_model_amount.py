from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shieldwall.model.amount import btc, percent, share
from shieldwall.model.network import COIN, MAX_MONEY

SATOSHI = st.one_of(
    st.sampled_from([0, 1, 9, 10, COIN - 1, COIN, COIN + 1, MAX_MONEY - 1, MAX_MONEY]),
    st.integers(0, MAX_MONEY),
)


@pytest.mark.parametrize(
    ("satoshi", "text"),
    [
        (0, "0"),
        (1, "0.00000001"),
        (10, "0.0000001"),
        (-1, "-0.00000001"),
        (COIN, "1"),
        (-COIN, "-1"),
        (100 * COIN, "100"),
        (6_369_996_546, "63.69996546"),
        (7_500_050_000, "75.0005"),
        (MAX_MONEY, "21000000"),
        (MAX_MONEY - 1, "20999999.99999999"),
    ],
)
def test_btc_as_people_write_it(satoshi, text):
    assert btc(satoshi) == text


@given(SATOSHI, st.sampled_from([1, -1]))
def test_btc_is_exact_and_shortest(amount, sign):
    text = btc(sign * amount)
    with localcontext() as context:
        context.prec = 40
        assert Decimal(text) * COIN == sign * amount
    assert "e" not in text.lower()
    assert not text.endswith(".")
    assert "." not in text or not text.endswith("0")
    assert text != "-0"


@given(SATOSHI)
def test_btc_of_a_column_entry(amount):
    assert btc(np.uint64(amount)) == btc(np.int64(amount)) == btc(amount)


def in_millionths(text):
    whole, rest = text.split(".")
    assert len(rest) == 6
    return int(whole) * 10**6 + int(rest)


@given(SATOSHI, SATOSHI)
def test_share_is_the_nearest_millionth(part, whole):
    assume(whole > 0)
    found = in_millionths(share(part, whole))
    assert abs(2 * found * whole - 2 * part * 10**6) <= whole
    assert share(whole, whole) == "1.000000"
    assert share(0, whole) == "0.000000"


@given(st.lists(SATOSHI, min_size=1, max_size=20))
def test_shares_of_parts_add_up_to_the_whole(parts):
    whole = sum(parts)
    assume(whole > 0)
    total = sum(in_millionths(share(part, whole)) for part in parts)
    assert 2 * abs(total - 10**6) <= len(parts)
    assert in_millionths(share(sum(parts[1:]), whole)) <= 10**6


def test_half_a_millionth_rounds_up_and_nothing_has_no_share():
    assert share(1, 2_000_000) == "0.000001"
    assert share(1, 2_000_001) == "0.000000"
    assert share(3, 2_000_000) == "0.000002"
    assert share(0, 0) == share(5, 0) == "0.000000"


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, "0 %"),
        (0, 7, "0 %"),
        (1, 2, "50.0 %"),
        (1, 1000, "0.1 %"),
        (1, 1001, "< 0.1 %"),
        (1, MAX_MONEY, "< 0.1 %"),
        (999, 1000, "99.9 %"),
        (9995, 10_000, "> 99.9 %"),
        (MAX_MONEY - 1, MAX_MONEY, "> 99.9 %"),
        (MAX_MONEY, MAX_MONEY, "100.0 %"),
    ],
)
def test_percent_as_people_say_it(part, whole, text):
    assert percent(part, whole) == text


@given(SATOSHI, SATOSHI)
def test_percent_never_says_none_of_some_or_all_of_less(one, other):
    part, whole = sorted((one, other))
    assume(0 < part < whole)
    text = percent(part, whole)
    match text.split():
        case ["<", "0.1", "%"]:
            assert part * 1000 < whole
        case [">", "99.9", "%"]:
            assert part * 1000 > whole * 999
        case [number, "%"]:
            tenths = int(number.replace(".", ""))
            assert 0 < tenths < 1000
            assert abs(2 * tenths * whole - 2 * part * 1000) <= whole
        case _:
            pytest.fail(text)
