"""`shieldwall request`: what is asked of whom, and what became of it. Approving is for a person with a passkey, on the pages."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shieldwall.cli.casework import Seat, as_person, case_id, working
from shieldwall.cli.options import emit_record, emit_rows, output_option
from shieldwall.cli.telling import tell
from shieldwall.errors import BadText, UsageError
from shieldwall.model.amount import btc, satoshi
from shieldwall.model.moment import utc

if TYPE_CHECKING:
    from shieldwall.node.casework.asking import Asked

_KINDS = ("preserve", "freeze", "disclose", "inform", "take-down")


@click.group()
def request() -> None:
    """Requests to preserve, freeze, disclose, inform or take down. A second person approves each, on the node's pages."""


@request.command("list")
@click.option("--state", default="", help="Only these, such as sent or answered.")
@as_person
@output_option
def list_command(state: str, output: str | None, seat: Seat) -> None:
    """List requests, the newest first."""
    with working(seat) as (at, identity), at.store.look(identity, "request.list") as work:
        rows = [
            {
                "id": row.id,
                "kind": row.kind,
                "state": row.state,
                "to": row.body["recipient"]["legal_entity"] or row.body["recipient"]["name"],
                "due": utc(row.due_at // 1_000_000) if row.due_at else "",
                "created": utc(row.created_at // 1_000_000),
            }
            for row in work.requests.page(most=500, states=[state] if state else ())
        ]
    emit_rows(rows, ("id", "kind", "state", "to", "due", "created"), output)


@request.command()
@click.argument("word", metavar="CASE")
@click.option("--kind", type=click.Choice(_KINDS), default="freeze", show_default=True, help="What is asked.")
@click.option("--trace", default="", metavar="FILE", help="Id of a trace of the case; its newest one by default.")
@click.option("--rank", type=click.IntRange(1), default=1, show_default=True, help="Which of its ends.")
@click.option(
    "--to", "recipient", default="", help="A profile or entry of the directory; else whoever can freeze it there."
)
@click.option("--legal", default="", help="A legal profile, such as budapest-29.")
@click.option("--content", type=click.Path(path_type=Path), metavar="FILE", help="The whole request as JSON.")
@as_person
@output_option
def draft(
    word: str,
    kind: str,
    trace: str,
    rank: int,
    recipient: str,
    legal: str,
    content: Path | None,
    output: str | None,
    seat: Seat,
) -> None:
    """Begin a request in CASE, filled in with what the case knows."""
    from shieldwall.cases.request import Request, RequestKind  # noqa: PLC0415 - only this command needs them
    from shieldwall.node.casework import asking  # noqa: PLC0415
    from shieldwall.node.casework.filling import Filling, fill  # noqa: PLC0415

    with working(seat) as (at, identity):
        found = case_id(at, identity, word)
        if content is not None:
            given = Request.from_dict(_json(content), str(content))
        else:
            with at.store.look(identity, "case.show", case=found) as work:
                newest = work.files.page(most=1, case=found, kind="trace")
            trace = trace or (newest[0].id if newest else "")
            wanted = Filling(kind=RequestKind(kind), trace=trace, rank=rank, recipient=recipient, legal=legal)
            given = fill(at, identity, "request.fill", found, wanted)
        asked = asking.draft(at, identity, "request.draft", found, given)
    _show(asked, output)


@request.command()
@click.argument("request_id", metavar="REQUEST")
@as_person
@output_option
def show(request_id: str, output: str | None, seat: Seat) -> None:
    """Show a request: what it lacks, where it stands, what is due."""
    from shieldwall.node.casework import asking  # noqa: PLC0415 - only this command needs it

    with working(seat) as (at, identity):
        asked = asking.look(at, identity, "request.show", request_id)
    _show(asked, output)


@request.command()
@click.argument("request_id", metavar="REQUEST")
@click.argument("settings", nargs=-1, required=True, metavar="FIELD=TEXT...")
@as_person
@output_option
def edit(request_id: str, settings: tuple[str, ...], output: str | None, seat: Seat) -> None:
    """Fill in fields of a draft, as in: offence="Extortion" sender.badge=EX-1102."""
    from shieldwall.cases.request import Request  # noqa: PLC0415 - only this command needs them
    from shieldwall.node.casework import asking  # noqa: PLC0415

    with working(seat) as (at, identity):
        before = asking.look(at, identity, "request.show", request_id)
        body = before.request.as_dict()
        for setting in settings:
            name, equals, text = setting.partition("=")
            first, _, second = name.partition(".")
            place = body.get(first) if second else body
            if not equals or not isinstance(place, dict) or not isinstance(place.get(second or first, ""), str):
                raise UsageError(
                    f"{setting[:60]!r} sets no text of a request", hint="as in offence=Extortion or sender.badge=7"
                )
            place[second or first] = text
        asked = asking.edit(
            at, identity, "request.edit", request_id, before.row.version, Request.from_dict(body, "the request")
        )
    _show(asked, output)


@request.command()
@click.argument("request_id", metavar="REQUEST")
@as_person
@output_option
def submit(request_id: str, output: str | None, seat: Seat) -> None:
    """Ask a second person to approve a request; they do so on the node's pages, with their passkey."""
    from shieldwall.node.casework import asking  # noqa: PLC0415 - only this command needs it

    with working(seat) as (at, identity):
        before = asking.look(at, identity, "request.show", request_id)
        asked = asking.submit(at, identity, "request.deed", request_id, before.row.version)
        tell(f"another person of the case approves it at {at.config.origin}/requests/{request_id}")
    _show(asked, output)


@request.command()
@click.argument("request_id", metavar="REQUEST")
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@as_person
@output_option
def send(request_id: str, directory: Path, output: str | None, seat: Seat) -> None:
    """Make the letters of an approved request, and write them to DIR; what went out before is written again.

    The program sends nothing: give the files to the recipient by their channel.
    """
    from shieldwall.cases.tracker import Deed  # noqa: PLC0415 - only this command needs them
    from shieldwall.node.casework import asking  # noqa: PLC0415

    with working(seat) as (at, identity):
        asked = asking.look(at, identity, "request.show", request_id)
        if not any(done.deed is Deed.SEND for done in asked.deeds):
            asked = asking.send(at, identity, "request.deed", request_id, asked.row.version)
        with at.store.look(identity, "file.export", request=request_id) as work:
            files = {name: work.files.read(each) for name, each in asked.files.items()}
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if (directory / name).exists() and (directory / name).read_bytes() != content:
            raise UsageError(f"{directory / name} is there already, and is another file", hint="give another directory")
    for name, content in sorted(files.items()):
        (directory / name).write_bytes(content)
        tell(f"wrote {directory / name}")
    _show(asked, output)


@request.command()
@click.argument("request_id", metavar="REQUEST")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@as_person
@output_option
def reply(request_id: str, file: Path, output: str | None, seat: Seat) -> None:
    """Take in the answer file that the recipient made with reply.html."""
    from shieldwall.node.casework import asking  # noqa: PLC0415 - only this command needs it

    raw = _bytes(file)
    with working(seat) as (at, identity):
        asked = asking.take_reply(at, identity, "request.reply", request_id, raw, str(file))
    _show(asked, output)


@request.command()
@click.argument("request_id", metavar="REQUEST")
@click.argument("deed", type=click.Choice(("acknowledge", "answer", "renew", "retract", "withdraw")))
@click.option("--outcome", default="", help="Of an answer: held, partly held, moved on, no account, refused, ...")
@click.option("--amount", default="", help="Of an answer: how much is held, in coins.")
@click.option("--until", default="", metavar="TIME", help="Until when it is held, or renewed (UTC).")
@click.option("--contact", default="", help="Whom we call there.")
@click.option("--reason", default="", help="Why it is taken back or withdrawn.")
@as_person
@output_option
def note(
    request_id: str,
    deed: str,
    outcome: str,
    amount: str,
    until: str,
    contact: str,
    reason: str,
    output: str | None,
    seat: Seat,
) -> None:
    """Note what a recipient did by another way, or renew, take back or withdraw a request."""
    from shieldwall.cases.tracker import Deed  # noqa: PLC0415 - only this command needs them
    from shieldwall.node.casework import asking  # noqa: PLC0415

    with working(seat) as (at, identity):
        before = asking.look(at, identity, "request.show", request_id)
        given = at, identity, "request.deed", request_id
        match deed:
            case "retract":
                asked = asking.retract(*given, before.row.version, reason)
            case "withdraw":
                asked = asking.withdraw(*given, before.row.version, reason)
            case "answer":
                fields = {
                    "outcome": outcome,
                    "until": until,
                    "contact": contact,
                    "amount": satoshi(amount) if amount else 0,
                }
                asked = asking.record(*given, Deed.ANSWER, fields)
            case _:
                asked = asking.record(*given, Deed(deed), {"contact": contact, "until": until})
    _show(asked, output)


@request.command()
@click.argument("request_id", metavar="REQUEST")
@click.option("--language", default="en", show_default=True, help="en, fr, ar or ja.")
@as_person
def letter(request_id: str, language: str, seat: Seat) -> None:
    """Print the letter as it would go out now, as HTML."""
    from shieldwall.cases.languages import letter_words  # noqa: PLC0415 - only this command needs them
    from shieldwall.cases.letter import as_html  # noqa: PLC0415
    from shieldwall.node.casework import asking  # noqa: PLC0415

    with working(seat) as (at, identity):
        asked = asking.look(at, identity, "request.letter", request_id)
        made = asking.letter_of(at, asked, letter_words(language))
    click.echo(as_html(made))


def _show(asked: Asked, output: str | None) -> None:
    track = asked.track
    record = {
        "id": asked.row.id,
        "kind": asked.row.kind,
        "state": track.state.value,
        "to": asked.request.recipient.legal_entity or asked.request.recipient.name,
        "amount": f"{btc(asked.request.amount)} {asked.request.coin}".strip() if asked.request.assets else "",
        "missing": [lack.field for lack in asked.lacks],
        "due": [f"{each.what} {utc(each.at)}{' (over)' if each.over else ''}" for each in asked.due],
        "outcome": track.outcome.value if track.outcome else "",
        "held": btc(track.amount) if track.amount else "",
        "until": track.until,
        "version": asked.row.version,
        "digest": asked.request.digest,
    }
    emit_record(record, output)


def _bytes(path: Path) -> bytes:
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(_bytes(path)))
    except (ValueError, TypeError):
        raise BadText(f"{path}: no JSON object") from None
