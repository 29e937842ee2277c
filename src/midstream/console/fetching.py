"""Reads what is still on the disk of the flow that a pane shows: a large body, a long conversation.

A pane that is about to paint content asks `is_whole` first. If that is not so, the rest is being read by then, in a
thread, and `changed` is called when it is there; meanwhile the pane shows what the flow has in memory, its head, and
`sentence_of` in place of the rest. What commands need is read by `command_runner`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from midstream.flows.elsewhere import conversation_of, unread_parts
from midstream.text.sizes import human_size

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.flows.flow import Flow


class Fetching:
    """See the module. One for each pane."""

    def __init__(self, console: Console, changed: Callable[[], object]) -> None:
        self._console = console
        self._changed = changed
        self._flow: Flow | None = None  # that is being read
        self._shown: Flow | None = None  # that was read: while it is shown it must not leave memory again

    def is_whole(self, flow: Flow) -> bool:
        """Whether all of a flow is in memory; from now on it is being read otherwise."""
        if not unread_parts(flow):
            self._shown = flow if flow is self._shown else None
            return True
        if self._flow is not flow:
            self._flow = flow
            self._console.spawn(self._fetch(flow), "reading a flow")
        return False

    def forget(self) -> None:
        """Nothing is shown any more."""
        self._shown = None

    async def _fetch(self, flow: Flow) -> None:
        try:
            await self._console.view.fetch(flow)
        finally:
            if self._flow is flow:
                self._flow = None
        self._shown = flow
        self._changed()
        self._console.request_frame()


def sentence_of(flow: Flow) -> str:
    """What is being read."""
    owner, parts = conversation_of(flow), unread_parts(flow)
    if owner is not None and any(part is owner.held_messages for part in parts):
        return f"Reading {len(owner.held_messages):,} messages …"
    return f"Reading {human_size(sum(map(len, parts)))} …"
