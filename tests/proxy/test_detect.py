"""What runs inside a tunnel, judged by as few bytes as it takes."""

import pytest

from midstream.proxy.detect import Protocol, detect, judge, looks_like_http2_server
from midstream.proxy.streams.memory import memory_pair
from tests.kit.http2_frames import settings, settings_ack, window_update


@pytest.mark.parametrize(
    ("data", "protocol"),
    [
        (b"\x16", None),
        (b"\x16\x03", None),
        (b"\x16\x03\x01", Protocol.TLS),
        (b"\x16\x04", Protocol.RAW),
        (b"\x16\x03\x09", Protocol.RAW),
        (b"\x00", Protocol.RAW),
        (b"\r\n", Protocol.RAW),
        (b"1", Protocol.RAW),
        (b"g", None),
        (b"GE", None),
        (b"GET", None),
        (b"GET ", Protocol.HTTP),
        (b"x" * 32, None),
        (b"x" * 33, Protocol.RAW),
        (b"QUIT\r\n", Protocol.RAW),
        (b"QUIT\r\nA b", Protocol.RAW),
        (b"SSH-2.0-x\r\n", Protocol.RAW),
        ("äöü ".encode(), Protocol.RAW),
    ],
)
def test_judging(data, protocol):
    assert judge(data) is protocol


def test_a_server_that_begins_with_settings_speaks_http2():
    assert looks_like_http2_server(settings())
    assert looks_like_http2_server(settings((3, 100), (4, 1 << 20)) + window_update(0, 1))
    for other in (b"", b"\0\0\0", b"220 mail.test ready\r\n", settings_ack(), b"\0\0\5\4\0\0\0\0\0", bytes(99)):
        assert not looks_like_http2_server(other)


async def test_one_byte_that_is_neither_is_enough():
    ours, theirs = memory_pair()
    theirs.write(b"\x05")
    assert await detect(ours) is Protocol.RAW
    assert await ours.read() == b"\x05"


async def test_the_end_decides():
    ours, theirs = memory_pair()
    theirs.write(b"GET")
    theirs.close()
    assert await detect(ours) is Protocol.RAW
    assert await ours.read() == b"GET"
    silent, gone = memory_pair()
    gone.close()
    assert await detect(silent) is Protocol.RAW


async def test_bytes_that_come_one_by_one():
    ours, theirs = memory_pair()
    for byte in b"GET / HTTP/1.1":
        theirs.write(bytes([byte]))
    assert await detect(ours) is Protocol.HTTP
