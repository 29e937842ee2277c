import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from midstream.proxy.streams import tcp
from midstream.proxy.streams.tcp import TCPStream

PATIENCE = 5.0


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[TCPStream, socket.socket]]:
    """A stream, and the plain socket at its other end."""
    loop = asyncio.get_running_loop()
    made: asyncio.Queue[TCPStream] = asyncio.Queue()
    server = await loop.create_server(lambda: TCPStream(made.put_nowait), "127.0.0.1", 0)
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.setblocking(False)
        await loop.sock_connect(peer, server.sockets[0].getsockname())
        async with asyncio.timeout(4 * PATIENCE):
            stream = await made.get()
            try:
                yield stream, peer
            finally:
                stream.abort()
                await stream.wait_closed()
                server.close()


async def heard(peer: socket.socket) -> bytes:
    """Everything until the end."""
    pieces = []
    while data := await asyncio.get_running_loop().sock_recv(peer, 65536):
        pieces.append(data)
    return b"".join(pieces)


async def say(peer: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(peer, data)


async def test_bytes_pass_in_both_directions():
    async with connected() as (stream, peer):
        assert stream.peername == peer.getsockname()
        assert stream.sockname == peer.getpeername()
        await say(peer, b"hello")
        assert await stream.peek(5) == b"hello"
        assert stream.take() == b"hello"
        assert stream.take() == b""
        stream.unread(b"lo")
        stream.unread(b"hel")
        assert await stream.read() == b"hello"
        stream.write(b"and ")
        stream.write(b"back")
        await stream.drain()
        stream.write_eof()
        assert await heard(peer) == b"and back"
        await say(peer, b"late")  # the other direction goes on
        assert await stream.read() == b"late"


async def test_a_peer_that_ends_is_noticed_while_nobody_reads():
    lost = asyncio.Event()
    async with connected() as (stream, peer):
        stream.on_lost = lost.set
        await say(peer, b"last")
        peer.shutdown(socket.SHUT_WR)
        await lost.wait()
        assert stream.lost
        assert stream.at_eof
        assert await stream.read() == b"last"
        assert await stream.read() == b""
        assert await stream.read() == b""
        stream.write(b"still")
        stream.write_eof()
        assert await heard(peer) == b"still"


async def test_a_peer_that_resets_is_noticed_while_nobody_reads():
    lost = asyncio.Event()
    async with connected() as (stream, peer):
        stream.on_lost = lost.set
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        await lost.wait()
        with pytest.raises(ConnectionResetError):
            await stream.read()
        with pytest.raises(ConnectionResetError):
            await stream.drain()
        stream.write(b"dropped")
        stream.close()
        await stream.wait_closed()


async def test_a_reset_after_the_end_takes_nothing_back():
    async with connected() as (stream, peer):
        ended = asyncio.Event()
        stream.on_lost = ended.set
        await say(peer, b"all of it")
        peer.shutdown(socket.SHUT_WR)
        await ended.wait()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        stream.write(b"nobody takes it")
        await stream.wait_closed()
        assert await stream.read() == b"all of it"
        assert await stream.read() == b""
        with pytest.raises(ConnectionResetError):
            await stream.drain()


async def test_a_sender_is_held_back_by_a_reader_that_pauses():
    async with connected() as (stream, peer):
        await asyncio.sleep(0)
        data = b"x" * 65536
        sent = 0
        with pytest.raises(BlockingIOError):
            while True:
                sent += peer.send(data)
                for _ in range(20):
                    await asyncio.sleep(0)
        got = 0
        while got < sent:
            got += len(await stream.read())
        assert got == sent


async def test_drain_waits_for_a_peer_that_takes_nothing():
    async with connected() as (stream, _):
        stream.write(b"x" * 10_000_000)
        waiting = asyncio.ensure_future(stream.drain())
        for _ in range(100):
            await asyncio.sleep(0)
        assert not waiting.done()
        stream.abort()
        with pytest.raises(ConnectionResetError):
            await waiting


async def test_flush_waits_for_the_last_byte():
    async with connected() as (stream, peer):
        stream.write(b"x" * 10_000_000)
        flushing = asyncio.ensure_future(stream.flush())
        for _ in range(100):
            await asyncio.sleep(0)
        assert not flushing.done()
        taking = asyncio.ensure_future(heard(peer))
        await flushing
        stream.close()
        assert len(await taking) == 10_000_000


async def test_nothing_to_flush():
    async with connected() as (stream, _):
        stream.write(b"x")
        await stream.flush()


async def test_close_sends_what_is_queued():
    async with connected() as (stream, peer):
        stream.write(b"x" * 10_000_000)
        stream.close()
        stream.close()
        assert len(await heard(peer)) == 10_000_000
        await stream.wait_closed()
        assert await stream.read() == b""


async def test_who_takes_nothing_of_what_is_left_is_given_up(monkeypatch):
    monkeypatch.setattr(tcp, "FLUSH_PATIENCE", 0.01)
    async with connected() as (stream, peer):
        stream.write(b"x" * 10_000_000)
        stream.close()
        await stream.wait_closed()
        with pytest.raises(ConnectionResetError):
            await heard(peer)


async def test_who_takes_it_slowly_is_not(monkeypatch):
    monkeypatch.setattr(tcp, "FLUSH_PATIENCE", 0.1)
    async with connected() as (stream, peer):
        stream.write(b"x" * 2_000_000)
        stream.close()
        loop = asyncio.get_running_loop()
        size, started = 0, loop.time()
        while data := await loop.sock_recv(peer, 20_000):
            size += len(data)
            while loop.time() - started < size / 4_000_000:  # slower than the patience, and never as slow as nothing
                await asyncio.sleep(0)
        assert size == 2_000_000


async def test_abort_is_no_regular_end():
    async with connected() as (stream, peer):
        stream.write(b"half of it")
        stream.abort()
        with pytest.raises(ConnectionResetError):
            await heard(peer)
