"""Trace: a saved trace on its person's sheet, with its picture, its table twin and its drawer; and every step on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Path, Query, Request, Response
from markupsafe import Markup, escape
from starlette.concurrency import run_in_threadpool

from shieldwall.errors import NotFound
from shieldwall.model.access import Permission
from shieldwall.model.words import ENGLISH, Words
from shieldwall.node.node import Node
from shieldwall.node.sheets.asking import TRANSACTION, Asked
from shieldwall.node.sheets.drawer import Drawer, drawer_in, open_drawer
from shieldwall.node.sheets.frozen import Frozen, Made
from shieldwall.node.sheets.rows import as_csv, rows_of
from shieldwall.node.sheets.saved import save
from shieldwall.node.sheets.sheet import Sheet, open_sheet, sheet_in
from shieldwall.node.sheets.stepping import do, redo, undo
from shieldwall.trace.arrangement import DENSITIES, EXPAND, UNFOLD
from shieldwall.trace.coin import coin_of
from shieldwall.trace.layout import OTHERS
from shieldwall.trace.picture import Around, draw
from shieldwall.trace.sentence import sentence
from shieldwall.web.pages.door import FormHere, Pages, seen
from shieldwall.web.pages.figures import ends_by_kind, share_bar, side_by_side, stops_of
from shieldwall.web.pages.rendering import fragment, page, words_for
from shieldwall.web.pages.traces import begin
from shieldwall.web.rules import PEOPLE, Caller, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import Id

pages = Pages("sheets")

TraceId = Annotated[Id, Path()]
Key = Annotated[str, Query(max_length=200)]


@pages.get("/traces/{trace_id}", Rule("sheet.show", Permission.READ, PEOPLE))
def show_sheet(
    node: NodeHere, caller: CallerHere, request: Request, trace_id: TraceId, box: Key = "", part: Key = ""
) -> Response:
    """A trace as whoever asks has arranged it; `box` is what the drawer tells of, `part` is `drawer` for that alone."""
    words = words_for(request)
    if part == "drawer" and box:
        return page(
            request,
            "drawer",
            caller,
            **_drawer(*open_drawer(node, caller.identity, caller.act, trace_id, box, words)),
        )
    drawer: Drawer | None = None
    with node.store.look(caller.identity, caller.act, file=trace_id) as work:
        sheet = sheet_in(node, work, trace_id, words)
        if box:
            try:
                drawer = drawer_in(node, work, sheet, box)
            except NotFound:  # what was chosen is folded away now
                drawer = None
    return page(request, "sheet", caller, **_sheet(request, sheet, words, drawer), **_drawer(sheet, drawer))


@pages.get("/traces/{trace_id}/table.csv", Rule("sheet.table", Permission.READ, PEOPLE))
def export_table(node: NodeHere, caller: CallerHere, trace_id: TraceId) -> Response:
    """The table twin as CSV, amounts in satoshi."""
    sheet = open_sheet(node, caller.identity, caller.act, trace_id)
    name = f'attachment; filename="trace-{sheet.body["digest"][:12]}.csv"'
    text = as_csv(rows_of(sheet.body, sheet.columns))
    return Response(text, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})


@pages.post("/traces/{trace_id}/steps", Rule("sheet.step", Permission.READ, PEOPLE))
def take_step(node: NodeHere, caller: CallerHere, trace_id: TraceId, form: FormHere) -> Response:
    """One step on the sheet."""
    kind, key = form.text("kind", most=40), form.text("key", most=200)
    value = stops_value(node, caller, trace_id, form) if kind == "least" else form.number("value")
    asked = Asked(
        kind=kind,
        key=key,
        value=value,
        text=form.text("text"),
        label=form.text("label", most=200),
        category=form.text("category", most=100),
    )
    body = do(node, caller.identity, caller.act, trace_id, asked).body
    return seen(_place(trace_id, _then(body) or form.text("back", most=200) or key))


def _then(body: Mapping[str, Any]) -> str:
    """What is chosen after a step that took away what was chosen: a sum that was opened, a peel chain that was unfolded."""
    if body["kind"] == UNFOLD:
        return f"{TRANSACTION}{body['keys'][0]}"
    opened = body["kind"] == EXPAND and str(body["key"]).startswith(OTHERS)
    return str(body["keys"][0]) if opened else ""


def stops_value(node: NodeHere, caller: CallerHere, trace_id: str, form: FormHere) -> int | None:
    """The satoshi that the slider stands at."""
    stop = form.number("stop")
    if stop is None:
        return form.number("value")
    stops = stops_of(open_sheet(node, caller.identity, caller.act, trace_id).body)
    return stops[min(stop, len(stops) - 1)]


@pages.post("/traces/{trace_id}/undo", Rule("sheet.undo", Permission.READ, PEOPLE))
def take_back(node: NodeHere, caller: CallerHere, trace_id: TraceId, form: FormHere) -> Response:
    """Take the last step back."""
    step = undo(node, caller.identity, caller.act, trace_id, number=form.number("last"))
    return seen(_place(trace_id, str(step.body.get("key", "")) or form.text("key", most=200)))


@pages.post("/traces/{trace_id}/redo", Rule("sheet.redo", Permission.READ, PEOPLE))
def do_again(node: NodeHere, caller: CallerHere, trace_id: TraceId, form: FormHere) -> Response:
    """Do the step again that was taken back last."""
    step = redo(node, caller.identity, caller.act, trace_id)
    return seen(_place(trace_id, _then(step.body) or str(step.body.get("key", "")) or form.text("key", most=200)))


@pages.post("/traces/{trace_id}/save", Rule("sheet.save", Permission.WRITE, PEOPLE))
def save_sheet(node: NodeHere, caller: CallerHere, trace_id: TraceId, form: FormHere) -> Response:
    """Freeze the sheet as it stands."""
    file = save(node, caller.identity, caller.act, trace_id, form.text("title", most=400))
    return seen(f"/sheets/{file.id}")


@pages.post("/traces/{trace_id}/further", Rule("trace.ask", Permission.WRITE, PEOPLE))
async def trace_further(node: NodeHere, caller: CallerHere, trace_id: TraceId, form: FormHere) -> Response:
    """A new trace, handled as this one: on from an output that a limit stopped, or the same by every method."""
    trace = await run_in_threadpool(_frozen, node, caller, trace_id)
    body, parameters = trace.body, trace.body["parameters"]
    key = form.text("key", most=200)
    targets = [key] if key else [target["target"] for target in body["targets"] if target["found"]]
    params: dict[str, Any] = {
        "targets": targets,
        "method": form.text("method") or body["method"],
        "direction": body["direction"],
        "network": body["network"],
        "transactions": parameters["max_transactions"],
        "least": parameters["least_amount"],
    }
    if not key:
        for name, parameter in (("hops", "max_hops"), ("until_height", "until_height")):
            if parameters[parameter] is not None:
                params[name] = parameters[parameter]
    return await begin(node, caller, params, replace(trace.file.handling, owner=caller.identity.person))


def _frozen(node: Node, caller: Caller, trace_id: str) -> Frozen:
    with node.store.look(caller.identity, caller.act, file=trace_id) as work:
        return node.frozen.open(work, trace_id)


def _place(trace_id: str, key: str) -> str:
    """The page of a trace with something chosen; without an id the same page that one is on."""
    chosen = f"?box={quote(key, safe='')}" if key else ""
    return f"/traces/{trace_id}{chosen}" if trace_id else chosen


def _sheet(request: Request, sheet: Sheet, words: Words, drawer: Drawer | None) -> dict[str, Any]:
    """What the page of a sheet shows; its picture, ends and table are made once for all who look at the same."""
    body, file, selected = sheet.body, sheet.trace.file, drawer.key if drawer else ""
    stops = stops_of(body)
    return {
        "file": file,
        "answer": body["sentence"] if words is ENGLISH else sentence(body, words=words),
        "bar": share_bar(body),
        "ends": ends_of(request, sheet.trace),
        "picture": _chosen(_picture(request, sheet, words), selected),
        "twin": _chosen(_twin(request, sheet), selected),
        "sides": side_by_side(body),
        "stops": stops,
        "stop": max(place for place, value in enumerate(stops) if value <= max(sheet.arrangement.least, 0)),
        "densities": DENSITIES,
    }


def ends_of(request: Request, trace: Frozen) -> Markup:
    """Where the money of a trace is, by kind, and who can freeze it there."""
    body, name = trace.body, trace.file.id
    groups = ends_by_kind(body)
    case = trace.file.handling.case
    given = {"body": body, "coin": coin_of(body), "groups": groups, "trace_id": name, "case": case}
    return fragment(request, "sheet_ends", (name, case), **given)


def _picture(request: Request, sheet: Sheet, words: Words) -> Markup:
    """The picture, with nothing chosen."""
    marks, arrangement = sheet.marks(), sheet.arrangement
    kept: Made[Markup] = request.app.state.fragments

    def make() -> Markup:
        around = Around(link=lambda key: _place("", key), marks=marks, pinned=arrangement.pinned)
        return Markup(draw(sheet.body, sheet.columns, around=around, words=words))  # noqa: S704 - it escapes

    question = sheet.trace.file.sha256, arrangement, words.language, tuple(sorted(marks.items()))
    return kept.get(("picture", question), make)


def _twin(request: Request, sheet: Sheet) -> Markup:
    """The table twin, with nothing chosen."""
    body = sheet.body
    question = sheet.trace.file.sha256, sheet.arrangement
    rows = rows_of(body, sheet.columns)
    return fragment(request, "sheet_twin", question, body=body, coin=coin_of(body), rows=rows)


def _chosen(made: Markup, key: str) -> Markup:
    """The same with one thing marked as chosen, where it is there."""
    if not key:
        return made
    name = f'data-key="{escape(key)}"'
    return Markup(str(made).replace(name, f'{name} aria-current="true"', 1))  # noqa: S704 - the key is escaped


def _drawer(sheet: Sheet, drawer: Drawer | None) -> dict[str, Any]:
    return {
        "sheet": sheet,
        "body": sheet.body,
        "coin": coin_of(sheet.body),
        "drawer": drawer,
        "trace_id": sheet.trace.file.id,
        "pinned": bool(drawer and drawer.box and sheet.arrangement.pinned.intersection(drawer.box.stands_for)),
    }
