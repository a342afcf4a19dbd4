"""Sheets: what one does with a saved trace, each step of which can be taken back; and saved ones, which are frozen."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request, Response

from shieldwall.model.access import Permission
from shieldwall.node.sheets.asking import Asked
from shieldwall.node.sheets.rows import rows_of
from shieldwall.node.sheets.saved import save
from shieldwall.node.sheets.sheet import open_sheet
from shieldwall.node.sheets.stepping import do, redo, undo
from shieldwall.store.sheets import Step
from shieldwall.web.door import Routes
from shieldwall.web.moments import moment
from shieldwall.web.routes.files import file_shape
from shieldwall.web.rules import PEOPLE, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import Id
from shieldwall.web.shapes.files import FileShape
from shieldwall.web.shapes.sheets import SaveAsked, SavedSheetShape, SheetShape, SheetStepShape, StepAsked
from shieldwall.web.versions import tagged

routes = Routes("sheets")

TraceId = Annotated[Id, Path(description="Id of the file that holds the trace.")]
SheetId = Annotated[Id, Path(description="Id of the file that holds the saved sheet.")]


@routes.get("/traces/{trace_id}/sheet", Rule("sheet.show", Permission.READ, PEOPLE))
def show_own_sheet(node: NodeHere, caller: CallerHere, trace_id: TraceId) -> SheetShape:
    """One's own sheet on a trace."""
    sheet = open_sheet(node, caller.identity, caller.act, trace_id)
    return SheetShape(
        file=file_shape(sheet.trace.file),
        digest=sheet.body["digest"],
        steps=[step_shape(step) for step in sheet.steps],
        arrangement=sheet.arrangement.as_dict(),
        rows=rows_of(sheet.body, sheet.columns),
    )


@routes.post("/traces/{trace_id}/sheet/steps", Rule("sheet.step", Permission.READ, PEOPLE), status_code=201)
def take_sheet_step(node: NodeHere, caller: CallerHere, trace_id: TraceId, asked: StepAsked) -> SheetStepShape:
    """Do a step. What it says to others is a claim (or a watch) that is handled as the trace is."""
    step = Asked(
        kind=asked.kind, key=asked.key, value=asked.value, text=asked.text, label=asked.label, category=asked.category
    )
    return step_shape(do(node, caller.identity, caller.act, trace_id, step))


@routes.post("/traces/{trace_id}/sheet/undo", Rule("sheet.undo", Permission.READ, PEOPLE))
def undo_sheet_step(node: NodeHere, caller: CallerHere, trace_id: TraceId) -> SheetStepShape:
    """Take the last step back: what it said is retracted, what it watched is watched no more."""
    return step_shape(undo(node, caller.identity, caller.act, trace_id))


@routes.post("/traces/{trace_id}/sheet/redo", Rule("sheet.redo", Permission.READ, PEOPLE))
def redo_sheet_step(node: NodeHere, caller: CallerHere, trace_id: TraceId) -> SheetStepShape:
    """Do the step again that was taken back last."""
    return step_shape(redo(node, caller.identity, caller.act, trace_id))


@routes.post("/traces/{trace_id}/sheet/saved", Rule("sheet.save", Permission.WRITE, PEOPLE), status_code=201)
def save_own_sheet(node: NodeHere, caller: CallerHere, trace_id: TraceId, asked: SaveAsked) -> FileShape:
    """Freeze one's sheet as it stands, handled as strictly as the trace and all that is said on it."""
    return file_shape(save(node, caller.identity, caller.act, trace_id, asked.title))


@routes.get("/sheets/{sheet_id}", Rule("sheet.open", Permission.READ), response_model=SavedSheetShape)
def show_saved_sheet(
    node: NodeHere, caller: CallerHere, sheet_id: SheetId, request: Request, response: Response
) -> SavedSheetShape | Response:
    """A saved sheet: the same forever."""
    with node.store.look(caller.identity, caller.act, file=sheet_id) as work:
        found = node.frozen.open(work, sheet_id, "sheet")
    return tagged(request, response, SavedSheetShape(file=file_shape(found.file), sheet=found.body))


def step_shape(step: Step) -> SheetStepShape:
    """A step, shaped."""
    return SheetStepShape.model_construct(
        number=step.number, state=step.state.value, at=moment(step.at), step=dict(step.body)
    )
