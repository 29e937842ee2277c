"""WebSockets through the whole program: scripts that edit, drop and inject, commands, holding by a filter, the lines of
middump and the screen of midstream. Real clients of each kind are in `clients/`, Autobahn's cases beside this file.
"""

import asyncio
import ssl
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.sync.client import connect as connect_sync

from midstream.addons.intercept import Intercept
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.flows.tcp import TCPFlow
from midstream.flows.udp import UDPFlow
from tests.kit.datagrams import udp_client, udp_echo
from tests.kit.origins import origin
from tests.kit.program import free_port, middump
from tests.kit.pty import ProgramOnPty
from tests.kit.running_master import RunningMaster, running_master
from tests.kit.socket_end import SocketEnd, tunnelled
from tests.kit.waiting import PATIENCE, until
from tests.kit.websocket_echo import websocket_echo

pytestmark = pytest.mark.end2end

SCRIPT = """
from midstream import ctx

def websocket_message(flow):
    message = flow.websocket.messages[-1]
    if message.injected:
        return
    if message.from_client and message.content == b"edit me":
        message.text = "edited"
    elif message.content == b"drop me":
        message.drop()
    elif message.from_client and message.content == b"answer me":
        message.drop()
        ctx.master.commands.call("inject.websocket", flow, True, b"from the script")
    elif message.content == b"kill me":
        flow.kill()
"""


def scheme_of(tls: ssl.SSLContext | None) -> str:
    return "ws" if tls is None else "wss"


async def test_a_script_edits_drops_injects_and_kills(
    tmp_path: Path, confdir: Path, tls: ssl.SSLContext | None, trusting: tuple[str, str]
):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    async with (
        websocket_echo(tls) as echo,
        middump(confdir, "-s", str(script), *trusting) as program,
    ):
        trust = ssl.create_default_context(cafile=str(program.ca)) if tls else None
        url = f"{scheme_of(tls)}://localhost:{echo.port}/chat"
        async with connect(url, proxy=program.address, ssl=trust) as client:
            for said, heard in {"edit me": "edited", "answer me": "from the script", "as it is": "as it is"}.items():
                await client.send("drop me")
                await client.send(said)
                assert await client.recv() == heard
            await client.send("kill me")
            with pytest.raises((ConnectionClosedError, OSError)):
                await client.recv()
        assert echo.messages == ["edited", "as it is"]
        await program.line("-> ", f"localhost:{echo.port}/chat websocket text 8b")
        await program.line("<- ", f"localhost:{echo.port}/chat websocket text (injected) 15b")
        await program.line("websocket ended by the proxy: 1006 after")
        await program.line("!! Connection killed.")


async def test_the_lines_of_middump(confdir: Path):
    async with websocket_echo() as echo, middump(confdir, "--flow-detail", "3") as program:
        url = f"ws://localhost:{echo.port}/chat"
        async with connect(url, proxy=program.address) as client:
            await client.send("hello\x1b\nthere")
            await client.recv()
            await client.send(b"\x00\x01")
            await client.recv()
            await client.close(4001, "so long")
        end = await program.line("websocket closed by client: 4001 so long after 4 messages", url.replace("ws", "http"))
        place = program.lines.index(end)
        shown = [line.strip() for line in program.lines[:place]]
        assert shown.count("hello␛") == 2
        assert shown.count("there") == 2
        assert sum("websocket binary 2b" in line for line in shown) == 2
        async with connect(url, proxy=program.address) as client:
            client.transport.abort()
        await program.line("websocket closed by client: 1006 broke off after 0 messages")
        assert echo.closes == [(4001, "so long")]


# -- commands --


async def live(running: RunningMaster, kind: type[Flow]) -> Flow:
    """The flow that something can be sent into."""
    found: list[Flow] = []

    def is_there() -> bool:
        found[:] = [flow for _, flow in running.recorder.seen if isinstance(flow, kind) and flow.injector is not None]
        return bool(found)

    await until(is_there, "a flow takes messages")
    return found[-1]


