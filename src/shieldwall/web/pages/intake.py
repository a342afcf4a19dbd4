"""Intake: what a victim or operator tells, on a page or in a file that was made without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Path, Query, Request, Response

from shieldwall.cases.incident import FIELDS, FIRST_HOUR, SECTIONS, TIME, incident_statement
from shieldwall.cases.intake import Intake, intake_page, read_intake
from shieldwall.cases.languages import LETTERS, letter_words
from shieldwall.errors import BadInput, NotFound, ShieldwallError, UsageError
from shieldwall.model.access import Permission
from shieldwall.model.marking import Marking, Pap, parse_marking, parse_pap
from shieldwall.node.casework.opening import CaseAsked, change_incident, done_in, incident_of, open_incident
from shieldwall.node.casework.references import clocks
from shieldwall.node.node import Node
from shieldwall.store.cases import Case
from shieldwall.web.pages.door import Form, FormHere, Pages, seen
from shieldwall.web.pages.rendering import page
from shieldwall.web.rules import PEOPLE, Caller, CallerHere, NodeHere, Rule
from shieldwall.web.shapes.base import Id

pages = Pages("intake")

MOST_FILE = 900_000  # characters of an intake file that is pasted
_LONGEST = 20_000


@pages.get("/intake", Rule("intake.show", Permission.WRITE, PEOPLE))
def show_intake(node: NodeHere, caller: CallerHere, request: Request) -> Response:
    """The questions, the first hour, and the reports that may be due."""
    node.store.record(caller.identity, caller.act)
    return _questions(request, caller)


@pages.post("/intake", Rule("case.intake", Permission.WRITE, PEOPLE))
def take_intake(node: NodeHere, caller: CallerHere, request: Request, form: FormHere) -> Response:
    """Open a case of what was told; a file that was made with the form counts before the questions, and is kept in the case."""
    try:
        file = form.text("file", most=MOST_FILE).strip()
        intake = read_intake(file.encode(), "the intake file") if file else _told(form)
        title = form.text("title", most=400).strip() or intake.statement.get("victim", "")
        asked = CaseAsked(
            title=title,
            number=form.text("number", most=200),
            marking=parse_marking(form.text("marking") or None),
            pap=parse_pap(form.text("pap") or None),
            people=people_of(node, caller, form.text("members", most=2000)),
        )
        case = open_incident(node, caller.identity, caller.act, intake, asked, file=file.encode())
    except (BadInput, NotFound, UsageError) as error:  # what was typed stays on the page
        return _questions(request, caller, form=form, error=error)
    return seen(f"/cases/{case.id}")


def _questions(
    request: Request,
    caller: Caller,
    *,
    answers: Mapping[str, str] | None = None,
    done: Sequence[int] = (),
    case: Case | None = None,
    form: Form | None = None,
    error: ShieldwallError | None = None,
) -> Response:
    """The page of the questions: with what is known, or with what was just typed and what is wrong with it."""
    given: Mapping[str, str] = {} if form is None else form.fields
    if form is not None:
        answers = {name: form.text(name, most=_LONGEST) for name in FIELDS}
        done = [number for number in range(1, len(FIRST_HOUR) + 1) if form.flag(f"hour_{number}")]
    return page(
        request,
        "intake",
        caller,
        status=200 if error is None else 422,
        sections=SECTIONS,
        first_hour=FIRST_HOUR,
        clocks=clocks(),
        answers=answers or {},
        done=done,
        case=case,
        given=given,
        error=error,
        markings=[] if case else [each for each in Marking if each <= caller.identity.highest],
        paps=[] if case else list(Pap),
        letters=LETTERS,
    )


@pages.get("/intake/form", Rule("intake.form", Permission.READ, PEOPLE))
def take_form_out(
    node: NodeHere, caller: CallerHere, language: Annotated[str, Query(max_length=10)] = "en"
) -> Response:
    """The questions as one page that works without a network, to be given to a victim."""
    node.store.record(caller.identity, caller.act)
    name = language if language in LETTERS else "en"
    headers = {"Content-Disposition": f'attachment; filename="intake.{name}.html"'}
    return Response(intake_page(letter_words(name)), media_type="text/html; charset=utf-8", headers=headers)


@pages.get("/cases/{case_id}/incident", Rule("case.incident", Permission.READ, PEOPLE))
def show_incident(node: NodeHere, caller: CallerHere, request: Request, case_id: Annotated[Id, Path()]) -> Response:
    """What is told of the incident of a case, to be told anew."""
    with node.store.look(caller.identity, caller.act, case=case_id) as work:
        case = work.cases.get(case_id)
        answers, incident_id = incident_of(work, case_id)
        done = done_in(work, case_id, incident_id)
    known = {name: _for_field(name, text) for name, text in answers.items()}
    return _questions(request, caller, answers=known, done=done, case=case)


@pages.post("/cases/{case_id}/incident", Rule("case.incident-change", Permission.WRITE, PEOPLE))
def change(
    node: NodeHere, caller: CallerHere, request: Request, case_id: Annotated[Id, Path()], form: FormHere
) -> Response:
    """Tell the incident anew."""
    try:
        file = form.text("file", most=MOST_FILE).strip()
        intake = read_intake(file.encode(), "the intake file") if file else _told(form)
        change_incident(node, caller.identity, caller.act, case_id, intake, file=file.encode())
    except BadInput as error:
        with node.store.inside(caller.identity) as work:
            case = work.cases.get(case_id)
        return _questions(request, caller, case=case, form=form, error=error)
    return seen(f"/cases/{case_id}")


def _told(form: Form) -> Intake:
    """The answers in a form; a time of a browser's field is UTC."""
    answers = {}
    for name, field in FIELDS.items():
        text = form.text(name, most=_LONGEST)
        if field.kind == TIME and text:
            text = f"{text}:00Z" if len(text) == 16 else text
        answers[name] = text
    done = tuple(number for number in range(1, len(FIRST_HOUR) + 1) if form.flag(f"hour_{number}"))
    return Intake(incident_statement(answers), done)


def _for_field(name: str, text: str) -> str:
    """An answer as the field of a browser takes it."""
    return text[:16] if FIELDS[name].kind == TIME and len(text) > 10 else text


def people_of(node: Node, caller: Caller, text: str) -> list[str]:
    """Ids of people, by their names with a comma or a line between.

    Raises:
        NotFound: Nobody has such a name.
    """
    names = [name.strip() for name in text.replace(",", "\n").splitlines() if name.strip()]
    with node.store.inside(caller.identity) as work:
        return list(work.people.called(names).values())
