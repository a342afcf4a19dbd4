"""What STIX markings demand, in this program's terms: TLP 1 and 2, PAP and IEP 2.0 become levels; the rest stays a condition.

STIX gives no precedence to several markings of one object; here the most restrictive of each kind wins (docs/spec/stix.md). A
marking that is not understood keeps its object with whoever took it in: it is the strictest, and is told by its name.

Sources: STIX 2.1, section 7.2; TLP 2.0, IEP 2.0 and PAP as extension definitions of the OASIS CTI common object repository.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shieldwall.model.marking import STRICTEST, STRICTEST_PAP, Marking, Pap
from shieldwall.sharing.stix.object import StixObject

TLP_2 = {
    Marking.CLEAR: "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    Marking.GREEN: "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    Marking.AMBER: "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    Marking.AMBER_STRICT: "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    Marking.RED: "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
"""The marking definitions of TLP 2.0, by level."""

TLP_1 = {
    Marking.CLEAR: "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
    Marking.GREEN: "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
    Marking.AMBER: "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
    Marking.RED: "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
}
"""Those of TLP 1, which STIX 2.1 has built in; its WHITE is CLEAR."""

PAP = {
    Pap.CLEAR: "marking-definition--ad15a0cd-55b6-4588-a14c-a66105329b92",
    Pap.GREEN: "marking-definition--c43594d1-4b11-4c59-93ab-1c9b14d53ce9",
    Pap.AMBER: "marking-definition--60f8932b-e51e-4458-b265-a2e8be9a80ab",
    Pap.RED: "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e",
}
"""The marking definitions of PAP, by level."""

PAP_WHITE = "marking-definition--a3bea94c-b469-41dc-9cfe-d6e7daba7730"  # the older name of CLEAR

TLP_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
PAP_EXTENSION = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b"
IEP_EXTENSION = "extension-definition--762e2e97-ee51-43e5-a9ea-165fbb862c4a"

_LEVELS = {"white": Marking.CLEAR, "clear": Marking.CLEAR, "green": Marking.GREEN, "amber": Marking.AMBER} | {
    "amber+strict": Marking.AMBER_STRICT,
    "red": Marking.RED,
}
_PAPS = {"white": Pap.CLEAR, "clear": Pap.CLEAR, "green": Pap.GREEN, "amber": Pap.AMBER, "red": Pap.RED}
_ACTIONS = {
    "none": Pap.RED,
    "contact-for-instruction": Pap.RED,  # nobody may act before the provider was asked
    "internally-visible-actions": Pap.RED,
    "externally-visible-indirect-actions": Pap.AMBER,
    "externally-visible-direct-actions": Pap.CLEAR,
}
_ONLY = {"encrypt_in_transit": "must", "provider_attribution": "must-not", "unmodified_resale": "must-not"} | {
    "affected_party_notifications": "must-not"
}


@dataclass(frozen=True, slots=True)
class Demands:
    """What markings ask for, all of them together.

    Attributes:
        marking: TLP; None where nothing says one.
        pap: PAP; None where nothing says one.
        conditions: What else whoever has it must keep to, a sentence each, in the order of the markings.
        unknown: Ids of markings that are not understood or not at hand.
    """

    marking: Marking | None = None
    pap: Pap | None = None
    conditions: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def together(several: Iterable[Demands]) -> Demands:
    """All of several: of each level the strictest one."""
    listed = list(several)
    return Demands(
        max((each.marking for each in listed if each.marking is not None), default=None),
        max((each.pap for each in listed if each.pap is not None), default=None),
        tuple(dict.fromkeys(one for each in listed for one in each.conditions)),
        tuple(dict.fromkeys(one for each in listed for one in each.unknown)),
    )


def _built_in() -> dict[str, Demands]:
    known = {ref: Demands(marking=level) for table in (TLP_1, TLP_2) for level, ref in table.items()}
    known |= {ref: Demands(pap=level) for level, ref in PAP.items()}
    return known | {PAP_WHITE: Demands(pap=Pap.CLEAR)}


BUILT_IN: Mapping[str, Demands] = _built_in()
"""What the marking definitions demand that everybody knows by their ids."""


def demands_of_definition(definition: Mapping[str, Any]) -> Demands:
    """What a marking definition demands.

    A statement (section 7.2.1.4) is a condition and no level. One whose id is built in demands what that id does, whatever
    is written in it.

    Args:
        definition: The value of a `marking-definition`.
    """
    ref = str(definition.get("id", ""))
    if ref in BUILT_IN:
        return BUILT_IN[ref]
    found: list[Demands] = []
    body, kind = definition.get("definition"), definition.get("definition_type")
    if isinstance(body, Mapping) and kind == "tlp" and str(body.get("tlp")) in _LEVELS:
        found.append(Demands(marking=_LEVELS[str(body["tlp"])]))
    if isinstance(body, Mapping) and kind == "statement" and isinstance(body.get("statement"), str):
        found.append(Demands(conditions=(body["statement"],)))
    extensions = definition.get("extensions")
    for name, extension in extensions.items() if isinstance(extensions, Mapping) else ():
        part = _of_extension(name, extension) if isinstance(extension, Mapping) else None
        if part is None:
            return Demands(unknown=(ref,))
        found.append(part)
    return together(found) if found else Demands(unknown=(ref,))


def _of_extension(name: str, extension: Mapping[str, Any]) -> Demands | None:
    """What an extension of a marking definition demands; None where it is not understood."""
    if name == TLP_EXTENSION:
        level = _LEVELS.get(str(extension.get("tlp_2_0")))
        return None if level is None else Demands(marking=level)
    if name == PAP_EXTENSION:
        pap = _PAPS.get(str(extension.get("pap")))
        return None if pap is None else Demands(pap=pap)
    if name == IEP_EXTENSION:
        level, action = _LEVELS.get(str(extension.get("tlp"))), _ACTIONS.get(str(extension.get("permitted_actions")))
        if level is None or action is None:
            return None
        kept = [f"{key.replace('_', ' ')}: {value}" for key, value in _ONLY.items() if extension.get(key) == value]
        asked = extension.get("permitted_actions") == "contact-for-instruction"
        dates = [f"{key.replace('_', ' ')}: {extension[key]}" for key in ("start_date", "end_date") if key in extension]
        conditions = [
            f"IEP: {each}" for each in (*kept, *(["ask the provider before acting"] if asked else []), *dates)
        ]
        return Demands(level, action, tuple(conditions))
    return None


@dataclass(frozen=True, slots=True)
class Levels:
    """How an object is handled by what it carries.

    Attributes:
        marking, pap: What holds.
        unmarked: Nothing says who may see it as a whole, so somebody else's word, or the strictest, holds.
        unknown: Ids of markings that are not understood; then the strictest holds, whatever the others say.
        conditions: What else whoever has it must keep to.
    """

    marking: Marking
    pap: Pap
    unmarked: bool
    unknown: tuple[str, ...]
    conditions: tuple[str, ...]


def levels_of(
    thing: StixObject,
    definitions: Mapping[str, Demands],
    *,
    marking: Marking = STRICTEST,
    pap: Pap = STRICTEST_PAP,
) -> Levels:
    """How an object is handled. A part that is stricter makes the whole so; one that is more open says nothing of the whole.

    Args:
        thing: The object.
        definitions: By id, what marking definitions that came with it or before demand; those built in need not be there.
        marking, pap: Of an object that carries none as a whole.
    """
    whole, parts = joined(thing.markings, definitions), joined([ref for ref, _ in thing.granular if ref], definitions)
    both = together((whole, parts))
    unmarked = whole.marking is None and not both.unknown
    if both.unknown:
        return Levels(STRICTEST, STRICTEST_PAP, unmarked, both.unknown, both.conditions)
    level, action = marking if whole.marking is None else whole.marking, pap if whole.pap is None else whole.pap
    return Levels(
        level if parts.marking is None else max(level, parts.marking),
        action if parts.pap is None else max(action, parts.pap),
        unmarked,
        (),
        both.conditions,
    )


def joined(refs: Iterable[str], definitions: Mapping[str, Demands]) -> Demands:
    """What several markings demand together, by their ids."""
    return together(BUILT_IN.get(ref) or definitions.get(ref) or Demands(unknown=(ref,)) for ref in refs)


def refs_of(marking: Marking, pap: Pap) -> list[str]:
    """The markings that an object of ours carries: TLP 2.0, and PAP where it is not the strictest, as silence means that."""
    return [TLP_2[marking], *([PAP[pap]] if pap < STRICTEST_PAP else [])]


def definition_of(level: Marking | Pap) -> dict[str, Any]:
    """The marking definition of a level, as the common object repository has it."""
    word = level.label.partition(":")[2].lower()
    if isinstance(level, Marking):
        ref, extension, value = TLP_2[level], TLP_EXTENSION, {"tlp_2_0": word}
        created = "2022-10-01T00:00:00.000Z"
    else:
        ref, extension, value = PAP[level], PAP_EXTENSION, {"pap": word}
        created = f"2022-10-0{_PAP_DAYS[level]}T00:00:00.000Z"
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": ref,
        "created": created,
        "name": level.label,
        "extensions": {extension: {"extension_type": "property-extension", **value}},
    }


_PAP_DAYS = {Pap.CLEAR: 1, Pap.AMBER: 2, Pap.RED: 6, Pap.GREEN: 9}
