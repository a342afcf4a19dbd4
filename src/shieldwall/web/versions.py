"""ETags: which version an answer is, and which one a change was made from (RFC 9110, 8.8.3 and 13.1)."""

from __future__ import annotations

import hashlib
import re
from typing import TypeVar

from fastapi import Request, Response

from shieldwall.model.canonical import canonical_json
from shieldwall.web.problems import Stale, Unversioned
from shieldwall.web.shapes.base import Shape

ShapeT = TypeVar("ShapeT", bound=Shape)

_TAGS = re.compile(r'(?:W/)?"([^"]*)"')


def tag_of(shape: Shape) -> str:
    """The strong ETag of an answer: a digest of what it says."""
    body = canonical_json(shape.model_dump(mode="json", exclude_none=True))
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def tagged(request: Request, response: Response, shape: ShapeT) -> ShapeT | Response:
    """An answer with its ETag; only that nothing has changed where the caller has this version already."""
    tag = tag_of(shape)
    if tag.strip('"') in _TAGS.findall(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    return shape


def versioned(response: Response, shape: ShapeT) -> ShapeT:
    """An answer to a change, with the ETag that the next one names."""
    response.headers["ETag"] = tag_of(shape)
    return shape


def must_match(request: Request, shape: Shape) -> None:
    """Hold a change against the version that it was made from.

    Raises:
        Unversioned: It names none.
        Stale: It names another one than what stands.
    """
    given = request.headers.get("if-match", "")
    if not given:
        raise Unversioned("say which version you change", hint="send If-Match with the ETag that you read")
    if tag_of(shape).strip('"') not in _TAGS.findall(given):
        raise Stale("it was changed in the meantime", hint="read it again, and repeat your change")
