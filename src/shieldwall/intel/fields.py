"""One entry of a source, as named fields, to one claim: what TagPacks and CSV files have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from shieldwall.errors import BadText
from shieldwall.intel import subject, tag
from shieldwall.intel.interface import ReadOptions, Rejected
from shieldwall.model.canonical import canonical_json
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.marking import STRICTEST, Marking
from shieldwall.model.moment import unix

TAG_FIELDS = frozenset(
    (
        "address",
        "tx_hash",
        "label",
        "source",
        "currency",
        "network",
        "context",
        "confidence",
        "is_cluster_definer",
        "lastmod",
        "category",
        "abuse",
        "actor",
        "concepts",
        "tag_type",
    )
)
"""The fields of a tag in the TagPack schema; all but the first two may stand in the header and hold for every tag."""

_TEXTS = TAG_FIELDS - {"concepts", "context", "is_cluster_definer", "lastmod"}


def text_of(value: Any, name: str, place: str) -> str:  # noqa: ANN401 - any plain value
    """A field as text; a whole number is its digits, nothing is "".

    Raises:
        BadText: A list, mapping or truth value.
    """
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadText(f"{place}: {name!r} must be text", hint="put it in quotes")
    return str(value).strip()


def texts_of(value: Any, name: str, place: str) -> list[str]:  # noqa: ANN401
    """A field as a list of texts; one text alone is a list of one.

    Raises:
        BadText: Something else.
    """
    entries = value if isinstance(value, list) else [value]
    return [text for entry in entries if (text := text_of(entry, name, place))]


def moment_of(value: Any, name: str, place: str) -> str:  # noqa: ANN401
    """A field as a date or time of ISO 8601.

    Raises:
        BadText: Not a date.
    """
    text = text_of(value, name, place)
    if not text:
        return ""
    try:
        return tag.iso_moment(text)
    except ValueError:
        raise BadText(
            f"{place}: {name!r} is {text[:40]!r}, which is no date", hint="write 2021-05-08 or 2021-05-08T17:12:57Z"
        ) from None


def marking_of(is_public: bool | str | None, options: ReadOptions) -> Marking:
    """What the importer says, else TLP:CLEAR of a pack that says it is public, else the strictest."""
    if options.marking is not None:
        return options.marking
    return Marking.CLEAR if is_public in (True, "true", "yes") else STRICTEST


class TagBuilder:
    """Makes the claims of one file and counts what it has no field for.

    Args:
        options: Of the import; they fill what the file leaves open.
        made_by: Who says it.
        marking: Of every claim.
        evidence: SHA-256 (hex) of the file.

    Raises:
        UsageError: The options' confidence word or date is none.
    """

    def __init__(self, options: ReadOptions, made_by: str, marking: Marking, evidence: str) -> None:
        if options.confidence:
            tag.confidence_of(options.confidence)
        if options.at:
            unix(options.at)
        self.options = options
        self.made_by = made_by
        self.marking = marking
        self.evidence = evidence
        self.further: Counter[str] = Counter()

    def build(self, entry: Mapping[str, Any], place: str, local: str) -> Claim | Rejected:
        """The claim of one entry.

        Args:
            entry: Field -> plain value, inherited ones included.
            place: File and entry, for errors.
            local: The entry alone, for the report.

        Raises:
            BadText: A mandatory field is missing, or one is of the wrong form.
        """
        options = self.options
        text = {name: text_of(entry.get(name), name, place) for name in _TEXTS}
        label = text["label"] or options.label
        if not label:
            raise BadText(f"{place}: a tag needs a label", hint="add it there or in the header, or give --label")
        named = self._subject(text, place, local)
        if isinstance(named, Rejected):
            return named
        further = [f"{name}={_plain(value)}" for name, value in sorted(entry.items()) if name not in TAG_FIELDS]
        self.further.update(name for name in entry if name not in TAG_FIELDS)
        concepts = texts_of(entry.get("concepts"), "concepts", place)
        number, unknown = self._confidence(text["confidence"] or options.confidence)
        if unknown:
            self.further["confidence"] += 1
            further.append(f"confidence={unknown}")
        network, currency = text["network"], text["currency"]
        said = tag.statement(
            label=label,
            category=tag.category_of(text["category"] or options.category, concepts),
            abuse=tag.word(text["abuse"] or options.abuse),
            actor=text["actor"] or options.actor,
            concepts=concepts,
            context=_plain(entry.get("context")),
            tag_type=text["tag_type"],
            currency=currency if network and currency.upper() != network.upper() else "",
            cluster_definer=_flag(entry.get("is_cluster_definer"), place),
            further=further,
        )
        tag.TAG.check(said, place)
        return Claim(
            subject=named,
            kind=tag.TAG.name,
            statement=said,
            layer=Layer.ATTRIBUTION,
            source=text["source"] or options.source,
            made_by=self.made_by,
            at=moment_of(entry.get("lastmod"), "lastmod", place) or options.at,
            confidence=number,
            marking=self.marking,
            pap=self.options.pap,
            evidence=(self.evidence,),
        )

    def _subject(self, text: Mapping[str, str], place: str, local: str) -> Subject | Rejected:
        if not text["address"] and not text["tx_hash"]:
            raise BadText(f"{place}: a tag needs an address or a tx_hash", hint="add it, or take the tag out")
        currency = text["currency"] or self.options.currency
        if not currency and not text["network"]:
            raise BadText(f"{place}: a tag needs a currency", hint="add it there or in the header, or give --currency")
        chain, bitcoin = subject.chain_of(currency, text["network"], self.options.network)
        if not chain:
            return Rejected(local, (text["network"] or currency)[:120], "the currency is no word")
        if text["address"]:
            return subject.address_subject(text["address"], chain, bitcoin, local)
        return subject.transaction_subject(text["tx_hash"], chain, bitcoin, local)

    def _confidence(self, text: str) -> tuple[int | None, str]:
        if not text:
            return None, ""
        if text in tag.CONFIDENCE:
            return tag.CONFIDENCE[text], ""
        if text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 100:
            return int(text), ""
        return None, text  # a word that no taxonomy known here has: said, not guessed


def _flag(value: Any, place: str) -> bool | None:  # noqa: ANN401
    if value is None or isinstance(value, bool):
        return value
    if value in ("yes", "no"):  # YAML 1.1's other words for it
        return bool(value == "yes")
    raise BadText(f"{place}: 'is_cluster_definer' must be true or false")


def _plain(value: Any) -> str:  # noqa: ANN401
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else canonical_json(value).decode()
