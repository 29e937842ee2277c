"""How much the bodies and messages of all flows under way take of memory, together.

Each flow has its own limit (`body_buffer_limit`), but an attacker has many flows. So what is held is counted for the
whole proxy: beyond `total_buffer_limit` a body is streamed as one that is too large for itself, and fewer messages are
kept. Small bodies that arrive in one piece with their head are not counted: the buffers of a connection bound them.
Flows that are over are the business of whoever keeps them.
"""

import logging

from midstream.text.sizes import human_size

logger = logging.getLogger("midstream.proxy")


class Held:
    """Bytes of all; there is one for the proxy."""

    __slots__ = ("is_full", "size")

    def __init__(self) -> None:
        self.size = 0
        self.is_full = False
        """So many that it was said in the log."""


class Holding:
    """What one client connection, or one stream of it, has of that."""

    __slots__ = ("_own", "held")

    def __init__(self, held: Held) -> None:
        self.held = held
        self._own = 0

    def take(self, size: int, most: int) -> bool:
        """Count so many bytes more; False when all that is held is more than `most` now."""
        held = self.held
        self._own += size
        held.size += size
        if held.size <= most:
            return True
        if not held.is_full:
            held.is_full = True
            logger.warning("the bodies and messages of all flows under way take more than total_buffer_limit (%s): "
                           "further bodies are streamed, and flows keep less of them", human_size(most))  # fmt: skip
        return False

    def give_back(self, size: int) -> None:
        """So many bytes are held no longer."""
        held = self.held
        self._own -= size
        held.size -= size
        if held.is_full and not held.size:
            held.is_full = False

    def release(self) -> None:
        """None of it is held any longer: the flow is over."""
        if self._own:
            self.give_back(self._own)
