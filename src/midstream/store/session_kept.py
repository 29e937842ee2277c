"""One flow of a session that is in memory: what was written of it last, and what is to be written now.

`session` keeps one for each, and decides when it is written and when the flow leaves memory. Whatever a script made of
a flow shows here: the methods raise anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from midstream.flows.elsewhere import Elsewhere
from midstream.flows.flow import Flow
from midstream.store.rows import Row
from midstream.store.session_codec import Parts, Snapshot, large_bodies, snapshot, weight
from midstream.store.session_file import FlowWrite
from midstream.store.session_links import Links
from midstream.store.session_records import APART_MESSAGES
from midstream.store.session_talk import Talk, messages_of


class Kept:
    """See the module. `is_stuck` says that it cannot be written as it is."""

    __slots__ = ("flow", "is_dirty", "is_stuck", "is_writing", "row", "saved", "talk", "weight")

    def __init__(self, row: Row, flow: Flow) -> None:
        self.row = row
        self.flow = flow
        self.weight = 3000
        self.saved: Snapshot | None = None
        self.talk: Talk | None = None
        self.is_dirty = self.is_writing = self.is_stuck = False

    def take_as_read(self, shot: Snapshot, first: int) -> None:
        """The flow was just read; the number of its first message that is left."""
        self.saved = shot
        self.weight = weight(Parts(*shot).content)
        messages = self._messages()
        if messages is not None:
            self.talk = Talk(first)
            self.talk.take_as_written(messages)
            self.weight += self.talk.size

    def forget_written(self) -> None:
        """What was to be written was not: all of it is new again."""
        self.is_writing, self.saved = False, None
        if not isinstance(self._messages(), Elsewhere):  # those are there, whatever happened to the rest
            self.talk = None

    def has_changed(self, links: Links) -> bool:
        """Whether it differs from what was written."""
        before = len(links.pending)
        if self._shot(links) != self.saved or len(links.pending) > before:
            return True
        messages = self._messages()
        return messages is not None and (self.talk is None or not self.talk.is_as_written(messages))

    def news(self, links: Links) -> FlowWrite | None:
        """What is to be written, which is taken for written; None when it is there already."""
        flow, shot = self.flow, self._shot(links)
        content = Parts(*shot).content
        write = FlowWrite(self.row.number, shot)
        known = dict(large_bodies(Parts(*self.saved).content)) if self.saved else {}
        for side, body in large_bodies(content):
            write.apart |= 1 << side
            if isinstance(body, Elsewhere):
                if body.place != (self.row.number, side) and (read := body.value()) is not None:
                    write.bodies.append((side, read))  # it is that of another flow
            elif known.get(side) != body:  # equal to what was elsewhere and has been read
                write.bodies.append((side, body))
        self.weight = weight(content)
        messages, has_news = self._messages(), shot != self.saved
        if messages is not None:
            self.talk = self.talk or Talk()
            before = self.talk.span
            write.messages = self.talk.news(messages, all_of_them=not flow.live)
            write.first, write.count = self.talk.first, len(messages)
            write.apart |= APART_MESSAGES
            self.weight += self.talk.size
            has_news = has_news or bool(write.messages) or before != self.talk.span
        if not has_news:
            return None
        self.saved, self.is_writing = shot, True
        return write

    def _messages(self) -> Sequence[Any] | Elsewhere[list[Any]] | None:
        messages = messages_of(self.flow)
        if isinstance(messages, Elsewhere) and messages.place[0] != self.row.number:
            return messages.value() or []  # they are those of another flow
        return messages

    def _shot(self, links: Links) -> Snapshot:
        flow = self.flow
        return snapshot(flow, links.number_of(flow.client_conn), links.number_of(flow.server_conn))
