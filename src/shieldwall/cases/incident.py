"""A ransomware incident as its victim or operator tells it: the fields, and the claim that holds them.

What is not filled in is unknown; nothing stands for it. Answers are texts, as people write them; times and yes-or-no are checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shieldwall.cases.event import moment_of
from shieldwall.errors import BadInput
from shieldwall.model.claim import ClaimKind
from shieldwall.model.moment import unix
from shieldwall.model.words import message

LONGEST = 20_000  # characters of a long answer: a ransom note stands here as a whole
_SHORT = 300

TEXT, LONG, TIME, CHOICE, COUNTRY = "text", "long", "time", "choice", "country"
CHOICES = {
    "yes": message("yes"),
    "no": message("no"),
    "partly": message("partly"),
    "unknown": message("unknown"),
    "not received": message("not received"),
    "received, works": message("received, works"),
    "received, works partly": message("received, works partly"),
    "received, does not work": message("received, does not work"),
}
"""Every word that may be chosen; a message each."""

YES_NO = ("yes", "no", "unknown")
PAID = ("no", "yes", "partly", "unknown")
DECRYPTOR = ("not received", "received, works", "received, works partly", "received, does not work", "unknown")


@dataclass(frozen=True, slots=True)
class Field:
    """A question of the intake.

    Attributes:
        name: Its name in the claim.
        label: What is asked; a message.
        kind: TEXT, LONG, TIME, CHOICE or COUNTRY.
        choices: Of a choice, the words that it may be.
        hint: What helps to answer; a message, or "".
    """

    name: str
    label: str
    kind: str = TEXT
    choices: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Questions that belong together."""

    name: str
    label: str
    fields: tuple[Field, ...]


SECTIONS = (
    Section(
        "happened",
        message("What happened"),
        (
            Field("what", message("What happened, in your words"), LONG),
            Field("found", message("When was it noticed (UTC)?"), TIME),
            Field("began", message("When did it begin, as far as known (UTC)?"), TIME),
            Field("systems", message("Which systems are hit?"), LONG),
            Field("impact", message("What does not work now, and for whom?"), LONG),
            Field("people", message("How many people are without what they need?")),
            Field("personal_data", message("Was personal data taken or made unreadable?"), CHOICE, YES_NO),
        ),
    ),
    Section(
        "demand",
        message("The demand"),
        (
            Field(
                "note", message("The ransom note, copied as text"), LONG, hint=message("Keep the file itself as well.")
            ),
            Field("note_file", message("Name of the note's file")),
            Field("group", message("What the attackers call themselves")),
            Field("family", message("The malware, as somebody named it")),
            Field(
                "addresses",
                message("Addresses to pay to"),
                LONG,
                hint=message("Copy them, one to a line; do not type them."),
            ),
            Field("demand", message("What is asked for"), hint=message("Amount and coin, as in 10 BTC.")),
            Field("demand_until", message("Until when (UTC)?"), TIME),
            Field("negotiation", message("Who spoke with them, where, and what was said?"), LONG),
        ),
    ),
    Section(
        "payment",
        message("Payment"),
        (
            Field("paid", message("Was it paid?"), CHOICE, PAID),
            Field("paid_amount", message("How much?"), hint=message("Amount and coin, as in 10 BTC.")),
            Field("paid_at", message("When was it paid (UTC)?"), TIME),
            Field("paid_transactions", message("Transactions by which it was paid"), LONG),
            Field("paid_through", message("By whom or through which exchange?")),
            Field("decryptor", message("The tool to decrypt"), CHOICE, DECRYPTOR),
        ),
    ),
    Section(
        "access",
        message("How they came in"),
        (
            Field(
                "initial_access",
                message("How they came in, as far as known"),
                LONG,
                hint=message("A technique of ATT&CK where you know it, as in T1190."),
            ),
            Field("indicators", message("Addresses, domains and files of theirs that were seen"), LONG),
        ),
    ),
    Section(
        "victim",
        message("Who is hit"),
        (
            Field("victim", message("Organisation")),
            Field("country", message("Country"), COUNTRY, hint=message("Two letters, as in FR.")),
            Field("sector", message("Sector")),
            Field("contact", message("Whom to call")),
            Field("contact_mail", message("Mail of that person"), hint=message("Not on a system that is hit.")),
            Field("contact_phone", message("Telephone")),
            Field("police", message("Reported to the police? Where, and under which number?")),
        ),
    ),
)
"""Every question, in the order in which it is asked."""

