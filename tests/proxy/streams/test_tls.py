import asyncio
import gc
import random
import ssl
import weakref
from collections.abc import Callable

import pytest
import trustme

from midstream.proxy.streams.memory import MemoryStream, memory_pair
from midstream.proxy.streams.stream import Stream
from midstream.proxy.streams.tls import TLSStream
from midstream.wire import client_hello

CA = trustme.CA()
CERTIFICATE = CA.issue_cert("origin.example")


def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CERTIFICATE.configure_cert(context)
    return context


def client_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    CA.configure_trust(context)
    return context


async def shake_client(below: Stream, context: ssl.SSLContext | None = None, name: str = "origin.example") -> TLSStream:
    stream = TLSStream(below)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = (context or client_context()).wrap_bio(incoming, outgoing, server_hostname=name)
    await stream.handshake(tls, incoming, outgoing, 5)
    return stream


async def shake_server(below: Stream, context: ssl.SSLContext | None = None) -> TLSStream:
    stream = TLSStream(below)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = (context or server_context()).wrap_bio(incoming, outgoing, server_side=True)
    await stream.handshake(tls, incoming, outgoing, 5)
    return stream


async def tls_pair(
    below: tuple[Stream, Stream] | None = None,
    *,
    client: ssl.SSLContext | None = None,
    server: ssl.SSLContext | None = None,
) -> tuple[TLSStream, TLSStream]:
    left, right = below or memory_pair()
    return await asyncio.gather(shake_client(left, client), shake_server(right, server))  # type: ignore[return-value]


async def read_exactly(stream: Stream, size: int) -> bytes:
    data = await stream.peek(size)
    assert await stream.read() == data
    assert len(data) == size
    return data


def version(maximum: ssl.TLSVersion) -> Callable[[ssl.SSLContext], ssl.SSLContext]:
    def limit(context: ssl.SSLContext) -> ssl.SSLContext:
        context.maximum_version = maximum
        return context

    return limit


