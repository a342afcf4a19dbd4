#!/usr/bin/env python3
"""Verify a Shieldwall evidence package: what is proven by the chain, and what is asserted by whom.

    python3 verify.py PACK.zip [--key FINGERPRINT] [--json]

One file. It needs Python 3.11 or later and `cryptography` 48 or later (for ML-DSA-65); no network, no node. A package is not
trusted for carrying this file: take the verifier from somewhere that you trust, or compare its SHA-256 with the one that was
published. Exit codes: 0 it holds, 1 it does not, 2 wrong usage.

What is checked, in this order; the first thing that fails is named, and nothing is believed after it:

1. The zip: no name twice, none that leaves the folder, no links, no encryption, no bombs, and no byte but those of its files.
2. The manifests (BagIt, RFC 8493): every file is listed, every listed file is there, every SHA-256 fits.
3. Both signatures, Ed25519 and ML-DSA-65, over one hash that names purpose, key and algorithms: both, or nothing.
4. The chain: each txid from its bytes; each header's hash and its work; each Merkle branch from the txid to the header's root.
5. The custody logs: each entry carries the digest of the one before, and each file is the one that its log says.
6. The layers: observation, inference and attribution stand apart, and what is derived is what it is derived from.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import io
import json
import re
import struct
import sys
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FORMAT = "shieldwall-pack/1"
PURPOSE = "evidence-pack"
REQUEST_PURPOSE = "request"
ALGORITHMS = ["Ed25519", "ML-DSA-65"]
SIGNATURE = "signature.json"
MANIFEST, TAGMANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
TAGS = ("bagit.txt", "bag-info.txt", MANIFEST, "keys.json", "verify.py", "README.txt")
"""Files beside the payload, in the order of the tag manifest."""

MOST_FILES = 20_000
MOST_PACKED = 1 << 30  # bytes of a package
MOST_JSON = 256 << 20  # of a file that is read as JSON
DEEPEST = 60  # levels of JSON
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,199}){0,5}")
_HEX64 = re.compile(r"[0-9a-f]{64}")
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")
_LAYERS = ("observation", "inference", "attribution")
_STATES = ("inclusion proven", "txid proven", "not proven")

# name: (work, least expected hashes of a block at or above a height), as in Bitcoin Core's and Litecoin Core's chainparams
NETWORKS: dict[str, tuple[str, int, int]] = {
    "main": ("sha256d", 200_000, 2_000_000 << 32),
    "testnet3": ("sha256d", 0, 0),
    "testnet4": ("sha256d", 0, 0),
    "signet": ("sha256d", 0, 0),
    "regtest": ("sha256d", 0, 0),
    "litecoin": ("scrypt", 0, 0),
    "litecoin-testnet": ("scrypt", 0, 0),
    "litecoin-regtest": ("scrypt", 0, 0),
}
POW_LIMIT = {"main": 0x1D00FFFF, "litecoin": 0x1E0FFFFF}
"""The easiest target that the network ever allows, in its compact form."""


class NotGood(Exception):
    """Something does not hold.

    Attributes:
        name: What it is, for machines: one word of `NAMES`.
        words: What it is, for people; names the file.
    """

    def __init__(self, name: str, words: str) -> None:
        super().__init__(f"{name}: {words}")
        self.name = name
        self.words = words


NAMES = (
    "not-a-zip", "too-large", "bomb", "traversal", "duplicate-name", "link", "packed", "changed-zip", "encrypted",
    "unlisted-file", "missing-file", "changed-file", "bad-manifest", "bad-json", "bad-form", "bad-signature",
    "stripped-signature", "wrong-key", "wrong-txid", "wrong-header", "no-work", "wrong-branch", "wrong-custody",
    "wrong-digest", "mixed-layers",
)  # fmt: skip
"""Every name that `NotGood` may have."""


@dataclass
class Report:
    """What a package shows.

    Attributes:
        package: Its own account of itself.
        key: Id of the key that signed it.
        fingerprint: SHA-256 over both public keys, hex: to be compared with what the sender says by another way.
        states: How many transactions are in which state.
        transactions: Of each its txid, state, and block where it is proven to be in one.
        work: Expected hashes of all blocks that are shown, together.
        asserted: How many claims of each layer, by whoever makes them.
        withheld: What was left out, as the package says.
        files: How many files were held against their SHA-256.
        notes: What a reader should know.
    """

    package: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    fingerprint: str = ""
    states: dict[str, int] = field(default_factory=dict)
    transactions: list[dict[str, Any]] = field(default_factory=list)
    work: int = 0
    asserted: dict[str, dict[str, int]] = field(default_factory=dict)
    withheld: list[dict[str, Any]] = field(default_factory=list)
    files: int = 0
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"good": True, **self.__dict__}


def verify(raw: bytes, key: str = "") -> Report:
    """Verify a package.

    Args:
        raw: The zip.
        key: The fingerprint that the sender's key must have (hex, or its first 16 digits); "" for any.

    Raises:
        NotGood: It does not hold; the first thing that fails.
    """
    files = unpack(raw)
    _manifests(files)
    report = Report(files=len(files))
    identity = _json(files, "keys.json")
    report.key, report.fingerprint = _signed(files, identity, key)
    report.package = package = _json(files, "data/pack.json")
    if not isinstance(package, dict) or package.get("format") != FORMAT:
        raise NotGood("bad-form", f"data/pack.json: the format is not {FORMAT}")
    _need(package, "data/pack.json", package_id=str, created_at=str, network=list, transactions=list, claims=list)
    _chain(files, package, report)
    _custody(files, package)
    _layers(files, package, report)
    _derived(files, package)
    report.withheld = _listed(package, "withheld", "data/pack.json")
    return report


def verify_signed(
    message: bytes, envelope: bytes, identity: bytes, purpose: str = REQUEST_PURPOSE, key: str = ""
) -> str:
    """Hold a single signed file, such as request.json with request.sig.json, against a key document; the key's fingerprint.

    Raises:
        NotGood: It does not hold.
    """
    body = _parse(envelope, "the signature")
    return _hold(message, purpose, body, _parse(identity, "the key document"), key)[1]


# 1. the zip


def unpack(raw: bytes) -> dict[str, bytes]:
    """Every file of a zip, by name; nothing is written anywhere.

    Raises:
        NotGood: See the module's docstring, 1.
    """
    if len(raw) > MOST_PACKED:
        raise NotGood("too-large", f"a package has at most {MOST_PACKED:,} bytes")
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
        entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error, OverflowError, UnicodeError):
        raise NotGood("not-a-zip", "the file is no zip, or it is cut") from None
    if len(entries) > MOST_FILES:
        raise NotGood("too-large", f"a package has at most {MOST_FILES:,} files")
    files: dict[str, bytes] = {}
    total = 0
    for entry in entries:
        name = entry.orig_filename
        if not _NAME.fullmatch(name) or ".." in name or name != entry.filename:
            raise NotGood("traversal", f"{_shown(name)}: no name of a file in a package")
        if name in files:
            raise NotGood("duplicate-name", f"{name}: there are two of them")
        if entry.flag_bits & 0x1:
            raise NotGood("encrypted", f"{name}: encrypted")
        kind = entry.external_attr >> 16 & 0o170000
        if kind not in (0, 0o100000) or entry.is_dir():
            raise NotGood("link", f"{name}: not a plain file")
        total += entry.file_size
        if total > MOST_PACKED or entry.file_size > len(raw):
            raise NotGood("bomb", f"{name}: it would unpack to {entry.file_size:,} bytes")
        if entry.compress_type != zipfile.ZIP_STORED:
            raise NotGood("packed", f"{name}: files of a package stand in it as they are")
        try:
            with archive.open(entry) as part:
                content = part.read(entry.file_size + 1)
        except Exception as error:  # noqa: BLE001 - whatever a broken archive makes the library raise
            raise NotGood("changed-file", f"{name}: cannot be read ({type(error).__name__})") from None
        if len(content) != entry.file_size:
            raise NotGood("bomb", f"{name}: it is larger than it says")
        files[name] = content
    lower: set[str] = set()
    for name in files:
        if name.lower() in lower:
            raise NotGood("duplicate-name", f"{name}: another name differs only in its case")
        lower.add(name.lower())
    if bundle(files) != raw:
        raise NotGood("changed-zip", "bytes between the files are not as a package has them")
    return files


def bundle(files: dict[str, bytes]) -> bytes:
    """A zip of these files, in their order: stored, dated 1980-01-01, with nothing between them; one form for one content.

    The layout is that of PKWARE's APPNOTE 6.3.10, 4.3.6, with version 2.0 and Unix modes 0644.
    """
    parts, central, at = [], [], 0
    for name, content in files.items():
        raw = name.encode("ascii")
        common = struct.pack(
            "<HHHHHIIIHH", 20, 0, 0, 0, 0x21, zlib.crc32(content), len(content), len(content), len(raw), 0
        )
        local = b"PK\x03\x04" + common + raw
        central.append(
            b"PK\x01\x02"
            + struct.pack("<H", 0x0314)
            + common
            + struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, at)
            + raw
        )
        parts += [local, content]
        at += len(local) + len(content)
    directory = b"".join(central)
    end = struct.pack("<HHHHIIH", 0, 0, len(central), len(central), len(directory), at, 0)
    return b"".join((*parts, directory, b"PK\x05\x06", end))


# 2. the manifests


def _manifests(files: dict[str, bytes]) -> None:
    for name in ("bagit.txt", MANIFEST, TAGMANIFEST):
        if name not in files:
            raise NotGood("missing-file", f"{name}: not in the package")
    if not files["bagit.txt"].startswith(b"BagIt-Version: 1.0\n"):
        raise NotGood("bad-manifest", "bagit.txt: not of BagIt 1.0")
    payload = _listing(files, MANIFEST)
    tags = _listing(files, TAGMANIFEST)
    for name in payload:
        if not name.startswith("data/"):
            raise NotGood("bad-manifest", f"{MANIFEST}: {name} is no payload")
    for name in tags:
        if name.startswith("data/") or name in (TAGMANIFEST, SIGNATURE):
            raise NotGood("bad-manifest", f"{TAGMANIFEST}: {name} does not belong there")
    for name, wanted in (*tags.items(), *payload.items()):
        if name not in files:
            raise NotGood("missing-file", f"{name}: listed, and not in the package")
        if hashlib.sha256(files[name]).hexdigest() != wanted:
            raise NotGood("changed-file", f"{name}: its SHA-256 is not the one that the manifest says")
    for name in files:
        if name not in payload and name not in tags and name not in (TAGMANIFEST, SIGNATURE):
            raise NotGood("unlisted-file", f"{name}: in the package, and in no manifest")
    for name in TAGS:
        if name not in tags:
            raise NotGood("bad-manifest", f"{TAGMANIFEST}: {name} is not listed")


def _listing(files: dict[str, bytes], name: str) -> dict[str, str]:
    try:
        lines = files[name].decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise NotGood("bad-manifest", f"{name}: no UTF-8") from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise NotGood("bad-manifest", f"{name}: line {number} is no digest and name")
        if match[2] in found:
            raise NotGood("duplicate-name", f"{name}: {_shown(match[2])} is listed twice")
        found[match[2]] = match[1]
    return found


# 3. the signatures


def _signed(files: dict[str, bytes], identity: Any, key: str) -> tuple[str, str]:
    if SIGNATURE not in files:
        raise NotGood("stripped-signature", f"{SIGNATURE}: not in the package")
    message = canonical({"format": FORMAT, "tagmanifest_sha256": hashlib.sha256(files[TAGMANIFEST]).hexdigest()})
    envelope = _json(files, SIGNATURE)
    if canonical(envelope) + b"\n" != files[SIGNATURE]:
        raise NotGood("changed-file", f"{SIGNATURE}: not as it was written")
    return _hold(message, PURPOSE, envelope, identity, key)


def _hold(message: bytes, purpose: str, envelope: Any, identity: Any, key: str) -> tuple[str, str]:
    """Both signatures, by the pair of the key document that the envelope names; id and fingerprint of that pair."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey

    if not isinstance(envelope, dict) or set(envelope) != {"algorithms", "key", "signatures"}:
        raise NotGood("bad-signature", "the signature: not in the form of a signature")
    if envelope["algorithms"] != ALGORITHMS or not isinstance(envelope["signatures"], list):
        raise NotGood(
            "stripped-signature", f"the signature: both of {' and '.join(ALGORITHMS)} are wanted, in this order"
        )
    if len(envelope["signatures"]) != 2:
        raise NotGood("stripped-signature", "the signature: one of the two is missing")
    try:
        signatures = [base64.b64decode(each, validate=True) for each in envelope["signatures"]]
        if [base64.b64encode(each).decode() for each in signatures] != envelope["signatures"]:
            raise ValueError
        pairs = [
            (
                each["id"],
                base64.b64decode(each["ed25519"], validate=True),
                base64.b64decode(each["mldsa65"], validate=True),
            )
            for each in identity["keys"]
        ]
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise NotGood("bad-signature", "keys.json or the signature: not in their form") from None
    for name, ed25519, mldsa65 in pairs:
        if name != envelope["key"]:
            continue
        fingerprint = hashlib.sha256(b"shieldwall/1/fingerprint" + ed25519 + mldsa65).hexdigest()
        if fingerprint[:16] != name:
            raise NotGood("wrong-key", f"keys.json: key {name} is not the one that its id says")
        if key and fingerprint != key.lower() and not (len(key) >= 16 and fingerprint.startswith(key.lower())):
            raise NotGood("wrong-key", f"signed by {fingerprint}, not by the key that was asked for")
        header = canonical({"algorithms": ALGORITHMS, "key": name, "purpose": purpose})
        hashed = hashlib.sha512(b"shieldwall/1/signed" + len(header).to_bytes(4, "big") + header + message).digest()
        try:
            at = 1
            Ed25519PublicKey.from_public_bytes(ed25519).verify(signatures[0], hashed)
            at = 2
            MLDSA65PublicKey.from_public_bytes(mldsa65).verify(signatures[1], hashed, b"shieldwall/1")
        except (InvalidSignature, ValueError):
            raise NotGood("bad-signature", f"the {ALGORITHMS[at - 1]} signature ({at} of 2) does not hold") from None
        return name, fingerprint
    raise NotGood(
        "wrong-key", f"the signature names the key {_shown(str(envelope['key']))}, which keys.json does not have"
    )