async def test_messages_are_sent_into_a_websocket_by_command(tmp_path: Path):
    async with websocket_echo() as echo, running_master(tmp_path) as running:
        async with connect(f"ws://localhost:{echo.port}/chat", proxy=running.address) as client:
            flow = await live(running, HTTPFlow)
            running.master.commands.execute(f"inject.websocket @{flow.id} true 'for the client\\x21'")
            assert await client.recv() == "for the client!"
            running.master.commands.call("inject.websocket", flow, True, b"\xff\x00", False)
            assert await client.recv() == b"\xff\x00"
            running.master.commands.call("inject.websocket", flow, False, "grüße".encode(), True)
            assert await client.recv() == "grüße"
            assert echo.messages == ["grüße"]
            with pytest.raises(CommandError, match="not UTF-8"):
                running.master.commands.call("inject.websocket", flow, False, b"\xff")
            with pytest.raises(CommandError, match="no TCP flow"):
                running.master.commands.call("inject.tcp", flow, False, b"x")
        await running.idle()
        assert isinstance(flow, HTTPFlow) and flow.websocket is not None
        assert [(one.from_client, one.injected) for one in flow.websocket.messages] == [
            (False, True), (False, True), (True, True), (False, False),
        ]  # fmt: skip
        with pytest.raises(CommandError, match="not live"):
            running.master.commands.call("inject.websocket", flow, False, b"x")


async def test_bytes_are_sent_into_a_tcp_flow_by_command(tmp_path: Path):
    async def echo(end: SocketEnd) -> None:
        while data := await end.read():
            end.say(data)

    async with origin(echo) as web, running_master(tmp_path) as running, tunnelled(running.port, web.authority) as end:
        end.say(b"\x00")
        await end.expect(b"\x00")
        flow = await live(running, TCPFlow)
        running.master.commands.call("inject.tcp", flow, True, b"for the client")
        await end.expect(b"for the client")
        running.master.commands.call("inject.tcp", flow, False, b"for the server")
        await end.expect(b"for the server")
        assert isinstance(flow, TCPFlow)
        assert [one.from_client for one in flow.messages] == [True, False, False, True, False]
        with pytest.raises(CommandError, match="no WebSocket"):
            running.master.commands.call("inject.websocket", flow, True, b"x")
        with pytest.raises(CommandError, match="no UDP flow"):
            running.master.commands.call("inject.udp", flow, True, b"x")
        web.connections[0].close()
        await end.expect_closed()
        end.close()
        await running.idle()
        with pytest.raises(CommandError, match="not live"):
            running.master.commands.call("inject.tcp", flow, False, b"x")


async def test_a_direction_of_a_tcp_flow_that_has_ended_takes_nothing(tmp_path: Path):
    ended = asyncio.Event()

    async def listen(end: SocketEnd) -> None:
        while await end.read():
            pass
        ended.set()
        end.say(b"bye")
        await end.closed()

    async with (
        origin(listen) as web,
        running_master(tmp_path) as running,
        tunnelled(running.port, web.authority) as end,
    ):
        end.say(b"\x00")
        flow = await live(running, TCPFlow)
        end.end()
        await ended.wait()
        await end.expect(b"bye")
        with pytest.raises(CommandError, match="ended"):
            running.master.commands.call("inject.tcp", flow, False, b"x")
        running.master.commands.call("inject.tcp", flow, True, b"still")
        await end.expect(b"still")


async def test_datagrams_are_sent_into_a_udp_flow_by_command(tmp_path: Path):
    async with (
        udp_echo() as port,
        running_master(tmp_path, mode=[f"reverse:udp://127.0.0.1:{port}"]) as running,
        udp_client(running.port) as client,
    ):
        client.say(b"hello")
        await client.expect(b"hello")
        flow = await live(running, UDPFlow)
        running.master.commands.call("inject.udp", flow, True, b"for the client")
        await client.expect(b"for the client")
        running.master.commands.call("inject.udp", flow, False, b"for the server")
        await client.expect(b"for the server")


# -- holding --


async def test_pings_pass_while_messages_that_match_a_filter_are_held(tmp_path: Path):
    async with (
        websocket_echo() as echo,
        running_master(tmp_path, Intercept(), intercept="~websocket & ~bq secret") as running,
        connect(f"ws://localhost:{echo.port}/chat", proxy=running.address) as client,
    ):
        await client.send("open")
        assert await client.recv() == "open"
        await client.send("a secret")
        await client.send("behind it")
        flow = await live(running, HTTPFlow)
        await until(lambda: flow.intercepted, "it is held")
        for _ in range(20):
            await asyncio.wait_for(await client.ping(), 5)
        assert echo.messages == ["open"]
        assert isinstance(flow, HTTPFlow) and flow.websocket is not None
        flow.websocket.messages[-1].text = "no more"
        running.master.options.intercept = None
        flow.resume()
        assert await client.recv() == "no more"
        assert await client.recv() == "behind it"


