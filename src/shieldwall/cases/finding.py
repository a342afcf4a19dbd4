"""Findings: what a case has found, in three layers that are never mixed. A finding is a claim.

An observation is what anyone can see in the evidence; an inference follows from observations by a named rule that can err; an
attribution names somebody. How likely something is and how good the grounds are stand in fields of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shieldwall.cases.wording import Confidence, Likelihood, must_not_mix
from shieldwall.errors import BadInput
from shieldwall.model.claim import ClaimKind, Layer

FINDING = ClaimKind(
    "finding",
    {"text": str},
    {"basis": str, "likelihood": str, "confidence": str, "alternatives": list, "supports": list},
)
"""A finding of a case: its text; the rule or source that it rests on; a likelihood and a confidence of ICD 203; other
explanations; ids of the claims and digests of the evidence that support it."""

MOST_TEXT = 4000  # characters
_MOST_LISTED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A finding.

    Attributes:
        layer: Which of the three.
        text: What was found.
        basis: Of an inference the rule, of an attribution whose source names it; "" for an observation.
        likelihood: None for an observation, and where nobody says it.
        confidence: Likewise.
        alternatives: Other explanations, and what is not known.
        supports: What it rests on: digests of claims and of evidence.
    """

    layer: Layer
    text: str
    basis: str = ""
    likelihood: Likelihood | None = None
    confidence: Confidence | None = None
    alternatives: tuple[str, ...] = ()
    supports: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.text.strip() or len(self.text) > MOST_TEXT or len(self.basis) > MOST_TEXT:
            raise BadInput(f"a finding has a text of at most {MOST_TEXT:,} characters")
        if len(self.alternatives) > _MOST_LISTED or len(self.supports) > _MOST_LISTED:
            raise BadInput(f"a finding lists at most {_MOST_LISTED} alternatives, and as much that it rests on")
        for text in (self.text, self.basis, *self.alternatives):
            must_not_mix(text, "a finding")
        if self.layer is Layer.OBSERVATION and (self.likelihood or self.confidence):
            raise BadInput(
                "an observation is seen, not judged: it has no likelihood and no confidence",
                hint="make it an inference, and say by which rule it follows",
            )
        if self.layer is Layer.INFERENCE and not self.basis.strip():
            raise BadInput("an inference names the rule by which it follows", hint="fill in what it rests on")
        if self.layer is Layer.ATTRIBUTION and not self.basis.strip():
            raise BadInput("an attribution names whose word it is", hint="fill in the source")

    @property
    def sentence(self) -> str:
        """The text, and each judgement in a sentence of its own."""
        parts = [self.text.strip()]
        if self.likelihood is not None:
            least, most = self.likelihood.percent
            parts.append(f"Judged {self.likelihood.value} ({least:02}-{most} %).")
        if self.confidence is not None:
            parts.append(f"Confidence in that judgement: {self.confidence.value}.")
        return " ".join(parts)

    def statement(self) -> dict[str, Any]:
        """As the statement of a claim; what is empty is left out."""
        every: dict[str, Any] = {
            "text": self.text.strip(),
            "basis": self.basis.strip(),
            "likelihood": self.likelihood.value if self.likelihood else "",
            "confidence": self.confidence.value if self.confidence else "",
            "alternatives": [text.strip() for text in self.alternatives if text.strip()],
            "supports": list(self.supports),
        }
        return {name: value for name, value in every.items() if value}

    @classmethod
    def of(cls, layer: Layer, statement: Mapping[str, Any]) -> Finding:
        """The finding in a statement that `FINDING` has checked.

        Raises:
            BadInput: Its words do not fit.
        """
        return cls(
            layer=layer,
            text=statement["text"],
            basis=statement.get("basis", ""),
            likelihood=_or_none(Likelihood.of, statement.get("likelihood", "")),
            confidence=_or_none(Confidence.of, statement.get("confidence", "")),
            alternatives=_texts(statement.get("alternatives", ())),
            supports=_texts(statement.get("supports", ())),
        )


def _or_none(read: Any, word: str) -> Any:  # noqa: ANN401 - one of two types
    return read(word) if word else None


def _texts(given: Sequence[object]) -> tuple[str, ...]:
    if not all(isinstance(each, str) for each in given):
        raise BadInput("alternatives and supports of a finding are texts")
    return tuple(str(each) for each in given)