# 4. the chain


def _chain(files: dict[str, bytes], package: dict[str, Any], report: Report) -> None:
    listed: set[str] = set()
    for place, entry in enumerate(_listed(package, "transactions", "data/pack.json")):
        at = f"data/pack.json, transaction {place + 1}"
        _need(entry, at, txid=str, state=str, network=str)
        txid, state = entry["txid"], entry["state"]
        if not _HEX64.fullmatch(txid) or txid in listed or state not in _STATES:
            raise NotGood("bad-form", f"{at}: no txid or state, or the same twice")
        listed.add(txid)
        told: dict[str, Any] = {"txid": txid, "state": state, "network": entry["network"]}
        name = f"data/chain/{txid}.json"
        if state == "not proven":
            if name in files:
                raise NotGood("bad-form", f"{name}: there, and said to be not proven")
        else:
            proof = _json(files, name)
            _need(proof, name, txid=str, raw=str)
            if proof["txid"] != txid:
                raise NotGood("wrong-txid", f"{name}: it says that it is another transaction")
            _txid(proof, name)
            if state == "inclusion proven":
                told |= _included(proof, name, entry["network"])
                report.work += told["work"]
            elif "branch" in proof:
                raise NotGood("bad-form", f"{name}: a branch, where inclusion is said to be not proven")
        report.transactions.append(told)
        report.states[state] = report.states.get(state, 0) + 1
    for name in files:
        if name.startswith("data/chain/") and name[len("data/chain/") : -len(".json")] not in listed:
            raise NotGood("unlisted-file", f"{name}: a proof of no transaction of the package")
    if report.states.get("not proven"):
        report.notes.append(
            "Transactions that are not proven are named in claims or traces; the package has not their bytes."
        )
    if report.states.get("txid proven"):
        report.notes.append(
            "Of transactions whose txid alone is proven, the bytes are genuine; that they are in a block is not shown."
        )
    if any(told["network"] not in ("main", "litecoin") for told in report.transactions):
        report.notes.append("Not real money: some transactions are of a test network, where anybody can make blocks.")


