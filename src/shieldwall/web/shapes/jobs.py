"""Shapes of background work."""

from __future__ import annotations

from typing import Any, Literal

from shieldwall.web.shapes.base import HandlingAsked, HandlingShape, Id, Page, Shape


class JobAsked(Shape):
    """Background work of another kind: chain.build, chain.follow, screening, cluster.build."""

    kind: Literal["chain.build", "chain.follow", "screening", "cluster.build"]
    params: dict[str, Any]
    handling: HandlingAsked = HandlingAsked()


class JobShape(Shape):
    """Background work: how far it is, and what came of it."""

    id: Id
    kind: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    attempt: int
    stage: str
    done: int
    total: int
    created: str
    started: str = ""
    ended: str = ""
    outcome: dict[str, Any] | None = None
    handling: HandlingShape


class Jobs(Page):
    """Background work."""

    jobs: list[JobShape]


class LoadShape(Shape):
    """A job as whoever runs the node sees it."""

    id: Id
    kind: str
    owner: str
    state: Literal["queued", "running"]
    attempt: int
    created: str


class Work(Shape):
    """The jobs that wait or run."""

    work: list[LoadShape]
