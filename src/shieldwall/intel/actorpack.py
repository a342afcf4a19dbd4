"""ActorPacks: who the `actor` ids of tags are, in GraphSense's YAML.

Kept of an actor: label, categories, jurisdictions, uri, aliases, and the legal name where its context has one. The rest
of the context (icons, trading ranks, links to aggregators) is counted, not kept: none of it helps to reach anybody.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

from shieldwall.errors import BadText
from shieldwall.intel import tag
from shieldwall.intel.fields import marking_of, moment_of, text_of, texts_of
from shieldwall.intel.interface import Pack, ReadOptions
from shieldwall.intel.subject import ACTOR_TYPE
from shieldwall.intel.tagpack import check_header
from shieldwall.intel.yamlfile import parse_yaml
from shieldwall.model.claim import Claim, Layer, Subject

_ACTOR = frozenset(("id", "label", "categories", "jurisdictions", "uri", "aliases", "context", "lastmod"))
_HEADER = frozenset(("title", "creator", "description", "lastmod", "is_public", "actors"))


def parse(raw: bytes, place: str, options: ReadOptions) -> Pack:
    """The actors of an ActorPack as claims on subjects of type "actor", whose name is the actor's id.

    Raises:
        BadText: Not YAML, no ActorPack, or an actor without id or label; file and actor number are named.
    """
    header = check_header(parse_yaml(raw, place), "actors", place)
    made_by = text_of(header.get("creator"), "creator", place) or options.made_by
    if not made_by:
        raise BadText(f"{place}: the header names no creator", hint="add `creator:`, or say who made it")
    lastmod = moment_of(header.get("lastmod"), "lastmod", place)
    title = text_of(header.get("title"), "title", place)
    marking, evidence = marking_of(header.get("is_public"), options), hashlib.sha256(raw).hexdigest()
    further: Counter[str] = Counter(name for name in header if name not in _HEADER)
    claims = []
    for number, entry in enumerate(header["actors"], start=1):
        where = f"{place}: actor {number}"
        if not isinstance(entry, dict):
            raise BadText(f"{where} is no mapping", hint="write each actor as `- id: ...`")
        claims.append(
            Claim(
                subject=_subject(entry, where),
                kind=tag.ACTOR.name,
                statement=_statement(entry, where, further),
                layer=Layer.ATTRIBUTION,
                source=options.source or title,
                made_by=made_by,
                at=moment_of(entry.get("lastmod"), "lastmod", where) or lastmod or options.at,
                marking=marking,
                pap=options.pap,
                evidence=(evidence,),
            )
        )
    return Pack(
        reader="actorpack",
        claims=tuple(claims),
        title=title,
        lastmod=lastmod,
        further=dict(sorted(further.items())),
    )


def _subject(entry: dict[str, Any], where: str) -> Subject:
    name = text_of(entry.get("id"), "id", where)
    if not name:
        raise BadText(f"{where}: an actor needs an id", hint="add `id:`")
    return Subject(ACTOR_TYPE, "", name)


def _statement(entry: dict[str, Any], where: str, further: Counter[str]) -> dict[str, Any]:
    context = entry.get("context")
    context = context if isinstance(context, dict) else {}
    further.update(f"context.{name}" for name in context if name not in ("legal_name", "aliases"))
    further.update(name for name in entry if name not in _ACTOR)
    legal_name = context.get("legal_name")
    said = tag.statement(
        label=text_of(entry.get("label"), "label", where),
        categories=[tag.word(each) for each in texts_of(entry.get("categories"), "categories", where)],
        jurisdictions=texts_of(entry.get("jurisdictions"), "jurisdictions", where),
        uri=text_of(entry.get("uri"), "uri", where),
        aliases=texts_of(entry.get("aliases"), "aliases", where),
        legal_name=legal_name.strip() if isinstance(legal_name, str) else "",
    )
    tag.ACTOR.check(said, where)
    return said
