"""A trace's answer: frozen, complete, and the same bytes for the same input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from shieldwall.model.canonical import canonical_json, digest
from shieldwall.model.spreadsheet import csv_text
from shieldwall.trace.printable import printable

CSV_COLUMNS = (
    "kind", "address", "txid", "output_index", "amount_satoshi", "share", "hops", "height", "time_utc",
    "service", "tags", "freezable_by", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TraceResult:
    """The answer of a trace.

    Attributes:
        body: Everything but the digest, as plain JSON values; docs/spec/trace-result.md names the fields.
    """

    body: dict[str, Any]
    _digest: str = field(default="", init=False, repr=False, compare=False)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the fields of the specification
        try:
            return self.body[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON of the body."""
        if not self._digest:
            object.__setattr__(self, "_digest", digest(self.body))
        return self._digest

    def as_dict(self) -> dict[str, Any]:
        """The body and its digest."""
        return {**self.body, "digest": self.digest}

    def to_json(self) -> str:
        """`as_dict` as canonical JSON."""
        return canonical_json(self.as_dict()).decode()

    def to_csv(self) -> str:
        """The ends, one output a row."""
        return csv_text(CSV_COLUMNS, (row for end in self.body["ends"] for row in _rows(end)))

    def _repr_html_(self) -> str:
        from shieldwall.trace.pages import notebook  # noqa: PLC0415 - templates only where someone looks

        return notebook(self.body)


def _rows(end: dict[str, Any]) -> Iterator[tuple[object, ...]]:
    service = printable(end["service"] or "")
    tags = printable("; ".join(tag["label"] for tag in end["tags"]))
    freezers = printable("; ".join(entry["name"] for entry in end["freezable_by"]))
    for output in end["outputs"]:
        yield (
            end["kind"], end["address"], output["txid"], output["index"], output["amount"], output["share"],
            output["hops"], output["height"], output["time"], service, tags, freezers, output["reason"],
        )  # fmt: skip