@pytest.mark.parametrize("maximum", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_bytes_pass_in_both_directions(maximum: ssl.TLSVersion) -> None:
    client, server = await tls_pair(client=version(maximum)(client_context()))
    client.write(b"hello")
    client.write(b"")
    client.write(b" there")
    assert await read_exactly(server, 11) == b"hello there"
    server.write(b"and back")
    assert await client.read() == b"and back"
    assert client.tls is not None
    assert client.tls.version() == ("TLSv1.2" if maximum is ssl.TLSVersion.TLSv1_2 else "TLSv1.3")


async def test_the_hello_can_be_peeked_before_the_handshake() -> None:
    left, right = memory_pair()
    async with asyncio.TaskGroup() as group:
        made = group.create_task(shake_client(left))
        while (hello := client_hello.parse(data := await right.peek())) is None:
            await right.peek(client_hello.wanted(data))
        assert hello.sni == "origin.example"
        server = await shake_server(right)
    made.result().write(b"x")
    assert await server.read() == b"x"


async def test_large_bodies_arrive_whole_under_backpressure() -> None:
    client, server = await tls_pair()
    body = random.Random(1).randbytes(3_000_000)
    seen = bytearray()

    async def send() -> None:
        for start in range(0, len(body), 700_000):
            client.write(body[start : start + 700_000])
            await client.drain()
        client.close()

    async def receive() -> None:
        while data := await server.read():
            seen.extend(data)

    await asyncio.gather(send(), receive())
    assert bytes(seen) == body
    assert server.at_eof
    assert not server.truncated


async def test_drain_waits_for_the_peer() -> None:
    client, server = await tls_pair()
    client.write(b"x" * 500_000)
    drained = asyncio.ensure_future(client.drain())
    await asyncio.sleep(0)
    assert not drained.done()
    assert len(await server.read()) == 500_000
    await drained


async def test_nothing_is_read_from_below_unless_asked_for() -> None:
    left, right = memory_pair(capacity=1000)
    client, _server = await tls_pair((left, right))
    client.write(b"x" * 5000)
    drained = asyncio.ensure_future(client.drain())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not drained.done()
    drained.cancel()


async def test_unread_and_peek() -> None:
    client, server = await tls_pair()
    client.write(b"abcdef")
    assert (await server.peek(3))[:3] == b"abc"
    server.unread(b"12")
    server.unread(b"0")
    assert await read_exactly(server, 9) == b"012abcdef"


async def test_a_cancelled_read_loses_nothing() -> None:
    client, server = await tls_pair()
    client.write(b"ab")
    waiting = asyncio.ensure_future(server.peek(4))
    for _ in range(5):
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    client.write(b"cd")
    assert await read_exactly(server, 4) == b"abcd"


async def test_close_says_goodbye() -> None:
    client, server = await tls_pair()
    lost: list[str] = []
    server.on_lost = lambda: lost.append("server")
    client.write(b"last words")
    client.close()
    client.close()
    await client.wait_closed()
    assert await server.read() == b"last words"
    assert await server.read() == b""
    assert await server.read() == b""
    assert (server.at_eof, server.truncated, server.lost, lost) == (True, False, True, ["server"])


async def test_what_has_ended_is_freed_without_the_collector() -> None:
    # The console freezes what it holds: a cycle that is alive then would stay for good, with OpenSSL's memory.
    client, server = await tls_pair()
    server.on_lost = lambda: None
    server.listen_for_goodbye()
    tls = weakref.ref(server.tls)
    await asyncio.sleep(0)  # what brought the pair here lets go of it
    gc.collect()
    gc.disable()
    try:
        client.close()
        server.close()
        await client.wait_closed()
        del server
        assert tls() is None
    finally:
        gc.enable()


async def test_an_end_without_goodbye_is_marked() -> None:
    left, right = memory_pair()
    client, server = await tls_pair((left, right))
    client.write(b"half of wh")
    left.write_eof()
    assert await server.read() == b"half of wh"
    assert await server.read() == b""
    assert (server.at_eof, server.truncated) == (True, True)


async def test_a_reset_raises_and_tells_at_once() -> None:
    client, server = await tls_pair()
    lost: list[int] = []
    server.on_lost = lambda: lost.append(1)
    client.abort()
    assert lost == [1]
    assert server.lost
    with pytest.raises(ConnectionError):
        await server.read()
    with pytest.raises(ConnectionError):
        await server.drain()
    server.write(b"into the void")


@pytest.mark.parametrize("maximum", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_half_close_leaves_the_other_direction_open(maximum: ssl.TLSVersion) -> None:
    client, server = await tls_pair(client=version(maximum)(client_context()))
    server.write(b"sent before the half close")
    client.write(b"request")
    client.write_eof()
    client.write(b"dropped")
    assert await server.read() == b"request"
    assert await server.read() == b""
    if maximum is ssl.TLSVersion.TLSv1_3:
        server.write(b", and after")
        assert await read_exactly(client, 37) == b"sent before the half close, and after"
    else:
        assert await client.read() == b"sent before the half close"
    server.close()
    assert await client.read() == b""
    assert not client.truncated


async def test_half_close_keeps_what_was_decrypted_and_what_was_not() -> None:
    client, server = await tls_pair()
    server.write(b"a" * 20_000)
    server.write(b"b" * 20_000)
    data = await client.peek(1)
    client.write_eof()
    server.write(b"c" * 20_000)
    data = await client.peek(60_000)
    assert data == b"a" * 20_000 + b"b" * 20_000 + b"c" * 20_000


async def test_tls_inside_tls() -> None:
    outer_client, outer_server = await tls_pair()
    client, server = await tls_pair((outer_client, outer_server))
    body = random.Random(2).randbytes(200_000)
    client.write(body)
    assert await read_exactly(server, 200_000) == body
    server.close()
    assert await client.read() == b""
    assert not client.truncated
    assert await outer_client.read() == b""
    assert not outer_client.truncated


async def test_the_verdict_on_a_certificate_reaches_both_sides() -> None:
    left, right = memory_pair()
    results = await asyncio.gather(
        shake_client(left, name="other.example"), shake_server(right), return_exceptions=True
    )
    client_error, server_error = results
    assert isinstance(client_error, ssl.SSLCertVerificationError)
    assert "other.example" in str(client_error)
    assert isinstance(server_error, ssl.SSLError)
    assert "ALERT" in str(server_error)


async def test_a_peer_that_leaves_during_the_handshake() -> None:
    left, right = memory_pair()
    left.write(b"\x16\x03\x01")
    left.close()
    with pytest.raises(ssl.SSLEOFError, match="closed the connection"):
        await shake_server(right)


async def test_a_peer_that_stalls_during_the_handshake() -> None:
    _left, right = memory_pair()
    stream = TLSStream(right)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(TimeoutError):
        await stream.handshake(
            server_context().wrap_bio(incoming, outgoing, server_side=True), incoming, outgoing, 0.01
        )
    stream.close()
    await stream.wait_closed()


async def test_bytes_that_are_no_tls() -> None:
    left, right = memory_pair()
    left.write(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(ssl.SSLError):
        await shake_server(right)


async def test_a_damaged_record_breaks_the_stream_after_what_came_before() -> None:
    left, right = memory_pair()
    client, server = await tls_pair((left, right))
    client.write(b"good")
    left.write(b"\x17\x03\x03\x00\x20" + bytes(32))
    assert await server.read() == b"good"
    with pytest.raises(ConnectionError, match="bad record mac"):
        await server.read()
    with pytest.raises(ConnectionError):
        await server.drain()
    with pytest.raises(ConnectionError, match="bad record mac"):
        await client.read()


async def test_any_split_of_the_ciphertext_gives_the_same_bytes() -> None:
    left, wire_left = memory_pair(1 << 20)
    wire_right, right = memory_pair(1 << 20)
    rng = random.Random(3)

    async def carry(source: MemoryStream, target: MemoryStream) -> None:
        while data := await source.read():
            while data:
                cut = rng.choice([1, 2, 5, 100, 1460, 20_000])
                target.write(data[:cut])
                data = data[cut:]
                await asyncio.sleep(0)
        target.write_eof()

    async with asyncio.TaskGroup() as group:
        group.create_task(carry(wire_left, wire_right))
        group.create_task(carry(wire_right, wire_left))
        client, server = await tls_pair((left, right))
        body = rng.randbytes(100_000)
        client.write(body)
        assert await read_exactly(server, 100_000) == body
        server.write(b"done")
        assert await client.read() == b"done"
        client.close()
        server.close()
