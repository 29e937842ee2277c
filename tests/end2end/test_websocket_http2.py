"""WebSockets over HTTP/2 (RFC 8441) on real sockets: a client made of h2 and wsproto, Hypercorn as the server; what
scripts and persons do to messages is the same as over HTTP/1.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RemoteSettingsChanged, ResponseReceived
from h2.settings import SettingCodes
from wsproto import ConnectionType
from wsproto import events as ws
from wsproto.connection import Connection
from wsproto.extensions import PerMessageDeflate

from midstream.addons.intercept import Intercept
from midstream.flows.http import HTTPFlow
from tests.kit.origins import OriginCA
from tests.kit.running_master import RunningMaster, running_master
from tests.kit.waiting import PATIENCE, until
from tests.kit.web_server import Message, Receive, Send, web_server

pytestmark = pytest.mark.end2end

ALPN = {"2": ["h2", "http/1.1"], "1.1": ["http/1.1"]}


class Client:
    """A WebSocket in a stream of an HTTP/2 connection through CONNECT; see `opened`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.http = H2Connection(H2Configuration(header_encoding="ascii"))
        self.websocket: Connection | None = None
        self.heard: list[ws.Event] = []
        self._stream = 0

    async def begin(self) -> None:
        """The start of the connection."""
        self.http.initiate_connection()
        await self._until(lambda event: isinstance(event, RemoteSettingsChanged))
        assert self.http.remote_settings[SettingCodes.ENABLE_CONNECT_PROTOCOL] == 1

    async def open(self, authority: str) -> None:
        """A WebSocket in a stream of its own."""
        deflate = PerMessageDeflate()
        self._stream = self.http.get_next_available_stream_id()
        self.http.send_headers(
            self._stream,
            [
                (":method", "CONNECT"),
                (":protocol", "websocket"),
                (":scheme", "https"),
                (":authority", authority),
                (":path", "/chat"),
                ("sec-websocket-version", "13"),
                ("sec-websocket-extensions", f"permessage-deflate; {deflate.offer()}"),
            ],
        )
        response = await self._until(lambda event: isinstance(event, ResponseReceived))
        assert isinstance(response, ResponseReceived)
        fields = dict(response.headers)
        assert fields[":status"] == "200"
        deflate.finalize(fields["sec-websocket-extensions"])
        self.websocket = Connection(ConnectionType.CLIENT, [deflate])

    def say(self, event: ws.Event) -> None:
        assert self.websocket is not None
        self.http.send_data(self._stream, self.websocket.send(event))
        self.writer.write(self.http.data_to_send())

    async def hear(self) -> ws.Event:
        """What the server says next."""
        while not self.heard:
            await self._until(lambda event: isinstance(event, DataReceived))
        return self.heard.pop(0)

    async def echoed(self, text: str) -> str:
        """What comes back for a message."""
        self.say(ws.TextMessage(text))
        event = await self.hear()
        assert isinstance(event, ws.TextMessage)
        return event.data

    async def _until(self, is_it: Callable[[object], bool]) -> object:
        async with asyncio.timeout(PATIENCE):
            while True:
                self.writer.write(self.http.data_to_send())
                data = await self.reader.read(65536)
                assert data, "the connection ended"
                found = None
                for event in self.http.receive_data(data):
                    self._take(event)
                    if is_it(event):
                        found = event
                self.writer.write(self.http.data_to_send())
                if found is not None:
                    return found

    def _take(self, event: object) -> None:
        if isinstance(event, DataReceived) and self.websocket is not None:
            self.http.acknowledge_received_data(event.flow_controlled_length or 0, self._stream)
            self.websocket.receive_data(event.data or b"")
            self.heard.extend(self.websocket.events())


