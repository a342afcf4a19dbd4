"""Loops over plain arrays: each once in plain Python and NumPy, once compiled by numba, with identical file names.

`plain/` and `compiled/` hold the same functions and classes; `engine.pick` chooses: small inputs take the plain twin, so
that nothing waits for a compiler, and property tests hold one to the other.

Example:
    >>> import numpy as np
    >>> from shieldwall.kernels.engine import pick
    >>> engine = pick(size=100)
    >>> engine.name
    'plain'
    >>> script = np.frombuffer(bytes.fromhex("0014") + bytes(20), np.uint8)
    >>> kinds, starts, ends = engine.classify(script, np.array([0]), np.array([22]))
    >>> int(kinds[0]), int(starts[0]), int(ends[0])
    (5, 2, 22)

What it does not know: files, networks, addresses as people write them. Only numpy arrays.
"""
