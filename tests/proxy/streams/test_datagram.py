"""Conversations of datagrams as streams: borders, bounds, ends, and what the network refuses."""

import asyncio
import socket

import pytest

from midstream.proxy.streams import datagram
from midstream.proxy.streams.datagram import DatagramStream
from midstream.proxy.streams.udp_dial import dial_udp
from tests.kit.datagrams import datagram_pair, heard, udp_echo
from tests.kit.program import free_port
from tests.kit.waiting import PATIENCE


async def test_each_read_gives_one_datagram():
    left, right = datagram_pair()
    left.write(b"one")
    left.write(b"two")
    assert await right.read() == b"one"
    assert await right.read() == b"two"


async def test_an_empty_datagram_is_one_too():
    left, right = datagram_pair()
    left.write(b"")
    left.write(b"x")
    assert await right.receive() == b""
    assert await right.receive() == b"x"


async def test_read_passes_over_empty_datagrams_since_nothing_would_be_the_end():
    left, right = datagram_pair()
    left.write(b"")
    left.write(b"x")
    assert await right.read() == b"x"
    right.close()
    assert await right.read() == b""
    assert await right.receive() is None


async def test_peek_takes_nothing_and_joins_nothing():
    left, right = datagram_pair()
    left.write(b"one")
    left.write(b"two")
    assert await right.peek(100) == b"one"
    assert await right.read() == b"one"
    assert right.take() == b"two"
    assert right.take() == b""


async def test_a_reader_is_woken_by_what_comes():
    left, right = datagram_pair()
    reading = asyncio.ensure_future(right.receive())
    await asyncio.sleep(0)
    left.write(b"x")
    assert await reading == b"x"


async def test_a_reader_is_woken_by_the_end():
    _, right = datagram_pair()
    reading = asyncio.ensure_future(right.receive())
    await asyncio.sleep(0)
    right.close()
    assert await reading is None


async def test_what_nobody_reads_is_bounded_by_number():
    left, right = datagram_pair()
    for number in range(datagram.MOST_WAITING + 10):
        left.write(b"%d" % number)
    assert right.dropped == 10
    got = [right.take() for _ in range(datagram.MOST_WAITING)]
    assert got[0] == b"0" and got[-1] == b"%d" % (datagram.MOST_WAITING - 1)
    assert right.take() == b""
    left.write(b"again")
    assert await heard(right) == b"again"


async def test_what_nobody_reads_is_bounded_by_size():
    left, right = datagram_pair()
    for _ in range(20):
        left.write(bytes(60_000))
    assert right.dropped == 20 - datagram.MOST_WAITING_BYTES // 60_000


async def test_nothing_comes_and_nothing_goes_after_the_end():
    left, right = datagram_pair()
    right.close()
    left.write(b"x")
    right.write(b"y")
    assert right.take() == left.take() == b""
    with pytest.raises(ConnectionError):
        await right.drain()
    await right.wait_closed()


@pytest.mark.parametrize("aborted", [False, True])
async def test_the_carrier_is_told_of_the_end_once(aborted):
    told: list[bool] = []
    stream = DatagramStream(lambda data: None, told.append)
    stream.abort() if aborted else stream.close()
    stream.close()
    stream.abort()
    assert told == [aborted]


async def test_an_end_by_the_carrier_has_a_reason():
    _, right = datagram_pair()
    lost: list[str] = []
    right.on_lost = lambda: lost.append(right.why)
    right.end("no room")
    right.end("again")
    assert lost == ["no room"]
    assert right.lost and right.at_eof


async def test_an_error_of_the_network_is_told_once_and_ends_nothing():
    left, right = datagram_pair()
    right.fail(ConnectionRefusedError("refused"))
    with pytest.raises(ConnectionRefusedError):
        await right.receive()
    left.write(b"x")
    assert await heard(right) == b"x"


async def test_dialling_from_a_port_of_its_own():
    async with udp_echo() as port:
        one, two = await dial_udp("127.0.0.1", port, None), await dial_udp("localhost", port, ("127.0.0.1", 0))
        assert one.peername == two.peername == ("127.0.0.1", port)
        assert one.sockname != two.sockname
        one.write(b"one")
        two.write(b"two")
        assert await heard(one) == b"one"
        assert await heard(two) == b"two"
        one.close()
        two.close()


async def test_an_empty_datagram_leaves_and_arrives():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:  # asyncio's transports would send none
        server.bind(("127.0.0.1", 0))
        server.settimeout(PATIENCE)
        stream = await dial_udp(*server.getsockname(), None)
        stream.write(b"")
        data, peer = await asyncio.to_thread(server.recvfrom, 100)
        assert (data, peer) == (b"", stream.sockname)
        server.sendto(b"", peer)
        assert await heard(stream) == b""
        stream.close()


async def test_nobody_is_there():
    stream = await dial_udp("127.0.0.1", free_port(), None)
    stream.write(b"x")
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(ConnectionRefusedError):
            await stream.receive()
    stream.close()
    await stream.wait_closed()


async def test_what_is_too_long_for_a_datagram():
    async with udp_echo() as port:
        stream = await dial_udp("127.0.0.1", port, None)
        stream.write(bytes(datagram.LARGEST + 1))
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(OSError, match="too long"):
                await stream.receive()
        stream.write(bytes(datagram.LARGEST))
        assert await heard(stream) == bytes(datagram.LARGEST)
        stream.close()
