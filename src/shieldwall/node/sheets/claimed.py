"""The kinds of claim that sheets make."""

from __future__ import annotations

from shieldwall.model.claim import ClaimKind

NOTE = ClaimKind("note", required={"text": str}, optional={})
"""What somebody noticed, in their own words."""

SHEET = ClaimKind(
    "sheet",
    {"digest": str, "file": str, "trace": str, "trace_digest": str, "title": str, "sentence": str},
    {"tip_height": int, "tip_hash": str},
)
"""A claim on each thing that the trace of a saved sheet started from: which file holds the sheet."""
