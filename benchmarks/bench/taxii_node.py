"""The TAXII server of a node in a process of its own, in clear on loopback, without a limit on the pace of partners.

`python -m bench.taxii_node FOLDER KEY_FILE PORT`
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from shieldwall.node.home import open_home
from shieldwall.node.keysource import key_source
from shieldwall.node.node import Node
from shieldwall.node.people.limits import Buckets
from shieldwall.web.taxii.server import create_taxii


def main() -> None:
    """See the module's docstring."""
    folder, key, port = sys.argv[1:]
    with open_home(Path(folder), key_source({}, key_file=Path(key))) as home:
        node = Node(home)
        node.partners._pace = Buckets(1e9, 10**9)
        uvicorn.run(
            create_taxii(node), port=int(port), log_level="error", http="h11", lifespan="off", timeout_keep_alive=600
        )


if __name__ == "__main__":
    main()
