"""Who can freeze what: services and issuers, as a dated directory in which every entry names its sources.

The directory that ships is small: it holds what was found written down, by the service itself where possible. An empty
field means "not stated by the source", never "none". An entry says whom to ask and how; whether they will freeze is
theirs to decide, and what they ask for may have changed since the date of the source: check it before you send.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from shieldwall.errors import BadText
from shieldwall.intel.fields import text_of, texts_of
from shieldwall.intel.known import KnownTag, plain_name
from shieldwall.intel.tag import SERVICE_CATEGORIES, iso_moment
from shieldwall.intel.textfile import decode, read_bytes

ROLES = ("exchange", "issuer", "payment_processor", "hosted_wallet")
STATED_BY = ("self", "copy", "other")

_SHIPPED = "freeze_directory.toml"
_TEXTS = ("id", "name", "role", "legal_entity", "country", "channel", "requires")
_LISTS = ("actors", "labels", "assets")
_SOURCE_TEXTS = ("title", "url", "as_of", "stated_by")


@dataclass(frozen=True, slots=True)
class EntrySource:
    """Where an entry's words come from.

    Attributes:
        title: Of the page or document.
        url: Its address.
        as_of: The date that it states of itself; "" when it states none.
        stated_by: "self" (the service's own page), "copy" (its words, on another site) or "other" (somebody about it).
    """

    title: str
    url: str
    as_of: str
    stated_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One service or issuer that can freeze.

    Attributes:
        id: Its name in the directory.
        name: Its name for people.
        role: One of `ROLES`.
        actors: Actor ids of tags that mean it.
        labels: Labels of tags without an actor that mean it, compared by letters and digits.
        legal_entity: To whom a request is addressed; "" when its sources do not say.
        country: Where that is (ISO 3166, two letters); "" when its sources do not say.
        channel: How a request reaches it; "" when its sources do not say.
        requires: What it asks for, and what else a requester must know.
        assets: Of an issuer: the tokens that it can freeze at any address.
        sources: Where all this comes from; at least one.
    """

    id: str
    name: str
    role: str
    actors: tuple[str, ...]
    labels: tuple[str, ...]
    legal_entity: str
    country: str
    channel: str
    requires: str
    assets: tuple[str, ...]
    sources: tuple[EntrySource, ...]

    @property
    def as_of(self) -> str:
        """The latest date that a source states; "" when none does."""
        return max(source.as_of for source in self.sources)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, keys in a fixed order."""
        plain: dict[str, Any] = {name: getattr(self, name) for name in _TEXTS}
        plain |= {name: list(getattr(self, name)) for name in _LISTS}
        sources = [{name: getattr(source, name) for name in _SOURCE_TEXTS} for source in self.sources]
        return plain | {"as_of": self.as_of, "sources": sources}


@dataclass(frozen=True, slots=True)
class Directory:
    """Entries by id, and the day on which they were last gone through."""

    dated: str
    entries: tuple[Entry, ...]

    def with_further(self, other: Directory) -> Directory:
        """Both; an entry of `other` takes the place of one with the same id. The older date holds for the whole."""
        entries = {entry.id: entry for entry in (*self.entries, *other.entries)}
        return Directory(min(self.dated, other.dated), tuple(entries[key] for key in sorted(entries)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Freezer:
    """An entry, and the labels of the tags (or the asset) that led to it."""

    entry: Entry
    because: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return self.entry.as_dict() | {"because": list(self.because)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Freezable:
    """Who can freeze the money at a subject.

    Attributes:
        freezers: By id.
        unlisted: Labels of services that are tagged but not in the directory: somebody may be able to, and this
            directory does not know who.
        dated: The directory's date.
    """

    freezers: tuple[Freezer, ...]
    unlisted: tuple[str, ...]
    dated: str

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "freezable_by": [freezer.as_dict() for freezer in self.freezers],
            "not_in_directory": list(self.unlisted),
            "directory_dated": self.dated,
        }


def freezable_by(
    tags: Iterable[KnownTag],
    directory: Directory,
    *,
    asset: str = "",
    services: frozenset[str] = SERVICE_CATEGORIES,
) -> Freezable:
    """Who can freeze what lies at a subject with these tags.

    Only tags whose category is one of `services` count: an address that a thief of an exchange used is not the
    exchange's. An issuer counts when the money is its token.

    Args:
        tags: What is known about the subject (`Known.tags`).
        directory: Whom to look in.
        asset: The token, for a token; "" for a chain's own coin, which no issuer can freeze.
        services: Categories that hold money for others.
    """
    because: dict[str, set[str]] = {}
    unlisted = set()
    for tag in tags:
        if tag.category not in services:
            continue
        matched = [entry for entry in directory.entries if _means(entry, tag)]
        if not matched:
            unlisted.add(tag.label)
        for entry in matched:
            because.setdefault(entry.id, set()).add(tag.label)
    for entry in directory.entries:
        if asset and asset.upper() in (token.upper() for token in entry.assets):
            because.setdefault(entry.id, set()).add(asset)
    by_id = {entry.id: entry for entry in directory.entries}
    freezers = (Freezer(entry=by_id[key], because=tuple(sorted(because[key]))) for key in sorted(because))
    return Freezable(freezers=tuple(freezers), unlisted=tuple(sorted(unlisted)), dated=directory.dated)


def shipped() -> Directory:
    """The directory that comes with the program."""
    raw = resources.files("shieldwall.intel").joinpath("data", _SHIPPED).read_bytes()
    return parse_directory(raw, _SHIPPED)


def read_directory(path: Path) -> Directory:
    """A directory of one's own, in the form of the shipped one.

    Raises:
        UsageError: The file cannot be opened.
        BadText: Not TOML, or an entry that breaks the form; file and entry are named.
    """
    return parse_directory(read_bytes(path, limit=4 * 1024 * 1024), str(path))


def parse_directory(raw: bytes, place: str) -> Directory:
    """`read_directory` of bytes at hand."""
    try:
        document = tomllib.loads(decode(raw, place))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadText(
            f"{place}: not TOML ({error})", hint="take the shipped freeze_directory.toml as the form"
        ) from None
    dated = _date(document.get("dated"), "dated", place)
    entries: dict[str, Entry] = {}
    for number, plain in enumerate(_tables(document.get("entry"), place), start=1):
        entry = _entry(plain, f"{place}: entry {number}")
        if entry.id in entries:
            raise BadText(f"{place}: two entries are called {entry.id!r}", hint="rename one")
        entries[entry.id] = entry
    if not dated:
        raise BadText(f"{place}: a directory needs its date", hint='write dated = "2026-11-23" at the top')
    return Directory(dated, tuple(entries[key] for key in sorted(entries)))


def _means(entry: Entry, tag: KnownTag) -> bool:
    if tag.actor:
        return plain_name(tag.actor) in {plain_name(actor) for actor in entry.actors}
    return plain_name(tag.label) in {plain_name(label) for label in entry.labels}


def _entry(plain: Mapping[str, Any], place: str) -> Entry:
    unknown = sorted(set(plain) - {*_TEXTS, *_LISTS, "source"})
    if unknown:
        raise BadText(f"{place}: an entry has no field {unknown[0]!r}", hint="see the shipped freeze_directory.toml")
    texts = {name: text_of(plain.get(name), name, place) for name in _TEXTS}
    lists = {name: tuple(texts_of(plain.get(name), name, place)) for name in _LISTS}
    if not texts["id"] or not texts["name"]:
        raise BadText(f"{place}: an entry needs an id and a name", hint="add them")
    if texts["role"] not in ROLES:
        raise BadText(f"{place}: the role {texts['role']!r} is none of {', '.join(ROLES)}", hint="choose one")
    sources = tuple(_source(source, place) for source in _tables(plain.get("source"), place))
    if not sources:
        raise BadText(f"{place}: an entry without a source is hearsay", hint="add [[entry.source]] with a title")
    return Entry(sources=sources, **texts, **lists)  # type: ignore[arg-type]


def _source(plain: Mapping[str, Any], place: str) -> EntrySource:
    texts = {name: text_of(plain.get(name), name, place) for name in ("title", "url", "stated_by")}
    if not texts["title"] or texts["stated_by"] not in STATED_BY or set(plain) - set(_SOURCE_TEXTS):
        raise BadText(
            f"{place}: a source has title, url, as_of and stated_by ({', '.join(STATED_BY)})",
            hint="see the shipped freeze_directory.toml",
        )
    return EntrySource(as_of=_date(plain.get("as_of"), "as_of", place), **texts)


def _date(value: Any, name: str, place: str) -> str:  # noqa: ANN401 - any TOML value
    text = text_of(value, name, place)
    try:
        return iso_moment(text)[:10] if text else ""
    except ValueError:
        raise BadText(f"{place}: {name!r} is {text[:40]!r}, which is no date", hint='write "2026-11-23"') from None


def _tables(value: Any, place: str) -> list[Mapping[str, Any]]:  # noqa: ANN401
    tables = [] if value is None else value
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise BadText(f"{place}: entries and sources are lists of tables", hint="write [[entry]] and [[entry.source]]")
    return tables
