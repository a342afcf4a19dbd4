"""What was published of how often a change rule is right: never measured by us, and never measured on the simulator."""

from __future__ import annotations

from dataclasses import dataclass

from shieldwall.trace.published_rates import PublishedRate, none_published

MOESER_NARAYANAN = "Möser and Narayanan, Resurrecting Address Clustering in Bitcoin (FC 2022), Table 4"
BLOCKSCI = "BlockSci (USENIX Security 2020), change address heuristics"
MEIKLEJOHN = "Meiklejohn et al., A Fistful of Bitcoins (IMC 2013), Heuristic 2"

_OF = "35.26 million standard transactions of known change"


@dataclass(frozen=True, slots=True)
class Published:
    """The rates of a rule as published; all None where nobody has published any.

    Attributes:
        tpr: True positive rate: the share of transactions in which the rule named the change, as a decimal.
        fpr: False positive rate: the share in which it named the other output.
        coverage: The share of the transactions with unknown change for which it names an output.
        source: Publication and table, or whose rule it is.
        note: What to know before the figures are used; "" for nothing.
    """

    tpr: str | None
    fpr: str | None
    coverage: str | None
    source: str
    note: str = ""

    @property
    def known(self) -> bool:
        """False where nobody has published rates."""
        return self.tpr is not None

    def rates(self) -> tuple[PublishedRate, ...]:
        """One record a figure, or one that says that there is none."""
        if self.tpr is None or self.fpr is None or self.coverage is None:
            return (none_published(self.source, "error rate of the rule"),)
        return (
            PublishedRate(f"true positive rate, {_OF}", self.tpr, self.source),
            PublishedRate(f"false positive rate, {_OF}", self.fpr, self.source),
            PublishedRate("coverage of standard transactions of unknown change", self.coverage, self.source),
        )

    def as_json(self) -> dict[str, str | None]:
        """Plain values for a result."""
        return {
            "tpr": self.tpr,
            "fpr": self.fpr,
            "coverage": self.coverage,
            "source": self.source,
            "note": self.note or None,
        }


def measured(tpr: str, fpr: str, coverage: str, note: str = "") -> Published:
    """Rates of Möser and Narayanan's Table 4."""
    return Published(tpr, fpr, coverage, MOESER_NARAYANAN, note)


def not_measured(source: str, note: str = "") -> Published:
    """No rates; `source` is whose rule it is."""
    return Published(None, None, None, source, note)
