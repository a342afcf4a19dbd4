"""The answer about choke points: frozen, complete, and the same bytes for the same input."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shieldwall.model.canonical import canonical_json, digest
from shieldwall.model.spreadsheet import csv_text
from shieldwall.trace.printable import printable

CSV_COLUMNS = (
    "list", "rank", "kind", "name", "stopped_satoshi", "cumulative_satoshi", "cumulative_share", "passed_satoshi",
    "unspent_satoshi", "unknown_satoshi", "first_paid_utc", "last_paid_utc", "can_freeze", "addresses",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChokeResult:
    """The answer.

    Attributes:
        body: Everything but the digest, as plain JSON values; docs/choke.md names the fields.
    """

    body: dict[str, Any]
    _digest: str = field(default="", init=False, repr=False, compare=False)

    @property
    def sentence(self) -> str:
        """The answer in words."""
        return str(self.body["sentence"])

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

    def rows(self) -> list[dict[str, Any]]:
        """The points, those chosen by amount first, then those of the cut; `list` tells which."""
        cut = (self.body["cut"] or {}).get("points") or []
        return [{"list": "points", **point} for point in self.body["points"]] + [{"list": "cut", **p} for p in cut]

    def to_csv(self) -> str:
        """The points, one a row."""
        return csv_text(
            CSV_COLUMNS,
            (
                (
                    row["list"], row["rank"], row["kind"], printable(row["name"]), row["stopped_amount"],
                    row["cumulative_amount"], row["cumulative_share"], row["passed_amount"], row["unspent_amount"],
                    row["unknown_amount"], row["first_paid"], row["last_paid"],
                    printable("; ".join(entry["name"] for entry in row["freezable_by"])), " ".join(row["addresses"]),
                )
                for row in self.rows()
            ),
        )  # fmt: skip
