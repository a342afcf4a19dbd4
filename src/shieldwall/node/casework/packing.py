"""Make an evidence package of a case: what whoever asks may see of it, as it is or as it was known at a moment.

Everything is read within one act, so that it is of one state; the package is kept as a file of the case, handled as strictly as
all that is in it. A stop at any moment leaves either the whole package with its audit entry, or nothing.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from shieldwall import __version__
from shieldwall.cases.custody import Deed
from shieldwall.cases.pack.contents import (
    ChainProof,
    Contents,
    PackedEvidence,
    PackedLetter,
    PackedTrace,
    Withheld,
)
from shieldwall.cases.pack.proving import prove
from shieldwall.cases.pack.redaction import Redaction, must_be_gone, redact
from shieldwall.cases.pack.verifier import REAL
from shieldwall.cases.pack.writing import payload, write_pack
from shieldwall.cases.request import Request
from shieldwall.cases.tracker import Done
from shieldwall.errors import NotAllowed, NotFound, ShieldwallError
from shieldwall.model.access import Handling, Identity, Permission, joint
from shieldwall.model.claim import Claim
from shieldwall.model.marking import Action, allows
from shieldwall.model.moment import utc
from shieldwall.node.casework.asking import asked_in
from shieldwall.node.casework.holding import Held, held_in, put_deed
from shieldwall.node.casework.references import sender_of
from shieldwall.node.casework.saying import handling_in
from shieldwall.store.files import File
from shieldwall.store.timeline import NewEntry
from shieldwall.trace.change.predicates import PREDICATES
from shieldwall.trace.published_rates import NONE_PUBLISHED, none_published

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.cases import Case
    from shieldwall.store.work import Work

_SECOND = 1_000_000
PACK = "pack"
MOST_CLAIMS = 20_000
_MOST_ENTRIES = 20_000
_KINDS = (
    "finding", "event", "incident", "relation", "note", "tag", "trace", "sheet", "hop", "change-overrule", "actor",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PackAsked:
    """Which package.

    Attributes:
        to: For whom, as people read it; its ways are noted under that name.
        as_of: As the case was known at a moment, in microseconds; None for now.
        redaction: What to leave out; None for nothing.
        replaces: Id of the package that this one redacts; "" for none.
    """

    to: str = ""
    as_of: int | None = None
    redaction: Redaction | None = None
    replaces: str = ""


def pack_case(node: Node, identity: Identity, act: str, case_id: str, asked: PackAsked) -> File:
    """Make the package, and keep it.

    Raises:
        NotFound: No such case.
        NotAllowed: Whoever asks may not write.
        Conflict: The case is closed.
        BadInput: Something that is to be left out is not there, or stands elsewhere, too.
        TooMany: It would be too large.
        Tampered: Evidence or a trace is not what was kept.
    """
    with node.large(), node.store.act(identity, act, case=case_id) as work:
        work.must(Permission.WRITE)
        case = work.cases.get(case_id)
        left = frozenset() if asked.redaction is None else asked.redaction.evidence
        for each in held_in(work, case_id) if asked.as_of is None else ():
            if each.evidence.id not in left and each.log[-1].deed != Deed.DESTROYED:
                put_deed(work, each.evidence, Deed.PACKED.value, f"into an evidence package for {_whom(asked)}")
        contents, handling = gather(node, work, case, asked)
        if asked.to and not allows(handling.pap, Action.TELL):
            raise NotAllowed(
                f"{handling.pap.label} does not allow a package for somebody",
                hint="let a second person mark the case PAP:AMBER",
            )
        keys = node.keys()
        raw = write_pack(contents, keys.sign, spoken=keys.public.spoken)
        file = work.files.add(
            f"pack-{contents.package_id[:8]}.zip", "application/zip", [raw], PACK, handling, most_bytes=len(raw)
        )
        told = {"text": asked.to, "by": work.identity.name, "package": contents.package_id, "sha256": file.sha256}
        work.timeline.add([NewEntry(kind=PACK, ref=file.id, body=told)], handling)
        went = [*(str(each) for each in _ids(contents).values()), *(letter.id for letter in contents.letters)]
        work.travels.add(went, by=PACK, carrier=file.id, to=_whom(asked), handling=handling)
        work.note(package=contents.package_id, transactions=len(contents.proofs), withheld=len(contents.withheld))
    return file


def _whom(asked: PackAsked) -> str:
    return asked.to.strip() or "whoever has the package"


def gather(node: Node, work: Work, case: Case, asked: PackAsked) -> tuple[Contents, Handling]:
    """All that a package has, within an act, and how it must be handled."""
    at, now = asked.as_of, utc(work.now // _SECOND)
    kept = work.claims.of_case(case.id, _KINDS, most=MOST_CLAIMS + 1, known_at=at)
    withheld = []
    if len(kept) > MOST_CLAIMS:
        withheld.append(Withheld(what=f"claims after the first {MOST_CLAIMS:,}", why="the package would be too large"))
    claims = [each.claim for each in kept[:MOST_CLAIMS]]
    held = held_in(work, case.id, known_at=at)
    traces = _traces(node, work, case.id, at)
    letters, requests, letter_handlings, kept_in = _letters(node, work, case.id, at)
    withheld += kept_in
    entries = work.timeline.page(case.id, most=_MOST_ENTRIES, known_at=at)[::-1]
    back = [each for each in work.claims.taken_back(case.id, most=2000) if at is None or (each.retracted_at or 0) <= at]
    retracted = [
        {
            "claim_id": each.id,
            "claim": each.standing.claim.as_dict(),
            "reason": each.reason,
            "at": utc((each.retracted_at or 0) // _SECOND),
        }
        for each in back
    ]
    sender = sender_of(node)
    contents = Contents(
        package_id=str(uuid4()),
        case={"id": case.id, "number": case.number, "title": case.title, "status": case.status},
        organisation=sender.agency or node.config.name,
        creator=work.identity.name,
        created_at=now,
        program=f"shieldwall {__version__}",
        environment=f"Python {platform.python_version()}, {platform.system()}",
        marking=case.handling.marking.label,
        pap=case.handling.pap.label,
        keys=node.keys().identity.as_dict(),
        as_of="" if at is None else utc(at // _SECOND),
        claims=[claim.as_dict() for claim in claims],
        retracted=retracted,
        timeline=[_entry(each) for each in entries],
        evidence=[_evidence(work, each) for each in held],
        traces=[PackedTrace(raw=raw, body=body, command=command_of(body)) for raw, body, _ in traces],
        letters=letters,
        methods=_methods([body for _, body, _ in traces]),
        withheld=withheld,
        replaces=asked.replaces,
        exercise=any(request.exercise for request in requests.values())
        or any(_exercise(body) for _, body, _ in traces),
    )
    contents = _completed(node, contents, requests)
    if asked.redaction is not None:
        whole = contents
        contents = _completed(node, redact(whole, asked.redaction, _ids(whole)), requests)
        must_be_gone(whole, contents, payload(contents))
    handling = joint(
        handling_in(work, case),
        *(each.handling for each in (*kept, *back)),
        *(each.handling for each in entries),
        *(each.file.handling for each in held),
        *(each.evidence.handling for each in held),
        *(file.handling for _, _, file in traces),
        *letter_handlings,
    )
    return replace(contents, marking=handling.marking.label, pap=handling.pap.label), handling


def _completed(node: Node, contents: Contents, requests: Mapping[str, Request]) -> Contents:
    """The contents with what follows from them: proofs of what they name, and the other explanations that they give."""
    bodies = [trace.body for trace in contents.traces]
    there = [requests[letter.id] for letter in contents.letters]
    return replace(
        contents,
        proofs=tuple(_proofs(node, bodies, there)),
        alternatives=tuple(_alternatives(bodies, [Claim.from_dict(each) for each in contents.claims], there)),
    )


def _exercise(body: Mapping[str, Any]) -> bool:
    return str(body["network"]) not in REAL


def txids_of(bodies: Sequence[Mapping[str, Any]], requests: Sequence[Request]) -> dict[str, set[str]]:
    """Every transaction that traces and requests name, by network."""
    found: dict[str, set[str]] = {}
    for body in bodies:
        there = found.setdefault(body["network"], set())
        there |= {transfer["txid"] for transfer in body["transfers"]}
        there |= {step["txid"] for path in body["paths"] for step in path["steps"]}
        for gap in body["gaps"]:
            there |= {gap["txid"], *gap["then"]}
            there |= {outpoint.partition(":")[0] for outpoint in gap["spends"]}
        there |= {output["txid"] for end in body["ends"] for output in end["outputs"] if output["index"] is not None}
    for request in requests:
        for asset in request.assets:
            found.setdefault(asset.network, set()).add(asset.txid)
        for path in request.paths:
            network = request.assets[0].network if request.assets else ""
            if network:
                found.setdefault(network, set()).update(step.txid for step in path)
    return {network: {txid for txid in txids if len(txid) == 64} for network, txids in found.items()}


def command_of(body: Mapping[str, Any]) -> str:
    """The words by which the command line makes a trace again on the same store and tags."""
    given, words = body["parameters"], ["shieldwall trace"]
    words += [str(target["target"]) for target in body["targets"]]
    words += ["--method", "all" if body.get("methods") else str(given["method"])]
    words += ["--backward"] if body["direction"] == "backward" else []
    if given["max_hops"] is not None:
        words += ["--hops", str(given["max_hops"])]
    if given["until_height"] is not None:
        words += ["--until", str(given["until_height"])]
    elif given["until_time"] is not None:
        words += ["--until", utc(given["until_time"])]
    if given["least_amount"]:
        words += ["--least", str(given["least_amount"])]
    if given["clustering"]:
        words += ["--cluster", str(given["clustering"]["name"])]
    words += ["--max-transactions", str(given["max_transactions"])]
    for each in given.get("tag_sets", []):
        words += ["--tags", f"{each['set']}@{each['version']}"]
    return " ".join(words)


def _ids(contents: Contents) -> dict[int, str]:
    return {place: Claim.from_dict(claim).id for place, claim in enumerate(contents.claims)}


def _traces(node: Node, work: Work, case_id: str, at: int | None) -> list[tuple[bytes, Mapping[str, Any], File]]:
    found: list[tuple[bytes, Mapping[str, Any], File]] = []
    for file in work.files.page(most=500, case=case_id, kind="trace")[::-1]:
        if at is not None and file.created_at > at:
            continue
        body = node.frozen.open(work, file.id).body
        found.append((work.files.read(file.id), body, file))
    return found


def _letters(
    node: Node, work: Work, case_id: str, at: int | None
) -> tuple[list[PackedLetter], dict[str, Request], list[Handling], list[Withheld]]:
    """The requests that went out, with their files and answers; what was never sent is named and not told."""
    letters, requests, handlings, kept_in = (
        list[PackedLetter](),
        dict[str, Request](),
        list[Handling](),
        list[Withheld](),
    )
    for row in work.requests.page(most=500, case=case_id)[::-1]:
        if at is not None and row.created_at > at:
            continue
        asked = asked_in(node, work, row.id, known_at=at)
        if asked.track.sent_at is None:
            what = f"request {row.number} ({row.kind}), {asked.track.state.value}"
            kept_in.append(Withheld(what=what, why="it was not sent"))
            continue
        wanted = dict(asked.files)
        wanted |= {
            f"reply-{each.number:03}.json": str(each.body["file"]) for each in asked.deeds if "file" in each.body
        }
        files = {}
        for name, file_id in wanted.items():
            try:
                handlings.append(work.files.get(file_id).handling)
                files[name] = work.files.read(file_id)
            except NotFound:
                why = "whoever made the package may not see it"
                kept_in.append(Withheld(what=f"{name} of request {row.number}", why=why))
        requests[row.id] = asked.request
        handlings.append(row.handling)
        letters.append(
            PackedLetter(
                id=row.id,
                number=row.number,
                kind=row.kind,
                state=asked.track.state.value,
                files=files,
                deeds=[_deed(done, asked.names) for done in asked.deeds],
                claims=asked.request.claims,
            )
        )
    return letters, requests, handlings, kept_in


def _deed(done: Done, names: Mapping[str, str]) -> dict[str, Any]:
    told = {name: value for name, value in done.body.items() if name not in ("files", "content")}
    by = names.get(done.by, "the node")
    return {"number": done.number, "at": utc(done.at), "by": by, "deed": done.deed.value, "told": told}


def _entry(entry: Any) -> dict[str, Any]:  # noqa: ANN401 - an entry of a timeline
    return {
        "kind": entry.kind,
        "ref": entry.ref,
        "happened_at": utc(entry.happened_at // _SECOND),
        "recorded_at": utc(entry.recorded_at // _SECOND),
        **dict(entry.body),
    }


def _evidence(work: Work, held: Held) -> PackedEvidence:
    content = work.files.read(held.file.id)
    return PackedEvidence(
        id=held.evidence.id,
        number=held.evidence.number,
        name=held.file.name,
        body=held.evidence.body,
        sha256=held.file.sha256,
        size=held.file.size,
        custody=[entry.as_dict() for entry in held.log],
        content=content,
    )


def _proofs(node: Node, bodies: Sequence[Mapping[str, Any]], requests: Sequence[Request]) -> list[ChainProof]:
    found = []
    for network, txids in sorted(txids_of(bodies, requests).items()):
        try:
            with node.chain(network) as chain:
                found += prove(chain, txids)
        except ShieldwallError:  # the chain that a trace was made on is here no more: nothing of it can be proven
            found += [ChainProof(txid=txid, network=network) for txid in sorted(txids)]
    return found


def _methods(bodies: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each rule that a trace used, with what was published of its error, and the tags that it read."""
    found: list[dict[str, Any]] = []
    for body in bodies:
        found.append(
            {
                "trace": body["digest"],
                "method": body["method"],
                "rule": body["method_rule"],
                "conserved": body["conserved"],
                "error_rate": "a convention, not a measurement: no error rate can be given; see methods_side_by_side",
                "parameters": dict(body["parameters"]),
                "chain": {name: body[name] for name in ("network", "tip_height", "tip_hash", "chain_digest")},
                "methods_side_by_side": [
                    {name: side[name] for name in ("method", "rule", "source", "conserved") if name in side}
                    for side in body.get("methods") or []
                ],
            }
        )
        if body["parameters"].get("clustering"):
            found.append(
                {"trace": body["digest"], "rule": "clusters", **_cluster_rates(body["parameters"]["clustering"])}
            )
        if any(end["tags"] for end in body["ends"]):
            sources = sorted(
                {source["source"] for end in body["ends"] for tag in end["tags"] for source in tag["sources"]}
            )
            found.append({"trace": body["digest"], "rule": "tags", "sources": sources, "error_rate": NONE_PUBLISHED})
    return found


