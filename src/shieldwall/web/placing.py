"""Parameters by which a file says where it belongs."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

_ID = r"^[0-9a-f]{32}$"

OfCase = Annotated[str | None, Query(pattern=_ID, description="Id of a case that one is a member of.")]
OfGroup = Annotated[str | None, Query(pattern=_ID, description="Id of a need-to-know group that one is a member of.")]
