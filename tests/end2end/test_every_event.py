"""Each event is seen by an addon, in its place, when real clients and servers do what causes it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import connect as websocket_connect
from websockets.asyncio.server import serve as websocket_serve

from midstream.flows.dns import DNSFlow
from midstream.flows.http import HTTPFlow
from midstream.flows.next_layer import NextLayer
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.flows.socks5 import Socks5AuthData
from midstream.flows.tcp import TCPFlow
from midstream.flows.tls import ClientHelloData, TlsData
from midstream.flows.udp import UDPFlow
from midstream.hub.events import DECLARATIONS
from midstream.proxy.tunnels import udp
from tests.kit.curl import curl, needs_curl
from tests.kit.datagrams import udp_client, udp_echo
from tests.kit.name_server import address, name_server
from tests.kit.origins import Heard, OriginCA, answering, ok, origin
from tests.kit.program import free_port
from tests.kit.running_master import RunningMaster, running_master
from tests.kit.socket_end import SocketEnd, connected, tunnelled
from tests.kit.waiting import until

pytestmark = pytest.mark.end2end

HTTP = ["requestheaders", "request", "responseheaders", "response"]
QUIC = ["quic_start_client", "quic_start_server"]  # come with HTTP/3
SEEN: set[str] = set()
CARRIES: dict[str, type] = {
    "server": ServerConnectionHookData,
    "http": HTTPFlow,
    "websocket": HTTPFlow,
    "tcp": TCPFlow,
    "udp": UDPFlow,
    "dns": DNSFlow,
    "tls": TlsData,
    "tls_clienthello": ClientHelloData,
    "socks5": Socks5AuthData,
    "next": NextLayer,
}


class Witness:
    """Has a handler for every event that there is. `quiet` ones are those that come between all others."""

    quiet = {"load", "configure", "running", "update", "add_log", "done"}

    def __init__(self) -> None:
        self.seen: list[tuple[str, tuple[Any, ...]]] = []
        for name in DECLARATIONS:
            setattr(self, name, self._handler(name))

    def _handler(self, name: str) -> Callable[..., None]:
        def handler(*args: Any) -> None:
            self.seen.append((name, args))
            SEEN.add(name)
            kind = CARRIES.get(name) or CARRIES.get(name.partition("_")[0])
            assert kind is None or isinstance(args[0], kind), (name, args)
            if name == "socks5_auth":
                args[0].valid = args[0].password == "right"

        return handler

    def names(self, *but: str) -> list[str]:
        """The events of traffic, in order."""
        return [name for name, _ in self.seen if name not in self.quiet and name not in but]


def hello(heard: Heard) -> bytes:
    return ok(b"hello")


async def echo(end: SocketEnd) -> None:
    while data := await end.read():
        end.say(data)


@pytest.fixture
def witness() -> Witness:
    return Witness()


@pytest.fixture
def closed_port() -> int:
    return free_port()


async def over(running: RunningMaster, witness: Witness) -> list[str]:
    """All that was seen, once the client's connection has ended in every respect."""
    await running.idle()
    return witness.names()


