"""A request as a letter, in the language of whoever reads it: composed once, then set as HTML or (`letter_pdf`) as PDF.

What people wrote stays in their language; all else is said in the letter's. A field that nobody filled in is marked as such.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from shieldwall.cases.demands import LABELS, Lack, particulars
from shieldwall.cases.legal import LegalProfile
from shieldwall.cases.request import Asset, PathStep, Request, RequestKind
from shieldwall.model.amount import btc
from shieldwall.model.catalogue import Said
from shieldwall.model.words import ENGLISH, Words, message

KINDS: dict[RequestKind, str] = {
    RequestKind.PRESERVE: message("Request to preserve data"),
    RequestKind.FREEZE: message("Request to freeze"),
    RequestKind.DISCLOSE: message("Request to disclose"),
    RequestKind.INFORM: message("Information"),
    RequestKind.TAKE_DOWN: message("Request to take down"),
}
"""What a letter of each kind is called; a message each."""

_ASKED = ("relief", "term", "expires", "non_disclosure", "legal", "reply_to")
_AUTHORITY = ("sender.legal_authority", "sender.instrument", "sender.proof_of_authority")
_DATA = ("data", "relation", "necessity", "mutual_assistance")
_FACTS = ("offence", "victim", "suspect")
_HOW = ("method", "confidence", "alternatives", "trace_digest", "deconfliction", "evidence")
PROVEN: dict[str, str] = {
    "inclusion": message("that the transaction is in its block, and the block has work"),
    "txid": message("the transaction's id, from its bytes; not that it is in a block"),
    "nothing": message("nothing"),
}
"""What is proven of a transaction; a message each."""

_MOST_CARDS = 12  # amounts that are told one by one; more of them are a table
_ALWAYS = frozenset(("relief", "expires", "reply_to", "offence"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """How a recipient knows that the letter is the sender's.

    Attributes:
        id: Of the key.
        spoken: Its fingerprint, as words to read out.
        node: The node's id.
    """

    id: str = ""
    spoken: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A label and what stands there; "" where nobody filled it in. `code` is text to copy, digit by digit."""

    label: str
    text: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a letter: a heading, and rows, a table or paragraphs under it."""

    heading: str
    rows: tuple[Row, ...] = ()
    head: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    paragraphs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter, in one language.

    Attributes:
        language, direction: Of the letter.
        written_in: Language of what people wrote.
        marking, request_id: For the head of each page.
        draft: That nobody has approved it; "" where somebody has.
        exercise: The warning of an exercise; "" for a real one.
        sides: Who writes, and to whom; both with their rows.
        subject: The subject line.
        urgent: Why it cannot wait, as a sentence; "" for one that can.
        narrative: What people wrote first.
        parts: The rest.
        lacks: What is not filled in, as a sentence; "" for nothing.
        not_given: What stands in the place of what nobody filled in.
    """

    language: str
    direction: str
    written_in: str
    marking: str
    request_id: str
    draft: str
    exercise: str
    sides: tuple[Part, Part]
    subject: str
    urgent: str
    narrative: str
    parts: tuple[Part, ...]
    lacks: str
    not_given: str

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def compose(
    request: Request,
    words: Words = ENGLISH,
    *,
    lacks: Sequence[Lack] = (),
    legal: LegalProfile | None = None,
    key: Key | None = None,
    retracts: str = "",
    draft: bool = False,
) -> Letter:
    """The letter of a request.

    Args:
        request: What is asked.
        words: The letter's language.
        lacks: What is not filled in, from `demands.lacking`.
        legal: The profile that it goes by.
        key: How the recipient knows that it is genuine; None where nobody signs.
        retracts: Why an earlier request is taken back; then the letter says nothing else.
        draft: Nobody has approved it yet; the letter says so on top.
    """
    say = words.say
    not_given = say("not given")

    def rows(names: Sequence[str]) -> tuple[Row, ...]:
        return tuple(_row(request, name, words, legal) for name in names if _shown(request, name, lacks))

    sides = (
        Part(say("From"), (
            *_plain(request, words, ("sender.agency", "sender.country", "sender.officer", "sender.post", "sender.badge")),
            *_plain(request, words, ("sender.mail", "sender.phone", "sender.alternative_mail")),
        )),
        Part(say("To"), (
            *_plain(request, words, ("recipient.legal_entity", "recipient.name", "recipient.country", "recipient.channel")),
            Row(say("Directory of"), request.recipient.directory_dated),
        )),
    )  # fmt: skip
    parts = [Part(say("What is asked"), (*rows(_ASKED), *rows(_AUTHORITY)))]
    if retracts:
        parts = [Part(say("Taken back"), paragraphs=(
            say("We take back the request {id}. Please act as if it had not been made, and lift what was done on it.",
                id=request.id), retracts,
        ))]  # fmt: skip
    elif request.corrects:
        parts.insert(0, Part(say("Correction"), paragraphs=(
            say("This letter takes the place of our request {id}.", id=request.corrects),
        )))  # fmt: skip
    if request.assets:
        parts += _assets(request, words)
    if request.items:
        parts.append(
            Part(
                say("Other identifiers"),
                head=(say("Kind"), say("Identifier"), say("Note")),
                table=tuple((item.type, item.name, item.note) for item in request.items),
            )
        )
    if not retracts:
        parts += _grounds(request, words, rows, lacks, legal)
    if key is not None:
        parts.append(_genuine(request, words, key))
    title = say(KINDS[request.kind])
    amount = f"{btc(request.amount)} {request.coin}" if request.assets else ""
    subject: str = Said(
        say("Case {number}: {what}", number=request.case_number or not_given, what=title)
        + (f", {amount}" if amount else "")
        + (f", {request.recipient.name}" if request.recipient.name else "")
    )
    if retracts:
        subject = say("TAKEN BACK: {subject}", subject=subject)
    elif request.urgent:
        subject = say("URGENT: {subject}", subject=subject)
    named = ", ".join(say(lack.label) for lack in lacks)
    return Letter(
        language=words.language,
        direction=words.direction,
        written_in=request.language,
        marking=request.marking.label,
        request_id=request.id,
        draft=say("DRAFT. Nobody has approved this; it must not go out.") if draft else "",
        exercise=_exercise(words) if request.exercise else "",
        sides=sides,
        subject=subject,
        urgent=say("Why it cannot wait: {reason}", reason=request.urgent) if request.urgent and not retracts else "",
        narrative="" if retracts else request.narrative,
        parts=tuple(part for part in parts if part.rows or part.table or part.paragraphs),
        lacks=say("Not filled in: {fields}.", fields=named) if named and not retracts else "",
        not_given=not_given,
    )


