"""The door of every route: first the rule, then whether it was asked before, then strict JSON, then the endpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from shieldwall.errors import ShieldwallError
from shieldwall.web.bodies import StrictRequest
from shieldwall.web.problems import of_error
from shieldwall.web.repeats import Answer, Repeats
from shieldwall.web.rules import RULES, Rule, caller_of, guard, node_of

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
Handler = Callable[[Request], Coroutine[Any, Any, Response]]

IDEMPOTENCY_KEY = "idempotency-key"

_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any word; the same request with the same word is done once, and answered alike for a day.",
    "schema": {"type": "string", "maxLength": 200},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "ETag of the version that the change was made from.",
    "schema": {"type": "string", "maxLength": 1000},
}


class DoorRoute(APIRoute):
    """A route that holds whoever comes to its rule before it reads what they send.

    Raises:
        KeyError: At the start, where an endpoint has no rule: what is forgotten is denied.
    """

    def get_route_handler(self) -> Handler:
        """FastAPI's own handler behind the door."""
        rule = RULES[self.endpoint]
        handler = super().get_route_handler()

        async def door(request: Request) -> Response:
            try:
                await run_in_threadpool(guard, request, rule)
                strict = StrictRequest(request.scope, request.receive)
                key = request.headers.get(IDEMPOTENCY_KEY, "")
                if not key or request.method in ("GET", "HEAD") or not rule.kinds:
                    return await handler(strict)
                return await _once(key, strict, handler, rule)
            except ShieldwallError as error:
                return of_error(error)

        return door


async def _once(key: str, request: StrictRequest, handler: Handler, rule: Rule) -> Response:
    """Do a write once for its idempotency key, and answer a repetition as the first time."""
    caller = caller_of(request)
    parts = (request.method, request.url.path, request.url.query, request.headers.get("if-match", ""))
    asked = hashlib.sha256("\n".join(parts).encode() + b"\n" + await request.body()).digest()
    repeats = Repeats(node_of(request).store, caller.identity, rule.act)
    before = await run_in_threadpool(repeats.begin, key, asked)
    if before is not None:
        return Response(before.body, before.status, {"Idempotency-Replayed": "true"}, before.media_type)
    try:
        response = await handler(request)
    except (ShieldwallError, RequestValidationError, HTTPException):
        await run_in_threadpool(repeats.forget, key)  # nothing was done: it may be tried again
        raise
    if response.status_code >= 400:
        await run_in_threadpool(repeats.forget, key)
    else:
        answer = Answer(response.status_code, response.media_type or "", bytes(response.body))
        await run_in_threadpool(partial(repeats.end, key, answer, secret=rule.secret))
    return response


class Routes:
    """Routes of one part of the API, each with its rule.

    Attributes:
        route_class: What each of them is.
        described: Whether the API's description tells of them.
    """

    route_class: type[APIRoute] = DoorRoute
    described = True

    def __init__(self, tag: str) -> None:
        self.router = APIRouter(tags=[tag], route_class=self.route_class, include_in_schema=self.described)

    def get(self, path: str, rule: Rule, **options: Any) -> Callable[[Endpoint], Endpoint]:  # noqa: ANN401 - FastAPI's own
        """A route that only reads."""
        return self._route("GET", path, rule, options)

    def post(self, path: str, rule: Rule, **options: Any) -> Callable[[Endpoint], Endpoint]:  # noqa: ANN401 - FastAPI's own
        """A route that makes or asks for something."""
        return self._route("POST", path, rule, options)

    def patch(
        self,
        path: str,
        rule: Rule,
        *,
        versioned: bool = True,
        **options: Any,  # noqa: ANN401 - FastAPI's own
    ) -> Callable[[Endpoint], Endpoint]:
        """A route that changes something; `versioned` where the change names the version that it was made from."""
        return self._route("PATCH", path, rule, options, versioned=versioned)

    def put(
        self,
        path: str,
        rule: Rule,
        *,
        versioned: bool = True,
        **options: Any,  # noqa: ANN401 - FastAPI's own
    ) -> Callable[[Endpoint], Endpoint]:
        """A route that replaces something; `versioned` as in `patch`."""
        return self._route("PUT", path, rule, options, versioned=versioned)

    def delete(self, path: str, rule: Rule, **options: Any) -> Callable[[Endpoint], Endpoint]:  # noqa: ANN401 - FastAPI's own
        """A route that ends something."""
        return self._route("DELETE", path, rule, options)

    def _route(
        self, method: str, path: str, rule: Rule, options: dict[str, Any], *, versioned: bool = False
    ) -> Callable[[Endpoint], Endpoint]:
        shown = {"act": rule.act, "needs": list(rule.permissions), "kinds": sorted(rule.kinds), "confirm": rule.confirm}
        extra = {**options.pop("openapi_extra", {}), "x-shieldwall-rule": shown}
        headers = [*([_IDEMPOTENCY] if rule.kinds and method != "GET" else []), *([_IF_MATCH] if versioned else [])]
        if headers:
            extra["parameters"] = headers

        def add(endpoint: Endpoint) -> Endpoint:
            RULES[endpoint] = rule
            self.router.add_api_route(
                path,
                endpoint,
                methods=[method],
                openapi_extra=extra,
                operation_id=endpoint.__name__,
                response_model_exclude_none=True,
                **options,
            )
            return endpoint

        return add
