"""What becomes of a body: kept in memory as a whole, or streamed through; and the limits on both.

Used by `exchange` for requests and responses. The decision is the addons' first (`message.stream`), then the options'.
"""

import inspect
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from midstream.flows.http import Request, Response
from midstream.hub.emitters import SLOW
from midstream.hub.failures import one_line, own_traceback
from midstream.hub.handlers import location
from midstream.proxy.errors import BodyTooLarge, Unsendable
from midstream.proxy.held import Holding
from midstream.proxy.http.sides import BodyReader
from midstream.proxy.settings import Settings
from midstream.text.sizes import human_size
from midstream.wire.http1 import NO_BODY

Message = Request | Response
StreamFunction = Callable[[bytes], Iterable[bytes] | bytes]

ENDLESS = frozenset(
    {
        "application/jsonl",
        "application/stream+json",
        "application/vnd.amazon.eventstream",
        "application/x-ndjson",
        "multipart/x-mixed-replace",
        "text/event-stream",
    }
)
"""Kinds of bodies whose reader wants each part as it comes."""
ENDLESS_FAMILIES = ("application/grpc", "application/connect+")

_END: Any = object()

logger = logging.getLogger("midstream.proxy")


def check_size(message: Message, size: int, settings: Settings) -> None:
    """Raises BodyTooLarge when a body of that many bytes must not pass."""
    limit = settings.body_size_limit
    if limit is not None and size > limit:
        part, status = ("request", 413) if isinstance(message, Request) else ("response", 502)
        text = f"{part} refused: the body is larger than body_size_limit ({human_size(limit)})"
        raise BodyTooLarge(text, status)


def is_endless(message: Message) -> bool:
    """Whether a body of unknown length is of a kind that is read while it comes, and may never end."""
    kind = message.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in ENDLESS or kind.startswith(ENDLESS_FAMILIES)


def shall_stream(message: Message, framing: int, settings: Settings) -> bool:
    """Whether the body goes through piece by piece. `framing` as the head says; raises BodyTooLarge."""
    if framing > 0:
        check_size(message, framing, settings)
    if message.stream:
        return framing not in (NO_BODY, 0)
    if framing > 0:
        threshold = settings.stream_large_bodies
        return (threshold is not None and framing > threshold) or framing > settings.body_buffer_limit
    return framing < NO_BODY and settings.stream_endless_bodies and message.stream is not None and is_endless(message)


async def collect(
    message: Message, reader: BodyReader, settings: Settings, holding: Holding, why: str
) -> tuple[bytes, bool]:
    """The body of `message`, and whether that is all of it.

    False: it outgrew memory's share, or all bodies did, and the rest is still to be read. `why` says whose silence
    ended the wait, if it does. Raises BodyTooLarge, Refused, OSError.
    """
    body: bytes | bytearray = b""
    most = _most_held(settings)
    reader.expect(settings.idle_timeout, why)
    while piece := await reader.read_piece():
        reader.expect(settings.idle_timeout, why)
        if not body:
            body = piece
        else:
            # Not a list to be joined: two-byte pieces would take thirty times their size.
            body = bytearray(body) if isinstance(body, bytes) else body
            body += piece
        check_size(message, len(body), settings)
        if not holding.take(len(piece), settings.total_buffer_limit) or len(body) > most:
            return bytes(body), False
    return bytes(body), True


def _most_held(settings: Settings) -> int:
    """The largest body that is kept as a whole when nobody asked for anything."""
    threshold = settings.stream_large_bodies
    return settings.body_buffer_limit if threshold is None else min(threshold, settings.body_buffer_limit)


