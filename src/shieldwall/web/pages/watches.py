"""Money that moved: alarms and the watches that rang them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query, Request, Response

from shieldwall.model.access import Permission
from shieldwall.web.pages.door import FormHere, Pages, own_place, seen
from shieldwall.web.pages.rendering import page
from shieldwall.web.rules import PEOPLE, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import Id

pages = Pages("watches")

MOST = 100


@pages.get("/alarms", Rule("alarm.list", Permission.READ, PEOPLE))
def list_alarms(
    node: NodeHere,
    caller: CallerHere,
    request: Request,
    show: Literal["waiting", "answered", "all"] = "waiting",
    watch: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")] = "",
    after: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")] = "",
) -> Response:
    """Alarms, the newest first."""
    answered = {"waiting": False, "answered": True, "all": None}[show]
    with node.store.look(caller.identity, caller.act) as work:
        found = work.watches.alarms(after=after, most=MOST + 1, watch=watch, answered=answered)
        waiting = work.watches.unanswered()
        names = work.people.names(alarm.answered_by for alarm in found if alarm.answered_by)
    following = found[MOST - 1].id if len(found) > MOST else ""
    return page(
        request,
        "alarms",
        caller,
        alarms=found[:MOST],
        unanswered=waiting,
        show=show,
        watch=watch,
        names=names,
        following=following,
    )


@pages.post("/alarms/{alarm_id}/answer", Rule("alarm.answer", Permission.WRITE, PEOPLE))
def answer_alarm(node: NodeHere, caller: CallerHere, alarm_id: Annotated[Id, Path()], form: FormHere) -> Response:
    """Say that one has seen to an alarm."""
    with node.store.act(caller.identity, caller.act, alarm=alarm_id) as work:
        work.watches.answer(alarm_id)
    return seen(own_place(form.text("back", "/alarms")))


@pages.get("/watches", Rule("watch.list", Permission.READ, PEOPLE))
def list_watches(
    node: NodeHere,
    caller: CallerHere,
    request: Request,
    after: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")] = "",
) -> Response:
    """Watches, the newest first, and how far each has looked."""
    with node.store.look(caller.identity, caller.act) as work:
        found = work.watches.page(after=after, most=MOST + 1)
        now = work.now
    following = found[MOST - 1].id if len(found) > MOST else ""
    return page(request, "watches", caller, watches=found[:MOST], now=now, following=following)


@pages.post("/watches/{watch_id}/stop", Rule("watch.stop", Permission.WRITE, PEOPLE))
def stop_watch(node: NodeHere, caller: CallerHere, watch_id: Annotated[Id, Path()]) -> Response:
    """Stop a watch; its alarms stay."""
    with node.store.act(caller.identity, caller.act, watch=watch_id) as work:
        work.watches.stop(watch_id)
    return seen("/watches")
