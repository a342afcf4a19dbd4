"""Shared by the tests of `intel`: small packs, claims to draw, and the real packs where they are at hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import strategies as st

from shieldwall.errors import BadText
from shieldwall.intel import TAG, Sourced
from shieldwall.model.claim import Claim, Layer, Subject
from shieldwall.model.marking import Marking
from shieldwall.model.network import MAIN

ROOT = Path(__file__).resolve().parents[3]
ATTRIBUTION = ROOT.parent / "shared" / "data" / "attribution"

FIRST = "34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo"
HASHED = "1Archive1n2C579dMsAu3iC6tWzuQJz8dN"

HEADER = """\
title: A pack
creator: A desk
currency: BTC
label: Somebody
confidence: forensic
source: https://example.org/list
lastmod: 2021-11-14
"""


def pack(tags: str, header: str = HEADER) -> bytes:
    return f"{header}tags:\n{tags}".encode()


def attribution(*parts: str) -> Path:
    """A path in the shared attribution data; its absence skips a test here and fails it in CI."""
    path = ATTRIBUTION.joinpath(*parts)
    if not path.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{path} is missing, and CI must have it")
        pytest.skip(f"{path} is not at hand")
    return path


def refused(read: Callable[[], object]) -> str:
    """The message of the BadText that `read` raises; "" when it raises nothing. Anything else goes through."""
    try:
        read()
    except BadText as error:
        return str(error)
    return ""


def subject(name: str = FIRST) -> Subject:
    return Subject("address", MAIN.caip2, name)


def tag(
    label: str = "Somebody", *, name: str = FIRST, source: str = "a list", confidence: int | None = 50, **said
) -> Claim:
    return Claim(
        subject=subject(name),
        kind=TAG.name,
        statement={"label": label, **said},
        layer=Layer.ATTRIBUTION,
        source=source,
        made_by="A desk",
        confidence=confidence,
        marking=Marking.CLEAR,
    )


def sourced(*claims: Claim, name: str = "set", version: str = "0" * 12) -> list[Sourced]:
    return [Sourced(claim, name, version) for claim in claims]


WORDS = st.sampled_from(["exchange", "mixing_service", "user", "gambling"])
LABELS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


@st.composite
def tags(draw: st.DrawFn, names: st.SearchStrategy[str] | None = None) -> Claim:
    said = {"label": draw(LABELS)}
    if draw(st.booleans()):
        said["category"] = draw(WORDS)
    if draw(st.booleans()):
        said["actor"] = draw(st.sampled_from(["binance", "kraken"]))
    if draw(st.booleans()):
        said["abuse"] = draw(st.sampled_from(["ransomware", "scam"]))
    return Claim(
        subject=subject(draw(st.sampled_from([FIRST, HASHED, "x", "y", "z"]) if names is None else names)),
        kind=TAG.name,
        statement=said,
        layer=Layer.ATTRIBUTION,
        source=draw(st.sampled_from(["", "list a", "list b"])),
        made_by=draw(st.sampled_from(["A desk", "B desk"])),
        confidence=draw(st.none() | st.integers(0, 100)),
        marking=draw(st.sampled_from(list(Marking))),
        evidence=draw(st.sampled_from([(), ("aa",), ("bb",)])),
    )
