"""The intake: a page that a victim or operator fills in without a network, and the file that it makes."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from shieldwall.cases.clocks import SPANS, STARTS, Clocks
from shieldwall.cases.clocks import shipped as shipped_clocks
from shieldwall.cases.incident import CHOICE, CHOICES, COUNTRY, FIRST_HOUR, LONG, SECTIONS, TIME, incident_statement
from shieldwall.cases.letter import environment
from shieldwall.cases.reply import script_of
from shieldwall.errors import BadInput, BadText
from shieldwall.model.strictjson import parse_json
from shieldwall.model.words import ENGLISH, Words

FORMAT = "shieldwall-intake/1"
LARGEST = 2 << 20  # bytes of an intake file


@dataclass(frozen=True, slots=True)
class Intake:
    """What somebody told.

    Attributes:
        statement: Of `incident.INCIDENT`.
        done: Which points of the first hour were done, as numbers from 1.
        made_at: When the file was made, as that machine's clock has it; "" where nobody says.
    """

    statement: dict[str, str]
    done: tuple[int, ...]
    made_at: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The file."""
        done = [str(number) for number in self.done]
        return {"format": FORMAT, "answers": dict(self.statement), "first_hour": done, "made_at": self.made_at}


def read_intake(raw: bytes, place: str = "the intake file") -> Intake:
    """What was told in a file.

    Raises:
        BadText: It is none.
    """
    if len(raw) > LARGEST:
        raise BadText(f"{place}: an intake has at most {LARGEST:,} bytes")
    body = parse_json(raw, place)
    if (
        not isinstance(body, dict)
        or body.get("format") != FORMAT
        or set(body) - {"format", "answers", "first_hour", "made_at"}
    ):
        raise BadText(f"{place}: no intake of an incident", hint="the page intake.html makes one")
    answers, done, made_at = body.get("answers"), body.get("first_hour", []), body.get("made_at", "")
    if not isinstance(answers, dict) or not isinstance(done, list) or not isinstance(made_at, str):
        raise BadText(f"{place}: answers, first_hour or made_at are of another form")
    numbers = [str(number) for number in range(1, len(FIRST_HOUR) + 1)]
    if not all(isinstance(each, str) and each in numbers for each in done):
        raise BadText(f"{place}: first_hour names points that there are not")
    try:
        statement = incident_statement(answers)
    except BadInput as error:
        raise BadText(f"{place}: {error.message}", hint=error.hint) from None
    return Intake(statement, tuple(sorted({int(each) for each in done})), made_at[:30])


def intake_page(words: Words = ENGLISH, clocks: Clocks | None = None) -> str:
    """The page: one file, no network, whose script is allowed by its digest alone; with the first hour and the clocks."""
    script = script_of("answer.js")
    known = {"format": FORMAT, "inside": "answers", "ticks": "first_hour", "name": "intake.json"}
    say = words.say
    return (
        environment()
        .get_template("intake.html.j2")
        .render(
            words=words,
            say=say,
            sections=SECTIONS,
            first_hour=FIRST_HOUR,
            clocks=shipped_clocks() if clocks is None else clocks,
            choices=CHOICES,
            spans=SPANS,
            starts=STARTS,
            kinds={"long": LONG, "time": TIME, "choice": CHOICE, "country": COUNTRY},
            data=Markup(json.dumps(known).replace("<", "\\u003c")),  # noqa: S704 - JSON without a sign that ends a script
            script=Markup(script),  # noqa: S704 - our own file
            allowed=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )
