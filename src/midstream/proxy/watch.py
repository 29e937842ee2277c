"""When one client connection ends before its time: the client left, a peer was silent for too long, the proxy stops.

A timer per read would cost more than the read. A connection notes until when it is patient instead; `Proxy` looks at
all of them once a second. A client that left is noticed by its transport at once, also while a person holds the
exchange.
"""

import asyncio
import math
import time

now = time.monotonic


class Watch:
    """The patience of one connection; `reason` says in plain words why its task was cancelled."""

    __slots__ = ("_why", "busy", "deadline", "reason", "task")

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.busy = False
        """An exchange or tunnel is under way, so the client's leaving ends it; otherwise the next read tells."""
        self.reason = ""
        self.deadline = math.inf
        self._why = ""

    def expect(self, seconds: float, why: str) -> None:
        """Be patient for so long from now; `why` completes "closed since …"."""
        self.deadline = now() + seconds
        self._why = why

    def rest(self) -> None:
        """Nothing is due: an addon works, or a person holds the flow."""
        self.deadline = math.inf

    def expire(self) -> None:
        """Called by the sweep when the deadline has passed."""
        self.deadline = math.inf
        self.end(self._why)

    def client_left(self) -> None:
        """The client's transport is gone, or the client has said all it will say."""
        if self.busy:
            self.end("client disconnected")

    def flow_killed(self) -> None:
        """The flow under way was killed, by whomever. An addon that does it in its handler is noticed after the
        event.
        """
        if asyncio.current_task() is not self.task:
            self.end("the flow was killed")

    def end(self, reason: str) -> None:
        """Cancel the connection's task, once."""
        if not self.reason and self.task is not None:
            self.reason = reason
            self.task.cancel()
