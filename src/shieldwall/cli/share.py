"""`shieldwall share`: take STIX in, release it to partners, see beforehand what would go, and take it back."""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shieldwall.cli.casework import Seat, as_person, case_id, working
from shieldwall.cli.options import emit_record, emit_rows, output_option
from shieldwall.cli.peer import group_named, partner_named
from shieldwall.cli.telling import tell
from shieldwall.errors import NotFound, UsageError
from shieldwall.model.marking import parse_marking, parse_pap
from shieldwall.model.moment import utc
from shieldwall.sharing.stix.object import id_of

if TYPE_CHECKING:
    from shieldwall.node.sharing.pulling import Remote
    from shieldwall.store.collections import Collection
    from shieldwall.store.sources import Source
    from shieldwall.store.stixobjects import KeptObject
    from shieldwall.store.work import Work

_MOST = 10_000  # rows of a list


@click.group()
def share() -> None:
    """STIX objects of a node: intake, release to partners, preview, withdrawal.

    Objects are kept byte for byte. Nothing goes to anybody before somebody who may approve releases it, with a reason, to a
    collection; partners fetch it by TAXII 2.1 (`[taxii]` in node.toml).
    """


@share.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--tlp", default="TLP:RED", show_default=True, help="Marking of what carries none.")
@click.option("--pap", default="PAP:RED", show_default=True, help="PAP of what carries none.")
@click.option("--case", "case_word", metavar="CASE", help="Case that it belongs to.")
@as_person
@output_option
def import_command(
    files: tuple[str, ...], tlp: str, pap: str, case_word: str | None, seat: Seat, output: str | None
) -> None:
    """Take in STIX 2.1 or 2.0: bundles, TAXII envelopes, lists, single objects. `-` is standard input.

    Each FILE goes in as a whole or not at all. What a file's markings say holds; an object without one gets --tlp and --pap. The
    exit code is 1 where an object could not be read or contradicts one that is there.
    """
    from shieldwall.node.sharing.intake import IntakeRules, take_bundle  # noqa: PLC0415 - only here

    rows, clean = [], True
    with working(seat) as (node, identity):
        case = case_id(node, identity, case_word) if case_word else None
        rules = IntakeRules(marking=parse_marking(tlp), pap=parse_pap(pap), case=case)
        for name in files:
            if name == "-":
                found = take_bundle(node, identity, "share.import", sys.stdin.buffer, "standard input", rules)
            else:
                try:
                    with Path(name).open("rb") as file:
                        found = take_bundle(node, identity, "share.import", file, name, rules)
                except OSError as error:
                    raise UsageError(f"{name}: {error.strerror or error}", hint="check the path of the file") from None
            clean = clean and not found.refusals and not found.conflicting
            for each in found.refused:
                tell(each.reason)
            for stix_id in found.conflicts:
                tell(f"{name}: {stix_id}: another content of the same version is kept beside the first")
            if found.unknown:
                tell(
                    f"{name}: markings that are not understood make their objects TLP:RED: {', '.join(list(found.unknown)[:5])}"
                )
            rows.append(
                {
                    "file": name,
                    "objects": found.objects,
                    "added": found.added,
                    "known": found.known,
                    "conflicts": found.conflicting,
                    "refused": found.refusals,
                    "unmarked": found.unmarked,
                    "claims": found.claims,
                }
            )
    emit_rows(rows, ("file", "objects", "added", "known", "conflicts", "refused", "unmarked", "claims"), output)
    if not clean:
        raise click.exceptions.Exit(1)