def _txid(proof: dict[str, Any], name: str) -> None:
    try:
        raw = bytes.fromhex(proof["raw"])
        stripped = without_witness(raw)
    except (ValueError, IndexError, struct.error):
        raise NotGood("wrong-txid", f"{name}: raw is no transaction") from None
    if len(stripped) <= 64:
        raise NotGood("wrong-txid", f"{name}: 64 bytes could be two hashes of a Merkle tree (CVE-2017-12842)")
    if _sha256d(stripped)[::-1].hex() != proof["txid"]:
        raise NotGood("wrong-txid", f"{name}: its bytes have another txid")


def _included(proof: dict[str, Any], name: str, network: str) -> dict[str, Any]:
    _need(proof, name, header=str, branch=list, place=int, block=str)
    try:
        header = bytes.fromhex(proof["header"])
        branch = [bytes.fromhex(each)[::-1] for each in proof["branch"]]
    except (ValueError, TypeError):
        raise NotGood("bad-form", f"{name}: header or branch is no hex") from None
    if len(header) != 80 or any(len(each) != 32 for each in branch) or len(branch) > 32:
        raise NotGood("bad-form", f"{name}: a header has 80 bytes, and a branch hashes of 32")
    if _sha256d(header)[::-1].hex() != proof["block"]:
        raise NotGood("wrong-header", f"{name}: the header is not that of the block {proof['block'][:80]}")
    if network not in NETWORKS:
        raise NotGood("bad-form", f"{name}: no network is called {_shown(network)}")
    height = proof.get("height")
    if height is not None and (type(height) is not int or height < 0):
        raise NotGood("bad-form", f"{name}: height is no height")
    work = _work(header, name, network, height)
    node, place = bytes.fromhex(proof["txid"])[::-1], proof["place"]
    if place < 0 or place >> len(branch):
        raise NotGood("wrong-branch", f"{name}: no branch of that length leads to place {place}")
    for sibling in branch:
        node = _sha256d(sibling + node) if place & 1 else _sha256d(node + sibling)
        place >>= 1
    if node != header[36:68]:
        raise NotGood("wrong-branch", f"{name}: the branch does not lead to the root in the header")
    when = int.from_bytes(header[68:72], "little")
    return {"block": proof["block"], "height": height, "time": when, "work": work}


