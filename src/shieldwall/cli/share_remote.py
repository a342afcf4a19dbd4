"""`shieldwall share`: pull from other servers, subscribe to them, and push to them."""

from __future__ import annotations

import base64
import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shieldwall.cli.casework import Seat, as_person, case_id, working
from shieldwall.cli.options import emit_record, emit_rows, output_option
from shieldwall.cli.telling import tell
from shieldwall.errors import UsageError
from shieldwall.model.marking import parse_marking, parse_pap
from shieldwall.model.moment import utc

if TYPE_CHECKING:
    from shieldwall.node.sharing.pulling import Remote
    from shieldwall.store.sources import Source


_MOST = 10_000  # rows of a list


def _remote_options(function: Callable[..., None]) -> Callable[..., None]:
    """How to come in at another server; the command gets them as one `remote`."""

    @functools.wraps(function)
    def with_remote(
        url: str,
        user: str,
        password_file: Path | None,
        token_file: Path | None,
        ca: Path | None,
        misp: bool,
        allow_private: bool,
        **given: object,
    ) -> None:
        from shieldwall.node.sharing.pulling import MISP, TAXII, Remote  # noqa: PLC0415 - only here

        if bool(user) != bool(password_file) or (user and token_file):
            raise UsageError("give --user with --password-file, or --token-file alone")
        header = f"{'' if misp else 'Bearer '}{read_secret(token_file)}" if token_file else ""
        if password_file:
            header = "Basic " + base64.b64encode(f"{user}:{read_secret(password_file)}".encode()).decode()
        authorities = read_secret(ca) if ca else ""
        remote = Remote(
            url=url,
            authorization=header,
            allow_private=allow_private,
            authorities=authorities,
            kind=MISP if misp else TAXII,
        )
        function(remote=remote.is_one(), **given)

    for option in reversed(
        (
            click.argument("url"),
            click.option("--user", default="", help="For Basic; with --password-file."),
            click.option("--password-file", type=click.Path(path_type=Path), help="File that holds the password."),
            click.option("--token-file", type=click.Path(path_type=Path), help="File that holds a bearer token."),
            click.option("--ca", type=click.Path(path_type=Path), help="Authorities to trust, PEM; else the system's."),
            click.option("--misp", is_flag=True, help="URL is that of a MISP; the token file has its API key."),
            click.option("--allow-private", is_flag=True, help="The host is inside: a private or loopback address."),
        )
    ):
        with_remote = option(with_remote)
    return with_remote


@click.command()
@_remote_options
@click.option("--tlp", default="TLP:RED", show_default=True, help="Marking of what carries none.")
@click.option("--pap", default="PAP:RED", show_default=True, help="PAP of what carries none.")
@click.option("--again", is_flag=True, help="From the beginning, not from where it was left.")
@as_person
@output_option
def pull(remote: Remote, tlp: str, pap: str, again: bool, seat: Seat, output: str | None) -> None:
    """Take in what is new in the TAXII 2.1 collection (or MISP) at URL, from where the last pull ended.

    The name is resolved once and its addresses are checked; no redirect is followed. The exit code is 3 where the server ended it
    before its end; what came until then is kept, and the next pull goes on there.
    """
    from shieldwall.node.sharing.intake import IntakeRules  # noqa: PLC0415 - only here
    from shieldwall.node.sharing.pulling import pull as pull_now  # noqa: PLC0415 - only here

    with working(seat) as (node, identity):
        rules = IntakeRules(marking=parse_marking(tlp), pap=parse_pap(pap))
        found = pull_now(node, identity, "share.pull", remote, rules, again=again)
    emit_record(dataclasses.asdict(found), output)
    if found.problem:
        tell(f"ended early: {found.problem}")
        raise click.exceptions.Exit(3)


