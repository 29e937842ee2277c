"""Requests sent again by a running program, to servers that we did not write and to some that do as they are told."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from midstream.flows.attempt import REPLAY_OF
from midstream.flows.flow import Flow
from midstream.flows.http import Headers, HTTPFlow, Request
from midstream.flows.websocket import WebSocketData, WebSocketMessage
from midstream.proxy.websocket import play
from midstream.store.formats.native import FlowWriter
from tests.kit.captured import http_flow, tcp_flow
from tests.kit.curl import curl, needs_curl
from tests.kit.origins import Heard, Origin, OriginCA, answering, ok, origin
from tests.kit.program import middump, started
from tests.kit.running_master import RunningMaster, running_master
from tests.kit.socket_end import SocketEnd
from tests.kit.waiting import until
from tests.kit.web_server import Message, Receive, Send, respond, web_server, whole_body
from tests.kit.websocket_echo import websocket_echo

pytestmark = [pytest.mark.end2end, needs_curl]


def to(web: Origin, path: str = "/", method: str = "GET", **other: object) -> HTTPFlow:
    """A captured flow that went to this server."""
    return http_flow(web.url(path), method, **other)  # type: ignore[arg-type]


def draft(url: str, method: str = "GET", body: bytes = b"", *fields: tuple[bytes, bytes]) -> HTTPFlow:
    """A flow that somebody made, and that was never sent."""
    return http_flow(url, method, status=None, request_body=body, request_headers=fields)


def replays(running: RunningMaster, event: str = "response") -> list[HTTPFlow]:
    """The flows of such events so far, that were sent by a replay."""
    return [
        flow
        for name, flow in running.recorder.seen
        if name == event and isinstance(flow, HTTPFlow) and flow.is_replay == "request"
    ]


async def replay(running: RunningMaster, *flows: Flow) -> list[HTTPFlow]:
    """Replay these and wait until none is left; the attempts in the order of their requests."""
    before = len(replays(running, "requestheaders"))
    running.master.commands.call("replay.client", flows)
    await until(lambda: not running.master.commands.call("replay.client.count"), "the replays are over")
    return replays(running, "requestheaders")[before:]


def echo(heard: Heard) -> bytes:
    return ok(f"{heard.method} {heard.target} ".encode() + heard.body)


async def test_each_attempt_is_a_flow_of_its_own_and_the_first_one_stays_as_it_was(tmp_path: Path):
    async with origin(answering(echo)) as web, running_master(tmp_path) as running:
        await curl("--proxy", running.address, "-d", "as it was", web.url("/first"))
        first = running.recorder.last("response")
        assert isinstance(first, HTTPFlow)
        await until(lambda: not first.live, "it is over")
        first.backup()
        first.request.content = b"edited"
        first.marked = ":dog:"
        state = first.get_state()
        running.recorder.seen.clear()
        one, two = await replay(running, first, first)
        assert first.get_state() == state and first.modified()
        assert one.id != first.id != two.id != one.id
        for attempt in (one, two):
            assert attempt.metadata[REPLAY_OF] == first.id
            assert attempt.request.content == b"edited"
            assert attempt.response is not None and attempt.response.content == b"POST /first edited"
            assert not attempt.live and attempt.error is None and attempt.marked == ""
            assert attempt.request.timestamp_start > first.request.timestamp_start
            assert attempt.request.timestamp_end is not None
        names = ["requestheaders", "request", "responseheaders", "response"]
        assert running.recorder.names() == names * 2
        assert [heard.body for heard in web.requests] == [b"as it was", b"edited", b"edited"]


async def test_what_a_client_says_to_a_proxy_is_not_repeated_to_the_server(tmp_path: Path):
    fields = ((b"Host", b"x"), (b"Proxy-Authorization", b"Basic eA=="), (b"Connection", b"X-Hop"), (b"X-Hop", b"1"),
              (b"X-Stays", b"1"))  # fmt: skip
    async with origin(answering(echo)) as web, running_master(tmp_path) as running:
        await replay(running, to(web, request_headers=fields))
        assert web.requests[0].head == b"GET / HTTP/1.1\r\nHost: x\r\nX-Stays: 1\r\n\r\n"


async def test_a_draft_is_sent_itself_and_gets_the_host_that_it_lacks(tmp_path: Path):
    async with origin(answering(echo)) as web, running_master(tmp_path) as running:
        flow = draft(web.url("/made"), "PUT", b"body")
        (sent,) = await replay(running, flow)
        assert sent is flow and REPLAY_OF not in flow.metadata
        assert flow.response is not None and flow.response.content == b"PUT /made body"
        assert web.requests[0].fields["host"] == web.authority
        (again,) = await replay(running, flow)  # which was sent by now
        assert again is not flow and again.metadata[REPLAY_OF] == flow.id


async def test_a_failure_is_the_attempts_own_and_the_next_one_goes_on(tmp_path: Path):
    async def rude(end: SocketEnd) -> None:
        await end.until(b"\r\n\r\n")

    async with (
        origin(answering(echo)) as web,
        origin(rude) as bad,
        running_master(tmp_path) as running,
    ):
        nobody = to(web)
        nobody.request.port = 1
        nonsense = to(web)
        nonsense.request.raw_method = b"NO METHOD"
        flows = await replay(running, nobody, to(bad), nonsense, to(web, "/good"))
        assert [flow.response is not None for flow in flows] == [False, False, False, True]
        errors = [flow.error.msg for flow in flows if flow.error]
        assert "refused the connection" in errors[0]
        assert "closed the connection without an answer" in errors[1]
        assert "the method 'NO METHOD' contains" in errors[2]
        assert not any(flow.live for flow in flows)
        assert running.recorder.names().count("error") == 3


async def test_what_cannot_be_replayed_is_left_out_with_a_reason(tmp_path: Path):
    async with origin(answering(echo)) as web, running_master(tmp_path) as running:
        live, held, connect_, bodiless, cut = to(web), to(web), to(web), to(web, "/b", "POST"), to(web)
        live.live = held.intercepted = True
        connect_.request.method = "CONNECT"
        bodiless.request.headers["Content-Length"] = "5"
        bodiless.request.raw_content = None
        cut.metadata["request_body_cut"] = "first 3 bytes"
        assert await replay(running, live, held, connect_, bodiless, cut, tcp_flow()) == []
        for reason in (
            "1 flow cannot be replayed: it is still under way",
            "1 flow cannot be replayed: it is held",
            "1 flow cannot be replayed: a CONNECT only opens a tunnel",
            "2 flows cannot be replayed: the body of its request was not kept",
            "1 flow cannot be replayed: it is a TCP flow, and only HTTP can be sent again",
        ):
            assert running.logged(reason), reason
        await replay(running, live)
        assert running.logged(f"GET {web.url()} cannot be replayed: it is still under way")
        assert web.requests == []


class Crowd:
    """A server that answers nobody until all have asked."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.here = self.most = 0
        self.full = asyncio.Event()

    async def __call__(self, end: SocketEnd) -> None:
        await end.until(b"\r\n\r\n")
        self.here += 1
        self.most = max(self.most, self.here)
        if self.here >= self.size:
            self.full.set()
        await self.full.wait()
        self.here -= 1
        end.say(ok(b"now"))
        await end.drain()


