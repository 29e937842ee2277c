"""Accepting clients: a mode's TCP and UDP listeners, and the conversations that UDP datagrams form.

Used by `ModeServers`; `Proxy` gets each accepted stream and serves it. Over UDP nobody connects: what one address sends
to one of ours is a conversation, accepted with its first datagram.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from typing import Protocol

from midstream.flows.proxy_mode import ProxyMode, ReverseMode
from midstream.proxy.binding import BACKLOG, Transport, bind
from midstream.proxy.streams.datagram import DatagramStream
from midstream.proxy.streams.stream import Stream
from midstream.proxy.streams.tcp import TCPStream
from midstream.proxy.streams.udp_socket import Local, Peer, UDPSocket, open_udp_socket
from midstream.proxy.watch import now

logger = logging.getLogger("midstream.proxy")

MOST_CONVERSATIONS = 4096
"""How many UDP conversations there may be at once: a further one takes the place of the one that was silent longest."""
SHUNNED = 1.0
"""For how many seconds nothing is heard from a UDP client that was refused, or whose conversation failed or was killed.
Otherwise each datagram would begin another one that ends alike.
"""

Accept = Callable[[Stream], None]
Key = tuple[UDPSocket, Peer, Local]
"""Which conversation a datagram belongs to."""


class Listener(Protocol):
    """One way in, bound already. `accept` gets each client, and may be replaced at any time."""

    transport: Transport
    host: str
    """As it was asked for."""
    port: int
    addresses: list[Local]
    accept: Accept
    is_started: bool
    is_closed: bool

    async def start(self) -> None:
        """Begin to accept. Raises OSError."""

    def close(self) -> None:
        """Accept nobody any more. What TCP has accepted goes on; UDP conversations end with their socket."""


def transports_of(mode: ProxyMode) -> tuple[Transport, ...]:
    """What clients of a mode may use."""
    # The other half of HTTPS would be HTTP/3, which nobody here speaks yet.
    if isinstance(mode, ReverseMode) and mode.scheme == "https":
        return ("tcp",)
    kind = mode.transport_protocol
    return ("tcp", "udp") if kind == "both" else (kind,)


class Listening:
    """Makes listeners. There is one for all modes, since the bound on conversations is one for all."""

    def __init__(self, most: int = MOST_CONVERSATIONS) -> None:
        self.conversations = Conversations(most)

    def bind(self, transports: Sequence[Transport], host: str, port: int, accept: Accept) -> list[Listener]:
        """One for each transport, on the same port; all of it or none. Raises ListenError."""
        listeners: list[Listener] = []
        for transport, sockets in bind(transports, host, port).items():
            if transport == "udp":
                listeners.append(UDPListener(host, sockets, accept, self.conversations))
            else:
                listeners.append(TCPListener(host, sockets, accept))
        return listeners


class TCPListener:
    """Accepts TCP connections."""

    transport: Transport = "tcp"

    def __init__(self, host: str, sockets: list[socket.socket], accept: Accept) -> None:
        self.host = host
        self.addresses: list[Local] = [sock.getsockname()[:2] for sock in sockets]
        self.port = self.addresses[0][1]
        self.accept = accept
        self.is_started = self.is_closed = False
        self._sockets = sockets
        self._servers: list[asyncio.Server] = []

    async def start(self) -> None:
        self.is_started = True
        loop = asyncio.get_running_loop()
        while self._sockets:
            sock = self._sockets.pop()
            server = await loop.create_server(lambda: TCPStream(self.accept), sock=sock, backlog=BACKLOG)
            self._servers.append(server)
        if self.is_closed:
            self.close()

    def close(self) -> None:
        self.is_closed = True
        for sock in self._sockets:
            sock.close()
        self._sockets.clear()
        for server in self._servers:
            server.close()


class Conversations:
    """The UDP conversations of all listeners, those that spoke last at the end."""

    def __init__(self, most: int = MOST_CONVERSATIONS) -> None:
        self.most = most
        self._streams: dict[Key, DatagramStream] = {}
        self._shunned: dict[Key, float] = {}
        self._is_full = False

    def __len__(self) -> int:
        return len(self._streams)

    def find(self, key: Key) -> DatagramStream | None:
        """The conversation of that key, which has spoken now."""
        stream = self._streams.pop(key, None)
        if stream is not None:
            self._streams[key] = stream
        return stream

    def add(self, key: Key, stream: DatagramStream) -> None:
        """Begin one; if there is no room, the one that was silent longest ends."""
        while len(self._streams) >= self.most:
            if not self._is_full:
                self._is_full = True
                logger.warning("there are %d UDP conversations: each further one ends the one that was silent longest",
                               self.most)  # fmt: skip
            oldest = self._streams.pop(next(iter(self._streams)))
            oldest.end("it was the most silent of too many UDP conversations")
        self._streams[key] = stream

    def is_shunned(self, key: Key) -> bool:
        """Whether what comes is to be ignored."""
        until = self._shunned.get(key)
        if until is None:
            return False
        if until > now():
            return True
        del self._shunned[key]
        return False

    def over(self, key: Key, *, aborted: bool) -> None:
        """It has ended."""
        self._streams.pop(key, None)
        if aborted:
            if len(self._shunned) >= self.most:
                del self._shunned[next(iter(self._shunned))]
            self._shunned[key] = now() + SHUNNED
        if self._is_full and len(self._streams) < self.most // 2:
            self._is_full = False
            logger.info("there is room for further UDP conversations again")

    def end_those_of(self, sock: UDPSocket) -> None:
        """Nothing comes through that socket any more."""
        for key in [key for key in self._streams if key[0] is sock]:
            self._streams[key].end("the listener was closed")
        for key in [key for key in self._shunned if key[0] is sock]:
            del self._shunned[key]


class UDPListener:
    """Accepts what begins with a datagram. One conversation is what one address says to one of ours."""

    transport: Transport = "udp"

    def __init__(self, host: str, sockets: list[socket.socket], accept: Accept, conversations: Conversations) -> None:
        self.host = host
        self.addresses: list[Local] = [sock.getsockname()[:2] for sock in sockets]
        self.port = self.addresses[0][1]
        self.accept = accept
        self.is_started = self.is_closed = False
        self._conversations = conversations
        self._bound = sockets
        self._sockets: list[UDPSocket] = []

    async def start(self) -> None:
        self.is_started = True
        while self._bound:
            await self._start(self._bound.pop())
        if self.is_closed:
            self.close()

    async def _start(self, bound: socket.socket) -> None:
        def received(data: bytes, peer: Peer, local: Local) -> None:
            self._received(sock, data, peer, local)

        sock = await open_udp_socket(bound, received)
        self._sockets.append(sock)

    def _received(self, sock: UDPSocket, data: bytes, peer: Peer, local: Local) -> None:
        key = (sock, peer, local)
        stream = self._conversations.find(key)
        if stream is not None:
            stream.arrive(data)
        elif not self._conversations.is_shunned(key):
            stream = self._begin(key)
            stream.arrive(data)
            self.accept(stream)

    def _begin(self, key: Key) -> DatagramStream:
        sock, peer, local = key

        def send(data: bytes) -> None:
            self._conversations.find(key)
            try:
                sock.send(data, peer, local)
            except OSError as exc:
                stream.fail(exc)

        stream = DatagramStream(send, lambda aborted: self._conversations.over(key, aborted=aborted))
        stream.peername, stream.sockname = (peer[0], peer[1]), local
        self._conversations.add(key, stream)
        return stream

    def close(self) -> None:
        self.is_closed = True
        for bound in self._bound:
            bound.close()
        self._bound.clear()
        for sock in self._sockets:
            self._conversations.end_those_of(sock)
            sock.close()