def as_html(letter: Letter) -> str:
    """The letter as one self-contained page that prints on a few sheets."""
    return environment().get_template("letter.html.j2").render(letter=letter)


def _exercise(words: Words) -> str:
    return words.say(
        "EXERCISE. Nothing here is real: people, firms, addresses and money are invented. Do not act on it."
    )


def _grounds(
    request: Request,
    words: Words,
    rows: Callable[[Sequence[str]], tuple[Row, ...]],
    lacks: Sequence[Lack],
    legal: LegalProfile | None,
) -> list[Part]:
    say = words.say
    parts = []
    if request.particulars:
        own = particulars(legal)
        rows_of_law = tuple(Row(own.get(name, name.replace("_", " ")), text) for name, text in request.particulars)
        parts.append(Part(say("What the instrument asks for beside"), rows_of_law))
    if any(_shown(request, name, lacks) for name in _DATA):
        parts.append(Part(say("Data"), rows(_DATA)))
    parts.append(Part(say("Offence"), rows(_FACTS)))
    parts.append(
        Part(say("Chronology"), head=(say("When (UTC)"), say("What")), table=tuple(request.chronology))
    )  # fmt: skip
    parts += [_way(request, path, words) for path in request.paths]
    parts.append(Part(say("How we know"), rows(_HOW)))
    return parts


def _way(request: Request, path: Sequence[PathStep], words: Words) -> Part:
    say = words.say
    rows = tuple(
        (
            step.time,
            btc(step.amount),
            step.address,
            f"{step.txid}:{step.index}",
            "" if step.height is None else str(step.height),
        )
        for step in path
    )
    amount, output = f"{btc(path[-1].amount)} {request.coin}", f"{path[-1].txid[:16]}…:{path[-1].index}"
    return Part(
        say("How {amount} came to {output}", amount=amount, output=output),
        head=(say("When (UTC)"), say("Amount"), say("Address"), say("Output"), say("Height")),
        table=rows,
    )


