"""Evidence of a case: acquired, copied, examined, handed on; every deed an entry of its custody log."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from shieldwall.cases import custody
from shieldwall.cases.custody import Copy, Deed
from shieldwall.cases.event import moment_of
from shieldwall.errors import BadInput, NotFound, Tampered
from shieldwall.model.access import Identity
from shieldwall.model.moment import unix, utc
from shieldwall.node.casework.saying import handling_in
from shieldwall.store.evidence import Evidence
from shieldwall.store.files import File
from shieldwall.store.timeline import NewEntry

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.work import Work

_SECOND = 1_000_000
MOST_BYTES = 64 << 20
_LONGEST = 1000  # characters of a method or source


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquired:
    """How a piece of evidence was come by.

    Attributes:
        method: How it was acquired.
        source: Where it is from.
        acquired_at: When, ISO 8601 in UTC; "" for now.
        copy: Original or working copy.
        of: Of a working copy, id of the original; "" where it is none here.
        why: What for.
    """

    method: str
    source: str
    acquired_at: str = ""
    copy: Copy = Copy.ORIGINAL
    of: str = ""
    why: str = "evidence of the case"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A piece of evidence, with its file and its custody log, whole and checked."""

    evidence: Evidence
    file: File
    log: Sequence[custody.Entry]


def acquire(
    node: Node, identity: Identity, act: str, case_id: str, name: str, media_type: str, content: bytes, how: Acquired
) -> Held:
    """Take a file into evidence.

    Raises:
        BadInput: It is not said how or where from.
        NotFound, NotAllowed, Conflict: As for everything that is put into a case.
        TooMany: It is too large.
    """
    with node.store.act(identity, act, case=case_id) as work:
        handling = handling_in(work, work.cases.get(case_id))
        file = work.files.add(name, media_type, [content], "evidence", handling, most_bytes=MOST_BYTES)
        return _kept(work, file, how, Deed.COPIED if how.copy is Copy.WORKING else Deed.ACQUIRED)


def adopt(node: Node, identity: Identity, act: str, case_id: str, file_id: str, how: Acquired) -> Held:
    """Take a file that is in the case already into evidence: its bytes are read and held to their digest.

    Raises:
        BadInput: It is not said how or where from, or the file is of no case or another.
        NotFound, NotAllowed, Conflict: As `acquire`.
    """
    with node.large(), node.store.act(identity, act, case=case_id, file=file_id) as work:
        file = work.files.get(file_id)
        if file.handling.case != case_id:
            raise BadInput("that file is not in this case", hint="put it into the case first")
        work.files.read(file_id)
        return _kept(work, file, how, Deed.ACQUIRED)  # a colleague's file, too: the piece belongs to whoever took it


def log_deed(node: Node, identity: Identity, act: str, evidence_id: str, deed: str, why: str) -> custody.Entry:
    """Say what was done with a piece of evidence. Its content is read and held to its digest first.

    Raises:
        BadInput: No such deed, no words, or it was destroyed.
        NotFound: No such evidence.
        Conflict: The log has gone on in the meantime, or the case is closed.
        Tampered: The content is not what the log says.
    """
    with node.large(), node.store.act(identity, act, evidence=evidence_id) as work:
        return put_deed(work, work.evidence.get(evidence_id), deed, why)


def put_deed(work: Work, evidence: Evidence, deed: str, why: str) -> custody.Entry:
    """The same within an act."""
    log = checked(work.evidence.log(evidence.id))
    content = work.files.read(evidence.file)
    digest = hashlib.sha256(content).hexdigest()
    if digest != log[-1].sha256:
        raise Tampered("the evidence is not what its custody log says", hint="shieldwall node check")
    at = max(utc(work.now // _SECOND), log[-1].at)
    entry = custody.follow(log[-1], at, work.identity.name, deed, why, digest)
    work.evidence.append(evidence.id, entry.number, entry.as_dict())
    return entry


def held_in(work: Work, case_id: str, *, known_at: int | None = None) -> list[Held]:
    """The evidence of a case, with logs; as it was known at a moment, in microseconds. A piece whose file whoever asks may not
    see is passed over.

    Raises:
        Tampered: A log is broken.
    """
    found = work.evidence.of_case(case_id, known_at=known_at)
    logs = work.evidence.logs(found)
    held = []
    for each in found:
        try:
            file = work.files.get(each.file)
        except NotFound:
            continue
        log = [entry for entry in checked(logs[each.id]) if known_at is None or unix(entry.at) * _SECOND <= known_at]
        held.append(Held(evidence=each, file=file, log=log))
    return held


def held(work: Work, evidence_id: str) -> Held:
    """One piece.

    Raises:
        NotFound: No such evidence that whoever asks may see.
        Tampered: Its log is broken.
    """
    found = work.evidence.get(evidence_id)
    return Held(evidence=found, file=work.files.get(found.file), log=checked(work.evidence.log(evidence_id)))


def checked(rows: Sequence[Any]) -> list[custody.Entry]:
    """The entries of a log.

    Raises:
        Tampered: It is broken.
    """
    entries = [custody.Entry.from_dict(row) for row in rows]
    problems = custody.broken(entries)
    if problems or not entries:
        raise Tampered(f"a custody log is broken: {(problems or ('it is empty',))[0]}", hint="shieldwall node check")
    return entries


def _kept(work: Work, file: File, how: Acquired, deed: Deed) -> Held:
    method, source = how.method.strip(), how.source.strip()
    if not method or not source or max(len(method), len(source)) > _LONGEST:
        raise BadInput("evidence says how it was acquired and from where", hint=f"at most {_LONGEST} characters each")
    now = utc(work.now // _SECOND)
    acquired = moment_of(how.acquired_at, "acquired") if how.acquired_at else now
    if how.of:
        work.evidence.get(how.of)
    body = {
        "copy": how.copy.value,
        "method": method,
        "source": source,
        "acquired_at": acquired,
        "of": how.of,
        "operator": work.identity.name,
    }
    handling = replace(file.handling, owner=work.identity.person)
    found = work.evidence.add(file.id, body, handling)
    entry = custody.begin(now, work.identity.name, deed.value, how.why, file.sha256)
    work.evidence.append(found.id, entry.number, entry.as_dict())
    told = {"text": file.name, "by": work.identity.name, "sha256": file.sha256, "copy": how.copy.value}
    at = unix(acquired) * _SECOND
    work.timeline.add([NewEntry(kind="evidence", ref=found.id, body=told, happened_at=at)], handling)
    return Held(evidence=work.evidence.get(found.id), file=file, log=[entry])
