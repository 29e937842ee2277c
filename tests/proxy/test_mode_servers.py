"""The set of servers, and how it changes: whole or not at all."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from midstream.flows.proxy_mode import ProxyMode
from midstream.proxy.binding import ListenError
from midstream.proxy.listeners import Listening
from midstream.proxy.mode_servers import ModeServers
from midstream.proxy.streams.stream import Stream
from midstream.proxy.streams.tcp import TCPStream
from tests.kit.program import free_port
from tests.kit.waiting import until

LOCAL = "127.0.0.1"


class Accepted:
    """Servers, and the modes of the clients that they accepted."""

    def __init__(self) -> None:
        self.modes: list[str] = []
        self.servers = ModeServers(Listening(), self._accept)

    def _accept(self, stream: Stream, mode: ProxyMode) -> None:
        self.modes.append(mode.full_spec)
        stream.close()

    async def change(self, *wanted: tuple[str, str, int]) -> None:
        """Spec, host and port of each."""
        self.servers.change({spec: (ProxyMode.parse(spec), host, port) for spec, host, port in wanted})
        await self.servers.start()

    async def who_is_at(self, port: int, host: str = LOCAL) -> str:
        """The mode that serves a new client there."""
        before = len(self.modes)
        _, writer = await asyncio.open_connection(host, port)
        await until(lambda: len(self.modes) > before, "the client is accepted")
        writer.close()
        await writer.wait_closed()
        return self.modes[-1]


@asynccontextmanager
async def running() -> AsyncIterator[Accepted]:
    accepted = Accepted()
    try:
        yield accepted
    finally:
        accepted.servers.close()


@contextmanager
def taken(host: str = LOCAL, kind: int = socket.SOCK_STREAM) -> Iterator[int]:
    """A port that somebody else has."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as other:
        other.bind((host, 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        yield other.getsockname()[1]


def is_free(port: int, host: str = LOCAL) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) != 0


async def test_several_at_once_and_what_is_told_of_them():
    async with running() as accepted:
        await accepted.change(("regular", LOCAL, 0), ("socks5", LOCAL, 0), ("dns", LOCAL, 0))
        servers = accepted.servers
        assert [server.mode.type_name for server in servers] == ["regular", "socks5", "dns"]
        assert len(servers) == 3
        assert servers["socks5"] is servers[ProxyMode.parse("socks5")]
        with pytest.raises(KeyError):
            servers["transparent"]
        ((host, port),) = servers["regular"].listen_addrs
        assert servers["regular"].to_json() == {
            "type": "regular",
            "description": "HTTP(S) proxy",
            "full_spec": "regular",
            "is_running": True,
            "last_exception": None,
            "listen_addrs": ((host, port),),
        }
        assert repr(servers["regular"]) == f"<regular at {LOCAL}:{port}>"
        tcp, udp = servers["dns"].listen_addrs
        assert tcp == udp
        assert servers.addresses_over("udp") == [udp]
        assert await accepted.who_is_at(port) == "regular"


async def test_what_stays_is_not_touched():
    async with running() as accepted:
        await accepted.change(("regular", LOCAL, 0))
        regular = accepted.servers["regular"]
        listeners = list(regular.listeners)
        await accepted.change(("socks5", LOCAL, 0), ("regular", LOCAL, 0))
        assert accepted.servers["regular"] is regular
        assert regular.listeners == listeners
        assert [server.mode.full_spec for server in accepted.servers] == ["socks5", "regular"]
        socks = accepted.servers["socks5"].listen_addrs[0][1]
        await accepted.change(("regular", LOCAL, 0))
        assert is_free(socks)
        assert await accepted.who_is_at(regular.listen_addrs[0][1]) == "regular"


async def test_a_port_changes_hands_without_being_closed():
    port = free_port()
    async with running() as accepted:
        await accepted.change(("regular", LOCAL, port))
        [listener] = accepted.servers["regular"].listeners
        await accepted.change(("reverse:http://example.com", LOCAL, port))
        assert accepted.servers["reverse:http://example.com"].listeners == [listener]
        assert await accepted.who_is_at(port) == "reverse:http://example.com"


async def test_two_modes_swap_their_ports():
    one, two = free_port(), free_port()
    async with running() as accepted:
        await accepted.change(("regular", LOCAL, one), ("socks5", LOCAL, two))
        await accepted.change(("regular", LOCAL, two), ("socks5", LOCAL, one))
        assert await accepted.who_is_at(one) == "socks5"
        assert await accepted.who_is_at(two) == "regular"


async def test_udp_is_added_to_a_port_and_taken_from_it():
    port = free_port()
    async with running() as accepted:
        await accepted.change(("regular", LOCAL, port))
        await accepted.change(("dns", LOCAL, port))
        assert accepted.servers.addresses_over("udp") == [(LOCAL, port)]
        assert await accepted.who_is_at(port) == "dns"
        await accepted.change(("regular", LOCAL, port))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind((LOCAL, port))
        assert await accepted.who_is_at(port) == "regular"


async def test_a_busy_port_leaves_all_as_it_was(caplog: pytest.LogCaptureFixture):
    port = free_port()
    async with running() as accepted:
        await accepted.change(("regular", LOCAL, port))
        before = list(accepted.servers)
        with (
            taken() as busy,
            pytest.raises(ListenError, match=f"cannot listen on 127.0.0.1:{busy}: the port is in use"),
        ):
            await accepted.change(("socks5", LOCAL, 0), ("reverse:http://a.example", LOCAL, busy))
        assert list(accepted.servers) == before
        assert await accepted.who_is_at(port) == "regular"


async def test_a_busy_port_of_udp_leaves_all_as_it_was():
    async with running() as accepted:
        with taken(kind=socket.SOCK_DGRAM) as busy, pytest.raises(ListenError):
            await accepted.change(("dns", LOCAL, busy))
        assert len(accepted.servers) == 0
        assert is_free(busy)


async def test_from_one_address_to_all_and_back():
    """On Linux these are in each other's way, so the old ones have to go first."""
    port = free_port()
    async with running() as accepted:
        await accepted.change(("regular", LOCAL, port))
        await accepted.change(("regular", "", port))
        assert ("0.0.0.0", port) in accepted.servers["regular"].listen_addrs
        assert await accepted.who_is_at(port) == "regular"
        await accepted.change(("regular", LOCAL, port))
        assert accepted.servers["regular"].listen_addrs == ((LOCAL, port),)
        assert await accepted.who_is_at(port) == "regular"


async def test_what_made_room_for_nothing_comes_back():
    port = free_port()
    async with running() as accepted:
        await accepted.change(("regular", LOCAL, port))
        with taken() as busy, pytest.raises(ListenError):
            await accepted.change(("regular", "", port), ("socks5", LOCAL, busy))
        await accepted.servers.start()
        assert accepted.servers["regular"].listen_addrs == ((LOCAL, port),)
        assert accepted.servers["regular"].is_running
        assert await accepted.who_is_at(port) == "regular"


async def test_what_could_not_come_back_is_tried_again_by_the_next_change(monkeypatch: pytest.MonkeyPatch):
    port = free_port()
    async with running() as accepted:
        await accepted.change(("regular", LOCAL, port))
        listening = Listening()
        with taken() as busy, monkeypatch.context() as patch:
            bind, others = listening.bind, socket.socket()

            def slower(transports, host, at, accept):  # somebody else takes the port that was given up for the change
                if host == LOCAL and at == busy:
                    others.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    others.bind((LOCAL, port))
                    others.listen()
                return bind(transports, host, at, accept)

            patch.setattr(accepted.servers._listening, "bind", slower)
            with others, pytest.raises(ListenError):
                await accepted.change(("regular", "127.0.0.2", port), ("socks5", LOCAL, busy))
            regular = accepted.servers["regular"]
            assert not regular.is_running
            assert "the port is in use" in str(regular.to_json()["last_exception"])
            assert regular.listen_addrs == ()
        await accepted.change(("regular", LOCAL, port))
        assert accepted.servers["regular"].is_running
        assert await accepted.who_is_at(port) == "regular"


async def test_clients_wait_for_who_accepts_them_later():
    """Between the change and `start` nobody is turned away."""
    port = free_port()
    async with running() as accepted:
        accepted.servers.change({"regular": (ProxyMode.parse("regular"), LOCAL, port)})
        _, writer = await asyncio.open_connection(LOCAL, port)
        assert accepted.modes == []
        await accepted.servers.start()
        await until(lambda: accepted.modes, "the client is accepted")
        writer.close()
        await writer.wait_closed()


async def test_closed_before_it_began():
    port = free_port()
    accepted = Accepted()
    accepted.servers.change({"dns": (ProxyMode.parse("dns"), LOCAL, port)})
    accepted.servers.close()
    await accepted.servers.start()
    assert is_free(port)


async def test_names_and_what_is_none():
    async with running() as accepted:
        await accepted.change(("regular", "localhost", 0))
        ports = {port for _, port in accepted.servers["regular"].listen_addrs}
        assert len(ports) == 1
        with pytest.raises(ListenError, match="'no such host'"):
            await accepted.change(("regular", "no such host", 0))
        with pytest.raises(ListenError, match="no such address"):
            await accepted.change(("regular", "192.0.2.1", 0))
        assert await accepted.who_is_at(ports.pop()) == "regular"


async def test_ipv6():
    async with running() as accepted:
        await accepted.change(("regular", "::1", 0))
        ((host, port),) = accepted.servers["regular"].listen_addrs
        assert host == "::1"
        assert await accepted.who_is_at(port, "::1") == "regular"


async def test_small_writes_do_not_wait_for_an_acknowledgement() -> None:
    """On the standard library's loop that depends on how the listener was made."""
    told: list[int] = []

    def accept(stream: Stream, _mode: ProxyMode) -> None:
        assert isinstance(stream, TCPStream)
        told.append(stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        stream.close()

    port = free_port()
    servers = ModeServers(Listening(), accept)
    servers.change({"regular": (ProxyMode.parse("regular"), LOCAL, port)})
    await servers.start()
    _, writer = await asyncio.open_connection(LOCAL, port)
    await until(lambda: bool(told), "the connection was accepted")
    assert told == [1]
    writer.close()
    servers.close()
