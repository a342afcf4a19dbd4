"""Casework: what is asked of whom, on which facts. Today: the request to freeze, as letter, CSV and JSON.

Example:
    `shieldwall demo` writes one; in Python::

        from shieldwall.cases.letter import letter
        from shieldwall.cases.request import FreezeRequest

        request = FreezeRequest(sender=..., recipient=..., assets=(...), ...)
        print(request.missing())        # what a recipient will ask for and nobody has filled in
        page = letter(request)

What it does not know: how money was traced; it is given addresses, amounts and paths as plain values.
"""
