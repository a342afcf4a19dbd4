"""TagPacks: the YAML in which GraphSense and INTERPOL publish attribution tags.

A header (title, creator, and any field of a tag, which then holds for all) and a list of tags. Every tag becomes a
claim of its own with its own source; the file's SHA-256 is its evidence. An address whose checksum does not hold is
rejected and the rest goes on; a tag without label, address or currency breaks the schema, and so the file.
"""

from __future__ import annotations

import hashlib
from typing import Any

from shieldwall.errors import BadText
from shieldwall.intel.fields import TAG_FIELDS, TagBuilder, marking_of, moment_of, text_of
from shieldwall.intel.interface import Pack, ReadOptions, Rejected
from shieldwall.intel.subject import suggest
from shieldwall.intel.yamlfile import parse_yaml
from shieldwall.model.claim import Claim

_INHERITED = TAG_FIELDS - {"address", "tx_hash"}
_HEADER = TAG_FIELDS | {"title", "creator", "description", "owner", "is_public", "tags"}


def parse(raw: bytes, place: str, options: ReadOptions) -> Pack:
    """The tags of a TagPack as claims.

    Raises:
        BadText: Not YAML, no TagPack, or a tag that lacks what it must have; file and tag number are named.
    """
    document = parse_yaml(raw, place)
    header = check_header(document, "tags", place)
    made_by = text_of(header.get("creator"), "creator", place) or options.made_by
    if not made_by:
        raise BadText(f"{place}: the header names no creator", hint="add `creator:`, or say who made it")
    builder = TagBuilder(
        options, made_by, marking_of(header.get("is_public"), options), hashlib.sha256(raw).hexdigest()
    )
    builder.further.update(name for name in header if name not in _HEADER)
    inherited = {name: value for name, value in header.items() if name in _INHERITED}
    claims: list[Claim] = []
    rejected: list[Rejected] = []
    for number, entry in enumerate(header["tags"], start=1):
        local = f"tag {number}"
        if not isinstance(entry, dict):
            raise BadText(f"{place}: {local} is no mapping", hint="write each tag as `- address: ...`")
        built = builder.build(inherited | entry, f"{place}: {local}", local)
        (rejected if isinstance(built, Rejected) else claims).append(built)  # type: ignore[arg-type]
    return Pack(
        reader="tagpack",
        claims=tuple(claims),
        rejected=suggest(rejected, options.network),
        title=text_of(header.get("title"), "title", place),
        lastmod=moment_of(header.get("lastmod"), "lastmod", place),
        further=dict(sorted(builder.further.items())),
    )


def check_header(document: Any, wanted: str, place: str) -> dict[str, Any]:  # noqa: ANN401 - any plain value
    """`document` when it is a pack: a mapping with a list called `wanted`.

    Raises:
        BadText: It is not.
    """
    if not isinstance(document, dict) or not isinstance(document.get(wanted), list):
        raise BadText(f"{place}: no list of {wanted!r} at the top", hint="a pack is a header with `tags:` or `actors:`")
    return document
