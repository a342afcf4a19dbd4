"""Write a package: the same contents are the same bytes, but for the signature, which ML-DSA-65 draws anew each time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

from shieldwall.cases.pack import verifier
from shieldwall.cases.pack.contents import UNPROVEN, Contents, PackedEvidence, Signs
from shieldwall.errors import BadInput, TooMany
from shieldwall.model.canonical import canonical_json
from shieldwall.model.claim import Layer

READ_ME = """\
EVIDENCE PACKAGE {package_id}

Made {created_at} (UTC) by {creator}, {organisation}, with {program}.
Handling: {marking}, {pap}.
{exercise}
HOW TO VERIFY IT, without us and without a network
1. Take a verifier that you trust: `shieldwall verify PACK.zip` of an installed Shieldwall, or verify.py, whose SHA-256 is
   published with each version of the program. The copy inside this package is a convenience: a forged package could carry a
   forged copy.
2. python3 -I verify.py PACK.zip --key FINGERPRINT
   It needs Python 3.11 and the package `cryptography`. It names the first thing that does not hold.
3. FINGERPRINT is what the sender tells you by a way that you found yourself, such as a telephone number of the agency that does
   not stand in this package or its letters. Without it you know that the package is whole, not whose it is.
   The key that signed it: {key}
   Its words to read out: {spoken}

WHAT IT SHOWS
- data/chain       of each transaction what can be shown: its bytes (txid), and, where the sender could, header and Merkle
                   branch (inclusion). A header shows work, and not of which chain it is: look the block hashes up in a source
                   of the chain that you trust.
