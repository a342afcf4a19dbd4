"""What people paste: each form, files, and every way to be wrong."""

from __future__ import annotations

import io

import pytest
from embit.hashes import hash160
from hypothesis import given
from hypothesis import strategies as st
from trace_support import Chain, identity

from shieldwall.chain.build import build
from shieldwall.chain.store import ChainStore
from shieldwall.errors import BadInput, PartialData, ShieldwallError, UnknownAddress, UsageError
from shieldwall.model import address
from shieldwall.model.network import MAIN, REGTEST
from shieldwall.model.script import Script, ScriptKind
from shieldwall.trace.follow import follow
from shieldwall.trace.pasted import Asked, read_words
from shieldwall.trace.targets import find_targets

KEY = b"\x03" + bytes(range(1, 33))
OTHER_KEY = b"\x02" + bytes(range(2, 34))
HASHED = Script(ScriptKind.P2PKH, hash160(KEY))
OTHER_HASHED = Script(ScriptKind.P2PKH, hash160(OTHER_KEY))


@pytest.fixture(scope="module")
def made():
    chain = Chain()
    first, second = chain.fund(100, 50)
    chain.pay([first, second], ("friend", 60), (Script(ScriptKind.P2PK, KEY), 30), (HASHED, 10), (OTHER_HASHED, 5))
    chain.mine()
    return chain


@pytest.fixture(scope="module")
def store(made):
    with made.store() as store:
        yield store


def one(store, word):
    (target,) = find_targets(store, [word])
    return target


def test_each_form(store, made):
    payment = made.made[3]
    number = store.find_transaction(bytes.fromhex(payment.txid)[::-1])
    outputs = tuple(store.output_range(number))
    assert one(store, payment.txid).outputs == outputs
    assert one(store, payment.txid.upper()).identity == payment.txid
    assert one(store, f"{payment.txid}:2").outputs == (outputs[2],)
    assert one(store, f"{payment.txid}:002").identity == f"{payment.txid}:2"
    found = one(store, f"{payment.txid}:in:1")
    assert (found.kind, found.inputs, found.outputs) == ("input", (store.input_range(number)[1],), ())
    friend = one(store, identity("friend"))
    assert (friend.kind, friend.outputs, friend.linked) == ("address", (outputs[0],), ())
    assert one(store, identity("friend").upper()).identity == identity("friend")
    assert one(store, f"  {identity('friend')} ").identity == identity("friend")


def test_a_key_and_its_hash_are_one_holder(store):
    key, hashed = f"p2pk:{KEY.hex()}", address.identity(HASHED, REGTEST)
    by_key, by_hash = one(store, key), one(store, hashed)
    assert by_key.outputs == by_hash.outputs
    assert len(by_key.outputs) == 2
    assert (by_key.linked, by_hash.linked) == ((hashed,), (key,))


def test_a_key_to_whose_hash_alone_was_paid(store):
    """The store has never seen the key, and the hash says whose money it is."""
    target = one(store, f"p2pk:{OTHER_KEY.hex()}")
    assert len(target.outputs) == 1
    assert target.linked == (address.identity(OTHER_HASHED, REGTEST),)
    assert one(store, address.identity(OTHER_HASHED, REGTEST)).linked == ()


def test_files_and_standard_input(store, made, tmp_path):
    path = tmp_path / "targets.txt"
    txid = made.made[3].txid
    path.write_text(
        f"# victims\n{identity('friend')}  # paid\n\n  {txid}:0\r\n{identity('friend')}\n", encoding="utf-8-sig"
    )
    assert [target.kind for target in find_targets(store, [str(path)])] == ["address", "output"]
    assert [t.kind for t in find_targets(store, ["-"], io.StringIO(txid + "\n"))] == ["transaction"]
    listed = [Asked(identity("friend"), f"{path}, line 2"), Asked(f"{txid}:0", f"{path}, line 4")]
    assert read_words([str(path)], REGTEST) == listed
    assert read_words([txid, str(path)], REGTEST) == [Asked(txid), *listed]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("bc1qq2euq8pw950klpjcawuy4uj39ym43hs6cfsegq", UnknownAddress, "is an address of main"),
        ("bcrt1qq2euq8pw950klpjcawuy4uj39ym43hs6cfsegq", UnknownAddress, "is not a valid regtest address"),
        ("ab" * 32, PartialData, "unknown, which is not the same as clean"),
        ("ab" * 31, UnknownAddress, "is not a valid"),
        ("p2pk:00", BadInput, "does not fit the kind p2pk"),
        ("nonsense:00", BadInput, "names no script"),
        ("p2pkh:" + "11" * 20, PartialData, "unknown, which is not the same as clean"),
    ],
)
def test_bad_words_say_what_is_wrong_and_in_a_file_where(store, tmp_path, text, error, words):
    with pytest.raises(error, match=words) as caught:
        find_targets(store, [text])
    assert type(caught.value) is error
    path = tmp_path / "list"
    path.write_text(f"# nothing\n{text}\n")
    with pytest.raises(error, match=words) as caught:
        find_targets(store, [str(path)])
    assert caught.value.message.startswith(f"{path}, line 2: ")


