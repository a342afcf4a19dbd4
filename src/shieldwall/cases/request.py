"""A request to preserve and freeze, with the fields that recipients ask for; what is missing is named, never invented.

The fields follow what exchanges and issuers publish (case number, authority, officer, exact legal entity, identifiers as
copyable text) and what a first reader needs, who is no analyst: one paragraph, then rows.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from shieldwall.errors import UsageError
from shieldwall.model.amount import btc
from shieldwall.model.canonical import canonical_json, digest
from shieldwall.model.marking import STRICTEST, Marking
from shieldwall.model.spreadsheet import csv_text

FORMAT = "shieldwall-freeze-request/2"
NOT_GIVEN = "not given"


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
    """Who is asked; from the directory of who can freeze, with its date."""

    name: str = ""
    legal_entity: str = ""
    country: str = ""
    channel: str = ""
    directory_dated: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One output to freeze, with everything to find it again.

    Attributes:
        chain: CAIP-2 id.
        network: Its name.
        asset: What it is, such as BTC or LTC.
        address: Where it arrived.
        txid: Transaction that paid it (display form).
        index: Output index there.
        amount: Satoshi that the trace follows into it.
        value: Satoshi of the whole output.
        share: Part of the seed, decimal string.
        time: When it arrived, UTC.
        height: Block height; None when not known.
        block_hash: Block hash (display form).
        proof: What is proven: "inclusion" or "txid".
        fiat_value: With currency, "" when no rate was used.
        fiat_source: Where the rate is from.
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
    fiat_value: str = ""
    fiat_source: str = ""


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
class FreezeRequest:
    """The request.

    Attributes:
        case_number: Stands in the subject line, too.
        sender, recipient: The two sides.
        asks: Separate asks, such as preserve, freeze, disclose; a preservation is no freeze, a freeze no production.
        urgent: Why it cannot wait; "" for a request that can.
        offence: The offence, with its provision.
        narrative: One paragraph for a reader who is no analyst.
        chronology: (UTC time, what happened), in order.
        victim, suspect: As far as they may be named.
        assets: What to freeze.
        paths: The way of each of the assets, in their order.
        method: How mixed money was divided, in words.
        confidence: High, moderate or low, and in what; never mixed with a likelihood in one sentence (ICD 203).
        alternatives: Other explanations and what is not known.
        term: How long, and until when it is to be renewed.
        non_disclosure: Whether the account's holder may be told.
        language: Of the request.
        marking: Who may see it.
        trace_digest: Digest of the trace that it rests on.
        deconfliction: Reference of the check that no other case is disturbed.
        signature: Detached signature.
        key_id: Of the key that made it.
        manifest: Digest of the evidence package's manifest.
        expires: Until when the request stands.
        reply_to: Where the answer goes.
        exercise: True for one that must never be acted on.

    Raises:
        UsageError: Assets of several coins: their amounts have no sum.
    """

    case_number: str = ""
    sender: Sender = field(default_factory=Sender)
    recipient: Recipient = field(default_factory=Recipient)
    asks: tuple[str, ...] = ()
    urgent: str = ""
    offence: str = ""
    narrative: str = ""
    chronology: tuple[tuple[str, str], ...] = ()
    victim: str = ""
    suspect: str = ""
    assets: tuple[Asset, ...] = ()
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
    signature: str = ""
    key_id: str = ""
    manifest: str = ""
    expires: str = ""
    reply_to: str = ""
    exercise: bool = False

    @property
    def id(self) -> str:
        """A UUID (version 5) of what is asked of whom in which case: the same request has the same id."""
        name = [self.case_number, asdict(self.recipient), [asdict(asset) for asset in self.assets], self.trace_digest]
        return str(uuid5(NAMESPACE_URL, "shieldwall:request:" + digest(name)))

    def __post_init__(self) -> None:
        if len({asset.asset for asset in self.assets}) > 1:
            raise UsageError("assets of several coins cannot be summed", hint="write one request for each coin")

    @property
    def amount(self) -> int:
        """Satoshi asked to be frozen."""
        return sum(asset.amount for asset in self.assets)

    @property
    def coin(self) -> str:
        """The coin of all assets; "" where there are none."""
        return self.assets[0].asset if self.assets else ""

    def missing(self) -> tuple[str, ...]:
        """Names of the fields that nobody has filled in, in the order of the form; a recipient may refuse without them."""
        optional = {"urgent", "exercise", "victim", "suspect", "marking", "language", "paths", "alternatives"}
        found = [entry.name for entry in fields(self) if entry.name not in optional and not getattr(self, entry.name)]
        found += [f"sender.{entry.name}" for entry in fields(self.sender) if not getattr(self.sender, entry.name)]
        found += [
            f"recipient.{entry.name}" for entry in fields(self.recipient) if not getattr(self.recipient, entry.name)
        ]
        found += ["assets.fiat_value"] if any(not asset.fiat_value for asset in self.assets) else []
        return tuple(found)

    def as_dict(self) -> dict[str, Any]:
        """The request as plain JSON values.

        Of each asset `amount` and `value` are satoshi (100 million to one coin), and `amount_coin` is `amount` as a decimal
        string in coins; `coin` is which, BTC or LTC. Version 1 of the format called the decimal `amount_btc`.
        """
        plain = asdict(self)
        plain["marking"] = self.marking.label
        plain["assets"] = [
            {**asdict(asset), "amount_coin": btc(asset.amount), "coin": asset.asset, "unit": "satoshi"}
            for asset in self.assets
        ]
        plain["chronology"] = [{"time": time, "event": event} for time, event in self.chronology]
        return {
            "format": FORMAT,
            "request_id": self.id,
            "amount": self.amount,
            "missing": list(self.missing()),
            **plain,
        }

    def to_json(self) -> str:
        """`as_dict` as canonical JSON."""
        return canonical_json(self.as_dict()).decode() + "\n"

    def to_csv(self) -> str:
        """The assets, one row each, identifiers as copyable text: what a compliance desk loads; columns as in `as_dict`."""
        names = [entry.name for entry in fields(Asset)]
        first = (self.id, self.case_number, "yes" if self.exercise else "no")
        rows = (
            (*first, *(getattr(asset, name) for name in names), btc(asset.amount), asset.asset) for asset in self.assets
        )
        return csv_text(("request_id", "case_number", "exercise", *names, "amount_coin", "coin"), rows)