@pytest.mark.parametrize(("option", "at_once"), [(1, 1), (3, 3), (-1, 12)])
async def test_so_many_go_at_once(tmp_path: Path, option: int, at_once: int):
    crowd = Crowd(at_once)
    async with origin(crowd) as web, running_master(tmp_path, client_replay_concurrency=option) as running:
        flows = await replay(running, *(to(web, f"/{number}") for number in range(12)))
        assert crowd.most == at_once
        assert [flow.response is not None for flow in flows] == [True] * 12
        if option == 1:
            assert [flow.request.path for flow in flows] == [f"/{number}" for number in range(12)]


async def test_stop_clears_the_queue_and_count_counts(tmp_path: Path):
    go_on = asyncio.Event()

    async def waiting(end: SocketEnd) -> None:
        await end.until(b"\r\n\r\n")
        await go_on.wait()
        end.say(ok())

    async with origin(waiting) as web, running_master(tmp_path) as running:
        call = running.master.commands.call
        call("replay.client", [to(web), to(web), to(web)])
        await until(lambda: web.connections, "the first is under way")
        assert call("replay.client.count") == 3
        call("replay.client.stop")
        assert call("replay.client.count") == 1
        assert running.logged("2 replays taken off the queue")
        go_on.set()
        await until(lambda: call("replay.client.count") == 0, "the first is over")
        assert len(web.connections) == 1


