"""docs/change.md says of each predicate what the program says."""

from __future__ import annotations

import re

from shieldwall.trace.change.expression import DEFAULT, parse
from shieldwall.trace.change.predicates import every_predicate
from shieldwall.trace.change.rates import BLOCKSCI, MEIKLEJOHN, MOESER_NARAYANAN

SHORT = {MOESER_NARAYANAN: "MN", BLOCKSCI: "BS", MEIKLEJOHN: "MJ"}


def row(predicate):
    """The line of the table of one predicate."""
    published = predicate.published
    rates = (published.tpr, published.fpr, published.coverage) if published.known else ("none published", "", "")
    ahead = "yes" if predicate.looks_ahead else ""
    whose = SHORT.get(published.source, "MN")
    return "| " + " | ".join((f"`{predicate}`", predicate.definition, *rates, ahead, whose)) + " |"


def test_the_table_is_the_registry(root):
    page = (root / "docs" / "change.md").read_text(encoding="utf-8")
    section = page.partition("## Predicates")[2].partition("\n- **MN**")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    assert lines == [row(predicate) for predicate in every_predicate()]


def test_the_rules_on_the_page_are_rules(root):
    page = (root / "docs" / "change.md").read_text(encoding="utf-8")
    assert f"`{DEFAULT}`" in page
    for text in re.findall(r"--rule '([^']+)'", page):
        assert parse(text)
