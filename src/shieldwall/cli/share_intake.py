"""`shieldwall share`: take objects in, make them of what is known here, and look at them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shieldwall.cli.casework import Seat, as_person, case_id, working
from shieldwall.cli.options import emit_record, emit_rows, output_option
from shieldwall.cli.telling import tell
from shieldwall.errors import NotFound, UsageError
from shieldwall.model.marking import parse_marking, parse_pap
from shieldwall.model.moment import utc
from shieldwall.sharing.stix.object import id_of

if TYPE_CHECKING:
    from shieldwall.model.access import Identity
    from shieldwall.node.node import Node
    from shieldwall.node.sharing.intake import IntakeRules, TakenBundle
    from shieldwall.node.sharing.meeting import Meeting
    from shieldwall.store.stixobjects import KeptObject


_MOST = 10_000  # rows of a list
_HEAD = 4096  # bytes by which a file of STIX is known


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--tlp", default="TLP:RED", show_default=True, help="Marking of what carries none.")
@click.option("--pap", default="PAP:RED", show_default=True, help="PAP of what carries none.")
@click.option("--case", "case_word", metavar="CASE", help="Case that it belongs to.")
@as_person
@output_option
def import_(files: tuple[str, ...], tlp: str, pap: str, case_word: str | None, seat: Seat, output: str | None) -> None:
    """Take in STIX 2.1 or 2.0 (bundles, envelopes, lists, objects), MISP's events and galaxies. `-` is standard input.

    Each FILE goes in as a whole or not at all; a folder is a feed of MISP. What a file's markings say holds; an object without
    one gets --tlp and --pap. Values on a warninglist (`warninglists` in the node's folder) are told. The exit code is 1 where an
    object could not be read or contradicts one that is there.
    """
    from shieldwall.node.sharing.intake import IntakeRules  # noqa: PLC0415 - only here

    rows, clean = [], True
    with working(seat) as (node, identity):
        mine = case_id(node, identity, case_word) if case_word else None
        rules = IntakeRules(marking=parse_marking(tlp), pap=parse_pap(pap), case=mine)
        for name in _with_feeds(files):
            found = _take(node, identity, name, rules)
            clean = clean and not found.refusals and not found.conflicting
            for each in found.refused:
                tell(each.reason)
            for stix_id in found.conflicts:
                tell(f"{name}: {stix_id}: another content of the same version is kept beside the first")
            if found.unknown:
                tell(
                    f"{name}: markings that are not understood make their objects TLP:RED: {', '.join(list(found.unknown)[:5])}"
                )
            for sentence in found.told:
                tell(f"{name}: {sentence}")
            for warninglist, number in found.warned.most_common(20):
                tell(f"{name}: {number} values stand on the warninglist {warninglist!r}")
            if found.recalled:
                tell(
                    f"{name}: {found.recalled} older versions left their collections, as newer ones are marked stricter"
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


@click.command("case")
@click.argument("case_word", metavar="CASE")
@as_person
@output_option
def case(case_word: str, seat: Seat, output: str | None) -> None:
    """Make STIX of the claims of CASE (its id, or words that find it alone), for its members; nothing goes to anybody by this.

    Do it again when the case has changed: what was taken back meanwhile becomes a revoked version.
    """
    from shieldwall.node.sharing.exporting import make_stix  # noqa: PLC0415 - only here

    with working(seat) as (node, identity):
        made = make_stix(node, identity, "share.case", case_id(node, identity, case_word))
    emit_record({"claims": made.claims, "objects": len(made.ids), "added": made.added}, output)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--tlp", default="TLP:RED", show_default=True, help="Marking of what is made.")
@click.option("--pap", default="PAP:RED", show_default=True, help="PAP of what is made.")
@click.option("--case", "case_word", metavar="CASE", help="Case that it belongs to.")
@as_person
@output_option
def make(files: tuple[str, ...], tlp: str, pap: str, case_word: str | None, seat: Seat, output: str | None) -> None:
    """Make STIX of documents of this program: trace results, clusters, requests, as JSON; nothing goes to anybody by this."""
    from shieldwall.model.access import Handling  # noqa: PLC0415 - only here
    from shieldwall.node.sharing.exporting import make_document  # noqa: PLC0415 - only here

    rows = []
    with working(seat) as (node, identity):
        mine = case_id(node, identity, case_word) if case_word else None
        handling = Handling(marking=parse_marking(tlp), pap=parse_pap(pap), owner=identity.person, case=mine)
        for name in files:
            document = _document(name)
            made = make_document(node, identity, "share.make", document, handling, name)
            rows.append({"file": name, "id": made.ids[-1] if made.ids else "", "added": made.added})
    emit_rows(rows, ("file", "id", "added"), output)


@click.command()
@click.argument("stix_id", metavar="ID")
@click.option("--at", "moment", default="", help="When it was seen (UTC); now if not said.")
@click.option("--count", type=click.IntRange(1, 999_999_999), default=1, show_default=True, help="How often.")
@click.option("--tlp", default="TLP:RED", show_default=True, help="Marking of the sighting.")
@click.option("--pap", default="PAP:RED", show_default=True, help="PAP of the sighting.")
@click.option("--case", "case_word", metavar="CASE", help="Case that it belongs to.")
@click.option("--text", default="", help="A remark.")
@as_person
@output_option
def sighting(
    stix_id: str,
    moment: str,
    count: int,
    tlp: str,
    pap: str,
    case_word: str | None,
    text: str,
    seat: Seat,
    output: str | None,
) -> None:
    """Say that what ID stands for was seen here, independently of who said so first."""
    from shieldwall.model.access import Handling  # noqa: PLC0415 - only here
    from shieldwall.model.moment import unix  # noqa: PLC0415 - only here
    from shieldwall.node.sharing.exporting import say  # noqa: PLC0415 - only here
    from shieldwall.sharing.documents import sighting_object  # noqa: PLC0415 - only here

    with working(seat) as (node, identity):
        mine = case_id(node, identity, case_word) if case_word else None
        handling = Handling(marking=parse_marking(tlp), pap=parse_pap(pap), owner=identity.person, case=mine)
        at = unix(moment) * 1_000_000 if moment else node.store.now()
        made = say(
            node,
            identity,
            "share.sighting",
            lambda frame: sighting_object(stix_id, frame, first=at, last=at, count=count, text=text),
            handling,
        )
    emit_record({"id": made}, output)


@click.command()
@click.argument("stix_ids", nargs=-1, required=True, metavar="ID...")
@click.argument("word", metavar="OPINION")
@click.option("--tlp", default="TLP:RED", show_default=True, help="Marking of the opinion.")
@click.option("--pap", default="PAP:RED", show_default=True, help="PAP of the opinion.")
@click.option("--case", "case_word", metavar="CASE", help="Case that it belongs to.")
@click.option("--text", default="", help="Why.")
@as_person
@output_option
def opinion(
    stix_ids: tuple[str, ...],
    word: str,
    tlp: str,
    pap: str,
    case_word: str | None,
    text: str,
    seat: Seat,
    output: str | None,
) -> None:
    """Say what is thought of objects of others: strongly-disagree, disagree, neutral, agree or strongly-agree."""
    from shieldwall.model.access import Handling  # noqa: PLC0415 - only here
    from shieldwall.node.sharing.exporting import say  # noqa: PLC0415 - only here
    from shieldwall.sharing.documents import opinion_object  # noqa: PLC0415 - only here

    with working(seat) as (node, identity):
        mine = case_id(node, identity, case_word) if case_word else None
        handling = Handling(marking=parse_marking(tlp), pap=parse_pap(pap), owner=identity.person, case=mine)
        made = say(
            node, identity, "share.opinion", lambda frame: opinion_object(stix_ids, word, frame, text=text), handling
        )
    emit_record({"id": made}, output)


@click.command()
@click.argument("word")
@as_person
@output_option
def find(word: str, seat: Seat, output: str | None) -> None:
    """Find the objects that speak of WORD: an address, a hash, a domain, a technique, a group or malware by any alias."""
    from shieldwall.node.sharing.meeting import find as find_now  # noqa: PLC0415 - only here

    with working(seat) as (node, identity):
        found = find_now(node, identity, "stix.find", word)
    _tell_meeting(found, output)


@click.command()
@click.argument("stix_id", metavar="ID")
@as_person
@output_option
def related(stix_id: str, seat: Seat, output: str | None) -> None:
    """List the objects that say the same as ID: an address, a hash, a name."""
    from shieldwall.node.sharing.meeting import related as related_now  # noqa: PLC0415 - only here

    with working(seat) as (node, identity):
        found = related_now(node, identity, "stix.find", stix_id)
    _tell_meeting(found, output)


@click.command("list")
@click.option("--type", "kind", default="", help="Only objects of this type.")
@click.option("--case", "case_word", metavar="CASE", help="Only objects of this case.")
@click.option("--conflicts", is_flag=True, help="Only those that contradict another one of the same version.")
@as_person
@output_option
def list_(kind: str, case_word: str | None, conflicts: bool, seat: Seat, output: str | None) -> None:
    """List the STIX objects that PERSON may see, in the order in which they came."""
    with working(seat) as (node, identity):
        mine = case_id(node, identity, case_word) if case_word else None
        with node.store.look(identity, "stix.list") as work:
            found = (
                work.stix.conflicts(most=_MOST) if conflicts else work.stix.page(most=_MOST + 1, kind=kind, case=mine)
            )
    rows = [_row(each) for each in found[:_MOST]]
    emit_rows(rows, ("id", "version", "type", "marking", "pap", "received"), output)
    if len(found) > _MOST:
        tell(f"only the first {_MOST:,} are shown")


@click.command()
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


def _with_feeds(files: Iterable[str]) -> Iterator[str]:
    """Files, and those of folders that are feeds of MISP."""
    for name in files:
        if name != "-" and Path(name).is_dir():
            yield from (str(path) for path in sorted(Path(name).glob("*.json")) if path.name != "manifest.json")
        else:
            yield name


def _take(node: Node, identity: Identity, name: str, rules: IntakeRules) -> TakenBundle:
    """Take in a file, by what it is."""
    from shieldwall.node.sharing.intake import take_bundle  # noqa: PLC0415 - only here
    from shieldwall.node.sharing.misp import MOST_BYTES, is_misp, may_be_misp, take_misp  # noqa: PLC0415 - only here

    if name == "-":
        return take_bundle(node, identity, "share.import", sys.stdin.buffer, "standard input", rules)
    try:
        with Path(name).open("rb") as file:
            head = file.read(_HEAD)
            file.seek(0)
            if may_be_misp(head) and Path(name).stat().st_size <= MOST_BYTES:
                raw = file.read()
                if is_misp(raw):
                    return take_misp(node, identity, "share.import", raw, name, rules)
                file.seek(0)
            return take_bundle(node, identity, "share.import", file, name, rules)
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror or error}", hint="check the path of the file") from None


def _tell_meeting(found: Meeting, output: str | None) -> None:
    if found.names:
        tell(f"names: {', '.join(found.names[:50])}")
    for kind, value in found.common:
        tell(f"{kind} {value} stands in too many objects to list")
    rows = [
        {
            "id": each.thing.id,
            "type": each.thing.type,
            "marking": each.kept.handling.marking.label,
            "in_common": [f"{kind} {value}" for kind, value in each.values],
        }
        for each in found.objects
    ]
    emit_rows(rows, ("id", "type", "marking", "in_common"), output)


def _row(kept: KeptObject) -> dict[str, Any]:
    return {
        "id": id_of(kept.raw),
        "version": utc(kept.version // 1_000_000),
        "type": kept.type,
        "marking": kept.handling.marking.label,
        "pap": kept.handling.pap.label,
        "received": utc(kept.received_at // 1_000_000),
    }


def _document(name: str) -> dict[str, Any]:
    from shieldwall.model.strictjson import parse_json  # noqa: PLC0415 - only here

    try:
        found = parse_json(Path(name).read_bytes(), name, floats=True)
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror or error}", hint="check the path of the file") from None
    return found if isinstance(found, dict) else {}
