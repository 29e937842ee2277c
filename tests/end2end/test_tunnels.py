"""What CONNECT opens: plain HTTP, raw bytes, protocols in which the server speaks first, and refusals."""

import asyncio
import random
import ssl
from pathlib import Path

import pytest

from midstream.flows.next_layer import NextLayer
from midstream.flows.tcp import TCPFlow
from tests.kit.curl import curl, needs_curl
from tests.kit.http2_frames import END_STREAM, headers, settings
from tests.kit.http2_peer import Http2Peer
from tests.kit.origins import Heard, OriginCA, answering, ok, origin
from tests.kit.program import free_port, middump
from tests.kit.running_master import running_master
from tests.kit.socket_end import SocketEnd, connected, tunnelled
from tests.kit.waiting import until

pytestmark = pytest.mark.end2end

LAZY = ("--set", "connection_strategy=lazy")


def hello(heard: Heard) -> bytes:
    return ok(b"hello")


async def echo(end: SocketEnd) -> None:
    """Send back what comes; end when the other side ends."""
    while data := await end.reader.read(65536):
        end.say(data)
        await end.drain()


async def greet(end: SocketEnd) -> None:
    """Speak first, as mail servers do."""
    end.say(b"220 mail.test ready\r\n")
    await end.expect(b"EHLO me\r\n")
    end.say(b"250 hello\r\n")
    await end.rest()


@pytest.fixture(params=["eager", "lazy"])
def strategy(request: pytest.FixtureRequest) -> tuple[str, str]:
    """When the proxy connects to the server."""
    return "--set", f"connection_strategy={request.param}"


@needs_curl
async def test_plain_http_inside(confdir: Path, strategy: tuple[str, str]):
    async with origin(answering(hello)) as web, middump(confdir, *strategy) as program:
        done = await curl("--proxytunnel", "--proxy", program.address, web.url("/a"), "-o", "/dev/null", web.url("/b"))
        assert (done.exit, done.status) == (0, 200), done.errors
        await program.line(f"GET {web.url('/a')}")
        await program.line(f"GET {web.url('/b')}")
        assert len(web.connections) == 1


async def test_raw_bytes_inside_are_a_tcp_flow(confdir: Path, strategy: tuple[str, str]):
    async with (
        origin(echo) as server,
        middump(confdir, "--flow-detail", "3", *strategy) as program,
        tunnelled(program.port, server.authority) as client,
    ):
        client.say(b"\x00\x01binary")
        await client.expect(b"\x00\x01binary")
        client.say(b"and text")
        await client.expect(b"and text")
        client.end()
        await client.expect_closed()
        await program.line(f" -> {server.authority} tcp 8b")
        await program.line(f" <- {server.authority} tcp 8b")
        await program.line("00 01 62 69 6e 61 72 79")
        await program.line("        and text")


async def test_megabytes_pass_unchanged_in_both_directions_at_once(confdir: Path):
    sent = random.Random(3).randbytes(3_000_000)
    async with (
        origin(echo) as server,
        running_master(confdir) as running,
        tunnelled(running.port, server.authority) as client,
    ):
        client.say(b"\x00" + sent)
        client.end()
        assert await client.rest() == b"\x00" + sent
        await until(lambda: running.recorder.names()[-1] == "tcp_end", "the tunnel has ended")
        flow = running.recorder.last("tcp_end")
        assert isinstance(flow, TCPFlow)
        for from_client in (True, False):
            pieces = [one.content for one in flow.messages if one.from_client is from_client]
            assert b"".join(pieces) == b"\x00" + sent
        assert running.recorder.names()[:3] == ["http_connect", "http_connected", "tcp_start"]


async def test_a_server_that_speaks_first(confdir: Path):
    async with (
        origin(greet) as server,
        middump(confdir) as program,
        tunnelled(program.port, server.authority) as client,
    ):
        await client.expect(b"220 mail.test ready\r\n")
        client.say(b"EHLO me\r\n")
        await client.expect(b"250 hello\r\n")
        await program.line(f" <- {server.authority} tcp 21b")


