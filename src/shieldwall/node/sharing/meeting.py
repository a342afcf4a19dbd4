"""Which objects meet: they say the same address, hash, name or number, in whatever form and whoever wrote them.

A value that very many objects have says little, and would cost much: it is told as such, and its objects are not listed. Names of
groups and of malware are values, so those of ATT&CK, of galaxies and of partners are merged by their aliases.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shieldwall.errors import NotFound
from shieldwall.model.access import Identity
from shieldwall.sharing.stix.object import StixObject, read_object
from shieldwall.sharing.values import Value, names_of, values_of, word_values

if TYPE_CHECKING:
    from shieldwall.node.node import Node
    from shieldwall.store.stixobjects import KeptObject
    from shieldwall.store.work import Work

MOST = 200
"""Objects that one value may have and still lets them meet."""

_NAMES = ("group", "campaign", "malware")
_MOST_NAMES = 1000  # of one alias group
_MOST_ROUNDS = 8  # of following aliases


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """An object that says the same.

    Attributes:
        kept: It.
        thing: The same, read.
        values: What it has in common.
    """

    kept: KeptObject
    thing: StixObject
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """What meets.

    Attributes:
        objects: Those that may be seen, in the order of arrival.
        common: Values that more than `MOST` objects have: they are listed nowhere.
        names: Where names were followed, every name that leads there, as it is written.
    """

    objects: tuple[Met, ...]
    common: tuple[Value, ...]
    names: tuple[str, ...] = ()


def related(node: Node, identity: Identity, act: str, stix_id: str) -> Meeting:
    """The objects that an object meets.

    Raises:
        NotFound: There is no such object that whoever asks may see.
    """
    with node.store.look(identity, act) as work:
        versions = work.stix.versions(stix_id)
        if not versions:
            raise NotFound("there is no such object")
        values = {value for kept in versions for value in values_of(read_object(kept.raw, stix_id).body)}
        met, common = meet(work, values)
        own = stix_id.lower()
        return Meeting(objects=tuple(each for each in met if each.thing.id.lower() != own), common=tuple(common))


def find(node: Node, identity: Identity, act: str, word: str) -> Meeting:
    """The objects that speak of something: an address, a hash, a technique, or a group or malware by any of its names.

    From a name on, aliases are followed as long as they lead to further ones that may be seen.
    """
    with node.store.look(identity, act) as work:
        asked, met, common = set(word_values(word)), dict[int, Met](), set[Value]()
        done, names = set[Value](), dict[str, None]()
        for _ in range(_MOST_ROUNDS):
            found, many = meet(work, asked - done)
            done |= asked
            common |= set(many)
            met |= {each.kept.seq: each for each in found}
            further = set()
            for each in found:
                if any(kind in _NAMES for kind, _ in each.values):
                    names |= dict.fromkeys(names_of(each.thing.body))
                    further |= {value for value in values_of(each.thing.body) if value[0] in _NAMES}
            asked = set(sorted(further - done)[:_MOST_NAMES])
            if not asked:
                break
        objects = tuple(met[seq] for seq in sorted(met))
        return Meeting(objects=objects, common=tuple(sorted(common)), names=tuple(names))


def meet(work: Work, values: Iterable[Value]) -> tuple[list[Met], list[Value]]:
    """The objects that say one of some values, as far as they may be seen; and the values that more than `MOST` say."""
    by_value = work.stix.meeting(values, most=MOST)
    of: dict[int, list[Value]] = {}
    for value, (numbers, _) in by_value.items():
        for number in numbers:
            of.setdefault(number, []).append(value)
    objects = [
        Met(kept=kept, thing=read_object(kept.raw, "kept"), values=tuple(sorted(of[kept.seq])))
        for kept in work.stix.at(sorted(of))
    ]
    return objects, sorted(value for value, (_, many) in by_value.items() if many)
