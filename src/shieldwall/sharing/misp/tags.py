"""MISP's tags and distribution as markings, and back; the stricter of the two holds.

Distribution is how far MISP servers pass something on. "This organisation only" and a sharing group of somebody else's server are
no audience that we know, so they stay within the organisation; the wider ones say nothing, since a tag may be stricter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shieldwall.model.marking import Marking, Pap

_TLP = {"white": Marking.CLEAR, "clear": Marking.CLEAR, "green": Marking.GREEN, "amber": Marking.AMBER} | {
    "amber+strict": Marking.AMBER_STRICT,
    "red": Marking.RED,
    "ex:chr": Marking.RED,  # Chatham House Rule: who said it must not be told
}
_PAP = {"white": Pap.CLEAR, "clear": Pap.CLEAR, "green": Pap.GREEN, "amber": Pap.AMBER, "red": Pap.RED}
_OWN_ONLY, _SHARING_GROUP, _INHERIT = "0", "4", "5"


@dataclass(frozen=True, slots=True)
class Said:
    """What something says about its handling; None where it says nothing."""

    marking: Marking | None = None
    pap: Pap | None = None

    def within(self, outer: Said) -> Said:
        """Of a part of something: the stricter of both."""
        markings = [each for each in (self.marking, outer.marking) if each is not None]
        paps = [each for each in (self.pap, outer.pap) if each is not None]
        return Said(max(markings, default=None), max(paps, default=None))


def handling_of(thing: Mapping[str, Any]) -> Said:
    """What an event, an attribute or an object says by its tags and its distribution.

    An unknown word of `tlp:` or `PAP:` is the strictest.
    """
    markings: list[Marking] = []
    paps: list[Pap] = []
    for name in tag_names(thing):
        space, _, word = name.strip().lower().partition(":")
        if space == "tlp":
            markings.append(_TLP.get(word, Marking.RED))
        elif space == "pap":
            paps.append(_PAP.get(word, Pap.RED))
    if str(thing.get("distribution", _INHERIT)) in (_OWN_ONLY, _SHARING_GROUP):
        markings.append(Marking.AMBER_STRICT)
    return Said(max(markings, default=None), max(paps, default=None))


def strictest_within(thing: Any) -> Said:  # noqa: ANN401 - any JSON value
    """The strictest that something, or any part of it, says: of what carries all of it.

    The distribution of a galaxy's cluster is of what everybody may know of a group or malware, and says nothing of the event.
    """
    found, waiting = Said(), [thing]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, Mapping):
            found = handling_of(one).within(found)
            for name, each in one.items():
                waiting.append(_without_distribution(each) if name == "GalaxyCluster" else each)
    return found


def _without_distribution(clusters: Any) -> Any:  # noqa: ANN401 - any JSON value
    several = clusters if isinstance(clusters, list) else [clusters]
    return [{**each, "distribution": _INHERIT} if isinstance(each, Mapping) else each for each in several]


def tag_names(thing: Mapping[str, Any]) -> list[str]:
    """The names of the tags of something, in their order."""
    tags = thing.get("Tag")
    names = [each.get("name") for each in tags if isinstance(each, Mapping)] if isinstance(tags, list) else []
    return list(dict.fromkeys(name for name in names if isinstance(name, str) and name))


def tags_for(marking: Marking, pap: Pap) -> Iterable[dict[str, str]]:
    """The tags that say a marking."""
    yield {"name": "tlp:" + marking.label.partition(":")[2].lower()}
    yield {"name": "PAP:" + pap.name}