async def test_the_life_of_an_addon(confdir: Path, witness: Witness) -> None:
    async with running_master(confdir, witness) as running, origin(answering(hello)) as web:
        assert [name for name, _ in witness.seen if name not in ("update", "add_log")] == [
            "load",
            "configure",
            "running",
        ]
        async with connected(running.port) as client:
            client.say(f"GET {web.url('/')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            await client.rest()
        await until(lambda: "update" in SEEN and "add_log" in SEEN, "an update and a log entry")
        running.master.options.tcp_timeout = 100
        assert witness.seen[-1] == ("configure", ({"tcp_timeout"},))
    assert witness.seen[-1][0] == "done"


async def test_http(confdir: Path, witness: Witness) -> None:
    async with running_master(confdir, witness) as running, origin(answering(hello)) as web:
        async with connected(running.port) as client:
            client.say(f"GET {web.url('/')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            assert (await client.rest()).endswith(b"hello")
        assert await over(running, witness) == [
            "client_connected",
            "requestheaders",
            "request",
            "server_connect",
            "server_connected",
            "responseheaders",
            "response",
            "server_disconnected",
            "client_disconnected",
        ]


async def test_a_server_that_is_not_there(confdir: Path, witness: Witness, closed_port: int) -> None:
    async with running_master(confdir, witness) as running:
        async with connected(running.port) as client:
            client.say(f"GET http://127.0.0.1:{closed_port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            assert b" 502 " in await client.rest()
        assert await over(running, witness) == [
            "client_connected",
            "requestheaders",
            "request",
            "server_connect",
            "server_connect_error",
            "error",
            "client_disconnected",
        ]


async def test_a_tunnel_with_tls(confdir: Path, witness: Witness, origin_ca: OriginCA, trust: dict[str, str]) -> None:
    async with (
        running_master(confdir, witness, **trust) as running,
        origin(answering(hello), tls=origin_ca.context()) as web,
    ):
        async with tunnelled(running.port, f"localhost:{web.port}", running.trusting()) as client:
            client.say(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert (await client.rest()).endswith(b"hello")
        assert await over(running, witness) == [
            "client_connected",
            "http_connect",
            "server_connect",
            "server_connected",
            "http_connected",
            "next_layer",
            "next_layer",
            "tls_clienthello",
            "tls_start_server",
            "tls_established_server",
            "tls_start_client",
            "tls_established_client",
            "next_layer",
            "next_layer",
            *HTTP,
            "server_disconnected",
            "client_disconnected",
        ]


async def test_a_tunnel_to_nowhere(confdir: Path, witness: Witness, closed_port: int) -> None:
    async with running_master(confdir, witness) as running:
        async with connected(running.port) as client:
            client.say(f"CONNECT 127.0.0.1:{closed_port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert b" 502 " in await client.rest()
        seen = await over(running, witness)
        assert seen[1:-1] == ["http_connect", "server_connect", "server_connect_error", "http_connect_error"]


async def test_a_client_that_does_not_trust_us(confdir: Path, witness: Witness, origin_ca: OriginCA) -> None:
    async with (
        running_master(confdir, witness, ssl_insecure=True) as running,
        origin(answering(hello), tls=origin_ca.context()) as web,
    ):
        with pytest.raises(ssl.SSLError):
            async with tunnelled(running.port, f"localhost:{web.port}", ssl.create_default_context()):
                pass
        seen = await over(running, witness)
        assert seen[seen.index("tls_start_client") :][:3] == [
            "tls_start_client",
            "tls_failed_client",
            "http_connect_error",
        ]


async def test_a_server_that_we_do_not_trust(confdir: Path, witness: Witness, origin_ca: OriginCA) -> None:
    async with running_master(confdir, witness) as running, origin(answering(hello), tls=origin_ca.context()) as web:
        async with tunnelled(running.port, f"localhost:{web.port}", running.trusting()) as client:
            client.say(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b" 502 " in await client.head()
        seen = await over(running, witness)
        assert seen[seen.index("tls_start_server") :][:2] == ["tls_start_server", "tls_failed_server"]
        assert "error" in seen and "tls_established_server" not in seen


async def test_raw_bytes(confdir: Path, witness: Witness) -> None:
    async with running_master(confdir, witness) as running, origin(echo) as server:
        async with tunnelled(running.port, f"127.0.0.1:{server.port}") as client:
            client.say(b"\x00one")
            await client.expect(b"\x00one")
            client.end()
            await client.rest()
        assert [name for name in await over(running, witness) if name.startswith("tcp")] == [
            "tcp_start",
            "tcp_message",
            "tcp_message",
            "tcp_end",
        ]


async def test_raw_bytes_to_nowhere(confdir: Path, witness: Witness, closed_port: int) -> None:
    async with running_master(confdir, witness, connection_strategy="lazy") as running:
        async with tunnelled(running.port, f"127.0.0.1:{closed_port}") as client:
            client.say(b"\x00one")
            await client.rest()
        assert [name for name in await over(running, witness) if name.startswith("tcp")] == ["tcp_start", "tcp_error"]


async def test_a_parent_proxy(confdir: Path, witness: Witness, tmp_path: Path) -> None:
    other = tmp_path / "parent"
    async with (
        running_master(other) as parent,
        running_master(confdir, witness, mode=[f"upstream:{parent.address}"]) as running,
        origin(echo) as server,
    ):
        async with tunnelled(running.port, f"127.0.0.1:{server.port}") as client:
            client.say(b"\x00one")
            await client.expect(b"\x00one")
        seen = await over(running, witness)
        assert seen[1:6] == [
            "http_connect",
            "server_connect",
            "server_connected",
            "http_connect_upstream",
            "http_connected",
        ]


async def test_websocket(confdir: Path, witness: Witness) -> None:
    async def answer(peer: websockets.ServerConnection) -> None:
        async for message in peer:
            await peer.send(message)

    async with running_master(confdir, witness) as running, websocket_serve(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with websocket_connect(f"ws://127.0.0.1:{port}/", proxy=running.address) as client:
            await client.send("hello")
            assert await client.recv() == "hello"
        seen = [name for name in await over(running, witness) if name.startswith(("websocket", "re"))]
        assert seen == [*HTTP, "websocket_start", "websocket_message", "websocket_message", "websocket_end"]


async def test_datagrams(confdir: Path, witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "UDP_IDLE", 0.2)
    async with (
        udp_echo() as port,
        running_master(confdir, witness, mode=[f"reverse:udp://127.0.0.1:{port}"]) as running,
        udp_client(running.port) as client,
    ):
        client.say(b"one")
        await client.expect(b"one")
        assert await over(running, witness) == [
            "client_connected",
            "udp_start",
            "server_connect",
            "server_connected",
            "udp_message",
            "udp_message",
            "udp_end",
            "server_disconnected",
            "client_disconnected",
        ]


async def test_datagrams_to_nowhere(confdir: Path, witness: Witness) -> None:
    async with (
        running_master(confdir, witness, mode=["reverse:udp://nowhere.invalid:9"]) as running,
        udp_client(running.port) as client,
    ):
        client.say(b"one")
        await until(lambda: "udp_error" in witness.names(), "the failure")
    assert "udp_end" not in witness.names()


QUERY = bytes.fromhex("abcd01000001000000000000") + b"\x01a\x04test\x00\x00\x01\x00\x01"


async def test_dns(confdir: Path, witness: Witness) -> None:
    async with (
        name_server({("a.test", 1): [address("a.test", "192.0.2.1")]}) as server,
        running_master(confdir, witness, mode=[f"reverse:dns://127.0.0.1:{server.port}@0"]) as running,
        udp_client(running.port) as client,
    ):
        client.say(QUERY)
        await until(lambda: "dns_response" in witness.names(), "the answer")
    assert [name for name in witness.names() if name.startswith("dns")] == ["dns_request", "dns_response"]


async def test_dns_that_fails(confdir: Path, witness: Witness, closed_port: int) -> None:
    async with (
        running_master(confdir, witness, mode=[f"reverse:dns://127.0.0.1:{closed_port}@0"]) as running,
        udp_client(running.port) as client,
    ):
        client.say(QUERY)
        await until(lambda: "dns_error" in witness.names(), "the failure")
    assert "dns_response" not in witness.names()


@needs_curl
async def test_socks_credentials(confdir: Path, witness: Witness) -> None:
    async with running_master(confdir, witness, mode=["socks5"]) as running, origin(answering(hello)) as web:
        done = await curl("--proxy", f"socks5h://ann:right@127.0.0.1:{running.port}", web.url("/"))
        assert done.body == b"hello", done.errors
        seen = await over(running, witness)
        assert seen[:3] == ["client_connected", "socks5_auth", "server_connect"]


def test_each_event_was_seen() -> None:
    """Runs last in this file."""
    assert set(DECLARATIONS) - SEEN - set(QUIC) == set()