@pytest.mark.parametrize("text", ["<script>", "\x00"])
def test_a_word_that_is_nothing_is_no_address(store, text):
    with pytest.raises(UnknownAddress, match="is not a valid regtest address"):
        find_targets(store, [text])


@pytest.mark.parametrize("text", ["targets.txt", "cases/17/targets", "./x"])
def test_the_name_of_a_file_that_is_not_there(store, text):
    with pytest.raises(UsageError, match="no such file"):
        find_targets(store, [text])


def test_a_directory_is_called_one(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("cases", "investigation17", "cases/17.old", identity("friend"), identity("stranger")):
        (tmp_path / name).mkdir(parents=True)
    for word in ("cases", "investigation17", "cases/17.old", "cases/", ".", "..", str(tmp_path)):
        with pytest.raises(UsageError, match="a directory, not a file") as caught:
            find_targets(store, [word])
        assert caught.value.hint.endswith(f"{word.rstrip('/')}/NAME")
    assert one(store, identity("friend")).found  # a case is often called by its address
    with pytest.raises(PartialData):
        find_targets(store, [identity("stranger")])
    with pytest.raises(UsageError, match=r"cases/18\.old: no such file"):
        find_targets(store, ["cases/18.old"])


def test_what_is_there_and_no_file_is_not_said_to_be_missing(store):
    with pytest.raises(UsageError, match="/dev/null: not a regular file") as caught:
        find_targets(store, ["/dev/null"])
    assert "standard input" in caught.value.hint


def test_one_that_is_not_here_among_others_that_are(store):
    absent = "ab" * 32
    found = find_targets(store, [identity("friend"), absent])
    assert [target.found for target in found] == [True, False]
    body = follow(store, found).body
    assert body["seed_amount"] == follow(store, found[:1]).body["seed_amount"]
    assert body["notes"] == [f"{absent}: not in this store; unknown, not clean"]


def test_inputs_and_outputs_that_a_transaction_does_not_have(store, made):
    txid = made.made[3].txid
    with pytest.raises(BadInput, match="has 4 outputs, counted from 0"):
        one(store, f"{txid}:4")
    with pytest.raises(BadInput, match="has 2 inputs, counted from 0"):
        one(store, f"{txid}:in:2")
    with pytest.raises(BadInput, match="has 0 inputs"):
        one(store, f"{made.made[0].txid}:in:0")
    with pytest.raises(BadInput, match="has 4 outputs"):
        one(store, f"{txid}:99999999999")
    mined = made.made[0].txid
    for word, hint in (
        (f"{txid}:4", f"name {txid}:0 to {txid}:3, or all its outputs: {txid}"),
        (f"{txid}:in:2", f"name {txid}:in:0 to {txid}:in:1"),
        (f"{mined}:in:0", f"name all its outputs: {mined}"),
        (f"{mined}:7", f"name {mined}:0, or all its outputs: {mined}"),
    ):
        with pytest.raises(BadInput) as caught:
            one(store, word)
        assert caught.value.hint == hint


def test_one_wrong_letter_names_the_nearest(store):
    right = identity("friend")
    wrong = right[:-3] + ("q" if right[-3] != "q" else "p") + right[-2:]
    with pytest.raises(UnknownAddress) as caught:
        one(store, wrong)
    assert right in caught.value.nearest
    assert right in caught.value.hint


def test_files_that_are_none(store, tmp_path, monkeypatch):
    binary = tmp_path / "binary"
    binary.write_bytes(b"abc\xff\xfe")
    with pytest.raises(BadInput, match="no address of regtest and no txid in it"):
        find_targets(store, [str(binary)])
    binary.write_bytes(bytes(8))
    with pytest.raises(BadInput, match="no text that can be read"):
        find_targets(store, [str(binary)])
    empty = tmp_path / "empty"
    empty.write_text("# nothing\n")
    with pytest.raises(UsageError, match="nothing to trace"):
        find_targets(store, [str(empty)])
    with pytest.raises(UsageError, match="standard input"):
        find_targets(store, ["-"])
    long = tmp_path / "long"
    long.write_text("ab:cd\n" * 100_001)
    with pytest.raises(BadInput, match="more than 100000 targets"):
        find_targets(store, [str(long)])
    large = tmp_path / "large"
    large.write_bytes(b"x" * ((64 << 20) + 1))
    with pytest.raises(BadInput, match="split the file"):
        find_targets(store, [str(large)])
    with pytest.raises(UsageError, match="nothing to trace"):
        find_targets(store, [])


def told(store, word, standard_input=None):
    lines = []
    return [target.text for target in find_targets(store, [word], standard_input, lines.append)], lines


def test_whatever_a_document_mentions_of_this_network(store, made, tmp_path):
    """What is of other networks, no transaction of this store, or nearly an address is told and not traced."""
    friend, txid, digest = identity("friend"), made.made[3].txid, "cd" * 32
    typo = friend[:-3] + ("q" if friend[-3] != "q" else "p") + friend[-2:]
    path = tmp_path / "note.md"
    path.write_text(
        f"# Note\nPaid to <{friend}>, see https://block.example/tx/{txid}:0.\nsum {digest}, block {'0' * 10}{'ef' * 27}\n"
        f"main: {address.identity(HASHED, MAIN)}, twice: {friend}, wrong: {typo}\n"
    )
    texts, lines = told(store, str(path))
    assert texts == [friend, f"{txid}:0"]
    assert lines == [
        f"{path} (text): addresses of regtest: 1; perhaps txids: 2",
        "left aside: 1 block hash, 1 of main",
        f"near miss: line 4, column 103: {typo}: its checksum does not hold; did you mean {friend}?",
        "left aside: 1 strings of 64 digits that are no transactions or outputs of this store",
    ]
    assert told(store, "-", io.StringIO(path.read_text()))[0] == texts
    assert told(store, path.read_text())[0] == texts
    assert told(store, f"bitcoin:{friend}?amount=1") == (
        [friend],
        ["pasted text (text): addresses of regtest: 1; perhaps txids: 0"],
    )


def test_a_document_whose_addresses_the_store_does_not_hold(store):
    stranger = identity("stranger")
    with pytest.raises(PartialData, match="pasted text, line 1, column 8: no output of"):
        find_targets(store, [f"pay to {stranger} now"])
    found = find_targets(store, [f"pay to {stranger} or {identity('friend')}"])
    assert [target.found for target in found] == [False, True]
    with pytest.raises(PartialData, match="unknown, which is not the same as clean"):
        find_targets(store, [f"sum {'cd' * 32} only"])


def test_a_document_that_mentions_nothing_offers_what_is_near(store):
    grouped = " ".join(identity("friend")[place : place + 4] for place in range(0, 44, 4))
    with pytest.raises(BadInput, match="no address of regtest and no txid") as caught:
        find_targets(store, [f"please pay {grouped}"])
    assert f"did you mean {identity('friend')}?" in caught.value.hint
    with pytest.raises(BadInput, match="left aside: 1 of main"):
        find_targets(store, [f"pay {address.identity(HASHED, MAIN)} now"])


def refusal(store, word):
    """The error that a word meets, None where it is found."""
    try:
        assert find_targets(store, [word])
    except ShieldwallError as error:
        return error
    return None


PASTED = (
    st.text(max_size=120)
    | st.from_regex(r"[0-9a-f]{64}(:(in:)?[0-9]{1,12})?", fullmatch=True)
    | st.from_regex(r"[a-z0-9_]{1,9}:[0-9a-fA-F]{0,80}", fullmatch=True)
    | st.from_regex(r"(bc|tb|bcrt)1[a-z0-9]{8,60}", fullmatch=True)
)


@given(PASTED)
def test_whatever_is_pasted_is_found_or_refused_in_words(store, text):
    error = refusal(store, text)
    assert error is None or (error.exit_code in (2, 3, 4) and str(error))


@given(st.binary(max_size=300))
def test_whatever_file_is_named_is_read_or_refused_in_words(store, tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "fuzzed-targets"
    path.write_bytes(content)
    error = refusal(store, str(path))
    assert error is None or str(path) in str(error) or "nothing to trace" in error.message


def test_other_networks_are_named(store):
    with pytest.raises(UnknownAddress, match="an address of main, and the chain is regtest"):
        one(store, address.identity(HASHED, MAIN))


@pytest.mark.parametrize("change", [str.lower, str.upper])
def test_an_address_typed_in_one_case_is_found_among_those_of_the_store(tmp_path, root, change):
    build(tmp_path / "chain", [str(root / "src/shieldwall/playbooks/data/colonial/facts.jsonl")])
    name = "15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr"
    with (
        ChainStore.open(tmp_path / "chain") as chain,
        pytest.raises(UnknownAddress, match="It is in this store") as caught,
    ):
        find_targets(chain, [change(name)])
    assert caught.value.nearest == (name,)
