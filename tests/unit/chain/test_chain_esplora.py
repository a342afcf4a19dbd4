"""Esplora answers saved as files: what they prove, what they state, what is refused."""

import copy
import json

import pytest
from chain_support import Esplora, build_store, facts_of, random_chain
from hypothesis import given
from hypothesis import strategies as st

from shieldwall.chain.readers.jsonfile import elements
from shieldwall.chain.store import ChainStore
from shieldwall.chain.verify import verify
from shieldwall.errors import BadInput, BadText, ShieldwallError, WrongNetwork
from shieldwall.model.address import encode
from shieldwall.model.network import MAIN, REGTEST
from shieldwall.model.script import ScriptKind, classify


@pytest.fixture(scope="module")
def esplora():
    return Esplora(random_chain(31, blocks=16).blocks)


@pytest.fixture(scope="module")
def subject(esplora):
    """A script with an address that was paid and spent from."""
    found = [script for _, script in esplora.outputs.values() if encode(classify(script), REGTEST)]
    return max(found, key=lambda script: len(esplora.history(script)))


def save(folder, name, body):
    path = folder / name
    path.write_text(json.dumps(body))
    return path


def pages(esplora, subject):
    return [esplora.transaction(txid) for txid in esplora.history(subject)]


def test_a_complete_history_states_every_spend_of_its_address(tmp_path, esplora, subject):
    files = [
        save(tmp_path, "txs.json", pages(esplora, subject)),
        save(tmp_path, "stats.json", esplora.counts(subject)),
        save(tmp_path, "tip", esplora.tip),
    ]
    report = build_store(tmp_path / "c", *files)
    assert report.notes == []
    states = facts_of(tmp_path / "c")["states"]
    for (txid, index), (_, script) in esplora.outputs.items():
        if script == subject:
            spender = esplora.spenders.get((txid, index))
            wanted = ("spent", spender[0], None) if spender else ("unspent", None, esplora.tip)
            assert states[f"{txid}:{index}"] == wanted
        elif f"{txid}:{index}" in states and (txid, index) not in esplora.spenders:
            kinds = ("unspendable",) if classify(script).unspendable else ("unknown",)
            assert states[f"{txid}:{index}"][0] in kinds
    with ChainStore.open(tmp_path / "c") as store:
        assert {store.proof_of(number) for number in range(store.rows("tx"))} == {"txid"}
        assert verify(store, source=True).passed


def test_the_height_of_a_history_without_a_tip_is_the_last_it_reaches(tmp_path, esplora, subject):
    files = [save(tmp_path, "txs.json", pages(esplora, subject)), save(tmp_path, "stats.json", esplora.counts(subject))]
    build_store(tmp_path / "c", *files)
    last = max(esplora.where[txid][0] for txid in esplora.history(subject))
    assert {entry[2] for entry in facts_of(tmp_path / "c")["states"].values() if entry[0] == "unspent"} <= {last}


def test_an_incomplete_history_states_nothing_and_says_so(tmp_path, esplora, subject):
    every = pages(esplora, subject)
    files = [save(tmp_path, "txs.json", every[:-1]), save(tmp_path, "stats.json", esplora.counts(subject))]
    report = build_store(tmp_path / "c", *files, save(tmp_path, "tip", esplora.tip))
    assert f"{len(every) - 1} of {len(every)} transactions" in report.notes[0]
    assert facts_of(tmp_path / "c")["unspent_outputs"] == 0


def test_outspends_state_spends_as_of_the_tip(tmp_path, esplora):
    txid = next(key[0] for key in esplora.spenders if esplora.where[key[0]][0] < 12)
    answer = esplora.outspends(txid)
    files = [save(tmp_path, "tx.json", esplora.transaction(txid)), save(tmp_path, f"{txid}-outspends.json", answer)]
    with pytest.raises(BadText, match="height"):
        build_store(tmp_path / "c", *files)
    report = build_store(tmp_path / "c", *files, save(tmp_path, "tip", esplora.tip), save(tmp_path, "tip2", 99))
    assert report.transactions == 1
    states = facts_of(tmp_path / "c")["states"]
    for index, entry in enumerate(answer):
        burnt = classify(esplora.outputs[txid, index][1]).unspendable
        state, by, as_of = states[f"{txid}:{index}"]
        wanted = "unspendable" if burnt else "spent_outside" if entry["spent"] else "unspent"
        assert state == wanted
        assert by == (entry.get("txid") if wanted == "spent_outside" else None)
        assert as_of == (None if burnt else esplora.tip)  # of two tips the lower, which holds for both
    waiting = [{"spent": True, "txid": "ab" * 32, "vin": 0, "status": {"confirmed": False}}] * len(answer)
    save(tmp_path, f"{txid}-outspends.json", waiting)
    build_store(tmp_path / "d", *files, tmp_path / "tip")
    assert facts_of(tmp_path / "d")["spent_outside_outputs"] == 0
    named = save(tmp_path, "outspends.json", answer)
    with pytest.raises(BadText, match="which transaction"):
        build_store(tmp_path / "e", named, tmp_path / "tip")


