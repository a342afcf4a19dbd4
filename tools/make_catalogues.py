"""Write the catalogues of pages and letters, `catalogues/*.po` of the rooms web and cases: every text that is said to people,
and its translations.

    .venv/bin/python tools/make_catalogues.py
    .venv/bin/python tools/make_catalogues.py --check

Texts are found where they are said: `say("...")` and `count("...", "...", n)` in templates and in Python, there also of an
object, and `message("...")` in Python, for texts that are kept in a table. What is translated stays so, what is new waits for
a translation, what is gone is dropped. With --check nothing is written, and everything that is not as it should be is said.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from shieldwall.cases.languages import LETTERS as LETTER_LANGUAGES
from shieldwall.model.words import FIELD
from shieldwall.web.words import LANGUAGES

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "shieldwall"


@dataclass(frozen=True, slots=True)
class Book:
    """Catalogues that belong together: whose texts they have, where they are, and their languages beside English."""

    rooms: tuple[str, ...]
    templates: str
    catalogues: str
    languages: tuple[str, ...]


PAGES = Book(
    ("cases", "trace", "web"), "web/templates", "web/catalogues", tuple(each for each in LANGUAGES if each != "en")
)
LETTERS = Book(
    ("cases",), "cases/templates", "cases/catalogues", tuple(each for each in LETTER_LANGUAGES if each != "en")
)
BOOKS = (PAGES, LETTERS)
TEXTS = {"say": 1, "message": 1, "count": 2}
"""How many texts each call begins with."""

Texts = tuple[str, ...]  # one, or for a number: one, many
Places = dict[Texts, set[str]]  # the files in which each is said


class UnclearError(Exception):
    """A text that cannot be found without running the program."""


def in_python(source: str, name: str) -> Iterator[Texts]:
    """The texts of a file of Python.

    Raises:
        UnclearError: A text is put together on the spot, so that no catalogue can have it.
    """
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        size = TEXTS.get(called, 0)
        given = [_text(argument, f"{name}:{node.lineno}") for argument in node.args[:size]]
        texts = tuple(text for text in given if text is not None)
        if size and len(texts) == size:
            yield texts
        elif called == "count" and len(node.args) > size:  # no table can mark two texts that belong together
            raise UnclearError(f"{name}:{node.lineno}: count takes two texts and a number")


def _text(argument: ast.expr, place: str) -> str | None:
    """The text of an argument; None where it has another name, and is found where that is made."""
    if isinstance(argument, ast.JoinedStr | ast.BinOp):
        raise UnclearError(f"{place}: a text is put together here: say a whole one, with {{fields}}")
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None


def in_template(source: str, name: str) -> Iterator[Texts]:
    """The texts of a template.

    Raises:
        UnclearError: As `in_python`.
    """
    found = babel_extract(BytesIO(source.encode()), ("say", "count"), (), {"silent": "false"})
    for line, called, arguments, _ in found:
        given = (arguments,) if isinstance(arguments, str | None) else arguments
        texts = tuple(text for text in given[: TEXTS[called]] if text is not None)
        if called == "count" and len(texts) == 1:
            raise UnclearError(f"{name}:{line}: count takes two texts and a number")
        if len(texts) == TEXTS[called]:
            yield texts


def said(package: Path = PACKAGE, book: Book = PAGES) -> Places:
    """Every text that a book's rooms say, with the files that say it, as they are called in the package.

    Raises:
        UnclearError: As `in_python`; or one text is said with two different texts of many.
    """
    places: Places = {}
    paths = [path for room in book.rooms for path in (package / room).rglob("*.py")]
    for path in sorted(paths) + sorted((package / book.templates).rglob("*.j2")):
        source, name = path.read_text(encoding="utf-8"), path.relative_to(package).as_posix()
        for texts in in_python(source, name) if path.suffix == ".py" else in_template(source, name):
            places.setdefault(texts, set()).add(name)
    firsts: dict[str, Texts] = {}
    for texts in places:
        if firsts.setdefault(texts[0], texts) != texts:
            raise UnclearError(
                f"{texts[0]!r} is said alone and for a number, or with two texts of many: say it one way"
            )
    return places


def path_of(language: str, book: Book = PAGES) -> Path:
    """Where a catalogue is."""
    return PACKAGE / book.catalogues / f"{language}.po"


def read(text: bytes, language: str) -> Catalog:
    """A catalogue; the rules of its language for numbers are its own (`Plural-Forms`)."""
    return read_po(BytesIO(text), locale=language)


def renewed(old: Catalog, places: Mapping[Texts, set[str]]) -> Catalog:
    """A catalogue of what is said, with the translations that are there."""
    new = Catalog(locale=old.locale, fuzzy=False)
    for texts, files in places.items():
        found = old.get(texts[0])
        kept = found is not None and _id(found) == texts
        new.add(
            texts if len(texts) > 1 else texts[0],
            found.string if found is not None and kept else None,
            locations=[(name, 1) for name in sorted(files)],
            flags=found.flags - {"python-brace-format"} if found is not None and kept else (),
            user_comments=found.user_comments if found is not None and kept else (),
        )
        if not kept and len(texts) > 1:
            new[texts[0]].string = ("",) * old.num_plurals
    return new


def written(catalog: Catalog, language: str, plural_forms: str) -> bytes:
    """A catalogue's file: the same bytes whoever makes it, and whenever."""
    for message in catalog:
        message.flags.discard("python-brace-format")  # our fields are fewer than Python's, and checked here
    body = BytesIO()
    write_po(body, catalog, width=0, omit_header=True, sort_output=True, include_lineno=False, ignore_obsolete=True)
    head = {"Language": language, "Content-Type": "text/plain; charset=utf-8", "Plural-Forms": plural_forms}
    lines = "".join(f'"{name}: {value}\\n"\n' for name, value in head.items())
    top = f'# Made by tools/make_catalogues.py; only translations (msgstr) are written by hand.\nmsgid ""\nmsgstr ""\n{lines}'
    return f"{top}\n{body.getvalue().decode().strip()}\n".encode()


