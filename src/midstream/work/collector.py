"""Garbage collection in a process that keeps a lot: often, little at a time, and never over what is kept.

A captured flow is some thirty objects that live until the person clears the list; walking over a hundred thousand flows
holds the loop for half a second, and finds nothing. So a `Collector` collects what is young a few times a second, from
the loop, and freezes what is left: no later collection looks at it. `app.py` makes one for the process; a program that
keeps no flows only lets it `settle` after the start.

The price: what is frozen and becomes part of a garbage cycle later stays until the next `settle`. Flows and connections
end without cycles (tests say so), and between two callbacks of the loop no sync handler is in the middle of anything.
"""

from __future__ import annotations

import asyncio
import gc

INTERVAL = 0.2
SOON = 2.0
# Young objects that are worth a collection: a millisecond.
ENOUGH = 5_000
# Frozen objects, beside those of the program itself, that are looked at while the program is in use: 20 ms.
MOST_FROZEN = 100_000
# What the interpreter does by itself, should one callback make very many objects.
_THRESHOLDS = (50_000, 25, 100)


class Collector:
    """See the module. To be used on the loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._settling: asyncio.TimerHandle | None = None
        self._has_frozen = False  # since it settled
        self._own = 0  # objects of the program itself

    def settle(self) -> None:
        """Look at everything, frozen or not, and freeze what is no garbage. Takes 0.2 µs for each object that is kept:
        for the start, and for when nothing is kept any more.
        """
        self._settling = None
        gc.set_threshold(*_THRESHOLDS)
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._has_frozen = False
        self._own = self._own or gc.get_freeze_count()

    def settle_soon(self) -> None:
        """`settle` when what was kept has been freed, which is done a little at a time. Not if somebody keeps it."""
        if self._has_frozen and self._settling is None:
            self._settling = self._loop.call_later(SOON, self._settle_if_quick)

    def _settle_if_quick(self) -> None:
        self._settling = None
        if gc.get_freeze_count() - self._own <= MOST_FROZEN:
            self.settle()

    def start(self) -> None:
        """Collect and freeze from now on."""
        if self._timer is None:
            self._look()

    def stop(self) -> None:
        """Leave it to the interpreter. What is frozen stays so: mostly the process ends, and a last look at it all
        would be waited for.
        """
        for timer in (self._timer, self._settling):
            if timer is not None:
                timer.cancel()
        self._timer = self._settling = None

    def _look(self) -> None:
        self._timer = self._loop.call_later(INTERVAL, self._look)
        young, middle, old = gc.get_count()
        if young >= ENOUGH or middle or old:
            # Both young generations: the interpreter may have collected since, in the middle of some handler.
            gc.collect(1)
            gc.freeze()
            self._has_frozen = True
