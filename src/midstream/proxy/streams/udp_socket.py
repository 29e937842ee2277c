"""A bound UDP socket that tells, of each datagram, to which of our addresses it came, and answers from there.

Used by `UDPListener`. A socket that listens on every address would otherwise answer from the address that the system
likes best, and clients ignore an answer from one that they never spoke to. asyncio's own datagram transport cannot do
this; it serves where the system has no `recvmsg` (Windows).
"""

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any, Protocol, cast

from midstream.proxy.streams.stream import plain_address

Peer = tuple[Any, ...]
"""An address as the socket module has it: IPv6 brings flow label and scope along."""
Local = tuple[str, int]
Received = Callable[[bytes, Peer, Local], None]

# How many datagrams are taken at once before the loop's other business has its turn.
AT_ONCE = 64
LONGEST = 65536
# The socket module of Python 3.11 does not name it: ip(7) of Linux and of macOS.
_IP_PKTINFO = {"linux": 8, "darwin": 26}.get(sys.platform)
_PKTINFO = struct.Struct("@i4s4s")  # interface, our address, destination in the header
_PKTINFO6 = struct.Struct("@16sI")  # destination, interface


class UDPSocket(Protocol):
    """What a listener needs of its socket."""

    name: Local

    def send(self, data: bytes, peer: Peer, local: Local) -> None:
        """Send a datagram to `peer` from the address `local`. Dropped if the system takes no more. Raises OSError."""

    def close(self) -> None:
        """Close at once."""


async def open_udp_socket(sock: socket.socket, received: Received) -> UDPSocket:
    """Call `received` for each datagram that comes to a bound socket, which is ours from now on. Raises OSError."""
    try:
        if sys.platform == "win32":
            return await _open_plain(sock, received)
        return _ReadSocket(sock, received)
    except BaseException:
        sock.close()
        raise


class _ReadSocket:
    """A socket that is read and written directly. Nothing waits in it: what cannot be sent now is dropped."""

    def __init__(self, sock: socket.socket, received: Received) -> None:
        self.name: Local = sock.getsockname()[:2]
        self._sock = sock
        self._received = received
        self._buffer = bytearray(LONGEST)
        self._loop = asyncio.get_running_loop()
        self._is_ipv6 = sock.family == socket.AF_INET6
        if self._is_ipv6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        elif _IP_PKTINFO is not None:
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        self._loop.add_reader(sock, self._read)

    def _read(self) -> None:
        for _ in range(AT_ONCE):
            try:
                size, notes, _, peer = self._sock.recvmsg_into([self._buffer], 128)
            except OSError:  # nothing more is there; or an answer of ours did not arrive, of which nobody can be told
                return
            self._received(bytes(memoryview(self._buffer)[:size]), peer, self._destination(notes))
            if self._sock.fileno() < 0:
                return

    def _destination(self, notes: list[tuple[int, int, bytes]]) -> Local:
        """The address of ours that the datagram was sent to."""
        for level, kind, data in notes:
            if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
                return socket.inet_ntop(socket.AF_INET, data[4:8]), self.name[1]
            if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
                return socket.inet_ntop(socket.AF_INET6, data[:16]), self.name[1]
        return self.name

    def send(self, data: bytes, peer: Peer, local: Local) -> None:
        try:
            self._sock.sendmsg([data], self._source(peer, local), 0, peer)
        except (BlockingIOError, InterruptedError):
            return

    def _source(self, peer: Peer, local: Local) -> list[tuple[int, int, bytes]]:
        if local == self.name:
            return []
        if self._is_ipv6:
            # Link-local addresses mean something on one interface only, which the peer's scope names.
            packed = _PKTINFO6.pack(socket.inet_pton(socket.AF_INET6, local[0]), peer[3])
            return [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, packed)]
        if _IP_PKTINFO is None:
            return []
        packed = _PKTINFO.pack(0, socket.inet_aton(local[0]), bytes(4))
        return [(socket.IPPROTO_IP, _IP_PKTINFO, packed)]

    def close(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock)
            self._sock.close()


async def _open_plain(sock: socket.socket, received: Received) -> UDPSocket:
    loop = asyncio.get_running_loop()
    _, endpoint = await loop.create_datagram_endpoint(lambda: _Endpoint(received), sock=sock)
    return endpoint


class _Endpoint(asyncio.DatagramProtocol):
    """The same by asyncio's transport, which leaves the choice of the address that answers to the system."""

    def __init__(self, received: Received) -> None:
        self.name: Local = ("", 0)
        self._received = received
        self._transport: asyncio.DatagramTransport
        self._is_full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.name = plain_address(transport.get_extra_info("sockname")) or self.name

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._received(data, addr, self.name)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False

    def send(self, data: bytes, peer: Peer, local: Local) -> None:
        if not self._is_full:
            with contextlib.suppress(OSError):
                self._transport.sendto(data, peer)

    def close(self) -> None:
        self._transport.close()
