"""The composition root: where configuration comes from, and which parts are put together for a command.

Example:
    >>> from shieldwall.node.config import load
    >>> settings = load(environ={"SHIELDWALL_CHAIN": "/data/chain", "HOME": "/home/mara"})
    >>> str(settings.chain), settings.origins["chain"]
    ('/data/chain', 'SHIELDWALL_CHAIN')

What it does not know: how anything is shown.
"""