def _cluster_rates(clustering: Mapping[str, Any]) -> dict[str, Any]:
    """What was published of the rules of a clustering."""
    given = clustering["parameters"]
    rates: dict[str, Any] = {
        "co_spend": [none_published("multi-input heuristic, as used since Nakamoto (2008), section 10").as_json()]
    }
    for name in re.findall(r"[a-z_]+", given.get("change") or ""):
        if name in PREDICATES:
            rates[f"change: {name}"] = [rate.as_json() for rate in PREDICATES[name].published.rates()]
    return {"clustering": {"digest": clustering["digest"], "parameters": given}, "error_rates": rates}


def _alternatives(
    bodies: Sequence[Mapping[str, Any]], claims: Sequence[Claim], requests: Sequence[Request]
) -> list[str]:
    found: list[str] = []
    for body in bodies:
        found += [
            f"Gap: transaction {gap['txid']} is not in the data; {gap['amount']} satoshi lie behind it ({gap['source']})."
            for gap in body["gaps"]
        ]
        if body["unknown_amount"]:
            found.append(
                f"Of {body['unknown_amount']} satoshi the data cannot tell where they are: unknown is never held."
            )
        found += [str(note) for note in body["notes"]]
        for end in body["ends"]:
            found += [f"Contradiction on {end['address']}: {text}" for text in end["contradictions"]]
    for claim in claims:
        found += [str(text) for text in claim.statement.get("alternatives", ())]
    for request in requests:
        found += list(request.alternatives)
    return list(dict.fromkeys(found))
