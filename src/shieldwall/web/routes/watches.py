"""Watches, and the alarms that they rang."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request, Response

from shieldwall.model.access import Permission
from shieldwall.store.watches import Alarm, Delivery, Watch
from shieldwall.web.door import Routes
from shieldwall.web.moments import moment
from shieldwall.web.paging import Cursor, Most, open_cursor, seal_cursor
from shieldwall.web.rules import CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import HandlingShape, Id
from shieldwall.web.shapes.watches import Alarms, AlarmShape, DeliveryShape, WatchAsked, Watches, WatchShape
from shieldwall.web.versions import tagged

routes = Routes("watches")

WatchId = Annotated[Id, Path(description="Id of the watch.")]
AlarmId = Annotated[Id, Path(description="Id of the alarm.")]


@routes.get("/watches", Rule("watch.list", Permission.READ))
def list_watches(
    node: NodeHere,
    caller: CallerHere,
    active: Annotated[bool | None, Query(description="Those that look, or those that were stopped.")] = None,
    cursor: Cursor = "",
    most: Most = 50,
) -> Watches:
    """Watches, the newest first."""
    after = open_cursor(node, caller, cursor) or ""
    with node.store.look(caller.identity, caller.act) as work:
        found = work.watches.page(after=after, most=most + 1, active=active)
    following = seal_cursor(node, caller, found[most - 1].id) if len(found) > most else None
    return Watches(watches=[watch_shape(watch) for watch in found[:most]], next=following)


@routes.post("/watches", Rule("watch.add", Permission.WRITE), status_code=201)
def add_watch(node: NodeHere, caller: CallerHere, asked: WatchAsked) -> WatchShape:
    """Watch an address, the cluster of an address, or the ends of a saved trace. What is there already does not ring."""
    target = {"file": asked.target} if asked.kind == "end" else {"address": asked.target}
    if asked.kind == "cluster":
        target["clustering"] = asked.clustering
    handling = asked.handling.of(caller.identity.person)
    watch = node.watcher.add(
        caller.identity,
        asked.kind,
        target,
        handling,
        channels=asked.channels,
        note=asked.note,
        network=asked.network,
    )
    return watch_shape(watch)


@routes.get("/watches/{watch_id}", Rule("watch.show", Permission.READ), response_model=WatchShape)
def show_watch(
    node: NodeHere, caller: CallerHere, watch_id: WatchId, request: Request, response: Response
) -> WatchShape | Response:
    """A watch, and how far it has looked."""
    with node.store.look(caller.identity, caller.act, watch=watch_id) as work:
        watch = work.watches.get(watch_id)
    return tagged(request, response, watch_shape(watch))


@routes.delete("/watches/{watch_id}", Rule("watch.stop", Permission.WRITE))
def stop_watch(node: NodeHere, caller: CallerHere, watch_id: WatchId) -> WatchShape:
    """Stop a watch; its alarms stay."""
    with node.store.act(caller.identity, caller.act, watch=watch_id) as work:
        return watch_shape(work.watches.stop(watch_id))


@routes.get("/alarms", Rule("alarm.list", Permission.READ))
def list_alarms(
    node: NodeHere,
    caller: CallerHere,
    watch: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$", description="Only those of this watch.")] = "",
    answered: Annotated[bool | None, Query(description="Those that somebody has answered, or not.")] = None,
    cursor: Cursor = "",
    most: Most = 50,
) -> Alarms:
    """Alarms, the newest first, with what is left to answer counted."""
    after = open_cursor(node, caller, cursor) or ""
    with node.store.look(caller.identity, caller.act) as work:
        found = work.watches.alarms(after=after, most=most + 1, watch=watch, answered=answered)
        waiting = work.watches.unanswered()
    following = seal_cursor(node, caller, found[most - 1].id) if len(found) > most else None
    return Alarms(alarms=[alarm_shape(alarm) for alarm in found[:most]], unanswered=waiting, next=following)


@routes.get("/alarms/{alarm_id}", Rule("alarm.show", Permission.READ))
def show_alarm(node: NodeHere, caller: CallerHere, alarm_id: AlarmId) -> AlarmShape:
    """An alarm, with the ways that it went out."""
    with node.store.look(caller.identity, caller.act, alarm=alarm_id) as work:
        return alarm_shape(work.watches.alarm(alarm_id), work.watches.deliveries(alarm_id))


@routes.post("/alarms/{alarm_id}/answer", Rule("alarm.answer", Permission.WRITE))
def answer_alarm(node: NodeHere, caller: CallerHere, alarm_id: AlarmId) -> AlarmShape:
    """Say that one has seen to it."""
    with node.store.act(caller.identity, caller.act, alarm=alarm_id) as work:
        return alarm_shape(work.watches.answer(alarm_id))


def watch_shape(watch: Watch) -> WatchShape:
    """A watch, shaped."""
    tip = watch.seen.get("tip") or [None]
    height = tip[0]
    return WatchShape.model_construct(
        id=watch.id,
        kind=watch.kind,
        target=dict(watch.target["what"]),
        channels=list(watch.target["channels"]),
        note=watch.target["note"],
        active=watch.active,
        seen_height=height if isinstance(height, int) else None,
        created=moment(watch.created_at),
        handling=HandlingShape.of(watch.handling),
    )


def alarm_shape(alarm: Alarm, deliveries: list[Delivery] | None = None) -> AlarmShape:
    """An alarm, shaped."""
    return AlarmShape.model_construct(
        id=alarm.id,
        watch=alarm.watch,
        rang=moment(alarm.rang_at),
        event=dict(alarm.body),
        answered=moment(alarm.answered_at),
        answered_by=alarm.answered_by or "",
        deliveries=[_delivery(each) for each in deliveries or ()],
        handling=HandlingShape.of(alarm.handling),
    )


def _delivery(delivery: Delivery) -> DeliveryShape:
    """Where a delivery stands; to which address is not told: an endpoint's URL may be a secret."""
    return DeliveryShape.model_construct(
        id=delivery.id,
        channel=delivery.channel,
        state=delivery.state.value,
        attempts=delivery.attempts,
        next=moment(delivery.next_at),
        error=delivery.error,
    )
