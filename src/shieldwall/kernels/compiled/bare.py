"""A way to compile kernels that make no arrays: without counting who holds the ones that they are given.

numba counts references to every array, one atomic step in and one out wherever a kernel hands an array on or takes it
out of a tuple. For a walk, whose work on a transaction is short, that was two thirds of the time. A kernel compiled so can
make no array; one that tries does not compile.
"""

from __future__ import annotations

from typing import Any

from numba import njit

bare: Any = njit(cache=True, nogil=True, _nrt=False)  # type: ignore[call-overload]
"""`@njit` for kernels that only read and write the arrays they are given; kept in the cache, lets go of Python's lock."""
