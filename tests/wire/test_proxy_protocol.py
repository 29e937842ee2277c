"""PROXY protocol headers: the examples of HAProxy's specification, their limits, and pieces of any size."""

import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.wire.proxy_protocol import LONGEST, LONGEST_LINE, SIGNATURE, Header, parse

PORT = st.integers(0, 65535)


def version_2(family: int, body: bytes, *, first: int = 0x21, size: int | None = None) -> bytes:
    return SIGNATURE + struct.pack(">BBH", first, family, len(body) if size is None else size) + body


def in_pieces(data: bytes) -> tuple[Header, int] | None:
    """The answer to `data`; no shorter start of it may have any."""
    for have in range(len(data)):
        assert parse(data[:have]) is None
    return parse(data)


TCP4 = bytes([255] * 8) + b"\xff\xff\xff\xff"


@pytest.mark.parametrize(
    ("line", "source", "destination"),
    [
        # The examples of section 2.1, with the longest line of each family.
        (
            b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
            ("255.255.255.255", 65535),
            ("255.255.255.255", 65535),
        ),
        (
            b"PROXY TCP6 " + b" ".join([b"ffff:" * 7 + b"ffff"] * 2) + b" 65535 65535\r\n",
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
        ),
        (b"PROXY UNKNOWN\r\n", None, None),
        (b"PROXY UNKNOWN " + b" ".join([b"ffff:" * 7 + b"ffff"] * 2) + b" 65535 65535\r\n", None, None),
        (b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", ("192.168.0.1", 56324), ("192.168.0.11", 443)),
        (b"PROXY TCP6 2001:DB8::1 ::1 0 1\r\n", ("2001:db8::1", 0), ("::1", 1)),
    ],
)
def test_version_1(line: bytes, source: object, destination: object):
    assert len(line) <= LONGEST_LINE
    assert in_pieces(line) == ((source, destination), len(line))
    assert parse(line + b"GET / HTTP/1.1\r\n\r\n") == ((source, destination), len(line))


@given(st.sampled_from([4, 6]).flatmap(lambda v: st.tuples(*[st.ip_addresses(v=v)] * 2)), PORT, PORT)
def test_any_addresses_in_both_versions(ends: tuple[object, object], source_port: int, destination_port: int):
    source, destination = ip_address(str(ends[0])), ip_address(str(ends[1]))
    expected = Header((str(source), source_port), (str(destination), destination_port))
    line = f"PROXY TCP{source.version} {source} {destination} {source_port} {destination_port}\r\n".encode()
    found = in_pieces(line)
    assert found == (expected, len(line))
    body = source.packed + destination.packed + struct.pack(">HH", source_port, destination_port)
    header = version_2(0x11 if source.version == 4 else 0x21, body)
    assert in_pieces(header) == (expected, len(header))


@pytest.mark.parametrize("family", [0x11, 0x12])
def test_extensions_of_version_2_are_skipped(family: int):
    extensions = b"\x03\x00\x04\x01\x02\x03\x04" + b"\x04\x00\x01\x00" + b"\xee"  # a checksum, padding, and rubbish
    header = version_2(family, TCP4 + extensions)
    expected = (("255.255.255.255", 65535), ("255.255.255.255", 65535)), len(header)
    assert in_pieces(header) == expected
    assert parse(header + b"\x16\x03\x01") == expected


@pytest.mark.parametrize(
    "header",
    [
        version_2(0x00, b"", first=0x20),  # LOCAL, as health checks of balancers are
        version_2(0x11, TCP4, first=0x20),  # LOCAL: the family counts for nothing
        version_2(0x77, b"anything", first=0x20),
        version_2(0x00, b"anything at all"),  # UNSPEC
        version_2(0x31, b"/run/client".ljust(108, b"\0") + b"/run/server".ljust(108, b"\0")),
        version_2(0x32, bytes(216) + b"\x04\x00\x00"),
    ],
)
def test_headers_that_name_nobody(header: bytes):
    assert in_pieces(header) == ((None, None), len(header))


def test_the_longest_header():
    header = version_2(0x21, bytes(0xFFFF))
    assert len(header) == LONGEST
    assert parse(header[:-1]) is None
    assert parse(header) == ((("::", 0), ("::", 0)), LONGEST)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01",
        b"PROXX",
        b"proxy ",
        b"PROXY  TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 -1 2\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1 \xb2\r\n",
        b"PROXY TCP4 1.1.1.01 2.2.2.2 1 2\r\n",
        b"PROXY TCP4 1.1.1.1 ::1 1 2\r\n",
        b"PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n",
        b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n\r\n",
        b"PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n",
        b"PROXY \r\n",
        b"PROXY UNKNOWN " + b"x" * 100,
        b"\r\n\r\n\x00\r\nQUIX",
        b"\r\nGET / HTTP/1.1",
        version_2(0x11, TCP4, first=0x11),
        version_2(0x11, TCP4, first=0x31),
        version_2(0x11, TCP4, first=0x22),
        version_2(0x13, TCP4),
        version_2(0x41, TCP4),
        version_2(0x01, TCP4),
        version_2(0x11, TCP4[:-1]),
        version_2(0x21, TCP4),
        version_2(0x31, bytes(215)),
    ],
)
def test_what_is_none_is_refused(data: bytes):
    with pytest.raises(ValueError, match="PROXY") as refused:
        parse(data)
    assert str(refused.value).isprintable()


def test_a_broken_header_is_refused_before_its_end():
    with pytest.raises(ValueError, match="too short"):
        parse(version_2(0x11, b"", size=11))


@given(
    st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE, SIGNATURE + b"\x21\x11\x00"]), st.binary(max_size=300)
)
def test_any_bytes_are_a_header_or_refused_or_too_few(start: bytes, rest: bytes):
    data = start + rest
    try:
        found = parse(data)
    except ValueError:
        with pytest.raises(ValueError, match="PROXY"):
            parse(data + b"more")
        return
    if found is not None:
        assert parse(data[: found[1]]) == found == parse(data + b"more")
