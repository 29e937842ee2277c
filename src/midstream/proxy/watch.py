"""When one client connection ends before its time: the client left, a peer was silent for too long, the proxy stops.

A timer per read would cost more than the read. A connection notes until when it is patient instead; `Proxy` looks at
all of them once a second. A client that left is noticed by its transport at once, also while a person holds the
exchange.
"""

import asyncio
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

now = time.monotonic


class Watch:
    """The patience of one connection; `reason` says in plain words why its task was cancelled."""

    __slots__ = ("_settling", "_why", "busy", "deadline", "expired", "reason", "server_due", "task")

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.busy = False
        """An exchange or tunnel is under way, so the client's leaving ends it; otherwise the next read tells."""
        self.reason = ""
        self.deadline = math.inf
        self.expired = False
        """The deadline has passed, which is why the task was cancelled."""
        self.server_due = False
        """It is the server that something is expected of."""
        self._why = ""
        self._settling = False

    def expect(self, seconds: float, why: str) -> None:
        """Be patient with the client, or with both sides, for so long from now; `why` says what did not happen."""
        self.deadline = now() + seconds
        self.server_due = False
        self._why = why

    def expect_server(self, seconds: float, why: str) -> None:
        """The same where the server is due: its silence is no fault of the client, who can be told of it."""
        self.deadline = now() + seconds
        self.server_due = True
        self._why = why

    def rest(self) -> None:
        """Nothing is due: an addon works, or a person holds the flow."""
        self.deadline = math.inf

    def expire(self) -> None:
        """Called by the sweep when the deadline has passed."""
        self.deadline = math.inf
        if not self.reason:
            self.expired = True
            self.end(self._why)

    def client_left(self) -> None:
        """The client's transport is gone, or the client has said all it will say."""
        if self.busy:
            self.end("client disconnected")

    def served(self) -> None:
        """The client has been sent all that it waits for: its leaving is no failure. That it left before it took all is
        told by writing.
        """
        self.busy = False

    def flow_killed(self) -> None:
        """The flow under way was killed, by whomever and in whatever thread. An addon that does it in its handler is
        noticed after the event.
        """
        if self.task is None:
            return
        loop = self.task.get_loop()
        if not _is_running(loop):
            loop.call_soon_threadsafe(self.end, "the flow was killed")
        elif asyncio.current_task() is not self.task:
            self.end("the flow was killed")

    def end(self, reason: str) -> None:
        """Cancel the connection's task, once."""
        if not self.reason and self.task is not None:
            self.reason = reason
            if not self._settling:
                self.task.cancel()

    @contextmanager
    def settling(self) -> Iterator[None]:
        """What is done inside is done to its end, such as telling all addons that a flow has failed: whoever wants the
        connection to end meanwhile gets that afterwards.
        """
        was_asked, self._settling = bool(self.reason), True
        self.rest()
        try:
            yield
        finally:
            self._settling = False
            if self.reason and not was_asked and self.task is not None:
                self.task.cancel()


def _is_running(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the caller runs in this loop, and so in its thread."""
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
