"""The smallest server that gives pages of objects out of a database: SQLite and Starlette, and no checks of anything.

No sign-in, no markings, no audit, no validation, one table: what is left is what any server in Python must pay.
`python -m bench.peers.smallest_taxii DATABASE PORT`
"""

from __future__ import annotations

import json
import sqlite3
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

MEDIA_TYPE = "application/taxii+json;version=2.1"


def application(place: str) -> Starlette:
    """The server of a database, which is made where there is none."""
    database = sqlite3.connect(place, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE IF NOT EXISTS objects (added INTEGER PRIMARY KEY, raw BLOB)")

    async def read(request: Request) -> Response:
        limit, after = int(request.query_params.get("limit", 100)), int(request.query_params.get("next", 0))
        query = "SELECT added, raw FROM objects WHERE added > ? ORDER BY added LIMIT ?"
        rows = database.execute(query, (after, limit + 1)).fetchall()
        more, rows = len(rows) > limit, rows[:limit]
        head = f'{{"more":{json.dumps(more)},"next":"{rows[-1][0] if rows else 0}","objects":['
        return Response(head.encode() + b",".join([raw for _, raw in rows]) + b"]}", media_type=MEDIA_TYPE)

    async def write(request: Request) -> Response:
        objects = json.loads(await request.body())["objects"]
        (last,) = database.execute("SELECT coalesce(max(added), 0) FROM objects").fetchone()
        with database:
            rows = ((last + place, json.dumps(each).encode()) for place, each in enumerate(objects, 1))
            database.executemany("INSERT INTO objects VALUES (?, ?)", rows)
        return Response(b"{}", status_code=202, media_type=MEDIA_TYPE)

    return Starlette(routes=[Route("/objects", read), Route("/objects", write, methods=["POST"])])


def main() -> None:
    """See the module's docstring."""
    place, port = sys.argv[1:]
    uvicorn.run(application(place), port=int(port), log_level="error", http="h11", timeout_keep_alive=600)


if __name__ == "__main__":
    main()
