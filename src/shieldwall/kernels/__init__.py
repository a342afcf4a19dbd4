"""Loops over plain arrays, compiled by numba, each beside a plain twin that needs no compiler.

Small inputs take the twin, so nothing waits for a compiler; property tests hold one to the other.

Example:
    >>> import numpy as np
    >>> from shieldwall.kernels.hashing import sha256d_many
    >>> data = np.frombuffer(b"abcabc", np.uint8)
    >>> digests = sha256d_many(data, np.array([0, 3]), np.array([3, 6]))
    >>> digests.shape, bool((digests[0] == digests[1]).all())
    ((2, 32), True)

What it does not know: files, networks, addresses as people write them. Only numpy arrays.
"""
