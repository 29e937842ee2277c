"""Waiting for a state with a deadline, for what tells nobody when it happens. Never for a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

PATIENCE = 15.0
"""Seconds until a wait has failed. Far more than anything takes: the machine may be busy with other things."""


async def until(holds: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Return once `holds()` is true; AssertionError with `what` when it does not become so."""
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, f"never happened within {patience:g} s: {what}"
        await asyncio.sleep(0.005)
