"""`shieldwall peer`: the partners of a node, to whom something may be released."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from shieldwall.cli.node_options import node_options, opened
from shieldwall.cli.options import emit_record, emit_rows, output_option
from shieldwall.cli.telling import tell
from shieldwall.errors import NotFound
from shieldwall.model.marking import parse_marking
from shieldwall.model.moment import utc

if TYPE_CHECKING:
    from shieldwall.node.home import OpenHome
    from shieldwall.node.sharing.door import PartnerDoor
    from shieldwall.store.partners import Partner, PartnerGroup
    from shieldwall.store.work import Work

_COLUMNS = ("id", "name", "highest", "groups", "since", "ended")


@click.group()
def peer() -> None:
    """Partners of a node: who they are, in which groups, by what their machines come in.

    A partner gets what was released to a collection of one of its groups, and nothing else; see `shieldwall share`.
    """


@peer.command()
@click.argument("name")
@click.option("--tlp", default="TLP:CLEAR", show_default=True, help="The highest marking that may go to it.")
@node_options
@output_option
def add(
    name: str, tlp: str, folder: str | None, key_file: Path | None, passphrase_stdin: bool, output: str | None
) -> None:
    """Add the partner NAME, which is in no group yet."""
    with (
        opened(folder, key_file, passphrase_stdin) as (home, identity),
        home.store.act(identity, "partner.add") as work,
    ):
        record = _record(work, work.partners.add(name, highest=parse_marking(tlp)))
    emit_record(record, output)


@peer.command("list")
@node_options
@output_option
def list_command(folder: str | None, key_file: Path | None, passphrase_stdin: bool, output: str | None) -> None:
    """List the partners, those that have ended among them."""
    with (
        opened(folder, key_file, passphrase_stdin) as (home, identity),
        home.store.look(identity, "partner.list") as work,
    ):
        rows = [_record(work, each) for each in work.partners.all()]
    emit_rows(rows, _COLUMNS, output)


@peer.command()
@click.argument("name")
@node_options
@output_option
def group(name: str, folder: str | None, key_file: Path | None, passphrase_stdin: bool, output: str | None) -> None:
    """Make the group NAME: collections are for a group. A name of small letters, digits and hyphens is its API root."""
    with (
        opened(folder, key_file, passphrase_stdin) as (home, identity),
        home.store.act(identity, "partner.group") as work,
    ):
        made = work.partners.add_group(name)
    emit_record({"id": made.id, "name": made.name}, output)


@peer.command()
@click.argument("name")
@click.argument("group_name", metavar="GROUP")
@node_options
def join(name: str, group_name: str, folder: str | None, key_file: Path | None, passphrase_stdin: bool) -> None:
    """Put the partner NAME into GROUP: it gets what went to the group before, too."""
    with (
        opened(folder, key_file, passphrase_stdin) as (home, identity),
        home.store.act(identity, "partner.join") as work,
    ):
        work.partners.join(group_named(work, group_name).id, partner_named(work, name).id)
    tell(f"{name} is in {group_name}")


@peer.command()
@click.argument("name")
@click.argument("group_name", metavar="GROUP")
@node_options
def leave(name: str, group_name: str, folder: str | None, key_file: Path | None, passphrase_stdin: bool) -> None:
    """Take the partner NAME out of GROUP: nothing of it goes there from now on."""
    with (
        opened(folder, key_file, passphrase_stdin) as (home, identity),
        home.store.act(identity, "partner.leave") as work,
    ):
        found = partner_named(work, name)
        work.partners.leave(group_named(work, group_name).id, found.id)
        has = _has(work, found)
    for line in (f"{name} is no longer in {group_name}", *has):
        tell(line)


@peer.command()
@click.argument("name")
@click.option("--days", type=click.IntRange(1, 400), default=90, show_default=True, help="How long it holds.")
@node_options
@output_option
def secret(
    name: str, days: int, folder: str | None, key_file: Path | None, passphrase_stdin: bool, output: str | None
) -> None:
    """Make a secret by which machines of the partner NAME come in; it is shown this once.

    As a bearer token it is sent whole. For Basic the user and the password that are shown are its parts.
    """
    with opened(folder, key_file, passphrase_stdin) as (home, identity):
        with home.store.inside(identity) as work:
            found = partner_named(work, name)
        text, made = _door(home).issue(identity, "partner.secret", found.id, days=days)
    _, user, password = text.split("_")
    expires = utc(made.expires_at // 1_000_000)
    emit_record({"id": made.id, "expires": expires, "bearer": text, "user": user, "password": password}, output)
    tell("the secret is shown this once")


@peer.command()
@click.argument("name")
@click.argument("fingerprint")
@click.option("--days", type=click.IntRange(1, 400), default=90, show_default=True, help="How long it holds.")
@node_options
@output_option
def certificate(
    name: str,
    fingerprint: str,
    days: int,
    folder: str | None,
    key_file: Path | None,
    passphrase_stdin: bool,
    output: str | None,
) -> None:
    """Let machines of the partner NAME in by a certificate, by its SHA-256 FINGERPRINT."""
    with opened(folder, key_file, passphrase_stdin) as (home, identity):
        with home.store.inside(identity) as work:
            found = partner_named(work, name)
        made = _door(home).admit(identity, "partner.certificate", found.id, fingerprint, days=days)
    emit_record({"id": made.id, "expires": utc(made.expires_at // 1_000_000)}, output)


@peer.command()
@click.argument("secret_id", metavar="ID")
@node_options
def revoke(secret_id: str, folder: str | None, key_file: Path | None, passphrase_stdin: bool) -> None:
    """Let nobody in any more by the secret or certificate with this ID."""
    with (
        opened(folder, key_file, passphrase_stdin) as (home, identity),
        home.store.act(identity, "partner.revoke") as work,
    ):
        work.partners.revoke_secret(secret_id)
    tell(f"{secret_id} is revoked")


@peer.command()
@click.argument("name")
@node_options
def end(name: str, folder: str | None, key_file: Path | None, passphrase_stdin: bool) -> None:
    """End the partner NAME for good: nothing goes to it from now on."""
    with (
        opened(folder, key_file, passphrase_stdin) as (home, identity),
        home.store.act(identity, "partner.end") as work,
    ):
        found = partner_named(work, name)
        work.partners.change(found.id, found.version, ended=True)
        has = _has(work, found)
    for line in (f"{name} has ended", *has):
        tell(line)


@peer.command()
@click.argument("name")
@click.option("--tlp", required=True, help="The highest marking that may go to it from now on.")
@node_options
def change(name: str, tlp: str, folder: str | None, key_file: Path | None, passphrase_stdin: bool) -> None:
    """Change the highest marking that may go to the partner NAME."""
    with (
        opened(folder, key_file, passphrase_stdin) as (home, identity),
        home.store.act(identity, "partner.change") as work,
    ):
        found = partner_named(work, name)
        changed = work.partners.change(found.id, found.version, highest=parse_marking(tlp))
        has = _has(work, found) if changed.highest < found.highest else []
    for line in (f"{name} gets up to {changed.highest.label}", *has):
        tell(line)


def partner_named(work: Work, name: str) -> Partner:
    """The partner of a name, or with an id.

    Raises:
        NotFound: None.
    """
    for each in work.partners.all():
        if name in (each.name, each.id):
            return each
    raise NotFound(f"there is no partner {name[:80]!r}", hint="see: shieldwall peer list")


def group_named(work: Work, name: str) -> PartnerGroup:
    """The group of a name, or with an id.

    Raises:
        NotFound: None.
    """
    for each in work.partners.groups():
        if name in (each.name, each.id):
            return each
    raise NotFound(f"there is no group of partners {name[:80]!r}", hint="make it: shieldwall peer group NAME")


def _has(work: Work, partner: Partner) -> list[str]:
    """What a partner fetched: narrowing what it gets takes nothing of that back."""
    lines = []
    for each in work.served.holdings(partner.id):
        title = work.collections.get(each.collection).title
        gone = f", {each.gone:,} of them taken out since" if each.gone else ""
        when = utc(each.at // 1_000_000)
        lines.append(f"it has {each.objects + each.gone:,} objects of {title}{gone}; fetched last {when}")
    return lines or ["it has fetched nothing"]


def _record(work: Work, partner: Partner) -> dict[str, object]:
    names = {each.id: each.name for each in work.partners.groups()}
    return {
        "id": partner.id,
        "name": partner.name,
        "highest": partner.highest.label,
        "groups": sorted(names[each] for each in partner.groups),
        "since": utc(partner.created_at // 1_000_000),
        "ended": utc(partner.ended_at // 1_000_000) if partner.ended_at is not None else "",
    }


def _door(home: OpenHome) -> PartnerDoor:
    from shieldwall.node.node import people_config  # noqa: PLC0415 - the whole node is slow to load
    from shieldwall.node.people.doors import Doors  # noqa: PLC0415 - as above
    from shieldwall.node.sharing.door import PartnerDoor  # noqa: PLC0415 - as above

    return PartnerDoor(home.store, Doors(home.store, people_config(home.config)).gate)
