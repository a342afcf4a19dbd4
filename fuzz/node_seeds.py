"""What the targets of `node_targets` and `web_targets` begin with; keys are the targets' own, so that what is signed holds."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from typing import Any

import cbor2
from node_targets import (
    CHALLENGE,
    ENTRY,
    FRAME_KEY,
    FRAME_PREFIX,
    NOW,
    OIDC,
    PEOPLE,
    authenticator,
    backup,
    identity,
    provider_key,
)
from oidc_support import Provider as SimulatedProvider
from passkey_support import b64
from web_support import address_of
from web_targets import SAID, node

from shieldwall.model.canonical import canonical_json
from shieldwall.model.merkle import consistency_proof, inclusion_proof, leaf_hash, root_of
from shieldwall.node.exported import PURPOSE, SignedRoot, root_message
from shieldwall.node.home import slots_json
from shieldwall.node.offlinekey import OfflineSecret
from shieldwall.node.sealedfile import write_frames
from shieldwall.node.slots import Cost, Credential, Passphrase, new_slots
from shieldwall.node.spoken import SPOKEN, spoken

CLAIM = {
    "subject": {"type": "address", "chain": "BTC", "name": "1Archive1n2C579dMsAu3iC6tWzuQJz8dN"},
    "kind": "note", "statement": {"text": "x"}, "layer": "attribution", "source": "https://x.example", "made_by": "A",
    "at": "2021-05-08T10:00:00Z", "confidence": 50, "marking": "TLP:AMBER", "pap": "PAP:GREEN", "evidence": ["ab" * 32],
}  # fmt: skip
HANDLING = {"marking": "TLP:AMBER", "pap": "PAP:RED", "owner": "ab" * 16}
_ID = "ab" * 16
JOB = {
    "id": "ab" * 16, "kind": "trace", "state": "running", "attempt": 1, "stage": "x", "done": 1, "total": 2,
    "created": "2021-05-08T10:00:00Z", "handling": HANDLING,
}  # fmt: skip


def node_seeds() -> dict[str, list[bytes]]:
    """The seeds of each target."""
    slots, _ = new_slots(Passphrase("four random words"), name="x", at=1, cost=Cost(memory=64, passes=1, lanes=1))
    _, known = identity()
    line, proof = _signed()
    secret = OfflineSecret(bytes(64), bytes([7]) * 32)
    frames = io.BytesIO()
    write_frames(frames, FRAME_KEY, FRAME_PREFIX, b"", [b"one", b"two" * 40])
    front, _, lines = backup()
    kept = [b"="] * len(lines)
    return {
        "strict_json": [
            b'{"a": [1, -2, true, null, "x\\u00e9\\ud83d\\ude00"], "\\u20ac": {"b": {}}}',
            b'{"a": 1, "a": 2}', b"[1.5, 1e5]", b"[" * 70, b'["\\ud800"]', b"12345678901234567890123",
        ],
        "claim": [_json(CLAIM), _json({**CLAIM, "kind": "tag", "statement": {"label": "x", "category": "exchange"}})],
        "key_slots": [slots_json(slots.with_slot(bytes(32), Credential(bytes(32)), name="y", at=2))],
        "credential": [bytes(range(32)).hex().encode() + b"\n", b"four random words\n"],
        "offline_key": [_json(secret.as_dict())],
        "node_identity": [_json(known.as_dict())],
        "fingerprint": [known.current.spoken.encode(), spoken(bytes(SPOKEN)).replace(" ", "-").encode()],
        "signed_roots": [line.to_line()],
        "audit_proof": [_json(proof)],
        "backup_front": [front],
        "backup_frames": [frames.getvalue(), zlib.compress(b"one\ntwo\n"), zlib.compress(bytes(17 << 20))],
        "backup_lines": [
            b"\n".join(kept),
            b"\n".join([lines[0], *kept[1:]]),
            b"\n".join([*kept[:1], b'["people", {"id": "x"}]', *kept[2:]]),
            b"\n".join([*kept[:-1], lines[-1]]),
        ],
        "node_settings": [SETTINGS.encode(), SETTINGS.replace("[mail]", 'client_secret_file = "none"\n[mail]').encode()],
        **_passkeys(),
        "oidc_claims": [_json(_id_token())],
        "oidc_answers": [_provider()],
        "upload": [
            _zip(("a.yaml", b"tags: []"), ("b/c.csv", b"x" * 300)), _zip(("../../x", bytes(60_000))),
            _zip(("in.zip", _zip(("a", b"")))), _zip(("a/x", b"1"), ("b/x", b"2")), b"address,label\n",
        ],
        "job_parameters": [
            _json({"targets": [address_of("watched")], "method": "fifo", "direction": "forward", "hops": 3}),
            _json({"sources": ["x"], "network": "regtest", "since": "2020-01-01"}),
            _json({"source": "rpc://x", "every": 10}), _json({"clustering": "co-spend", "tags": None, "most": 5}),
        ],
        "watch_seen": [
            _json({"tip": [5, "ab" * 32], "above": -1, "known": {"cd" * 32: ["spent", 5, 3]}, "turns": {"cd" * 32: 1},
                   "waiting": ["ef" * 32], "members": ""}),
        ],
        "request": _requests(),
        "door": [b"@token@", b"sw_" + b"ab" * 16 + b"_" + b"cd" * 32, b"123456", b"ab" * 16, "ü\0".encode()],
        "cursor": [b"AQ", b"", b"ab" * 40],
        "watch_target": [
            _json({"kind": "address", "target": {"address": "@address@"}, "note": "x", "channels": ["mail"]}),
            _json({"kind": "cluster", "target": {"address": "@address@", "clustering": "co-spend"}}),
            _json({"kind": "end", "target": {"file": "@trace@"}}),
        ],
        "trace_file": [node().trace()],
        "client_answer": [_answer(_json({"ok": True, "version": "1"})), _answer(b"x", status=500), _chunks(), *_streams()],
        "client_shapes": [_json(JOB), _json({"claims": [{"id": "ab" * 32, "claim": CLAIM, "handling": HANDLING,
                                                         "received": "x"}], "next": "x"})],
        "client_events": [b": still here\n\nevent: job\ndata: " + _json(JOB) + b"\n\n", b"data: a\r\ndata: b\r\n\r\n"],
        "client_problem": [_json({"type": "urn:shieldwall:problem:too-many", "detail": "x\x1b[2J", "hint": "y"}), b"12"],
    }  # fmt: skip


SETTINGS = """name = "x"
host = "localhost"
port = 8420
database = "postgresql://u:p@h/d"
sources = ["blocks", "rpc://127.0.0.1:8332"]
[people]
idle_minutes = 5
[oidc]
issuer = "https://login.example.org"
client_id = "node"
[mail]
host = "m"
sender = "a@b.example"
highest = "TLP:GREEN"
[[webhook]]
url = "https://x.example/y"
"""


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _signed() -> tuple[SignedRoot, dict[str, Any]]:
    """A signed root over three leaves, and a proof of the second under it, in a log of five."""
    secret, known = identity()
    leaves = [leaf_hash(canonical_json({**ENTRY, "number": number})) for number in range(5)]
    root, at = root_of(leaves[:3]), 3000
    envelope = secret.sign(PURPOSE, root_message(known.node, 3, at, root, ""))
    line = SignedRoot(node=known.node, size=3, at=at, root=root, accepts="", envelope=envelope)
    return line, {
        "format": "shieldwall-audit-proof",
        "version": 1,
        "number": 1,
        "entry": ENTRY,
        "inclusion": [step.hex() for step in inclusion_proof(leaves[:3], 1)],
        "signed": json.loads(line.to_line()),
        "now": {
            "size": 5,
            "root": root_of(leaves).hex(),
            "consistency": [step.hex() for step in consistency_proof(leaves, 3)],
        },
    }


def _passkeys() -> dict[str, list[bytes]]:
    (key,) = authenticator().keys
    client = {"type": "webauthn.create", "challenge": b64(CHALLENGE), "origin": PEOPLE.origins[0], "crossOrigin": False}
    data = authenticator()._data(key, 64) + bytes(16) + len(key.id).to_bytes(2, "big") + key.id + key.cose()
    attested = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
    made = {
        "id": b64(key.id),
        "rawId": b64(key.id),
        "type": "public-key",
        "response": {"clientDataJSON": b64(_json(client)), "attestationObject": b64(attested), "transports": ["usb"]},
    }
    shown = authenticator().sign_in({"challenge": b64(CHALLENGE), "rpId": PEOPLE.host})
    return {"passkey_made": [_json(made)], "passkey_attested": [attested], "passkey_shown": [_json(shown)]}


def _id_token() -> dict[str, Any]:
    return {"iss": OIDC.issuer, "aud": OIDC.client_id, "sub": "x", "nonce": "nonce", "iat": NOW, "exp": NOW + 300}


def _provider() -> bytes:
    at = OIDC.issuer
    about = {
        "issuer": at,
        "authorization_endpoint": f"{at}/a",
        "token_endpoint": f"{at}/t",
        "jwks_uri": f"{at}/k",
    }
    provider = SimulatedProvider(algorithm="EdDSA")
    provider.key = provider_key()
    keys = {"keys": [provider.key.public(), {"kty": "RSA"}]}
    return b"\n".join(map(_json, (about, keys, {"id_token": provider.token(_id_token())})))


def _zip(*files: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _requests() -> list[bytes]:
    asked: list[tuple[str, str, Any]] = [
        ("POST", "/claims", {name: value for name, value in CLAIM.items() if name != "made_by"}),
        ("POST", "/jobs", {"kind": "chain.build", "params": {"sources": ["x"]}, "handling": {"marking": "TLP:GREEN"}}),
        ("POST", "/traces", {"targets": ["@address@"], "hops": 2, "tags": []}),
        ("POST", "/watches", {"kind": "end", "target": "@trace@", "channels": ["mail"]}),
        ("POST", "/cases", {"title": "A", "people": ["@person@"], "silent": True}),
                ("POST", "/people", {"name": "B", "roles": ["viewer"], "mail": "b@x.example"}),
        ("POST", "/people/@person@/links", {"issuer": "https://x.example", "subject": "y"}),
        ("POST", "/tokens", {"name": "T", "scopes": ["read"], "days": 3}),
        ("POST", "/approvals", {"thing": "file", "id": "@trace@", "marking": "TLP:CLEAR", "pap": "PAP:CLEAR",
                                "reason": "r", "seen_by": {}}),
        ("POST", "/files?name=x&marking=TLP:GREEN", "x"), ("GET", "/traces/@trace@", None),
        ("POST", "/markings", {"thing": "claim", "id": "@claim@", "marking": "TLP:RED", "pap": "PAP:RED"}),
        ("POST", "/claims/@claim@/retraction", {"reason": "r"}), ("PUT", "/groups/@group@/people", {"people": []}),
        ("POST", "/groups", {"name": "H"}), ("POST", f"/approvals/{_ID}/decision", {"approve": False}),
        ("POST", f"/alarms/{_ID}/answer", None), ("POST", "/people/@person@/invitation", {"with_code": True}),
        ("POST", "/people/@person@/return", None), ("POST", "/audit/verification", None), ("POST", "/keys/rotation", None),
        ("POST", "/recovery-code/begin", None), ("POST", "/recovery-code/finish", {"enrolment": _ID, "code": "123456"}),
        ("POST", "/registration/begin", {"secret": "x", "code": ""}), ("POST", "/passkeys/begin", None),
        ("POST", "/sign-in/begin", None), ("POST", "/session/confirm/begin", None),
        *(("POST", f"{path}/finish", {"challenge": _ID, "credential": {"id": "x", "response": {}}})
          for path in ("/registration", "/passkeys", "/sign-in", "/session/confirm")),
        ("GET", "/claims?type=address&chain=BTC&name=x&most=5", None),
        ("GET", "/search?q=@address@", None), ("GET", "/audit?most=3&cursor=AQ", None), ("GET", "/blocks/1", None),
        ("POST", "/traces/@trace@/sheet/steps", {"kind": "boxes", "value": 120}),
        ("POST", "/traces/@trace@/sheet/undo", None), ("POST", "/traces/@trace@/sheet/redo", None),
        ("POST", "/traces/@trace@/sheet/saved", {"title": "T"}), ("GET", "/traces/@trace@/sheet", None),
        ("GET", "/audit/proof/1", None), ("GET", "/jobs/@job@", None), ("GET", "/addresses/@address@", None),
        ("POST", "/intakes", {"title": "I", "answers": {"what": "x", "found": "2026-10-01", "addresses": "@address@"}}),
        ("PUT", "/cases/@case@/incident", {"answers": {"group": "g"}, "first_hour": [1]}),
        ("POST", "/cases/@case@/findings", {"layer": "inference", "text": "t", "basis": "b", "likelihood": "likely"}),
        ("POST", "/cases/@case@/events", {"text": "t", "when": "2026-10-01"}),
        ("POST", "/cases/@case@/relations", {"source": {"type": "group", "name": "a"}, "relation": "attacked",
                                             "target": {"type": "victim", "name": "b"}}),
        ("POST", "/cases/@case@/evidence?name=a&method=m&source=s", "x"),
        ("POST", "/cases/@case@/evidence/adopted", {"file": "@trace@", "method": "m", "source": "s"}),
        ("POST", f"/evidence/{_ID}/custody", {"deed": "examined", "why": "w"}),
        ("POST", "/cases/@case@/requests", {"kind": "inform"}), ("POST", "/cases/@case@/packs", {"to": "c", "why": "w"}),
        ("POST", "/cases/@case@/traces", {"file": "@trace@"}), ("PUT", f"/requests/{_ID}", {"version": 1, "content": {}}),
        ("POST", f"/requests/{_ID}/deeds", {"deed": "submit", "version": 1}), ("POST", f"/requests/{_ID}/reply", "x"),
        ("POST", f"/requests/{_ID}/decision", {"approve": True, "digest": "0" * 64}),
        ("POST", f"/travels/{_ID}/told", None), ("GET", "/cases/@case@/timeline?as_of=2026-10-01", None),
        ("POST", "/collections", {"title": "C", "group": "@partners@", "highest": "TLP:GREEN", "alias": "c"}),
        ("POST", "/collections/@collection@/releases", {"ids": ["@stix@"], "reason": "r", "every_version": True}),
        ("POST", "/collections/@collection@/withdrawals", {"id": "@stix@", "reason": "r", "along": True}),
        ("POST", "/stix/objects?marking=TLP:GREEN&pap=PAP:GREEN&case=@case@", {"objects": [SAID]}),
        ("GET", "/stix/find?q=a.example", None), ("GET", "/stix/objects/@stix@", None),
        ("GET", "/partners/@partner@/preview?most=5", None), ("GET", "/collections/@collection@/decisions", None),
    ]  # fmt: skip
    found = [f"{method} /api/v1{path}\n\n".encode() + (_json(body) if body else b"") for method, path, body in asked]
    changes: list[tuple[str, str, Any]] = [
        ("PUT /api/v1/cases/@case@/members", "/cases/@case@", {"people": ["@me@", "@person@"], "groups": ["@group@"]}),
        ("PATCH /api/v1/cases/@case@", "/cases/@case@", {"title": "B", "silent": False, "contact": "@person@"}),
        ("PATCH /api/v1/people/@person@", "/people/@person@", {"roles": ["viewer"], "highest": "TLP:AMBER"}),
    ]
    found += [
        f"{first}\nif-match: {of}\nidempotency-key: {number}\n\n".encode() + _json(body)
        for number, (first, of, body) in enumerate(changes)
    ]
    found += _forms()
    found += [b"POST /api/v1/tag-sets?file=x.csv&label=x&source=y&network=regtest\n\naddress,label\n@address@,y\n"]
    return found


def _forms() -> list[bytes]:
    """Pages, and forms as a browser sends them."""
    form = "content-type: application/x-www-form-urlencoded"
    sent = (
        ("/find", "q=pay+%40address%40+now%0Aplease"),
        ("/traces", "targets=@address@&method=all&marking=TLP%3AGREEN&hops=2"),
        ("/traces/@trace@/steps", "kind=note&key=others-x&text=seen"),
        ("/traces/@trace@/steps", "kind=least&stop=2"),
        ("/traces/@trace@/undo", "key="),
        ("/language", "language=ar&back=%2Fnode"),
        ("/addresses/@address@/watch", "note=n&marking=TLP%3AAMBER"),
        ("/share/collections", "title=C&group=@partners@&highest=TLP%3AGREEN"),
        ("/share/collections/@collection@/release", "ids=@stix@&case=@case@&reason=r"),
        ("/share/collections/@collection@/withdraw", "id=@stix@&reason=r&along=yes"),
        ("/share/objects/@stix@/say", "opinion=agree&text=t&marking=TLP%3AGREEN&case=@case@&count=2"),
        ("/share/sources", "kind=taxii&url=https%3A%2F%2Fx.example%2Fr%2Fcollections%2Fc%2F&token=t&minutes=15"),
        ("/share/sources/@source@/end", ""),
    )
    shown = (
        "/share",
        "/share/collections/@collection@?before=9",
        "/share/partners/@partner@",
        "/share/objects/@stix@",
        "/share/sources",
        "/share/find?q=a.example",
        "/",
        "/traces/@trace@?box=tx:00&part=drawer",
        "/find?q=@address@%20x",
        "/node",
        "/sign-in?next=//x",
    )
    found = [f"POST {path}\n{form}\n\n{body}".encode() for path, body in sent]
    return found + [f"GET {path}\n\n".encode() for path in shown]


def _answer(body: bytes, status: int = 200, media_type: str = "application/json", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status} x", f"Content-Type: {media_type}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


def _chunks() -> bytes:
    head = "HTTP/1.1 200 x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nSet-Cookie: shieldwall=x\r\n\r\n"
    return head.encode() + b'd\r\n{"done":true}\r\n0\r\n\r\n'


def _streams() -> list[bytes]:
    """A stream of events up to its end, and one in chunks."""
    head = "HTTP/1.1 200 x\r\nContent-Type: text/event-stream\r\n"
    event = b"event: job\ndata: " + _json(JOB) + b"\n\n"
    chunk = f"{len(event):x}\r\n".encode() + event + b"\r\n0\r\n\r\n"
    return [
        f"{head}Connection: close\r\n\r\n".encode() + event,
        f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk,
    ]
