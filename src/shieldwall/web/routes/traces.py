"""Traces: made as jobs, saved as frozen files, and drawn from what was saved."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Request, Response

from shieldwall.errors import BadText
from shieldwall.model.access import Permission
from shieldwall.node.node import Node
from shieldwall.node.sheets.frozen import Frozen
from shieldwall.store.ids import new_id
from shieldwall.web.door import IDEMPOTENCY_KEY, Routes
from shieldwall.web.routes.files import file_shape
from shieldwall.web.routes.jobs import job_shape
from shieldwall.web.rules import Caller, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import Id
from shieldwall.web.shapes.jobs import JobShape
from shieldwall.web.shapes.traces import TraceAsked, TraceShape
from shieldwall.web.versions import tagged

routes = Routes("traces")

TraceId = Annotated[Id, Path(description="Id of the file that holds the trace.")]
_SVG = {200: {"description": "The picture.", "content": {"image/svg+xml": {"schema": {"type": "string"}}}}}


@routes.post("/traces", Rule("trace.ask", Permission.WRITE), status_code=202)
def ask_trace(
    node: NodeHere,
    caller: CallerHere,
    asked: TraceAsked,
    request: Request,
) -> JobShape:
    """Follow money, as a job; its outcome names the file that the answer is saved in, with its digest."""
    params: dict[str, Any] = {
        "targets": list(asked.targets),
        "method": asked.method,
        "direction": "backward" if asked.backward else "forward",
        "least": asked.least,
        "transactions": asked.max_transactions,
        "cluster": asked.cluster,
    }
    for name in ("tags", "hops", "until_height"):
        value = getattr(asked, name)
        if value is not None:
            params[name] = list(value) if isinstance(value, list) else value
    if asked.network:
        node.chains.shelf(asked.network)  # told at once: why a job failed, not everybody who sees it may read
        params["network"] = asked.network
    handling = asked.handling.of(caller.identity.person)
    job, _ = node.runner.add(
        caller.identity, "trace", params, request.headers.get(IDEMPOTENCY_KEY) or new_id(), handling
    )
    return job_shape(job)


@routes.get("/traces/{trace_id}", Rule("trace.show", Permission.READ), response_model=TraceShape)
def show_trace(
    node: NodeHere, caller: CallerHere, trace_id: TraceId, request: Request, response: Response
) -> TraceShape | Response:
    """A saved trace: the same forever (docs/spec/trace-result.md)."""
    found = _frozen(node, caller, trace_id)
    return tagged(request, response, TraceShape(file=file_shape(found.file), result=found.body))


@routes.get(
    "/traces/{trace_id}/picture.svg", Rule("trace.picture", Permission.READ), responses=_SVG, response_class=Response
)
def draw_trace(node: NodeHere, caller: CallerHere, trace_id: TraceId) -> Response:
    """The lanes of a saved trace; the same trace is the same picture."""
    from shieldwall.trace.picture import lanes  # noqa: PLC0415 - the node starts without it

    found = _frozen(node, caller, trace_id)
    try:
        picture = lanes(found.body)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        raise BadText("that trace is of a form that this version cannot draw", hint="trace again") from None
    return Response(picture, media_type="image/svg+xml")


def _frozen(node: Node, caller: Caller, trace_id: str) -> Frozen:
    with node.store.look(caller.identity, caller.act, file=trace_id) as work:
        return node.frozen.open(work, trace_id)
