"""Modes that change while traffic flows: what stays is not touched, what is busy changes nothing, and all is told."""

import asyncio
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from midstream.flows.errors import OptionsError
from tests.kit.origins import Heard, Origin, answering, ok, origin
from tests.kit.program import free_port, middump
from tests.kit.pty import ProgramOnPty
from tests.kit.running_master import RunningMaster, running_master
from tests.kit.socket_end import SocketEnd, connected
from tests.kit.threaded_origin import QuietHandler, threaded_origin
from tests.kit.waiting import until

pytestmark = pytest.mark.end2end

LOCAL = "127.0.0.1"


def hello(heard: Heard) -> bytes:
    return ok(b"hello " + heard.target.encode())


@contextmanager
def busy_port() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.socket() as other:
        other.bind((LOCAL, 0))
        other.listen()
        yield other.getsockname()[1]


async def ask(end: SocketEnd, web: Origin, path: str) -> None:
    """A request of an explicit proxy's client, and its answer."""
    end.say(f"GET {web.url(path)} HTTP/1.1\r\nHost: {web.authority}\r\n\r\n".encode())
    await end.until(b"hello " + path.encode())


async def ask_by_socks(port: int, web: Origin, path: str) -> None:
    async with connected(port) as end:
        end.say(b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01" + web.port.to_bytes(2, "big"))
        await end.take(12)
        end.say(f"GET {path} HTTP/1.1\r\nHost: {web.authority}\r\n\r\n".encode())
        await end.until(b"hello " + path.encode())


def specs(running: RunningMaster) -> list[str]:
    return [server.mode.full_spec for server in running.master.addons.get("proxyserver").servers]


async def started(running: RunningMaster) -> None:
    """Everything that was asked for accepts clients."""
    servers = running.proxy.servers
    await until(lambda: all(one.is_started for server in servers for one in server.listeners), "all accept clients")


async def test_a_mode_comes_and_goes_and_the_other_keeps_its_connections(confdir: Path):
    one, two = free_port(), free_port()
    regular, socks = f"regular@{LOCAL}:{one}", f"socks5@{LOCAL}:{two}"
    async with (
        origin(answering(hello)) as web,
        running_master(confdir, mode=[regular]) as running,
        connected(one) as end,
    ):
        await ask(end, web, "/before")
        for number in range(3):
            running.master.options.mode = [socks, regular]
            assert specs(running) == [socks, regular]
            await started(running)
            await ask(end, web, f"/with/{number}")
            await ask_by_socks(two, web, f"/socks/{number}")
            running.master.options.mode = [regular]
            await ask(end, web, f"/without/{number}")
            with socket.socket() as probe:
                assert probe.connect_ex((LOCAL, two)) != 0
        assert len(running.logged("SOCKS v5 proxy listening at")) == 3
        assert len(running.logged("HTTP(S) proxy listening at")) == 1
        assert len(running.logged("SOCKS v5 proxy no longer listening at")) == 3
        assert [heard.target for heard in web.requests if heard.target.startswith("/with")] == [
            f"/with{what}/{number}" for number in range(3) for what in ("", "out")
        ]


async def test_a_removed_mode_serves_its_clients_to_the_end(confdir: Path):
    port = free_port()
    async with (
        origin(answering(hello)) as web,
        running_master(confdir, mode=[f"regular@{LOCAL}:{port}"]) as running,
        connected(port) as end,
    ):
        await ask(end, web, "/one")
        running.master.options.mode = [f"socks5@{LOCAL}:{port}"]
        await ask(end, web, "/two")
        await ask_by_socks(port, web, "/three")
        assert web.requests[-1].target == "/three"


async def test_under_fire(confdir: Path):
    """No request is lost while the other mode's port changes hands again and again."""
    one, two = free_port(), free_port()
    regular = f"regular@{LOCAL}:{one}"
    async with origin(answering(hello)) as web, running_master(confdir, mode=[regular]) as running:
        asked = 0
        over = asyncio.Event()

        async def fire() -> None:
            nonlocal asked
            while not over.is_set():
                async with connected(one) as end:
                    for _ in range(5):
                        await ask(end, web, f"/{asked}")
                        asked += 1

        async with asyncio.TaskGroup() as group:
            group.create_task(fire())
            for number in range(30):
                other = (f"socks5@{LOCAL}:{two}", f"reverse:{web.url('')}@{LOCAL}:{two}")[number % 2]
                running.master.options.mode = [regular, other]
                before = asked
                await until(lambda before=before: asked > before, "another answer came")
            over.set()
        assert len(web.requests) == asked > 30
        assert not running.logged("cannot")


async def test_a_busy_port_leaves_the_old_set(confdir: Path):
    port = free_port()
    async with (
        origin(answering(hello)) as web,
        running_master(confdir, mode=[f"regular@{LOCAL}:{port}"]) as running,
        connected(port) as end,
    ):
        with busy_port() as busy, pytest.raises(OptionsError) as refused:
            running.master.options.mode = [f"socks5@{LOCAL}:0", f"reverse:{web.url('')}@{LOCAL}:{busy}"]
        assert f"cannot listen on {LOCAL}:{busy}: the port is in use; choose another one" in str(refused.value)
        assert "(nothing was changed)" in str(refused.value)
        assert running.master.options.mode == [f"regular@{LOCAL}:{port}"]
        assert running.proxy.listen_addrs == [(LOCAL, port)]
        await ask(end, web, "/still")
        async with connected(port) as other:
            await ask(other, web, "/new")


async def test_listen_port_and_listen_host_move_what_has_none_of_its_own(confdir: Path):
    one, two, fixed = free_port(), free_port(), free_port()
    async with (
        origin(answering(hello)) as web,
        running_master(confdir, mode=["regular", f"socks5@{LOCAL}:{fixed}"]) as running,
    ):
        running.master.options.listen_port = one
        assert running.proxy.listen_addrs == [(LOCAL, one), (LOCAL, fixed)]
        running.master.options.update(listen_port=two, listen_host="::1")
        assert running.proxy.listen_addrs == [("::1", two), (LOCAL, fixed)]
        await started(running)
        async with connected(two, "::1") as end:
            await ask(end, web, "/six")
        running.master.options.listen_host = ""
        assert (("0.0.0.0", two) in running.proxy.listen_addrs) and (("::", two) in running.proxy.listen_addrs)
        await started(running)
        async with connected(two, "::1") as six, connected(two) as four:
            await ask(six, web, "/six")
            await ask(four, web, "/four")
        assert running.logged(f"listening at [::1]:{two}")


async def test_no_server_at_all_and_all_of_them_again(confdir: Path):
    port = free_port()
    async with (
        origin(answering(hello)) as web,
        running_master(confdir, mode=[f"regular@{LOCAL}:{port}"]) as running,
        connected(port) as end,
    ):
        await ask(end, web, "/one")
        running.master.options.server = False
        assert running.proxy.listen_addrs == []
        await ask(end, web, "/two")
        running.master.options.server = True
        async with connected(port) as other:
            await ask(other, web, "/three")


async def test_another_addon_that_refuses_takes_the_change_back(confdir: Path):
    port = free_port()

    class Conservative:
        def configure(self, updated: set[str]) -> None:
            from midstream import ctx

            if "mode" in updated and "socks5" in ctx.options.mode[0]:
                raise OptionsError("no SOCKS here")

    async with (
        origin(answering(hello)) as web,
        running_master(confdir, Conservative(), mode=[f"regular@{LOCAL}:{port}"]) as running,
        connected(port) as end,
    ):
        with pytest.raises(OptionsError, match="no SOCKS here"):
            running.master.options.mode = [f"socks5@{LOCAL}:{port}"]
        await ask(end, web, "/one")
        async with connected(port) as other:
            await ask(other, web, "/two")
        assert specs(running) == [f"regular@{LOCAL}:{port}"]


@pytest.mark.parametrize(
    ("modes", "says"),
    [
        (
            ["regular@8080", "socks5@8080"],
            "both want to listen on 127.0.0.1:8080; give one of them another port, as in 'socks5@8082'",
        ),
        (["regular@0.0.0.0:8080", "socks5@8080"], "both want to listen on 127.0.0.1:8080"),
        (["regular@0.0.0.0:8080", "socks5@127.0.0.1:8080"], "both want to listen on 127.0.0.1:8080"),
        (["regular", "regular"], "both want to listen on"),
        (["local"], "mode 'local': local comes in a later version"),
        (["wireguard"], "comes in a later version"),
        (["tun:tun0"], "comes in a later version"),
        (["reverse:http3://a.example"], "the scheme http3 comes in a later version"),
        (["reverse:quic://a.example:1"], "the scheme quic comes in a later version"),
        (["reverse:dtls://a.example:1"], "the scheme dtls comes in a later version"),
        (["osproxy"], "is now called local"),
    ],
)
async def test_what_cannot_be_set(confdir: Path, modes: list[str], says: str):
    async with running_master(confdir) as running:
        before = running.proxy.listen_addrs
        with pytest.raises(OptionsError) as refused:
            running.master.options.mode = modes
        assert says in str(refused.value)
        assert "\n" not in str(refused.value)
        assert running.proxy.listen_addrs == before


async def test_udp_and_tcp_share_a_port_number(confdir: Path):
    port = free_port()
    modes = [f"regular@{LOCAL}:{port}", f"reverse:udp://{LOCAL}:9@{LOCAL}:{port}"]
    async with running_master(confdir, mode=modes) as running:
        assert specs(running) == modes
        assert [server.listen_addrs for server in running.proxy.servers] == [((LOCAL, port),)] * 2


SCRIPT = """\
from midstream import command, ctx

class Switch:
    @command.command("switch")
    def switch(self, *specs: str) -> None:
        ctx.options.mode = list(specs)

    def request(self, flow):
        servers = ctx.master.addons.get("proxyserver").servers
        print("SERVERS", [one.to_json()["type"] for one in servers], flow.client_conn.proxy_mode.full_spec)
        ctx.options.mode = ["regular@127.0.0.1:PORT", "socks5@127.0.0.1:0"]

addons = [Switch()]
"""


async def test_a_script_changes_the_modes_in_the_middle_of_a_request(confdir: Path, tmp_path: Path):
    port = free_port()
    script = tmp_path / "switch.py"
    script.write_text(SCRIPT.replace("PORT", str(port)))
    async with (
        origin(answering(hello)) as web,
        middump(confdir, "--mode", f"regular@{LOCAL}:{port}", "-s", str(script)) as program,
        connected(port) as end,
    ):
        await ask(end, web, "/one")
        await program.line(f"SERVERS ['regular'] regular@{LOCAL}:{port}")
        await ask(end, web, "/two")
        await program.line(f"SERVERS ['regular', 'socks5'] regular@{LOCAL}:{port}")
        await program.line("SOCKS v5 proxy listening at")


MIDSTREAM = [sys.executable, "-c", "from midstream.cli import midstream; raise SystemExit(midstream())"]


class Hello(QuietHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(b"hello")


def hears(program: ProgramOnPty, sock: socket.socket, mark: bytes) -> None:
    """Until the client has heard that; the screen is read meanwhile, as the program must never wait for us."""
    sock.setblocking(False)
    heard, end = b"", time.monotonic() + 20
    while mark not in heard:
        assert time.monotonic() < end, f"heard {heard!r}\n{program.text}"
        program.read()
        try:
            heard += sock.recv(65536)
        except BlockingIOError:
            continue
    sock.setblocking(True)


def test_in_the_options_pane(tmp_path: Path):
    """A busy port is told in the very table, where the value stays to be corrected; the old set goes on meanwhile."""
    port, other = free_port(), free_port()
    argv = [*MIDSTREAM, "--mode", f"regular@{LOCAL}:{port}", "--set", f"confdir={tmp_path / 'conf'}"]
    with threaded_origin(Hello) as web, busy_port() as busy, ProgramOnPty(argv) as program:
        request = f"GET http://{LOCAL}:{web}/ HTTP/1.1\r\nHost: {LOCAL}:{web}\r\n\r\n".encode()
        program.wait_for(f":{port}")
        with socket.create_connection((LOCAL, port)) as client:
            client.sendall(request)
            hears(program, client, b"hello")
            program.send("O", "/", "servers to run", "<enter>")
            program.wait_for(lambda seen: any(line.startswith("> mode ") for line in seen.lines))
            program.send("<enter>")
            program.wait_for("option mode")
            program.send("a", f"socks5@{LOCAL}:{busy}")
            program.wait_for(f"socks5@{LOCAL}:{busy}")
            program.send("<enter>", "<ctrl s>")
            program.wait_for(f"cannot listen on {LOCAL}:{busy}")
            client.sendall(request)
            hears(program, client, b"hello")
            program.send("<enter>", "<ctrl e>")
            for _ in str(busy):
                program.send("<backspace>")
            program.send(str(other), "<enter>", "<ctrl s>")
            program.wait_for(lambda seen: "option mode" not in seen.text)
            client.sendall(request)
            hears(program, client, b"hello")
            with socket.create_connection((LOCAL, other)) as socks:
                socks.sendall(b"\x05\x01\x00")
                hears(program, socks, b"\x05\x00")
        program.send("Q")
        assert program.wait_ended() == 0
