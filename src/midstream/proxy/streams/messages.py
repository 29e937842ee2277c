"""Reads one message of a sans-io codec off a stream, however its bytes are split.

Used where a connection begins with a few small messages before its protocol proper: SOCKS5, the PROXY protocol.
"""

from collections.abc import Callable
from typing import TypeVar

from midstream.proxy.streams.stream import Stream

T = TypeVar("T")


async def read_message(stream: Stream, parse: Callable[[bytes], tuple[T, int] | None]) -> T:
    """The next message; what follows it stays unread. Raises what `parse` raises, and OSError for an early end.

    `parse` gets what has arrived so far: it returns the message and its length, None for more, or raises. How long a
    message may become, and how long it may take, is for `parse` and the caller to limit.
    """
    data = b""
    while (found := parse(data)) is None:
        piece = await stream.read()
        if not piece:
            raise ConnectionError("the connection ended in the middle of a message")
        data = data + piece if data else piece
    message, length = found
    stream.unread(data[length:])
    return message
