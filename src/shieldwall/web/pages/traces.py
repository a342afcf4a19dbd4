"""Traces: ask for one, and those that there are."""

from __future__ import annotations

import time
from typing import Annotated, Any

from anyio import sleep
from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from shieldwall.errors import BadInput
from shieldwall.model.access import Handling, Permission
from shieldwall.model.marking import Marking, Pap, parse_marking, parse_pap
from shieldwall.node.node import Node
from shieldwall.node.sheets.claimed import SHEET
from shieldwall.store.ids import new_id
from shieldwall.store.jobs import Job, State
from shieldwall.trace.methods import METHODS
from shieldwall.web.pages.door import FormHere, Pages, must_be_one, seen
from shieldwall.web.pages.rendering import page
from shieldwall.web.rules import PEOPLE, Caller, CallerHere, NodeHere, Rule

pages = Pages("traces")

MOST_TRANSACTIONS = 20_000
"""How far a trace goes that is asked for on a page and says nothing else."""

PATIENCE = 1.5
"""Seconds that whoever asks is kept waiting for a short trace before they are shown how it goes."""

_PAUSE = 0.03  # seconds between two looks
_LISTED = 50


@pages.get("/traces", Rule("trace.list", Permission.READ, PEOPLE))
def list_traces(
    node: NodeHere,
    caller: CallerHere,
    request: Request,
    target: Annotated[str, Query(max_length=4000)] = "",
    method: Annotated[str, Query(max_length=20)] = "fifo",
) -> Response:
    """Saved traces and sheets, the newest first, and the form of a new one."""
    with node.store.look(caller.identity, caller.act) as work:
        jobs = work.jobs.page(most=_LISTED, kind="trace", state=State.DONE.value)
        sheets = work.files.page(most=_LISTED, kind="sheet")
        claims = work.claims.newest(kind=SHEET.name, most=4 * _LISTED)
        titles = {kept.claim.statement.get("file"): kept.claim.statement.get("title") for kept in claims}
        traces = {file.id: file for file in work.files.page(most=_LISTED, kind="trace")}
    return page(
        request,
        "traces",
        caller,
        jobs=[job for job in jobs if job.outcome and job.outcome.get("file") in traces],
        traces=traces,
        sheets=[(file, titles.get(file.id) or file.name) for file in sheets],
        asked={"targets": target, "method": method if method in (*METHODS, "all") else "fifo"},
        methods=(*METHODS, "all"),
        networks=node.chains.networks(),
        markings=[each for each in Marking if each <= caller.identity.highest],
        paps=list(Pap),
        most_transactions=MOST_TRANSACTIONS,
    )


@pages.post("/traces", Rule("trace.ask", Permission.WRITE, PEOPLE))
async def ask_trace(node: NodeHere, caller: CallerHere, form: FormHere) -> Response:
    """Follow money; a short trace is shown at once, of a long one how it goes."""
    targets = form.several("targets")
    if not targets:
        raise BadInput("a trace needs something to start from", hint="an address, TXID, TXID:N or TXID:in:N")
    return await begin(node, caller, {"targets": targets, **_limits(form)}, _handling(form, caller))


async def begin(node: Node, caller: Caller, params: dict[str, Any], handling: Handling) -> Response:
    """Ask for a trace, wait a moment for it, and go to it, or to the job."""
    job, _ = await run_in_threadpool(node.runner.add, caller.identity, "trace", params, new_id(), handling)
    end = time.monotonic() + PATIENCE
    while not job.ended and time.monotonic() < end:
        await sleep(_PAUSE)
        job = await run_in_threadpool(_again, node, caller, job.id)
    return seen(place_of(job))


def _again(node: Node, caller: Caller, job_id: str) -> Job:
    with node.store.inside(caller.identity) as work:
        return work.jobs.get(job_id)


def place_of(job: Job) -> str:
    """Where to go from a job: to the trace that came of it, else to the job itself."""
    outcome = job.outcome or {}
    if job.state is State.DONE and job.kind == "trace" and "file" in outcome:
        return f"/traces/{outcome['file']}"
    return f"/jobs/{job.id}"


def _limits(form: FormHere) -> dict[str, Any]:
    found: dict[str, Any] = {
        "method": must_be_one(form.text("method", "fifo"), (*METHODS, "all"), "method"),
        "direction": must_be_one(form.text("direction", "forward"), ("forward", "backward"), "direction"),
        "transactions": form.number("transactions") or MOST_TRANSACTIONS,
        "least": form.number("least") or 0,
    }
    for name in ("hops", "until_height"):
        value = form.number(name)
        if value is not None:
            found[name] = value
    for name in ("network", "cluster"):
        if form.text(name):
            found[name] = form.text(name)
    return found


def _handling(form: FormHere, caller: Caller) -> Handling:
    """Who may see what comes of it: what is not said is the strictest."""
    return Handling(
        marking=parse_marking(form.text("marking") or None),
        pap=parse_pap(form.text("pap") or None),
        owner=caller.identity.person,
        case=form.text("case") or None,
        group=form.text("group") or None,
    )
