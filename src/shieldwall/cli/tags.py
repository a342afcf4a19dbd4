"""`shieldwall tags`: import, list, show, compare."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from shieldwall.cli.options import chosen_format, data_option, emit_record, emit_rows, output_option, settings, table
from shieldwall.cli.telling import tell
from shieldwall.errors import BadInput, UnknownAddress, UsageError
from shieldwall.intel import (
    Freezable,
    Known,
    ReadOptions,
    TagSets,
    address_subject,
    chain_of,
    freezable_by,
    know,
    read_directory,
    shipped,
)
from shieldwall.intel.document import gather, is_file
from shieldwall.model.address import nearest, parse
from shieldwall.model.claim import Subject
from shieldwall.model.marking import parse_marking, parse_pap
from shieldwall.model.network import LITECOIN, MAIN, NETWORKS, Network, by_name
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
@click.option("--pap", help="Permissible actions, such as PAP:GREEN; without one the strictest.")
@click.option("--network", default="main", show_default=True, help="Which network BTC means; or, of Litecoin, LTC.")
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
    pap: str | None,
    network: str,
    data: str | None,
    output: str | None,
) -> None:
    """Import TagPacks, ActorPacks (YAML), address lists or CSV into versioned tag sets.

    The same content is the same version; older versions are kept. Entries that name no address are counted and listed.
    """
    options = ReadOptions(
        marking=parse_marking(tlp) if tlp else None,
        pap=parse_pap(pap),
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
@click.argument("address", metavar="ADDRESS|FILE|TEXT|-")
@click.option(
    "--currency", help="Currency of the address; by default BTC, and LTC of what is an address of Litecoin only."
)
@click.option(
    "--network",
    type=click.Choice(list(NETWORKS)),
    default="main",
    show_default=True,
    help="Which network BTC means; or, of Litecoin, LTC.",
)
@data_option
@output_option
def show(address: str, currency: str | None, network: str, data: str | None, output: str | None) -> None:
    """Show what is said of ADDRESS: merged, counted, with sources, contradictions and who can freeze there.

    Of a document (a file, - for standard input) or pasted text it shows every address of the network that is in it. No
    tag means unknown, not clean.
    """
    config = settings(data=data)
    chosen = by_name(network)
    chain, bitcoin = chain_of(currency or _currency(address, chosen), "", chosen)
    subjects = _subjects(address, chain, bitcoin)
    said = TagSets(config.tags).select(None).lookup(subjects)
    directory = shipped()
    if config.directory is not None:
        directory = directory.with_further(read_directory(config.directory))
    answers = []
    for subject in subjects:
        known = know(subject, said.get(subject, ()))
        answers.append((known, freezable_by(known.tags, directory)))
    if chosen_format(output) == "table":
        for known, freezable in answers:
            _print(known, freezable)
    elif len(answers) == 1:
        emit_record({**answers[0][0].as_dict(), **answers[0][1].as_dict()}, output)
    else:
        rows = [{**known.as_dict(), **freezable.as_dict()} for known, freezable in answers]
        emit_rows(rows, tuple(rows[0]), output)


def _currency(text: str, network: Network) -> str:
    """The currency of what nobody gives one of: LTC where it can be nothing but an address of Litecoin's main network."""
    word = text.strip()
    return LITECOIN.coin if parse(word, network) is None and parse(word, LITECOIN) is not None else MAIN.coin


def _subjects(text: str, chain: str, bitcoin: Network | None) -> list[Subject]:
    """The address that a word is, or those that a document or text mentions."""
    is_document = text == "-" or is_file(text)
    if not is_document:
        subject = address_subject(text.strip(), chain, bitcoin, "the command line")
        if isinstance(subject, Subject):
            return [subject]
        if bitcoin is None:
            raise UnknownAddress(f"{text}: {subject.reason}", hint="copy it again from its source")
    if bitcoin is None:
        raise UsageError(
            "documents are searched for Bitcoin and Litecoin addresses only", hint="name the address itself"
        )
    gathered = gather([text], sys.stdin, bitcoin)
    near = [str(miss) for miss in gathered.mentions.near_misses]
    found = gathered.mentions.addresses()
    if not found and not is_document and len(text.split()) < 2:
        close = nearest(text, bitcoin)
        hint = f"did you mean {' or '.join(close)}?" if close else "copy it again from its source"
        raise UnknownAddress(
            f"{text}: no valid {bitcoin.name} address: its checksum does not hold", hint=hint, nearest=close
        )
    if not found:
        raise BadInput(f"no address of {bitcoin.name} is in what was given", hint="; ".join(near[:3]))
    for line in near:
        tell(f"near miss: {line}")
    for what in gathered.unread:
        tell(f"not read: {what}")
    subjects = (address_subject(mention.name, chain, bitcoin, "the text") for mention in found)
    return [subject for subject in subjects if isinstance(subject, Subject)]


def _print(known: Known, freezable: Freezable) -> None:
    if not known.tags:
        click.echo(f"{known.subject.name}: nothing is known. That is unknown, not clean.")
        return
    rows = [
        {"label": tag.label, "category": tag.category, "abuse": tag.abuse, "actor": tag.actor, "confidence": tag.confidence,
         "said by": tag.count, "sources": ", ".join(f"{s.set} {s.at}".strip() for s in tag.sources)}
        for tag in known.tags
    ]  # fmt: skip
    click.echo(f"{known.subject.name}:")
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
