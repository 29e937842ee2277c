"""HTTP/2 through the running program: many large streams at once, one of which nobody reads; and its switch."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, StreamEnded
from h2.settings import SettingCodes

from tests.end2end.test_streaming import memory
from tests.kit.curl import curl, needs_curl
from tests.kit.origins import OriginCA
from tests.kit.program import middump
from tests.kit.waiting import PATIENCE
from tests.kit.web_server import Message, Receive, Send, web_server, whole_body

pytestmark = pytest.mark.end2end

BODY = 1024 * 1024
STREAMS = 100
STALLED = 1


async def large(scope: Message, receive: Receive, send: Send) -> None:
    """A server whose every answer has a megabyte."""
    await whole_body(receive)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % BODY)]})
    for _ in range(BODY // 65536):
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


class Client:
    """One HTTP/2 connection through CONNECT. It gives no room to the stream STALLED until it is told to."""

    def __init__(self) -> None:
        self.state = H2Connection(H2Configuration(header_encoding=None))
        self.sizes: dict[int, int] = {}
        self.whole: set[int] = set()
        self.held_back = 0

    async def connect(self, port: int, target: str, trust: ssl.SSLContext) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        self.writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        assert b" 200 " in await self.reader.readuntil(b"\r\n\r\n")
        trust.set_alpn_protocols(["h2"])
        await self.writer.start_tls(trust, server_hostname="localhost")
        self.state.initiate_connection()
        self.state.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 128 * 1024})
        self.state.increment_flow_control_window(1 << 30)

    def ask(self, target: str) -> None:
        number = self.state.get_next_available_stream_id()
        head = [(":method", "GET"), (":scheme", "https"), (":authority", target), (":path", f"/{number}")]
        self.state.send_headers(number, head, end_stream=True)
        self.sizes[number] = 0

    async def until(self, count: int) -> None:
        """So many streams are whole. However long that takes: a busy machine is slow, but never silent."""
        while len(self.whole) < count:
            self.writer.write(self.state.data_to_send())
            async with asyncio.timeout(PATIENCE):
                data = await self.reader.read(1 << 18)
            assert data, f"the connection ended when {len(self.whole)} of {count} streams were whole"
            for event in self.state.receive_data(data):
                if isinstance(event, DataReceived):
                    self._take(event.stream_id or 0, len(event.data or b""), event.flow_controlled_length or 0)
                elif isinstance(event, StreamEnded):
                    self.whole.add(event.stream_id or 0)
        self.writer.write(self.state.data_to_send())

    def _take(self, number: int, size: int, room: int) -> None:
        self.sizes[number] += size
        if number == STALLED:
            self.held_back += room
        else:
            self.state.acknowledge_received_data(room, number)

    def give_room(self) -> None:
        self.state.increment_flow_control_window(BODY, STALLED)


async def test_one_stalled_reader_among_a_hundred_large_streams(
    confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]
):
    streaming = ("--set", "stream_large_bodies=100k")
    async with web_server(large, tls=origin_ca) as server, middump(confdir, *trusting, *streaming) as program:
        client = Client()
        await client.connect(program.port, server.authority, ssl.create_default_context(cafile=str(program.ca)))
        before = memory(program, "VmRSS")
        for _ in range(STREAMS):
            client.ask(server.authority)
        await client.until(STREAMS - 1)
        assert STALLED not in client.whole
        assert memory(program) - before < 80 * 1024  # of the hundred megabytes that went through
        client.give_room()
        await client.until(STREAMS)
        assert set(client.sizes.values()) == {BODY}
        client.writer.close()


@needs_curl
async def test_switched_off_both_sides_speak_http1(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]):
    async with web_server(large, tls=origin_ca) as server, middump(confdir, *trusting, "--no-http2") as program:
        through = ("--proxy", program.address, "--cacert", str(program.ca), "--http2")
        done = await curl(*through, server.url())
        assert (done.exit, done.status) == (0, 200), done.errors
        assert b"HTTP/2" not in done.head
        assert server.versions == {"1.1"}