async def test_a_replay_can_be_killed_and_ends_with_the_program(tmp_path: Path):
    async def silent(end: SocketEnd) -> None:
        await end.reader.read()

    async with origin(silent) as web:
        async with running_master(tmp_path) as running:
            running.master.commands.call("replay.client", [to(web), to(web)])
            await until(lambda: len(web.connections) == 1, "it is under way")
            first = replays(running, "request")[0]
            first.kill()
            await until(lambda: len(web.connections) == 2, "the next one is under way")
            assert first.error is not None and first.error.msg == "Connection killed."
        second = replays(running, "request")[1]
        assert second.error is not None and "shutting down" in second.error.msg and not second.live


async def test_a_silent_server_is_given_up_as_for_clients(tmp_path: Path):
    async def silent(end: SocketEnd) -> None:
        await end.reader.read()

    async with origin(silent) as web, running_master(tmp_path, tcp_timeout=1) as running:
        (flow,) = await replay(running, to(web))
        assert flow.error is not None and "did not answer" in flow.error.msg


async def test_large_bodies_are_bounded_as_usual(tmp_path: Path):
    body = b"x" * 300_000

    async with (
        origin(answering(lambda heard: ok(heard.body))) as web,
        running_master(tmp_path, body_buffer_limit="100k") as running,
    ):
        (flow,) = await replay(running, to(web, method="POST", request_body=body))
        assert web.requests[0].body == body
        assert flow.response is not None and "first 0 of" not in str(flow.metadata)
        assert (flow.response.raw_content or b"") == b""  # it was streamed, and nobody asked to keep it
        running.master.options.body_size_limit = "200k"
        (flow,) = await replay(running, to(web, method="POST", request_body=body))
        assert flow.error is not None and "larger than body_size_limit" in flow.error.msg


async def test_scripts_edit_answer_and_stream_replays_as_any_flow(tmp_path: Path):
    class Script:
        def requestheaders(self, flow: HTTPFlow) -> None:
            flow.request.stream = flow.request.path == "/stream"

        def request(self, flow: HTTPFlow) -> None:
            if flow.request.path == "/edit":
                flow.request.headers["X-Edit"] = "1"
                flow.request.content = b"longer than before"

        def response(self, flow: HTTPFlow) -> None:
            assert flow.response is not None
            flow.response.headers["X-Seen"] = "1"

    async with origin(answering(echo)) as web, running_master(tmp_path, Script()) as running:
        flows = await replay(running, to(web, "/edit", "POST", request_body=b"a"),
                             to(web, "/stream", "POST", request_body=b"in pieces"))  # fmt: skip
        assert [heard.body for heard in web.requests] == [b"longer than before", b"in pieces"]
        assert web.requests[0].fields["x-edit"] == "1"
        assert all(flow.response and flow.response.headers["X-Seen"] == "1" for flow in flows)


DUPLICATE = """
from mitmproxy import ctx

def request(flow):
    # Ours must not be duplicated again.
    if flow.is_replay == "request":
        return
    flow = flow.copy()
    if "view" in ctx.master.addons:
        ctx.master.commands.call("view.flows.duplicate", [flow])
    flow.request.path = "/changed"
    ctx.master.commands.call("replay.client", [flow])
"""


async def test_a_script_duplicates_and_replays(tmp_path: Path, confdir: Path):
    script = tmp_path / "duplicate.py"
    script.write_text(DUPLICATE)
    async with origin(answering(echo)) as web, middump(confdir, "-s", str(script)) as program:
        assert (await curl("--proxy", program.address, web.url("/first"))).body == b"GET /first "
        await program.line("GET", "/changed", "[replay]")
        await until(lambda: len(web.requests) == 2, "both have been sent")
        assert {heard.target for heard in web.requests} == {"/first", "/changed"}


# -- files


def saved(path: Path, *flows: Flow) -> Path:
    with path.open("wb") as file:
        for flow in flows:
            FlowWriter(file).add(flow)
    return path