# -- hostile peers --


async def test_fifty_thousand_pings_are_answered_in_order(tmp_path: Path):
    async with websocket_echo() as echo, running_master(tmp_path) as running:

        async def until_all(end: SocketEnd, size: int) -> None:
            answers = await end.take(size)
            assert answers == b"".join(b"\x8a\x06%06d" % number for number in range(50_000))

        async with tunnelled(running.port, f"localhost:{echo.port}") as end:
            end.say(
                b"GET /chat HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            await end.head()
            reading = asyncio.ensure_future(until_all(end, 50_000 * 8))
            for number in range(50_000):
                end.say(b"\x89\x86\0\0\0\0%06d" % number)
                if number % 1000 == 0:
                    await end.drain()
            await reading


@pytest.mark.parametrize(
    ("raw", "code"), [(b"\x81\x01x", 1002), (b"\x81\x81\0\0\0\0\xff", 1007), (b"\x82\xff\0\0\0\x10\0\0\0\0", 1009)],
    ids=["not masked", "not UTF-8", "64 GiB"],
)  # fmt: skip
async def test_a_client_that_breaks_the_protocol(tmp_path: Path, raw: bytes, code: int):
    async with websocket_echo() as echo, running_master(tmp_path) as running:
        async with connect(f"ws://localhost:{echo.port}/chat", proxy=running.address, compression=None) as client:
            client.transport.write(raw)
            with pytest.raises(ConnectionClosed):
                await client.recv()
            assert client.close_code == code
        await until(lambda: echo.closes, "the server is told")
        assert echo.closes[0][0] == 1011
        assert running.logged("the client sent too much" if code == 1009 else "the client broke the WebSocket protocol")


# -- the screen --

MIDSTREAM = [sys.executable, "-c", "from midstream.cli import midstream; raise SystemExit(midstream())"]


EDITOR = """#!{python}
import sys
with open(sys.argv[-1], "r+") as file:
    text = file.read().replace("hold me", "let me go")
    file.seek(0)
    file.write(text)
"""


async def test_the_screen_shows_messages_as_they_come_and_holds_and_edits_them(tmp_path: Path):
    editor = tmp_path / "editor"
    editor.write_text(EDITOR.format(python=sys.executable))
    editor.chmod(0o755)
    port = free_port()
    argv = [*MIDSTREAM, "--listen-host", "127.0.0.1", "-p", str(port), "--set", f"confdir={tmp_path / 'conf'}"]
    async with websocket_echo() as echo:
        with ProgramOnPty(argv, 120, 32, env={"MIDSTREAM_EDITOR": str(editor)}) as program:
            await asyncio.to_thread(_watch, program, port, echo.port)
    assert echo.messages == ["hello there", "and more", "let me go"]


def _watch(program: ProgramOnPty, port: int, echo: int) -> None:
    program.wait_for(f":{port}")
    with connect_sync(f"ws://localhost:{echo}/chat", proxy=f"http://127.0.0.1:{port}") as client:
        client.send("hello there")
        program.wait_for("101")
        program.send("<enter>")
        program.wait_for("Messages")
        program.send("<tab>", "<tab>")
        program.wait_for("hello there")
        client.send("and more")
        program.wait_for("and more")
        for text in ("hello there", "and more"):
            assert client.recv(PATIENCE) == text
        program.send("i", "~websocket", "<enter>")
        program.wait_for("i:~websocket")  # it holds from now on; what is typed is seen before
        client.send("hold me")
        program.wait_for("‖ held  hold me")
        program.send("e", "e")
        program.wait_for("message edited")
        program.send("a")
        program.wait_for("← text      9b  ‖ held  let me go")
        program.send("a")
        assert client.recv(PATIENCE) == "let me go"
        client.send("drop me")
        program.wait_for("‖ held  drop me")
        program.send("e", "d")
        program.wait_for("dropped  drop me")
    program.wait_for("closed by the client  1000")
