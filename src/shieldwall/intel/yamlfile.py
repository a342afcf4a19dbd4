"""YAML from outside, read as plain data and nothing else.

YAML's full language is a hazard: anchors unfold a small file into gigabytes, tags build objects, `no` turns into False
and a date into a local object. This reader takes the parser's events and builds mappings, lists, text, whole numbers,
true, false and null; everything else is text as written (dates and decimals too) or refused.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NoReturn

import yaml

from shieldwall.errors import BadText
from shieldwall.intel.textfile import decode, read_bytes

MAX_DEPTH = 32  # containers inside containers; real packs need 4

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")  # longer runs of digits are names, not numbers
_STRING_TAG = "tag:yaml.org,2002:str"


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - any plain value
    """The one document of a YAML file as plain values.

    Raises:
        UsageError: The file cannot be opened.
        BadText: Too long, not UTF-8, not YAML, or YAML that unfolds, nests too deeply, repeats a key, or holds several
            documents; file and line are named.
    """
    return parse_yaml(read_bytes(path), str(path))


def parse_yaml(raw: bytes, place: str) -> Any:  # noqa: ANN401 - any plain value
    """`read_yaml` of bytes at hand; `place` names them in errors."""
    text = decode(raw, place)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times faster, where PyYAML has it
    builder = _Builder(place)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{place}:{mark.line + 1}" if mark else place
        problem = getattr(error, "problem", None) or "a character that YAML does not allow"
        raise BadText(
            f"{where}: not YAML ({problem})", hint="mend the line, or read the file as a list or CSV"
        ) from None
    return builder.document


class _Builder:
    """Events in, one plain value out; a stack instead of recursion, so that no nesting can exhaust Python's."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.document: Any = None
        self._documents = 0
        self._open: list[tuple[Any, list[str]]] = []  # a container, and the key that waits for its value (or none)

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                self._check(event)
                if self._wants_key():
                    self._take_key(event)
                else:
                    self._put(self._scalar(event))
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._check(event)
                if event.tag is not None:
                    self._refuse(event, f"the tag {event.tag}")
                if self._wants_key():
                    self._refuse(event, "a list or mapping as a key")
                if len(self._open) >= MAX_DEPTH:
                    self._refuse(event, f"more than {MAX_DEPTH} levels of nesting")
                self._open.append(({} if isinstance(event, yaml.MappingStartEvent) else [], []))
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._put(self._open.pop()[0])
            case yaml.AliasEvent():
                self._refuse(event, "an alias (*)")
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._refuse(event, "a second document")
            case _:
                pass

    def _wants_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1][0], dict) and not self._open[-1][1]

    def _check(self, event: Any) -> None:  # noqa: ANN401 - any node event
        if event.anchor is not None:
            self._refuse(event, f"an anchor (&{event.anchor})")

    def _take_key(self, event: yaml.ScalarEvent) -> None:
        container, waiting = self._open[-1]
        if event.value == "<<":
            self._refuse(event, "a merge key (<<)")
        if event.value in container:
            self._refuse(event, f"the key {event.value[:40]!r} twice")
        waiting.append(event.value)

    def _put(self, value: Any) -> None:  # noqa: ANN401
        if not self._open:
            self.document = value
            return
        container, waiting = self._open[-1]
        if isinstance(container, dict):
            container[waiting.pop()] = value
        else:
            container.append(value)

    def _scalar(self, event: yaml.ScalarEvent) -> str | int | bool | None:
        if event.tag not in (None, "!", _STRING_TAG):
            self._refuse(event, f"the tag {event.tag}")
        text: str = event.value
        if not text.isascii() and not text.isprintable() and any("\ud800" <= c <= "\udfff" for c in text):
            self._refuse(event, "half of a character pair (a lone surrogate)")
        if event.tag is not None or event.style:  # quoted, block or marked as text
            return text
        if text in _NULL:
            return None
        if text in _BOOLEANS:
            return _BOOLEANS[text]
        return int(text) if _INTEGER.fullmatch(text) else text

    def _refuse(self, event: yaml.Event, what: str) -> NoReturn:
        mark = event.start_mark
        line = mark.line + 1 if mark else 0
        raise BadText(f"{self.place}:{line}: {what} is refused", hint="write the file out in plain YAML, one document")