def problems(catalog: Catalog, places: Mapping[Texts, set[str]]) -> list[str]:
    """What is not as it should be, a sentence each."""
    found = []
    there = {_id(message): message for message in catalog if message.id}
    found += [f"{texts[0]!r} is not in the catalogue" for texts in places if texts not in there]
    for texts, message in there.items():
        if texts not in places:
            found.append(f"{texts[0]!r} is no longer said anywhere")
        if message.fuzzy:
            found.append(f"{texts[0]!r} is fuzzy")
        found += [f"{texts[0]!r}: {problem}" for problem in _wrong(message, texts, catalog.num_plurals)]
    found += [f"{message.id!r} is left over" for message in catalog.obsolete.values()]
    return found


def _wrong(message: Message, texts: Texts, plurals: int) -> Iterator[str]:
    strings = (message.string,) if isinstance(message.string, str | None) else message.string
    if not all(strings) or len(strings) != (plurals if len(texts) > 1 else 1):
        yield "is not translated, or not in every form"
        return
    may_lack = {"number"} if len(texts) > 1 else set()
    wanted = set(FIELD.findall(texts[-1]))
    for string in strings:
        fields = set(FIELD.findall(str(string)))
        if fields - wanted or wanted - fields - may_lack:
            yield f"{string!r} has other fields"


def _id(message: Message) -> Texts:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def check(places: Mapping[Texts, set[str]], book: Book = PAGES) -> list[str]:
    """What is not as it should be in the catalogues of a book."""
    found = []
    for language in book.languages:
        path = path_of(language, book)
        text = path.read_bytes()
        catalog = read(text, language)
        wrong = problems(catalog, places)
        if not wrong and text != written(renewed(catalog, places), language, catalog.plural_forms):
            wrong = ["is not as tools/make_catalogues.py writes it: run it"]
        found += [f"{book.catalogues}/{path.name}: {problem}" for problem in wrong]
    return found


def main() -> int:
    """Write the catalogues, or with --check say what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where something is missing or wrong")
    only_check = parser.parse_args().check
    found: list[str] = []
    for book in BOOKS:
        try:
            places = said(PACKAGE, book)
        except UnclearError as error:
            print(error)
            return 1
        for language in () if only_check else book.languages:
            path = path_of(language, book)
            old = read(path.read_bytes(), language) if path.is_file() else Catalog(locale=language)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(written(renewed(old, places), language, old.plural_forms))
        found += check(places, book)
        print(f"{book.catalogues}: {len(places)} texts, {len(book.languages)} languages")
    print(*found or ["all of them are translated"], sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