def _assets(request: Request, words: Words) -> list[Part]:
    say = words.say
    told = say("The same rows as text to copy are in the CSV and JSON that go with this letter.")
    if len(request.assets) > _MOST_CARDS:
        head = (say("Address"), say("Transaction and place"), say("When (UTC)"), say("Height"), say("Followed"))
        rows = tuple(
            (asset.address, f"{asset.txid}:{asset.index}", asset.time, _height(asset), btc(asset.amount))
            for asset in request.assets
        )
        return [Part(say("Amounts, in {coin}", coin=request.coin), head=head, table=rows, paragraphs=(told,))]
    parts = [Part(say("Amounts, in {coin}", coin=request.coin), paragraphs=(told,))]
    for number, asset in enumerate(request.assets, 1):
        followed = btc(asset.amount) + (f" ({say('share of seed')} {asset.share})" if asset.share else "")
        rows_of = (
            Row(say("Address"), asset.address, code=True),
            Row(say("Transaction"), asset.txid, code=True),
            Row(say("Place"), f"{say('input') if asset.side == 'input' else say('output')} {asset.index}"),
            Row(say("Chain"), f"{asset.asset}, {asset.network} ({asset.chain})"),
            Row(say("When (UTC)"), asset.time),
            Row(say("Height"), _height(asset)),
            Row(say("Block"), asset.block_hash, code=True),
            Row(say("Followed"), followed),
            Row(say("Whole amount"), btc(asset.value)),
            Row(say("Proven"), say(PROVEN.get(asset.proof, "nothing"))),
            Row(say("Value in money"), f"{asset.fiat_value} ({asset.fiat_source})" if asset.fiat_value else ""),
            Row(say("Contract of the token"), asset.contract, code=True),
            Row(say("Proof of the balance now"), asset.balance_proof),
        )
        parts.append(Part(f"{number}. {btc(asset.amount)} {asset.asset}", tuple(row for row in rows_of if row.text)))
    return parts


def _height(asset: Asset) -> str:
    return "" if asset.height is None else str(asset.height)


def _genuine(request: Request, words: Words, key: Key) -> Part:
    say = words.say
    paragraphs = (
        say("The file request.json beside this letter is signed by two algorithms at once, Ed25519 and ML-DSA-65."),
        say("The signature is in request.sig.json, the public keys are in keys.json."),
        say(
            "A key proves nothing by itself. Call the agency at a number that you found yourself, not the one in this letter."
        ),
        say("Have these words read to you; they are the fingerprint of the key:"),
        key.spoken,
        say("Then hold the signature against the key: shieldwall verify request.json"),
    )
    rows = (
        Row(say("Key"), key.id, code=True),
        Row(say("Node"), key.node, code=True),
        Row(say("Digest"), request.digest, code=True),
    )
    return Part(say("How you know that this letter is genuine"), rows=rows, paragraphs=paragraphs)


def _plain(request: Request, words: Words, names: Sequence[str]) -> tuple[Row, ...]:
    return tuple(Row(words.say(LABELS[name]), str(_value(request, name))) for name in names)


def _row(request: Request, name: str, words: Words, legal: LegalProfile | None) -> Row:
    value = _value(request, name)
    if name == "legal" and legal is not None:
        state = "" if legal.verified else " " + words.say("(not held against its text by us)")
        value = f"{legal.instrument}{state}"
    if isinstance(value, tuple):
        value = " ".join(value)
    return Row(words.say(LABELS[name]), str(value), code=name in ("trace_digest", "evidence"))


def _shown(request: Request, name: str, lacks: Sequence[Lack]) -> bool:
    return name in _ALWAYS or bool(_value(request, name)) or any(lack.field == name for lack in lacks)


def _value(request: Request, name: str) -> Any:  # noqa: ANN401 - a text or texts
    first, _, second = name.partition(".")
    found = getattr(request, first)
    return getattr(found, second) if second else found


@cache
def environment() -> Environment:
    """The templates of letters and forms: escaped, strict."""
    return Environment(
        loader=PackageLoader("shieldwall.cases"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
