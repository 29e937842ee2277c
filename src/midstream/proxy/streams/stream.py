"""The byte stream that every part of the proxy talks to, whatever carries it.

`TCPStream`, `TLSStream` and `MemoryStream` fill it in; protocol detection, `http/` and `tunnels/` use it and never see
a socket. It is not an asyncio stream: the loop stays out of the interface, so exchanges are tested over memory.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Literal


class Stream(ABC):
    """Bytes in both directions, each of which ends by itself.

    One task reads and one task writes at a time; these may be two tasks.
    """

    transport: ClassVar[Literal["tcp", "udp"]] = "tcp"
    """What carries the bytes; over "udp" each read gives one datagram, and each write sends one."""

    __slots__ = ("at_eof", "lost", "on_data", "on_lost", "peername", "sockname", "truncated")

    def __init__(self) -> None:
        self.at_eof = False
        """The peer has ended its direction: once what has arrived is read, only `b""` follows."""
        self.truncated = False
        """The end came without the goodbye that the carrier has for it (close_notify): what was read may be cut."""
        self.lost = False
        """The peer went away, by a regular end or a reset; `on_lost` has been called or would have been."""
        self.on_lost: Callable[[], None] | None = None
        """Called once, without arguments, as soon as the peer went away, even when nobody reads."""
        self.on_data: Callable[[], None] | None = None
        """Called when bytes arrive that no `read` waits for: a carrier above may look at them by `take`."""
        self.peername: tuple[str, int] | None = None
        self.sockname: tuple[str, int] | None = None

    @abstractmethod
    async def read(self) -> bytes:
        """The next bytes, at least one; `b""` when the peer will send no more. Raises ConnectionError when broken."""

    async def receive(self) -> bytes | None:
        """The same with None for the end: a datagram may be empty."""
        return await self.read() or None

    @abstractmethod
    def take(self) -> bytes:
        """What has arrived and is unread, without waiting; `b""` when that is nothing."""

    @abstractmethod
    def unread(self, data: bytes) -> None:
        """Put bytes back in front: the next `read` or `peek` sees them first."""

    async def peek(self, n: int = 1) -> bytes:
        """At least `n` bytes, fewer only at the end, without taking them. Waits until they are there."""
        data = await self.read()
        if len(data) < n:
            parts = [data]
            size = len(data)
            try:
                while size < n and (more := await self.read()):
                    parts.append(more)
                    size += len(more)
            finally:
                # A reader that is cancelled while it waits for more has taken nothing.
                data = b"".join(parts)
                self.unread(data)
            return data
        self.unread(data)
        return data

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Queue bytes for the peer. Never blocks and never raises; what is written to a lost stream is dropped."""

    @abstractmethod
    async def drain(self) -> None:
        """Wait until the peer takes data again. Raises ConnectionError when it is gone."""

    @abstractmethod
    async def flush(self) -> None:
        """Wait until everything written has left for the peer. Raises ConnectionError when it is gone."""

    @abstractmethod
    def write_eof(self) -> None:
        """No more will be written, after what is queued; reading goes on. A carrier without half-close ignores it."""

    @abstractmethod
    def close(self) -> None:
        """Send what is queued, then close. Never blocks; harmless when repeated."""

    @abstractmethod
    def abort(self) -> None:
        """Close at once, in a way that no peer takes for a regular end; what is queued is dropped."""

    @abstractmethod
    async def wait_closed(self) -> None:
        """Return once the stream is closed, by whomever. Never raises."""


def plain_address(name: Any) -> tuple[str, int] | None:
    """Host and port of what a socket calls its name; the flow label and scope of IPv6 are left out."""
    return (name[0], name[1]) if isinstance(name, tuple) and len(name) >= 2 else None
