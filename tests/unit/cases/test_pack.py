"""A package holds, says what is proven and what is asserted, and every change of it is refused by name."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack_support import OTHER, SECRET, changed, contents, keys, packed, resigned, sign

from shieldwall.cases.pack import verifier
from shieldwall.cases.pack.contents import ChainProof
from shieldwall.cases.pack.proving import branch, prove
from shieldwall.cases.pack.redaction import Redaction, redact
from shieldwall.cases.pack.verifier import NotGood, unpack, verify
from shieldwall.cases.pack.writing import payload, write_pack
from shieldwall.chain.build import build
from shieldwall.chain.proof import merkle_root
from shieldwall.chain.regtest import BlockMaker, p2wpkh
from shieldwall.chain.store import ChainStore
from shieldwall.errors import BadInput
from shieldwall.kernels.engine import kernel
from shieldwall.model.network import REGTEST


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """A small chain: 101 blocks, then one with seven payments."""
    maker = BlockMaker(1_700_000_000)
    miners = [maker.mine(p2wpkh(f"m{number}")) for number in range(110)]
    for number in range(7):
        maker.pay([miners[number]], [(p2wpkh(f"p{number}"), miners[number].value - 1000)])
    maker.mine(p2wpkh("last"))
    folder = tmp_path_factory.mktemp("chain")
    (folder / "blk00000.dat").write_bytes(maker.block_file())
    build(folder / "store", [str(folder / "blk00000.dat")], network=REGTEST)
    with ChainStore.open(folder / "store") as store:
        yield store


@pytest.fixture(scope="module")
def proofs(chain):
    tip = chain.rows("block") - 1
    first = int(chain.column("block_first_tx")[tip])
    txids = [chain.txid(number) for number in range(first, chain.rows("tx"))]
    return [*prove(chain, txids), ChainProof(txid="f" * 64, network="regtest")]


@pytest.fixture(scope="module")
def pack(proofs):
    given = [*proofs]
    given[0] = replace(given[0], header=b"", block="", branch=(), place=0)
    return packed(contents(given))


def refused(raw, name, **more):
    with pytest.raises(NotGood) as caught:
        verify(raw, **more)
    assert caught.value.name == name, caught.value.words
    assert caught.value.name in verifier.NAMES
    return caught.value.words


def test_a_package_says_what_is_proven_and_what_is_asserted_by_whom(pack, proofs):
    report = verify(pack)
    assert report.states == {"inclusion proven": 7, "txid proven": 1, "not proven": 1}
    assert report.asserted == {layer: {"Mara": 1} for layer in ("observation", "inference", "attribution")}
    assert report.fingerprint == SECRET.public.fingerprint.hex()
    assert verify(pack, report.fingerprint).files == report.files
    text = verifier.told(report)
    assert "7 transactions: inclusion proven" in text
    assert "Not real money" in text


def test_the_same_contents_are_the_same_bytes_but_for_the_signature(proofs):
    one, other = (unpack(packed(contents(proofs))) for _ in range(2))
    assert {name for name in one if one[name] != other[name]} <= {verifier.SIGNATURE}  # ML-DSA-65 draws anew each time


def test_the_single_file_verifies_without_the_program(pack, tmp_path):
    (tmp_path / "p.zip").write_bytes(pack)
    (tmp_path / "verify.py").write_bytes(unpack(pack)["verify.py"])
    command = [sys.executable, "-I", str(tmp_path / "verify.py"), str(tmp_path / "p.zip")]
    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.startswith("GOOD")
    bad = bytearray(pack)
    bad[len(bad) // 2] ^= 1
    (tmp_path / "p.zip").write_bytes(bytes(bad))
    told = subprocess.run([*command, "--json"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert told.returncode == 1
    assert json.loads(told.stdout)["good"] is False


def test_every_changed_byte_is_named():
    small = packed(contents())
    step = max(1, len(small) // 900)
    for place in range(0, len(small), step):
        bad = bytearray(small)
        bad[place] ^= 0x20
        with pytest.raises(NotGood) as caught:
            verify(bytes(bad))
        assert caught.value.name in verifier.NAMES


@given(st.data())
def test_a_change_anywhere_is_refused(data):
    small = packed(contents())
    place = data.draw(st.integers(0, len(small) - 1))
    cut = data.draw(st.sampled_from(["flip", "drop", "add"]))
    if cut == "flip":
        bad = small[:place] + bytes([small[place] ^ data.draw(st.integers(1, 255))]) + small[place + 1 :]
    elif cut == "drop":
        bad = small[:place] + small[place + 1 :]
    else:
        bad = small[:place] + data.draw(st.binary(min_size=1, max_size=4)) + small[place:]
    if bad != small:
        with pytest.raises(NotGood):
            verify(bad)


@given(st.binary(max_size=400))
def test_anything_else_is_refused_by_name(raw):
    with pytest.raises(NotGood):
        verify(raw)


def test_a_changed_file_is_named(pack):
    files = unpack(pack)
    files["data/claims/inference.json"] += b" "
    words = refused(verifier.bundle(files), "changed-file")
    assert "data/claims/inference.json" in words


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("../evil", "traversal"),
        ("/etc/passwd", "traversal"),
        ("data/../../evil", "traversal"),
        ("C:\\evil", "traversal"),
        ("data/ok\x00.txt", "traversal"),
    ],
)
def test_a_name_that_leaves_the_folder_is_refused(pack, name, problem):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for each, content in unpack(pack).items():
            archive.writestr(each, content)
        entry = zipfile.ZipInfo("x")
        entry.filename = name
        archive.writestr(entry, b"x")
    refused(buffer.getvalue(), problem)


def zipped(pack, *more, compress=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compress) as archive:
        for each, content in unpack(pack).items():
            archive.writestr(each, content)
        for entry, content in more:
            archive.writestr(entry, content)
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(pack):
    refused(zipped(pack, ("data/pack.json", b"{}")), "duplicate-name")
    refused(zipped(pack, ("DATA/pack.json", b"{}")), "duplicate-name")


def test_a_bomb_is_refused_before_it_unpacks(pack):
    refused(zipped(pack, (zipfile.ZipInfo("data/zeros"), bytes(1)), compress=zipfile.ZIP_DEFLATED), "packed")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/zeros", bytes(80 << 20))
    refused(buffer.getvalue(), "bomb")


def test_a_link_and_a_folder_are_refused(pack):
    link = zipfile.ZipInfo("data/link")
    link.external_attr = 0o120777 << 16
    refused(zipped(pack, (link, b"/etc/passwd")), "link")


def test_a_file_too_many_and_one_too_few(pack):
    files = unpack(pack)
    refused(verifier.bundle({**files, "data/more.txt": b"x"}), "unlisted-file")
    refused(verifier.bundle({**files, "more.txt": b"x"}), "unlisted-file")
    fewer = {name: content for name, content in files.items() if name != "data/methods.json"}
    refused(verifier.bundle(fewer), "missing-file")
    refused(verifier.bundle({**files, "bagit.txt": b"BagIt-Version: 9\n"}), "bad-manifest")


def test_a_stripped_or_swapped_signature_is_refused(pack):
    files = unpack(pack)
    refused(verifier.bundle({k: v for k, v in files.items() if k != verifier.SIGNATURE}), "stripped-signature")
    envelope = json.loads(files[verifier.SIGNATURE])

    def with_envelope(**change):
        body = verifier.canonical({**envelope, **change}) + b"\n"
        return verifier.bundle({**files, verifier.SIGNATURE: body})

    first, second = envelope["signatures"]
    refused(with_envelope(signatures=[first]), "stripped-signature")
    refused(with_envelope(algorithms=["Ed25519"], signatures=[first]), "stripped-signature")
    refused(with_envelope(algorithms=["ML-DSA-65", "Ed25519"], signatures=[second, first]), "stripped-signature")
    refused(with_envelope(signatures=[second, first]), "bad-signature")
    other = sign(verifier.PURPOSE, b"something else")["signatures"]
    refused(with_envelope(signatures=[first, other[1]]), "bad-signature")
    refused(with_envelope(signatures=[other[0], second]), "bad-signature")
    refused(with_envelope(key="0" * 16), "wrong-key")
    another_purpose = SECRET.sign("request", b"x")["signatures"]
    refused(with_envelope(signatures=list(another_purpose)), "bad-signature")


def test_another_key_is_seen_by_whoever_asks_for_the_right_one(pack):
    forged = resigned(unpack(pack), OTHER)
    assert verify(forged).fingerprint == OTHER.public.fingerprint.hex()  # whole, but whose it is must be asked
    refused(forged, "wrong-key", key=SECRET.public.fingerprint.hex())
    refused(resigned(unpack(pack), OTHER, known=SECRET), "wrong-key")
    mixed = keys()
    mixed["keys"][0]["ed25519"] = keys(OTHER)["keys"][0]["ed25519"]
    files = {**unpack(pack)}
    forged = resigned(files, SECRET)
    inside = {**unpack(forged), "keys.json": json.dumps(mixed).encode()}
    refused(verifier.bundle(inside), "changed-file")


def first_proof(pack):
    body = json.loads(unpack(pack)["data/pack.json"])
    txid = next(each["txid"] for each in body["transactions"] if each["state"] == "inclusion proven")
    return f"data/chain/{txid}.json"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda p: {**p, "branch": p["branch"][::-1]}, "wrong-branch"),
        (lambda p: {**p, "branch": p["branch"][:-1]}, "wrong-branch"),
        (lambda p: {**p, "place": p["place"] ^ 1}, "wrong-branch"),
        (lambda p: {**p, "place": 1 << 20}, "wrong-branch"),
        (lambda p: {**p, "header": p["header"][:-2] + "ff"}, "wrong-header"),
        (lambda p: {**p, "raw": p["raw"][:-2] + "ff"}, "wrong-txid"),
        (lambda p: {**p, "raw": "00" * 64}, "wrong-txid"),
        (lambda p: {**p, "raw": ""}, "wrong-txid"),
        (lambda p: {**p, "txid": "0" * 64}, "wrong-txid"),
        (lambda p: {**p, "header": "zz"}, "bad-form"),
        (lambda p: {**p, "height": -1}, "bad-form"),
        (lambda p: {k: v for k, v in p.items() if k != "branch"}, "bad-form"),
    ],
)
def test_a_wrong_proof_is_refused_though_the_sender_signs_it(pack, change, problem):
    refused(changed(pack, first_proof(pack), change), problem)


def test_a_header_without_the_work_it_claims_is_refused(pack):
    def lazy(proof):
        header = bytearray.fromhex(proof["header"])
        for nonce in range(1000):  # regtest takes two tries a block: here one that fails is looked for
            header[76:80] = nonce.to_bytes(4, "little")
            if int.from_bytes(verifier._sha256d(bytes(header)), "little") > verifier._target(0x207FFFFF):
                break
        return {**proof, "header": header.hex(), "block": verifier._sha256d(bytes(header))[::-1].hex()}

    refused(changed(pack, first_proof(pack), lazy), "no-work")


def test_a_block_of_a_test_network_is_none_of_the_main_network(pack):
    name = first_proof(pack)
    txid = name[len("data/chain/") : -len(".json")]

    def main(body):
        body["network"].append("main")
        for each in body["transactions"]:
            if each["txid"] == txid:
                each["network"] = "main"
        return body

    words = refused(changed(pack, "data/pack.json", main), "no-work")
    assert "never allowed" in words


def test_states_that_do_not_fit_are_refused(pack):
    def said(state):
        def change(body):
            for each in body["transactions"]:
                if each["state"] == "inclusion proven":
                    each["state"] = state
                    return body
            return body

        return change

    refused(changed(pack, "data/pack.json", said("txid proven")), "bad-form")
    refused(changed(pack, "data/pack.json", said("not proven")), "bad-form")
    refused(changed(pack, "data/pack.json", said("certain")), "bad-form")


def test_a_broken_custody_log_is_refused(pack):
    def entry(**change):
        def do(body):
            body["evidence"][0]["custody"][0] |= change
            return body

        return do

    refused(changed(pack, "data/pack.json", entry(who="Eve")), "wrong-custody")

    def shorter(body):
        del body["evidence"][0]["custody"][0]
        return body

    refused(changed(pack, "data/pack.json", shorter), "wrong-custody")

    def other(body):
        body["evidence"][0]["sha256"] = "0" * 64
        return body

    refused(changed(pack, "data/pack.json", other), "wrong-custody")


def test_layers_are_not_mixed_and_claims_are_what_their_ids_say(pack):
    files = unpack(pack)
    files["data/claims/observation.json"], files["data/claims/attribution.json"] = (
        files["data/claims/attribution.json"],
        files["data/claims/observation.json"],
    )
    refused(resigned(files), "mixed-layers")

    def reworded(rows):
        rows[0]["claim"]["statement"]["text"] = "It was him."
        return rows

    refused(changed(pack, "data/claims/attribution.json", reworded), "wrong-digest")
    refused(changed(pack, "data/claims/attribution.json", lambda _: []), "bad-form")


def test_a_derived_table_is_what_its_trace_gives(pack):
    files = unpack(pack)
    name = next(each for each in files if each.startswith("data/derived/"))
    assert b"'=y" in files[name]  # a formula is text
    files[name] = files[name].replace(b",10\n", b",11\n")
    refused(resigned(files), "wrong-digest")


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b'{"a": 1, "a": 2}', "bad-json"),
        (b'{"a": 1.5}', "bad-json"),
        (b'{"a": NaN}', "bad-json"),
        (b"[" * 5000 + b"]" * 5000, "bad-json"),
        (b"\xff\xfe", "bad-json"),
        (b"[]", "bad-form"),
        (b"", "bad-json"),
    ],
)
def test_json_that_means_more_than_one_thing_is_refused(pack, raw, problem):
    files = {**unpack(pack), "data/pack.json": raw}
    refused(resigned(files), problem)


def test_a_redaction_is_a_new_package_that_says_what_it_withholds():
    whole = contents()
    ids = dict(enumerate(json.loads(payload(whole)["data/pack.json"])["claims"]))
    redacted = redact(
        replace(whole, package_id="22222222-2222-4333-8444-555555555555", replaces=whole.package_id),
        Redaction(why="names a source", claims=frozenset([ids[2]]), evidence=frozenset(["e" * 32]), title=True),
        ids,
    )
    raw = packed(redacted)
    report = verify(raw)
    assert [each["why"] for each in report.withheld] == ["names a source"] * 3
    assert report.asserted == {layer: {"Mara": 1} for layer in ("observation", "inference")}
    assert report.package["replaces"] == whole.package_id
    for word in (b"Waterworks", b"Meridian's", b"Your files are ours", b"note.txt"):
        assert word not in raw
    assert report.package["evidence"][0]["sha256"]  # the digest stays, so that it can be told to be the same
    with pytest.raises(BadInput, match="says why"):
        Redaction(why=" ")
    with pytest.raises(BadInput, match="nothing in the package"):
        redact(whole, Redaction(why="x", claims=frozenset(["0" * 64])), ids)


@given(st.integers(1, 70), st.data())
def test_every_branch_leads_to_the_root(count, data):
    leaves = np.frombuffer(b"".join(verifier._sha256d(bytes([number])) for number in range(count)), np.uint8).reshape(
        -1, 32
    )
    place = data.draw(st.integers(0, count - 1))
    for compiled in (False, True):
        siblings = branch(leaves, place, kernel("hashing", compiled=compiled).merkle_roots)
        node, at = leaves[place].tobytes(), place
        for sibling in siblings:
            node = verifier._sha256d(sibling + node) if at & 1 else verifier._sha256d(node + sibling)
            at >>= 1
        assert node == merkle_root(leaves)


def test_a_signed_request_holds_alone():
    message = b'{"format":"shieldwall-request/1"}\n'
    envelope = verifier.canonical(dict(sign(verifier.REQUEST_PURPOSE, message)))
    identity = json.dumps(keys()).encode()
    assert verifier.verify_signed(message, envelope, identity) == SECRET.public.fingerprint.hex()
    with pytest.raises(NotGood, match="does not hold"):
        verifier.verify_signed(message + b" ", envelope, identity)


def test_writing_needs_both_signatures_to_hold(proofs):
    raw = write_pack(contents(proofs), OTHER.sign)
    refused(raw, "wrong-key")
