import itertools
import ssl
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.wire import client_hello
from midstream.wire.client_hello import ClientHelloMessage, parse, parse_message, starts_tls, wanted


def real_hello(server_name: str | None = "example.com", alpn: tuple[str, ...] = ("h2", "http/1.1")) -> bytes:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    outgoing = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=server_name)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def records(message: bytes, cuts: list[int]) -> bytes:
    edges = sorted({0, len(message), *(cut % len(message) for cut in cuts)})
    return b"".join(
        b"\x16\x03\x01" + struct.pack(">H", end - start) + message[start:end]
        for start, end in itertools.pairwise(edges)
    )


def message(*, extensions: bytes | None = b"", suites: bytes = b"\x13\x01", session: bytes = b"") -> bytes:
    body = b"\x03\x03" + bytes(32) + bytes([len(session)]) + session
    body += struct.pack(">H", len(suites)) + suites + b"\x01\x00"
    if extensions is not None:
        body += struct.pack(">H", len(extensions)) + extensions
    return b"\x01" + len(body).to_bytes(3, "big") + body


def extension(kind: int, body: bytes) -> bytes:
    return struct.pack(">HH", kind, len(body)) + body


def server_name(name: bytes) -> bytes:
    return extension(0, struct.pack(">HBH", len(name) + 3, 0, len(name)) + name)


def test_real_hello() -> None:
    data = real_hello()
    hello = parse(data)
    assert hello is not None
    assert hello.sni == "example.com"
    assert hello.alpn_protocols == (b"h2", b"http/1.1")
    assert hello.version == 0x0303
    assert 0x1301 in hello.cipher_suites
    assert hello.raw == data[5:]
    assert {0, 16, 43, 51} <= {kind for kind, _ in hello.extensions}
    assert starts_tls(data)
    assert starts_tls(data[:3])


def test_real_hello_without_name_and_protocols() -> None:
    hello = parse(real_hello(None, ()))
    assert hello is not None
    assert hello.sni is None
    assert hello.alpn_protocols == ()


HELLO = real_hello()
EXPECTED = parse(HELLO)


@given(st.lists(st.integers(0, 5000), max_size=40), st.binary(max_size=20))
def test_any_fragmentation_over_records_and_reads(cuts: list[int], early_data: bytes) -> None:
    data = records(HELLO[5:], cuts)
    for end in range(0, len(data), 7):
        assert parse(data[:end]) is None
        assert end < wanted(data[:end]) <= len(data)
    assert parse(data[:-1]) is None
    assert wanted(data[:-1]) == len(data)
    assert parse(data) == EXPECTED
    assert parse(data + b"\x17\x03\x03" + early_data) == EXPECTED


def test_one_byte_records() -> None:
    assert parse(records(HELLO[5:], list(range(len(HELLO))))) == EXPECTED


def test_wanted_leads_to_the_whole_hello_in_few_steps() -> None:
    steps, have = 0, 0
    while (hello := parse(HELLO[:have])) is None:
        have = wanted(HELLO[:have])
        steps += 1
    assert hello == EXPECTED
    assert steps <= 4


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_or_unfinished(data: bytes) -> None:
    try:
        assert parse(data) is None
    except ValueError:
        pass


@given(st.integers(5, len(HELLO) - 1), st.integers(0, 255))
def test_damaged_hellos_never_raise_anything_else(position: int, value: int) -> None:
    data = bytearray(HELLO)
    data[position] = value
    try:
        result = parse(bytes(data))
    except ValueError:
        return
    assert result is None or isinstance(result, ClientHelloMessage)


@given(st.integers(1, len(HELLO) - 6))
def test_a_cut_message_is_refused(end: int) -> None:
    body = HELLO[9 : 5 + end]
    try:
        hello = parse_message(b"\x01" + len(body).to_bytes(3, "big") + body)
    except ValueError:
        return
    # Cut between the compression methods and the extensions it is a whole hello of the time before extensions.
    assert hello.extensions == ()


def test_hello_without_extensions() -> None:
    hello = parse_message(message(extensions=None, session=b"s" * 32))
    assert (hello.sni, hello.alpn_protocols, hello.extensions, hello.cipher_suites) == (None, (), (), (0x1301,))


@pytest.mark.parametrize(
    ("name", "sni"),
    [
        (b"a.example", "a.example"),
        (b"_dmarc.Example.COM.", "_dmarc.Example.COM."),
        (b"xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
        (b"127.0.0.1", "127.0.0.1"),
        (b"2001:db8::1", "2001:db8::1"),
        (b"a\x1b[31m.example", None),
        (b"a.example\n", None),
        (b"m\xc3\xbcnchen.de", None),
        (b"a..example", None),
        (b"a" * 64 + b".example", None),
        (b"a." * 150 + b"example", None),
    ],
)
def test_server_names(name: bytes, sni: str | None) -> None:
    assert parse_message(message(extensions=server_name(name))).sni == sni


@pytest.mark.parametrize(
    "broken",
    [
        message(extensions=server_name(b"a.example") * 2),
        message(extensions=extension(0, b"")),
        message(extensions=extension(0, b"\x00\x05\x00\x00\x09a")),
        message(extensions=extension(16, b"\x00\x02\x00\x00")),
        message(extensions=extension(16, b"\x00\x03\x05h2")),
        message(extensions=extension(16, b"\x00\x09\x02h2")),
        message(extensions=b"\x00\x00\x00"),
        message(extensions=b"\x00\x00\x00\x09a"),
        message(suites=b""),
        message(suites=b"\x13"),
        message(session=b"s" * 33),
        message() + b"x",
        b"\x02" + message()[1:],
        b"",
    ],
)
def test_broken_messages_are_refused(broken: bytes) -> None:
    with pytest.raises(ValueError):
        parse_message(broken)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x80\x2e\x01\x03\x01",  # SSLv2
        b"\x16\x02",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\x40\x01",
        b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
        b"\x16\x03\x01\x00\x04\x01\xff\xff\xff",
        records(HELLO[5:] + b"\x0b", []),
        b"\x16\x03\x01\x00\x01\x01" + b"\x17\x03\x01\x00\x01\x01",
    ],
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        parse(data)


def test_an_endless_hello_is_refused_within_bounds() -> None:
    body = bytes(client_hello.MAX_HELLO - 4)
    small = records(b"\x01" + len(body).to_bytes(3, "big") + body, list(range(client_hello.MAX_HELLO)))
    have = 0
    with pytest.raises(ValueError, match="no whole ClientHello"):
        while parse(small[:have]) is None:
            have += 1460


@pytest.mark.parametrize("data", [b"", b"\x16", b"\x16\x03", b"GET", b"\x16\x03\x05", b"\x16\x02\x00", b"\x17\x03\x03"])
def test_starts_tls_says_no(data: bytes) -> None:
    assert not starts_tls(data)
