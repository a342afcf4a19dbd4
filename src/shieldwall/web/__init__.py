"""The node's face on HTTP: a JSON API with OpenAPI, and the page that signs people in. No decision is made here.

Every route carries a `Rule`: what the act is called in the audit log, what it needs, and who may come at all. A route without one
does not start, so whatever is forgotten is denied.

Example:
    >>> from shieldwall.model.access import Permission
    >>> from shieldwall.web.rules import Rule
    >>> Rule("claim.find", Permission.READ).words
    'read; person, token'

What it does not know: SQL, how claims, traces or watches come about, and any server but this one.
"""
