"""`shieldwall share`: collections, release to partners, preview, withdrawal, and files for a partner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shieldwall.cli.casework import Seat, as_person, case_id, working
from shieldwall.cli.options import emit_record, emit_rows, output_option
from shieldwall.cli.peer import group_named, partner_named
from shieldwall.cli.share_remote import read_secret
from shieldwall.cli.telling import tell
from shieldwall.errors import NotFound, UsageError
from shieldwall.model.marking import parse_marking
from shieldwall.model.moment import utc
from shieldwall.sharing.stix.object import id_of

if TYPE_CHECKING:
    from shieldwall.store.collections import Collection
    from shieldwall.store.rules import ReleaseRule
    from shieldwall.store.stixobjects import KeptObject
    from shieldwall.store.work import Work


_MOST = 10_000  # rows of a list
FORMATS = ("stix", "misp", "misp-feed")
"""In which form objects are let go as files."""


@click.command()
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


@click.command()
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


@click.command()
@as_person
@output_option
def collections(seat: Seat, output: str | None) -> None:
    """List the collections, and whom each is for."""
    with working(seat) as (node, identity), node.store.look(identity, "collection.list") as work:
        rows = [_described(work, each) for each in work.collections.all()]
    emit_rows(rows, ("id", "title", "group", "highest", "alias", "partners", "last_added"), output)


@click.command()
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


@click.command()
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
    if done.unseen:
        tell(f"{done.unseen:,} more that you may not see named it, and went as well")
    if found.group is None:
        tell("the collection is public: anybody may have it")
    elif not rows:
        tell("no partner has fetched it")


@click.command()
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
        if each.unseen:
            tell(f"{each.collection.title}: {each.unseen:,} more go that you may not see")
        if each.gone:
            tell(f"{each.collection.title}: {each.gone:,} that it fetched were taken out since; it has them")


@click.command()
@click.argument("collection_word", metavar="COLLECTION")
@click.option("--type", "types", multiple=True, required=True, help="Of objects; give it again for further ones.")
@click.option("--tlp", required=True, help="The highest marking of what goes by it.")
@click.option("--case", "case_word", metavar="CASE", help="Objects of this case; else those of no case.")
@click.option("--reason", required=True, help="Why.")
@as_person
@output_option
def rule(
    collection_word: str,
    types: tuple[str, ...],
    tlp: str,
    case_word: str | None,
    reason: str,
    seat: Seat,
    output: str | None,
) -> None:
    """Let objects of a kind that come from now on go to COLLECTION by themselves, as somebody who may approve.

    Each passes the same questions as in `release`, with the rights that whoever made the rule then has. What was withdrawn
    comes back by no rule. The node asks its rules while it is served.
    """
    with working(seat) as (node, identity):
        case = case_id(node, identity, case_word) if case_word else None
        with node.store.act(identity, "rule.add") as work:
            found = _named(work, collection_word)
            made = work.rules.add(found.id, types, parse_marking(tlp), reason, case=case)
            record = _rule_row(work, made)
    emit_record(record, output)


@click.command()
@as_person
@output_option
def rules(seat: Seat, output: str | None) -> None:
    """List the rules by which objects go to collections by themselves."""
    with working(seat) as (node, identity), node.store.look(identity, "rule.list") as work:
        rows = [_rule_row(work, each) for each in work.rules.all()]
    emit_rows(rows, ("id", "collection", "types", "highest", "case", "reason", "at", "ended"), output)


@click.command("end-rule")
@click.argument("rule_id", metavar="RULE")
@as_person
def end_rule(rule_id: str, seat: Seat) -> None:
    """Let nothing go by RULE (its id) any more; what went is not taken back."""
    with working(seat) as (node, identity), node.store.act(identity, "rule.end") as work:
        work.rules.end(rule_id)
    tell("nothing goes by it any more")


@click.command()
@click.argument("stix_id", metavar="ID")
@click.option("--tlp", required=True, help="The highest marking of what is to stay.")
@as_person
@output_option
def redact(stix_id: str, tlp: str, seat: Seat, output: str | None) -> None:
    """Make another object of ID without its parts that are marked above --tlp (granular markings), as somebody who may approve.

    ID itself is not changed. The new object has an identifier of its own, and is released as any other.
    """
    from shieldwall.node.sharing.redacting import redact as redact_now  # noqa: PLC0415 - only here

    with working(seat) as (node, identity):
        made = redact_now(node, identity, "share.redact", stix_id, parse_marking(tlp))
    emit_record({"id": made}, output)


def _rule_row(work: Work, found: ReleaseRule) -> dict[str, Any]:
    return {
        "id": found.id,
        "collection": work.collections.get(found.collection).title,
        "types": list(found.types),
        "highest": found.highest.label,
        "case": found.case or "",
        "reason": found.reason,
        "at": utc(found.at // 1_000_000),
        "ended": utc(found.ended_at // 1_000_000) if found.ended_at is not None else "",
    }


@click.command()
@click.argument("partner_name", metavar="PARTNER")
@click.argument("stix_ids", nargs=-1, metavar="[ID]...")
@click.option("--case", "case_word", metavar="CASE", help="All objects of this case.")
@click.option(
    "--as-format",
    "form",
    type=click.Choice(FORMATS),
    default="stix",
    show_default=True,
    help="stix: a bundle; misp: events; misp-feed: a folder of files.",
)
@click.option("--wallets", is_flag=True, help="Addresses also as cryptocurrency-wallet, for OpenCTI and others.")
@click.option("--to", type=click.Path(path_type=Path), help="File, or folder of a feed; else standard output.")
@click.option("--to-misp", default="", metavar="URL", help="Into the partner's MISP, with --key-file.")
@click.option("--key-file", type=click.Path(path_type=Path), help="File that holds the API key of that MISP.")
@click.option("--allow-private", is_flag=True, help="The MISP is inside: a private or loopback address.")
@click.option("--reason", required=True, help="Why this is let go.")
@as_person
def export(
    partner_name: str,
    stix_ids: tuple[str, ...],
    case_word: str | None,
    form: str,
    wallets: bool,
    to: Path | None,
    to_misp: str,
    key_file: Path | None,
    allow_private: bool,
    reason: str,
    seat: Seat,
) -> None:
    """Let objects go to PARTNER as a file, or into its MISP, as somebody who may approve.

    What is marked above the partner, may be told to nobody, or names an object of this node that does not go along stays, and is
    told. The audit log has what went before anybody has it.
    """
    from shieldwall.node.sharing.handing import hand_over, send_to_misp  # noqa: PLC0415 - only here
    from shieldwall.node.sharing.pulling import MISP, Remote  # noqa: PLC0415 - only here
    from shieldwall.node.sharing.releasing import export as export_now  # noqa: PLC0415 - only here

    with working(seat) as (node, identity):
        case = case_id(node, identity, case_word) if case_word else ""
        with node.store.inside(identity) as work:
            partner = partner_named(work, partner_name)
            wanted = [*stix_ids, *([id_of(each.raw) for each in _all_of(work, case)] if case else [])]
        if not wanted:
            raise UsageError("nothing is named that could go", hint="give identifiers, or --case CASE")
        remote = None
        if to_misp:
            key = read_secret(key_file) if key_file else ""
            remote = Remote(url=to_misp, authorization=key, allow_private=allow_private, kind=MISP).is_one()
        done = export_now(node, identity, "share.export", partner.id, wanted, reason)
        for each in done.withheld[:100]:
            tell(f"{each.id} stays: {each.reason}")
        if remote is not None:
            for line in send_to_misp(node, done, remote):
                tell(line)
            return
        files, left = hand_over(node, done, form, wallets=wallets)
        for what, number in sorted(left.items()):
            tell(f"{number} of type {what} have no place in MISP")
        for name, content in files:
            if to is None:
                click.echo(content)
            elif form == "misp-feed":
                to.mkdir(parents=True, exist_ok=True)
                (to / Path(name).name).write_bytes(content)
            else:
                to.write_bytes(content)


@click.command()
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


def _ids_in(name: str) -> list[str]:
    from shieldwall.sharing.stix.bundle import BundleReader, Refusal  # noqa: PLC0415 - only here

    try:
        with Path(name).open("rb") as file:
            return [each.id for each in BundleReader(file, name) if not isinstance(each, Refusal)]
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror or error}", hint="check the path of the file") from None
