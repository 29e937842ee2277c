"""SOCKS5 messages of both sides, in pieces of any size."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midstream.wire import socks5
from midstream.wire.socks5 import Command, Credentials, Malformed, Method, Reply, Target

Parse = Callable[[bytes], tuple[object, int] | None]

PARSERS: list[Parse] = [
    socks5.parse_greeting,
    socks5.parse_credentials,
    socks5.parse_request,
    socks5.parse_choice,
    socks5.parse_verdict,
    socks5.parse_reply,
]
LABEL = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)
NAME = st.lists(LABEL, min_size=1, max_size=10).map(".".join)
HOST = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(str),
    NAME.filter(lambda name: not _is_address(name)),
)
PORT = st.integers(0, 65535)


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def in_pieces(parse: Parse, data: bytes) -> tuple[object, int] | None:
    """The answer to `data`; no shorter start of it may have any."""
    for have in range(len(data)):
        assert parse(data[:have]) is None
    return parse(data)


def test_the_bytes_of_the_rfcs():
    assert socks5.greeting(Method.NONE, Method.PASSWORD) == b"\x05\x02\x00\x02"
    assert socks5.choice(Method.NOT_ACCEPTABLE) == b"\x05\xff"
    assert socks5.credentials(b"me", b"secret") == b"\x01\x02me\x06secret"
    assert (socks5.verdict(True), socks5.verdict(False)) == (b"\x01\x00", b"\x01\x01")
    assert socks5.request(Command.CONNECT, "192.0.2.1", 80) == b"\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x50"
    assert socks5.request(Command.BIND, "a.example", 443) == b"\x05\x02\x00\x03\x09a.example\x01\xbb"
    assert socks5.request(Command.CONNECT, "::1", 1) == b"\x05\x01\x00\x04" + bytes(15) + b"\x01\x00\x01"
    assert socks5.reply(Reply.SUCCEEDED) == b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
    assert socks5.reply(Reply.CONNECTION_REFUSED, "::", 7) == b"\x05\x05\x00\x04" + bytes(16) + b"\x00\x07"


@given(st.lists(st.sampled_from(Method), min_size=1, max_size=255))
def test_a_greeting_comes_back(methods: list[Method]):
    said = socks5.greeting(*methods)
    assert in_pieces(socks5.parse_greeting, said) == (bytes(methods), len(said))


@given(st.binary(max_size=255), st.binary(max_size=255))
def test_credentials_come_back(username: bytes, password: bytes):
    said = socks5.credentials(username, password)
    assert in_pieces(socks5.parse_credentials, said) == (Credentials(username, password), len(said))


@given(st.sampled_from(Command), HOST, PORT)
def test_a_request_comes_back(command: Command, host: str, port: int):
    said = socks5.request(command, host, port)
    found = in_pieces(socks5.parse_request, said)
    assert found is not None
    target, length = found
    assert isinstance(target, Target)
    assert (target.code, target.port, length) == (command, port, len(said))
    assert target.host == host or IPv6Address(target.host) == IPv6Address(host)


@given(st.sampled_from(Reply), HOST, PORT)
def test_a_reply_comes_back(code: Reply, host: str, port: int):
    said = socks5.reply(code, host, port)
    found = in_pieces(socks5.parse_reply, said)
    assert found is not None
    assert found[1] == len(said)


@pytest.mark.parametrize("parse", PARSERS)
@given(data=st.binary(max_size=600))
def test_any_bytes_are_a_message_or_refused_or_too_few(parse: Parse, data: bytes):
    """What follows a message changes nothing, and 600 bytes are enough to decide."""
    try:
        found = parse(data)
    except Malformed as refused:
        with pytest.raises(Malformed):
            parse(data + b"more")
        assert str(refused).isprintable()
        return
    if found is not None:
        assert parse(data[: found[1]]) == found == parse(data + b"more")
        assert found[1] <= 513
    else:
        assert len(data) < 513


def test_what_follows_a_message_is_left():
    assert socks5.parse_greeting(b"\x05\x01\x00" + b"\x05\x01\x00\x01") == (b"\x00", 3)
    assert socks5.parse_choice(b"\x05\x02\x01\x00") == (2, 2)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x04\x01", "SOCKS version 4"),
        (b"GET / HTTP/1.1\r\n", "perhaps HTTP"),
        (b"CONNECT", "perhaps HTTP"),
        (b"\x16\x03\x01", "but TLS"),
        (b"\x00", "byte 0x00"),
        (b"\x05\x00", "no authentication method"),
    ],
)
def test_greetings_that_are_none_are_refused_at_once(data: bytes, says: str):
    with pytest.raises(Malformed, match=says):
        socks5.parse_greeting(data)


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (b"\x05\x01\x00\x02", Reply.ADDRESS_TYPE_NOT_SUPPORTED),
        (b"\x05\x01\x01", Reply.GENERAL_FAILURE),
        (b"\x05\x01\x00\x03\x00\x00\x50", Reply.GENERAL_FAILURE),
        (b"\x05\x01\x00\x03\x03a\nb\x00\x50", Reply.GENERAL_FAILURE),
        (b"\x05\x01\x00\x03\x03a b\x00\x50", Reply.GENERAL_FAILURE),
        (b"\x05\x01\x00\x03\x03a:1\x00\x50", Reply.GENERAL_FAILURE),
        (b"\x05\x01\x00\x03\x02\xc3\xa4\x00\x50", Reply.GENERAL_FAILURE),
        (b"\x05\x01\x00\x03\x03[:]\x00\x50", Reply.GENERAL_FAILURE),
    ],
)
def test_requests_that_are_none_are_refused_with_a_reply(data: bytes, reply: Reply):
    with pytest.raises(Malformed) as refused:
        socks5.parse_request(data)
    assert refused.value.reply is reply
    assert str(refused.value).isprintable()


def test_a_command_that_nobody_knows_is_for_the_server_to_answer():
    found = socks5.parse_request(b"\x05\x77\x00\x01\x7f\x00\x00\x01\x00\x50")
    assert found == (Target(0x77, "127.0.0.1", 80), 10)


@pytest.mark.parametrize("name", [b"::1", b"[::1]"])
def test_an_ipv6_address_as_a_name_is_that_address(name: bytes):
    found = socks5.parse_request(b"\x05\x01\x00\x03%c%b\x00\x50" % (len(name), name))
    assert found is not None
    assert found[0].host == "::1"


def test_verdicts():
    assert socks5.parse_verdict(b"\x01\x00") == (True, 2)
    assert socks5.parse_verdict(b"\x01\x02") == (False, 2)
    assert socks5.parse_verdict(b"\x05\x00") == (True, 2)  # as several servers have it
    with pytest.raises(Malformed, match="version 0"):
        socks5.parse_verdict(b"\x00")
    with pytest.raises(Malformed, match="version 5 instead of 1"):
        socks5.parse_credentials(b"\x05")


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match="password is longer"):
        socks5.credentials(b"", bytes(256))
    with pytest.raises(ValueError, match="host name of 256 bytes"):
        socks5.request(Command.CONNECT, "a" * 256, 80)
    with pytest.raises(ValueError, match="host name of 0 bytes"):
        socks5.request(Command.CONNECT, "", 80)


def test_every_reply_has_words():
    assert len(socks5.REPLY_TEXTS) == len(Reply)


def test_names_beyond_ascii_go_by_idna():
    assert socks5.request(Command.CONNECT, "bücher.example", 80).find(b"xn--bcher-kva.example") > 0