class StreamedBody:
    """A body on its way through: applies `message.stream`, counts, and keeps what the options say to keep."""

    __slots__ = ("_counted", "_holding", "_kept", "_message", "_most", "_settings", "_transform", "_was_slow", "live",
                 "size")  # fmt: skip

    def __init__(self, message: Message, settings: Settings, holding: Holding, *, outgrown: int) -> None:
        """`outgrown`: how much of it is in memory, and counted, since nobody knew before that it was to be streamed."""
        self._holding = holding
        self._counted = outgrown
        self._message = message
        self._settings = settings
        stream = message.stream
        self._transform: StreamFunction | None = stream if callable(stream) else None
        self.live = (
            not outgrown and not stream and "content-length" not in message.headers and is_endless(message)
        )  # it streams because of what it is, so the flow shows it while it comes
        # A body that outgrew memory unasked leaves its first part in the flow; one that was to be streamed leaves
        # nothing.
        if settings.store_streamed_bodies or self.live:
            self._most = settings.body_buffer_limit
        else:
            self._most = min(outgrown, _most_held(settings)) if not stream else 0
        if not stream:
            message.stream = True  # so that addons see, when it is over, that it has passed
        self._kept: list[bytes] = []
        self._was_slow = False
        self.size = 0

    def take(self, data: bytes) -> Iterator[bytes]:
        """What goes on for one piece that came. Raises BodyTooLarge, Unsendable."""
        self.size += len(data)
        check_size(self._message, self.size, self._settings)
        yield from self._pass(data)

    def end(self) -> Iterator[bytes]:
        """What goes on after the last piece; behind that the flow learns what was kept."""
        if self._transform is not None:
            yield from self._pass(b"")
        self._message.raw_content = b"".join(self._kept) if self._kept else None

    def show(self) -> None:
        """Let the flow have what was kept so far."""
        if self._kept:
            content = b"".join(self._kept)
            self._kept = [content]
            self._message.raw_content = content

    def kept_size(self) -> int:
        """Bytes of the body that the flow has."""
        return len(self._message.raw_content or b"")

    def _pass(self, data: bytes) -> Iterator[bytes]:
        for piece in self._made_of(data) if self._transform is not None else (data,):
            if self._most and piece:
                self._keep(piece[: self._most])
            yield piece

    def _keep(self, part: bytes) -> None:
        self._kept.append(part)
        self._most -= len(part)
        new = max(len(part) - self._counted, 0)
        self._counted -= len(part) - new
        if new and not self._holding.take(new, self._settings.total_buffer_limit):
            self._most = 0

    def _made_of(self, data: bytes) -> Iterator[bytes]:
        """What an addon's function makes of a piece, one by one: it may be without end.

        Raises Unsendable, which names the function, whatever that does.
        """
        function = self._transform
        assert function is not None
        pieces: Iterator[Any] | None = None
        while True:
            begin = time.perf_counter()
            try:
                if pieces is None:
                    made = function(data)
                    pieces = iter((made,) if isinstance(made, bytes | bytearray) else made)
                piece = next(pieces, _END)
                if piece is not _END and not isinstance(piece, bytes | bytearray):
                    raise TypeError(f"it returned {type(piece).__name__}, not bytes")
            except BaseException as exc:  # the border to an addon: nothing that it raises may end the connection's task
                raise stream_failure(function, exc) from None
            self._name_if_slow(function, time.perf_counter() - begin)
            if piece is _END:
                return
            yield piece

    def _name_if_slow(self, function: StreamFunction, seconds: float) -> None:
        if seconds > SLOW and not self._was_slow:  # once for each body
            self._was_slow = True
            logger.warning(
                "the stream function %s held everything up for %.0f ms; make it faster", _name(function), seconds * 1000
            )


def stream_failure(function: Callable[..., Any], exc: BaseException) -> Unsendable:
    """What an addon's function raised, said in the log and to be said on the flow."""
    logger.error(
        "a stream function failed: %s",
        one_line(exc),
        exc_info=(type(exc), exc, own_traceback(exc, location(function).rpartition(":")[0])),
    )
    return Unsendable(f"the stream function {_name(function)} failed: {one_line(exc)}")


def _name(function: object) -> str:
    name = getattr(
        inspect.unwrap(function) if callable(function) else function, "__qualname__", type(function).__name__
    )
    return f"{name} ({location(function)})"
