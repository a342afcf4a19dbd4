"""Put the application together: the routes and pages behind their doors, problems, headers, and nothing else."""

from __future__ import annotations

import gc
import json
import logging
import re
import threading
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from anyio import CapacityLimiter
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shieldwall import __version__
from shieldwall.node.node import Node
from shieldwall.node.sheets.frozen import Made
from shieldwall.web import pages
from shieldwall.web.bodies import Limits
from shieldwall.web.door import Routes
from shieldwall.web.pages.rendering import STATIC, environment, static_endpoint, static_file, static_path
from shieldwall.web.problems import MEDIA_TYPE, install, problem
from shieldwall.web.routes import ALL
from shieldwall.web.routes.jobs import LISTENERS
from shieldwall.web.rules import RULES, Rule
from shieldwall.web.threads import limit

_log = logging.getLogger(__name__)

ROOT = "/api/v1"
"""Where the API begins."""

UPLOADS = re.compile(rf"{ROOT}/files|{ROOT}/tag-sets|(?:{ROOT})?/cases/[0-9a-f]{{32}}/evidence|/find")
"""Paths that take files."""

_FRAGMENTS = 256
"""Parts of pages that are kept, such as pictures of traces: some tens to hundreds of kilobytes each."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "publickey-credentials-get=(self), publickey-credentials-create=(self)",
    "Referrer-Policy": "same-origin",  # a form without script says by it that it comes from our own page
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def create(node: Node) -> FastAPI:
    """The application of a node; the server starts and stops the node with it.

    Raises:
        KeyError: An endpoint has no rule.
    """

    @asynccontextmanager
    async def alive(app: FastAPI) -> AsyncIterator[None]:
        app.state.listeners = CapacityLimiter(LISTENERS)
        app.state.listening = Counter()
        app.state.long = limit()
        node.start()
        threading.Thread(target=_settle, name="settle", daemon=True).start()
        try:
            yield
        finally:
            node.stop()

    app = FastAPI(
        title="Shieldwall",
        version=__version__,
        description=__doc__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=alive,
        telemetry=None,
    )
    app.state.node = node
    app.state.fragments = Made(_FRAGMENTS)
    api = APIRouter(prefix=ROOT)
    for routes in ALL:
        api.include_router(routes.router)
    app.include_router(api)
    for screens in pages.ALL:
        app.include_router(screens.router)
    for name in STATIC:
        app.routes.append(Route(static_path(name), static_endpoint(name)))
    app.routes.append(Route(f"{ROOT}/openapi.json", _described(app)))
    install(app)
    opened = frozenset(path for _, path, rule in (*routes_with_rules(), *pages_with_rules()) if not rule.kinds)
    app.add_middleware(Limits, uploads=UPLOADS, ceremonies=opened)
    app.add_middleware(Front, node=node)
    return app


def _settle() -> None:
    """Make ready what the first pages would wait for, and let the collector of garbage leave alone what stays for good.

    A full collection looks at every object of the program, for a tenth of a second and more; what is here now never goes.
    """
    from shieldwall.node.sheets import drawer, stepping  # noqa: F401, PLC0415 - the node starts without them

    for name in environment().list_templates(extensions=["j2"]):
        environment().get_template(name)
    for name in STATIC:
        static_file(name)
    gc.collect()
    gc.freeze()


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the application, with problem details as the answer to every error."""
    document: dict[str, Any] = get_openapi(
        title=app.title, version=app.version, openapi_version="3.1.0", routes=app.routes, description=_DESCRIPTION
    )
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM
    document["components"]["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": "shieldwall"},
        "token": {"type": "http", "scheme": "bearer"},
    }
    refused = {
        "description": "Problem details (RFC 9457).",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for path in document["paths"].values():
        for operation in path.values():
            rule = operation["x-shieldwall-rule"]
            operation["security"] = [{kind: []} for kind in _SCHEMES if kind in _ways(rule["kinds"])]
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = refused
            _describe_headers(operation)
            if not rule["act"]:
                raise ValueError(f"{operation['operationId']}: an act without a name")
    return document


def _describe_headers(operation: dict[str, Any]) -> None:
    """Say which answers carry an ETag, and where the answer may be that nothing changed."""
    shapes = json.dumps(operation["responses"])
    if not any(f'/{name}"' in shapes for name in _TAGGED):
        return
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            answer["headers"] = {"ETag": {"description": "The version of this answer.", "schema": {"type": "string"}}}
    if "requestBody" not in operation and "If-Match" not in shapes:
        operation["responses"]["304"] = {"description": "It is still the version that If-None-Match names."}


def routes_with_rules() -> list[tuple[str, str, Rule]]:
    """Method, path and rule of every route of the API, in the order of paths: what the table of who may do what is made of."""
    return _ruled(ALL, ROOT)


def pages_with_rules() -> list[tuple[str, str, Rule]]:
    """The same of every page."""
    return _ruled(pages.ALL, "")


def _ruled(parts: Iterable[Routes], root: str) -> list[tuple[str, str, Rule]]:
    found = [
        (method, root + route.path, RULES[route.endpoint])
        for routes in parts
        for route in routes.router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    ]
    return sorted(found, key=lambda one: (one[1], one[0]))


class Front:
    """What stands before everything: only our own host names, and headers that keep a browser strict.

    Args:
        app: What comes behind.
        node: Whose host names count: a page elsewhere may not reach the node under a name of its own (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, node: Node) -> None:
        self._app = app
        self._node = node

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message["headers"]}
                further = _HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if self._node.has_tls else {})
                message["headers"] = [
                    *message["headers"],
                    *((n.lower().encode(), v.encode()) for n, v in further.items() if n.lower().encode() not in there),
                ]
            await send(message)

        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await with_headers(message)

        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        if not self._node.is_own_host(host):
            answer = problem(
                421, "other-host", "this node is not reached by that name", hint="use the name in node.toml"
            )
            await answer(scope, receive, with_headers)
            return
        try:
            await self._app(scope, receive, noted)
        except Exception as error:  # noqa: BLE001 - a server's own log would print the values that it failed at
            _log.error("a request failed by a fault of the program: %s at %s", type(error).__name__, _where(error))
            if not begun:
                answer = problem(
                    500, "failed", "the node failed at this; its log says where", hint="tell its administrator"
                )
                await answer(scope, receive, with_headers)


def _where(error: Exception) -> str:
    """The line that an error comes from; its words are not told, since they may hold what nobody here may see."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"


def _described(app: FastAPI) -> Any:  # noqa: ANN401 - an endpoint
    """The OpenAPI document, made when it is first asked for: it takes a quarter of a second, which no start should wait for."""
    made: list[bytes] = []

    def endpoint(_: Any) -> Response:  # noqa: ANN401 - Starlette's request
        if not made:
            made.append(json.dumps(openapi_document(app), ensure_ascii=False, separators=(",", ":")).encode())
        return Response(made[0], media_type="application/json")

    return endpoint


def _ways(kinds: list[str]) -> set[str]:
    return {"session" if kind == "person" else "token" for kind in kinds}


_SCHEMES = ("session", "token")
_TAGGED = ("PersonShape", "CaseShape", "ClaimShape", "FileShape", "TraceShape", "SavedSheetShape", "WatchShape")
"""Shapes of single objects that answers give with an ETag."""

_DESCRIPTION = (
    "The API of a Shieldwall node. Amounts are satoshi, times ISO 8601 in UTC. Errors are problem details (RFC 9457). Writes "
    "take `Idempotency-Key`; single objects have an ETag, and changes name it in `If-Match`. `x-shieldwall-rule`: who may come."
)
_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong, and what to do next (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "hint": {"type": "string"},
    },
}