def _remote_options(function: Callable[..., None]) -> Callable[..., None]:
    """How to come in at another server; the command gets them as one `remote`."""

    @functools.wraps(function)
    def with_remote(
        url: str,
        user: str,
        password_file: Path | None,
        token_file: Path | None,
        ca: Path | None,
        allow_private: bool,
        **given: object,
    ) -> None:
        from shieldwall.node.sharing.pulling import Remote  # noqa: PLC0415 - only here

        if bool(user) != bool(password_file) or (user and token_file):
            raise UsageError("give --user with --password-file, or --token-file alone")
        header = f"Bearer {_secret(token_file)}" if token_file else ""
        if password_file:
            header = "Basic " + base64.b64encode(f"{user}:{_secret(password_file)}".encode()).decode()
        authorities = _secret(ca) if ca else ""
        remote = Remote(url=url, authorization=header, allow_private=allow_private, authorities=authorities)
        function(remote=remote.is_one(), **given)

    for option in reversed(
        (
            click.argument("url"),
            click.option("--user", default="", help="For Basic; with --password-file."),
            click.option("--password-file", type=click.Path(path_type=Path), help="File that holds the password."),
            click.option("--token-file", type=click.Path(path_type=Path), help="File that holds a bearer token."),
            click.option("--ca", type=click.Path(path_type=Path), help="Authorities to trust, PEM; else the system's."),
            click.option("--allow-private", is_flag=True, help="The host is inside: a private or loopback address."),
        )
    ):
        with_remote = option(with_remote)
    return with_remote