async def test_raw_bytes_inside_tls(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    async with (
        origin(echo, tls=origin_ca.context()) as server,
        middump(confdir, *trusting) as program,
        tunnelled(program.port, server.authority, ssl.create_default_context(cafile=str(program.ca))) as client,
    ):
        client.say(b"\x00\x01binary")
        await client.expect(b"\x00\x01binary")
        await program.line(f" <- {server.authority} tcp 8b")


async def test_a_server_that_speaks_first_inside_tls(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    async with (
        origin(greet, tls=origin_ca.context()) as server,
        middump(confdir, *trusting) as program,
        tunnelled(program.port, server.authority, ssl.create_default_context(cafile=str(program.ca))) as client,
    ):
        await client.expect(b"220 mail.test ready\r\n")
        client.say(b"EHLO me\r\n")
        await client.expect(b"250 hello\r\n")


async def test_each_direction_ends_by_itself(confdir: Path):
    async def answer_at_the_end(end: SocketEnd) -> None:
        heard = await end.rest()
        end.say(b"heard %d bytes" % len(heard))

    async with (
        origin(answer_at_the_end) as server,
        middump(confdir) as program,
        tunnelled(program.port, server.authority) as client,
    ):
        client.say(b"\x00" * 1000)
        client.end()
        assert await client.rest() == b"heard 1000 bytes"


async def test_a_server_that_resets_a_raw_tunnel(confdir: Path):
    async def reset(end: SocketEnd) -> None:
        await end.read()
        end.reset()

    async with (
        origin(reset) as server,
        middump(confdir) as program,
        tunnelled(program.port, server.authority) as client,
    ):
        client.say(b"\x00\x01")
        await client.expect_closed()
        await program.line("    !! ", "reset")


async def test_without_rawtcp_only_http_passes(confdir: Path):
    async with (
        origin(echo) as server,
        middump(confdir, "--no-rawtcp") as program,
        tunnelled(program.port, server.authority) as client,
    ):
        client.say(b"\x00\x01 no http\r\n\r\n")
        assert (await client.head()).startswith(b"HTTP/1.1 400 ")
        await client.rest()
        await program.line("    !! request refused: ")


@needs_curl
async def test_connect_to_where_nobody_listens(confdir: Path):
    port = free_port()
    async with middump(confdir) as program:
        done = await curl("--proxytunnel", "--proxy", program.address, f"http://127.0.0.1:{port}/")
        assert b"HTTP/1.1 502 Bad Gateway\r\n" in done.head
        await program.line(f"CONNECT 127.0.0.1:{port}: 127.0.0.1:{port} refused the connection")
        await program.line(f" CONNECT 127.0.0.1:{port}")
        await program.line(f"    !! 127.0.0.1:{port} refused the connection")


@pytest.mark.parametrize("target", ["nowhere", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:99999", ":80", "a b:80"])
async def test_connect_to_no_address(confdir: Path, target: str):
    async with middump(confdir) as program, connected(program.port) as client:
        client.say(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        assert (await client.head()).startswith(b"HTTP/1.1 400 ")
        await program.line("    !! request refused: ")


async def test_an_idle_tunnel_is_closed(confdir: Path):
    async with (
        origin(echo) as server,
        middump(confdir, "--set", "tcp_timeout=1") as program,
        tunnelled(program.port, server.authority) as client,
    ):
        client.say(b"\x00\x01")
        await client.expect(b"\x00\x01")
        await client.expect_closed()
        await program.line("    !! no byte passed in either direction")


class Asked:
    """An addon that would choose the protocol, and leaves it to the bytes."""

    def next_layer(self, data: NextLayer) -> None:
        pass


@pytest.mark.parametrize("addons", [(), (Asked(),)], ids=["unasked", "asked"])
async def test_http2_to_a_server_that_begins(
    tmp_path: Path, origin_ca: OriginCA, trust: dict[str, str], scheme: str, addons: tuple[object, ...]
):
    begun = asyncio.Event()

    async def serve(end: SocketEnd) -> None:
        end.say(settings())  # often before the client has said anything
        await end.drain()
        begun.set()
        peer = Http2Peer(end, is_client=False)
        await peer.begin()
        peer.say(headers(await peer.opened(), [(b":status", b"204")], END_STREAM))
        await peer.over()

    speaks_http2, offers_http2 = origin_ca.context(), ssl.create_default_context()
    for context in (speaks_http2, offers_http2):
        context.set_alpn_protocols(["h2"])
    tls = scheme == "https"
    async with (
        origin(serve, tls=speaks_http2 if tls else None) as web,
        running_master(tmp_path / "conf", *addons, **trust) as running,
    ):
        offers_http2.load_verify_locations(running.ca)
        async with tunnelled(running.port, web.authority, offers_http2 if tls else None) as end:
            await begun.wait()
            async with connected(running.port) as other:  # until this is refused the proxy has heard the server as well
                other.say(b"GET / HTTP/1.1\r\n\r\n")
                await other.rest()
            peer = Http2Peer(end)
            await peer.begin()
            request = {
                b":method": b"GET",
                b":scheme": scheme.encode(),
                b":authority": web.authority.encode(),
                b":path": b"/",
            }
            peer.say(headers(1, list(request.items()), END_STREAM))
            assert await peer.outcome(1) == "status 204"
        assert running.recorder.names().count("response") == 1
