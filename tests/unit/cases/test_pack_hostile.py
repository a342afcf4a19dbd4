"""A sender who signs what they like: nothing that is not so is shown as shown, nothing is painted, and nothing else escapes."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import struct
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack_support import changed, contents, packed, resigned, trace

from shieldwall.cases.pack import verifier
from shieldwall.cases.pack.contents import ChainProof
from shieldwall.cases.pack.redaction import Redaction, must_be_gone, redact
from shieldwall.cases.pack.verifier import NotGood, unpack, verify
from shieldwall.cases.pack.writing import payload
from shieldwall.errors import BadInput

NEWS = 1_700_000_000  # seconds: the time of blocks that are made here


def twice(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def spend(value, *, previous=b"\x11" * 32, script=b"\x51" * 9, lock=0, head=b"", tail=b""):
    """A transaction with one input and one output."""
    body = (
        b"\x01" + previous + b"\0" * 4 + b"\0" + b"\xff" * 4 + b"\x01" + struct.pack("<QB", value, len(script)) + script
    )
    return struct.pack("<I", 2) + head + body + tail + struct.pack("<I", lock)


def header(root, *, bits=0x207FFFFF, time=NEWS):
    """One that has the work that it claims, on a network where two tries are enough."""
    for nonce in itertools.count():
        made = struct.pack("<I", 4) + b"\0" * 32 + root + struct.pack("<III", time, bits, nonce)
        if int.from_bytes(twice(made), "little") <= verifier._target(bits):
            return made
    raise AssertionError


def proof(raw, head, branch=(), place=0, height=5, network="regtest"):
    txid = twice(verifier.without_witness(raw))[::-1].hex()
    return ChainProof(
        txid=txid, network=network, raw=raw, header=head, block=twice(head)[::-1].hex(), height=height, place=place,
        branch=tuple(branch),
    )  # fmt: skip


def pack_of(*proofs, **step):
    first = proofs[0]
    when = datetime.fromtimestamp(int.from_bytes(first.header[68:72], "little"), UTC) if first.header else None
    at = {"time": when.strftime("%Y-%m-%dT%H:%M:%SZ"), "height": first.height} if when else {}
    return packed(contents(list(proofs), traces=[trace(first.txid, **{**at, **step})]))


def alone(raw, **more):
    """A package whose one transaction is the whole of its block."""
    return pack_of(proof(raw, header(twice(verifier.without_witness(raw)))), **more)


def refused(raw, *names):
    with pytest.raises(NotGood) as caught:
        verify(raw)
    assert caught.value.name in names, str(caught.value)
    assert caught.value.words.isprintable()
    return caught.value.words


def test_an_honest_one_holds():
    report = verify(alone(spend(10**9)))
    assert report.states == {"inclusion proven": 1}
    (block,) = report.blocks.values()
    assert (block["network"], block["height"], block["work"]) == ("regtest", 5, 2)


# the chain


def test_a_transaction_inside_64_bytes_is_in_no_block():
    """CVE-2017-12842, as it is used: two hashes of the tree are at once a transaction of 64 bytes."""
    lock = (
        9_146_274  # found by trying: this transaction's id has the signs that the second half of one of 64 bytes needs
    )
    fake = spend(10**9, lock=lock)
    second = twice(fake)
    shape = second[9]
    assert shape <= 4, "the lock time is that of another transaction"
    assert (second[14 + shape], second[23 + shape]) == (1, 4 - shape)
    first = struct.pack("<I", 2) + b"\x01" + b"\x33" * 27
    coinbase = spend(50 * 10**8, previous=b"\0" * 32)
    root = twice(twice(coinbase) + twice(first + second))
    words = refused(pack_of(proof(fake, header(root), [first, twice(coinbase)], 3)), "wrong-branch")
    assert "CVE-2017-12842" in words


def test_a_place_beyond_the_last_one_is_in_no_block():
    one, two, three = (spend(value) for value in (1, 2, 3))
    left, right = twice(twice(one) + twice(two)), twice(twice(three) * 2)
    head = header(twice(left + right))
    assert verify(pack_of(proof(three, head, [twice(three), left], 2), outputs=[]))
    assert "CVE-2012-2459" in refused(pack_of(proof(three, head, [twice(three), left], 3), outputs=[]), "wrong-branch")


@pytest.mark.parametrize(
    ("network", "bits", "time"),
    [
        ("main", 0x207FFFFF, NEWS),
        ("main", 0x1D00FFFF, 1_296_688_602),  # the first block of testnet3 has so much, at that time
        ("litecoin", 0x1E0FFFFF, NEWS),
        ("regtest", 0x2100FFFF, NEWS),
        ("testnet3", 0x207FFFFF, NEWS),
    ],
)
def test_work_that_no_block_of_the_network_was_so_little_of_is_none(network, bits, time, monkeypatch):
    monkeypatch.setattr(verifier, "_sha256d", lambda data: twice(data) if len(data) != 80 else b"\0" * 32)
    monkeypatch.setattr(verifier.hashlib, "scrypt", lambda *_, **__: b"\0" * 32)
    raw = spend(5)
    head = struct.pack("<I", 4) + b"\0" * 32 + twice(raw) + struct.pack("<III", time, bits, 0)
    one = proof(raw, head, network=network)
    object.__setattr__(one, "block", "0" * 64)
    refused(pack_of(one, outputs=[]), "no-work")


@pytest.mark.parametrize(
    ("hash_", "bits", "time"),
    [
        ("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f", 0x1D00FFFF, 1_231_006_505),
        ("000000000000034a7dedef4a161fa058a2d67a173a90155f3a2fe6fc132e0ebf", 0x1A05DB8B, 1_348_310_759),
        ("000000000000003887df1f29024b06fc2200b55f8af8f35453d7be294df2d214", 0x1972DBF2, 1_375_533_383),
        ("0000000000000000821c4e0acc40f88bedbce3b73ba2358b5ade58a9022cc78c", 0x1900896C, 1_399_713_634),
        ("00000000000000000faabab19f17c0178c754dbed023e6c871dcaf74159c5f02", 0x181BC330, 1_415_983_209),
        ("0000000000000000001c8018d9cb3b742ef25114f27563e3fc4a1902167f9893", 0x18013CE9, 1_503_539_857),
        ("0000000000000000001602407ac49862a7bca9d00f7f402db20b7be2f5de59d2", 0x172C4E11, 1_556_771_671),
    ],
)
def test_real_blocks_have_more_than_the_least(hash_, bits, time):
    """Blocks 0, 200000, 250000, 300025, 330000, 481824 and 574200 of Bitcoin, as explorers and nodes show them."""
    work = (1 << 256) // (verifier._target(bits) + 1)
    least = max((least for since, least in verifier.LEAST["main"] if time >= since), default=0)
    assert work >= least * (1 << 32)
    assert int(hash_, 16) <= verifier._target(bits)


def test_one_block_is_counted_once_and_is_of_one_network_and_height():
    one, two = spend(1), spend(2)
    head = header(twice(twice(one) + twice(two)))
    both = proof(one, head, [twice(two)], 0), proof(two, head, [twice(one)], 1)
    assert len(verify(pack_of(*both, outputs=[])).blocks) == 1
    other = proof(two, head, [twice(one)], 1, height=99)
    refused(pack_of(both[0], other, outputs=[]), "wrong-header")


@pytest.mark.parametrize(
    "raw",
    [
        spend(5, head=b"\0\x01", tail=b"\0"),  # a witness of nothing
        spend(5, head=b"\0\x08", tail=b"\0"),  # Litecoin's extension, on Bitcoin
        b"\x02\0\0\0\xfd\x01\0" + spend(5)[5:],  # a number in a longer form
        spend(21_000_000_00000000 + 1),
        spend(2**63 + 5),
        spend(5)[:-1],
        spend(5) + b"\0",
        b"\x02\0\0\0\0\x01\0\x01" + struct.pack("<QB", 5, 64) + b"A" * 64 + b"\0" * 4,  # spends nothing
    ],
)
def test_bytes_in_another_form_are_no_transaction(raw):
    txid = twice(raw)[::-1].hex()
    one = ChainProof(txid=txid, network="regtest", raw=raw)
    refused(packed(contents([one], traces=[])), "wrong-txid")


def test_raw_hex_has_one_form():
    raw = packed(contents([ChainProof(txid=twice(spend(5))[::-1].hex(), network="regtest", raw=spend(5))], traces=[]))
    name = next(name for name in unpack(raw) if name.startswith("data/chain/"))
    refused(changed(raw, name, lambda body: {**body, "raw": body["raw"].upper()}), "wrong-txid")
    refused(changed(raw, name, lambda body: {**body, "raw": " " + body["raw"]}), "wrong-txid")
    refused(changed(raw, name, lambda body: {**body, "block": "0" * 64}), "bad-form")


# what is said beside the bytes


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ({"outputs": [{"index": 0, "address": "x", "amount": 10**12}]}, "unlike-bytes"),
        ({"outputs": [{"index": 1, "address": "x", "amount": 1}]}, "unlike-bytes"),
        ({"outputs": [{"index": -1, "address": "x", "amount": 1}]}, "unlike-bytes"),
        ({"inputs": [{"place": 0, "txid": "ab" * 32, "index": 0, "address": "x", "amount": 1}]}, "unlike-bytes"),
        ({"time": "1999-01-01T00:00:00Z"}, "unlike-bytes"),
        ({"height": 4711}, "unlike-bytes"),
        ({"txid": "ab" * 32}, "unlike-bytes"),
        ({"inputs": None}, "bad-form"),
        ({"inputs": [None]}, "bad-form"),
        ({"outputs": [{"index": 0}]}, "bad-form"),
        ({"fee": "1"}, "bad-form"),
        ({"time": 7}, "bad-form"),
    ],
)
def test_a_trace_that_says_other_than_the_bytes_is_refused(step, name):
    def lie(body):
        return {**body, "transfers": [{**body["transfers"][0], **step}]}

    refused(with_trace(alone(spend(10**9)), lie), name)


def with_trace(pack, change):
    """The same package with its trace changed, and digest, place and table made anew where that can be."""
    files = unpack(pack)
    package = json.loads(files["data/pack.json"])
    entry = package["traces"][0]
    body = change(json.loads(files.pop(entry["file"])))
    body.pop("digest")
    body["digest"] = hashlib.sha256(verifier.canonical(body)).hexdigest()
    entry |= {"file": f"data/traces/{body['digest']}.json", "digest": body["digest"]}
    files[entry["file"]] = verifier.canonical(body)
    with contextlib.suppress(TypeError, KeyError, AttributeError):
        files[entry["table"]] = verifier.trace_table(body)
    return resigned({**files, "data/pack.json": json.dumps(package).encode()})


def said(pack, **change):
    return changed(pack, "data/pack.json", lambda body: {**body, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"claims": [[]]},
        {"claims": [{}]},
        {"withheld": ["x"]},
        {"withheld": [5]},
        {"withheld": [{"what": "x"}]},
        {"letters": 5},
        {"letters": [{"id": "x"}]},
        {"evidence": [5]},
        {"traces": [5]},
        {"transactions": [5]},
        {"network": [["main", 5]]},
        {"organisation": 5},
        {"exercise": 1},
        {"package_id": None},
    ],
)
def test_any_other_form_is_refused_by_name(change):
    refused(said(packed(), **change), "bad-form")


@pytest.mark.parametrize("transfers", [5, [5], [{}], None, "x", {}])
def test_a_trace_of_any_other_form_is_refused_by_name(transfers):
    refused(with_trace(packed(), lambda body: {**body, "transfers": transfers}), "bad-form")


@pytest.mark.parametrize("half", ["\\ud800", "\\udfff", "\\uD8aa x"])
def test_half_a_sign_is_no_text(half):
    files = unpack(packed())
    text = files["data/pack.json"].decode().replace("Waterworks", half)
    refused(resigned({**files, "data/pack.json": text.encode()}), "bad-json")
    bad = {**files, verifier.SIGNATURE: files[verifier.SIGNATURE].replace(b'"key":"', f'"key":"{half}'.encode())}
    refused(verifier.bundle(bad), "bad-json")


def test_nothing_that_a_package_says_paints_on_the_screen():
    evil = "Police\n  signed by  0000\nPROVEN by the chain:\n\x1b[2J\u202e"
    raw = packed(contents(organisation=evil, package_id=evil, creator=evil))
    shown = verifier.told(verify(raw))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert not [line for line in shown.splitlines() if line.startswith(("  signed by  0000", "PROVEN"))]
    name = "data/traces/\x1b[2J GOOD"
    words = refused(
        changed(packed(), "data/pack.json", lambda body: {**body, "traces": [{**body["traces"][0], "file": name}]}),
        "missing-file",
    )
    assert "\x1b" not in words


@pytest.mark.parametrize(
    "name",
    [
        "data/evidence/0009-planted.txt",
        "data/derived/other-transfers.csv",
        "data/traces/other.json",
        "data/claims/accusation.json",
        "data/letters/009-freeze/letter.html",
        "data/chain/x.json",
    ],
)
def test_nothing_lies_beside_what_the_package_accounts_for(name):
    refused(resigned({**unpack(packed()), name: b"[]"}), "unlisted-file")


def test_a_table_cannot_be_dropped_nor_a_trace_be_given_twice():
    def without_table(body):
        del body["traces"][0]["table"]
        return body

    refused(changed(packed(), "data/pack.json", without_table), "bad-form")
    refused(changed(packed(), "data/pack.json", lambda body: {**body, "traces": body["traces"] * 2}), "bad-form")
    refused(changed(packed(), "data/pack.json", lambda body: {**body, "evidence": body["evidence"] * 2}), "bad-form")


def test_a_claim_stands_once_and_not_after_it_was_taken_back():
    pack = packed()
    name = "data/claims/observation.json"
    row = json.loads(unpack(pack)[name])[0]
    refused(changed(pack, name, lambda rows: rows * 2), "bad-form")
    gone = {"claim": row["claim"], "claim_id": row["id"], "reason": "wrong", "at": "2026-10-02T08:00:00Z"}
    refused(changed(pack, "data/claims/retracted.json", lambda _: [gone]), "bad-form")
    refused(changed(pack, "data/claims/retracted.json", lambda _: [{**gone, "claim_id": "0" * 64}]), "wrong-digest")


def entries(change):
    def do(body):
        log = body["evidence"][0]["custody"]
        change(log)
        before = "0" * 64
        for number, entry in enumerate(log, 1):
            entry |= {"number": number, "previous": before}
            bare = {name: value for name, value in entry.items() if name != "digest"}
            before = entry["digest"] = hashlib.sha256(verifier.canonical(bare)).hexdigest()
        return body

    return changed(packed(), "data/pack.json", do)


@pytest.mark.parametrize(
    "change",
    [
        lambda log: log[0].update(sha256="0" * 64),
        lambda log: log[0].update(at="zzzz"),
        lambda log: log[0].update(deed="destroyed"),
        lambda log: log[0].update(at="2027-01-01T00:00:00Z"),
        lambda log: log.clear(),
    ],
)
def test_a_custody_log_that_was_made_anew_is_held_to_its_sense(change):
    refused(entries(change), "wrong-custody")


def test_evidence_that_is_not_there_is_told_by_the_verifier_itself():
    def silent(body):
        piece = body["evidence"][0]
        del piece["file"]
        return body

    refused(
        resigned(
            {k: v for k, v in unpack(changed(packed(), "data/pack.json", silent)).items() if "evidence/" not in k}
        ),
        "bad-form",
    )


# the zip, and what it needs


def test_the_files_stand_in_one_order():
    files = unpack(packed())
    refused(verifier.bundle(dict(reversed(files.items()))), "changed-zip")


@pytest.mark.parametrize("name", ["data/CON", "data/a/nul.txt", "data/pack.json.", "data/pack.json/x", "data/x./y"])
def test_a_name_that_some_system_reads_otherwise_is_refused(name):
    refused(verifier.bundle({**unpack(packed()), name: b"x"}), "traversal", "duplicate-name")


def test_no_file_beside_the_verifier_is_run(tmp_path):
    refused(resigned_with_tag("zipfile.py"), "bad-manifest")
    (tmp_path / "verify.py").write_bytes(unpack(packed())["verify.py"])
    (tmp_path / "zipfile.py").write_text("print('GOOD: owned'); raise SystemExit(0)\n")
    (tmp_path / "p.zip").write_bytes(b"x")
    command = [sys.executable, str(tmp_path / "verify.py"), str(tmp_path / "p.zip")]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (told.returncode, "owned" in told.stdout) == (1, False), told.stderr


def resigned_with_tag(name):
    files = unpack(packed())
    files[verifier.TAGMANIFEST] += f"{hashlib.sha256(b'x').hexdigest()}  {name}\n".encode()
    return verifier.bundle({**files, name: b"x"})


def test_a_screen_that_knows_ascii_alone_stops_nothing(tmp_path):
    (tmp_path / "p.zip").write_bytes(packed(contents(organisation="Økokrim")))
    (tmp_path / "verify.py").write_bytes(unpack(packed())["verify.py"])
    command = [sys.executable, "-I", "-X", "utf8=0", str(tmp_path / "verify.py"), str(tmp_path / "p.zip")]
    told = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
    )
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("key", ["", "0" * 27])
def test_too_short_a_fingerprint_asks_for_more(key, tmp_path, capsys):
    (tmp_path / "p.zip").write_bytes(packed())
    with pytest.raises(SystemExit) as stop:
        verifier.main([str(tmp_path / "p.zip"), "--key", key])
    assert stop.value.code == 2
    assert "28" in capsys.readouterr().err


def test_json_that_would_take_long_takes_no_time():
    """A text of escapes and one of millions of signs: once quadratic, and once a hundred bytes for each."""
    for text in (b'"' + b'\\"' * 200_000, b'"' + b"x" * 900_000 + b'"'):
        files = {**unpack(packed()), verifier.SIGNATURE: text}
        refused(verifier.bundle(files), "bad-json", "bad-signature", "changed-file")
    files = {**unpack(packed()), verifier.SIGNATURE: b'"' + b"x" * (2 << 20)}
    refused(verifier.bundle(files), "too-large")


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["txid", "state", "network", "id", "file", "digest", "what", "why", "claim", "custody", "files"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from(["transactions", "claims", "traces", "evidence", "letters", "withheld", "network", "organisation"]),
)
def test_whatever_stands_in_a_field_is_good_or_refused_by_name(value, field):
    with contextlib.suppress(NotGood):
        verifier.told(verify(said(packed(), **{field: value})))


# redaction


def test_a_redaction_that_leaves_the_text_elsewhere_is_refused():
    whole = contents(alternatives=["The address is Meridian's own list, or not."])
    ids = dict(enumerate(json.loads(payload(whole)["data/pack.json"])["claims"]))
    redacted = redact(whole, Redaction(why="x", claims=frozenset([ids[2]])), ids)
    with pytest.raises(BadInput, match=r"alternatives\.json"):
        must_be_gone(whole, redacted, payload(redacted))
    plain = redact(contents(), Redaction(why="x", claims=frozenset([ids[2]])), ids)
    must_be_gone(contents(), plain, payload(plain))
