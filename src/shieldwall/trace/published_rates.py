"""What was published of how often a rule is right or wrong: said beside every inference, never measured by us."""

from __future__ import annotations

from dataclasses import dataclass

NONE_PUBLISHED = "none published"


@dataclass(frozen=True, slots=True)
class PublishedRate:
    """One figure that somebody published of a rule.

    Attributes:
        what: What the figure is and of what, such as "true positive rate, 35.26 million standard transactions".
        value: The figure as published, such as ".467" or ">99 %"; `NONE_PUBLISHED` where there is none.
        source: Publication and table or section, or, where no rate is published, whose rule it is.
    """

    what: str
    value: str
    source: str

    @property
    def known(self) -> bool:
        """False where nobody has published a figure."""
        return self.value != NONE_PUBLISHED

    def as_json(self) -> dict[str, str]:
        """Plain values for a result."""
        return {"what": self.what, "value": self.value, "source": self.source}


def none_published(source: str, what: str = "error rate") -> PublishedRate:
    """The record of a rule whose error nobody has published.

    Args:
        source: Whose rule it is.
        what: What one would want to know.
    """
    return PublishedRate(what, NONE_PUBLISHED, source)