@asynccontextmanager
async def opened(running: RunningMaster, authority: str) -> AsyncIterator[Client]:
    """A WebSocket to that server, through the proxy."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
    assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    trust: ssl.SSLContext = running.trusting()
    trust.set_alpn_protocols(["h2"])
    await writer.start_tls(trust, server_hostname="localhost")
    client = Client(reader, writer)
    try:
        await client.begin()
        await client.open(authority)
        yield client
    finally:
        writer.close()


class Echo:
    """An app that sends messages back; `spoken` are the versions of HTTP that clients came with."""

    def __init__(self) -> None:
        self.spoken: list[str] = []
        self.messages: list[str] = []
        self.is_over = False

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        assert scope["type"] == "websocket"
        self.spoken.append(scope["http_version"])
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            self.messages.append(message["text"])
            await send({"type": "websocket.send", "text": message["text"]})
        self.is_over = True


class Script:
    """What a user's script would do."""

    def websocket_message(self, flow: HTTPFlow) -> None:
        assert flow.websocket is not None
        message = flow.websocket.messages[-1]
        if message.injected or not message.from_client:
            return
        if message.text == "edit me":
            message.text = "edited " * 10_000
        elif message.text == "drop me":
            message.drop()
        elif message.text == "kill me":
            flow.kill()


def flow_of(running: RunningMaster) -> HTTPFlow:
    flow = running.recorder.last("websocket_start")
    assert isinstance(flow, HTTPFlow)
    return flow


@pytest.mark.parametrize("version", ALPN)
async def test_a_script_edits_and_drops_and_a_command_injects(
    tmp_path: Path, origin_ca: OriginCA, trust: dict[str, str], version: str
):
    app = Echo()
    async with (
        web_server(app, tls=origin_ca, alpn_protocols=ALPN[version]) as server,
        running_master(tmp_path, Script(), **trust) as running,
    ):
        async with opened(running, server.authority) as client:
            assert await client.echoed("as it is") == "as it is"
            client.say(ws.TextMessage("drop me"))
            assert (await client.echoed("edit me")).startswith("edited ")
            running.master.commands.call("inject.websocket", flow_of(running), True, b"injected")
            while not isinstance(event := await client.hear(), ws.TextMessage) or event.data != "injected":
                pass  # the rest of what was edited
            client.say(ws.Ping(b"there?"))
            assert await client.hear() == ws.Pong(b"there?")
            client.say(ws.CloseConnection(4001, "so long"))
            assert await client.hear() == ws.CloseConnection(4001, "so long")
        await until(lambda: app.is_over, "the server is told")
        await running.idle()
        assert app.spoken == [version]
        assert app.messages == ["as it is", "edited " * 10_000]
        data = flow_of(running).websocket
        assert data is not None
        assert (data.close_code, data.close_reason, data.closed_by_client) == (4001, "so long", True)
        assert [message.dropped for message in data.messages].count(True) == 1
        assert not running.logged("unexpectedly")


@pytest.mark.parametrize("version", ALPN)
async def test_pings_pass_while_a_message_is_held(
    tmp_path: Path, origin_ca: OriginCA, trust: dict[str, str], version: str
):
    app = Echo()
    async with (
        web_server(app, tls=origin_ca, alpn_protocols=ALPN[version]) as server,
        running_master(tmp_path, Intercept(), intercept="~websocket & ~bq secret", **trust) as running,
        opened(running, server.authority) as client,
    ):
        client.say(ws.TextMessage("a secret"))
        await until(lambda: flow_of(running).intercepted, "it is held")
        for number in range(20):
            client.say(ws.Ping(b"%d" % number))
            assert await client.hear() == ws.Pong(b"%d" % number)
        assert app.messages == []
        data = flow_of(running).websocket
        assert data is not None
        data.messages[-1].text = "no more"
        flow_of(running).resume()
        assert await client.hear() == ws.TextMessage("no more")


@pytest.mark.parametrize("version", ALPN)
async def test_a_kill_ends_the_stream_and_not_the_connection(
    tmp_path: Path, origin_ca: OriginCA, trust: dict[str, str], version: str
):
    app = Echo()
    async with (
        web_server(app, tls=origin_ca, alpn_protocols=ALPN[version]) as server,
        running_master(tmp_path, Script(), **trust) as running,
        opened(running, server.authority) as client,
    ):
        client.say(ws.TextMessage("kill me"))
        await until(lambda: app.is_over, "the server is told")
        assert app.messages == []
        client.websocket = None
        await client.open(server.authority)
        assert await client.echoed("again") == "again"
