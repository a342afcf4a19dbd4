"""A letter as PDF/A-3b, with its CSV inside, by Typst and the fonts that ship with the program: Latin, Arabic, Japanese.

What people wrote reaches Typst as data alone, never as markup; no font of the machine is looked at, and the same letter gives
the same bytes. A character that no font has would stop the export, so it is replaced by U+FFFD, and said in the letter.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any, Final

from shieldwall.cases.letter import Letter
from shieldwall.errors import UsageError

STANDARD: Final = "a-3b"
_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # would disguise a text
_UNSEEN = re.compile("[\ufe00-\ufe0f\ufeff\u2060\U000e0000-\U000e01ef]")
_MARKED = re.compile("[^\u0300-\u036f\u3099\u309a][\u0300-\u036f\u3099\u309a]+")
_FROM_RIGHT = re.compile("[\u0590-\u08ff\ufb1d-\ufefc]")
_LEFT_RUN = re.compile(
    r"[A-Za-z0-9\u00c0-\u024f](?:[^\u0590-\u08ff\ufb1d-\ufefc\n()\[\]{}«»]*[A-Za-z0-9\u00c0-\u024f%])?"
)


def as_pdf(letter: Letter, day: str, csv: str = "") -> bytes:
    """The letter as PDF/A-3b.

    Args:
        letter: The letter.
        day: Its date, as 2026-10-02: the document's, so that the same letter is the same bytes.
        csv: What stands in the file inside; "" for none.

    Raises:
        UsageError: The extra `pdf` is not installed.
    """
    try:
        import typst  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise UsageError("a letter as PDF needs typst", hint="pip install 'shieldwall[pdf]'") from None

    lost: set[str] = set()
    told = letter.as_dict()
    body = _shown(told, lost, right=letter.direction == "rtl")
    body |= {name: told[name] for name in ("language", "direction", "written_in")}  # for Typst, not for a reader
    if lost:
        names = " ".join(sorted(f"U+{ord(letter_):04X}" for letter_ in lost))
        body["lacks"] = f"{body['lacks']} (U+FFFD: {names})".strip()
    body["day"] = [int(part) for part in day[:10].split("-")]
    inputs = {"data": json.dumps(body, ensure_ascii=False, sort_keys=True), "csv": csv}
    with resources.as_file(resources.files("shieldwall.cases") / "fonts") as fonts:
        made = typst.compile(
            _template(),
            font_paths=typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(fonts)]),
            ignore_system_fonts=True,
            sys_inputs=inputs,
            format="pdf",
            pdf_standards=STANDARD,
            timestamp=0,
        )
    return bytes(made)


@cache
def _template() -> bytes:
    return (resources.files("shieldwall.cases") / "templates" / "letter.typ").read_bytes()


@cache
def _covered() -> frozenset[int]:
    """Every character that one of the fonts of text has."""
    told = json.loads((resources.files("shieldwall.cases") / "fonts" / "coverage.json").read_text(encoding="utf-8"))
    ranges: Iterable[tuple[int, int]] = (
        (first, last) for font in told.values() if font["family"] != "Noto Sans Mono" for first, last in font["ranges"]
    )
    return frozenset(code for first, last in ranges for code in range(first, last + 1))


def _shown(value: Any, lost: set[str], *, right: bool) -> Any:  # noqa: ANN401 - plain JSON values
    if isinstance(value, dict):
        return {name: _shown(each, lost, right=right) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(each, lost, right=right) for each in value]
    if not isinstance(value, str):
        return value
    text = _clean(value, lost)
    if not right:
        return text
    if not _FROM_RIGHT.search(text):  # all of it is written from the left: as a whole, with its brackets and signs
        return "\n".join(f"\u2066{line}\u2069" if line else line for line in text.split("\n"))
    # without isolation the parts of a date or an amount are shown in another order
    return _LEFT_RUN.sub(lambda found: f"\u2066{found[0]}\u2069", text)


def _clean(text: str, lost: set[str]) -> str:
    """Text that the fonts can show. Only a letter with its marks is composed: whole NFC would change Japanese names."""
    plain = _TURNS.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    plain = _MARKED.sub(lambda found: unicodedata.normalize("NFC", found[0]), _UNSEEN.sub("", plain))
    found = []
    for sign in plain:
        if sign == "\n" or ord(sign) in _covered():
            found.append(sign)
        else:
            lost.add(sign)
            found.append("" if unicodedata.category(sign) == "Cc" else "\ufffd")
    return "".join(found)
