"""Same actor? Each word of the scale, for its reason only; rarity counted around; nothing claims proof."""

import json
from itertools import pairwise

import numpy as np
import pytest
from fingerprint_support import Loose, number, outside, p2pkh, payment, store_of
from simulator_support import small_folder, truth

from shieldwall.chain.build import build
from shieldwall.chain.regtest import p2wpkh
from shieldwall.chain.store import ChainStore
from shieldwall.errors import PartialData, UsageError
from shieldwall.model.address import key_hash
from shieldwall.model.canonical import digest
from shieldwall.model.script import Script, ScriptKind
from shieldwall.trace.fingerprint.compare import STEADY, Agreement, Verdict, compare, number_of
from shieldwall.trace.fingerprint.links import Inferred
from shieldwall.trace.fingerprint.window import Share, window_around

CROWD = 150


def crowd(height=1, start=0, **form):
    """Payments of people who all use one program."""
    return [payment(f"person {n}", n, height=height, **form) for n in range(start, start + CROWD)]


def compared(folder, one, other, others, **options):
    with store_of(folder, [one, other, *others]) as store:
        return compare(store, number(store, one), number(store, other), **options)


def of(comparison, name):
    (found,) = (result for result in comparison.attributes if result.name == name)
    return found


def test_consistent_where_few_others_share_it(tmp_path):
    one, other = (payment(name, 900, version=1, locktime=7, sequence=0xFFFFFFFD) for name in ("a", "b"))
    found = compared(tmp_path / "s", one, other, crowd())
    assert found.verdict is Verdict.CONSISTENT
    assert found.joint == Share(0, CROWD)
    assert of(found, "version").around == Share(0, CROWD)
    assert (of(found, "input_kinds").around, of(found, "input_kinds").around.word) == (Share(CROWD, CROWD), "common")
    assert "no proof" in found.sentence
    assert "not calibrated; published error: none" in found.sentence


def test_agreement_on_what_all_have_tells_nothing(tmp_path):
    found = compared(tmp_path / "s", payment("a", 900), payment("b", 901), crowd())
    assert found.verdict is Verdict.NOT_TOLD
    assert all(of(found, name).agreement is Agreement.AGREES for name in STEADY)
    assert (found.joint.word, "so do many" in found.because) == ("common", True)


def test_one_in_twenty_is_rare_and_a_little_more_is_not(tmp_path):
    for sharing, of, verdict in ((6, 119, Verdict.NOT_TOLD), (6, 120, Verdict.CONSISTENT), (7, 120, Verdict.NOT_TOLD)):
        others = [payment(f"p{n}", n, version=1 if n < sharing else 2) for n in range(of)]
        folder = tmp_path / f"{sharing} of {of}"
        found = compared(folder, payment("a", 900, version=1), payment("b", 901, version=1), others)
        assert (found.joint, found.verdict) == (Share(sharing, of), verdict)


def test_too_few_around_never_make_it_consistent(tmp_path):
    one, other = payment("a", 900, version=1), payment("b", 901, version=1)
    found = compared(tmp_path / "s", one, other, [payment(f"p{n}", n) for n in range(99)])
    assert (found.verdict, found.joint.word) == (Verdict.NOT_TOLD, "too few to tell")


def test_contradicted_takes_two_steady_differences(tmp_path):
    base = payment("a", 900, version=1, locktime=7)
    one_off = compared(tmp_path / "1", base, payment("b", 901, version=2, locktime=7), crowd())
    assert (one_off.verdict, "alone decides nothing" in one_off.because) == (Verdict.NOT_TOLD, True)
    two_off = compared(tmp_path / "2", base, payment("b", 901, version=2), crowd())
    assert (two_off.verdict, "version and locktime" in two_off.because) == (Verdict.CONTRADICTED, True)
    assert "may still use two wallets" in two_off.sentence


def test_what_follows_from_another_attribute_is_not_counted_twice(tmp_path):
    """Another kind of script changes `segwit` too: that is one difference, not two."""
    found = compared(tmp_path / "s", payment("a", 900), payment("b", 901, kind=p2pkh), crowd())
    assert of(found, "segwit").agreement is of(found, "input_kinds").agreement is Agreement.DIFFERS
    assert found.verdict is Verdict.NOT_TOLD


def test_counts_and_orders_never_contradict(tmp_path):
    one = Loose([outside("a", 1)], [(p2wpkh("x"), 5), (p2wpkh("y"), 4)])
    inputs = [outside("b", n) for n in range(4)]
    other = Loose(sorted(inputs, reverse=True), [(p2pkh(f"z{n}"), 9 + n) for n in range(7)])
    found = compared(tmp_path / "s", one, other, crowd())
    differing = {result.name for result in found.attributes if result.agreement is Agreement.DIFFERS}
    assert {"inputs", "outputs", "output_kinds", "output_order", "fee"} <= differing
    assert found.verdict is Verdict.NOT_TOLD


