"""What a request lacks: by its kind, by what its recipient publishes, by its legal profile. Each lack says who asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from shieldwall.cases.legal import LegalProfile
from shieldwall.cases.recipients import Profile
from shieldwall.cases.request import Request, RequestKind
from shieldwall.model.words import message

LABELS: dict[str, str] = {
    "case_number": message("Case number"),
    "sender.agency": message("Agency"),
    "sender.country": message("Country of the agency"),
    "sender.legal_authority": message("Legal authority"),
    "sender.instrument": message("Order or instrument, attached"),
    "sender.officer": message("Officer"),
    "sender.post": message("Post"),
    "sender.badge": message("Badge or identity number"),
    "sender.proof_of_authority": message("Proof of authority"),
    "sender.mail": message("Official mail"),
    "sender.alternative_mail": message("Other mail"),
    "sender.phone": message("Telephone"),
    "recipient.name": message("Recipient"),
    "recipient.legal_entity": message("Legal entity of the recipient"),
    "recipient.country": message("Country of the recipient"),
    "recipient.channel": message("Channel to the recipient"),
    "legal": message("Legal profile"),
    "relief": message("What exactly is to be done"),
    "urgent": message("Why it cannot wait"),
    "offence": message("Offence, with its provision"),
    "narrative": message("Summary for a first reader"),
    "chronology": message("Chronology"),
    "victim": message("Victim"),
    "suspect": message("Suspect"),
    "data": message("Data that is meant"),
    "relation": message("What the data has to do with the offence"),
    "necessity": message("Why it is needed"),
    "mutual_assistance": message("Request for mutual assistance that follows"),
    "assets": message("Amounts on the chain"),
    "items": message("Other identifiers"),
    "method": message("Method of the trace"),
    "confidence": message("Confidence"),
    "alternatives": message("Other explanations"),
    "term": message("Term and renewal"),
    "non_disclosure": message("Non-disclosure"),
    "language": message("Language"),
    "trace_digest": message("Digest of the trace"),
    "deconfliction": message("Check with other cases"),
    "expires": message("Request stands until"),
    "reply_to": message("Answer to"),
    "evidence": message("Evidence package"),
    "assets.fiat_value": message("Value in money, with the source of the rate"),
    "assets.contract": message("Contract of the token"),
    "assets.balance_proof": message("Proof of the balance now"),
}
"""What each field is called on pages and in letters; a message each."""

_EVERY = (
    "case_number", "sender.agency", "sender.country", "sender.legal_authority", "sender.officer", "sender.post",
    "sender.badge", "sender.mail", "sender.phone", "recipient.name", "recipient.legal_entity", "recipient.channel",
    "offence", "narrative", "relief", "expires", "reply_to",
)  # fmt: skip
_BY_KIND: dict[RequestKind, tuple[str, ...]] = {
    RequestKind.PRESERVE: ("data", "relation", "necessity", "term"),
    RequestKind.FREEZE: ("assets", "term", "non_disclosure", "method", "confidence", "trace_digest", "alternatives"),
    RequestKind.DISCLOSE: ("data", "relation", "necessity", "sender.instrument"),
    RequestKind.INFORM: (),
    RequestKind.TAKE_DOWN: ("items",),
}
_TOKEN = ("assets.contract", "assets.balance_proof")
_EITHER = "assets"
_INFORM_NEEDS_NOT = frozenset(("sender.badge", "sender.legal_authority", "offence"))

_FROM_LEGAL: dict[str, tuple[str, ...]] = {
    "sender.agency": ("authority", "issuing_authority", "seeking_authority", "requesting_police", "requesting_fiu", "sender"),
    "sender.legal_authority": ("legal_basis", "legal_authority", "legal_grounds"),
    "sender.instrument": ("order", "legal_order", "domestic_order"),
    "sender.officer": ("officer",),
    "sender.mail": ("official_mail",),
    "case_number": ("case_number", "case_reference"),
    "recipient.legal_entity": (
        "custodian_or_location", "provider", "addressee", "recipient", "exchange_entity", "location",
    ),
    "offence": ("offence", "criminal_provisions", "provisions_and_penalties"),
    "narrative": ("offence_and_facts", "facts", "case_facts", "case_summary"),
    "data": ("data_and_relation", "data_sought", "records", "information", "subscriber_information"),
    "relation": ("relation", "relevance"),
    "necessity": ("necessity", "necessity_proportionality"),
    "mutual_assistance": ("intention_mutual_assistance", "follow_up"),
    "urgent": ("urgency", "emergency", "emergency_reasons"),
    "non_disclosure": ("non_disclosure", "confidentiality"),
    "term": ("duration",),
    "relief": ("action",),
    "language": ("language",),
    "assets": ("addresses", "assets", "transactions", "transaction", "amount_and_asset"),
    "trace_digest": ("fund_flow", "tracing_evidence"),
    "assets.balance_proof": ("balance",),
    "assets.contract": ("token_and_contract",),
}  # fmt: skip
FROM_LEGAL = {name: field for field, names in _FROM_LEGAL.items() for name in names}
"""Field of the request in which what a legal profile asks for stands; what is not here is one of its particulars."""


@dataclass(frozen=True, slots=True)
class Lack:
    """A field that nobody has filled in.

    Attributes:
        field: Its name.
        label: A message; of a particular the words of the legal profile.
        by: Who asks for it: "kind", "recipient" or "law".
    """

    field: str
    label: str
    by: str


def lacking(request: Request, recipient: Profile | None = None, legal: LegalProfile | None = None) -> tuple[Lack, ...]:
    """What a request lacks, in the order of its form, each field once; the law's word goes before the recipient's."""
    wanted: dict[str, str] = {}
    for name in _EVERY:
        if request.kind is not RequestKind.INFORM or name not in _INFORM_NEEDS_NOT:
            wanted.setdefault(name, "kind")
    for name in _BY_KIND[request.kind]:
        wanted.setdefault(name, "kind")
    if request.kind in (RequestKind.PRESERVE, RequestKind.DISCLOSE) and not request.items:
        wanted.setdefault(_EITHER, "kind")
    if any(asset.contract or asset.asset.startswith(("USD", "EUR")) for asset in request.assets):
        wanted |= dict.fromkeys(_TOKEN, "kind")
    for name in () if recipient is None else recipient.requires:
        wanted[name] = "recipient"
    own = particulars(legal)
    for entry in () if legal is None else legal.fields:
        if entry.name in FROM_LEGAL:
            wanted[FROM_LEGAL[entry.name]] = "law"
    order = list(LABELS)
    lacks = [
        Lack(name, LABELS[name], by) for name, by in wanted.items() if name in LABELS and not _filled(request, name)
    ]
    lacks.sort(key=lambda lack: order.index(lack.field))
    given = dict(request.particulars)
    lacks += [Lack(f"particulars.{name}", label, "law") for name, label in own.items() if not given.get(name)]
    return tuple(lacks)


def particulars(legal: LegalProfile | None) -> dict[str, str]:
    """What a legal profile asks for that has no field of its own in a request: name, and what is meant."""
    if legal is None:
        return {}
    return {entry.name: entry.words for entry in legal.fields if entry.name not in FROM_LEGAL}


def _filled(request: Request, name: str) -> bool:
    first, _, second = name.partition(".")
    if first == "assets" and second:
        return bool(request.assets) and all(getattr(asset, second) for asset in request.assets)
    found = getattr(request, first)
    return bool(getattr(found, second) if second else found)
