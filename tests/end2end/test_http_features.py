"""The corners of HTTP/1 with real programs: interim responses, odd bodies, old versions, upgrades, pipelining."""

import base64
import hashlib
import random
import ssl
from pathlib import Path

import pytest

from tests.kit.curl import curl, needs_curl
from tests.kit.origins import Heard, answering, hear, ok, origin
from tests.kit.program import middump
from tests.kit.socket_end import SocketEnd, connected
from tests.kit.waiting import until
from tests.kit.web_client import WebClient, web_client

pytestmark = pytest.mark.end2end

BODY = random.Random(4).randbytes(2 * 1024 * 1024)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def give_back(heard: Heard) -> bytes:
    return ok(heard.body, f"X-Method: {heard.method}")


@pytest.fixture(params=[[], ["--set", "stream_large_bodies=100k"]], ids=["held", "streamed"])
def bodies(request: pytest.FixtureRequest) -> list[str]:
    """Whether large bodies are held in memory or streamed."""
    options: list[str] = request.param
    return options


@needs_curl
async def test_an_upload_that_waits_for_100_continue(
    confdir: Path, tls: ssl.SSLContext | None, trusting: tuple[str, str], bodies: list[str]
):
    async with origin(answering(give_back), tls=tls) as web, middump(confdir, *trusting, *bodies) as program:
        upload = ("-H", "Expect: 100-continue", "--expect100-timeout", "10", "-X", "PUT", "--data-binary", "@-")
        done = await curl("--proxy", program.address, "--cacert", str(program.ca), *upload, web.url("/put"), stdin=BODY)
        assert (done.exit, done.status) == (0, 200), done.errors
        assert done.body == BODY
        assert done.head.count(b"HTTP/1.1 100 Continue\r\n") == 1
        assert len(web.requests) == 1


