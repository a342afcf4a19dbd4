#!/usr/bin/env python3
"""Verify a Shieldwall evidence package: what is proven by the chain, and what is asserted by whom.

    python3 -I verify.py PACK.zip [--key FINGERPRINT] [--json]

One file. It needs Python 3.11 or later and `cryptography` 48 or later (for ML-DSA-65); no network, no node. A package is not
trusted for carrying this file: take the verifier from somewhere that you trust, or compare its SHA-256 with the one that was
published; `-I` keeps Python from reading other files beside it. Exit codes: 0 it holds, 1 it does not, 2 wrong usage.

What is checked, in this order; the first thing that fails is named, and nothing is believed after it:

1. The zip: no name twice, none that leaves the folder, no links, no encryption, no bombs, and no byte but those of its files.
2. The manifests (BagIt, RFC 8493): every file is listed, every listed file is there, every SHA-256 fits.
3. Both signatures, Ed25519 and ML-DSA-65, over one hash that names purpose, key and algorithms: both, or nothing.
4. The chain: each txid from its bytes; each header's hash and its work; each Merkle branch from the txid to the header's root.
5. The custody logs: each entry carries the digest of the one before, and each file is the one that its log says.
6. The layers: observation, inference and attribution stand apart. Traces, tables and requests: each is what its digest, its
   trace or its signature says, and no trace says another amount, input, block or time than the bytes beside it.
7. Nothing beside: every file of the payload is one that pack.json accounts for.

What no package can show: that a block is part of the chain that most follow. A header carries its work; compare its hash.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    del sys.path[0]  # the folder of this file: nothing there is to be imported in the place of Python's own

import argparse
import base64
import binascii
import contextlib
import hashlib
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
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
MOST_JSON = 64 << 20  # of a file that is read as JSON
MOST_KEYS = 1 << 20  # of keys.json and signature.json, which are read before anything is known to be signed
DEEPEST = 60  # levels of JSON
SHORTEST_KEY = 28  # hex digits of a fingerprint that somebody gives: fewer could be found by trying
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,199}){0,5}")
_DEVICE = re.compile(r"(?:^|/)(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.[^/]*)?(?:/|$)|\.(?:/|$)", re.IGNORECASE)
_HEX64 = re.compile(r"[0-9a-f]{64}")
_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")
_TOKENS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)|[\[{]|[\]}]', re.DOTALL)
_END = struct.Struct("<4sHHHHIIH")  # of a zip: PKWARE's APPNOTE 6.3.10, 4.3.16
_LAYERS = ("observation", "inference", "attribution")
_STATES = {
    "inclusion proven": "inclusion proven, in a block whose header carries work",
    "txid proven": "txid proven, the bytes are those of the txid; that they are in a chain is not shown",
    "not proven": "not proven, named without their bytes",
}
_MOST_BLOCKS = 12  # that are told

_DIFFICULTY = 1 << 32  # expected hashes of a block of difficulty 1

# name: work, compact form of the easiest target ever allowed, most satoshi (chainparams of Bitcoin Core and Litecoin Core)
NETWORKS: dict[str, tuple[str, int, int]] = {
    "main": ("sha256d", 0x1D00FFFF, 21_000_000_00000000),
    "testnet3": ("sha256d", 0x1D00FFFF, 21_000_000_00000000),
    "testnet4": ("sha256d", 0x1D00FFFF, 21_000_000_00000000),
    "signet": ("sha256d", 0x1E0377AE, 21_000_000_00000000),
    "regtest": ("sha256d", 0x207FFFFF, 21_000_000_00000000),
    "litecoin": ("scrypt", 0x1E0FFFFF, 84_000_000_00000000),
    "litecoin-testnet": ("scrypt", 0x1E0FFFFF, 84_000_000_00000000),
    "litecoin-regtest": ("scrypt", 0x207FFFFF, 84_000_000_00000000),
}
REAL = ("main", "litecoin")
"""Networks whose coins are money."""

LEAST: dict[str, tuple[tuple[int, float], ...]] = {
    "main": (
        (1293840000, 5e3), (1309478400, 5e5), (1356998400, 1.2e6), (1388534400, 5e8), (1420070400, 1.7e10),
        (1451606400, 4.5e10), (1483228800, 1.5e11), (1514764800, 9e11), (1546300800, 2.5e12), (1577836800, 6.5e12),
        (1640995200, 1.1e13), (1672531200, 1.7e13), (1704067200, 3.3e13), (1735689600, 5e13),
    ),
    "litecoin": (
        (1370044800, 1e2), (1401580800, 1.5e3), (1451606400, 1e4), (1514764800, 5e5), (1546300800, 1e6),
        (1640995200, 2.5e6), (1704067200, 5e6),
    ),
}  # fmt: skip
"""Difficulty (1 is 2^32 hashes) that no block of a network was below from a time of its header on: about half of the least that
there was, at the first days of 2011, July 2011, 2013, 2014 and so on. A block of another network, or one that was made
for little money, is so told from one of the network; before the first time a header shows little."""


class NotGood(Exception):
    """Something does not hold.

    Attributes:
        name: What it is, for machines: one word of `NAMES`.
        words: What it is, for people; names the file.
    """

    def __init__(self, name: str, words: str) -> None:
        self.name = name
        self.words = _shown(words, 600)  # parts of it are the package's own: none may paint on the screen
        super().__init__(f"{name}: {self.words}")


NAMES = (
    "not-a-zip", "too-large", "bomb", "traversal", "duplicate-name", "link", "packed", "changed-zip", "encrypted",
    "unlisted-file", "missing-file", "changed-file", "bad-manifest", "bad-json", "bad-form", "bad-signature",
    "stripped-signature", "wrong-key", "wrong-txid", "wrong-header", "no-work", "wrong-branch", "wrong-custody",
    "wrong-digest", "mixed-layers", "unlike-bytes",
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
        transactions: Of each its txid, network and state; where inclusion is proven, `block`, `time` and `work` of its header,
            and `height`, which is the sender's word.
        blocks: Hash of each block that is shown, with its network, time and work (expected hashes).
        asserted: How many claims of each layer, by whoever makes them, as the sender has it.
        counts: How many traces, pieces of evidence, requests and claims that were taken back.
        withheld: What was left out: what the package lists, and what is seen to be missing.
        files: How many files were held against their SHA-256.
        notes: What a reader should know.
    """

    package: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    fingerprint: str = ""
    states: dict[str, int] = field(default_factory=dict)
    transactions: list[dict[str, Any]] = field(default_factory=list)
    blocks: dict[str, dict[str, Any]] = field(default_factory=dict)
    asserted: dict[str, dict[str, int]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
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
        key: The fingerprint that the sender's key must have (hex, or its first 28 digits or more); "" for any.

    Raises:
        NotGood: It does not hold; the first thing that fails.
    """
    with _named("the package"):
        return _verified(raw, key)


def _verified(raw: bytes, key: str) -> Report:
    files = unpack(raw)
    _manifests(files)
    report = Report(files=len(files))
    identity = _parse(files["keys.json"], "keys.json", MOST_KEYS)
    report.key, report.fingerprint = _signed(files, identity, key)
    report.package = package = _json(files, "data/pack.json")
    if not isinstance(package, dict) or package.get("format") != FORMAT:
        raise NotGood("bad-form", f"data/pack.json: the format is not {FORMAT}")
    at = "data/pack.json"
    _need(
        package, at, package_id=str, created_at=str, organisation=str, marking=str, pap=str, replaces=str, exercise=bool
    )
    _need(
        package,
        at,
        network=list,
        transactions=list,
        claims=list,
        traces=list,
        evidence=list,
        letters=list,
        withheld=list,
    )
    proofs = _chain(files, package, report)
    places = {at, *_custody(files, package, report)}
    places |= _layers(files, package, report)
    places |= _derived(files, package, proofs, report)
    places |= _letters(files, package, report)
    places |= {f"data/chain/{txid}.json" for txid in proofs}
    for name in files:
        if name.startswith("data/") and name not in places:
            raise NotGood("unlisted-file", f"{name}: nothing in data/pack.json accounts for it")
    for each in package["withheld"]:
        _need(each, f"{at}, withheld", what=str, why=str)
        report.withheld.append({"what": each["what"], "why": each["why"]})
    return report


def verify_signed(
    message: bytes, envelope: bytes, identity: bytes, purpose: str = REQUEST_PURPOSE, key: str = ""
) -> str:
    """Hold a single signed file, such as request.json with request.sig.json, against a key document; the key's fingerprint.

    Raises:
        NotGood: It does not hold.
    """
    with _named("the signature"):
        body = _parse(envelope, "the signature", MOST_KEYS)
        return _hold(message, purpose, body, _parse(identity, "the key document", MOST_KEYS), key)[1]


# 1. the zip


def unpack(raw: bytes) -> dict[str, bytes]:
    """Every file of a zip, by name; nothing is written anywhere.

    Raises:
        NotGood: See the module's docstring, 1.
    """
    if len(raw) > MOST_PACKED:
        raise NotGood("too-large", f"a package has at most {MOST_PACKED:,} bytes")
    _must_be_small(raw)
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
        entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error, OverflowError, UnicodeError):
        raise NotGood("not-a-zip", "the file is no zip, or it is cut") from None
    if len(entries) > MOST_FILES:
        raise NotGood("too-large", f"a package has at most {MOST_FILES:,} files")
    files: dict[str, bytes] = {}
    lower: set[str] = set()
    total = 0
    for entry in entries:
        name = entry.orig_filename
        if not is_name(name) or name != entry.filename:
            raise NotGood("traversal", f"{_shown(name)}: no name of a file in a package")
        if name.lower() in lower:
            raise NotGood("duplicate-name", f"{name}: there are two of them, or another differs only in its case")
        lower.add(name.lower())
        total += entry.file_size
        if total > MOST_PACKED or entry.file_size > len(raw):
            raise NotGood("bomb", f"{name}: it would unpack to {entry.file_size:,} bytes")
        files[name] = _content(archive, entry)
    for name in lower:
        parts = name.split("/")
        if any("/".join(parts[:end]) in lower for end in range(1, len(parts))):
            raise NotGood("duplicate-name", f"{name}: a file is a folder as well")
    whole, at = memoryview(raw), 0
    for piece in _parts(files):
        if whole[at : at + len(piece)] != piece:
            raise NotGood("changed-zip", "bytes between the files are not as a package has them")
        at += len(piece)
    if at != len(raw):
        raise NotGood("changed-zip", "bytes follow the end of the package")
    return files


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    name = entry.filename
    if entry.flag_bits & 0x1:
        raise NotGood("encrypted", f"{name}: encrypted")
    if entry.external_attr >> 16 & 0o170000 not in (0, 0o100000) or entry.is_dir():
        raise NotGood("link", f"{name}: not a plain file")
    if entry.compress_type != zipfile.ZIP_STORED:
        raise NotGood("packed", f"{name}: files of a package stand in it as they are")
    try:
        with archive.open(entry) as part:
            content = part.read(entry.file_size + 1)
    except Exception as error:  # noqa: BLE001 - whatever a broken archive makes the library raise
        raise NotGood("changed-file", f"{name}: cannot be read ({type(error).__name__})") from None
    if len(content) != entry.file_size:
        raise NotGood("bomb", f"{name}: it is larger than it says")
    return content


def is_name(name: str) -> bool:
    """Whether a file of a package may be called so, on every system that it may be unpacked on."""
    return bool(_NAME.fullmatch(name)) and ".." not in name and not _DEVICE.search(name)


def _must_be_small(raw: bytes) -> None:
    """Refuse a zip whose directory alone would fill the memory; what it says of itself is held against its bytes later."""
    if len(raw) < _END.size or not raw.endswith(b"\0\0"):
        raise NotGood("not-a-zip", "the file is no zip, or it is cut")
    sign, _, _, here, count, size, start, _ = _END.unpack_from(raw, len(raw) - _END.size)
    if sign != b"PK\x05\x06" or here != count or start + size != len(raw) - _END.size:
        raise NotGood("not-a-zip", "the file is no zip as a package is, or it is cut")
    if count > MOST_FILES or size > MOST_FILES * 1300:
        raise NotGood("too-large", f"a package has at most {MOST_FILES:,} files")


def bundle(files: dict[str, bytes]) -> bytes:
    """A zip of these files, in their order: stored, dated 1980-01-01, with nothing between them; one form for one content.

    The layout is that of PKWARE's APPNOTE 6.3.10, 4.3.6, with version 2.0 and Unix modes 0644.
    """
    return b"".join(_parts(files))


def _parts(files: dict[str, bytes]) -> Iterator[bytes]:
    central, at = [], 0
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
        yield local
        yield content
        at += len(local) + len(content)
    directory = b"".join(central)
    yield directory
    yield _END.pack(b"PK\x05\x06", 0, 0, len(central), len(central), len(directory), at, 0)


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
    for name in sorted(set(TAGS) ^ set(tags)):  # a file more could be read in the place of one of Python's own
        raise NotGood("bad-manifest", f"{TAGMANIFEST}: {name} is not listed, or has no place there")
    size = sum(len(files[name]) for name in payload)
    if f"\nPayload-Oxum: {size}.{len(payload)}\n".encode() not in b"\n" + files["bag-info.txt"]:
        raise NotGood("bad-manifest", "bag-info.txt: Payload-Oxum is not the size of the payload")
    if list(files) != [*(name for name in (*TAGS, TAGMANIFEST, SIGNATURE) if name in files), *sorted(payload)]:
        raise NotGood("changed-zip", "the files do not stand in the order that a package has")


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
    envelope = _parse(files[SIGNATURE], SIGNATURE, MOST_KEYS)
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
        if key and (len(key) < SHORTEST_KEY or not fingerprint.startswith(key.lower())):
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


@dataclass(frozen=True)
class _Shown:
    """A transaction whose bytes are there: inputs as (txid, index), values of its outputs; time and height of its block."""

    inputs: list[tuple[str, int]]
    values: list[int]
    time: int | None
    height: int | None


def _chain(files: dict[str, bytes], package: dict[str, Any], report: Report) -> dict[str, _Shown]:
    listed: set[str] = set()
    proofs: dict[str, _Shown] = {}
    for place, entry in enumerate(package["transactions"]):
        at = f"data/pack.json, transaction {place + 1}"
        _need(entry, at, txid=str, state=str, network=str)
        txid, state, network = entry["txid"], entry["state"], entry["network"]
        if not _HEX64.fullmatch(txid) or txid in listed or state not in _STATES:
            raise NotGood("bad-form", f"{at}: no txid or state, or the same twice")
        if network not in NETWORKS or network not in package["network"]:
            raise NotGood("bad-form", f"{at}: no network is called {_shown(network)}")
        listed.add(txid)
        told: dict[str, Any] = {"txid": txid, "state": state, "network": network}
        name = f"data/chain/{txid}.json"
        if state == "not proven":
            if name in files:
                raise NotGood("bad-form", f"{name}: there, and said to be not proven")
        else:
            proof = _json(files, name)
            _need(proof, name, txid=str, raw=str)
            if proof["txid"] != txid:
                raise NotGood("wrong-txid", f"{name}: it says that it is another transaction")
            inputs, values = _txid(proof, name, network)
            if state == "inclusion proven":
                told |= _included(proof, name, network)
                if entry.get("height") != told["height"]:
                    raise NotGood("bad-form", f"{at}: another height than in {name}")
                _one_block(told, name, report)
            elif set(proof) != {"txid", "raw"}:
                raise NotGood("bad-form", f"{name}: parts of a block, where inclusion is said to be not proven")
            proofs[txid] = _Shown(inputs, values, told.get("time"), told.get("height"))
        report.transactions.append(told)
        report.states[state] = report.states.get(state, 0) + 1
    if report.states.get("not proven"):
        report.notes.append(
            "Transactions that are not proven are named in claims or traces; the package has not their bytes."
        )
    if proofs:
        report.notes.append(
            "A txid does not cover signatures kept apart (BIP 141): witness bytes are the sender's word."
        )
    if any(told["network"] not in REAL for told in report.transactions):
        report.notes.append("Not real money: some transactions are of a test network, where anybody can make blocks.")
    return proofs


def _one_block(told: dict[str, Any], name: str, report: Report) -> None:
    """Note a block, and refuse one that is said to be two."""
    seen = {key: told[key] for key in ("network", "height", "time", "work")}
    known = report.blocks.setdefault(told["block"], seen)
    if known != seen:
        raise NotGood("wrong-header", f"{name}: its block is said to be of another network or height elsewhere")


def _txid(proof: dict[str, Any], name: str, network: str) -> tuple[list[tuple[str, int]], list[int]]:
    try:
        if not _HEX.fullmatch(proof["raw"]):
            raise ValueError
        stripped, inputs, values = _read(bytes.fromhex(proof["raw"]), extended=network.startswith("litecoin"))
    except (ValueError, IndexError, struct.error):
        raise NotGood("wrong-txid", f"{name}: raw is no transaction") from None
    if len(stripped) <= 64:
        raise NotGood("wrong-txid", f"{name}: 64 bytes could be two hashes of a Merkle tree (CVE-2017-12842)")
    if _sha256d(stripped)[::-1].hex() != proof["txid"]:
        raise NotGood("wrong-txid", f"{name}: its bytes have another txid")
    if sum(values) > NETWORKS[network][2]:
        raise NotGood("wrong-txid", f"{name}: more money than there is on {network}")
    return inputs, values


def _included(proof: dict[str, Any], name: str, network: str) -> dict[str, Any]:
    _need(proof, name, header=str, branch=list, place=int, block=str)
    if set(proof) != {"txid", "raw", "header", "branch", "place", "block", "height"}:
        raise NotGood("bad-form", f"{name}: not the fields of a proof")
    if not _HEX.fullmatch(proof["header"]) or not all(
        isinstance(each, str) and _HEX64.fullmatch(each) for each in proof["branch"]
    ):
        raise NotGood("bad-form", f"{name}: header or branch is no hex")
    header = bytes.fromhex(proof["header"])
    branch = [bytes.fromhex(each)[::-1] for each in proof["branch"]]
    if len(header) != 80 or len(branch) > 32:
        raise NotGood("bad-form", f"{name}: a header has 80 bytes, and a branch at most 32 hashes")
    if _sha256d(header)[::-1].hex() != proof["block"]:
        raise NotGood("wrong-header", f"{name}: the header is not that of the block {proof['block'][:80]}")
    height = proof["height"]
    if height is not None and (type(height) is not int or not 0 <= height < 1 << 31):
        raise NotGood("bad-form", f"{name}: height is no height")
    work = _work(header, name, network)
    node, place = bytes.fromhex(proof["txid"])[::-1], proof["place"]
    if place < 0 or place >> len(branch):
        raise NotGood("wrong-branch", f"{name}: no branch of that length leads to place {place}")
    for sibling in branch:
        if place & 1 and sibling == node:  # only the last of an odd row is paired with itself, and stands left
            raise NotGood(
                "wrong-branch", f"{name}: the same hash twice, which hides what the block has (CVE-2012-2459)"
            )
        pair = sibling + node if place & 1 else node + sibling
        if _is_transaction(pair):
            raise NotGood("wrong-branch", f"{name}: two hashes of it are a transaction themselves (CVE-2017-12842)")
        node = _sha256d(pair)
        place >>= 1
    if node != header[36:68]:
        raise NotGood("wrong-branch", f"{name}: the branch does not lead to the root in the header")
    when = int.from_bytes(header[68:72], "little")
    return {"block": proof["block"], "height": height, "time": when, "work": work}


def _is_transaction(raw: bytes) -> bool:
    try:
        _read(raw, extended=True)
    except (ValueError, IndexError, struct.error):
        return False
    return True


def _work(header: bytes, name: str, network: str) -> int:
    """Expected hashes for a header; refused where its hash does not show them, or the network never allowed so few."""
    target = _target(int.from_bytes(header[72:76], "little"))
    kind, limit, _ = NETWORKS[network]
    hashed = _sha256d(header) if kind == "sha256d" else hashlib.scrypt(header, salt=header, n=1024, r=1, p=1, dklen=32)
    if not target or int.from_bytes(hashed, "little") > target:
        raise NotGood("no-work", f"{name}: the header does not carry the work that it claims")
    work = (1 << 256) // (target + 1)
    if target > _target(limit):
        raise NotGood("no-work", f"{name}: {network} never allowed a block with so little work")
    when = int.from_bytes(header[68:72], "little")
    least = max((least for since, least in LEAST.get(network, ()) if when >= since), default=0)
    if work < least * _DIFFICULTY:
        raise NotGood("no-work", f"{name}: no block of {network} took so little work at the time that it says")
    return work


def _target(bits: int) -> int:
    exponent, mantissa = bits >> 24, bits & 0x7FFFFF
    target = mantissa << (8 * (exponent - 3)) if exponent > 3 else mantissa >> (8 * (3 - exponent))
    return 0 if bits & 0x800000 or target >> 256 else target


def without_witness(raw: bytes) -> bytes:
    """A transaction's bytes without marker, flag, witness (BIP 141) and extension (LIP 2); its txid is their hash.

    Raises:
        ValueError, IndexError, struct.error: It is no transaction, or is cut.
    """
    return _read(raw, extended=True)[0]


def _read(raw: bytes, *, extended: bool) -> tuple[bytes, list[tuple[str, int]], list[int]]:
    """The bytes that the txid is of, the outputs that are spent, and the values of the outputs; in the one form there is."""
    flags, at = 0, 4
    if raw[4:5] == b"\x00":
        flags, at = raw[5], 6
        if flags not in ((1, 8, 9) if extended else (1,)):
            raise ValueError("flags that there are not")
    start = at
    count, at = _number(raw, at)
    inputs = []
    for _ in range(_bounded(count, raw)):
        inputs.append((raw[at : at + 32][::-1].hex(), int.from_bytes(raw[at + 32 : at + 36], "little")))
        size, at = _number(raw, at + 36)
        at += size + 4
    outputs, at = _number(raw, at)
    values = []
    for _ in range(_bounded(outputs, raw)):
        values.append(int.from_bytes(raw[at : at + 8], "little"))
        size, at = _number(raw, at + 8)
        at += size
    end = at
    if end > len(raw) or not (inputs or flags & 8):
        raise ValueError("cut, or spends nothing")
    if flags & 1:
        begin = at
        for _ in range(count):
            items, at = _number(raw, at)
            for _ in range(_bounded(items, raw)):
                size, at = _number(raw, at)
                at += size
        if not any(raw[begin:at]):
            raise ValueError("a witness of nothing")
    if flags & 8:
        if raw[at : at + 1] != b"\x00":
            raise ValueError("an extension that cannot be left out")
        at += 1
    if at + 4 != len(raw):
        raise ValueError("bytes are missing, or left over")
    return raw[:4] + raw[start:end] + raw[at:], inputs, values


def _number(raw: bytes, at: int) -> tuple[int, int]:
    """A compact size (Bitcoin's own variable length number), in its shortest form, and the place after it."""
    first = raw[at]
    if first < 0xFD:
        return first, at + 1
    size, least = {0xFD: (2, 0xFD), 0xFE: (4, 1 << 16), 0xFF: (8, 1 << 32)}[first]
    if at + 1 + size > len(raw):
        raise ValueError("cut")
    found = int.from_bytes(raw[at + 1 : at + 1 + size], "little")
    if found < least:
        raise ValueError("a number in a longer form than it needs")
    return found, at + 1 + size


def _bounded(count: int, raw: bytes) -> int:
    if count > len(raw):
        raise ValueError("more parts than bytes")
    return count


def _sha256d(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


# 5. custody


def _custody(files: dict[str, bytes], package: dict[str, Any], report: Report) -> set[str]:
    places: set[str] = set()
    seen: set[str] = set()
    for place, item in enumerate(package["evidence"]):
        at = f"data/pack.json, evidence {place + 1}"
        _need(item, at, id=str, number=int, sha256=str, size=int)
        if item["id"] in seen:
            raise NotGood("bad-form", f"{at}: the same piece twice")
        seen.add(item["id"])
        if "file" not in item:
            _need(item, at, withheld=str, custody_entries=int, custody_last=str)
            what = f"content and custody log of evidence {item['number']}, SHA-256 {item['sha256']}"
            report.withheld.append({"what": what, "why": item["withheld"]})
            continue
        _need(item, at, custody=list, file=str)
        _log(item, at)
        name = item["file"]
        if name in places:
            raise NotGood("bad-form", f"{at}: its file is that of another piece, too")
        if name not in files or not name.startswith("data/evidence/"):
            raise NotGood("missing-file", f"{at}: its file is not in the package")
        if len(files[name]) != item["size"] or hashlib.sha256(files[name]).hexdigest() != item["sha256"]:
            raise NotGood("wrong-custody", f"{name}: not the content that its custody log says")
        places.add(name)
    report.counts["pieces of evidence"] = len(seen)
    return places


def _log(item: dict[str, Any], at: str) -> None:
    before: dict[str, Any] | None = None
    for number, entry in enumerate(item["custody"], 1):
        _need(entry, at, number=int, at=str, who=str, deed=str, why=str, sha256=str, previous=str, digest=str)
        bare = {name: value for name, value in entry.items() if name != "digest"}
        log = f"{at}: entry {number} of its custody log"
        if hashlib.sha256(canonical(bare)).hexdigest() != entry["digest"]:
            raise NotGood("wrong-custody", f"{log} is not what its digest says")
        if entry["number"] != number or entry["previous"] != (before["digest"] if before else "0" * 64):
            raise NotGood("wrong-custody", f"{log} does not follow on the one before")
        if not _TIME.fullmatch(entry["at"]) or (before and entry["at"] < before["at"]):
            raise NotGood("wrong-custody", f"{log} is older than the one before, or of no time")
        if entry["sha256"] != item["sha256"]:
            raise NotGood("wrong-custody", f"{log} is of another content")
        if before and before["deed"] == "destroyed":
            raise NotGood("wrong-custody", f"{log} comes after it was destroyed")
        before = entry
    if before is None:
        raise NotGood("wrong-custody", f"{at}: it has no custody log")


# 6. layers, and what is derived


def _layers(files: dict[str, bytes], package: dict[str, Any], report: Report) -> set[str]:
    seen: list[str] = []
    for layer in _LAYERS:
        name = f"data/claims/{layer}.json"
        for place, claim in enumerate(_list(_json(files, name), name)):
            at = f"{name}, claim {place + 1}"
            _need(claim, at, id=str, claim=dict)
            if _claim(claim["claim"], at) != claim["id"]:
                raise NotGood("wrong-digest", f"{at}: it is not what its id says")
            if claim["claim"]["layer"] != layer:
                raise NotGood("mixed-layers", f"{at}: it says that it is an {_shown(claim['claim']['layer'])}")
            seen.append(claim["id"])
            who = str(claim["claim"].get("made_by") or claim["claim"].get("source") or "nobody named")
            report.asserted.setdefault(layer, {})
            report.asserted[layer][who] = report.asserted[layer].get(who, 0) + 1
    if sorted(seen) != sorted(map(str, package["claims"])) or len(set(seen)) != len(seen):
        raise NotGood("bad-form", "data/pack.json: the claims that it lists are not those that are there, each once")
    name = "data/claims/retracted.json"
    gone = _list(_json(files, name), name)
    for place, each in enumerate(gone):
        at = f"{name}, claim {place + 1}"
        _need(each, at, claim=dict, claim_id=str, reason=str)
        if _claim(each["claim"], at) != each["claim_id"]:
            raise NotGood("wrong-digest", f"{at}: it is not what its id says")
        if each["claim_id"] in seen:
            raise NotGood("bad-form", f"{at}: it was taken back, and stands all the same")
    report.counts["claims that were taken back"] = len(gone)
    for name in ("data/timeline.json", "data/methods.json", "data/alternatives.json"):
        _list(_json(files, name), name)
    return {
        *(f"data/claims/{layer}.json" for layer in (*_LAYERS, "retracted")),
        "data/timeline.json", "data/methods.json", "data/alternatives.json",
    }  # fmt: skip


def _claim(body: dict[str, Any], at: str) -> str:
    """The id of a claim."""
    _need(body, at, kind=str, layer=str, statement=dict, subject=dict)
    bare = {key: value for key, value in body.items() if key != "signature"}
    return hashlib.sha256(canonical(bare)).hexdigest()


def _derived(files: dict[str, bytes], package: dict[str, Any], proofs: dict[str, _Shown], report: Report) -> set[str]:
    """Traces are what their digests say, fit the bytes of the transactions beside them, and their tables are made of them."""
    listed = {entry["txid"] for entry in package["transactions"]}
    places: set[str] = set()
    for place, trace in enumerate(package["traces"]):
        at = f"data/pack.json, trace {place + 1}"
        _need(trace, at, file=str, digest=str, table=str, sentence=str, command=str)
        name, table = trace["file"], trace["table"]
        if {name, table} & places or name == table:
            raise NotGood("bad-form", f"{at}: its file or table is that of another trace, too")
        places |= {name, table}
        body = _json(files, name)
        if not isinstance(body, dict):
            raise NotGood("bad-form", f"{name}: no trace")
        bare = {key: value for key, value in body.items() if key != "digest"}
        if body.get("digest") != trace["digest"] or hashlib.sha256(canonical(bare)).hexdigest() != trace["digest"]:
            raise NotGood("wrong-digest", f"{name}: the trace is not what its digest says")
        if body.get("sentence") != trace["sentence"]:
            raise NotGood("unlike-bytes", f"{at}: its sentence is not that of the trace")
        for number, transfer in enumerate(_list(body.get("transfers"), f"{name}, transfers"), 1):
            _transfer(transfer, f"{name}, transfer {number}", listed, proofs)
        if files.get(table) != trace_table(body):
            raise NotGood("wrong-digest", f"{table}: it is not what the trace gives")
    report.counts["traces"] = len(package["traces"])
    return places


def _transfer(transfer: Any, at: str, listed: set[str], proofs: dict[str, _Shown]) -> None:
    """Hold a step of a trace against the bytes of its transaction, where the package has them."""
    _need(transfer, at, txid=str, hop=int, inputs=list, outputs=list, fee=int)
    if transfer["txid"] not in listed:
        raise NotGood("unlike-bytes", f"{at}: data/pack.json does not list its transaction")
    for side, name in (("inputs", "place"), ("outputs", "index")):
        for part in transfer[side]:
            _need(part, at, amount=int, **{name: int})
            if not isinstance(part.get("address"), str | None):
                raise NotGood("bad-form", f"{at}: an address is a text")
    if not isinstance(transfer.get("time"), str | None) or not isinstance(transfer.get("height"), int | None):
        raise NotGood("bad-form", f"{at}: no time or height")
    shown = proofs.get(transfer["txid"])
    if shown is None:
        return
    for part in transfer["outputs"]:
        if not 0 <= part["index"] < len(shown.values) or not 0 <= part["amount"] <= shown.values[part["index"]]:
            raise NotGood("unlike-bytes", f"{at}: output {part['index']} has not that much in the transaction's bytes")
    for part in transfer["inputs"]:
        _need(part, at, txid=str, index=int)
        spent = (part["txid"], part["index"])
        if not 0 <= part["place"] < len(shown.inputs) or shown.inputs[part["place"]] != spent:
            raise NotGood("unlike-bytes", f"{at}: input {part['place']} is another one in the transaction's bytes")
    if shown.time is None:
        return
    if transfer["height"] != shown.height or transfer["time"] != _utc(shown.time):
        raise NotGood("unlike-bytes", f"{at}: another height or time than its block")


def _letters(files: dict[str, bytes], package: dict[str, Any], report: Report) -> set[str]:
    """Requests that are signed hold by their own keys; every file of a letter is one that it lists."""
    places: set[str] = set()
    for place, letter in enumerate(package["letters"]):
        at = f"data/pack.json, letter {place + 1}"
        _need(letter, at, id=str, kind=str, state=str, files=dict, deeds=list)
        for name, where in letter["files"].items():
            if not isinstance(where, str) or where in places or not where.startswith("data/letters/"):
                raise NotGood("bad-form", f"{at}: no place for {_shown(name)}, or that of another")
            if where not in files:
                raise NotGood("missing-file", f"{where}: listed, and not in the package")
            places.add(where)
        for before in ("", "taken-back-"):
            parts = [
                letter["files"].get(f"{before}{name}") for name in ("request.json", "request.sig.json", "keys.json")
            ]
            if parts[1] is not None:
                if None in parts:
                    raise NotGood("stripped-signature", f"{at}: a signature without request or keys")
                request, envelope, identity = (files[part] for part in parts)
                verify_signed(request, envelope, identity)
    report.counts["requests"] = len(package["letters"])
    return places


def trace_table(body: dict[str, Any]) -> bytes:
    """The transfers of a trace as CSV: what `data/derived` has of each trace, made of the trace alone."""
    rows = ["txid,height,time,hop,side,place,address,amount_satoshi"]
    for transfer in body["transfers"]:
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


def _parse(raw: bytes, name: str, most: int = MOST_JSON) -> Any:
    """JSON that means one thing: UTF-8, no key twice, no float, no half of a sign, not too deep."""
    if len(raw) > most:
        raise NotGood("too-large", f"{name}: more than {most:,} bytes")
    try:
        text = raw.decode("utf-8")
        depth = deepest = 0
        for part in _TOKENS.finditer(text):
            sign = text[part.start()]
            depth += 1 if sign in "[{" else -1 if sign in "]}" else 0
            deepest = max(deepest, depth)
        if deepest > DEEPEST:
            raise NotGood("bad-json", f"{name}: deeper than {DEEPEST} levels")
        value: Any = json.loads(text, object_pairs_hook=_once, parse_float=_no_float, parse_constant=_no_float)
        if re.search(r"\\u[dD][89a-fA-F]", text):  # halves of a pair are only written so
            json.dumps(value, ensure_ascii=False).encode()
    except NotGood as error:
        raise NotGood(error.name, f"{name}: {error.words}") from None
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise NotGood("bad-json", f"{name}: no JSON") from None
    return value


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


def _shown(text: object, most: int = 80) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in str(text)[: most + 1])[:most]


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextlib.contextmanager
def _named(what: str) -> Iterator[None]:
    """A last net: whatever a form that nobody thought of makes Python raise is a refusal, too."""
    try:
        yield
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        RecursionError,
        MemoryError,
        struct.error,
    ) as error:
        raise NotGood("bad-form", f"{what}: not in the form of one ({type(error).__name__})") from None


# words


def told(report: Report) -> str:
    """What a package shows, for people."""
    package = report.package
    who = _shown(package["organisation"]) or "nobody named"
    lines = [
        f"GOOD: {report.files} files are as they were signed.",
        f"  package    {_shown(package['package_id'])}, made {_shown(package['created_at'])} by {who}",
        f"  handling   {_shown(package['marking'])}, {_shown(package['pap'])}",
        f"  signed by  {report.fingerprint}",
        "             Ask the sender, by a way that you found yourself, whether this is their key.",
    ]
    if package["replaces"]:
        lines.insert(2, f"  replaces   {_shown(package['replaces'])}")
    if package["exercise"]:
        lines.insert(1, "  EXERCISE: nothing in it is real. Do not act on it.")
    lines.append("SHOWN by bytes, hashes and work:")
    lines += [f"  {report.states.get(state, 0):6} transactions: {words}" for state, words in _STATES.items()]
    for block, seen in list(report.blocks.items())[:_MOST_BLOCKS]:
        lines.append(f"         block {block}, {_utc(seen['time'])}, about 2^{seen['work'].bit_length() - 1} hashes")
    if len(report.blocks) > _MOST_BLOCKS:
        lines.append(f"         and {len(report.blocks) - _MOST_BLOCKS} more blocks: --json lists them")
    if report.blocks:
        lines.append(
            "         Look these hashes up in a source of the chain that you trust: only that tells whose chain it is."
        )
    lines.append("ASSERTED, by whom, as the sender has it:")
    for layer in _LAYERS:
        for name, count in sorted(report.asserted.get(layer, {}).items()):
            lines.append(f"  {count:6} {layer}: {_shown(name)}")
    lines += [f"  {count:6} {what}" for what, count in sorted(report.counts.items()) if count]
    lines += [f"WITHHELD: {_shown(each['what'], 160)}: {_shown(each['why'], 300)}" for each in report.withheld]
    lines += [f"NOTE: {note}" for note in report.notes]
    return "\n".join(lines)


def main(words: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(description="Verify a Shieldwall evidence package.")
    parser.add_argument("pack", help="the package, a zip")
    parser.add_argument("--key", help="fingerprint of the sender's key, as they told you: 28 digits or more")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    asked = parser.parse_args(words)
    if asked.key is not None and len(asked.key) < SHORTEST_KEY:
        parser.error(f"a fingerprint has 64 digits: give {SHORTEST_KEY} of them or more")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with Path(asked.pack).open("rb") as file:
            raw = file.read(MOST_PACKED + 1)
    except OSError as error:
        print(f"{asked.pack}: cannot be read ({error.strerror})", file=sys.stderr)
        return 2
    try:
        report = verify(raw, asked.key or "")
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
