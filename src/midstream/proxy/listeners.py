"""Listening for clients: a mode's TCP and UDP sockets, and the conversations that UDP datagrams form.

Used by `Proxy`, which gets each accepted stream and serves it. Over UDP nobody connects: what one address sends to one
of ours is a conversation, accepted with its first datagram.
"""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Callable
from typing import Literal, Protocol

from midstream.flows.proxy_mode import ProxyMode, ReverseMode
from midstream.proxy.streams.datagram import DatagramStream
from midstream.proxy.streams.stream import Stream
from midstream.proxy.streams.tcp import TCPStream
from midstream.proxy.streams.udp_socket import Local, Peer, UDPSocket, open_udp_socket
from midstream.proxy.watch import now
from midstream.text.url import hostport

logger = logging.getLogger("midstream.proxy")

BACKLOG = 1024
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  what an empty listen_host asks for
# How often a port that the system picked for TCP is given back because UDP cannot have it.
PORT_TRIES = 20
MOST_CONVERSATIONS = 4096
"""How many UDP conversations there may be at once: a further one takes the place of the one that was silent longest."""
SHUNNED = 20.0
"""For how many seconds nothing is heard from a UDP client that was refused, or whose conversation failed or was killed.
Otherwise each datagram would begin another one that ends alike.
"""

Accept = Callable[[Stream], None]
Transport = Literal["tcp", "udp"]
Key = tuple[UDPSocket, Peer, Local]
"""Which conversation a datagram belongs to."""


class ListenError(Exception):
    """An address cannot be listened on; the message says which, why and what to do."""


class Listener(Protocol):
    """One way in."""

    transport: Transport
    addresses: list[Local]

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
    """Opens listeners. There is one for all modes, since the bound on conversations is one for all."""

    def __init__(self, most: int = MOST_CONVERSATIONS) -> None:
        self.conversations = Conversations(most)

    async def open(self, mode: ProxyMode, host: str, port: int, accept: Accept) -> list[Listener]:
        """Everything that a mode listens on, on the same port; all of it or none. Raises ListenError."""
        transports = transports_of(mode)
        tries = PORT_TRIES if port == 0 and len(transports) > 1 else 1
        for left in reversed(range(tries)):
            try:
                return await self._open(transports, host, port, accept)
            except ListenError:
                if not left:
                    raise
        raise AssertionError("unreachable")

    async def _open(self, transports: tuple[Transport, ...], host: str, port: int, accept: Accept) -> list[Listener]:
        listeners: list[Listener] = []
        try:
            for transport in transports:
                opened = 0
                for address in [host] if host else EVERY_ADDRESS:
                    try:
                        listener = await self._open_one(transport, address, port, accept)
                    except OSError as exc:
                        if opened and exc.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                            continue  # no IPv6 on this machine
                        raise ListenError(explain_listen(exc, address, port)) from exc
                    listeners.append(listener)
                    opened += 1
                    port = port or listener.addresses[0][1]
        except ListenError:
            for listener in listeners:
                listener.close()
            raise
        return listeners

    async def _open_one(self, transport: Transport, host: str, port: int, accept: Accept) -> Listener:
        if transport == "udp":
            return await UDPListener.open(host, port, accept, self.conversations)
        return await TCPListener.open(host, port, accept)


class TCPListener:
    """Accepts TCP connections."""

    transport: Transport = "tcp"

    def __init__(self, server: asyncio.Server) -> None:
        self._server = server
        self.addresses: list[Local] = [sock.getsockname()[:2] for sock in server.sockets]

    @classmethod
    async def open(cls, host: str, port: int, accept: Accept) -> "TCPListener":
        """Raises OSError."""
        loop = asyncio.get_running_loop()
        return cls(await loop.create_server(lambda: TCPStream(accept), host, port, backlog=BACKLOG, reuse_address=True))

    def close(self) -> None:
        self._server.close()


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
            next(iter(self._streams.values())).end("it was the most silent of too many UDP conversations")
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

    def __init__(self, accept: Accept, conversations: Conversations) -> None:
        self.addresses: list[Local] = []
        self._accept = accept
        self._conversations = conversations
        self._sockets: list[UDPSocket] = []

    @classmethod
    async def open(cls, host: str, port: int, accept: Accept, conversations: Conversations) -> "UDPListener":
        """Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
        listener = cls(accept, conversations)
        try:
            for family, address in dict.fromkeys((entry[0], entry[4]) for entry in found):
                await listener._bind(address, family)
        except OSError:
            listener.close()
            raise
        return listener

    async def _bind(self, address: Peer, family: int) -> None:
        def received(data: bytes, peer: Peer, local: Local) -> None:
            self._received(sock, data, peer, local)

        sock = await open_udp_socket(address, family, received)
        self._sockets.append(sock)
        self.addresses.append(sock.name)

    def _received(self, sock: UDPSocket, data: bytes, peer: Peer, local: Local) -> None:
        key = (sock, peer, local)
        stream = self._conversations.find(key)
        if stream is not None:
            stream.arrive(data)
        elif not self._conversations.is_shunned(key):
            stream = self._begin(key)
            stream.arrive(data)
            self._accept(stream)

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
        for sock in self._sockets:
            self._conversations.end_those_of(sock)
            sock.close()


def explain_listen(exc: OSError, host: str, port: int) -> str:
    """Why there can be no listener at `host:port`, and what to do."""
    where = hostport("", host, port)
    other = port + 2 if port >= 1024 else 8000 + port
    if exc.errno == errno.EADDRINUSE:
        return f"cannot listen on {where}: the port is in use; choose another one, for example with -p {other}"
    if exc.errno == errno.EACCES:
        return (
            f"cannot listen on {where}: ports below 1024 need privileges; choose another one, "
            f"for example with -p {other}"
        )
    if exc.errno == errno.EADDRNOTAVAIL:
        return f"cannot listen on {where}: this machine has no such address"
    with contextlib.suppress(AttributeError):
        return f"cannot listen on {where}: {exc.strerror}"
    return f"cannot listen on {where}: {exc}"