FIELDS: Mapping[str, Field] = {field.name: field for section in SECTIONS for field in section.fields}
"""Every question by its name."""

INCIDENT = ClaimKind("incident", {}, dict.fromkeys(FIELDS, str))
"""What is told of an incident; of each question the answer, where there is one."""

FIRST_HOUR = (
    message("Unplug what is hit from the network; leave it switched on, so that memory is not lost."),
    message("Take the backups off the network before anything else is tried."),
    message("Photograph the screens; save the note and one encrypted file."),
    message("Copy the payment address as text, from the note. One wrong letter sends a trace elsewhere."),
    message("Write down who saw what when, in UTC."),
    message(
        "Call the police or the national cyber centre: money moves within hours, and can be frozen only where it stands."
    ),
    message("Talk about it by telephone or on machines that are not hit: attackers read mail."),
    message("Change passwords of administrators from a clean machine."),
    message("Do not delete, reinstall or run tools for decryption before an image of the disk is made."),
    message("Do not answer the attackers, and do not pay, before you have spoken with those who help you."),
    message("If it was paid already, say so at once, with the transaction: it is the fastest trace."),
    message("See which reports are due, and by when."),
)
"""The first hour, a message each. After the response checklist of CISA's #StopRansomware Guide, in our own words and order."""


def incident_statement(answers: Mapping[str, Any]) -> dict[str, str]:
    """The statement of an incident, of answers as somebody gave them; empty ones are left out.

    Raises:
        BadInput: A question that there is not, an answer that is no text or too long, or no time, word or country.
    """
    found = {}
    for name, given in answers.items():
        field = FIELDS.get(name)
        if field is None:
            raise BadInput(f"the intake does not ask for {str(name)[:40]!r}")
        if not isinstance(given, str):
            raise BadInput(f"{name}: an answer is a text")
        answer = _checked(field, given.replace("\r\n", "\n").strip())
        if answer:
            found[name] = answer
    if found.get("began", "") and found.get("found", "") and unix(found["began"]) > unix(found["found"]):
        raise BadInput("it was noticed before it began", hint="look at both times: they are UTC")
    return found


def told(statement: Mapping[str, str]) -> Iterator[tuple[Section, list[tuple[Field, str]]]]:
    """What was answered, by section; sections without an answer are left out."""
    for section in SECTIONS:
        answers = [(field, statement[field.name]) for field in section.fields if statement.get(field.name)]
        if answers:
            yield section, answers


def unknown(statement: Mapping[str, str]) -> list[Field]:
    """The questions that nobody has answered."""
    return [field for field in FIELDS.values() if not statement.get(field.name)]


def _checked(field: Field, answer: str) -> str:
    if not answer:
        return ""
    if any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in answer):
        raise BadInput(f"{field.name}: a text with characters that cannot be kept")
    if len(answer) > (LONGEST if field.kind == LONG else _SHORT):
        raise BadInput(f"{field.name}: at most {LONGEST if field.kind == LONG else _SHORT:,} characters")
    if field.kind == TIME:
        return moment_of(answer, field.name)
    if field.kind == CHOICE and answer not in field.choices:
        raise BadInput(f"{field.name}: {answer[:40]!r} is no answer", hint=f"use one of {', '.join(field.choices)}")
    if field.kind == COUNTRY:
        if not (len(answer) == 2 and answer.isascii() and answer.isalpha()):
            raise BadInput(f"{field.name}: a country is two letters (ISO 3166)", hint="as in FR")
        return answer.upper()
    return answer
