"""An answer that is stamped with its digest: frozen, and the same bytes for the same input."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shieldwall.model.canonical import canonical_json, digest


@dataclass(frozen=True)
class Stamped:
    """An answer.

    Attributes:
        body: Everything but the digest, as plain JSON values; `sentence` among them is the answer in words.
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
