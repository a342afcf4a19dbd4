"""A request to another: to preserve, to freeze, to disclose, to inform, to take down. Each is a kind of its own.

A preservation is no production, and a freeze is neither: who wants two of them writes two requests. The fields follow what
exchanges and issuers publish (case number, authority, officer, exact legal entity, identifiers as copyable text), what Article
29(2) of the Budapest Convention lists, and what a first reader needs, who is no analyst: one paragraph, then rows. What is
missing is named (`demands`), never invented. Format: docs/spec/request.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from shieldwall.errors import BadText, UsageError
from shieldwall.model.amount import btc
from shieldwall.model.canonical import canonical_json, digest
from shieldwall.model.marking import STRICTEST, Marking, parse_marking
from shieldwall.model.spreadsheet import csv_text

FORMAT = "shieldwall-request/1"

LONGEST = 20_000  # characters of a text
MOST_ASSETS = 2000


class RequestKind(StrEnum):
    """What is asked for."""

    PRESERVE = "preserve"
    FREEZE = "freeze"
    DISCLOSE = "disclose"
    INFORM = "inform"
    TAKE_DOWN = "take-down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who asks; texts, "" for what is not filled in."""

    agency: str = ""
    country: str = ""
    legal_authority: str = ""
    instrument: str = ""
    officer: str = ""
    post: str = ""
    badge: str = ""
    proof_of_authority: str = ""
    mail: str = ""
    alternative_mail: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who is asked; from the directory of who can freeze and the recipient's profile, with their dates.

    Attributes:
        profile: Id of the profile; "" for none.
        name, legal_entity, country, channel: As the directory has them.
        directory_dated: The directory's date.
    """

    profile: str = ""
    name: str = ""
    legal_entity: str = ""
    country: str = ""
    channel: str = ""
    directory_dated: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One output or input that the request is about, with everything to find it again.

    Attributes:
        chain: CAIP-2 id.
        network: Its name.
        asset: What it is, such as BTC or LTC.
        address: Where it arrived, or whence it was paid.
        txid: Transaction that paid it (display form).
        index: Output index there; of an input, its place.
        amount: Satoshi that the trace follows.
        value: Satoshi of the whole output or input.
        share: Part of the seed, decimal string; "" where no trace tells.
        time: When it arrived, UTC.
        height: Block height; None when not known.
        block_hash: Block hash (display form).
        proof: What is proven: "inclusion" or "txid".
        side: "output", or "input" for money that came from the recipient.
        fiat_value: With currency, "" when no rate was used.
        fiat_source: Where the rate is from.
        contract: Of a token, its contract on that chain.
        balance_proof: Of a token, where its balance now can be seen.
    """

    chain: str
    network: str
    asset: str
    address: str
    txid: str
    index: int
    amount: int
    value: int
    share: str
    time: str
    height: int | None
    block_hash: str
    proof: str
    side: str = "output"
    fiat_value: str = ""
    fiat_source: str = ""
    contract: str = ""
    balance_proof: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something off the chain that the request is about, such as an account, a domain, a URL, an IP address with its time."""

    type: str
    name: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStep:
    """One step of the money's way from the crime to the asset."""

    txid: str
    index: int
    address: str
    amount: int
    time: str
    height: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The request. Texts are "" where nobody has filled them in.

    Attributes:
        kind: What is asked for.
        case_number: Stands in the subject line, too.
        sender, recipient: The two sides.
        legal: Id of the legal profile that it goes by.
        relief: What exactly is to be done.
        urgent: Why it cannot wait; "" for a request that can.
        offence: The offence, with its provision.
        narrative: One paragraph for a reader who is no analyst.
        chronology: (UTC time, what happened), in order.
        victim, suspect: As far as they may be named.
        data: What data is to be preserved or disclosed.
        relation: What that has to do with the offence.
        necessity: Why it is needed.
        mutual_assistance: Whether and when a request for mutual assistance follows.
        particulars: (name, text) of what the legal profile asks for beside all that has a field of its own.
        assets: What it is about, on a chain.
        items: What it is about, elsewhere.
        paths: The way of each of the assets, in their order.
        method: How mixed money was divided, in words.
        confidence: High, moderate or low, and in what; never mixed with a likelihood in one sentence (ICD 203).
        alternatives: Other explanations and what is not known.
        term: How long, and until when it is to be renewed.
        non_disclosure: Whether the account's holder may be told.
        language: Of what people wrote in it.
        marking: Who may see it.
        trace_digest: Digest of the trace that it rests on.
        deconfliction: Reference of the check that no other case is disturbed.
        expires: Until when the request stands: a day, or a moment in UTC.
        reply_to: Where the answer goes.
        claims: Ids of the claims that it carries to the recipient.
        evidence: Digests of the evidence package, or of what else goes with it.
        corrects: Id of an earlier request that this one takes back or corrects.
        exercise: True for one that must never be acted on.
        given_id: Its id where a node keeps it; "" for the id that its content gives it.

    Raises:
        UsageError: Assets of several coins: their amounts have no sum.
    """

    kind: RequestKind = RequestKind.FREEZE
    case_number: str = ""
    sender: Sender = field(default_factory=Sender)
    recipient: Recipient = field(default_factory=Recipient)
    legal: str = ""
    relief: str = ""
    urgent: str = ""
    offence: str = ""
    narrative: str = ""
    chronology: tuple[tuple[str, str], ...] = ()
    victim: str = ""
    suspect: str = ""
    data: str = ""
    relation: str = ""
    necessity: str = ""
    mutual_assistance: str = ""
    particulars: tuple[tuple[str, str], ...] = ()
    assets: tuple[Asset, ...] = ()
    items: tuple[Item, ...] = ()
    paths: tuple[tuple[PathStep, ...], ...] = ()
    method: str = ""
    confidence: str = ""
    alternatives: tuple[str, ...] = ()
    term: str = ""
    non_disclosure: str = ""
    language: str = "en"
    marking: Marking = STRICTEST
    trace_digest: str = ""
    deconfliction: str = ""
    expires: str = ""
    reply_to: str = ""
    claims: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    corrects: str = ""
    exercise: bool = False
    given_id: str = ""

    @property
    def id(self) -> str:
        """A UUID: the given one, or (version 5) of what is asked of whom in which case."""
        if self.given_id:
            return self.given_id
        name = [
            self.kind.value,
            self.case_number,
            asdict(self.recipient),
            [asdict(asset) for asset in self.assets],
            self.trace_digest,
        ]
        return str(uuid5(NAMESPACE_URL, "shieldwall:request:" + digest(name)))

    def __post_init__(self) -> None:
        if len({asset.asset for asset in self.assets}) > 1:
            raise UsageError("assets of several coins cannot be summed", hint="write one request for each coin")

    @property
    def amount(self) -> int:
        """Satoshi that it is about."""
        return sum(asset.amount for asset in self.assets)

    @property
    def coin(self) -> str:
        """The coin of all assets; "" where there are none."""
        return self.assets[0].asset if self.assets else ""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON of the whole request: what is approved and signed."""
        return digest(self.as_dict())

    def texts(self) -> Iterator[tuple[str, str]]:
        """What people wrote in it, by the name of its field."""
        for name in sorted(_TEXTS):
            yield name, getattr(self, name)
        yield from (("alternatives", text) for text in self.alternatives)
        yield from (("chronology", event) for _, event in self.chronology)
        yield from self.particulars

    def as_dict(self) -> dict[str, Any]:
        """The request as plain JSON values.

        Of each asset `amount` and `value` are satoshi (100 million to one coin), and `amount_coin` is `amount` as a decimal
        string in coins; `coin` is which, BTC or LTC.
        """
        plain = asdict(self)
        plain.pop("given_id")
        plain["kind"] = self.kind.value
        plain["marking"] = self.marking.label
        plain["assets"] = [
            {**asdict(asset), "amount_coin": btc(asset.amount), "coin": asset.asset, "unit": "satoshi"}
            for asset in self.assets
        ]
        plain["paths"] = [[asdict(step) for step in path] for path in self.paths]
        plain["chronology"] = [{"time": time, "event": event} for time, event in self.chronology]
        plain["particulars"] = dict(self.particulars)
        for name in ("alternatives", "items", "claims", "evidence"):
            plain[name] = list(plain[name])
        return {"format": FORMAT, "request_id": self.id, "amount": self.amount, **plain}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], place: str = "request") -> Request:
        """The request that `as_dict` wrote.

        Raises:
            BadText: It is none; `place` says where it was read.
        """
        try:
            body = dict(plain)
            if body.pop("format") != FORMAT:
                raise TypeError("another format")  # noqa: TRY301
            given_id, amount = body.pop("request_id"), body.pop("amount")
            body["kind"] = RequestKind(body["kind"])
            body["marking"] = parse_marking(body["marking"])
            body["sender"] = _texts(Sender, body["sender"])
            body["recipient"] = _texts(Recipient, body["recipient"])
            body["assets"] = tuple(_asset(each) for each in body["assets"])
            body["items"] = tuple(_texts(Item, each) for each in body["items"])
            body["paths"] = tuple(tuple(_step(step) for step in path) for path in body["paths"])
            if not all(body["paths"]):
                raise TypeError("a way of no step")  # noqa: TRY301
            body["chronology"] = tuple((_text(each["time"]), _text(each["event"])) for each in body["chronology"])
            body["particulars"] = tuple(
                sorted((_text(name), _text(text)) for name, text in body["particulars"].items())
            )
            for name in ("alternatives", "claims", "evidence"):
                body[name] = tuple(_text(each) for each in body[name])
            for entry in fields(cls):
                if entry.name in _TEXTS and entry.name in body:
                    _text(body[entry.name])
            if type(body.get("exercise", False)) is not bool:
                raise TypeError("exercise is true or false")  # noqa: TRY301
            found = cls(**body, given_id=_text(given_id))
        except (KeyError, TypeError, ValueError, AttributeError, UsageError) as error:
            raise BadText(f"{place}: not a request ({error})") from None
        if found.amount != amount or len(found.assets) > MOST_ASSETS:
            raise BadText(f"{place}: its amount is not the sum of its assets, or they are too many")
        return found

    def to_json(self) -> str:
        """`as_dict` as canonical JSON."""
        return canonical_json(self.as_dict()).decode() + "\n"

    def to_csv(self) -> str:
        """The assets and items, one row each, identifiers as copyable text: what a compliance desk loads."""
        names = [entry.name for entry in fields(Asset)]
        first = (self.id, self.kind.value, self.case_number, "yes" if self.exercise else "no")
        rows = [
            (*first, *(getattr(asset, name) for name in names), btc(asset.amount), asset.asset, "", "")
            for asset in self.assets
        ]
        rows += [(*first, *("" for _ in names), "", "", item.type, item.name) for item in self.items]
        head = ("request_id", "kind", "case_number", "exercise", *names, "amount_coin", "coin", "item_type", "item")
        return csv_text(head, rows)


_TEXTS = frozenset(entry.name for entry in fields(Request) if entry.type == "str" and entry.default is not MISSING)
"""Fields of a request that are one text."""


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST:
        raise TypeError(f"a text of at most {LONGEST:,} characters is wanted")
    return value


def _texts(kind: Any, plain: Mapping[str, Any]) -> Any:  # noqa: ANN401 - one of the records above
    return kind(**{name: _text(value) for name, value in plain.items()})


def _asset(plain: Mapping[str, Any]) -> Asset:
    body = {name: value for name, value in plain.items() if name not in ("amount_coin", "coin", "unit")}
    for name, value in body.items():
        if name in ("index", "amount", "value"):
            _whole(value)
        elif name == "height":
            _whole(0 if value is None else value)
        else:
            _text(value)
    return Asset(**body)


def _step(plain: Mapping[str, Any]) -> PathStep:
    _whole(plain["index"])
    _whole(plain["amount"])
    _whole(0 if plain["height"] is None else plain["height"])
    for name in ("txid", "address", "time"):
        _text(plain[name])
    return PathStep(**plain)


def _whole(value: object) -> None:
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise TypeError("a whole number is wanted")
