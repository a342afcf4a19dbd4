"""Pseudo-random numbers of the simulator: splitmix64 (Steele, Lea, Flood 2014), integers only, the same on any platform."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


_OPTIONS: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
kernel: Any = njit(cache=True, nogil=True, error_model="numpy", **_OPTIONS)
"""Compiles a function that only other compiled functions call; without the wrappers it takes half of the time."""


@kernel
def mixed(number: Any) -> Any:
    """uint64 of a uint64: the finaliser of splitmix64."""
    z = np.uint64(number)
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


@kernel
def below(count: Any, most: Any) -> Any:
    """int64 from 0 to `most` - 1; `most` is below 2^31. The state is the first of the story's counters."""
    state = np.uint64(count[0]) + _STEP
    count[0] = np.int64(state)
    return (np.int64(mixed(state) >> np.uint64(32)) * np.int64(most)) >> 32


@kernel
def skewed(count: Any, most: Any) -> Any:
    """int64 from 0 to `most` - 1, low ones far more often: the product of two uniform numbers."""
    product = (below(count, 1 << 20) * below(count, 1 << 20)) >> 20
    return (product * np.int64(most)) >> 20
