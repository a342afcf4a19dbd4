"""A typed Python client of a node's API, for notebooks, scripts and other programs: the standard library alone.

Example:
    >>> from shieldwall.client import NodeClient
    >>> NodeClient("http://node.example.org")
    Traceback (most recent call last):
    shieldwall.errors.UsageError: node.example.org: what is sent in clear would be read on the way
      next: use https

What it does not know: how a node decides. It knows the API's OpenAPI, from which `shapes` and `calls` are generated
(`make client`), and the errors of this program, which a node's problem details become again.
"""

from shieldwall.client.connection import Connection, Limits
from shieldwall.client.failures import Unreachable, Untrusted
from shieldwall.client.nodeclient import Authenticator, NodeClient

__all__ = ["Authenticator", "Connection", "Limits", "NodeClient", "Unreachable", "Untrusted"]
