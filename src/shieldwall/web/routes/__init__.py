"""The routes of the API, a module for each part; `ALL` is every one of them.

Example:
    >>> from shieldwall.web.routes import ALL
    >>> sorted({route.path.split("/")[1] for routes in ALL for route in routes.router.routes})[:3]
    ['addresses', 'alarms', 'approvals']

What it does not know: how anything is decided; each endpoint asks the node and shapes its answer.
"""

from shieldwall.web.door import Routes
from shieldwall.web.routes import (
    approvals,
    audit,
    cases,
    casework,
    chain,
    claims,
    door,
    files,
    jobs,
    node,
    people,
    requests,
    sharing,
    sheets,
    tags,
    traces,
    watches,
)

ALL: tuple[Routes, ...] = (
    door.routes,
    people.routes,
    chain.routes,
    tags.routes,
    claims.routes,
    cases.routes,
    casework.routes,
    requests.routes,
    sharing.routes,
    files.routes,
    traces.routes,
    sheets.routes,
    jobs.routes,
    watches.routes,
    approvals.routes,
    audit.routes,
    node.routes,
)
