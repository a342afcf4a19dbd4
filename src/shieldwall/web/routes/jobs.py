"""Background work: asked for, followed as it goes, stopped."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Literal

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
from shieldwall.web.rules import CallerHere, NodeHere, Rule
from shieldwall.web.shapes import HandlingShape, Id, JobAsked, Jobs, JobShape

routes = Routes("jobs")

JobId = Annotated[Id, Path(description="Id of the job.")]
EVENTS = "text/event-stream"
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
    return job_shape(node.runner.cancel(caller.identity, job_id))


@routes.get(
    "/jobs/{job_id}/events", Rule("job.follow", Permission.READ), response_class=StreamingResponse, responses=_STREAM
)
async def follow_job(node: NodeHere, caller: CallerHere, job_id: JobId, request: Request) -> StreamingResponse:
    """How a job goes, as it goes, until it ends."""
    subscription = await run_in_threadpool(node.runner.subscribe, caller.identity, job_id)
    return StreamingResponse(_events(subscription, request), media_type=EVENTS, headers={"Cache-Control": "no-store"})


async def _events(subscription: Subscription, request: Request) -> AsyncIterator[str]:
    try:
        while not subscription.over and not await request.is_disconnected():
            job = await run_in_threadpool(subscription.next, _PAUSE)
            if job is not None:
                data = json.dumps(job_shape(job).model_dump(exclude_none=True), ensure_ascii=False)
                yield f"event: job\ndata: {data}\n\n"
            elif not subscription.over:
                yield ": still there\n\n"
    finally:
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
