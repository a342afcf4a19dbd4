"""Long work in the background: jobs that survive the process, show how far they are, stop when asked, and run once.

Example:
    >>> from shieldwall.node.jobs.kinds import parse
    >>> parse("chain.build", {"sources": ["/data/blocks"]}).sources
    ('/data/blocks',)

What it does not know: who is signed in, and how anything is shown. The table is `store.jobs`.
"""
