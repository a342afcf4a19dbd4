"""`shieldwall tags`: import, list, show, compare."""

from __future__ import annotations

from pathlib import Path

import click

from shieldwall.cli.options import chosen_format, data_option, emit_record, emit_rows, output_option, settings, table
from shieldwall.errors import UnknownAddress
from shieldwall.intel import ReadOptions, TagSets, address_subject, chain_of, know, read_directory, shipped
from shieldwall.intel.directory import freezable_by
from shieldwall.model.address import nearest
from shieldwall.model.claim import Subject
from shieldwall.model.marking import parse_marking
from shieldwall.model.network import NETWORKS, by_name
from shieldwall.trace.printable import printable


@click.group()
def tags() -> None:
    """Import and look up what is said of addresses."""


@tags.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--set", "set_name", help="Name of the tag set; the file's own name by default, one set a file.")
@click.option("--label", default="", help="Label of entries that have none (plain lists, CSV).")
@click.option("--category", default="", help="Category of entries that have none, such as exchange.")
@click.option("--abuse", default="", help="Abuse of entries that have none, such as ransomware.")
@click.option("--actor", default="", help="Actor of entries that have none, such as binance.")
@click.option("--currency", default="", help="Currency of entries that have none; BTC by default.")
@click.option("--source", default="", help="Where a file without a source comes from.")
@click.option("--confidence", default="", help="TagPack confidence word of entries that have none.")
@click.option("--tlp", help="Marking, such as TLP:GREEN; without one the strictest, unless the pack says it is public.")
@click.option("--network", default="main", show_default=True, help="Which network BTC means.")
@data_option
@output_option
def import_command(
    files: tuple[str, ...],
    set_name: str | None,
    label: str,
    category: str,
    abuse: str,
    actor: str,
    currency: str,
    source: str,
    confidence: str,
    tlp: str | None,
    network: str,
    data: str | None,
    output: str | None,
) -> None:
    """Import TagPacks, ActorPacks (YAML), address lists or CSV into versioned tag sets.

    The same content is the same version; older versions are kept. Entries that name no address are counted and listed.
    """
    options = ReadOptions(
        marking=parse_marking(tlp) if tlp else None,
        set_name=set_name or "",
        label=label,
        category=category,
        abuse=abuse,
        actor=actor,
        currency=currency,
        source=source,
        confidence=confidence,
        network=by_name(network),
    )
    sets = TagSets(settings(data=data).tags)
    reports = sets.import_files([Path(name) for name in files], set_name=set_name, options=options)
    rows = [
        {
            "set": report.info.name,
            "version": report.info.version,
            "tags": report.info.tags,
            "subjects": report.info.subjects,
            "duplicates": report.info.duplicates,
            "rejected": report.info.rejected,
            "unchanged": report.unchanged,
            "rejected_entries": [entry.as_dict() for entry in report.rejected],
        }
        for report in reports
    ]
    emit_rows(rows, ("set", "version", "tags", "subjects", "duplicates", "rejected", "unchanged"), output)
    if chosen_format(output) == "table":
        for report in reports:
            for entry in report.rejected[:20]:
                click.echo(f"rejected: {report.info.name}, {entry.place}: {entry.text} ({entry.reason})", err=True)


@tags.command("list")
@data_option
@output_option
def list_command(data: str | None, output: str | None) -> None:
    """List the tag sets with their current versions."""
    rows = [
        {
            "set": info.name,
            "version": info.version,
            "tags": info.tags,
            "subjects": info.subjects,
            "labels": info.labels,
            "dated": info.lastmod,
            "files": [file.name for file in info.files],
        }
        for info in TagSets(settings(data=data).tags).sets()
    ]
    emit_rows(rows, ("set", "version", "tags", "subjects", "labels", "dated", "files"), output)


@tags.command()
@click.argument("address")
@click.option("--currency", default="BTC", show_default=True, help="Currency of the address.")
@click.option(
    "--network", type=click.Choice(list(NETWORKS)), default="main", show_default=True, help="Which network BTC means."
)
@data_option
@output_option
def show(address: str, currency: str, network: str, data: str | None, output: str | None) -> None:
    """Show what is said of ADDRESS: merged, counted, with sources, contradictions and who can freeze there.

    No tag means unknown, not clean.
    """
    config = settings(data=data)
    chain, bitcoin = chain_of(currency, "", by_name(network))
    subject = address_subject(address, chain, bitcoin, "the command line")
    if not isinstance(subject, Subject):
        found = nearest(address, bitcoin) if bitcoin is not None else ()
        near = f"did you mean {' or '.join(found)}?" if found else "copy it again from its source"
        raise UnknownAddress(f"{address}: {subject.reason}", hint=near, nearest=found)
    known = know(subject, TagSets(config.tags).select(None).lookup([subject]).get(subject, ()))
    directory = shipped()
    if config.directory is not None:
        directory = directory.with_further(read_directory(config.directory))
    freezable = freezable_by(known.tags, directory)
    if chosen_format(output) != "table":
        emit_record({**known.as_dict(), **freezable.as_dict()}, output)
        return
    if not known.tags:
        click.echo(f"{address}: nothing is known. That is unknown, not clean.")
    rows = [
        {"label": tag.label, "category": tag.category, "abuse": tag.abuse, "actor": tag.actor, "confidence": tag.confidence,
         "said by": tag.count, "sources": ", ".join(f"{s.set} {s.at}".strip() for s in tag.sources)}
        for tag in known.tags
    ]  # fmt: skip
    if rows:
        click.echo(table(rows, ("label", "category", "abuse", "actor", "confidence", "said by", "sources")), nl=False)
    for entry in known.contradictions:
        click.echo(printable(f"contradiction: {entry.text}"))
    for freezer in freezable.freezers:
        click.echo(printable(f"can freeze: {freezer.entry.name}; {freezer.entry.channel or 'no channel published'}"))
    for label in freezable.unlisted:
        click.echo(printable(f"{label} is tagged as a service and not in the directory of {freezable.dated}"))


@tags.command()
@click.argument("a", metavar="SET")
@click.argument("b", metavar="SET")
@data_option
@output_option
def compare(a: str, b: str, data: str | None, output: str | None) -> None:
    """Count the subjects that two tag sets share."""
    both = TagSets(settings(data=data).tags).compare(a, b)
    record = {"a": a, "b": b, "common": both.common, "union": both.union, "only_a": both.only_a, "only_b": both.only_b}
    emit_record(record, output)
