"""The report and the CSV: self-contained, complete or counted, and deaf to what labels try."""

from __future__ import annotations

import copy
import csv
import io
import pickle
import re
from html.parser import HTMLParser

import pytest
from trace_support import Chain, Services, identity, tag_of

from shieldwall.model.amount import btc
from shieldwall.trace.follow import follow
from shieldwall.trace.labels import Label
from shieldwall.trace.printable import printable
from shieldwall.trace.report import MOST_ENDS, MOST_NAMES, MOST_ROWS, render
from shieldwall.trace.result import CSV_COLUMNS, TraceResult
from shieldwall.trace.targets import find_targets

HOSTILE = '"><script src="http://evil.example/x.js"></script><img src=x onerror=alert(1)>\x1b]0;pwned\x07\u202e'
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Tags, attributes and text of a page, and whether its tags close in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words, self._open = [], [], [], []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def traced(chain, *words, **options):
    with chain.store() as store:
        return follow(store, find_targets(store, words), **options)


@pytest.fixture(scope="module")
def result():
    chain = Chain()
    first, second = chain.fund(700_000, 300_000)
    deposit, friend = chain.pay([first], ("deposit", 500_000), ("friend", 199_000))
    chain.mine()
    chain.pay([friend, second], ("pool", 450_000), ("change", 48_000))
    chain.mine()
    del deposit
    labels = Services(frozenset([identity("deposit")]))
    return traced(chain, identity("friend"), identity("origin"), method="all", labels=labels)


def check_self_contained(text):
    page = Page(text)
    assert not {"script", "iframe", "object", "embed", "link", "base", "form"} & set(page.tags)
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        if name in ("src", "href", "srcset", "action", "data", "poster") and not value.startswith("#peel-"):
            pytest.fail(f"{tag} loads {value}")
    policy = [
        value for tag, name, value in page.attributes if tag == "meta" and name == "content" and "default-src" in value
    ]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]
    styles = "".join(re.findall(r"<style>(.*?)</style>", text, re.DOTALL))
    assert "url(" not in styles
    assert "@import" not in styles
    return page


def test_the_page_has_every_number_of_the_result(result):
    page = check_self_contained(render(result))
    body = result.as_dict()
    assert body["sentence"] in page.text
    assert body["digest"] in page.text
    assert body["chain_digest"] in page.text
    assert body["tip_hash"] in page.text
    for name in ("seed", "held", "service", "unknown", "fee", "limit", "gap", "returned"):
        assert btc(body[f"{name}_amount"]) in page.text
    for end in body["ends"]:
        assert btc(end["amount"]) in page.text
        assert end["address"] is None or end["address"] in page.text
    for transfer in body["transfers"]:
        assert transfer["txid"] in page.text
        assert btc(transfer["fee"]) in page.text
        for entry in transfer["inputs"] + transfer["outputs"]:
            assert btc(entry["amount"]) in page.text
    for side in body["methods"]:
        assert all(btc(end["amount"]) in page.text for end in side["ends"])
    assert "The six parts add up to what was followed, to the satoshi." in page.text


def test_same_result_same_page(result):
    assert render(result) == render(result) == render(pickle.loads(pickle.dumps(result)))  # noqa: S301 - our own
    assert render(result, title="Case 1", label="EXERCISE").count("EXERCISE") == 1


def test_labels_cannot_write_the_page():
    chain = Chain()
    (coin,) = chain.fund(100)
    chain.pay([coin], ("desk", 60), ("friend", 40))
    chain.mine()

    class Hostile:
        versions = ({"set": HOSTILE, "version": HOSTILE},)
        stop = (HOSTILE,)

        def of(self, name):
            freezer = {"name": HOSTILE, "legal_entity": HOSTILE, "country": HOSTILE, "channel": HOSTILE}
            service = HOSTILE if name == identity("desk") else None
            return Label((tag_of(HOSTILE, HOSTILE, HOSTILE),), service, HOSTILE, (freezer,), (HOSTILE,))

    result = traced(chain, identity("origin"), labels=Hostile())
    page = check_self_contained(render(result, title=HOSTILE, label=HOSTILE))
    assert "script src=" in page.text  # as text
    assert not any(mark in render(result) for mark in ("\x1b", "\x07", "\u202e"))
    assert "<script" not in result._repr_html_()
    rows = list(csv.reader(io.StringIO(result.to_csv())))
    assert all(len(row) == len(CSV_COLUMNS) for row in rows)


def test_what_does_not_fit_the_page_is_counted():
    chain = Chain()
    (coin,) = chain.fund(10**6)
    coins = chain.pay([coin], *((f"payee-{number}", 100 + number) for number in range(MOST_ROWS + 50)))
    chain.mine()
    for part in coins:
        chain.pay([part], (f"next-{part.value}", part.value))
    chain.mine()
    result = traced(chain, identity("origin"), method="all")
    page = check_self_contained(render(result))
    ends = result.body["ends"]
    assert len(ends) == MOST_ROWS + 51
    left = sum(end["amount"] for end in ends[MOST_ENDS:])
    count = len(ends) - MOST_ENDS
    assert f"+ {count} others {btc(left)} in the JSON and CSV of this trace" in page.text
    assert "+ 51 other transactions, in the JSON of this trace" in page.text
    outputs = result.body["transfers"][0]["outputs"]
    assert f"+ {len(outputs) - MOST_NAMES} others, {btc(sum(o['amount'] for o in outputs[MOST_NAMES:]))}" in page.text
    assert page.text.count(f"+ {count} others") == 2  # ends, and the methods side by side


