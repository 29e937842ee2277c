"""Servers that fail: what the client gets, and what the row and the log say of the reason."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit import pki
from tests.kit.curl import curl, needs_curl
from tests.kit.origins import Handler, OriginCA, answering, hear, ok, origin
from tests.kit.program import Middump, free_port, middump
from tests.kit.socket_end import SocketEnd
from tests.kit.waiting import until

pytestmark = [pytest.mark.end2end, needs_curl]

CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n" + b"x" * 32 + b"\r\n"
BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
CURL_PARTIAL = 18
CURL_NOTHING = 52
CURL_RESET = 56
STREAM = ("--set", "stream_large_bodies=10")
IMPATIENT = ("--set", "tcp_timeout=1")


def after_request(data: bytes, then: Callable[[SocketEnd], object] = SocketEnd.close) -> Handler:
    """Hear a request, say something, and then leave or wait."""

    async def serve(end: SocketEnd) -> None:
        await hear(end)
        end.say(data)
        await end.drain()
        then(end)
        await end.rest()

    return serve


def stay(end: SocketEnd) -> None:
    """Neither say nor do anything more."""


async def expect_502(program: Middump, url: str, reason: str) -> None:
    """The client gets a 502 with the reason, which also stands in the log and in the row."""
    done = await curl("--proxy", program.address, "--cacert", str(program.ca), url)
    assert (done.exit, done.status) == (0, 502), done
    assert reason in done.body.decode()
    await program.line(f"GET {url}: ", reason)
    await program.line("    !! ", reason)


async def expect_cut(program: Middump, url: str, reason: str) -> None:
    """The client has had a part of the response already: only the end of the connection can tell it."""
    done = await curl("--proxy", program.address, "--cacert", str(program.ca), url)
    assert done.exit in (CURL_PARTIAL, CURL_RESET), done
    assert done.status == 200
    await program.line(f"GET {url}: ", reason)
    await program.line("    !! ", reason)


async def test_nobody_listens(confdir: Path):
    port = free_port()
    async with middump(confdir) as program:
        await expect_502(program, f"http://127.0.0.1:{port}/", f"127.0.0.1:{port} refused the connection")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_who_asks_again_and_again_has_a_row_each_time_and_few_lines_in_the_log(confdir: Path, scheme: str):
    base = f"{scheme}://127.0.0.1:{free_port()}"
    async with middump(confdir) as program:
        for number in range(11):
            await curl("--proxy", program.address, f"{base}/{number}")
        await program.line("10 times by now: ", "refused the connection: nothing listens there")
        await until(lambda: sum("    !! " in line for line in program.lines) == 11, "all rows are there")
        said = [line for line in program.lines if line.startswith("[") and "nothing listens there" in line]
        assert len(said) == 2


async def test_a_name_that_does_not_exist(confdir: Path):
    async with middump(confdir) as program:
        await expect_502(program, "http://no-such-host.invalid/", "the name no-such-host.invalid cannot be resolved")


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (after_request(b""), "closed the connection without an answer"),
        (after_request(b"", SocketEnd.reset), "reset the connection"),
        (after_request(b"HTTP/1.1 200 OK\r\nConte"), "the connection ended inside a message head"),
        (after_request(b"HTTP/1.1 200 OK\r\nConte", SocketEnd.reset), "reset the connection"),
        (after_request(BODY), "the connection ended 1000 bytes before the end of the body"),
        (after_request(BODY, SocketEnd.reset), "reset the connection"),
        (after_request(BODY + b"some"), "the connection ended 996 bytes before the end of the body"),
        (after_request(BODY + b"some", SocketEnd.reset), "reset the connection"),
        (after_request(b"SSH-2.0-OpenSSH_9\r\n\r\n"), "sent a malformed response"),
        (after_request(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), "sent a malformed resp"),
        (after_request(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"), "sent a malformed response"),
        (after_request(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000), "sent a malformed response: the head is l"),
    ],
    ids=[
        *("closes", "resets", "closes in head", "resets in head", "closes after head", "resets after head"),
        *("closes in body", "resets in body", "no HTTP", "two lengths", "bad chunk", "endless head"),
    ],
)
async def test_a_failure_before_the_response_is_whole(
    confdir: Path, origin_ca: OriginCA, scheme: str, handler: Handler, reason: str
):
    tls = origin_ca.context() if scheme == "https" else None
    trust = ("--set", f"ssl_verify_upstream_trusted_ca={origin_ca.file}")
    async with origin(handler, tls=tls) as web, middump(confdir, *trust) as program:
        await expect_502(program, web.url("/x"), reason)


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (after_request(BODY + b"some"), "the connection ended 996 bytes before the end of the body"),
        (after_request(BODY + b"some", SocketEnd.reset), "reset the connection"),
        (after_request(CHUNKS), "the connection ended inside a chunked body"),
    ],
    ids=["closes", "resets", "closes in chunks"],
)
async def test_a_failure_in_a_streamed_body_cuts_the_connection(
    confdir: Path, origin_ca: OriginCA, scheme: str, handler: Handler, reason: str
):
    tls = origin_ca.context() if scheme == "https" else None
    trust = ("--set", f"ssl_verify_upstream_trusted_ca={origin_ca.file}")
    async with origin(handler, tls=tls) as web, middump(confdir, *STREAM, *trust) as program:
        await expect_cut(program, web.url("/x"), reason)


# -- servers that stall --


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", "{server} did not answer"),
        (b"HTTP/1.1 200", "no whole message head came within 1 s"),
        (BODY + b"some", "{server} stopped sending"),
    ],
    ids=["at once", "in head", "in body"],
)
async def test_a_server_that_stalls(confdir: Path, said: bytes, reason: str):
    async with origin(after_request(said, stay)) as web, middump(confdir, *IMPATIENT) as program:
        await expect_502(program, web.url(), reason.format(server=web.authority))


async def test_a_server_that_stalls_in_a_streamed_body(confdir: Path):
    async with origin(after_request(BODY + b"some", stay)) as web, middump(confdir, *STREAM, *IMPATIENT) as program:
        await expect_cut(program, web.url(), f"{web.authority} stopped sending")


async def test_a_server_that_never_ends_its_tls_handshake(confdir: Path):
    async def say_nothing(end: SocketEnd) -> None:
        await end.rest()

    async with origin(say_nothing) as web, middump(confdir, "--set", "connect_timeout=1") as program:
        await expect_502(program, f"https://{web.authority}/", "127.0.0.1 did not finish the TLS handshake in time")


# -- certificates --


def expired(ca: OriginCA) -> ssl.SSLContext:
    return ca.context(start=-9, end=-2)


def for_another_host(ca: OriginCA) -> ssl.SSLContext:
    return ca.context("other.test")


def self_signed(ca: OriginCA) -> ssl.SSLContext:
    return pki.server_context(pki.issue(["127.0.0.1"], None))


def of_unknown_ca(ca: OriginCA) -> ssl.SSLContext:
    return pki.server_context(pki.issue(["127.0.0.1"], pki.issue([], None, is_ca=True, common_name="Nobody's CA")))


def not_yet_valid(ca: OriginCA) -> ssl.SSLContext:
    return ca.context(start=2)


CERTIFICATES = [
    (expired, "the certificate of 127.0.0.1 expired on 20"),
    (for_another_host, "the certificate is not for the address 127.0.0.1 but for other.test"),
    (self_signed, "127.0.0.1 shows a self-signed certificate"),
    (of_unknown_ca, 'the certificate of 127.0.0.1 was issued by "Nobody\'s CA", which is not trusted here'),
    (not_yet_valid, "the certificate of 127.0.0.1 is valid only from 20"),
]


@pytest.mark.parametrize("strategy", ["eager", "lazy"])
@pytest.mark.parametrize(("make", "reason"), CERTIFICATES, ids=[make.__name__ for make, _ in CERTIFICATES])
async def test_no_request_goes_to_a_server_with_a_bad_certificate(
    confdir: Path, origin_ca: OriginCA, make: Callable[[OriginCA], ssl.SSLContext], reason: str, strategy: str
):
    options = ("--set", f"ssl_verify_upstream_trusted_ca={origin_ca.file}", "--set", f"connection_strategy={strategy}")
    async with origin(answering(lambda heard: ok()), tls=make(origin_ca)) as web, middump(confdir, *options) as program:
        await expect_502(program, web.url("/secret"), reason)
        assert "accept any certificate with ssl_insecure" in await program.line("    !! ")
        assert web.requests == []


@pytest.mark.parametrize(("make", "reason"), CERTIFICATES, ids=[make.__name__ for make, _ in CERTIFICATES])
async def test_ssl_insecure_lets_them_all_pass(
    confdir: Path, origin_ca: OriginCA, make: Callable[[OriginCA], ssl.SSLContext], reason: str
):
    let_in = answering(lambda heard: ok(b"in"))
    async with origin(let_in, tls=make(origin_ca)) as web, middump(confdir, "--ssl-insecure") as program:
        done = await curl("--proxy", program.address, "--cacert", str(program.ca), web.url())
        assert (done.status, done.body) == (200, b"in"), done


async def test_without_an_option_only_public_cas_are_trusted(confdir: Path, origin_ca: OriginCA):
    async with origin(answering(lambda heard: ok()), tls=origin_ca.context()) as web, middump(confdir) as program:
        await expect_502(program, web.url(), "which is not trusted here")
        assert web.requests == []


async def test_https_to_a_server_without_tls(confdir: Path):
    async def answer_plainly(end: SocketEnd) -> None:
        await end.read()
        end.say(b"HTTP/1.1 400 What?\r\nContent-Length: 0\r\n\r\n")
        await end.rest()

    async with origin(answer_plainly) as web, middump(confdir) as program:
        await expect_502(program, f"https://{web.authority}/", "127.0.0.1 answers, but not with TLS")


async def test_a_server_that_leaves_the_tls_handshake(confdir: Path):
    async def leave(end: SocketEnd) -> None:
        await end.read()

    async with origin(leave) as web, middump(confdir) as program:
        await expect_502(program, f"https://{web.authority}/", "closed the connection during the TLS handshake")


async def test_a_failure_is_told_to_the_request_that_met_it_and_to_none_after_it(confdir: Path, scheme: str):
    failing = [True]

    async def reset_first(end: SocketEnd) -> None:
        while await hear(end) is not None:
            if failing:
                failing.clear()
                end.reset()
                return
            end.say(ok(b"whole"))

    tls = pki.server_context(pki.issue(["127.0.0.1"], None)) if scheme == "https" else None
    async with origin(reset_first, tls=tls) as web, middump(confdir, "--ssl-insecure") as program:
        through = ("--proxy", program.address, "--cacert", str(program.ca))
        done = await curl(*through, web.url("/first"), "-o", "/dev/null", web.url("/second"))
        assert (done.status, done.connects) == (200, 0), done
        await program.line("    !! ", "reset the connection")
        await program.line("    <- 200 OK 5b")