def _work(header: bytes, name: str, network: str, height: int | None) -> int:
    """Expected hashes for a header; refused where its hash does not show them, or the network never allowed so few."""
    target = _target(int.from_bytes(header[72:76], "little"))
    kind, from_height, least = NETWORKS[network]
    hashed = _sha256d(header) if kind == "sha256d" else hashlib.scrypt(header, salt=header, n=1024, r=1, p=1, dklen=32)
    if not target or int.from_bytes(hashed, "little") > target:
        raise NotGood("no-work", f"{name}: the header does not carry the work that it claims")
    work = (1 << 256) // (target + 1)
    if network in POW_LIMIT and target > _target(POW_LIMIT[network]):
        raise NotGood("no-work", f"{name}: {network} never allowed a block with so little work")
    if least and work < least and (height is None or height >= from_height):
        raise NotGood(
            "no-work", f"{name}: every block of {network} from height {from_height} on took more work than that"
        )
    return work


def _target(bits: int) -> int:
    exponent, mantissa = bits >> 24, bits & 0x7FFFFF
    target = mantissa << (8 * (exponent - 3)) if exponent > 3 else mantissa >> (8 * (3 - exponent))
    return 0 if bits & 0x800000 or target >> 256 else target


def without_witness(raw: bytes) -> bytes:
    """A transaction's bytes without marker, flag, witness (BIP 141) and extension (LIP 2); its txid is their hash.

    Raises:
        ValueError: It is no transaction.
        IndexError, struct.error: It is cut.
    """
    flags, at = 0, 4
    if raw[4:5] == b"\x00":
        flags, at = raw[5], 6
        if not flags or flags & ~0x09:
            raise ValueError("flags that there are not")
    start = at
    inputs, at = _number(raw, at)
    for _ in range(_bounded(inputs, raw)):
        size, at = _number(raw, at + 36)
        at += size + 4
    outputs, at = _number(raw, at)
    for _ in range(_bounded(outputs, raw)):
        size, at = _number(raw, at + 8)
        at += size
    end = at
    if end > len(raw):
        raise ValueError("cut")
    if flags & 1:
        for _ in range(inputs):
            items, at = _number(raw, at)
            for _ in range(_bounded(items, raw)):
                size, at = _number(raw, at)
                at += size
    if flags & 8:
        if raw[at : at + 1] != b"\x00":
            raise ValueError("an extension that cannot be left out")
        at += 1
    if at + 4 != len(raw):
        raise ValueError("bytes are missing, or left over")
    return raw[:4] + raw[start:end] + raw[at:]


