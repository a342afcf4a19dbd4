"""`shieldwall case`: what happened, what is known, and what proves it, on a node."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from shieldwall.cli.casework import Seat, again, as_person, case_id, working
from shieldwall.cli.options import chosen_format, emit_record, emit_rows, output_option
from shieldwall.cli.telling import tell
from shieldwall.errors import BadInput, PartialData, UsageError
from shieldwall.model.access import Handling
from shieldwall.model.claim import Layer, Subject
from shieldwall.model.marking import parse_marking, parse_pap
from shieldwall.model.moment import unix, utc

_SECOND = 1_000_000


@click.group()
def case() -> None:
    """Cases of a node: intake, timeline, findings, evidence with custody, traces, network, red flags."""


@case.command("list")
@click.option(
    "--find", metavar="WORDS", default="", help="Those with all these words in title, number, group or victim."
)
@as_person
@output_option
def list_command(find: str, output: str | None, seat: Seat) -> None:
    """List one's cases, the newest first."""
    with working(seat) as (at, identity), at.store.look(identity, "case.list") as work:
        found = work.cases.search(find, most=200) if find.strip() else work.cases.page(most=200)
        rows = [
            {
                "id": each.id,
                "number": each.number,
                "title": each.title,
                "status": each.status,
                "marking": each.handling.marking.label,
                "opened": utc(each.created_at // _SECOND),
            }
            for each in found
        ]
    emit_rows(rows, ("id", "number", "title", "status", "marking", "opened"), output)


@case.command("open")
@click.argument("title")
@click.option("--number", default="", help="The number that the agency gives it.")
@click.option("--member", "members", multiple=True, metavar="PERSON", help="A further member (again for more).")
@click.option("--marking", default="TLP:RED", show_default=True, help="Who may see it.")
@click.option("--pap", default="PAP:RED", show_default=True, help="What may be done with it.")
@click.option("--intake", type=click.Path(path_type=Path), metavar="FILE", help="An intake file; - for standard input.")
@as_person
@output_option
def open_(
    title: str,
    number: str,
    members: tuple[str, ...],
    marking: str,
    pap: str,
    intake: Path | None,
    output: str | None,
    seat: Seat,
) -> None:
    """Open a case, out of an intake file where there is one."""
    from shieldwall.cases.intake import read_intake  # noqa: PLC0415 - only this command needs them
    from shieldwall.node.casework.opening import CaseAsked, open_incident  # noqa: PLC0415

    with working(seat) as (at, identity):
        told = None if intake is None else read_intake(_bytes(intake), str(intake))
        with at.store.inside(identity) as work:
            people = list(work.people.called(members).values())
        asked = CaseAsked(title=title, number=number, marking=parse_marking(marking), pap=parse_pap(pap), people=people)
        made = open_incident(at, identity, "case.add", told, asked)
    emit_record({"id": made.id, "title": made.title, "number": made.number}, output)


@case.command("intake-form")
@click.option("--language", default="en", show_default=True, help="en, fr, ar or ja.")
def intake_form(language: str) -> None:
    """Print the intake as one page that works without a network, to be given to a victim."""
    from shieldwall.cases.intake import intake_page  # noqa: PLC0415 - only this command needs them
    from shieldwall.cases.languages import LETTERS, letter_words  # noqa: PLC0415

    if language not in LETTERS:
        raise UsageError(f"there is no form in {language!r}", hint=f"use one of {', '.join(LETTERS)}")
    click.echo(intake_page(letter_words(language)))


@case.command()
@click.argument("word", metavar="CASE")
@click.option("--as-of", metavar="TIME", default="", help="As it was known then (UTC).")
@click.option("--height", type=click.IntRange(0), help="As the world stood at the block at this height.")
@click.option("--network", default="", help="Of the height; the first chain by default.")
@click.option("--kind", default="", help="Entries of this kind only, such as transfer or request.")
@as_person
@output_option
def show(
    word: str,
    as_of: str,
    height: int | None,
    network: str,
    kind: str,
    output: str | None,
    seat: Seat,
) -> None:
    """Show a case: its timeline as a table; with -o json also findings, evidence, requests and what is due."""
    from shieldwall.cases.event import moment_of  # noqa: PLC0415 - only this command needs them
    from shieldwall.node.casework import looking  # noqa: PLC0415

    with working(seat) as (at, identity):
        found = case_id(at, identity, word)
        when = looking.as_of(
            at, time=unix(moment_of(as_of, "--as-of")) if as_of else None, height=height, network=network
        )
        view = looking.look_at_case(
            at, identity, "case.show", found, at=when, kinds=[kind] if kind else (), most=10_000
        )
    rows = [
        {
            "happened": utc(each.happened_at // _SECOND),
            "known": utc(each.recorded_at // _SECOND),
            "kind": each.kind,
            "told": each.body.get("text") or each.body.get("txid") or each.body.get("told") or "",
            "body": dict(each.body),
        }
        for each in view.entries
    ]
    if chosen_format(output) != "json":
        emit_rows(rows, ("happened", "known", "kind", "told"), output)
        return
    record = {
        "case": {"id": view.case.id, "title": view.case.title, "number": view.case.number, "status": view.case.status},
        "members": sorted(view.names.values()),
        "incident": dict(view.incident),
        "deadlines": [
            {"clock": each.clock.name, "due": each.due, "verified": each.clock.verified} for each in view.deadlines
        ],
        "findings": {layer.value: [kept.claim.as_dict() for kept in some] for layer, some in view.findings.items()},
        "evidence": [
            {"number": each.evidence.number, "name": each.file.name, "sha256": each.file.sha256}
            for each in view.evidence
        ],
        "requests": [
            {"id": each.row.id, "number": each.row.number, "kind": each.row.kind, "state": each.track.state.value}
            for each in view.requests
        ],
        "timeline": rows,
    }
    emit_record(record, output)


@case.command()
@click.argument("word", metavar="CASE")
@click.argument("text")
@click.option("--layer", type=click.Choice([each.value for each in Layer]), default="observation", show_default=True)
@click.option("--basis", default="", help="By which rule, or whose word.")
@click.option("--likelihood", default="", help="A word of ICD 203, such as likely.")
@click.option("--confidence", default="", help="low, moderate or high.")
@click.option("--alternative", "alternatives", multiple=True, help="Another explanation (again for more).")
@as_person
@output_option
def finding(
    word: str,
    text: str,
    layer: str,
    basis: str,
    likelihood: str,
    confidence: str,
    alternatives: tuple[str, ...],
    output: str | None,
    seat: Seat,
) -> None:
    """Say what was found in CASE; a sentence that mixes likelihood and confidence is refused."""
    from shieldwall.cases.finding import Finding  # noqa: PLC0415 - only this command needs them
    from shieldwall.cases.wording import Confidence, Likelihood  # noqa: PLC0415
    from shieldwall.node.casework import saying  # noqa: PLC0415

    said = Finding(
        layer=Layer(layer),
        text=text,
        basis=basis,
        likelihood=Likelihood.of(likelihood) if likelihood else None,
        confidence=Confidence.of(confidence) if confidence else None,
        alternatives=alternatives,
    )
    with working(seat) as (at, identity):
        kept = saying.add_finding(at, identity, "case.finding", case_id(at, identity, word), said)
    emit_record({"claim": kept.id, "sentence": said.sentence}, output)


@case.command()
@click.argument("word", metavar="CASE")
@click.argument("when")
@click.argument("text")
@as_person
def event(word: str, when: str, text: str, seat: Seat) -> None:
    """Say what happened in CASE at WHEN (UTC)."""
    from shieldwall.node.casework import saying  # noqa: PLC0415 - only this command needs it

    with working(seat) as (at, identity):
        saying.add_event(at, identity, "case.event", case_id(at, identity, word), text, when)


@case.command()
@click.argument("word", metavar="CASE")
@click.argument("source", metavar="TYPE:NAME")
@click.argument("relation")
@click.argument("target", metavar="TYPE:NAME")
@click.option("--layer", type=click.Choice([each.value for each in Layer]), default="inference", show_default=True)
@click.option("--basis", default="", help="Whence it is known.")
@as_person
def relate(word: str, source: str, relation: str, target: str, layer: str, basis: str, seat: Seat) -> None:
    """Say in CASE that two things belong together, as in: group:DarkSide uses malware:DarkSide."""
    from shieldwall.node.casework import saying  # noqa: PLC0415 - only this command needs them
    from shieldwall.node.casework.opening import addresses_in  # noqa: PLC0415

    with working(seat) as (at, identity):
        things = []
        for thing in (source, target):
            kind, _, name = thing.partition(":")
            known = addresses_in(at, name) if kind == "address" else []
            if kind == "address" and not known:
                raise BadInput(f"{name!r} is no address of a chain that this node has")
            things.append(known[0] if known else Subject(kind, "", name))
        saying.add_relation(
            at,
            identity,
            "case.relation",
            case_id(at, identity, word),
            things[0],
            relation,
            things[1],
            layer=Layer(layer),
            basis=basis,
        )


@case.command()
@click.argument("word", metavar="CASE")
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option("--method", default="fifo", show_default=True, help="poison, haircut, fifo, lifo, tiho, or all.")
@click.option("--backward", is_flag=True, help="Where the money came from, instead of where it went.")
@as_person
@output_option
def trace(word: str, targets: tuple[str, ...], method: str, backward: bool, output: str | None, seat: Seat) -> None:
    """Follow the money of CASE from TARGETs, or from the addresses of its intake; the trace is kept in the case."""
    from shieldwall.node.casework.opening import addresses_in, incident_of  # noqa: PLC0415 - only this command needs them
    from shieldwall.store.jobs import State  # noqa: PLC0415
    from shieldwall.store.work import new_id  # noqa: PLC0415

    with working(seat) as (at, identity):
        found = case_id(at, identity, word)
        with at.store.look(identity, "case.show", case=found) as work:
            kept = work.cases.get(found)
            told, _ = incident_of(work, found)
        words = list(targets) or [subject.name for subject in addresses_in(at, told.get("addresses", ""))]
        if not words:
            raise PartialData("the intake names no address", hint="say where to start")
        params = {"targets": words, "method": method, "direction": "backward" if backward else "forward"}
        handling = Handling(marking=kept.handling.marking, pap=kept.handling.pap, owner=identity.person, case=found)
        job, _ = at.runner.add(identity, "trace", params, new_id(), handling)
        while True:
            with at.store.inside(identity) as work:
                job = work.jobs.get(job.id)
            if job.ended or not at.runner.run_one():
                break
    outcome = dict(job.outcome or {})
    if job.state is not State.DONE:
        raise PartialData(
            str(outcome.get("message", "the trace did not end")), hint="look at the job on the node's pages"
        )
    emit_record({"file": outcome["file"], "digest": outcome["digest"], "sentence": outcome["sentence"]}, output)


@case.command()
@click.argument("word", metavar="CASE")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--method", required=True, help="How it was acquired.")
@click.option("--source", required=True, help="Where it is from.")
@click.option("--acquired", default="", metavar="TIME", help="When (UTC); now by default.")
@click.option("--working", "is_working", is_flag=True, help="A working copy, no original.")
@click.option("--why", default="evidence of the case", show_default=True, help="What for.")
@as_person
@output_option
def evidence(
    word: str,
    file: Path,
    method: str,
    source: str,
    acquired: str,
    is_working: bool,
    why: str,
    output: str | None,
    seat: Seat,
) -> None:
    """Take FILE into evidence in CASE; its custody log begins."""
    from shieldwall.cases.custody import Copy  # noqa: PLC0415 - only this command needs them
    from shieldwall.node.casework import holding  # noqa: PLC0415

    how = holding.Acquired(
        method=method,
        source=source,
        acquired_at=acquired,
        copy=Copy.WORKING if is_working else Copy.ORIGINAL,
        why=why,
    )
    raw = _bytes(file)
    with working(seat) as (at, identity):
        held = holding.acquire(
            at, identity, "evidence.add", case_id(at, identity, word), file.name, "application/octet-stream", raw, how
        )
    emit_record({"id": held.evidence.id, "number": held.evidence.number, "sha256": held.file.sha256}, output)


@case.command()
@click.argument("evidence_id", metavar="EVIDENCE")
@click.option(
    "--deed", default="", help="What was done: copied, examined, moved, handed over, verified, returned, destroyed."
)
@click.option("--why", default="", help="What for.")
@as_person
@output_option
def custody(evidence_id: str, deed: str, why: str, output: str | None, seat: Seat) -> None:
    """Show the custody log of a piece of evidence by its id; with --deed and --why add to it first."""
    from shieldwall.node.casework import holding  # noqa: PLC0415 - only this command needs it

    with working(seat) as (at, identity):
        if deed:
            holding.log_deed(at, identity, "evidence.custody", evidence_id, deed, why)
        with at.store.look(identity, "evidence.show", evidence=evidence_id) as work:
            rows = [entry.as_dict() for entry in holding.held(work, evidence_id).log]
    emit_rows(rows, ("number", "at", "who", "deed", "why", "sha256", "digest"), output)


@case.command()
@click.argument("words", nargs=-1, required=True, metavar="CASE...")
@as_person
@output_option
def network(words: tuple[str, ...], output: str | None, seat: Seat) -> None:
    """Group, people, malware, infrastructure, wallets and victims of one or several cases, a row for each relation."""
    from shieldwall.cases.network import rows_of  # noqa: PLC0415 - only this command needs them
    from shieldwall.node.casework import looking  # noqa: PLC0415

    with working(seat) as (at, identity):
        found, titles = looking.network_in(
            at, identity, "case.network", [case_id(at, identity, word) for word in words]
        )
    rows = [
        {
            **row,
            "source": f"{row['source'].type}:{row['source'].name}",
            "target": f"{row['target'].type}:{row['target'].name}",
            "cases": [title for _, title in row["cases"]],
        }
        for row in rows_of(found, titles)
    ]
    emit_rows(rows, ("source", "relation", "target", "layer", "said_by", "cases"), output)


@case.command()
@click.argument("word", metavar="CASE")
@as_person
@output_option
def flags(word: str, output: str | None, seat: Seat) -> None:
    """The red flags of FATF that the traces of CASE can answer: seen, not seen, or cannot be told."""
    from shieldwall.node.casework import looking  # noqa: PLC0415 - only this command needs it

    with working(seat) as (at, identity):
        found = looking.flags_in(at, identity, "case.flags", case_id(at, identity, word))
    rows = [
        {"family": each.family, "question": each.question, "answer": each.answer, "found": list(each.found)}
        for each in found
    ]
    emit_rows(rows, ("family", "question", "answer", "found"), output)


@case.command("take-back")
@click.argument("claim_id", metavar="CLAIM")
@click.argument("reason")
@as_person
def take_back(claim_id: str, reason: str, seat: Seat) -> None:
    """Take a claim back; whoever it was sent to is to be told."""
    from shieldwall.node.casework import saying  # noqa: PLC0415 - only this command needs it

    with working(seat) as (at, identity):
        _, ways = saying.take_back(at, identity, "claim.retract", claim_id, reason)
    tell(f"taken back; {ways} to be told of it: the desk and the case list them")


@case.command()
@click.argument("word", metavar="CASE")
@as_person
def close(word: str, seat: Seat) -> None:
    """Close CASE: nothing more is put into it."""
    with working(seat) as (at, identity):
        found = case_id(at, identity, word)
        with at.store.act(again(at, identity), "case.change", case=found) as work:
            work.cases.close(found, work.cases.get(found).version)


@case.command()
@click.argument("word", metavar="CASE")
@as_person
def reopen(word: str, seat: Seat) -> None:
    """Open CASE again."""
    with working(seat) as (at, identity):
        found = case_id(at, identity, word)
        with at.store.act(again(at, identity), "case.change", case=found) as work:
            work.cases.change(found, work.cases.get(found).version, status="open")


@case.command()
@click.argument("word", metavar="CASE")
@click.option("--title", default="", help="A new title.")
@click.option("--number", default="", help="What the agency calls it.")
@click.option(
    "--member", "members", multiple=True, metavar="PERSON", help="All members, one's self among them (again for more)."
)
@click.option("--silent/--not-silent", default=None, help="Whether other teams are never told that they meet it.")
@as_person
def change(word: str, title: str, number: str, members: tuple[str, ...], silent: bool | None, seat: Seat) -> None:
    """Change title, number or members of CASE."""
    with working(seat) as (at, identity):
        found = case_id(at, identity, word)
        with at.store.act(again(at, identity), "case.change", case=found) as work:
            kept = work.cases.get(found)
            version = kept.version
            if members:
                people = set(work.people.called(members).values())
                version = work.cases.set_members(found, version, people=people, groups=kept.groups).version
            work.cases.change(found, version, title=title or None, number=number or None, silent=silent)


@case.command()
@click.argument("word", metavar="CASE")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@as_person
def incident(word: str, file: Path, seat: Seat) -> None:
    """Tell the incident of CASE anew, out of an intake FILE; what was told before stays readable."""
    from shieldwall.cases.intake import read_intake  # noqa: PLC0415 - only this command needs them
    from shieldwall.node.casework.opening import change_incident  # noqa: PLC0415

    raw = _bytes(file)
    told = read_intake(raw, str(file))
    with working(seat) as (at, identity):
        found = case_id(at, identity, word)
        change_incident(at, again(at, identity), "case.incident-change", found, told, file=raw)


@case.command("put-trace")
@click.argument("word", metavar="CASE")
@click.argument("file_id", metavar="TRACE")
@as_person
def put_trace_command(word: str, file_id: str, seat: Seat) -> None:
    """Put a trace of one's own into CASE, by the id of its file."""
    from shieldwall.node.casework.tracing import put_trace  # noqa: PLC0415 - only this command needs it

    with working(seat) as (at, identity):
        found = case_id(at, identity, word)
        put_trace(at, again(at, identity), "case.trace", found, file_id)


@case.command("to-tell")
@click.option("--told", "ways", multiple=True, metavar="WAY", help="Note that whoever stands at its end was told.")
@as_person
@output_option
def to_tell(ways: tuple[str, ...], output: str | None, seat: Seat) -> None:
    """Who has something that was taken back, and was not told so."""
    with working(seat) as (at, identity):
        for way in ways:
            with at.store.act(identity, "travel.told") as work:
                work.travels.told(way)
        with at.store.look(identity, "travel.list") as work:
            waiting = work.travels.to_tell(most=500)
    rows = [
        {
            "way": each.id,
            "to": each.to,
            "by": each.by,
            "carrier": each.carrier,
            "what": each.what,
            "case": each.handling.case,
        }
        for each in waiting
    ]
    emit_rows(rows, ("way", "to", "by", "carrier", "what", "case"), output)


def _bytes(path: Path) -> bytes:
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
