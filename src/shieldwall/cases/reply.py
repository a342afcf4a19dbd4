"""The answer of a recipient: a page that works without a network, and the file that it makes, which the tracker takes in.

The page holds nothing but what the letter says. The file names the request and the digest of its content, so that an answer to
another version is seen; who sent it is for the channel to tell, since a page can be filled in by anybody who has it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from markupsafe import Markup

from shieldwall.cases.event import moment_of
from shieldwall.cases.letter import compose, environment
from shieldwall.cases.request import Request, RequestKind
from shieldwall.cases.tracker import Outcome
from shieldwall.errors import BadText
from shieldwall.model.moment import unix
from shieldwall.model.strictjson import parse_json
from shieldwall.model.words import ENGLISH, Words, message

FORMAT = "shieldwall-reply/1"
LARGEST = 1 << 20  # bytes of an answer file
_LONGEST = 4000  # characters of a text
_DAY = 86_400  # seconds

OUTCOMES: dict[Outcome, str] = {
    Outcome.HELD: message("held: nothing can leave"),
    Outcome.PARTLY_HELD: message("partly held"),
    Outcome.MOVED_ON: message("moved on before we could hold it"),
    Outcome.NO_ACCOUNT: message("no account of ours"),
    Outcome.PRESERVED: message("the data is preserved"),
    Outcome.DISCLOSED: message("the data is disclosed, by the way agreed"),
    Outcome.DONE: message("done"),
    Outcome.REFUSED: message("refused"),
}
"""What may be answered; a message each."""

BY_KIND: dict[RequestKind, tuple[Outcome, ...]] = {
    RequestKind.PRESERVE: (Outcome.PRESERVED, Outcome.NO_ACCOUNT, Outcome.REFUSED),
    RequestKind.FREEZE: (Outcome.HELD, Outcome.PARTLY_HELD, Outcome.MOVED_ON, Outcome.NO_ACCOUNT, Outcome.REFUSED),
    RequestKind.DISCLOSE: (Outcome.DISCLOSED, Outcome.NO_ACCOUNT, Outcome.REFUSED),
    RequestKind.INFORM: (Outcome.DONE, Outcome.NO_ACCOUNT, Outcome.REFUSED),
    RequestKind.TAKE_DOWN: (Outcome.DONE, Outcome.NO_ACCOUNT, Outcome.REFUSED),
}
"""What may be answered to each kind of request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer.

    Attributes:
        request: Id of the request.
        digest: Of its content, as the page had it.
        outcome: What was done.
        amount: Satoshi that are held; 0 where none are, or nobody says.
        until: Until when; "" where nobody says.
        moved_to: Where the money went, as copyable text; "" where nobody says.
        reference: The recipient's own number.
        contact: Whom to call there.
        words: Whatever else they say.
        made_at: When the page made the file, as its clock has it.
    """

    request: str
    digest: str
    outcome: Outcome
    amount: int
    until: str
    moved_to: str
    reference: str
    contact: str
    words: str
    made_at: str

    def as_dict(self) -> dict[str, Any]:
        """The answer file."""
        return {
            "format": FORMAT,
            "request": self.request,
            "digest": self.digest,
            "outcome": self.outcome.value,
            "amount": self.amount,
            "until": self.until,
            "moved_to": self.moved_to,
            "reference": self.reference,
            "contact": self.contact,
            "words": self.words,
            "made_at": self.made_at,
        }


def read_reply(raw: bytes, place: str = "the answer file") -> Reply:
    """The answer in a file.

    Raises:
        BadText: It is none.
    """
    if len(raw) > LARGEST:
        raise BadText(f"{place}: an answer file has at most {LARGEST:,} bytes")
    body = parse_json(raw, place)
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise BadText(f"{place}: no answer to a request", hint="the page reply.html makes one")
    wanted = {
        "format",
        "request",
        "digest",
        "outcome",
        "amount",
        "until",
        "moved_to",
        "reference",
        "contact",
        "words",
        "made_at",
    }
    if set(body) != wanted:
        raise BadText(f"{place}: it lacks, or has beside: {', '.join(sorted(wanted ^ set(body)))[:200]}")
    texts = {name: body[name] for name in wanted - {"format", "amount", "outcome"}}
    for name, text in texts.items():
        if not isinstance(text, str) or len(text) > _LONGEST:
            raise BadText(f"{place}: {name} is a text of at most {_LONGEST:,} characters")
    amount = body["amount"]
    if type(amount) is not int or not 0 <= amount < 1 << 63:
        raise BadText(f"{place}: amount is a whole number of satoshi")
    try:
        outcome = Outcome(body["outcome"])
        for name in ("until", "made_at"):
            if texts[name]:
                moment_of(texts[name], name)
    except Exception as error:  # noqa: BLE001 - a word or a time that there is not
        raise BadText(f"{place}: no such outcome or time ({error})") from None
    return Reply(outcome=outcome, amount=amount, **texts)


def must_answer(reply: Reply, request: Request, place: str = "the answer file") -> None:
    """Refuse an answer to another request, or to another version of it.

    Raises:
        BadText: It is.
    """
    if reply.request != request.id:
        raise BadText(f"{place}: it answers the request {reply.request[:60]}, not this one", hint="open that request")
    if reply.digest != request.digest:
        raise BadText(f"{place}: it answers another version of this request", hint="ask which letter they have")
    if reply.outcome not in BY_KIND[request.kind]:
        raise BadText(f"{place}: {reply.outcome.value!r} is no answer to a request to {request.kind.value}")
    if reply.amount > sum(asset.value for asset in request.assets):
        raise BadText(f"{place}: it holds more than the request is about")
    holds = reply.outcome in (Outcome.HELD, Outcome.PARTLY_HELD)
    if holds and request.assets and not reply.amount:
        raise BadText(f"{place}: {reply.outcome.value} says how much", hint="fill in the amount that is held")
    if not holds and reply.amount:
        raise BadText(f"{place}: {reply.outcome.value}, and an amount that is held all the same")
    if reply.until and reply.made_at and unix(reply.until) < unix(reply.made_at) - _DAY:
        raise BadText(f"{place}: the hold ended before the answer was made", hint="ask until when it holds")


def reply_page(request: Request, words: Words = ENGLISH) -> str:
    """The page: one file, no network, whose script is allowed by its digest alone."""
    script = script_of("answer.js")
    known = {
        "format": FORMAT,
        "request": request.id,
        "digest": request.digest,
        "name": f"reply-{request.id}.json",
        "coin": request.coin,
    }
    data = json.dumps(known, ensure_ascii=True).replace("<", "\\u003c")
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        environment()
        .get_template("reply.html.j2")
        .render(
            letter=compose(request, words),
            say=words.say,
            outcomes=[(each.value, words.say(OUTCOMES[each])) for each in BY_KIND[request.kind]],
            holds=request.kind is RequestKind.FREEZE,
            coin=request.coin,
            data=Markup(data),  # noqa: S704 - JSON without a sign that ends a script
            script=Markup(script),  # noqa: S704 - our own file
            allowed=allowed,
        )
    )


def reply_of(fields: Mapping[str, Any], request: Request, made_at: str) -> Reply:
    """An answer that somebody of ours wrote down, as from a telephone call; checked as a file is.

    Raises:
        BadText: It is none.
    """
    body = {
        "format": FORMAT,
        "request": request.id,
        "digest": request.digest,
        "until": "",
        "moved_to": "",
        "reference": "",
        "contact": "",
        "words": "",
        "amount": 0,
        "made_at": made_at,
        **fields,
    }
    reply = read_reply(json.dumps(body).encode(), "the answer")
    must_answer(reply, request, "the answer")
    return reply


@cache
def script_of(name: str) -> str:
    """A script of the forms."""
    return (resources.files("shieldwall.cases") / "templates" / name).read_text(encoding="utf-8")