async def test_a_file_is_replayed_and_the_program_ends(tmp_path: Path, confdir: Path):
    async with origin(answering(echo)) as web:
        path = saved(tmp_path / "flows", *(to(web, f"/{number}") for number in range(250)), tcp_flow())
        async with started(confdir, "-n", "-C", str(path)) as program:
            assert await program.ended() == 0, program.printed()
        assert [heard.target for heard in web.requests] == [f"/{number}" for number in range(250)]
        await program.line("cannot be replayed: it is a TCP flow")


async def test_the_program_stays_up_if_told_so(tmp_path: Path, confdir: Path):
    async with origin(answering(echo)) as web:
        path = saved(tmp_path / "flows", to(web))
        async with middump(confdir, "-C", str(path), "--keepserving") as program:
            await program.line("<- 200 OK")
            assert (await curl("--proxy", program.address, web.url("/later"))).body == b"GET /later "


async def test_a_file_by_command_and_by_option_while_it_runs(tmp_path: Path):
    async with origin(answering(echo)) as web, running_master(tmp_path) as running:
        path = saved(tmp_path / "flows", to(web, "/one"), to(web, "/two"))
        call = running.master.commands.call
        call("replay.client.file", str(path))
        await until(lambda: len(web.requests) == 2, "both are sent")
        running.master.options.client_replay = [str(path), str(path)]
        await until(lambda: len(web.requests) == 6, "both are sent twice")
        await until(lambda: call("replay.client.count") == 0, "it is over")


async def test_no_more_of_a_file_is_read_than_is_sent_soon(tmp_path: Path):
    async def silent(end: SocketEnd) -> None:
        await end.reader.read()

    async with origin(silent) as web, running_master(tmp_path) as running:
        path = saved(tmp_path / "flows", *(to(web) for _ in range(3000)))
        call = running.master.commands.call
        call("replay.client.file", str(path))
        await until(lambda: call("replay.client.count") > 50, "some of it is queued")
        assert running.master.jobs.running[0].what == f"replaying {path}"
        for _ in range(200):
            await asyncio.sleep(0)
        assert call("replay.client.count") < 1500  # all that is read in one go, and one more go
        call("replay.client.stop")
        assert call("replay.client.count") == 1
        await until(lambda: not running.master.jobs.running, "the file is let go")


async def test_of_a_damaged_file_what_can_be_read_is_sent(tmp_path: Path):
    async with origin(answering(echo)) as web, running_master(tmp_path) as running:
        path = saved(tmp_path / "flows", to(web, "/one"), to(web, "/two"))
        path.write_bytes(path.read_bytes()[:-10])
        running.master.commands.call("replay.client.file", str(path))
        await until(lambda: running.logged("client_replay:", "byte"), "the damage is told")
        await until(lambda: len(web.requests) == 1, "the first is sent")
        assert running.master.exit_status == 1


async def test_a_file_that_is_not_there_is_an_error_of_the_start(confdir: Path):
    async with started(confdir, "-n", "-C", "nowhere.flows") as program:
        assert await program.ended() == 1
        assert "client_replay: nowhere.flows: it cannot be read: No such file or directory" in program.printed()
        program.may_complain = True


# -- HTTP/2 and TLS


async def tell_what_came(scope: Message, receive: Receive, send: Send) -> None:
    body = await whole_body(receive)
    await respond(send, 200, f"{scope['http_version']} {scope['method']} {scope['path']} ".encode() + body)


async def test_over_tls_http2_is_offered_and_spoken_where_the_server_can(
    tmp_path: Path, origin_ca: OriginCA, trust: dict[str, object]
):
    async with (
        web_server(tell_what_came, tls=origin_ca) as two,
        web_server(tell_what_came, tls=origin_ca, alpn_protocols=["http/1.1"]) as one,
        running_master(tmp_path, **trust) as running,
    ):
        for version in (b"HTTP/1.1", b"HTTP/2.0"):
            for server, spoken in ((two, b"2"), (one, b"1.1")):
                flow = http_flow(server.url("/path?q=1"), "POST", request_body=b"body")
                flow.request.raw_http_version = version
                if version == b"HTTP/2.0":
                    flow.request.headers = Headers(((b"x-one", b"1"), (b"cookie", b"a=1"), (b"cookie", b"b=2")))
                    flow.request.authority = server.authority
                else:
                    flow.request.headers["Host"] = server.authority
                    flow.request.headers["Connection"] = "keep-alive"
                (sent,) = await replay(running, flow)
                assert sent.response is not None, sent.error
                assert sent.response.content == spoken + b" POST /path body"
                assert sent.server_conn.alpn == (b"h2" if spoken == b"2" else b"http/1.1")
                head = dict(server.heads[-1])
                assert head[b"host" if b"host" in head else b":authority"] == server.authority.encode()
                if version == b"HTTP/2.0" and spoken == b"1.1":
                    assert head[b"cookie"] == b"a=1; b=2"