def test_two_unusual_versions_do_not_agree(tmp_path):
    """A store keeps "other": 4 and 7 look alike in it."""
    found = compared(tmp_path / "s", payment("a", 900, version=4), payment("b", 901, version=7), crowd())
    assert of(found, "version").agreement is Agreement.UNKNOWN
    assert (found.verdict, "version" in found.because) == (Verdict.NOT_TOLD, True)


def test_kinds_that_overlap_neither_agree_nor_differ(tmp_path):
    mixed = Loose([outside("a", 1), outside("a", 2, kind=p2pkh)], [(p2wpkh("x"), 5)])
    found = compared(tmp_path / "s", mixed, payment("b", 901), crowd())
    assert (of(found, "input_kinds").agreement, found.verdict) == (Agreement.OVERLAPS, Verdict.NOT_TOLD)


def test_an_unknown_payer_is_unknown(tmp_path):
    blind = Loose([(("cd" * 32, 0), None)], [(p2wpkh("x"), 5)], version=1)
    found = compared(tmp_path / "s", blind, payment("b", 901, version=1), crowd())
    assert (of(found, "input_kinds").one, of(found, "fee").one) == (None, None)
    assert found.verdict is Verdict.NOT_TOLD


# ties


def test_an_address_that_pays_in_both_is_a_link(tmp_path):
    one, other = payment("a", 900, version=1, locktime=3), payment("a", 901, version=2)
    found = compared(tmp_path / "s", one, other, crowd())
    (fact,) = found.links
    assert (fact.kind, fact.layer.value, fact.of_actor) == ("shared_payer", "observation", True)
    assert found.verdict is Verdict.LINKED
    assert "yet they differ in version and locktime" in found.because  # said, though the link is stronger


def test_one_key_in_two_forms_is_a_link(tmp_path):
    key = b"\x02" + bytes(range(32))

    def bare(_):
        return Script(ScriptKind.P2PK, key)

    def hashed(_):
        return key_hash(key)

    one, other = payment("a", 900, kind=bare), payment("b", 901, kind=hashed)
    found = compared(tmp_path / "s", one, other, crowd())
    assert [fact.kind for fact in found.links] == ["shared_payer"]
    assert compared(tmp_path / "t", other, one, crowd()).verdict is found.verdict is Verdict.LINKED


def spend_of(one, index=0, **form):
    script, value = one.outputs[index]
    return Loose([((one.txid, index), (value, script))], [(p2wpkh("last"), value - 100)], height=2, **form)


def test_a_spend_alone_ties_no_actors(tmp_path):
    """The receiver spends what he was paid: every payment is followed by one."""
    one = payment("a", 900)
    found = compared(tmp_path / "s", one, spend_of(one), crowd())
    assert [(fact.kind, fact.of_actor) for fact in found.links] == [("spends", False)]
    assert found.verdict is Verdict.NOT_TOLD
    assert compared(tmp_path / "t", spend_of(one), one, crowd()).links == found.links


def test_the_spend_of_change_is_an_inference_by_its_rule(tmp_path):
    one = payment("a", 900)
    late = spend_of(one)
    with store_of(tmp_path / "s", [one, late, *crowd()]) as store:
        first, second = number(store, one), number(store, late)
        change = store.output_range(first).start

        def found(output):
            said = {first: output}
            return compare(store, first, second, inferred=Inferred(change_rule="fresh", change_of=said.get))

        tied = found(change)
        assert tied.verdict is Verdict.LINKED
        assert [(fact.kind, fact.layer.value, fact.rule) for fact in tied.links] == [
            ("spends", "observation", None), ("change", "inference", "fresh"),
        ]  # fmt: skip
        assert found(None).verdict is Verdict.NOT_TOLD


def test_one_cluster_is_an_inference_with_its_name(tmp_path):
    one, other = payment("a", 900), payment("b", 901)
    with store_of(tmp_path / "s", [one, other, *crowd()]) as store:
        numbers = number(store, one), number(store, other)
        for cluster_of, verdict in ((lambda _: 0, Verdict.LINKED), (lambda holder: holder, Verdict.NOT_TOLD)):
            found = compare(store, *numbers, inferred=Inferred(clusters="co-spend", cluster_of=cluster_of))
            assert found.verdict is verdict
        tied = compare(store, *numbers, inferred=Inferred(clusters="co-spend", cluster_of=lambda _: 0))
        assert [(fact.kind, fact.rule) for fact in tied.links] == [("same_cluster", "co-spend")]


def test_a_coinjoin_has_no_one_actor(tmp_path):
    one, other = (payment(name, 900, version=1) for name in ("a", "b"))
    with store_of(tmp_path / "s", [one, other, *crowd()]) as store:
        numbers = number(store, one), number(store, other)
        assert compare(store, *numbers).verdict is Verdict.CONSISTENT
        joined = Inferred(joined={numbers[1]: "wabisabi"}.get)
        found = compare(store, *numbers, inferred=joined)
        assert (found.verdict, len(found.caveats)) == (Verdict.NOT_TOLD, 1)
        assert "wabisabi" in found.because
    again = payment("a", 901)
    with store_of(tmp_path / "t", [one, again, *crowd()]) as store:
        numbers = number(store, one), number(store, again)
        found = compare(store, *numbers, inferred=Inferred(joined={numbers[1]: "wabisabi"}.get))
        assert (found.verdict, "by one of those who pay in it" in found.because) == (Verdict.LINKED, True)


