"""Which connections are looked into: by address, by SNI, by the Host field; and what costs nothing while unset."""

import ssl
from collections.abc import AsyncIterator

import pytest

from midstream.addons.nextlayer import LONGEST_HEAD, NextLayer, named_inside
from midstream.flows.connection import Client, Server
from midstream.flows.context import Context
from midstream.flows.errors import OptionsError
from midstream.flows.next_layer import NextLayer as Choice
from midstream.flows.proxy_mode import ProxyMode
from midstream.hub.master import Master
from midstream.testing import context

HEAD = b"GET / HTTP/1.1\r\nHost: www.a.test\r\n\r\n"


def by_kind(value: object) -> str | None:
    """The id of a parameter. A ClientHello is random, and the processes of pytest-xdist must agree on the tests."""
    return "bytes" if isinstance(value, bytes) else None


def hello(name: str) -> bytes:
    """What a TLS client says first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


@pytest.fixture
async def master() -> AsyncIterator[Master]:
    async with context(NextLayer(), loadcore=False) as tests:
        yield tests.master


async def chosen(
    master: Master,
    said: bytes,
    address: tuple[str, int] | None = ("10.0.0.1", 443),
    said_by_server: bytes = b"",
    **facts: object,
) -> object:
    """What the addon makes of a connection."""
    client = Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), timestamp_start=0.0, **facts)  # type: ignore[arg-type]
    data = Choice(Context(client, master.options, Server(address=address)), lambda: said, lambda: said_by_server)
    await master.events.next_layer(data)
    return data.layer


async def test_nobody_is_asked_while_nothing_is_set(master: Master) -> None:
    assert not master.events.next_layer.handlers
    master.options.tcp_hosts = ["x"]
    assert master.events.next_layer.handlers
    master.options.tcp_hosts = []
    assert not master.events.next_layer.handlers


@pytest.mark.parametrize(
    ("pattern", "said", "layer"),
    [
        (r"^10\.0\.0\.1:443$", b"", "ignore"),
        (r"10\.0\.0\.2", b"", "more"),
        (r"10\.0\.0\.2", HEAD[:20], "more"),
        (r"10\.0\.0\.2", HEAD, None),
        (r"10\.0\.0\.2", b"\x00\x01", None),
        (r"WWW\.A\.test:443", HEAD, "ignore"),
        (r"www\.a\.test:443", HEAD[:-2], "ignore"),
        (r"www\.a\.test", hello("www.a.test"), "ignore"),
        (r"www\.a\.test", hello("www.a.test")[:40], "more"),
        (r"www\.a\.test", hello("www.b.test"), None),
        (r"www\.a\.test", b"\x16\x03\x01\x00\x02zz", None),
        (r"^\[::2\]:443$", b"GET / HTTP/1.1\r\nHost: [::2]\r\n\r\n", "ignore"),
        (r"^\[::2\]:80$", b"GET / HTTP/1.1\r\nHost: [::2]:80\r\n\r\n", "ignore"),
    ],
    ids=by_kind,
)
async def test_ignore_hosts(master: Master, pattern: str, said: bytes, layer: str | None) -> None:
    master.options.ignore_hosts = [pattern]
    assert await chosen(master, said) == layer


@pytest.mark.parametrize("pattern", [r"^::1:443$", r"^\[::1\]:443$", "::1"])
async def test_ipv6_with_and_without_brackets(master: Master, pattern: str) -> None:
    master.options.ignore_hosts = [pattern]
    assert await chosen(master, b"", address=("::1", 443)) == "ignore"


@pytest.mark.parametrize(
    ("said", "layer"), [(hello("www.a.test"), "ignore"), (hello("b.test"), None), (HEAD, None)], ids=by_kind
)
async def test_ignore_hosts_inside_tls(master: Master, said: bytes, layer: str | None) -> None:
    master.options.ignore_hosts = [r"www\.a\.test"]
    assert await chosen(master, said, tls=True, sni="outer.test") == layer


@pytest.mark.parametrize(
    ("pattern", "said", "layer"),
    [
        (r"^10\.0\.0\.1:443$", b"", None),
        (r"a\.test", b"", "more"),
        (r"a\.test", HEAD, None),
        (r"b\.test", HEAD, "ignore"),
        (r"b\.test", hello("www.a.test"), "ignore"),
        (r"b\.test", b"\x00", "ignore"),
        (r"b\.test", b"GET / HTTP/1.1\r\n" + b"x" * LONGEST_HEAD, "ignore"),
    ],
    ids=by_kind,
)
async def test_allow_hosts(master: Master, pattern: str, said: bytes, layer: str | None) -> None:
    master.options.allow_hosts = [pattern]
    assert await chosen(master, said) == layer


async def test_addresses_of_ipv6(master: Master) -> None:
    master.options.ignore_hosts = [r"^\[::1\]:8443$"]
    assert await chosen(master, b"", ("::1", 8443)) == "ignore"
    assert await chosen(master, HEAD, ("::2", 8443)) is None


async def test_a_server_that_speaks_first_names_nothing(master: Master) -> None:
    master.options.allow_hosts = ["a.test"]
    assert await chosen(master, b"", said_by_server=b"220 ready\r\n") == "ignore"


async def test_ignored_connections_can_be_shown(master: Master) -> None:
    master.options.update(ignore_hosts=["10.0.0.1"], show_ignored_hosts=True)
    assert await chosen(master, b"") == "tcp"


async def test_what_was_decrypted_is_ignored_no_more(master: Master) -> None:
    master.options.ignore_hosts = ["a.test"]
    assert await chosen(master, HEAD, tls=True, sni="www.a.test") is None


async def test_tcp_hosts(master: Master) -> None:
    master.options.tcp_hosts = ["a.test"]
    assert await chosen(master, hello("a.test"), ("a.test", 443)) is None  # TLS ends here first
    assert await chosen(master, HEAD, ("10.0.0.1", 443), tls=True, sni="a.test") == "tcp"
    assert await chosen(master, HEAD, ("a.test", 80)) == "tcp"
    assert await chosen(master, HEAD, ("b.test", 80)) is None
    mode = ProxyMode.parse("reverse:http://a.test")
    assert await chosen(master, HEAD, ("a.test", 80), proxy_mode=mode) is None


async def test_udp_hosts(master: Master) -> None:
    master.options.udp_hosts = ["a.test"]
    assert await chosen(master, b"x", ("a.test", 53), transport_protocol="udp") == "udp"
    assert await chosen(master, b"x", ("b.test", 53), transport_protocol="udp") is None


async def test_no_destination_is_never_ignored_and_others_choose_first(master: Master) -> None:
    master.options.ignore_hosts = ["."]
    assert await chosen(master, HEAD, None) is None
    data = Choice(Context(Client(peername=("", 0), sockname=("", 0), timestamp_start=0.0), None), bytes)
    data.layer = "http"
    await master.events.next_layer(data)
    assert data.layer == "http"


async def test_bad_options(master: Master) -> None:
    with pytest.raises(OptionsError, match="is no regular expression"):
        master.options.ignore_hosts = ["("]
    master.options.ignore_hosts = ["a"]
    with pytest.raises(OptionsError, match="exclude each other"):
        master.options.allow_hosts = ["b"]
    assert master.options.allow_hosts == []


@pytest.mark.parametrize("end", range(len(HEAD)))
def test_a_name_is_told_only_when_it_is_whole(end: int) -> None:
    name, is_all = named_inside(HEAD[:end])
    assert (name, is_all) in (("", False), ("www.a.test", True))