@click.command()
@_remote_options
@click.option("--every", type=click.IntRange(1), default=15, show_default=True, metavar="MINUTES", help="Time between.")
@click.option("--tlp", default="TLP:RED", show_default=True, help="Marking of what carries none.")
@click.option("--pap", default="PAP:RED", show_default=True, help="PAP of what carries none.")
@click.option("--case", "case_word", metavar="CASE", help="Case that it goes into.")
@as_person
@output_option
def subscribe(
    remote: Remote, every: int, tlp: str, pap: str, case_word: str | None, seat: Seat, output: str | None
) -> None:
    """Let the node pull the TAXII 2.1 collection (or MISP) at URL by itself, while it is served; say it again to change it.

    The token or password is kept in the node, sealed. How it goes stands in `share sources`.
    """
    from shieldwall.node.sharing.intake import IntakeRules  # noqa: PLC0415 - only here
    from shieldwall.node.sharing.pulling import subscribe as subscribe_now  # noqa: PLC0415 - only here

    with working(seat) as (node, identity):
        mine = case_id(node, identity, case_word) if case_word else None
        rules = IntakeRules(marking=parse_marking(tlp), pap=parse_pap(pap), case=mine)
        made = subscribe_now(node, identity, "share.subscribe", remote, rules, every=every * 60)
    emit_record(_source_row(made), output)


@click.command()
@as_person
@output_option
def sources(seat: Seat, output: str | None) -> None:
    """List what is pulled from elsewhere, how far it was read, and how that goes."""
    with working(seat) as (node, identity), node.store.look(identity, "source.list") as work:
        rows = [_source_row(each) for each in work.sources.all()]
    emit_rows(rows, ("id", "url", "every", "tried", "good", "reached", "objects", "problem", "ended"), output)


@click.command()
@click.argument("source_id", metavar="SOURCE")
@as_person
def unsubscribe(source_id: str, seat: Seat) -> None:
    """Pull SOURCE (its id) no more; what came from it stays."""
    with working(seat) as (node, identity), node.store.act(identity, "share.unsubscribe") as work:
        work.sources.end(source_id)
    tell("it is pulled no more")


@click.command()
@_remote_options
@click.argument("stix_ids", nargs=-1, required=True, metavar="ID...")
@click.option("--reason", required=True, help="Why this is sent.")
@as_person
@output_option
def push(remote: Remote, stix_ids: tuple[str, ...], reason: str, seat: Seat, output: str | None) -> None:
    """Add objects to the TAXII 2.1 collection at URL, as somebody who may approve: they leave this node.

    What is above TLP:AMBER, may be told to nobody, or names an object of this node that does not go along is refused.
    """
    from shieldwall.node.sharing.pulling import MISP  # noqa: PLC0415 - only here
    from shieldwall.node.sharing.releasing import push as push_now  # noqa: PLC0415 - only here

    if remote.kind == MISP:
        raise UsageError("a MISP is pushed to as a partner", hint="shieldwall share export PARTNER --to-misp URL")

    with working(seat) as (node, identity):
        status = push_now(node, identity, "share.push", remote, stix_ids, reason)
    names = ("status", "total_count", "success_count", "failure_count", "pending_count")
    emit_record({name: status.get(name, "") for name in names}, output)
    if status.get("failure_count"):
        raise click.exceptions.Exit(1)


def _source_row(source: Source) -> dict[str, Any]:
    times = (source.tried_at, source.good_at, source.ended_at)
    tried, good, ended = ("" if at is None else utc(at // 1_000_000) for at in times)
    return {
        "id": source.id,
        "url": source.target["url"],
        "every": f"{source.every // 60} min" if source.every else "by hand",
        "tried": tried,
        "good": good,
        "reached": source.state.get("reached", ""),
        "objects": source.state.get("objects", 0),
        "problem": source.state.get("problem", ""),
        "ended": ended,
    }


def read_secret(path: Path) -> str:
    """What a file holds, without space around it.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: cannot be read ({type(error).__name__})", hint="check the path of the file"
        ) from None