@needs_curl
async def test_a_server_that_refuses_instead_of_100_continue(confdir: Path):
    async def refuse(end: SocketEnd) -> None:
        await end.head()
        end.say(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        await end.rest()

    async with origin(refuse) as web, middump(confdir, "--set", "stream_large_bodies=1") as program:
        upload = ("-H", "Expect: 100-continue", "--expect100-timeout", "10", "--data-binary", "@-")
        done = await curl("--proxy", program.address, *upload, web.url(), stdin=BODY)
        assert (done.status, done.body) == (403, b"no")
        await program.line("    <- 403 No")


@needs_curl
async def test_a_chunked_upload(
    confdir: Path, tls: ssl.SSLContext | None, trusting: tuple[str, str], bodies: list[str]
):
    async with origin(answering(give_back), tls=tls) as web, middump(confdir, *trusting, *bodies) as program:
        done = await curl(
            "--proxy", program.address, "--cacert", str(program.ca), "-T", "-", web.url("/up"), stdin=BODY
        )
        assert (done.exit, done.status, done.body) == (0, 200, BODY), done.errors
        assert web.requests[0].fields["transfer-encoding"] == "chunked"
        assert web.requests[0].method == "PUT"


@needs_curl
async def test_responses_without_a_body(confdir: Path):
    heads = {
        "/204": b"HTTP/1.1 204 Nothing\r\nX-A: 1\r\n\r\n",
        "/304": b'HTTP/1.1 304 As It Was\r\nETag: "a"\r\nContent-Length: 7\r\n\r\n',
        "/head": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
    }
    async with origin(answering(lambda heard: heads[heard.target])) as web, middump(confdir) as program:
        head = await curl("--proxy", program.address, "-I", web.url("/head"))
        assert (head.exit, head.head) == (0, heads["/head"])
        both = await curl("--proxy", program.address, web.url("/204"), "-o", "/dev/null", web.url("/304"))
        assert (both.exit, both.head) == (0, heads["/204"] + heads["/304"])
        assert both.connects == 0  # the second one came on the first one's connection


@needs_curl
async def test_a_range(confdir: Path):
    def part(heard: Heard) -> bytes:
        assert heard.fields["range"] == "bytes=5-9"
        return ok(b"56789", "Content-Range: bytes 5-9/20", status="206 Partial Content")

    async with origin(answering(part)) as web, middump(confdir) as program:
        done = await curl("--proxy", program.address, "-r", "5-9", web.url())
        assert (done.status, done.body) == (206, b"56789")
        assert b"Content-Range: bytes 5-9/20\r\n" in done.head


async def test_trailers_in_both_directions(
    confdir: Path, tls: ssl.SSLContext | None, trusting: tuple[str, str], bodies: list[str]
):
    async def serve(end: SocketEnd) -> None:
        heard = await hear(end)
        assert heard is not None and heard.body == b"hello" and heard.trailers == b"X-Sum: 5\r\n"
        end.say(CHUNKED + b"2\r\nhi\r\n0\r\nX-End: 1\r\n\r\n")
        await end.rest()

    async with (
        origin(serve, tls=tls) as web,
        middump(confdir, *trusting, *bodies) as program,
        web_client(program.port, web, program.ca) as client,
    ):
        client.end.say(client.head("/", "Transfer-Encoding: chunked", "Trailer: X-Sum", method="POST"))
        client.end.say(b"5\r\nhello\r\n0\r\nX-Sum: 5\r\n\r\n")
        await client.end.expect(CHUNKED + b"2\r\nhi\r\n0\r\nX-End: 1\r\n\r\n")


async def test_hints_come_before_the_response(confdir: Path):
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    async with (
        origin(answering(lambda heard: hints + hints + ok(b"x"))) as web,
        middump(confdir) as program,
        web_client(program.port, web, program.ca) as client,
    ):
        client.ask("/")
        await client.end.expect(hints + hints + ok(b"x"))


def websocket_answer(head: bytes) -> bytes:
    """The server's part of the handshake (RFC 6455 §4.2.2)."""
    key = next(line[19:] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key: "))
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def frame(text: bytes, mask: bytes = b"") -> bytes:
    """A text frame; clients mask theirs."""
    head = bytes([0x81, len(text) | (0x80 if mask else 0)])
    return head + mask + (bytes(byte ^ mask[at % 4] for at, byte in enumerate(text)) if mask else text)


async def test_an_upgrade_becomes_a_tunnel(confdir: Path, tls: ssl.SSLContext | None, trusting: tuple[str, str]):
    async def echo(end: SocketEnd) -> None:
        end.say(websocket_answer(await end.head()) + frame(b"welcome"))
        while start := await end.take(2):
            mask, text = await end.take(4), await end.take(start[1] & 0x7F)
            end.say(frame(bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))))

    async with (
        origin(echo, tls=tls) as web,
        middump(confdir, *trusting) as program,
        web_client(program.port, web, program.ca) as client,
    ):
        key = base64.b64encode(b"0123456789abcdef").decode()
        upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
        client.ask("/chat", *upgrade, f"Sec-WebSocket-Key: {key}")
        assert b"Sec-WebSocket-Accept: BACScCJPNqyz+UBoqMH89VmURoA=\r\n" in await client.end.head()
        await client.end.expect(frame(b"welcome"))
        for text in (b"one", b"two"):
            client.end.say(frame(text, b"mask"))
            await client.end.expect(frame(text))
        client.end.reset()
        await program.line(f"GET {web.url('/chat')}")
        await program.line("    <- 101 Switching Protocols")


@needs_curl
async def test_a_client_of_http_1_0(
    confdir: Path, tls: ssl.SSLContext | None, trusting: tuple[str, str], bodies: list[str]
):
    replies = {"/chunks": CHUNKED + b"3\r\nabc\r\n3\r\ndef\r\n0\r\nEnd: 1\r\n\r\n", "/length": ok(b"abcdef")}
    async with (
        origin(answering(lambda heard: replies[heard.target]), tls=tls) as web,
        middump(confdir, *trusting, *bodies) as program,
    ):
        through = ("--proxy", program.address, "--cacert", str(program.ca), "-0")
        for path in replies:
            done = await curl(*through, web.url(path))
            assert (done.exit, done.status, done.body) == (0, 200, b"abcdef"), done.errors
            assert b"chunked" not in done.head