@share.command()
@_remote_options
@click.option("--tlp", default="TLP:RED", show_default=True, help="Marking of what carries none.")
@click.option("--pap", default="PAP:RED", show_default=True, help="PAP of what carries none.")
@click.option("--again", is_flag=True, help="From the beginning, not from where it was left.")
@as_person
@output_option
def pull(remote: Remote, tlp: str, pap: str, again: bool, seat: Seat, output: str | None) -> None:
    """Take in what is new in the TAXII 2.1 collection at URL, from where the last pull ended.

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


@share.command()
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
    """Let the node pull the TAXII 2.1 collection at URL by itself, while it is served; say it again to change how.

    The token or password is kept in the node, sealed. How it goes stands in `share sources`.
    """
    from shieldwall.node.sharing.intake import IntakeRules  # noqa: PLC0415 - only here
    from shieldwall.node.sharing.pulling import subscribe as subscribe_now  # noqa: PLC0415 - only here

    with working(seat) as (node, identity):
        case = case_id(node, identity, case_word) if case_word else None
        rules = IntakeRules(marking=parse_marking(tlp), pap=parse_pap(pap), case=case)
        made = subscribe_now(node, identity, "share.subscribe", remote, rules, every=every * 60)
    emit_record(_source_row(made), output)


@share.command()
@as_person
@output_option
def sources(seat: Seat, output: str | None) -> None:
    """List what is pulled from elsewhere, how far it was read, and how that goes."""
    with working(seat) as (node, identity), node.store.look(identity, "source.list") as work:
        rows = [_source_row(each) for each in work.sources.all()]
    emit_rows(rows, ("id", "url", "every", "tried", "good", "reached", "objects", "problem", "ended"), output)


@share.command()
@click.argument("source_id", metavar="SOURCE")
@as_person
def unsubscribe(source_id: str, seat: Seat) -> None:
    """Pull SOURCE (its id) no more; what came from it stays."""
    with working(seat) as (node, identity), node.store.act(identity, "share.unsubscribe") as work:
        work.sources.end(source_id)
    tell("it is pulled no more")


@share.command()
@_remote_options
@click.argument("stix_ids", nargs=-1, required=True, metavar="ID...")
@click.option("--reason", required=True, help="Why this is sent.")
@as_person
@output_option
def push(remote: Remote, stix_ids: tuple[str, ...], reason: str, seat: Seat, output: str | None) -> None:
    """Add objects to the TAXII 2.1 collection at URL, as somebody who may approve: they leave this node.

    What is above TLP:AMBER, may be told to nobody, or names an object of this node that does not go along is refused.
    """
    from shieldwall.node.sharing.releasing import push as push_now  # noqa: PLC0415 - only here

    with working(seat) as (node, identity):
        status = push_now(node, identity, "share.push", remote, stix_ids, reason)
    names = ("status", "total_count", "success_count", "failure_count", "pending_count")
    emit_record({name: status.get(name, "") for name in names}, output)
    if status.get("failure_count"):
        raise click.exceptions.Exit(1)


@share.command("case")
@click.argument("case_word", metavar="CASE")
@as_person
@output_option
def case_command(case_word: str, seat: Seat, output: str | None) -> None:
    """Make STIX of the claims of CASE (its id, or words that find it alone), for its members; nothing goes to anybody by this.

    Do it again when the case has changed: what was taken back meanwhile becomes a revoked version.
    """
    from shieldwall.node.sharing.exporting import make_stix  # noqa: PLC0415 - only here

    with working(seat) as (node, identity):
        made = make_stix(node, identity, "share.case", case_id(node, identity, case_word))
    emit_record({"claims": made.claims, "objects": len(made.ids), "added": made.added}, output)


@share.command("list")
@click.option("--type", "kind", default="", help="Only objects of this type.")
@click.option("--case", "case_word", metavar="CASE", help="Only objects of this case.")
@click.option("--conflicts", is_flag=True, help="Only those that contradict another one of the same version.")
@as_person
@output_option
def list_command(kind: str, case_word: str | None, conflicts: bool, seat: Seat, output: str | None) -> None:
    """List the STIX objects that PERSON may see, in the order in which they came."""
    with working(seat) as (node, identity):
        case = case_id(node, identity, case_word) if case_word else None
        with node.store.look(identity, "stix.list") as work:
            found = (
                work.stix.conflicts(most=_MOST) if conflicts else work.stix.page(most=_MOST + 1, kind=kind, case=case)
            )
    rows = [_row(each) for each in found[:_MOST]]
    emit_rows(rows, ("id", "version", "type", "marking", "pap", "received"), output)
    if len(found) > _MOST:
        tell(f"only the first {_MOST:,} are shown")


@share.command()
@click.argument("stix_id", metavar="ID")
@as_person
def show(stix_id: str, seat: Seat) -> None:
    """Write every version of an object as the bytes that came, a line each."""
    with working(seat) as (node, identity), node.store.look(identity, "stix.find") as work:
        found = work.stix.versions(stix_id)
    if not found:
        raise NotFound("there is no such object")
    for each in found:
        click.echo(each.raw.decode() if b"\n" not in each.raw else json.dumps(json.loads(each.raw), ensure_ascii=False))


@share.command()
@click.argument("title")
@click.option("--group", "group_name", metavar="GROUP", help="The group of partners that it is for.")
@click.option("--public", is_flag=True, help="For anybody at all; then everything in it is TLP:CLEAR.")
@click.option(
    "--tlp", default="", help="The highest marking that it may hold.  [default: TLP:AMBER; TLP:CLEAR if public]"
)
@click.option("--alias", default="", help="A short name in addresses.")
@click.option("--writable", is_flag=True, help="Partners may add to it.")
@click.option("--write-only", is_flag=True, help="Partners may add to it, and not look into it.")
@click.option("--unmarked", default="TLP:RED", show_default=True, help="Marking of what partners add without one.")
@as_person
@output_option
def collection(
    title: str,
    group_name: str | None,
    public: bool,
    tlp: str,
    alias: str,
    writable: bool,
    write_only: bool,
    unmarked: str,
    seat: Seat,
    output: str | None,
) -> None:
    """Make the collection TITLE, for one audience: a group of partners, or the public."""
    if public == bool(group_name):
        raise UsageError("a collection is for a group of partners or for the public", hint="give --group or --public")
    with working(seat) as (node, identity), node.store.act(identity, "collection.add") as work:
        made = work.collections.add(
            title,
            group=group_named(work, group_name).id if group_name else None,
            highest=parse_marking(tlp or ("TLP:CLEAR" if public else "TLP:AMBER")),
            alias=alias,
            unmarked=parse_marking(unmarked),
            readable=not write_only,
            writable=writable or write_only,
        )
        record = _described(work, made)
    emit_record(record, output)


@share.command()
@click.argument("collection_word", metavar="COLLECTION")
@click.option("--tlp", required=True, help="The highest marking that it may hold from now on.")
@as_person
@output_option
def change(collection_word: str, tlp: str, seat: Seat, output: str | None) -> None:
    """Change the highest marking that COLLECTION may hold; what lies above it goes to nobody from then on.

    Nothing that was fetched is taken back by this: the partners who fetched something of it are listed.
    """
    with working(seat) as (node, identity), node.store.act(identity, "collection.change") as work:
        changed = work.collections.change(_named(work, collection_word).id, highest=parse_marking(tlp))
        rows = [
            {"partner": partner.name, "objects": held.objects + held.gone, "fetched": utc(held.at // 1_000_000)}
            for partner in work.partners.all()
            for held in work.served.holdings(partner.id)
            if held.collection == changed.id
        ]
    emit_rows(rows, ("partner", "objects", "fetched"), output)


@share.command()
@as_person
@output_option
def collections(seat: Seat, output: str | None) -> None:
    """List the collections, and whom each is for."""
    with working(seat) as (node, identity), node.store.look(identity, "collection.list") as work:
        rows = [_described(work, each) for each in work.collections.all()]
    emit_rows(rows, ("id", "title", "group", "highest", "alias", "partners", "last_added"), output)


@share.command()
@click.argument("collection_word", metavar="COLLECTION")
@click.argument("stix_ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--of", "files", multiple=True, metavar="FILE", help="The objects whose identifiers stand in this bundle."
)
@click.option("--case", "case_word", metavar="CASE", help="All objects of this case.")
@click.option("--every-version", is_flag=True, help="All versions that are kept, not the newest alone.")
@click.option("--reason", required=True, help="Why this is released.")
@as_person
@output_option
def release(
    collection_word: str,
    stix_ids: tuple[str, ...],
    files: tuple[str, ...],
    case_word: str | None,
    every_version: bool,
    reason: str,
    seat: Seat,
    output: str | None,
) -> None:
    """Let objects go to the audience of COLLECTION (its id, title or alias), as somebody who may approve.

    What is marked above the collection, may be told to nobody, or names an object that does not go there stays, and is told.
    """
    from shieldwall.node.sharing.releasing import release as release_now  # noqa: PLC0415 - only here

    wanted = [*stix_ids, *(each for name in files for each in _ids_in(name))]
    with working(seat) as (node, identity):
        case = case_id(node, identity, case_word) if case_word else ""
        with node.store.inside(identity) as work:
            found = _named(work, collection_word)
            wanted += [id_of(each.raw) for each in _all_of(work, case)] if case else []
        if not wanted:
            raise UsageError(
                "nothing is named that could be released", hint="give identifiers, --of FILE or --case CASE"
            )
        done = release_now(node, identity, "share.release", found.id, wanted, reason, every_version=every_version)
    for each in done.withheld[:100]:
        tell(f"{each.id} stays: {each.reason}")
    emit_record(
        {"collection": found.id, "added": len(done.added), "known": done.known, "withheld": len(done.withheld)}, output
    )


@share.command()
@click.argument("collection_word", metavar="COLLECTION")
@click.argument("stix_id", metavar="ID")
@click.option("--reason", required=True, help="Why this is withdrawn.")
@click.option("--along", is_flag=True, help="What names it goes as well; without this nothing goes where there is any.")
@as_person
@output_option
def withdraw(collection_word: str, stix_id: str, reason: str, along: bool, seat: Seat, output: str | None) -> None:
    """Take an object out of COLLECTION, and say which partners may have it already."""
    from shieldwall.node.sharing.releasing import withdraw as withdraw_now  # noqa: PLC0415 - only here

    with working(seat) as (node, identity):
        with node.store.inside(identity) as work:
            found = _named(work, collection_word)
        done = withdraw_now(node, identity, "share.withdraw", found.id, stix_id, reason, along=along)
    rows = [{"partner": partner.name, "fetched": utc(each.at // 1_000_000)} for partner, each in done.had]
    emit_rows(rows, ("partner", "fetched"), output)
    for each in done.ids[1:]:
        tell(f"{each} names it, and went as well")
    if found.group is None:
        tell("the collection is public: anybody may have it")
    elif not rows:
        tell("no partner has fetched it")


@share.command()
@click.argument("partner_name", metavar="PARTNER")
@click.option(
    "--bytes", "as_bytes", is_flag=True, help="Write what would go as the bytes themselves, an object a line."
)
@as_person
@output_option
def preview(partner_name: str, as_bytes: bool, seat: Seat, output: str | None) -> None:
    """Show what PARTNER would get now, object by object, and why each other one of the collections is withheld."""
    from shieldwall.node.sharing.releasing import preview as preview_now  # noqa: PLC0415 - only here

    rows: list[dict[str, Any]] = []
    with working(seat) as (node, identity):
        with node.store.inside(identity) as work:
            partner = partner_named(work, partner_name)
        found = preview_now(node, identity, "share.preview", partner.id, most=_MOST)
    for each in found:
        if as_bytes:
            for item in each.items:
                click.echo(item.raw)
        title = each.collection.title
        for item in each.items:
            why = "went already" if item.added_at in each.has else ""
            rows.append({"collection": title, "id": id_of(item.raw), "goes": "yes", "why": why})
        rows += [{"collection": title, "id": one.id, "goes": "no", "why": one.reason} for one in each.withheld]
    if not as_bytes:
        emit_rows(rows, ("collection", "id", "goes", "why"), output)
    for each in found:
        if each.more or each.withheld_more:
            tell(f"{each.collection.title}: {each.more:,} more go, and {each.withheld_more:,} more stay")
        if each.gone:
            tell(f"{each.collection.title}: {each.gone:,} that it fetched were taken out since; it has them")


@share.command()
@click.argument("collection_word", metavar="COLLECTION")
@as_person
@output_option
def decisions(collection_word: str, seat: Seat, output: str | None) -> None:
    """List what was decided on COLLECTION, the newest first: releases, withdrawals, what partners added."""
    with working(seat) as (node, identity), node.store.look(identity, "collection.decisions") as work:
        found = work.collections.decisions(_named(work, collection_word).id, most=_MOST)
        names = {each.id: each.name for each in work.partners.all()}
        for each in found:
            person = work.people.find(each.by)
            if person is not None:
                names[each.by] = person.name
    rows = [
        {
            "at": utc(each.at // 1_000_000),
            "deed": each.deed,
            "by": names.get(each.by, each.by),
            "objects": len(each.objects),
            "reason": each.reason,
        }
        for each in found
    ]
    emit_rows(rows, ("at", "deed", "by", "objects", "reason"), output)


def _all_of(work: Work, case: str) -> Iterator[KeptObject]:
    """The objects of a case."""
    after = 0
    while found := work.stix.page(after=after, most=_MOST, case=case):
        yield from found
        after = found[-1].seq


def _named(work: Work, word: str) -> Collection:
    found = [
        each for each in work.collections.all() if word.replace("-", "") == each.id or word in (each.title, each.alias)
    ]
    if len(found) != 1:
        raise NotFound(
            f"{word[:80]!r} is {'none' if not found else 'several'} of the collections",
            hint="see: shieldwall share collections",
        )
    return found[0]


def _described(work: Work, found: Collection) -> dict[str, Any]:
    names = {each.id: each.name for each in work.partners.groups()}
    partners = [each.name for each in work.partners.all() if found.group in each.groups and each.ended_at is None]
    return {
        "id": found.id,
        "title": found.title,
        "group": names.get(found.group or "", "public"),
        "highest": found.highest.label,
        "alias": found.alias,
        "partners": partners,
        "last_added": utc(found.last_added_at // 1_000_000) if found.last_added_at else "",
    }


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


def _row(kept: KeptObject) -> dict[str, Any]:
    return {
        "id": id_of(kept.raw),
        "version": utc(kept.version // 1_000_000),
        "type": kept.type,
        "marking": kept.handling.marking.label,
        "pap": kept.handling.pap.label,
        "received": utc(kept.received_at // 1_000_000),
    }


def _ids_in(name: str) -> list[str]:
    from shieldwall.sharing.stix.bundle import BundleReader, Refusal  # noqa: PLC0415 - only here

    try:
        with Path(name).open("rb") as file:
            return [each.id for each in BundleReader(file, name) if not isinstance(each, Refusal)]
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror or error}", hint="check the path of the file") from None


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: cannot be read ({type(error).__name__})", hint="check the path of the file"
        ) from None
