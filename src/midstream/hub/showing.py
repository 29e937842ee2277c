"""What people get to see of flows, where that is not the flow itself: copies that addons have changed.

One belongs to each master (`ctx.master.showing`). The console, the dumper, the printed log, exports, cuts and HAR files
ask it; the addon `redact` masks secrets by it, and scripts may put functions of their own into `flows` and `texts`.
Traffic, filters, editors and flow files never pass here.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TypeVar

from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.tunnel import TunnelFlow

F = TypeVar("F", bound=Flow)
T = TypeVar("T")


class Showing:
    """See the module. Without any function in it, it gives back what it gets."""

    def __init__(self) -> None:
        self.flows: list[Callable[[Flow], None]] = []
        """Each is called with a copy of a flow that is about to be shown, to change it."""
        self.texts: list[Callable[[bytes], bytes]] = []
        """The same for a part of one that is shown alone: a message, a path, an error, a line of a change."""
        self.maskers: list[Callable[[Flow], None]] = []
        """What takes secrets out of a flow when that is asked for once; see `masked`."""
        self.revision = 0
        """Changes whenever the same flow may look different; see `changed`."""

    def changed(self) -> None:
        """Tell those who remember what they showed that they must ask again."""
        self.revision += 1

    def flow(self, flow: F, last: int | None = None) -> F:
        """The flow as it may be shown: itself, or a copy under the same id that nothing must be done with.

        `last`: of its messages only so many are wanted; there may be thousands.
        """
        if not self.flows:
            return flow
        shown = _copied(flow, last)
        for mask in self.flows:
            mask(shown)
        return shown

    def masked(self, flow: F) -> F:
        """A copy without secrets, also while they are shown elsewhere."""
        shown = _copied(flow, None)
        for mask in self.flows or self.maskers:
            mask(shown)
        return shown

    def content(self, data: bytes) -> bytes:
        """The content of a message as it may be shown."""
        for mask in self.texts:
            data = mask(data)
        return data

    def text(self, text: str) -> str:
        """A line of text as it may be shown."""
        if not self.texts:
            return text
        return self.content(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


def _copied(flow: F, last: int | None) -> F:
    """A copy whose messages are its own; connections, marks and notes are those of the flow."""
    assert flow.id  # made when it is first asked for: the copy is to have the same
    shown = copy.copy(flow)
    if isinstance(shown, HTTPFlow):
        shown.request = shown.request.copy()
        shown.response = shown.response.copy() if shown.response is not None else None
        if shown.websocket is not None:
            shown.websocket = copy.copy(shown.websocket)
            shown.websocket.messages = _some(shown.websocket.messages, last)
    elif isinstance(shown, TunnelFlow):
        shown.messages = _some(shown.messages, last)
    if shown.error is not None:
        shown.error = shown.error.copy()
    return shown


def _some(messages: list[T], last: int | None) -> list[T]:
    wanted = messages if last is None else messages[max(len(messages) - last, 0) :]
    return [copy.copy(message) for message in wanted]
