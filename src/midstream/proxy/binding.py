"""Sockets that listen, bound at once: whoever changes an option is told on the spot which address cannot be had.

Called by `listeners.py`. Nothing is accepted here; until somebody does the system lets clients wait.
"""

import contextlib
import errno
import os
import socket
from collections.abc import Iterator, Sequence
from typing import Literal

from midstream.text.url import hostport

BACKLOG = 1024
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  what an empty listen_host asks for
# How often a port that the system picked is given back because it is not free everywhere.
PORT_TRIES = 20

Transport = Literal["tcp", "udp"]
Sockets = dict[Transport, list[socket.socket]]

_KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
_PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}


class ListenError(Exception):
    """An address cannot be listened on; the message says which, why and what to do."""


def bind(transports: Sequence[Transport], host: str, port: int) -> Sockets:
    """Sockets for every transport and address, all on the same port; all of them or none. Raises ListenError.

    An empty host means every address, port 0 one that the system picks. A host that is a name is looked up, which the
    caller waits for.
    """
    tries = PORT_TRIES if port == 0 else 1
    for left in reversed(range(tries)):
        try:
            return _bind_all(transports, host, port)
        except ListenError:
            if not left:
                raise
    raise AssertionError("unreachable")


def _bind_all(transports: Sequence[Transport], host: str, port: int) -> Sockets:
    bound: Sockets = {transport: [] for transport in transports}
    with contextlib.ExitStack() as opened:
        for transport in transports:
            refusal: OSError | None = None
            for family, address in _addresses(transport, host):
                try:
                    sock = _bind_one(transport, family, address, port)
                except OSError as exc:
                    refusal = refusal or exc
                    if exc.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                        continue  # no IPv6 on this machine, perhaps
                    raise ListenError(explain_listen(exc, address[0], port)) from exc
                opened.callback(sock.close)
                bound[transport].append(sock)
                port = port or sock.getsockname()[1]
            if refusal is not None and not bound[transport]:
                raise ListenError(explain_listen(refusal, host, port)) from refusal
        opened.pop_all()
    return bound


def _addresses(transport: Transport, host: str) -> Iterator[tuple[socket.AddressFamily, tuple[object, ...]]]:
    """What a host stands for, as the socket module has it, without the port. Raises ListenError."""
    if not host:
        yield from zip((socket.AF_INET, socket.AF_INET6), ((address,) for address in EVERY_ADDRESS), strict=True)
        return
    try:
        found = socket.getaddrinfo(host, None, type=_KINDS[transport], flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise ListenError(f"cannot listen on {host!r}: this is no address, and no name of one") from None
    for family, (address, _, *scope) in dict.fromkeys((entry[0], entry[4]) for entry in found):
        yield family, (address, *scope)


def _bind_one(
    transport: Transport, family: socket.AddressFamily, address: tuple[object, ...], port: int
) -> socket.socket:
    # asyncio turns Nagle's algorithm off only where the protocol is named. With it on, the last bytes before a reset
    # would wait for the peer's acknowledgement, and be lost.
    sock = socket.socket(family, _KINDS[transport], _PROTOCOLS[transport])
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if transport == "tcp" and os.name == "posix":  # elsewhere it would let two programs share a port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address[0], port, *address[1:]))
        if transport == "tcp":
            sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def explain_listen(exc: OSError, host: object, port: int) -> str:
    """Why there can be no listener at `host:port`, and what to do."""
    where = hostport("", str(host), port)
    other = port + (2 if 1024 <= port < 65534 else 8000 if port < 1024 else -2)
    do = f"choose another one, for example by -p {other}, or by @{other} behind the mode"
    if exc.errno == errno.EADDRINUSE:
        return f"cannot listen on {where}: the port is in use; {do}"
    if exc.errno == errno.EACCES:
        return f"cannot listen on {where}: ports below 1024 need privileges; {do}"
    if exc.errno == errno.EADDRNOTAVAIL:
        return f"cannot listen on {where}: this machine has no such address"
    with contextlib.suppress(AttributeError):
        return f"cannot listen on {where}: {exc.strerror}"
    return f"cannot listen on {where}: {exc}"
