"""Threads that answers are made in: few at once, and others for what takes long, so that nobody waits for that.

All of them share one interpreter: more would not be sooner, and would make each other late.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Request

SHORT = 3
"""Answers that are worked on at once."""

LONG = 4
"""The same of those that may take seconds: imports, uploads, checks of the whole log."""

ResultT = TypeVar("ResultT")


def limit() -> CapacityLimiter:
    """Set how many short answers are worked on at once, on the event loop that runs; the limit of the long ones is returned."""
    to_thread.current_default_thread_limiter().total_tokens = SHORT
    return CapacityLimiter(LONG)


async def at_length(request: Request, function: Callable[[], ResultT]) -> ResultT:
    """Do in a thread what may take long."""
    limiter: CapacityLimiter = request.app.state.long
    return await to_thread.run_sync(function, limiter=limiter)
