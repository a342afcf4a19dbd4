"""The answer about choke points: frozen, complete, and the same bytes for the same input."""

from __future__ import annotations

from typing import Any

from shieldwall.model.spreadsheet import csv_text
from shieldwall.trace.printable import printable
from shieldwall.trace.stamped import Stamped

CSV_COLUMNS = (
    "list", "rank", "kind", "name", "stopped_satoshi", "cumulative_satoshi", "cumulative_share", "passed_satoshi",
    "unspent_satoshi", "unknown_satoshi", "first_paid_utc", "last_paid_utc", "can_freeze", "addresses",
)  # fmt: skip


class ChokeResult(Stamped):
    """The answer; docs/choke.md names the fields of its body."""

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