# around


def test_the_window_is_blocks_and_is_counted(tmp_path):
    one, other = payment("a", 900, height=50, version=1), payment("b", 901, height=50, version=1)
    far = [payment(f"far {n}", 500 + n, height=99, version=1) for n in range(60)]
    near = [payment(f"near {n}", n, height=49 + n % 3) for n in range(CROWD)]
    with store_of(tmp_path / "s", [one, other, *near, *far]) as store:
        numbers = number(store, one), number(store, other)
        # height 99 is the next block of the store, and 48 heights away
        assert compare(store, *numbers, blocks=5).joint == Share(0, CROWD)
        assert compare(store, *numbers, blocks=49).joint == Share(60, CROWD + 60)
        cut = compare(store, *numbers, blocks=49, most=120)
        assert cut.window["left_out"] > 0
        assert cut.window["transactions"] + 2 + cut.window["left_out"] == CROWD + 62
        assert compare(store, *numbers, blocks=0).window["blocks"] == 0


def test_windows_that_meet_count_nobody_twice(tmp_path):
    others = [payment(f"p{n}", n, height=1 + n // 10) for n in range(100)]
    with store_of(tmp_path / "s", others) as store:
        numbers = number(store, others[5]), number(store, others[95])
        found = window_around(store, numbers, blocks=9)
        assert (len(found.columns["version"]), len(found.ranges), found.left_out) == (98, 1, 0)
        apart = window_around(store, numbers, blocks=1)
        assert (len(apart.columns["version"]), len(apart.ranges)) == (20 + 20 - 2, 2)


def test_the_answer_is_stamped_and_the_same_again(tmp_path):
    one, other = payment("a", 900, version=1), payment("b", 901, version=1)
    with store_of(tmp_path / "s", [one, other, *crowd()]) as store:
        numbers = number(store, one), number(store, other)
        body = compare(store, *numbers).as_dict()
        assert compare(store, *numbers).as_dict() == body
        assert body["chain"]["digest"] == store.digest
        assert (body["layer"], body["method"]) == ("inference", "fingerprint comparison 1")
        said = body.pop("digest")
        assert said == digest(body)
        assert json.loads(json.dumps(body)) == body
        # the other way round is the same answer about the same two
        swapped = compare(store, *numbers[::-1]).as_dict()
        assert (swapped["verdict"], swapped["joint"]) == (body["verdict"], body["joint"])


def test_what_cannot_be_compared(tmp_path):
    with store_of(tmp_path / "s", [payment("a", 1), payment("b", 2)]) as store:
        with pytest.raises(UsageError, match="the same"):
            compare(store, 1, 1)
        with pytest.raises(UsageError, match="window"):
            compare(store, 0, 1, blocks=-1)
        with pytest.raises(UsageError, match="64 hex"):
            number_of(store, "xyz")
        with pytest.raises(PartialData, match="not in this store"):
            number_of(store, "00" * 32)
        assert number_of(store, store.txid(1).upper()) == 1


# the simulator's truth: what the words mean there, and nowhere else


@pytest.fixture(scope="module")
def simulated():
    folder = small_folder()
    target = folder / "compare-store"
    if not (target / "manifest.json").exists():
        build(target, [str(folder / "blocks")])
    with ChainStore.open(target) as store:
        yield store


def test_on_a_simulated_chain_links_are_true_and_contradictions_too(simulated):
    """The simulator gives every actor one wallet, so a contradiction is exact there. On real chains nothing says so."""
    tables, _ = truth()
    kind, owner, spent = tables["tx_kind"], tables["output_owner"], tables["input_output"]
    edges = np.append(np.asarray(simulated.column("tx_first_input")[:]).astype(np.int64), simulated.rows("input"))
    payers = [set(owner[spent[a:b]].tolist()) for a, b in pairwise(edges.tolist())]
    alone = [n for n in range(len(kind)) if len(payers[n]) == 1]
    draw = np.random.default_rng(4)
    by_owner = {}
    for n in alone:
        by_owner.setdefault(next(iter(payers[n])), []).append(n)
    several = [own for own in by_owner.values() if len(own) > 1]
    pairs = [tuple(draw.choice(several[draw.integers(len(several))], 2, replace=False)) for _ in range(60)]
    pairs += [tuple(draw.choice(alone, 2, replace=False)) for _ in range(60)]
    counts = {}
    for one, other in pairs:
        verdict = compare(simulated, int(one), int(other), most=400).verdict
        same = payers[one] == payers[other]
        counts[verdict, same] = counts.get((verdict, same), 0) + 1
    assert counts.get((Verdict.LINKED, False), 0) == 0
    assert counts.get((Verdict.CONTRADICTED, True), 0) == 0
    assert counts.get((Verdict.LINKED, True), 0) > 0
    assert counts.get((Verdict.CONTRADICTED, False), 0) > 10
