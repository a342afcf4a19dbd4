"""How people and machines come in: passkeys, sessions, tokens, recovery, an OpenID provider, and limits over all of them.

`Doors` is the one thing that others need.

Example:
    >>> from shieldwall.node.people.config import PeopleConfig
    >>> config = PeopleConfig(host="node.example.org", origins=("https://node.example.org",))
    >>> config.idle, config.confirm_within  # seconds
    (900, 300)

What it does not know: HTTP, cookies and pages, and what anyone does once they are in.
"""