def _number(raw: bytes, at: int) -> tuple[int, int]:
    """A compact size (Bitcoin's own variable length number) and the place after it."""
    first = raw[at]
    if first < 0xFD:
        return first, at + 1
    size = {0xFD: 2, 0xFE: 4, 0xFF: 8}[first]
    if at + 1 + size > len(raw):
        raise ValueError("cut")
    return int.from_bytes(raw[at + 1 : at + 1 + size], "little"), at + 1 + size


def _bounded(count: int, raw: bytes) -> int:
    if count > len(raw):
        raise ValueError("more parts than bytes")
    return count


def _sha256d(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


# 5. custody


def _custody(files: dict[str, bytes], package: dict[str, Any]) -> None:
    for place, item in enumerate(_listed(package, "evidence", "data/pack.json")):
        at = f"data/pack.json, evidence {place + 1}"
        _need(item, at, id=str, sha256=str, custody=list)
        before, last = None, None
        for number, entry in enumerate(item["custody"], 1):
            _need(entry, at, number=int, at=str, who=str, deed=str, why=str, sha256=str, previous=str, digest=str)
            bare = {name: value for name, value in entry.items() if name != "digest"}
            if hashlib.sha256(canonical(bare)).hexdigest() != entry["digest"]:
                raise NotGood("wrong-custody", f"{at}: entry {number} of its custody log is not what its digest says")
            if entry["number"] != number or entry["previous"] != (before["digest"] if before else "0" * 64):
                raise NotGood(
                    "wrong-custody", f"{at}: entry {number} of its custody log does not follow on the one before"
                )
            if before and entry["at"] < before["at"]:
                raise NotGood("wrong-custody", f"{at}: entry {number} of its custody log is older than the one before")
            before, last = entry, entry
        if last is None or last["sha256"] != item["sha256"]:
            raise NotGood("wrong-custody", f"{at}: its custody log does not end with this content")
        name = item.get("file")
        if name is None:
            continue
        if not isinstance(name, str) or name not in files:
            raise NotGood("missing-file", f"{at}: its file is not in the package")
        if hashlib.sha256(files[name]).hexdigest() != item["sha256"]:
            raise NotGood("wrong-custody", f"{name}: not the content that its custody log says")


# 6. layers and what is derived


def _layers(files: dict[str, bytes], package: dict[str, Any], report: Report) -> None:
    seen: set[str] = set()
    for layer in _LAYERS:
        name = f"data/claims/{layer}.json"
        for place, claim in enumerate(_list(_json(files, name), name)):
            at = f"{name}, claim {place + 1}"
            _need(claim, at, id=str, claim=dict)
            body = claim["claim"]
            _need(body, at, kind=str, layer=str, statement=dict, subject=dict)
            bare = {key: value for key, value in body.items() if key != "signature"}
            if hashlib.sha256(canonical(bare)).hexdigest() != claim["id"]:
                raise NotGood("wrong-digest", f"{at}: it is not what its id says")
            if body["layer"] != layer:
                raise NotGood("mixed-layers", f"{at}: it says that it is an {_shown(body['layer'])}")
            seen.add(claim["id"])
            who = str(body.get("made_by") or body.get("source") or "nobody named")
            report.asserted.setdefault(layer, {})
            report.asserted[layer][who] = report.asserted[layer].get(who, 0) + 1
    if seen != set(package["claims"]) or len(package["claims"]) != len(seen):
        raise NotGood("bad-form", "data/pack.json: the claims that it lists are not those that are there")


def _derived(files: dict[str, bytes], package: dict[str, Any]) -> None:
    """Traces are what their digests say, and tables that the package says are derived from them agree with them."""
    for place, trace in enumerate(_listed(package, "traces", "data/pack.json")):
        at = f"data/pack.json, trace {place + 1}"
        _need(trace, at, file=str, digest=str)
        body = _json(files, trace["file"])
        if not isinstance(body, dict):
            raise NotGood("bad-form", f"{trace['file']}: no trace")
        bare = {name: value for name, value in body.items() if name != "digest"}
        if body.get("digest") != trace["digest"] or hashlib.sha256(canonical(bare)).hexdigest() != trace["digest"]:
            raise NotGood("wrong-digest", f"{trace['file']}: the trace is not what its digest says")
        table = trace.get("table")
        if table is not None:
            wanted = trace_table(body)
            if not isinstance(table, str) or files.get(table) != wanted:
                raise NotGood("wrong-digest", f"{_shown(table)}: it is not what the trace gives")


def trace_table(body: dict[str, Any]) -> bytes:
    """The transfers of a trace as CSV: what `data/derived` has of each trace, made of the trace alone."""
    rows = ["txid,height,time,hop,side,place,address,amount_satoshi"]
    for transfer in body.get("transfers", []):
        head = [transfer["txid"], transfer["height"], transfer["time"], transfer["hop"]]
        for side, name in (("input", "place"), ("output", "index")):
            for part in transfer[f"{side}s"]:
                cells = [*head, side, part[name], part["address"], part["amount"]]
                rows.append(",".join(_cell(cell) for cell in cells))
        if transfer["fee"]:
            rows.append(",".join(_cell(cell) for cell in [*head, "fee", "", "", transfer["fee"]]))
    return ("\n".join(rows) + "\n").encode()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    if text[:1] in "=+-@\t\r" and text[:1]:
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\n\r') else text


# JSON


def canonical(value: Any) -> bytes:
    """Canonical JSON: keys sorted, no blanks, UTF-8, whole numbers only (docs/spec/claim.md)."""
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":")).encode()