def test_a_later_answer_supersedes_and_the_order_of_files_does_not_matter(tmp_path, esplora, subject):
    files = [
        save(tmp_path, "txs.json", pages(esplora, subject)),
        save(tmp_path, "stats.json", esplora.counts(subject)),
        save(tmp_path, "tip", esplora.tip),
    ]
    build_store(tmp_path / "once", *files)
    build_store(tmp_path / "turned", *files[::-1])
    for entry in pages(esplora, subject)[::-1]:
        build_store(tmp_path / "steps", save(tmp_path, "one.json", entry))
    assert facts_of(tmp_path / "steps")["unspent_outputs"] == 0
    build_store(tmp_path / "steps", *files)
    assert facts_of(tmp_path / "once") == facts_of(tmp_path / "turned") == facts_of(tmp_path / "steps")


def test_a_spend_that_the_chain_shows_corrects_an_older_answer(tmp_path, esplora):
    (txid, index), (spender, _) = next(item for item in esplora.spenders.items() if esplora.where[item[0][0]][0] < 10)
    said = [{"spent": False}] * len(esplora.where[txid][1].outputs)
    files = [
        save(tmp_path, "txs.json", [esplora.transaction(txid), esplora.transaction(spender)]),
        save(tmp_path, f"{txid}-outspends.json", said),
        save(tmp_path, "tip", esplora.tip),
    ]
    report = build_store(tmp_path / "c", *files)
    assert any("older than it says" in note for note in report.notes)
    assert facts_of(tmp_path / "c")["states"][f"{txid}:{index}"] == ("spent", spender, None)


def test_unconfirmed_and_repeated_transactions_are_counted(tmp_path, esplora, subject):
    every = pages(esplora, subject)
    waiting = copy.deepcopy(every[0])
    waiting["status"] = {"confirmed": False}
    report = build_store(tmp_path / "c", save(tmp_path, "a.json", [waiting, *every[1:], every[1]]))
    assert (report.unconfirmed, report.duplicates, report.transactions) == (1, 1, len(every) - 1)


def test_a_prevout_that_contradicts_the_store_is_refused(tmp_path, esplora):
    txid, index = next(key for key, spender in esplora.spenders.items() if key[0] != spender[0])
    wrong = esplora.transaction(esplora.spenders[txid, index][0])
    wrong["vin"][esplora.spenders[txid, index][1]]["prevout"]["value"] += 1
    missing = copy.deepcopy(wrong)
    body = [esplora.transaction(txid), wrong]
    if len(wrong["vin"]) > 1:
        with pytest.raises(BadInput, match="is said to spend"):
            build_store(tmp_path / "c", save(tmp_path, "a.json", body))
    build_store(tmp_path / "d", save(tmp_path, "b.json", missing))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda tx: tx["vout"][0].update(value=-1), r"vout\[0\].value: -1 is not between"),
        (lambda tx: tx["vout"][0].update(value=21_000_000 * 10**8 + 1), r"vout\[0\].value"),
        (lambda tx: tx["vout"][0].update(value=10**400), r"vout\[0\].value"),
        (lambda tx: tx["vout"][0].update(value=1.5), r"vout\[0\].value: expected a whole number"),
        (lambda tx: tx["vout"][0].update(value=1.0), r"vout\[0\].value: expected a whole number"),
        (lambda tx: tx["vout"][0].update(value=True), r"vout\[0\].value: expected a whole number"),
        (lambda tx: tx["vout"][0].update(value=tx["vout"][0]["value"] + 1), "hash to"),
        (lambda tx: tx["vout"][0].update(scriptpubkey="zz"), "expected hex"),
        (lambda tx: tx["vout"][0].update(scriptpubkey=None), "expected hex"),
        (lambda tx: tx["vin"][0].update(txid="ab"), r"vin\[0\].txid: expected 64 hex digits"),
        (lambda tx: tx["vin"][0].update(vout=-1), r"vin\[0\].vout"),
        (lambda tx: tx["vin"][0].update(vout=1 << 32), r"vin\[0\].vout"),
        (lambda tx: tx["vin"][0].update(witness="00"), "expected a list"),
        (lambda tx: tx["vin"][0].update(prevout=[1]), "expected an object"),
        (lambda tx: tx.update(vin={}), "expected a list"),
        (lambda tx: tx.update(vin=[]), "count"),
        (lambda tx: tx.update(txid="11" * 32), "hash to"),
        (lambda tx: tx.update(version=1 << 40), "version"),
        (lambda tx: tx["status"].update(block_height=1 << 32), "block_height"),
        (lambda tx: tx["status"].update(block_hash="x"), "block_hash"),
        (lambda tx: tx["status"].pop("block_time"), "block_time"),
        (lambda tx: tx.update(status=5), "status"),
    ],
)
def test_fields_that_do_not_fit_are_named(tmp_path, esplora, subject, change, says):
    body = next(tx for tx in pages(esplora, subject) if not tx["vin"][0]["is_coinbase"])
    body = copy.deepcopy(body)
    change(body)
    build_store(tmp_path / "c", save(tmp_path, "good.json", pages(esplora, subject)[-1]))
    before = facts_of(tmp_path / "c")
    with pytest.raises(BadInput, match=says) as caught:
        build_store(tmp_path / "c", save(tmp_path, "bad.json", [body]))
    assert "bad.json[0]" in str(caught.value)
    assert facts_of(tmp_path / "c") == before


