"""Numbers beyond 32 bits in columns of 32 and 40 read as they were written, at every edge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.chain.mapping import place_of, places_of
from shieldwall.chain.mirror import whole_numbers
from shieldwall.chain.wide import NONE, Ascending, Wide, carries_of, halves

STEPS = st.lists(
    st.one_of(st.integers(0, 3), st.integers((1 << 32) - 2, (1 << 32) + 2), st.integers(0, 1 << 34)), max_size=30
)


def laid(numbers, cuts=()):
    """An ascending column as a writer lays it down, in one piece or several."""
    carries, row, before = [], 0, 0
    for part in np.split(numbers, sorted(min(cut, len(numbers)) for cut in cuts)):
        carries += carries_of(part, before, row)
        row += len(part)
        before = int(part[-1]) if len(part) else before
    return Ascending(numbers.astype(np.uint32), carries)


@given(STEPS, st.lists(st.integers(0, 30), max_size=3), st.data())
def test_an_ascending_column_reads_as_its_numbers(steps, cuts, data):
    numbers = np.cumsum(np.array(steps, np.uint64), dtype=np.uint64)
    column = laid(numbers, cuts)
    assert len(column) == len(numbers)
    assert np.array_equal(column[:], numbers)
    assert np.array_equal(np.asarray(column), numbers)
    a, b = sorted((data.draw(st.integers(0, len(numbers))), data.draw(st.integers(0, len(numbers)))))
    assert np.array_equal(column[a:b], numbers[a:b])
    assert [column[k] for k in range(-len(numbers), len(numbers))] == [*numbers.tolist(), *numbers.tolist()]
    rows = np.array(
        data.draw(st.lists(st.integers(0, max(0, len(numbers) - 1)), max_size=5)) if steps else [], np.int64
    )
    assert np.array_equal(column[rows], numbers[rows])
    mask = np.arange(len(numbers)) % 2 == 0
    assert np.array_equal(column[mask], numbers[mask])


@given(STEPS, st.lists(st.integers(0, 1 << 36), max_size=4), st.sampled_from(["left", "right"]))
def test_places_in_an_ascending_column_are_numpys(steps, others, side):
    numbers = np.cumsum(np.array(steps, np.uint64), dtype=np.uint64)
    column = laid(numbers)
    wanted = np.concatenate((numbers, np.array(others, np.uint64), numbers + np.uint64(1)))
    expected = numbers.searchsorted(wanted, side)
    assert [place_of(column, int(number), side) for number in wanted] == expected.tolist()
    assert places_of(column, wanted, side).tolist() == expected.tolist()


@given(STEPS, st.integers(0, 1 << 35))
def test_low_halves_alone_tell_the_numbers_of_a_parcel(steps, before):
    """No step of a real column comes near 2^32: the numbers of one block are its outputs."""
    numbers = np.uint64(before) + np.cumsum(np.array([step % (1 << 31) for step in steps], np.uint64), dtype=np.uint64)
    assert np.array_equal(whole_numbers(numbers.astype(np.uint32), before), numbers)


@given(st.lists(st.one_of(st.integers(0, 5), st.integers(0, (255 << 32) - 1), st.just(NONE)), max_size=20))
def test_a_wide_column_reads_as_its_numbers(numbers):
    column = Wide(*halves(np.array(numbers, np.uint64)))
    assert column[:].tolist() == numbers
    assert [column[k] for k in range(len(numbers))] == numbers
    assert np.array_equal(np.asarray(column), np.array(numbers, np.uint64))


@pytest.mark.parametrize("number", [255 << 32, 1 << 40, NONE - 1])
def test_a_number_too_wide_is_refused(number):
    with pytest.raises(OverflowError):
        halves(np.array([number], np.uint64))
