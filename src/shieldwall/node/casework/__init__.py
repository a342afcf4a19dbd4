"""Casework on a node: each act of it, in one transaction with its audit entry. What is right is for `cases` to say.

Example:
    A victim's intake becomes a case::

        from shieldwall.node.casework.opening import open_incident

        case = open_incident(node, identity, "case.intake", intake, asked)

What it does not know: pages and routes, and how a request or package is made up.
"""