async def test_a_server_of_http_1_0(confdir: Path, tls: ssl.SSLContext | None, trusting: tuple[str, str]):
    async def old(end: SocketEnd) -> None:
        await hear(end)
        end.say(b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nuntil the end")
        await end.drain()

    async with (
        origin(old, tls=tls) as web,
        middump(confdir, *trusting) as program,
        web_client(program.port, web, program.ca) as client,
    ):
        client.ask("/")
        head = await client.end.head()
        assert head.startswith(b"HTTP/1.0 200 OK\r\nServer: old\r\n")
        assert await client.end.rest() == b"until the end"


async def test_pipelined_requests(confdir: Path, tls: ssl.SSLContext | None, trusting: tuple[str, str]):
    async with (
        origin(answering(lambda heard: ok(heard.target.encode() + heard.body)), tls=tls) as web,
        middump(confdir, *trusting) as program,
        web_client(program.port, web, program.ca) as client,
    ):
        for number in range(50):
            client.ask(f"/{number}", method="POST" if number % 3 else "GET", body=b"." * (number % 3))
        for number in range(50):
            assert (await client.answer())[1] == f"/{number}".encode() + b"." * (number % 3)
        assert len(web.connections) == 1


async def test_a_client_that_ends_after_its_last_request_is_answered(confdir: Path):
    async with origin(answering(give_back)) as web, middump(confdir) as program, connected(program.port) as end:
        client = WebClient(end, web)
        end.say(client.head("/", "Connection: close"))
        answer = await end.rest()
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\nConnection: close\r\n" in answer


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_server_that_closes_between_requests_is_no_failure(
    confdir: Path, tls: ssl.SSLContext | None, trusting: tuple[str, str], method: str
):
    left: list[SocketEnd] = []

    async def answer_once(end: SocketEnd) -> None:
        await hear(end)
        end.say(ok(b"one"))  # and nothing about leaving
        end.close()  # over TLS that is a close_notify; TCP follows when it is answered
        left.append(end)

    async with (
        origin(answer_once, tls=tls) as web,
        middump(confdir, *trusting) as program,
        web_client(program.port, web, program.ca) as client,
    ):
        for number in range(3):
            client.ask(f"/{number}", method=method, body=b"x" if method == "POST" else b"")
            assert (await client.answer())[1] == b"one"
            await until(lambda served=number: len(left) > served, "the server has left")
        assert len(left) == 3


@needs_curl
@pytest.mark.parametrize("framing", ["length", "chunks"])
async def test_bodies_over_the_limit(confdir: Path, framing: str, bodies: list[str]):
    large = BODY[:300_000]
    replies = {"length": ok(large), "chunks": CHUNKED + b"493e0\r\n" + large + b"\r\n0\r\n\r\n"}
    async with (
        origin(answering(lambda heard: replies[framing])) as web,
        middump(confdir, "--set", "body_size_limit=200k", *bodies) as program,
    ):
        upload = ("-T", "-") if framing == "chunks" else ("--data-binary", "@-")
        sent = await curl("--proxy", program.address, "-H", "Expect:", *upload, web.url("/up"), stdin=large)
        assert sent.status == 413 or sent.exit in (55, 56), sent
        await program.line("    !! request refused: the body is larger than body_size_limit (200k)")
        received = await curl("--proxy", program.address, web.url("/down"))
        assert received.status == 502 or received.exit in (18, 56), received
        await program.line("    !! response refused: the body is larger than body_size_limit (200k)")


@needs_curl
async def test_options_for_the_server_as_a_whole(confdir: Path):
    async with origin(answering(give_back)) as web, middump(confdir) as program:
        through = ("--proxytunnel", "--proxy", program.address, "-X", "OPTIONS", "--request-target", "*")
        assert (await curl(*through, web.url())).status == 200
        assert web.requests[0].head.startswith(b"OPTIONS * HTTP/1.1\r\n")
