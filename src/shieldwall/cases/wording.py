"""Words of likelihood and of confidence (ICD 203), as types, and the check that no sentence has both.

Likelihood says how probable it is that something is so; confidence says how good the grounds are. Whoever reads both in one
sentence cannot tell which is meant (Intelligence Community Directive 203, 2015, section 6.e.2).

Example:
    >>> Likelihood.of("probable").percent
    (55, 80)
    >>> [problem.sentence for problem in mixed("It is likely his. We have high confidence that he probably paid.")]
    ['We have high confidence that he probably paid.']
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from shieldwall.errors import BadInput


class Likelihood(StrEnum):
    """The seven bands of ICD 203, least first."""

    ALMOST_NO_CHANCE = "almost no chance"
    VERY_UNLIKELY = "very unlikely"
    UNLIKELY = "unlikely"
    EVEN = "roughly even chance"
    LIKELY = "likely"
    VERY_LIKELY = "very likely"
    ALMOST_CERTAIN = "almost certain"

    @property
    def percent(self) -> tuple[int, int]:
        """Its band, in percent."""
        return BANDS[self]

    @classmethod
    def of(cls, word: str) -> Likelihood:
        """The band that a word names, in either of the two rows of ICD 203.

        Raises:
            BadInput: It names none.
        """
        plain = " ".join(word.casefold().split())
        for band, words in LIKELIHOOD_WORDS.items():
            if plain in words:
                return band
        raise BadInput(
            f"{word[:40]!r} is no likelihood of ICD 203", hint=f"use one of {', '.join(each.value for each in cls)}"
        )


class Confidence(StrEnum):
    """How good the grounds of a judgement are, lowest first."""

    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"

    @classmethod
    def of(cls, word: str) -> Confidence:
        """The confidence that a word names.

        Raises:
            BadInput: It names none.
        """
        plain = " ".join(word.casefold().split()).removesuffix(" confidence")
        for each in cls:
            if plain == each.value:
                return each
        raise BadInput(f"{word[:40]!r} is no confidence", hint="use low, moderate or high")


BANDS: dict[Likelihood, tuple[int, int]] = {
    Likelihood.ALMOST_NO_CHANCE: (1, 5),
    Likelihood.VERY_UNLIKELY: (5, 20),
    Likelihood.UNLIKELY: (20, 45),
    Likelihood.EVEN: (45, 55),
    Likelihood.LIKELY: (55, 80),
    Likelihood.VERY_LIKELY: (80, 95),
    Likelihood.ALMOST_CERTAIN: (95, 99),
}
"""Percent, as in ICD 203 and in the MISP taxonomy `estimative-language`."""

LIKELIHOOD_WORDS: dict[Likelihood, tuple[str, ...]] = {
    Likelihood.ALMOST_NO_CHANCE: ("almost no chance", "remote", "remotely possible"),
    Likelihood.VERY_UNLIKELY: ("very unlikely", "highly improbable"),
    Likelihood.UNLIKELY: ("unlikely", "improbable", "improbably"),
    Likelihood.EVEN: ("roughly even chance", "roughly even odds", "even chance", "even odds"),
    Likelihood.LIKELY: ("likely", "probable", "probably"),
    Likelihood.VERY_LIKELY: ("very likely", "highly probable", "highly likely", "very probably"),
    Likelihood.ALMOST_CERTAIN: ("almost certain", "almost certainly", "nearly certain"),
}
"""Both rows of words, and the adverbs that are used for them."""

_FURTHER_LIKELIHOOD = (
    r"\b\d{1,3}\s*(?:%|per\s?cent)\s+(?:chance|likelihood|probability|likely|certain)",
    r"\b(?:tr[eè]s\s+|peu\s+|hautement\s+)?(?:im)?probable(?:ment)?\b|\bvraisemblable(?:ment)?\b",
    r"\b(?:presque|quasi(?:ment)?)[\s-]+certain\w*",
    "من المرج|مرجّ?ح|من المحتمل|محتمل|على الأرجح|شبه مؤكد|مستبعد",
    "おそらく|可能性が(?:高い|低い)|ほぼ確実|見込みが",
)
"""Figures; and how French, Arabic and Japanese analysts commonly say it."""

_CONFIDENCE = (
    r"(?:low|moderate|medium|high)(?:\s+(?:level|degree)\s+of)?\s+confidence",
    r"confidence\s+(?:\w+\s+){0,3}?(?:is|as|of|remains)\s+(?:low|moderate|medium|high)",
    r"(?:highly|moderately|fairly|very|not\s+very)\s+confident",
    r"\bconfidence\b",
    r"\bconfident(?:ly)?\b",
    r"\bconfiance\b",
    "(?:ب|ال)?ثقة",
    "確信度|信頼度|確度",
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？؟])\s*|\n+")
_ABBREVIATED = re.compile(r"\b(?:e\.g|i\.e|approx|no|nos|art|vs|cf|Mr|Mrs|Dr|St)\.$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mixed:
    """A sentence that has words of both.

    Attributes:
        sentence: The sentence.
        likelihood: The words of likelihood in it.
        confidence: The words of confidence in it.
    """

    sentence: str
    likelihood: tuple[str, ...]
    confidence: tuple[str, ...]


def mixed(text: str) -> tuple[Mixed, ...]:
    """The sentences that have a word of likelihood and one of confidence: all words of ICD 203, and the common ones of French,
    Arabic and Japanese."""
    found = []
    for sentence in sentences(text):
        likelihood = tuple(match[0] for match in _likelihood().finditer(sentence))
        confidence = tuple(match[0] for match in _confidence().finditer(sentence))
        if likelihood and confidence:
            found.append(Mixed(sentence, likelihood, confidence))
    return tuple(found)


def must_not_mix(text: str, what: str) -> None:
    """Refuse a text in which one sentence has both.

    Args:
        text: The text.
        what: What it is, for the error.

    Raises:
        BadInput: One has.
    """
    for problem in mixed(text):
        raise BadInput(
            f"{what}: one sentence speaks of likelihood ({', '.join(problem.likelihood)}) and of confidence "
            f"({', '.join(problem.confidence)}): {problem.sentence[:200]!r}",
            hint="say how likely it is in one sentence, and how good the grounds are in another (ICD 203)",
        )


def sentences(text: str) -> list[str]:
    """A text as its sentences; an abbreviation ends none."""
    found: list[str] = []
    for part in _SENTENCE.split(text):
        if found and _ABBREVIATED.search(found[-1]):
            found[-1] = f"{found[-1]} {part}"
        elif part.strip():
            found.append(part.strip())
    return found


@cache
def _likelihood() -> re.Pattern[str]:
    words = sorted((word for row in LIKELIHOOD_WORDS.values() for word in row), key=len, reverse=True)
    english = r"\b(?:" + "|".join(word.replace(" ", r"\s+") for word in words) + r")\b"
    return re.compile("|".join((english, *_FURTHER_LIKELIHOOD)), re.IGNORECASE)


@cache
def _confidence() -> re.Pattern[str]:
    return re.compile("|".join(_CONFIDENCE), re.IGNORECASE)
