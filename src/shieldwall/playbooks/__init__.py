"""Jobs across rooms, each one readable file: `ransom` is the flagship, `demo` plays it in two acts.

Example:
    >>> from shieldwall.playbooks.exercise import make_exercise
    >>> exercise = make_exercise()
    >>> exercise.ransom_address[:6], len(exercise.maker.blocks) > 100
    ('bcrt1q', True)

What it does not know: the command line, pages, and where a member keeps things.
"""