async def test_a_head_without_a_field_is_checked_and_translated_too(
    tmp_path: Path, origin_ca: OriginCA, trust: dict[str, object]
):
    async with (
        origin(answering(echo), tls=origin_ca.context("localhost")) as web,
        running_master(tmp_path, **trust) as running,
    ):
        # Read from a file, no part of them is the very object that the proxy's own parsers give.
        two, nonsense = draft(f"https://localhost:{web.port}/two"), draft(web.url())
        two.request.raw_http_version = bytes(bytearray(b"HTTP/2.0"))
        nonsense.request.raw_http_version, nonsense.request.raw_method = b"HTTP/1.0", b"NO METHOD"
        await replay(running, two, nonsense)
        assert [heard.head for heard in web.requests] == [
            f"GET /two HTTP/1.1\r\nHost: localhost:{web.port}\r\n\r\n".encode()
        ]
        assert nonsense.error is not None


async def test_a_flow_that_was_held_when_it_was_saved_is_sent(tmp_path: Path):
    async with origin(answering(echo)) as web, running_master(tmp_path) as running:
        held = to(web, "/held")
        held.intercepted = True
        running.master.commands.call("replay.client.file", str(saved(tmp_path / "flows", held)))
        await until(lambda: web.requests, "it is sent")


async def test_a_server_is_called_in_tls_what_it_was_called_before(
    tmp_path: Path, origin_ca: OriginCA, trust: dict[str, object]
):
    context = origin_ca.context("named.test")
    names: list[str] = []
    context.sni_callback = lambda _, name, __: names.append(name)
    async with origin(answering(echo), tls=context) as web, running_master(tmp_path, **trust) as running:
        flow = http_flow(f"https://127.0.0.1:{web.port}/")
        flow.server_conn.address, flow.server_conn.sni = ("127.0.0.1", web.port), "named.test"
        (sent,) = await replay(running, flow)
        assert names == ["named.test"] and sent.response is not None, sent.error


async def test_through_the_parent_proxy_of_the_first_mode(
    tmp_path: Path, trust: dict[str, object], origin_ca: OriginCA
):
    async with (
        origin(answering(echo)) as plain,
        origin(answering(echo), tls=origin_ca.context()) as secure,
        running_master(tmp_path / "parent") as parent,
    ):
        mode = [f"upstream:http://127.0.0.1:{parent.port}"]
        options = {**trust, "ssl_insecure": True, "server": False}
        async with running_master(tmp_path / "child", mode=mode, **options) as child:
            for web in (plain, secure):
                flow = to(web, "/up")
                flow.server_conn.address = ("localhost", web.port)
                (sent,) = await replay(child, flow)
                assert sent.server_conn.via == ("http", ("127.0.0.1", parent.port))
                if web is plain:
                    assert sent.response is not None and sent.response.content == b"GET /up "
        assert ("request" in parent.recorder.names()) and ("http_connect" in parent.recorder.names())


# -- WebSockets


async def chat(url: str, address: str, trusted: ssl.SSLContext | None, *said: str | bytes) -> None:
    async with connect(url, proxy=address, ssl=trusted) as client:
        for message in said:
            await client.send(message)
            assert await client.recv() == message
        await client.close(4001, "had enough")