def test_a_peel_chain_unfolds():
    chain = Chain()
    (coin,) = chain.fund(10**6)
    for number in range(30):
        _, coin = chain.pay(
            [coin], ("desk" if number % 2 else f"shop-{number}", 1000), (f"rest-{number}", coin.value - 1003)
        )
        chain.mine()
    result = traced(chain, identity("origin"), labels=Services(frozenset([identity("desk")]), HOSTILE))
    page = check_self_contained(render(result))
    assert page.tags.count("details") == 1
    assert "Peel chain of 29 hops" in page.text
    assert ("a", "href", "#peel-1") in page.attributes
    assert [value for tag, name, value in page.attributes if name == "id" and value.startswith("peel")] == ["peel-1"]
    assert "0.00015 to" in page.text  # fifteen times a thousand satoshi to the desk
    assert "and 0.00014 to 14 others; 0.0000009 to fees" in page.text


def test_many_targets_are_counted():
    chain = Chain()
    for number in range(30):
        chain.fund(10 + number, name=f"victim-{number}")
    result = traced(chain, *(identity(f"victim-{number}") for number in range(30)))
    page = Page(render(result))
    assert "+ 27 others" in page.text
    assert "+ 10 others" in page.text


def test_poison_says_that_it_does_not_add_up(result):
    chain = Chain()
    (coin,) = chain.fund(100)
    chain.pay([coin], ("friend", 90))
    chain.mine()
    page = Page(render(traced(chain, identity("origin"), method="poison")))
    assert "its amounts do not add up" in page.text
    assert "None" not in page.text


def test_the_page_of_where_it_came_from():
    chain = Chain()
    first, second = chain.fund(700_000, 300_000)
    deposit, friend = chain.pay([first, second], ("deposit", 500_000), ("friend", 499_000))
    chain.mine()
    chain.pay([deposit, friend], ("pool", 999_000))
    chain.mine()
    labels = Services(frozenset([identity("deposit")]), HOSTILE)
    result = traced(chain, identity("pool"), method="all", labels=labels, direction="backward")
    page = check_self_contained(render(result))
    for words in (
        f"Origin of {identity('pool')}", "Where it came from, and whom to ask", "The five parts add up",
        "Four methods, side by side", "newly mined", "The way here", "not who paid", result.digest, "until the first block",
    ):  # fmt: skip
        assert words in page.text
    assert "None" not in page.text
    assert render(result) == render(result)


def test_notes_and_gaps_stand_on_the_page(result):
    body = copy.deepcopy(result.body)
    gap = {"txid": "ab" * 32, "amount": 5, "spends": ["cd" * 32 + ":1"], "layer": "observation", "source": "a <blog>"}
    gap |= {"then": ["ef" * 32], "resumes": "12" * 32 + ":in:3", "reason": "why"}
    body |= {"notes": [f"note {number} & more" for number in range(MOST_ROWS + 3)], "gaps": [gap] * (MOST_ROWS + 2)}
    page = check_self_contained(render(TraceResult(body)))
    assert "note 0 & more" in page.text
    assert "+ 3 others, in the JSON" in page.text
    assert "+ 2 others 0.0000001 in the JSON" in page.text
    assert "a <blog> (observation)" in page.text


# CSV


def test_csv_has_one_row_for_each_output(result):
    rows = list(csv.DictReader(io.StringIO(result.to_csv())))
    ends = result.body["ends"]
    mine = [row for row in rows if row["method"] == "fifo"]
    assert len(mine) == sum(len(end["outputs"]) for end in ends)
    assert sum(int(row["amount_satoshi"]) for row in mine) == result.body["seed_amount"]
    assert mine[0]["service"] == "Northwind"
    assert {row["kind"] for row in mine} == {end["kind"] for end in ends}


def test_csv_has_the_ends_of_every_method_that_was_asked_for(result):
    rows = list(csv.DictReader(io.StringIO(result.to_csv())))
    for side in result.body["methods"]:
        sums = sum(int(row["amount_satoshi"]) for row in rows if row["method"] == side["method"])
        assert sums == sum(end["amount"] for end in side["ends"])
        assert not side["conserved"] or sums == result.body["seed_amount"]
    assert {row["method"] for row in rows} == {"poison", "haircut", "fifo", "lifo", "tiho"}


@pytest.mark.parametrize("label", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)"])
def test_csv_cells_are_no_formulas(label):
    chain = Chain()
    (coin,) = chain.fund(100)
    chain.pay([coin], ("desk", 100))
    chain.mine()
    result = traced(chain, identity("origin"), labels=Services(frozenset([identity("desk")]), label))
    (row,) = csv.DictReader(io.StringIO(result.to_csv(), newline=""))
    assert row["service"] == row["tags"] == "'" + label


@pytest.mark.parametrize("label", ["\t=1", "\r=1", "x\rheld,evil", "x\nheld,evil", "\x1b[2J"])
def test_csv_cells_hold_no_breaks(label):
    """A bare carriage return is not quoted by csv, and begins a row for whoever reads it."""
    chain = Chain()
    (coin,) = chain.fund(100)
    chain.pay([coin], ("desk", 100))
    chain.mine()
    result = traced(chain, identity("origin"), labels=Services(frozenset([identity("desk")]), label))
    (row,) = csv.DictReader(io.StringIO(result.to_csv(), newline=""))
    assert row["service"] == row["tags"] == printable(label)


def test_result_reads_like_its_fields(result):
    assert result.seed_amount == result.body["seed_amount"]
    assert result.as_dict()["digest"] == result.digest
    assert "<svg" in result._repr_html_()
    with pytest.raises(AttributeError, match="nonsense"):
        _ = result.nonsense
    assert copy.deepcopy(result) == result


def test_printable():
    assert printable("Zürich, 東京 · ½") == "Zürich, 東京 · ½"
    assert printable("a\nb\x00c\x9bd\u2028e\u202ef\ud800g") == "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf\ufffdg"
