"""The shapes of the API's questions and answers, a module for each module of `routes`.

What comes in is strict: no unknown field, no number for a truth, no float. Amounts are satoshi, times ISO 8601 in UTC, ids as
the node gave them. A field that has nothing to say is left out.

Example:
    >>> from shieldwall.web.shapes.base import HandlingAsked
    >>> HandlingAsked(marking="TLP:GREEN").of("a person's id").marking.label
    'TLP:GREEN'

What it does not know: where anything comes from, and whether it may be seen.
"""