def _ordered(value: Any) -> Any:
    if isinstance(value, float):
        raise NotGood("bad-form", "a float: amounts are whole numbers, shares are texts")
    if isinstance(value, dict):
        return {
            key: _ordered(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        }
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    return value


def _json(files: dict[str, bytes], name: str) -> Any:
    if name not in files:
        raise NotGood("missing-file", f"{name}: not in the package")
    return _parse(files[name], name)


def _parse(raw: bytes, name: str) -> Any:
    """JSON that means one thing: UTF-8, no key twice, no float, not too deep."""
    if len(raw) > MOST_JSON:
        raise NotGood("too-large", f"{name}: more than {MOST_JSON:,} bytes")
    try:
        text = raw.decode("utf-8")
        depth = deepest = 0
        for part in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', text):
            sign = part[0][0]
            depth += 1 if sign in "[{" else -1 if sign in "]}" else 0
            deepest = max(deepest, depth)
        if deepest > DEEPEST:
            raise NotGood("bad-json", f"{name}: deeper than {DEEPEST} levels")
        return json.loads(text, object_pairs_hook=_once, parse_float=_no_float, parse_constant=_no_float)
    except NotGood as error:
        raise NotGood(error.name, f"{name}: {error.words}") from None
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise NotGood("bad-json", f"{name}: no JSON") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotGood("bad-json", "a key stands twice")
    return found


def _no_float(_text: str) -> None:
    raise NotGood("bad-json", "a number that is no whole one")


def _need(value: Any, at: str, /, **wanted: type) -> None:
    if not isinstance(value, dict):
        raise NotGood("bad-form", f"{at}: not an object")
    for name, kind in wanted.items():
        if not isinstance(value.get(name), kind) or (kind is int and isinstance(value[name], bool)):
            raise NotGood("bad-form", f"{at}: it needs {name} as {kind.__name__}")


def _list(value: Any, at: str) -> list[Any]:
    if not isinstance(value, list):
        raise NotGood("bad-form", f"{at}: not a list")
    return value


def _listed(body: dict[str, Any], name: str, at: str) -> list[Any]:
    return _list(body.get(name, []), f"{at}, {name}")


def _shown(text: object) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in str(text))[:80]


