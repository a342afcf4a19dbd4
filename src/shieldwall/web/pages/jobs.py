"""Background work: what runs and ran, and how one job goes."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query, Request, Response

from shieldwall.model.access import Permission
from shieldwall.web.pages.door import Pages, seen
from shieldwall.web.pages.rendering import page
from shieldwall.web.pages.traces import place_of
from shieldwall.web.rules import PEOPLE, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import Id

pages = Pages("jobs")

JobId = Annotated[Id, Path()]
MOST = 100


@pages.get("/jobs", Rule("job.list", Permission.READ, PEOPLE))
def list_jobs(
    node: NodeHere,
    caller: CallerHere,
    request: Request,
    state: Literal["", "queued", "running", "done", "failed", "cancelled"] = "",
    after: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")] = "",
) -> Response:
    """Jobs, the newest first."""
    with node.store.look(caller.identity, caller.act) as work:
        found = work.jobs.page(after=after, most=MOST + 1, state=state)
    following = found[MOST - 1].id if len(found) > MOST else ""
    return page(request, "jobs", caller, jobs=found[:MOST], state=state, following=following)


@pages.get("/jobs/{job_id}", Rule("job.show", Permission.READ, PEOPLE))
def show_job(node: NodeHere, caller: CallerHere, request: Request, job_id: JobId) -> Response:
    """How a job goes; where a trace came of it, that is shown to whoever watched it come."""
    with node.store.look(caller.identity, caller.act, job=job_id) as work:
        job = work.jobs.get(job_id)
    place = place_of(job)
    if request.headers.get("hx-request") and place != f"/jobs/{job_id}":
        return Response(status_code=200, headers={"HX-Redirect": place})
    return page(request, "job", caller, job=job, place=place)


@pages.post("/jobs/{job_id}/cancel", Rule("job.cancel", Permission.WRITE, PEOPLE))
def cancel_job(node: NodeHere, caller: CallerHere, job_id: JobId) -> Response:
    """Have a job stop."""
    with node.store.look(caller.identity, caller.act, job=job_id) as work:
        work.jobs.get(job_id)
    node.runner.cancel(caller.identity, job_id)
    return seen(f"/jobs/{job_id}")
