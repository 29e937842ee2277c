"""Conversations that we begin: a UDP socket that is connected to one address, as a `DatagramStream`.

Used by the dialler and the stub resolver. The socket is read and written directly, since asyncio's transports send no
empty datagrams before Python 3.13; one of those serves where the loop cannot watch sockets (Windows).
"""

import asyncio
import socket
import sys
from typing import Any, cast

from midstream.proxy.streams.datagram import DatagramStream
from midstream.proxy.streams.stream import plain_address
from midstream.proxy.streams.udp_socket import AT_ONCE, LONGEST


async def dial_udp(host: str, port: int, local: tuple[str, int] | None) -> DatagramStream:
    """A conversation with `host:port` from a fresh port of ours. Nothing is sent yet. Raises OSError."""
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        _, endpoint = await loop.create_datagram_endpoint(_Endpoint, remote_addr=(host, port), local_addr=local)
        return endpoint.stream
    failure = OSError(f"{host} has no address")
    for family, _, _, _, address in await _resolved(host, port):
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            if local is not None:
                sock.bind(local)
            sock.connect(address)  # UDP: it only notes the address
        except OSError as exc:
            sock.close()
            failure = exc
        else:
            return _Carrier(sock).stream
    raise failure


async def _resolved(host: str, port: int) -> list[tuple[Any, ...]]:
    """The addresses of a host; without a thread for what is one already, as name servers are."""
    try:
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST))
    except socket.gaierror:
        return list(await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM))


class _Carrier:
    """A connected socket. Nothing waits in it: what cannot be sent now is dropped."""

    def __init__(self, sock: socket.socket) -> None:
        self.stream = DatagramStream(self._send, self._close)
        self.stream.peername = plain_address(sock.getpeername())
        self.stream.sockname = plain_address(sock.getsockname())
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, self._read)

    def _read(self) -> None:
        for _ in range(AT_ONCE):
            try:
                data = self._sock.recv(LONGEST)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as exc:
                self.stream.fail(exc)
                return
            self.stream.arrive(data)
            if self._sock.fileno() < 0:
                return

    def _send(self, data: bytes) -> None:
        try:
            self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as exc:
            self.stream.fail(exc)

    def _close(self, aborted: bool) -> None:
        self._loop.remove_reader(self._sock)
        self._sock.close()


class _Endpoint(asyncio.DatagramProtocol):
    """The same by asyncio's transport."""

    def __init__(self) -> None:
        self.stream: DatagramStream
        self._transport: asyncio.DatagramTransport
        self._is_full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.stream = DatagramStream(self._send, lambda aborted: transport.close())
        self.stream.peername = plain_address(transport.get_extra_info("peername"))
        self.stream.sockname = plain_address(transport.get_extra_info("sockname"))

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.stream.arrive(data)

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, OSError):
            self.stream.fail(exc)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.stream.close()

    def _send(self, data: bytes) -> None:
        if not self._is_full:
            self._transport.sendto(data)