# words


def told(report: Report) -> str:
    """What a package shows, for people."""
    package = report.package
    lines = [
        f"GOOD: {report.files} files are as they were signed.",
        f"  package    {package['package_id']}, made {package['created_at']} by {package.get('organisation') or 'nobody named'}",
        f"  signed by  {report.fingerprint}",
        "             Ask the sender, by a way that you found yourself, whether this is their key.",
        "PROVEN by the chain:",
    ]
    lines += [f"  {report.states.get(state, 0):6} transactions: {state}" for state in _STATES]
    if report.work:
        lines.append(f"         the blocks that are shown took about 2^{report.work.bit_length() - 1} hashes together")
    lines.append("ASSERTED, by whom:")
    for layer in _LAYERS:
        for who, count in sorted(report.asserted.get(layer, {}).items()):
            lines.append(f"  {count:6} {layer}: {_shown(who)}")
    lines += [f"WITHHELD: {_shown(each.get('what', ''))}: {_shown(each.get('why', ''))}" for each in report.withheld]
    lines += [f"NOTE: {note}" for note in report.notes]
    return "\n".join(lines)


def main(words: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(description="Verify a Shieldwall evidence package.")
    parser.add_argument("pack", help="the package, a zip")
    parser.add_argument("--key", default="", help="fingerprint of the sender's key, as they told you")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    asked = parser.parse_args(words)
    try:
        raw = Path(asked.pack).read_bytes()
    except OSError as error:
        print(f"{asked.pack}: cannot be read ({error.strerror})", file=sys.stderr)
        return 2
    try:
        report = verify(raw, asked.key)
    except NotGood as error:
        if asked.json:
            print(json.dumps({"good": False, "name": error.name, "words": error.words}, sort_keys=True))
        else:
            print(f"NOT GOOD: {error.name}\n  {error.words}")
        return 1
    print(json.dumps(report.as_dict(), sort_keys=True) if asked.json else told(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