- data/claims      what somebody says, in three files that are never mixed: observation.json, inference.json, attribution.json.
- data/traces      frozen results of the program, with method and parameters; data/derived has tables made of them alone.
- data/methods.json, data/alternatives.json    rules with their published error rates and sources; other explanations, and gaps.
- data/evidence    files as they were acquired; pack.json has their custody logs, which are the sender's account.
- data/letters     what was asked of whom, and what was answered.
- data/timeline.json    what happened, and when it became known.
- data/pack.json   the list of all this, and what is withheld.
"""


def write_pack(contents: Contents, sign: Signs, *, spoken: str = "") -> bytes:
    """The package.

    Args:
        contents: What is in it.
        sign: Signs it.
        spoken: Words of the key's fingerprint.

    Raises:
        TooMany: It would be larger than a package may be.
    """
    data = payload(contents)
    key = _current(contents.keys)
    tags: dict[str, bytes] = {
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "bag-info.txt": _bag_info(contents, data),
        verifier.MANIFEST: _manifest(data),
        "keys.json": _lines(contents.keys),
        "verify.py": single_verifier(),
        "README.txt": READ_ME.format(
            package_id=contents.package_id,
            created_at=contents.created_at,
            creator=contents.creator,
            organisation=contents.organisation,
            program=contents.program,
            marking=contents.marking,
            pap=contents.pap,
            exercise="EXERCISE: nothing here is real. Do not act on it.\n" if contents.exercise else "",
            key=key,
            spoken=spoken or "(not told)",
        ).encode(),
    }
    manifest = _manifest(tags)
    message = canonical_json({"format": verifier.FORMAT, "tagmanifest_sha256": hashlib.sha256(manifest).hexdigest()})
    envelope = canonical_json(dict(sign(verifier.PURPOSE, message))) + b"\n"
    files = {**tags, verifier.TAGMANIFEST: manifest, verifier.SIGNATURE: envelope, **data}
    if len(files) > verifier.MOST_FILES or sum(map(len, files.values())) > verifier.MOST_PACKED:
        raise TooMany(
            f"a package has at most {verifier.MOST_FILES:,} files and {verifier.MOST_PACKED:,} bytes",
            hint="leave out large evidence, or make several packages",
        )
    for name in files:
        if not verifier.is_name(name):
            raise BadInput(
                f"{name[:80]!r} is no name of a file in a package", hint="use letters, digits, . _ and - alone"
            )
    return verifier.bundle(files)


def payload(contents: Contents) -> dict[str, bytes]:
    """Every file of the payload, in order of its name."""
    found: dict[str, bytes] = {}
    for layer in Layer:
        rows = [{"id": _id(claim), "claim": dict(claim)} for claim in contents.claims if claim["layer"] == layer.value]
        found[f"data/claims/{layer.value}.json"] = _lines(rows)
    found["data/claims/retracted.json"] = _lines(list(contents.retracted))
    found["data/timeline.json"] = _lines(list(contents.timeline))
    found["data/methods.json"] = _lines(list(contents.methods))
    found["data/alternatives.json"] = _lines(list(contents.alternatives))
    traces = []
    for trace in contents.traces:
        name = trace.body["digest"]
        found[f"data/traces/{name}.json"] = trace.raw
        table = verifier.trace_table(dict(trace.body))
        found[f"data/derived/{name[:16]}-transfers.csv"] = table
        traces.append(
            {
                "file": f"data/traces/{name}.json",
                "digest": name,
                "table": f"data/derived/{name[:16]}-transfers.csv",
                "sentence": trace.body["sentence"],
                "command": trace.command,
                "table_command": f"verify.py makes the table of {name[:16]} anew from the trace, and compares",
            }
        )
    for proof in contents.proofs:
        if proof.state != UNPROVEN:
            found[f"data/chain/{proof.txid}.json"] = _lines(proof.as_dict())
    evidence = []
    for piece in contents.evidence:
        place = _place_of(piece) if piece.content is not None else None
        if place is not None and piece.content is not None:
            found[place] = piece.content
        evidence.append(
            {
                **dict(piece.body),
                "id": piece.id,
                "number": piece.number,
                "name": piece.name,
                "sha256": piece.sha256,
                "size": piece.size,
                **(_custody_of(piece) if place is None else {"file": place, "custody": list(map(dict, piece.custody))}),
            }
        )
    letters = []
    for letter in contents.letters:
        places = {}
        for name, content in letter.files.items():
            place = f"data/letters/{letter.number:03}-{letter.kind}/{name}"
            found[place] = content
            places[name] = place
        letters.append(
            {
                "id": letter.id,
                "number": letter.number,
                "kind": letter.kind,
                "state": letter.state,
                "files": places,
                "deeds": [dict(deed) for deed in letter.deeds],
            }
        )
    body = {
        "format": verifier.FORMAT,
        "package_id": contents.package_id,
        "replaces": contents.replaces,
        "case": dict(contents.case),
        "organisation": contents.organisation,
        "creator": contents.creator,
        "created_at": contents.created_at,
        "program": contents.program,
        "environment": contents.environment,
        "marking": contents.marking,
        "pap": contents.pap,
        "as_of": contents.as_of,
        "exercise": contents.exercise,
        "network": sorted({proof.network for proof in contents.proofs}),
        "transactions": [
            {"txid": proof.txid, "network": proof.network, "state": proof.state, "height": proof.height}
            for proof in contents.proofs
        ],
        "claims": [_id(claim) for claim in contents.claims],
        "traces": traces,
        "evidence": evidence,
        "letters": letters,
        "withheld": [{"what": each.what, "why": each.why} for each in contents.withheld],
    }
    found["data/pack.json"] = _lines(body)
    return dict(sorted(found.items()))


def single_verifier() -> bytes:
    """The verifier, as one file."""
    return (resources.files("shieldwall.cases.pack") / "verifier.py").read_bytes()


def _custody_of(piece: PackedEvidence) -> dict[str, Any]:
    """What stays of a custody log that is withheld: whoever has the log can tell by its end that it is the same."""
    last = piece.custody[-1]["digest"] if piece.custody else ""
    why = piece.why or "not in this package"
    return {"withheld": why, "custody_entries": len(piece.custody), "custody_last": last}


def _place_of(piece: PackedEvidence) -> str:
    ending = piece.name.rpartition(".")[2] if "." in piece.name else ""
    plain = ending if ending.isascii() and ending.isalnum() and len(ending) <= 12 else "bin"
    return f"data/evidence/{piece.number:04}-{piece.sha256[:16]}.{plain}"  # its own name stands in pack.json: it is no path


def _id(claim: Mapping[str, Any]) -> str:
    bare = {name: value for name, value in claim.items() if name != "signature"}
    return hashlib.sha256(canonical_json(bare)).hexdigest()


def _current(keys: Mapping[str, Any]) -> str:
    return str(keys["keys"][-1]["id"])


def _manifest(files: Mapping[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items()).encode()


def _bag_info(contents: Contents, data: Mapping[str, bytes]) -> bytes:
    size = sum(map(len, data.values()))
    lines: Iterable[tuple[str, str]] = (
        ("Source-Organization", contents.organisation),
        ("External-Identifier", contents.package_id),
        ("Bagging-Date", contents.created_at[:10]),
        ("Payload-Oxum", f"{size}.{len(data)}"),
        ("Bag-Software-Agent", contents.program),
    )
    return "".join(f"{name}: {' '.join(text.split())}\n" for name, text in lines).encode()


def _lines(value: object) -> bytes:
    """JSON for people and machines: sorted keys, one space of indent, whole numbers only."""
    canonical_json(value)  # refuses what has no one form
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()
