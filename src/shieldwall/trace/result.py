"""A trace's answer: complete, and the same bytes for the same input."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from shieldwall.model.canonical import canonical_json, digest
from shieldwall.model.spreadsheet import csv_text
from shieldwall.trace.printable import printable
from shieldwall.trace.summary import LONG, summary_of

CSV_COLUMNS = (
    "method", "kind", "address", "txid", "output_index", "amount_satoshi", "share", "hops", "height", "time_utc",
    "service", "tags", "freezable_by", "reason",
)  # fmt: skip
FIAT_COLUMNS = ("fiat_value", "fiat_currency", "fiat_rate", "fiat_rate_date", "fiat_source")


class TraceResult:
    """The answer of a trace.

    What a person reads first stands in `summary`; the whole answer, with every transaction passed, is put together when
    someone asks for it, from the same snapshot of the store.

    Args:
        body: Everything but the digest, as plain JSON values; or a function that gives it.
        summary: The same without its long lists; worked out from the body where it is not given.
    """

    def __init__(
        self, body: dict[str, Any] | Callable[[], dict[str, Any]], summary: Mapping[str, Any] | None = None
    ) -> None:
        self._body = body
        self._summary = summary

    @property
    def body(self) -> dict[str, Any]:
        """Everything but the digest, as plain JSON values; docs/spec/trace-result.md names the fields."""
        if not isinstance(self._body, dict):
            self._body = self._body()
        return self._body

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TraceResult) and self.body == other.body

    def __hash__(self) -> int:
        return hash(self.digest)

    @cached_property
    def summary(self) -> Mapping[str, Any]:
        """Every field but the long lists, and the first of these: `trace.summary.summary_of` names what differs."""
        return summary_of(self.body) if self._summary is None else self._summary

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the fields of the specification
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self.body[name] if name in LONG else self.summary[name]
        except KeyError:
            raise AttributeError(name) from None

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON of the body."""
        return digest(self.body)

    def as_dict(self) -> dict[str, Any]:
        """The body and its digest."""
        return {**self.body, "digest": self.digest}

    def to_json(self) -> str:
        """`as_dict` as canonical JSON."""
        return canonical_json(self.as_dict()).decode()

    def to_csv(self) -> str:
        """The ends, one output a row; of every method where several were asked for; with values where there are rates."""
        columns = CSV_COLUMNS if self.body["fiat"] is None else CSV_COLUMNS + FIAT_COLUMNS
        sides = self.body.get("methods") or [self.body]
        return csv_text(columns, (row for side in sides for end in side["ends"] for row in _rows(side["method"], end)))

    def _repr_html_(self) -> str:
        from shieldwall.trace.pages import notebook  # noqa: PLC0415 - templates only where someone looks

        return notebook(self.body)


def _rows(method: str, end: dict[str, Any]) -> Iterator[tuple[object, ...]]:
    service = printable(end["service"] or "")
    tags = printable("; ".join(tag["label"] for tag in end["tags"]))
    freezers = printable("; ".join(entry["name"] for entry in end["freezable_by"]))
    for output in end["outputs"]:
        yield (
            method, end["kind"], end["address"], output["txid"], output["index"], output["amount"], output["share"],
            output["hops"], output["height"], output["time"], service, tags, freezers, output["reason"],
            *(_worth(output["fiat"]) if "fiat" in output else ()),
        )  # fmt: skip


def _worth(value: dict[str, Any]) -> tuple[object, ...]:
    rates = "; ".join(f"{rate['source']} ({rate['what']}), {rate['file']} {rate['sha256']}" for rate in value["rates"])
    source = printable(rates or value["reason"])
    return value["value"], value["currency"], value["rate"], value["rate_date"], source
