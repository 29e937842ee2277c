"""The events of a `text/event-stream` body as messages, read on as the body grows. The messages tab shows them.

What a message says of its time is when it was seen here, so those of a finished body have none.
"""

from __future__ import annotations

import re
import time

from midstream.flows import encodings
from midstream.flows.http import HTTPFlow, Response

_MOST = 100_000  # events that are shown
_MOST_DECODED = 1024 * 1024  # bytes: a body with a coding is decoded anew whenever more of it has come
_SLICE = 64 * 1024
_END = re.compile(rb"\r\n\r\n|\n\n|\r\r|\r\n\n|\n\r\n")
_LINE = re.compile(rb"\r\n|\n|\r")
_LONGEST = 8 * 1024 * 1024  # bytes of one event


class Event:
    """One event; it has what messages of all protocols have."""

    __slots__ = ("content", "from_client", "id", "kind", "timestamp")

    def __init__(self, content: bytes, kind: str, id_: str, timestamp: float) -> None:
        self.content = content
        self.kind = kind
        self.id = id_
        self.timestamp = timestamp
        self.from_client = False


def is_event_stream(flow: object) -> bool:
    """Whether the response of a flow is one."""
    response = flow.response if isinstance(flow, HTTPFlow) else None
    return response is not None and _media(response) == "text/event-stream"


def _media(response: Response) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


class EventStream:
    """The events of one flow. `read` is called before they are shown, and goes on where it stopped."""

    def __init__(self) -> None:
        self.messages: list[Event] = []
        self.is_cut = False
        self._raw: bytes | None = None
        self._text = b""
        self._at = 0  # where the next event begins
        self._seen = 0  # bytes behind it in which no end was found
        self._is_first = True  # what is there already came nobody knows when

    def read(self, flow: HTTPFlow) -> bool:
        """Take the events that have come; True: there are more, which the next call takes."""
        assert flow.response is not None
        raw = flow.response.raw_content or b""
        if raw is not self._raw:
            self._take(raw, flow.response)
        now = 0.0 if self._is_first or not flow.live else time.time()
        goes_on = self._advance(now)
        if not goes_on:
            self._is_first = False
        return goes_on

    def _take(self, raw: bytes, response: Response) -> None:
        coding = response.headers.get("content-encoding", "")
        text = raw
        if raw and encodings.codings(coding):
            try:
                text, self.is_cut = encodings.decode_beginning(raw, coding, _MOST_DECODED)
            except ValueError:
                text = b""
        # An edit, or another body: what was read of the old one says nothing.
        if len(text) < len(self._text) or text[: min(self._at, 64)] != self._text[: min(self._at, 64)]:
            self.messages, self._at, self._seen = [], 0, 0
        self._raw, self._text = raw, text

    def _advance(self, now: float) -> bool:
        end_of_slice = self._at + self._seen + _SLICE
        while len(self.messages) < _MOST:
            found = _END.search(self._text, self._at + max(self._seen - 3, 0), end_of_slice)
            if found is None:
                self._seen = min(end_of_slice, len(self._text)) - self._at
                return end_of_slice < len(self._text) and self._seen < _LONGEST
            self._add(self._text[self._at : found.start()], now)
            self._at, self._seen = found.end(), 0
        self.is_cut = True
        return False

    def _add(self, block: bytes, now: float) -> None:
        data: list[bytes] = []
        kind, id_ = "message", ""
        for line in _LINE.split(block.removeprefix(b"\xef\xbb\xbf") if not self._at else block):
            name, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if name == b"data":
                data.append(value)
            elif name == b"event":
                kind = value[:200].decode("utf-8", "surrogateescape")
            elif name == b"id":
                id_ = value[:200].decode("utf-8", "surrogateescape")
        if data or kind != "message":
            self.messages.append(Event(b"\n".join(data), kind, id_, now))
