"""Selectors of granular markings (section 7.2.3.1): `description`, `labels.[0]`, `extensions.NAME.value`.

A selector must point to something of its own object; what it points to is marked together with all that lies in it. To take
marked parts out makes another object, never another version of this one: whoever calls `without` gives it an id of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from shieldwall.errors import BadText

_STEP = re.compile(r"\[(\d{1,9})\]|([^.\[\]]{1,250})", re.ASCII)
_DEEPEST = 64
_MANDATORY = frozenset(("type", "id", "spec_version", "created", "modified"))
"""Without these nothing is a STIX object: one that must not show them is not shown at all."""


def steps_of(selector: str, place: str) -> tuple[str | int, ...]:
    """A selector as names and positions.

    Raises:
        BadText: It is none.

    Example:
        >>> steps_of("external_references.[0].url", "here")
        ('external_references', 0, 'url')
    """
    parts = selector.split(".")
    forms = [_STEP.fullmatch(part) for part in parts]
    if not selector or len(parts) > _DEEPEST or not all(forms) or parts[0].startswith("["):
        raise BadText(f"{place}: {selector[:60]!r} is no selector", hint="it is as in labels.[0]")
    return tuple(int(form[1]) if form[1] is not None else form[2] for form in forms if form)


def must_point(body: Mapping[str, Any], selector: str, place: str) -> tuple[str | int, ...]:
    """The steps of a selector that points to something of an object.

    Raises:
        BadText: It points nowhere.
    """
    steps = steps_of(selector, place)
    value: Any = body
    for step in steps:
        if isinstance(step, int):
            inside = isinstance(value, list) and step < len(value)
        else:
            inside = isinstance(value, Mapping) and step in value
        if not inside:
            raise BadText(f"{place}: the selector {selector[:60]!r} points nowhere", hint="name what the object has")
        value = value[step]
    return steps


def without(body: Mapping[str, Any], selectors: Iterable[str], place: str) -> dict[str, Any] | None:
    """A copy of an object without what selectors point to; None where nothing sensible is left.

    Lists and objects that would be empty go as well, since STIX has none. Granular markings go altogether: their positions
    no longer hold, and what stays is marked as a whole.

    Raises:
        BadText: A selector points nowhere.
    """
    gone = {must_point(body, selector, place) for selector in selectors}
    if any(steps[0] in _MANDATORY for steps in gone):
        return None
    kept = _kept({name: value for name, value in body.items() if name != "granular_markings"}, (), gone)
    return kept if isinstance(kept, dict) else None


_NOTHING = object()


def _kept(value: Any, at: tuple[str | int, ...], gone: set[tuple[str | int, ...]]) -> Any:  # noqa: ANN401 - any JSON value
    if at in gone:
        return _NOTHING
    if isinstance(value, Mapping):
        parts = {name: _kept(item, (*at, name), gone) for name, item in value.items()}
        left: Any = {name: item for name, item in parts.items() if item is not _NOTHING}
    elif isinstance(value, list):
        left = [item for place, each in enumerate(value) if (item := _kept(each, (*at, place), gone)) is not _NOTHING]
    else:
        return value
    return left if left or not value else _NOTHING
