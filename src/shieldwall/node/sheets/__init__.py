"""Sheets: a saved trace as somebody works on it.

The trace is frozen; what is opened, said, watched and saved is a step on its sheet. Each step can be taken back and done
again without end. What a step says to others (a note, a tag, an overrule) is a claim like all others, and taking the step
back retracts it. A saved sheet is a frozen file with a digest, which opens the same forever.

Example:
    >>> from shieldwall.node.sheets.asking import Asked
    >>> Asked(kind="pin", key="00" * 32 + ":0").kind
    'pin'

What it does not know: pages, HTTP, and how money is followed.
"""