def test_another_network_s_addresses_are_refused(tmp_path, esplora, subject):
    with pytest.raises(WrongNetwork):
        build_store(tmp_path / "c", save(tmp_path, "a.json", pages(esplora, subject)), network=MAIN)


def test_one_transaction_in_two_blocks_is_refused(tmp_path, esplora, subject):
    body = pages(esplora, subject)[0]
    moved = copy.deepcopy(body)
    moved["status"] |= {"block_height": 3, "block_hash": "cd" * 32}
    with pytest.raises(BadInput, match="two blocks"):
        build_store(tmp_path / "c", save(tmp_path, "a.json", [body, moved]))
    other = copy.deepcopy(body)
    other["status"]["block_time"] += 1
    with pytest.raises(BadInput, match="two times"):
        build_store(tmp_path / "c", save(tmp_path, "a.json", [body, other]))


@pytest.mark.parametrize("tip", ["9999999999", "4294967295", "-1", "1.5", "true"])
def test_a_tip_that_is_no_height(tmp_path, esplora, subject, tip):
    (tmp_path / "tip").write_text(tip)
    with pytest.raises(ShieldwallError, match="tip"):
        build_store(tmp_path / "c", tmp_path / "tip", save(tmp_path, "a.json", pages(esplora, subject)))


# long lists


@given(st.lists(st.recursive(st.integers() | st.text() | st.booleans(), st.lists, max_leaves=4)), st.integers(3, 40))
def test_a_list_is_read_in_pieces(tmp_path_factory, values, chunk):
    from shieldwall.chain.readers import jsonfile

    path = tmp_path_factory.mktemp("json") / "a.json"
    path.write_text("  " + json.dumps(values, indent=1) + " \n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonfile, "_CHUNK", chunk)
        assert [value for _, value in elements(path)] == values
        text = path.read_text().rstrip()[:-1]
        path.write_text(text)
        with pytest.raises(BadText, match=r"a\.json"):
            list(elements(path))


@pytest.mark.parametrize(
    "text", ["[1 2]", "[1,]", "[,1]", "[1] 2", "[1", "[", "[" * 100_000, "[1,2", '["\\q"]', "[1]]"]
)
def test_lists_that_are_none(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(BadText, match=r"a\.json"):
        list(elements(tmp_path / "a.json"))


def test_a_list_is_not_held_whole(tmp_path, monkeypatch):
    from shieldwall.chain.readers import jsonfile

    monkeypatch.setattr(jsonfile, "_MOST_ELEMENT", 3 << 20)
    monkeypatch.setattr(jsonfile, "_CHUNK", 1 << 16)
    (tmp_path / "a.json").write_text("[" + ",".join('"' + "x" * 1000 + '"' for _ in range(20_000)) + "]")
    assert sum(1 for _ in elements(tmp_path / "a.json")) == 20_000
    (tmp_path / "b.json").write_text('["' + "x" * (8 << 20) + '"]')
    with pytest.raises(BadText, match="one element"):
        list(elements(tmp_path / "b.json"))


def test_multisig_has_an_identity_without_an_address(esplora):
    assert any(classify(script).kind == ScriptKind.MULTISIG for _, script in esplora.outputs.values())