async def test_a_websocket_is_opened_again_and_says_the_same(
    tmp_path: Path, tls: ssl.SSLContext | None, trust: dict[str, object]
):
    async with websocket_echo(tls) as echoing, running_master(tmp_path, **trust) as running:
        url = f"{'wss' if tls else 'ws'}://localhost:{echoing.port}/chat"
        await chat(url, running.address, running.trusting() if tls else None, "one", b"\x00two", "3" * 100_000)
        await until(lambda: "websocket_end" in running.recorder.names(), "it has ended")
        first = running.recorder.last("websocket_end")
        await running.idle()
        state = first.get_state()
        (attempt,) = await replay(running, first)
        assert first.get_state() == state
        assert echoing.messages == ["one", b"\x00two", "3" * 100_000] * 2
        assert echoing.closes == [(4001, "had enough")] * 2
        before, after = first.websocket, attempt.websocket  # type: ignore[attr-defined]
        assert after is not None and after is not before
        assert [(m.from_client, m.type, m.content) for m in after.messages] == [
            (m.from_client, m.type, m.content) for m in before.messages
        ]
        assert (after.close_code, after.closed_by_client) == (4001, True)
        assert attempt.metadata[REPLAY_OF] == first.id and not attempt.live and attempt.error is None


async def test_a_server_that_says_less_than_before_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(play, "PATIENCE", 0.2)
    async with websocket_echo() as echoing, running_master(tmp_path) as running:
        flow = handshake(f"http://127.0.0.1:{echoing.port}/")
        greeting = [WebSocketMessage(1, False, b"hello") for _ in range(3)]
        own = [WebSocketMessage(1, True, b"%d" % number) for number in range(3)]
        dropped = WebSocketMessage(1, True, b"dropped", dropped=True)
        injected = WebSocketMessage(1, True, b"injected", injected=True)
        flow.websocket = WebSocketData([*greeting, *own, dropped, injected], False, 1000, "", 1.0)
        (attempt,) = await replay(running, flow)
        assert echoing.messages == ["0", "1", "2", "injected"]
        assert attempt.websocket is not None and attempt.websocket.close_code == 1000
        assert len(attempt.websocket.messages) == 8


def handshake(url: str) -> HTTPFlow:
    """A request that opens a WebSocket."""
    flow = http_flow(url, status=101, response_body=b"")
    flow.request = Request.make("GET", url, headers={
        "Host": "x", "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    })  # fmt: skip
    return flow


async def test_the_server_may_close_first_and_ping(tmp_path: Path):
    heard = bytearray()

    async def serve(end: SocketEnd) -> None:
        await end.until(b"\r\n\r\n")
        end.say(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")  # fmt: skip
        end.say(b"\x89\x02hi" + b"\x81\x05hello")
        heard.extend(await end.take(8))
        end.say(b"\x88\x02\x03\xe9")  # going away
        heard.extend(await end.take(8))

    async with origin(serve) as web, running_master(tmp_path) as running:
        flow = handshake(web.url())
        flow.websocket = WebSocketData([], False, 1001, "", 1.0)
        (attempt,) = await replay(running, flow)
        assert attempt.websocket is not None and attempt.websocket.closed_by_client is False
        assert attempt.websocket.close_code == 1001
        assert [message.content for message in attempt.websocket.messages] == [b"hello"]
        assert heard[0] == 0x8A and heard[1] == 0x82 and heard[8] == 0x88


async def test_a_handshake_that_is_refused_is_an_answer_like_any_other(tmp_path: Path):
    refusing = answering(lambda _: ok(b"no", status="403 Forbidden"))
    async with origin(refusing) as web, running_master(tmp_path) as running:
        flow = handshake(web.url())
        flow.websocket = WebSocketData()
        (attempt,) = await replay(running, flow)
        assert attempt.response is not None and attempt.response.status_code == 403
        assert attempt.websocket is None


async def echo_websocket(scope: Message, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": f"{scope['http_version']} {message['text']}"})


async def test_a_websocket_is_opened_over_http2_where_the_server_can(
    tmp_path: Path, origin_ca: OriginCA, trust: dict[str, object]
):
    async with web_server(echo_websocket, tls=origin_ca) as server, running_master(tmp_path, **trust) as running:
        flow = handshake(server.url())
        flow.websocket = WebSocketData(
            [WebSocketMessage(1, True, b"hi"), WebSocketMessage(1, False, b"2 hi")], True, 1000
        )
        (attempt,) = await replay(running, flow)
        assert attempt.websocket is not None, attempt.error
        assert [message.content for message in attempt.websocket.messages] == [b"hi", b"2 hi"]
        assert attempt.server_conn.alpn == b"h2"
