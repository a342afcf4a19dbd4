"""The network of cases is the same whoever spoke first, and its picture says what its table says; flags say what they saw."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.cases.network import Said, Thing, draw, network_of, places, rows_of
from shieldwall.cases.redflags import FAMILIES, NOT_SEEN, SEEN, UNKNOWN, red_flags

things = st.builds(
    Thing,
    st.sampled_from(["group", "malware", "victim", "address", "person"]),
    st.sampled_from(["a", "B", "Lock Bit", "lockbit"]),
)
said = st.builds(
    Said,
    source=things,
    target=things,
    relation=st.sampled_from(["uses", "attacked"]),
    layer=st.sampled_from(["observation", "inference"]),
    said_by=st.sampled_from(["Mara", "Paul"]),
    case=st.sampled_from(["1", "2"]),
)


@given(st.lists(said, max_size=12), st.randoms())
def test_the_order_of_saying_does_not_count(given_, random):
    other = list(given_)
    random.shuffle(other)
    assert network_of(given_) == network_of(other)
    assert draw(network_of(given_)) == draw(network_of(other))


@given(st.lists(said, max_size=30), st.integers(1, 6))
def test_nothing_is_lost_but_what_is_counted(given_, most):
    network = network_of(given_, most=most)
    every = {thing.key for each in given_ for thing in (each.source, each.target)}
    assert len(network.things) + network.left_out == len(every)
    assert len(network.things) <= most
    rows = rows_of(network, {})
    assert len(rows) == len(network.edges)
    assert draw(network).count("<path") == len(rows)
    at = places(network)
    assert len(set(at.values())) == len(at) == len(network.things)


def test_a_group_is_one_however_it_is_written_and_shared_things_are_marked():
    def one(name, case):
        return Said(
            source=Thing("group", name), target=Thing("victim", f"v{case}"), relation="attacked", layer="observation",
            said_by="Mara", case=case,
        )  # fmt: skip

    network = network_of([one("LockBit", "1"), one("lock bit", "2"), one("Conti", "2")])
    assert network.shared == [Thing("group", "LockBit").key]
    assert draw(network).count('class="thing group shared"') == 1


def test_markup_in_a_name_is_text():
    edge = Said(
        source=Thing("group", "<script>x"), target=Thing("victim", '"&<'), relation="attacked", layer="observation",
        said_by="<b>", case="1",
    )  # fmt: skip
    assert "<script" not in draw(network_of([edge]))
    assert "&lt;script" in draw(network_of([edge]))


def transfer(txid, time, inputs, outputs):
    return {
        "txid": txid,
        "time": time,
        "inputs": [{"txid": each[0], "index": each[1], "address": None, "amount": 1, "place": 0} for each in inputs],
        "outputs": [{"index": place, "amount": amount, "address": None} for place, amount in enumerate(outputs)],
    }


def body(transfers=(), ends=(), direction="forward", **more):
    return {"transfers": list(transfers), "ends": list(ends), "direction": direction, **more}


def end(category="", abuse="", country=""):
    return {
        "address": "x",
        "tags": [{"label": "L", "category": category, "abuse": abuse, "sources": []}] if category or abuse else [],
        "freezable_by": [{"country": country}] if country else [],
    }


def answers(*traces):
    found = {}
    for flag in red_flags(traces):
        found.setdefault(flag.family, []).append(flag.answer)
    return found


def test_without_a_trace_nothing_can_be_told():
    found = answers()
    assert set(found) == set(FAMILIES)
    assert {answer for each in found.values() for answer in each} == {UNKNOWN}


def test_not_tagged_is_not_clean():
    found = answers(body([transfer("a", "2026-10-01", [], [1])], [end()]))
    assert found["parties"] == [UNKNOWN]
    assert found["source"] == [UNKNOWN]
    assert NOT_SEEN in found["transactions"]


@pytest.mark.parametrize(
    ("family", "trace"),
    [
        ("transactions", body([transfer(str(n), "2026-10-01", [], [500]) for n in range(3)])),
        (
            "transactions",
            body(
                [transfer("a", "2026-10-01T00:00:00Z", [], [5]), transfer("b", "2026-10-01T23:00:00Z", [("a", 0)], [5])]
            ),
        ),
        ("patterns", body([transfer("a", "2026-10-01", [(str(n), 0) for n in range(5)], [9])])),
        (
            "patterns",
            body([transfer(f"t{n}", f"2026-10-{n + 1:02}", [(f"t{n - 1}", 0)], [n, 100 + n]) for n in range(1, 4)]),
        ),
        ("anonymity", body([transfer("a", "2026-10-01", [], [1])], [end("mixing_service")])),
        ("anonymity", body([transfer("a", "2026-10-01", [], [1])], mweb_amount=7)),
        ("parties", body(ends=[end("exchange", "sanctions")])),
        ("source", body(ends=[end("darknet_market")], direction="backward")),
        ("geography", body(ends=[end("exchange", country="DE"), end("exchange", country="FR")])),
    ],
)
def test_each_family_sees_what_it_asks_for(family, trace):
    assert SEEN in answers(trace)[family]
