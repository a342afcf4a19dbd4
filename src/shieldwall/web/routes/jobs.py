"""Background work: asked for, followed as it goes, stopped."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from anyio import CapacityLimiter, to_thread
from fastapi import Path, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from shieldwall.model.access import Permission
from shieldwall.node.jobs.events import Subscription
from shieldwall.store.ids import new_id
from shieldwall.store.jobs import Job
from shieldwall.web.door import IDEMPOTENCY_KEY, Routes
from shieldwall.web.moments import moment
from shieldwall.web.paging import Cursor, Most, open_cursor, seal_cursor
from shieldwall.web.rules import PEOPLE, CallerHere, NodeHere, Rule, again_of, caller_of
from shieldwall.web.shapes.base import Done, HandlingShape, Id
from shieldwall.web.shapes.jobs import JobAsked, Jobs, JobShape, LoadShape, Work

routes = Routes("jobs")

JobId = Annotated[Id, Path(description="Id of the job.")]
EVENTS = "text/event-stream"
LISTENERS = 64
"""Who may follow jobs at once."""

MOST_OF_ONE = 8
"""Jobs that one person may follow at once."""

_PAUSE = 15.0  # seconds after which a line without news shows that the connection stands
_STREAM = {
    200: {
        "description": "Server-sent events: `job`, whose data is a Job.",
        "content": {EVENTS: {"schema": {"type": "string"}}},
    }
}


@routes.get("/jobs", Rule("job.list", Permission.READ))
def list_jobs(
    node: NodeHere,
    caller: CallerHere,
    state: Annotated[
        Literal["", "queued", "running", "done", "failed", "cancelled"], Query(description="Only these.")
    ] = "",
    kind: Annotated[str, Query(max_length=40, description="Only those of this kind.")] = "",
    cursor: Cursor = "",
    most: Most = 50,
) -> Jobs:
    """Background work, the newest first."""
    after = open_cursor(node, caller, cursor) or ""
    with node.store.look(caller.identity, caller.act) as work:
        found = work.jobs.page(after=after, most=most + 1, kind=kind, state=state)
    following = seal_cursor(node, caller, found[most - 1].id) if len(found) > most else None
    return Jobs(jobs=[job_shape(job) for job in found[:most]], next=following)


@routes.post("/jobs", Rule("job.add", Permission.WRITE), status_code=202)
def add_job(
    node: NodeHere,
    caller: CallerHere,
    asked: JobAsked,
    request: Request,
) -> JobShape:
    """Ask for background work."""
    handling = asked.handling.of(caller.identity.person)
    job, _ = node.runner.add(
        caller.identity, asked.kind, asked.params, request.headers.get(IDEMPOTENCY_KEY) or new_id(), handling
    )
    return job_shape(job)


@routes.get("/jobs/{job_id}", Rule("job.show", Permission.READ))
def show_job(node: NodeHere, caller: CallerHere, job_id: JobId) -> JobShape:
    """How far a job is, and what came of it."""
    with node.store.look(caller.identity, caller.act, job=job_id) as work:
        return job_shape(work.jobs.get(job_id))


@routes.delete("/jobs/{job_id}", Rule("job.cancel", Permission.WRITE))
def cancel_job(node: NodeHere, caller: CallerHere, job_id: JobId) -> JobShape:
    """Have a job stop at its next step."""
    with node.store.look(caller.identity, caller.act, job=job_id) as work:
        work.jobs.get(job_id)  # whoever runs the node stops what they do not see by /work, which shows nothing
    return job_shape(node.runner.cancel(caller.identity, job_id))


@routes.get("/work", Rule("job.load", Permission.MANAGE, PEOPLE))
def show_work(node: NodeHere, caller: CallerHere) -> Work:
    """The jobs that wait or run, for whoever runs the node: whose and of which kind, nothing of what they are about."""
    with node.store.look(caller.identity, caller.act) as work:
        found = work.jobs.load(most=500)
    shapes = [
        LoadShape.model_construct(
            id=one.id,
            kind=one.kind,
            owner=one.owner,
            state=one.state.value,
            attempt=one.attempt,
            created=moment(one.created_at),
        )
        for one in found
    ]
    return Work(work=shapes)


@routes.delete("/work/{job_id}", Rule("job.cancel", Permission.MANAGE, PEOPLE))
def stop_work(node: NodeHere, caller: CallerHere, job_id: JobId) -> Done:
    """Stop anybody's job, unseen."""
    node.runner.cancel(caller.identity, job_id)
    return Done()


@routes.get(
    "/jobs/{job_id}/events", Rule("job.follow", Permission.READ), response_class=StreamingResponse, responses=_STREAM
)
async def follow_job(node: NodeHere, caller: CallerHere, job_id: JobId, request: Request) -> StreamingResponse:
    """How a job goes, as it goes, until it ends."""
    subscription = await run_in_threadpool(node.runner.subscribe, caller.identity, job_id, again_of(request))
    listeners: CapacityLimiter = request.app.state.listeners
    return StreamingResponse(
        _events(subscription, request, listeners), media_type=EVENTS, headers={"Cache-Control": "no-store"}
    )


async def _events(subscription: Subscription, request: Request, listeners: CapacityLimiter) -> AsyncIterator[str]:
    """Events until the job ends; listeners wait in threads of their own, so that they keep nobody else from an answer."""
    mine: Counter[str] = request.app.state.listening
    who = caller_of(request).identity.person
    if listeners.available_tokens < 1 or mine[who] >= MOST_OF_ONE:
        yield "event: busy\ndata: {}\n\n"  # ask again later, or ask for the job itself
        return
    mine[who] += 1
    try:
        while not subscription.over and not await request.is_disconnected():
            job = await to_thread.run_sync(subscription.next, _PAUSE, limiter=listeners)
            if job is not None:
                data = json.dumps(job_shape(job).model_dump(exclude_none=True), ensure_ascii=False)
                yield f"event: job\ndata: {data}\n\n"
            elif not subscription.over:
                yield ": still there\n\n"
    finally:
        mine[who] -= 1
        subscription.close()


def job_shape(job: Job) -> JobShape:
    """A job, shaped; its parameters are what whoever asked for it knows."""
    return JobShape.model_construct(
        id=job.id,
        kind=job.kind,
        state=job.state.value,
        attempt=job.attempt,
        stage=job.stage,
        done=job.done,
        total=job.total,
        created=moment(job.created_at),
        started=moment(job.started_at),
        ended=moment(job.ended_at),
        outcome=None if job.outcome is None else dict(job.outcome),
        handling=HandlingShape.of(job.handling),
    )
