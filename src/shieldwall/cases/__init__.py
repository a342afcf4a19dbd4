"""Casework: what happened, what we know and how well, what was asked of whom, and a package that anyone can verify.

Example:
    `shieldwall demo` writes a request; in Python::

        from shieldwall.cases.demands import lacking
        from shieldwall.cases.letter import as_html, compose
        from shieldwall.cases.request import Request, RequestKind

        request = Request(kind=RequestKind.FREEZE, sender=..., recipient=..., assets=(...), ...)
        lacks = lacking(request)        # what a recipient will ask for and nobody has filled in
        page = as_html(compose(request, lacks=lacks))

What it does not know: how money was traced, where a node keeps things, and who is signed in; it is given plain values.
"""
