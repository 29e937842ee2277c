"""Requests answered by what was recorded, through the running program; nothing reaches a server that must not."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from midstream.flows.flow import Flow
from midstream.flows.http import Headers, HTTPFlow, Response
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.store.formats.native import FlowWriter
from tests.kit.captured import http_flow, tcp_flow, websocket_flow
from tests.kit.curl import Curled, curl, needs_curl
from tests.kit.origins import answering, ok, origin
from tests.kit.program import middump, started
from tests.kit.running_master import RunningMaster, running_master
from tests.kit.socket_end import connected
from tests.kit.waiting import until
from tests.kit.websocket_echo import websocket_echo

pytestmark = [pytest.mark.end2end, needs_curl]

NOWHERE = "http://nowhere.test"
"""A name that nothing resolves to: whoever asks for it is found out."""


class Dials:
    """An addon that notes which servers connections were opened to, or tried."""

    def __init__(self) -> None:
        self.tried: list[object] = []
        self.opened: list[object] = []

    def server_connect_error(self, data: ServerConnectionHookData) -> None:
        self.tried.append(data.server.address)

    def server_connected(self, data: ServerConnectionHookData) -> None:
        self.opened.append(data.server.address)


def recorded(path: str, body: bytes, base: str = NOWHERE, method: str = "GET", **other: object) -> HTTPFlow:
    """A flow with an answer."""
    fields = ((b"Content-Length", b"%d" % len(body)),)
    return http_flow(base + path, method, response_body=body, response_headers=fields, **other)  # type: ignore[arg-type]


async def ask(running: RunningMaster, url: str, *words: str) -> Curled:
    trusted = ("--cacert", str(running.ca)) if url.startswith("https") else ()
    return await curl("--proxy", running.address, *trusted, *words, url)


def serve(running: RunningMaster, *flows: Flow) -> None:
    running.master.commands.call("replay.server", flows)


def saved(path: Path, *flows: Flow) -> Path:
    with path.open("wb") as file:
        for flow in flows:
            FlowWriter(file).add(flow)
    return path


async def test_answers_are_given_in_their_order_and_once(tmp_path: Path):
    dials = Dials()
    async with running_master(tmp_path, dials) as running:
        call = running.master.commands.call
        serve(running, recorded("/a", b"one"), recorded("/b", b"other"), recorded("/a", b"two"))
        assert call("replay.server.count") == 3
        assert [(await ask(running, f"{NOWHERE}/a")).body for _ in range(2)] == [b"one", b"two"]
        flow = running.recorder.last("response")
        assert flow.is_replay == "response"
        assert running.recorder.names() == ["requestheaders", "request", "responseheaders", "response"] * 2
        assert call("replay.server.count") == 1
        assert dials.opened == dials.tried == []
        # What has no answer is forwarded, unless the option says otherwise.
        assert (await ask(running, f"{NOWHERE}/a")).status == 502
        assert len(dials.tried) == 1


async def test_reuse_gives_an_answer_again(tmp_path: Path):
    async with running_master(tmp_path, server_replay_reuse=True) as running:
        serve(running, recorded("/a", b"one"))
        assert [(await ask(running, f"{NOWHERE}/a")).body for _ in range(3)] == [b"one"] * 3
        assert running.master.commands.call("replay.server.count") == 1


@pytest.mark.parametrize("extra", ["kill", "204", "400", "404", "500"])
@pytest.mark.parametrize("strategy", ["eager", "lazy"])
async def test_nothing_leaks_also_after_the_last_answer(
    tmp_path: Path, extra: str, strategy: str, tls: ssl.SSLContext | None, trust: dict[str, object]
):
    dials = Dials()
    options = {**trust, "server_replay_extra": extra, "connection_strategy": strategy}
    async with (
        origin(answering(lambda _: ok(b"from the server")), tls=tls) as web,
        running_master(tmp_path, dials, **options) as running,
    ):
        url = web.url("/a").replace("127.0.0.1", "localhost")
        base = url.removesuffix("/a")
        serve(running, recorded("/a", b"recorded", base))
        assert (await ask(running, url)).body == b"recorded"
        for path in ("/a", "/never"):
            answer = await ask(running, base + path)
            if extra == "kill":
                assert answer.exit != 0 and not answer.body
                assert running.recorder.last("error").error is not None
            else:
                assert answer.status == int(extra) and answer.body == b""
        assert running.master.commands.call("replay.server.count") == 0
        # Neither a large body nor one that would stream is on its way before it was looked at.
        big = tmp_path / "big"
        big.write_bytes(b"x" * 300_000)
        running.master.options.stream_large_bodies = "10k"
        await ask(running, url, "--data-binary", f"@{big}")
        await ask(running, url, "-H", "Transfer-Encoding: chunked", "-H", "Content-Type: application/grpc", "-d", "x")
        assert web.connections == [] and dials.opened == dials.tried == []
        running.master.commands.call("replay.server.stop")
        assert (await ask(running, url)).body == b"from the server"


async def test_what_is_no_http_reaches_no_server_either(tmp_path: Path):
    dials = Dials()
    async with (
        origin(answering(lambda _: ok())) as web,
        running_master(tmp_path, dials, server_replay_extra="kill") as running,
    ):
        serve(running)
        async with connected(running.port) as client:
            client.say(f"CONNECT {web.authority} HTTP/1.1\r\n\r\n".encode())
            await client.until(b"\r\n\r\n")
            client.say(b"\x00\x01 no HTTP at all\r\n")
            assert await client.rest() == b""
        await running.idle()
        assert web.connections == [] and dials.opened == []
        assert "server_replay_extra lets nothing through" in str(running.recorder.seen[-1][1].error)


@pytest.mark.parametrize("mode", ["reverse:{url}", "upstream:http://127.0.0.1:{port}", "socks5"])
async def test_other_modes_reach_nobody(tmp_path: Path, mode: str):
    async with origin(answering(lambda _: ok(b"from the server"))) as web:
        spec = mode.format(url=web.url("").rstrip("/"), port=web.port)
        async with running_master(tmp_path, server_replay_extra="404", mode=[spec]) as running:
            serve(running, recorded("/a", b"recorded", web.url("").rstrip("/")))
            if mode.startswith("reverse"):
                words, base = (), f"http://127.0.0.1:{running.port}"
            else:
                proxy = running.address.replace("http", "socks5") if mode == "socks5" else running.address
                words, base = ("--proxy", proxy), web.url("").rstrip("/")
            assert (await curl(*words, f"{base}/a")).body == b"recorded"
            assert (await curl(*words, f"{base}/a")).status == 404
            assert web.connections == []


class Holding:
    """A script that streams some requests, and holds others until it is told to let them go."""

    def __init__(self) -> None:
        self.held = False
        self.may_go = asyncio.Event()

    def requestheaders(self, flow: HTTPFlow) -> None:
        flow.request.stream = flow.request.path == "/streamed"

    async def request(self, flow: HTTPFlow) -> None:
        if flow.request.path == "/held":
            self.held = True
            await self.may_go.wait()


@pytest.mark.parametrize("path", ["/streamed", "/held"])
async def test_connections_that_there_are_carry_nothing_more(tmp_path: Path, path: str):
    script = Holding()
    async with (
        origin(answering(lambda _: ok(b"from the server"))) as web,
        running_master(tmp_path, script, server_replay_extra="404") as running,
        connected(running.port) as client,
    ):

        def say(target: str) -> None:
            client.say(
                f"PUT {web.url(target)} HTTP/1.1\r\nHost: {web.authority}\r\nContent-Length: 3\r\n\r\nabc".encode()
            )

        say("/before")
        await client.until(b"from the server")
        if path == "/held":
            say(path)
            await until(lambda: script.held, "the request is held")
        serve(running)
        if path == "/held":
            script.may_go.set()
        else:
            say(path)
        assert b"502" in await client.until(b"\r\n\r\n")
        assert len(web.requests) == 1
        running.master.commands.call("replay.server.stop")
        assert (await ask(running, web.url("/after"))).body == b"from the server"


async def test_nobody_is_asked_before_the_answers_are_there(tmp_path: Path, confdir: Path):
    async with origin(answering(lambda _: ok(b"from the server"))) as web:
        flows = [recorded(f"/{number}", b"x" * 2000, web.url("").rstrip("/")) for number in range(3000)]
        path = saved(tmp_path / "flows", *flows)
        words = ("-S", str(path), "--server-replay-extra", "kill", "--server-replay-reuse")
        async with middump(confdir, *words) as program:
            answers = [await curl("--proxy", program.address, web.url(f"/{number}")) for number in (2999, 0)]
            assert [answer.body for answer in answers] == [b"x" * 2000] * 2
            await program.line("3000 answers recorded")
        assert web.connections == []


async def test_a_change_of_the_options_counts_at_once(tmp_path: Path):
    async with running_master(tmp_path, server_replay_extra="404", server_replay_reuse=True) as running:
        options, call = running.master.options, running.master.commands.call
        one, two = saved(tmp_path / "one", recorded("/a?x=1", b"one")), saved(tmp_path / "two", recorded("/a", b"two"))
        options.server_replay = [str(one)]
        assert (await ask(running, f"{NOWHERE}/a?x=1")).body == b"one"
        assert (await ask(running, f"{NOWHERE}/a?x=2")).status == 404
        options.server_replay_ignore_params = ["x"]
        assert (await ask(running, f"{NOWHERE}/a?x=2")).body == b"one"
        options.server_replay = [str(two)]
        assert (await ask(running, f"{NOWHERE}/a?x=2")).body == b"two"
        call("replay.server.file", str(one))
        assert (await ask(running, f"{NOWHERE}/a")).body == b"one"
        call("replay.server.add", [recorded("/b", b"three")])
        assert call("replay.server.count") == 2
        assert (await ask(running, f"{NOWHERE}/b")).body == b"three"
        options.server_replay_extra = "500"
        assert (await ask(running, f"{NOWHERE}/c")).status == 500
        options.server_replay = []
        assert call("replay.server.count") == 0
        assert (await ask(running, f"{NOWHERE}/a")).status == 502  # tried in vain


async def test_many_answers_are_filed_anew_without_a_request_slipping_through(tmp_path: Path):
    async with running_master(tmp_path, server_replay_extra="404", server_replay_reuse=True) as running:
        serve(running, *(recorded(f"/{number}?x=1", b"%d" % number) for number in range(1200)))
        running.master.options.server_replay_ignore_params = ["x"]
        assert (await ask(running, f"{NOWHERE}/1199?x=2")).body == b"1199"
        running.master.options.server_replay_ignore_params = []
        assert (await ask(running, f"{NOWHERE}/1199?x=2")).status == 404
        running.master.commands.call("replay.server.stop")
        assert running.master.commands.call("replay.server.count") == 0


async def test_bodies_of_all_kinds_come_back_as_they_were(tmp_path: Path):
    head = recorded("/head", b"", method="HEAD")
    assert head.response is not None
    head.response.headers["Content-Length"] = "500"
    unchanged = http_flow(f"{NOWHERE}/304", status=304, response_body=b"", response_headers=((b"ETag", b'"1"'),))
    packed = recorded("/gzip", b"")
    assert packed.response is not None
    packed.response.headers["Content-Encoding"] = "gzip"
    packed.response.content = b"unpacked" * 100
    chunked = recorded("/chunked", b"in chunks")
    assert chunked.response is not None
    chunked.response.headers = Headers(((b"Transfer-Encoding", b"chunked"), (b"Connection", b"close")))
    chunked.response.trailers = Headers(((b"X-Trailer", b"1"),))
    two = recorded("/two", b"of another version")
    assert two.response is not None
    two.response.raw_http_version, two.response.raw_reason = b"HTTP/2.0", b""
    async with running_master(tmp_path, server_replay_extra="500") as running:
        serve(running, head, unchanged, packed, chunked, two)
        answer = await ask(running, f"{NOWHERE}/head", "--head")
        assert answer.status == 200 and b"\r\nContent-Length: 500\r\n" in answer.head
        answer = await ask(running, f"{NOWHERE}/304", "-H", 'If-None-Match: "1"')
        assert answer.status == 304 and b'ETag: "1"' in answer.head
        answer = await ask(running, f"{NOWHERE}/gzip", "--compressed")
        assert answer.body == b"unpacked" * 100
        async with connected(running.port) as client:
            client.say(f"GET {NOWHERE}/chunked HTTP/1.1\r\nHost: nowhere.test\r\n\r\n".encode())
            got = await client.until(b"\r\n0\r\n")
            assert b"Transfer-Encoding: chunked" in got and b"in chunks" in got
            assert await client.until(b"\r\n\r\n") == b"X-Trailer: 1\r\n\r\n"
        answer = await ask(running, f"{NOWHERE}/two")
        assert answer.head.startswith(b"HTTP/1.1 200 OK\r\n") and answer.body == b"of another version"


async def test_dates_and_cookies_are_moved_to_now_unless_told_otherwise(tmp_path: Path):
    flow = recorded("/", b"")
    assert flow.response is not None
    flow.response.headers["Date"] = "Tue, 14 Nov 2023 22:13:20 GMT"  # when it was recorded
    flow.response.headers["Expires"] = "Tue, 14 Nov 2023 23:13:20 GMT"
    flow.response.headers["Set-Cookie"] = "a=b; Expires=Wed, 15 Nov 2023 22:13:20 GMT"
    async with running_master(tmp_path, server_replay_reuse=True) as running:
        serve(running, flow)
        assert b"2023" not in (await ask(running, f"{NOWHERE}/")).head
        running.master.options.server_replay_refresh = False
        assert (await ask(running, f"{NOWHERE}/")).head.count(b"2023") == 3
        assert b"2023" in flow.response.headers["Date"].encode()  # what was recorded stays as it is


async def test_what_gives_no_answer_is_left_out(tmp_path: Path):
    streamed, cut, unanswered = recorded("/a", b""), recorded("/b", b""), http_flow(f"{NOWHERE}/c", status=None)
    assert streamed.response is not None
    streamed.response.raw_content = None
    cut.metadata["response_body_cut"] = "first 3 bytes"
    async with running_master(tmp_path) as running:
        serve(running, streamed, cut, unanswered, tcp_flow(), websocket_flow((True, b"hi")))
        assert running.master.commands.call("replay.server.count") == 0
        assert running.logged("2 flows left out: the body was streamed, and not kept")
        assert running.logged("2 flows left out: no response")
        assert running.logged("1 flow left out: a WebSocket")


async def test_a_websocket_is_what_has_no_answer(tmp_path: Path):
    async with websocket_echo() as echoing, running_master(tmp_path) as running:
        url = f"ws://127.0.0.1:{echoing.port}/"
        serve(running, recorded("/a", b"one"))
        async with connect(url, proxy=running.address) as client:
            await client.send("forwarded")
            assert await client.recv() == "forwarded"
        running.master.options.server_replay_extra = "404"
        with pytest.raises(InvalidStatus):
            await connect(url, proxy=running.address)


async def test_a_script_that_answers_uses_no_answer_up(tmp_path: Path):
    class Script:
        def request(self, flow: HTTPFlow) -> None:
            if "X-Own" in flow.request.headers:
                flow.response = Response.make(200, b"own")

    async with running_master(tmp_path) as running:
        # Scripts stand before server replay in the chain, and the addon of a test behind it.
        running.master.addons.remove(running.recorder)
        script = Script()
        at = running.master.addons.chain.index(running.master.addons.get("serverplayback"))
        running.master.addons.chain.insert(at, script)
        running.master.addons.rebind()
        serve(running, recorded("/a", b"one"))
        assert (await ask(running, f"{NOWHERE}/a", "-H", "X-Own: 1")).body == b"own"
        assert (await ask(running, f"{NOWHERE}/a")).body == b"one"


async def test_client_replays_are_answered_too(tmp_path: Path, confdir: Path):
    flows = [recorded("/a", b"one"), recorded("/b", b"two")]
    path = saved(tmp_path / "flows", *flows)
    words = ("-n", "-C", str(path), "-S", str(path), "--server-replay-extra", "kill")
    async with started(confdir, *words) as program:
        assert await program.ended() == 0, program.printed()
        assert program.printed().count("<- 200 OK 3b") == 2


async def test_the_program_ends_when_all_answers_are_given(tmp_path: Path, confdir: Path):
    path = saved(tmp_path / "flows", recorded("/a", b"one"))
    async with middump(confdir, "-S", str(path)) as program:
        assert (await curl("--proxy", program.address, f"{NOWHERE}/a")).body == b"one"
        assert await program.ended() == 0


async def test_old_names_of_options_still_work(tmp_path: Path):
    async with running_master(tmp_path) as running:
        running.master.options.update(server_replay_kill_extra=True, server_replay_nopop=True)
        assert running.logged("server_replay_kill_extra is an old name: use server_replay_extra=kill")
        assert running.logged("server_replay_nopop is an old name: use server_replay_reuse")
        serve(running, recorded("/a", b"one"))
        assert [(await ask(running, f"{NOWHERE}/a")).body for _ in range(2)] == [b"one"] * 2
        assert (await ask(running, f"{NOWHERE}/b")).status == 0


async def test_a_damaged_file_gives_what_can_be_read(tmp_path: Path):
    path = saved(tmp_path / "flows", recorded("/a", b"one"), recorded("/b", b"two"))
    path.write_bytes(path.read_bytes()[:-10])
    async with running_master(tmp_path, server_replay_extra="404") as running:
        running.master.commands.call("replay.server.file", str(path))
        assert (await ask(running, f"{NOWHERE}/a")).body == b"one"
        assert (await ask(running, f"{NOWHERE}/b")).status == 404
        assert running.logged("server_replay:", "byte")
        assert running.master.exit_status == 1
        await until(lambda: running.logged("1 answer recorded"), "it is told how many there are")


async def test_a_missing_file_is_an_error_of_the_start(confdir: Path):
    async with started(confdir, "-S", "nowhere.flows") as program:
        assert await program.ended() == 1
        assert "server_replay: nowhere.flows: it cannot be read: No such file or directory" in program.printed()
        program.may_complain = True
