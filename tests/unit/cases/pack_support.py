"""A package to try things on: an exercise case on a small chain, signed by keys that are drawn from numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shieldwall.cases import custody
from shieldwall.cases.finding import FINDING, Finding
from shieldwall.cases.pack import verifier
from shieldwall.cases.pack.contents import ChainProof, Contents, PackedEvidence, PackedLetter, PackedTrace
from shieldwall.cases.pack.writing import write_pack
from shieldwall.cases.wording import Confidence, Likelihood
from shieldwall.model.canonical import canonical_json
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.marking import Marking
from shieldwall.node.identity import Generation, PublicIdentity, SecretPair

SECRET = SecretPair(bytes(range(32)), bytes(range(1, 33)))
OTHER = SecretPair(bytes(range(2, 34)), bytes(range(3, 35)))
NODE = "ab" * 16
NOTE = b"Your files are ours. Pay 10 BTC.\n"


def keys(secret: SecretPair = SECRET) -> dict[str, Any]:
    generation = Generation(public=secret.public, created_at=1, retired_at=None, certified=None)
    return PublicIdentity(NODE, (generation,)).as_dict()


def claims() -> list[Claim]:
    found = [
        Finding(layer=Layer.OBSERVATION, text="10 BTC were paid."),
        Finding(
            layer=Layer.INFERENCE,
            text="The rest went to one exchange.",
            basis="fifo",
            likelihood=Likelihood.VERY_LIKELY,
            confidence=Confidence.HIGH,
        ),
        Finding(layer=Layer.ATTRIBUTION, text="The address is Meridian's.", basis="Meridian's own list"),
    ]
    return [
        Claim(
            subject=Subject("case", "", "c" * 32),
            kind=FINDING.name,
            statement=finding.statement(),
            layer=finding.layer,
            source="case",
            made_by="Mara",
            at="2026-10-02T08:00:00Z",
            marking=Marking.AMBER,
        )
        for finding in found
    ]


def evidence() -> PackedEvidence:
    digest = hashlib.sha256(NOTE).hexdigest()
    first = custody.begin("2026-10-01T08:00:00Z", "Mara", "acquired", "the note, as it was on the screen", digest)
    then = custody.follow(first, "2026-10-02T08:00:00Z", "Mara", "packed", "for the court", digest)
    return PackedEvidence(
        id="e" * 32,
        number=1,
        name="note.txt",
        body={"copy": "original", "method": "copied", "source": "a server of the waterworks"},
        sha256=digest,
        size=len(NOTE),
        custody=[first.as_dict(), then.as_dict()],
        content=NOTE,
    )


def contents(proofs: list[ChainProof] | tuple[ChainProof, ...] = (), **more: Any) -> Contents:
    given: dict[str, Any] = {
        "package_id": "11111111-2222-4333-8444-555555555555",
        "case": {"id": "c" * 32, "number": "NW-1", "title": "Waterworks"},
        "organisation": "Halden Police (exercise)",
        "creator": "Mara",
        "created_at": "2026-10-02T09:00:00Z",
        "program": "shieldwall 0",
        "environment": "test",
        "marking": "TLP:AMBER",
        "pap": "PAP:AMBER",
        "keys": keys(),
        "claims": [claim.as_dict() for claim in claims()],
        "timeline": [{"kind": "event", "ref": "x", "at": "2026-10-01T08:00:00Z", "text": "found"}],
        "evidence": [evidence()],
        "traces": [trace(proofs[0].txid if proofs else "a" * 64)],
        "proofs": proofs or [ChainProof(txid="a" * 64, network="regtest")],
        "letters": [
            PackedLetter(id="d" * 32, number=1, kind="freeze", state="sent", files={"letter.html": b"<p>x"}, deeds=[])
        ],
        "methods": [{"rule": "fifo", "error": "not published"}],
        "alternatives": ["The address may be another's."],
        "exercise": True,
    }
    return Contents(**{**given, **more})


def trace(txid: str = "a" * 64, **transfer: Any) -> PackedTrace:
    """A trace of one step: that of a transaction of which nothing is known, or as `transfer` says."""
    step = {
        "txid": txid,
        "height": 5,
        "time": "2026-10-01T08:00:00Z",
        "hop": 1,
        "inputs": [],
        "outputs": [{"index": 0, "address": "=y", "amount": 10}],
        "fee": 1,
    }
    body: dict[str, Any] = {
        "format": "shieldwall-trace/3",
        "sentence": "10 BTC are held.",
        "transfers": [{**step, **transfer}],
    }
    body["digest"] = hashlib.sha256(canonical_json(body)).hexdigest()
    return PackedTrace(raw=canonical_json(body), body=body, command="shieldwall trace x")


def sign(purpose: str, message: bytes, secret: SecretPair = SECRET) -> Mapping[str, Any]:
    return secret.sign(purpose, message)


def packed(what: Contents | None = None, secret: SecretPair = SECRET) -> bytes:
    return write_pack(contents() if what is None else what, lambda purpose, message: sign(purpose, message, secret))


def resigned(files: dict[str, bytes], secret: SecretPair = SECRET, known: SecretPair | None = None) -> bytes:
    """A package of other files that is signed, as a sender could make it who means ill: manifests and signature fit."""

    def listing(names: list[str]) -> bytes:
        return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in names).encode()

    files = dict(files)
    files["keys.json"] = json.dumps(keys(known or secret), sort_keys=True, indent=1).encode() + b"\n"
    data = sorted(name for name in files if name.startswith("data/"))
    size = sum(len(files[name]) for name in data)
    files["bag-info.txt"] = f"Payload-Oxum: {size}.{len(data)}\n".encode()
    files[verifier.MANIFEST] = listing(data)
    files[verifier.TAGMANIFEST] = listing(list(verifier.TAGS))
    message = canonical_json(
        {"format": verifier.FORMAT, "tagmanifest_sha256": hashlib.sha256(files[verifier.TAGMANIFEST]).hexdigest()}
    )
    files[verifier.SIGNATURE] = canonical_json(secret.sign(verifier.PURPOSE, message)) + b"\n"
    order = [*verifier.TAGS, verifier.TAGMANIFEST, verifier.SIGNATURE, *data]
    return verifier.bundle({name: files[name] for name in order})


def changed(raw: bytes, name: str, change: Any, **more: Any) -> bytes:
    """The same package with one JSON file changed, signed anew."""
    files = verifier.unpack(raw)
    body = json.loads(files[name])
    files[name] = json.dumps(change(body), sort_keys=True, indent=1).encode()
    return resigned(files, **more)


__all__ = ["replace"]
