"""Tag sets: which claims a version of a set has. Each tag is a claim of its own; a set is a name for many, and never changes.

What a set is called and says of itself is sealed, and so is which claims are in it. A set is seen by whoever may see one of its
tags at least: its marking is the lowest of theirs, and `strictest` the highest. What of it may be seen beyond that is for
`intel` to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from shieldwall.errors import NotFound
from shieldwall.model.access import Handling, may_see
from shieldwall.model.claim import Claim
from shieldwall.model.marking import Marking
from shieldwall.store.ids import new_id
from shieldwall.store.placing import must_place
from shieldwall.store.proving import change, held, one_held, proven
from shieldwall.store.schema import tag_set_parts, tag_sets
from shieldwall.store.visible import columns_of, handling_of, visible

if TYPE_CHECKING:
    from shieldwall.store.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSet:
    """A version of a tag set.

    Attributes:
        id: 32 hex digits.
        info: What it says of itself, as whoever added it wrote it.
        current: Whether it is the newest of its name.
        created_at: Microseconds of Unix time.
        handling: Who may learn that there is such a set.
        whole: Whether whoever asks may see all of its tags.
    """

    id: str
    info: bytes
    current: bool
    created_at: int
    handling: Handling
    whole: bool


class TagSetRows:
    """The tag sets, within one act."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def members(self, given: Sequence[Claim], *, case: str | None = None, group: str | None = None) -> list[int]:
        """Add claims, and tell the number of each in the store; see `Claims.add` for what may go wrong."""
        self._work.claims.add(given, case=case, group=group)
        return self._work.claims.numbers(given, case=case, group=group)

    def keyed_version(self, digest: str) -> str:
        """12 hex digits for a version whose digest would tell who sees a part of it about the rest."""
        return self._work.store.secrets.keyed("tag set", digest).hex()[:12]

    def add(
        self,
        name: str,
        version: str,
        info: bytes,
        parts: Iterable[bytes],
        *,
        lowest: Marking,
        strictest: Marking,
        case: str | None = None,
        group: str | None = None,
    ) -> bytes | None:
        """Make a version the current one of its name; what was current is kept as an older one.

        Args:
            name: Of the set; one of this name of another owner, case or group is another set.
            version: Of it; one that is there already becomes current again.
            info: What it says of itself.
            parts: Which claims are in it, in the caller's own form.
            lowest: The lowest marking among its tags.
            strictest: The highest.
            case: Id of the case that it belongs to.
            group: Id of the group that it is for.

        Returns:
            The `info` of the version that was current before; None for none.

        Raises:
            NotAllowed: Whoever asks may not write.
            NotFound: No such case or group that they are a member of.
            Conflict: The case is closed.
        """
        identity, secrets = self._work.identity, self._work.store.secrets
        handling = must_place(self._work, Handling(marking=lowest, owner=identity.person, case=case, group=group))
        place = (name, handling.owner, case or "", group or "")
        name_key, key = secrets.keyed_number("tag set", *place), secrets.keyed("tag set version", version, *place)
        self._work.store.backend.lock_intake(self._work.connection)
        execute = self._work.connection.execute
        newest = (tag_sets.c.name_key == name_key, tag_sets.c.current.is_(True))
        before = execute(select(tag_sets).where(*newest)).first()
        previous = None if before is None else self._work.open(tag_sets.name, "info", before.id, before.info_sealed)
        change(self._work, tag_sets, *newest, values={"current": False})
        set_id = execute(select(tag_sets.c.id).where(tag_sets.c.key == key)).scalar()
        if set_id is not None:
            change(self._work, tag_sets, tag_sets.c.id == set_id, values={"current": True})
        else:
            set_id = new_id()
            row = {
                "id": set_id,
                "key": key,
                "name_key": name_key,
                "current": True,
                "strictest": int(strictest),
                "created_at": self._work.now,
                "info_sealed": self._work.seal(tag_sets.name, "info", set_id, info),
                **columns_of(handling),
            }
            execute(insert(tag_sets).values(proven(self._work, tag_sets, row)))
            for number, part in enumerate(parts):
                sealed = self._work.seal(tag_set_parts.name, "members", f"{set_id}:{number}", part)
                execute(insert(tag_set_parts).values(set_id=set_id, number=number, members_sealed=sealed))
        self._work.note(set=set_id)
        return previous

    def stamp(self) -> tuple[int, int]:
        """Changes whenever a version was added or another one became current; tells nothing that is not for whoever asks."""
        query = select(func.count(), func.coalesce(func.sum(tag_sets.c.created_at), 0)).where(
            tag_sets.c.current.is_(True)
        )
        count, moments = self._work.connection.execute(query).one()
        return int(count), int(moments)

    def all(self) -> list[KeptSet]:
        """Every version of every set of which whoever asks may see something, the oldest first."""
        query = select(tag_sets).where(visible(self._work.identity, tag_sets))
        found = []
        rows = self._work.connection.execute(query.order_by(tag_sets.c.created_at, tag_sets.c.id))
        for row in held(self._work, tag_sets, rows):
            handling = handling_of(row)
            if not may_see(self._work.identity, handling):
                continue
            whole = may_see(self._work.identity, replace(handling, marking=Marking(row.strictest)))
            info = self._work.open(tag_sets.name, "info", row.id, row.info_sealed)
            found.append(
                KeptSet(
                    id=row.id,
                    info=info,
                    current=row.current,
                    created_at=row.created_at,
                    handling=handling,
                    whole=whole,
                )
            )
        return found

    def parts(self, set_id: str) -> Iterator[bytes]:
        """Which claims are in a version, as it was written.

        Raises:
            NotFound: None that whoever asks may see.
        """
        seen = (tag_sets.c.id == set_id, visible(self._work.identity, tag_sets))
        if one_held(self._work, tag_sets, *seen) is None:
            raise NotFound("there is no such tag set")
        columns = tag_set_parts.c
        query = select(columns.number, columns.members_sealed).where(columns.set_id == set_id).order_by(columns.number)
        for row in self._work.connection.execute(query):
            yield self._work.open(tag_set_parts.name, "members", f"{set_id}:{row.number}", row.members_sealed)
