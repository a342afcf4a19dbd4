import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.errors import UsageError
from shieldwall.intel import CONFIDENCE, SERVICE_CATEGORIES, confidence_of
from shieldwall.intel.tag import category_of, iso_moment, statement, word


def test_confidence_words_are_those_of_the_tagpack():
    assert CONFIDENCE["ownership"] == 100
    assert CONFIDENCE["forensic"] == 50
    assert list(CONFIDENCE.values()) == sorted(CONFIDENCE.values(), reverse=True)
    with pytest.raises(UsageError, match="no confidence word"):
        confidence_of("certain")


def test_services_are_holders_of_the_money_of_many():
    assert {"exchange", "mixing_service", "market", "gambling", "payment_processor"} <= SERVICE_CATEGORIES
    assert not {"user", "perpetrator", "organization", "miner", "ransomware", "black_list"} & SERVICE_CATEGORIES


@pytest.mark.parametrize(
    ("category", "concepts", "wanted"),
    [
        ("exchange", [], "exchange"),
        (" Mixing Service", ["exchange"], "mixing_service"),
        ("CEX", [], "exchange"),
        ("", ["mention", "tumbler"], "mixing_service"),
        ("", ["mention", "donation"], ""),
        ("user", ["exchange"], "user"),
    ],
)
def test_category_is_its_own_or_the_first_service_among_the_concepts(category, concepts, wanted):
    assert category_of(category, concepts) == wanted


def test_dates_are_days_or_utc_seconds():
    assert iso_moment("2021-11-14") == "2021-11-14"
    assert iso_moment("2021-11-14T10:00:00+02:00") == "2021-11-14T08:00:00Z"
    for bad in ("yesterday", "2021-13-01", "0001-01-01T00:00:00+10:00"):
        with pytest.raises(ValueError, match=r".*"):
            iso_moment(bad)


@given(st.text(max_size=40))
def test_words_are_stable(text):
    assert word(word(text)) == word(text)


def test_a_statement_leaves_out_what_is_empty_and_keeps_false():
    assert statement(label="x", category="", concepts=[], context=None, cluster_definer=False) == {
        "label": "x",
        "cluster_definer": False,
    }
