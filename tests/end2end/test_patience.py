"""Silence and dripping in every mode and protocol: each has its time, and not a connection is left after it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.kit.dripping import drip
from tests.kit.http2_frames import END_HEADERS, headers
from tests.kit.http2_peer import Http2Peer
from tests.kit.name_server import name_server
from tests.kit.origins import Handler, hear, ok, origin
from tests.kit.other_clients import open_files, others_are_served
from tests.kit.program import middump
from tests.kit.socket_end import SocketEnd, connected, tunnelled
from tests.kit.waiting import until

pytestmark = pytest.mark.end2end

IMPATIENT = ("--set", "tcp_timeout=1", "--set", "head_timeout=1", "--set", "connect_timeout=1")
UPGRADE = (
    b"GET /socket HTTP/1.1\r\nHost: %b\r\nUpgrade: %b\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def silent(end: SocketEnd) -> None:
    """A server that answers requests and upgrades, echoes the first bytes of anything else, and then says no more."""
    first = await end.reader.read(65536)
    if not first.startswith((b"GET", b"POST")):
        end.say(first)
        await end.rest()
        return
    end.heard = first
    while (heard := await hear(end)) is not None:
        if kind := heard.fields.get("upgrade"):
            end.say(f"HTTP/1.1 101 Go\r\nUpgrade: {kind}\r\nConnection: Upgrade\r\n\r\n".encode())
            await end.rest()
            return
        end.say(ok(b"hello"))


Opening = Callable[[SocketEnd, str], Awaitable[None]]
"""Begins something on a connection to the proxy and leaves it alone; gets the address of a server."""


async def nothing(end: SocketEnd, target: str) -> None:
    pass


async def a_request(end: SocketEnd, target: str) -> None:
    end.say(f"GET http://{target}/ HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    await end.until(b"hello")


async def a_tunnel(end: SocketEnd, target: str) -> None:
    end.say(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    await end.head()


async def raw_bytes(end: SocketEnd, target: str) -> None:
    await a_tunnel(end, target)
    end.say(b"\x00raw")
    await end.expect(b"\x00raw")


async def a_request_in_a_tunnel(end: SocketEnd, target: str) -> None:
    await a_tunnel(end, target)
    end.say(f"GET / HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    await end.until(b"hello")


async def a_websocket(end: SocketEnd, target: str) -> None:
    await a_tunnel(end, target)
    end.say(UPGRADE % (target.encode(), b"websocket"))
    assert (await end.head()).startswith(b"HTTP/1.1 101 ")


async def another_upgrade(end: SocketEnd, target: str) -> None:
    await a_tunnel(end, target)
    end.say(UPGRADE % (target.encode(), b"other"))
    assert (await end.head()).startswith(b"HTTP/1.1 101 ")


async def http2(end: SocketEnd, target: str) -> None:
    await Http2Peer(end).begin()


async def an_http2_tunnel(end: SocketEnd, target: str) -> None:
    peer = Http2Peer(end)
    await peer.begin()
    peer.say(headers(1, [(b":method", b"CONNECT"), (b":authority", target.encode())], flags=END_HEADERS))
    while not peer.streams[1].status:
        await peer.read()


async def a_socks_tunnel(end: SocketEnd, target: str) -> None:
    port = int(target.rpartition(":")[2]).to_bytes(2, "big")
    end.say(b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01" + port)
    await end.take(12)


async def a_query(end: SocketEnd, target: str) -> None:
    query = b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x04test\x00\x00\x01\x00\x01"
    end.say(len(query).to_bytes(2, "big") + query)
    await end.take(2)


async def half_a_query(end: SocketEnd, target: str) -> None:
    end.say(b"\x00\x20\x00")


async def greeting(end: SocketEnd, target: str) -> None:
    end.say(b"\x00raw")
    await end.expect(b"\x00raw")


REGULAR = [nothing, a_request, a_tunnel, raw_bytes, a_request_in_a_tunnel, a_websocket, another_upgrade, http2,
           an_http2_tunnel]  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "openings"),
    [
        ("regular", REGULAR),
        ("regular --ignore-hosts 127", [raw_bytes, a_request_in_a_tunnel]),
        ("reverse:http", [nothing, a_request, http2]),
        ("reverse:tcp", [nothing, greeting]),
        ("socks5", [nothing, a_socks_tunnel]),
        ("dns", [nothing, a_query, half_a_query]),
    ],
    ids=lambda value: value.replace(" ", "") if isinstance(value, str) else "",
)
async def test_idle_connections_end_in_every_mode(confdir: Path, mode: str, openings: list[Opening]):
    async with origin(silent) as web, name_server({}) as names, AsyncExitStack() as stack:
        spec, *more = mode.split()
        target = f"://{web.authority}" if spec.startswith("reverse") else ""
        servers = ("--set", f"dns_name_servers=127.0.0.1:{names.port}")
        program = await stack.enter_async_context(
            middump(confdir, *IMPATIENT, *servers, *more, "--mode", spec + target)
        )
        before = open_files(program)
        ends = [await stack.enter_async_context(connected(program.port)) for _ in openings]
        await asyncio.gather(*(begin(end, web.authority) for begin, end in zip(openings, ends, strict=True)))
        await asyncio.gather(*(end.rest() for end in ends))
        await until(lambda: open_files(program) <= before + 1, "the connections are closed")


# -- parent proxies -----------------------------------------------------------------------------------------------


def dripping(answer: bytes) -> Handler:
    """A parent that drips its answer, so slowly that it never comes to its end."""

    async def serve(end: SocketEnd) -> None:
        await end.reader.read(65536)
        with contextlib.suppress(AssertionError):
            await drip(end, answer)

    return serve


@pytest.mark.parametrize(
    ("scheme", "answer"),
    [
        ("http", b""),
        ("http", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100),
        ("http", b"HTTP/1.1 103 Early\r\n\r\n" * 30),
        ("socks5", b""),
        ("socks5", b"\x05"),
    ],
)
async def test_parents_that_answer_a_connect_slowly(confdir: Path, scheme: str, answer: bytes):
    async def stay(end: SocketEnd) -> None:
        await end.reader.read(65536)
        end.say(answer)
        await end.rest()

    handler = dripping(answer) if len(answer) > 1 else stay
    mode = f"upstream:{scheme}://"
    async with (
        origin(handler) as parent,
        origin(silent) as web,
        middump(confdir, *IMPATIENT, "--mode", mode + parent.authority) as program,
        connected(program.port) as end,
    ):
        end.say(f"CONNECT {web.authority} HTTP/1.1\r\nHost: {web.authority}\r\n\r\n".encode())
        assert (await end.head()).startswith(b"HTTP/1.1 502 ")
        assert b"within 1 s" in await end.rest()


# -- TLS ----------------------------------------------------------------------------------------------------------


async def test_handshakes_that_stop(confdir: Path):
    """Clients that send a ClientHello and leave it at that, and tunnels to servers that never answer one."""
    outgoing = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="slow.test").do_handshake()
    hello = outgoing.read()

    async def serve(end: SocketEnd) -> None:
        first = await end.reader.read(3)
        if first.startswith(b"\x16"):
            await end.rest()
            return
        end.heard = first
        await hear(end)
        end.say(ok(b"hello"))
        await end.rest()

    async with (
        origin(serve) as web,
        middump(confdir, *IMPATIENT) as program,
        others_are_served(program, web),
        AsyncExitStack() as stack,
    ):
        ends = [await stack.enter_async_context(tunnelled(program.port, web.authority)) for _ in range(20)]
        ends += [await stack.enter_async_context(connected(program.port)) for _ in range(20)]
        for end in ends:
            end.say(hello)
        await asyncio.gather(*(end.rest() for end in ends))


@pytest.mark.parametrize("lazy", [False, True])
async def test_a_server_has_its_own_time_whatever_a_head_may_take(confdir: Path, lazy: bool):
    """The client has said all at once, in the clear: it is the server's handshake that is waited for."""
    patience = ("--set", "head_timeout=1", "--set", "connect_timeout=3")
    strategy = "lazy" if lazy else "eager"

    async def stay(end: SocketEnd) -> None:
        await end.rest()

    async with (
        origin(stay) as web,
        middump(confdir, *patience, "--mode", f"reverse:https://{web.authority}",
                "--set", f"connection_strategy={strategy}") as program,
        connected(program.port) as end,
    ):  # fmt: skip
        end.say(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await end.head()).startswith(b"HTTP/1.1 502 ")
        await program.line("    !! ", "did not finish the TLS handshake in time")
