"""Saved sheets: a trace as somebody arranged and commented it, frozen with its picture and a digest (docs/spec/sheet.md)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shieldwall import __version__
from shieldwall.errors import BadInput
from shieldwall.model.access import Identity, joint
from shieldwall.model.canonical import canonical_json, digest
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.moment import utc
from shieldwall.node.sheets.asking import NOTE
from shieldwall.node.sheets.claimed import SHEET
from shieldwall.node.sheets.frozen import Frozen
from shieldwall.node.sheets.rows import rows_of
from shieldwall.node.sheets.sheet import Sheet, chain_id, sheet_in
from shieldwall.node.sheets.stepping import SAID_BY
from shieldwall.store.claims import Kept
from shieldwall.store.files import File
from shieldwall.trace.change.overrule import OVERRULE
from shieldwall.trace.layout import lay_out
from shieldwall.trace.picture import Around, draw

if TYPE_CHECKING:
    from shieldwall.node.node import Node

FORMAT = "shieldwall-sheet/1"
_COPIED = (
    "sentence", "direction", "network", "tip_height", "tip_hash", "tip_time", "seed_amount", "method", "conserved",
)  # fmt: skip
_SUBJECTS = ("address", "transaction", "output", "input")
LONGEST_TITLE = 200  # characters
MOST_SHEET = 64 << 20  # bytes


def save(node: Node, identity: Identity, act: str, file_id: str, title: str) -> File:
    """Freeze one's sheet as it stands. It is handled as strictly as the trace and everything that is said on it.

    Raises:
        NotFound: No such trace.
        NotAllowed: Whoever asks may not write.
        BadInput: The title does not fit.
    """
    plain = " ".join(title.split())
    if len(plain) > LONGEST_TITLE:
        raise BadInput(f"a title has at most {LONGEST_TITLE} characters")
    with node.store.act(identity, act, trace=file_id) as work:
        sheet = sheet_in(node, work, file_id)
        said = [kept for each in sheet.said.values() for kept in each if is_said_here(kept)]
        handling = replace(sheet.trace.file.handling, owner=identity.person)
        handling = joint(handling, *(kept.handling for kept in said))
        body = _body(sheet, said, plain, identity.name, utc(work.now // 1_000_000))
        text = canonical_json(body)
        name = f"sheet-{body['digest'][:12]}.json"
        file = work.files.add(name, "application/json", [text], "sheet", handling, most_bytes=MOST_SHEET)
        claims = _claims(sheet.trace, body, file, identity.name)
        work.claims.add(claims, case=handling.case, group=handling.group)
        work.note(digest=body["digest"], claims=len(claims))
    return file


def is_said_here(kept: Kept) -> bool:
    """Whether a person said it on this node: a note, an overrule, or a tag that came in no set."""
    return kept.claim.kind in (NOTE, OVERRULE.name) or kept.claim.source.startswith(SAID_BY)


def _body(sheet: Sheet, said: Sequence[Kept], title: str, who: str, at: str) -> dict[str, Any]:
    trace = sheet.body
    around = Around(marks=sheet.marks(), pinned=sheet.arrangement.pinned)
    picture = draw(trace, lay_out(trace, sheet.arrangement), around=around)
    body: dict[str, Any] = {
        "format": FORMAT,
        "program": f"shieldwall {__version__}",
        "title": title,
        "saved_by": who,
        "saved_at": at,
        "trace": {"file": sheet.trace.file.id, "digest": trace["digest"], "sha256": sheet.trace.file.sha256},
        **{name: trace[name] for name in _COPIED},
        "arrangement": sheet.arrangement.as_dict(),
        "rows": rows_of(trace, sheet.columns),
        "said": [kept.claim.as_dict() for kept in sorted(said, key=lambda kept: kept.seq)],
        "picture": picture,
        "picture_sha256": hashlib.sha256(picture.encode()).hexdigest(),
    }
    return body | {"digest": digest(body)}


def _claims(trace: Frozen, body: Mapping[str, Any], file: File, who: str) -> list[Claim]:
    said = {
        "digest": body["digest"],
        "file": file.id,
        "trace": trace.file.id,
        "trace_digest": trace.body["digest"],
        "title": body["title"],
        "sentence": body["sentence"],
        "tip_height": body["tip_height"],
        "tip_hash": body["tip_hash"],
    }
    said = {name: value for name, value in said.items() if value is not None}
    SHEET.check(said, "sheet")
    chain = chain_id(trace.body)
    targets = [each for each in trace.body["targets"] if each["found"] and each["kind"] in _SUBJECTS]
    subjects = list(dict.fromkeys(Subject(each["kind"], chain, each["identity"]) for each in targets))
    return [
        Claim(
            subject=subject,
            kind=SHEET.name,
            statement=said,
            layer=Layer.INFERENCE,
            source=f"saved sheet {file.id}",
            made_by=who,
            at=body["saved_at"],
            marking=file.handling.marking,
            pap=file.handling.pap,
            evidence=(file.sha256,),
        )
        for subject in subjects
    ]
