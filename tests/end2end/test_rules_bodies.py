"""modify_body on real traffic: encoded and plain, small and large, streamed and held, and what it leaves alone."""

from __future__ import annotations

import gzip
import ssl
import zlib
from pathlib import Path

import pytest

from midstream.flows.errors import OptionsError
from midstream.flows.http import HTTPFlow
from tests.kit.curl import Curled, curl, needs_curl
from tests.kit.origins import Heard, Origin, OriginCA, answering, ok, origin
from tests.kit.running_master import RunningMaster, running_master
from tests.kit.stopwatch import never_held
from tests.kit.web_server import Message, Receive, Send, respond, web_server, whole_body

pytestmark = [pytest.mark.end2end, needs_curl]

TEXT = b"foo bar foo\nline two foo\n"
PROMISED = 0.1  # seconds for which the loop may be held
LARGE = b"lorem foo ipsum " * 200_000


def chunked(body: bytes, *fields: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in ("HTTP/1.1 200 OK", *fields, "Transfer-Encoding: chunked", ""))
    return head.encode() + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


ANSWERS = {
    "/": ok(TEXT),
    "/gzip": ok(gzip.compress(TEXT), "Content-Encoding: gzip"),
    "/deflate": ok(zlib.compress(TEXT), "Content-Encoding: deflate"),
    "/not-gzip": ok(TEXT, "Content-Encoding: gzip"),
    "/unknown": ok(TEXT, "Content-Encoding: of-our-own"),
    "/chunked": chunked(TEXT),
    "/large": ok(LARGE),
    "/large-gzip": ok(gzip.compress(LARGE), "Content-Encoding: gzip"),
    "/empty": ok(b""),
    "/304": b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n",
    "/nothing": ok(b"nothing here"),
    "/events": chunked(b"data: foo\n\n", "Content-Type: text/event-stream"),
    "/grpc": chunked(b"\0\0\0\0\3foo", "Content-Type: application/grpc"),
}


def answer(heard: Heard) -> bytes:
    if heard.method == "HEAD":
        return b"HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n"
    return ok(heard.body) if heard.target == "/echo" else ANSWERS[heard.target]


async def ask(running: RunningMaster, web: Origin, path: str = "/", *arguments: str) -> Curled:
    done = await curl("--proxy", running.address, "--cacert", str(running.ca), *arguments, web.url(path))
    assert done.exit == 0, done.errors
    return done


async def test_bodies_are_changed_below_their_encoding(
    confdir: Path, tls: ssl.SSLContext | None, trust: dict[str, str]
) -> None:
    changed = TEXT.replace(b"foo", b"longer than that")
    rule = {"modify_body": ["/~s/foo/longer than that"]}
    async with origin(answering(answer), tls=tls) as web, running_master(confdir, **rule, **trust) as run:
        for path in ("/", "/chunked", "/not-gzip", "/unknown"):
            done = await ask(run, web, path)
            assert done.body == changed, path
            assert (f"content-length: {len(changed)}" in done.head.decode().lower()) is (path != "/chunked")
        done = await ask(run, web, "/gzip")
        assert gzip.decompress(done.body) == changed
        assert b"Content-Encoding: gzip\r\n" in done.head
        assert (await ask(run, web, "/deflate", "--compressed")).body == changed
        assert (await ask(run, web, "/large")).body == LARGE.replace(b"foo", b"longer than that")
        assert gzip.decompress((await ask(run, web, "/large-gzip")).body) == LARGE.replace(b"foo", b"longer than that")


async def test_what_a_rule_does_not_concern_is_forwarded_as_it_came(confdir: Path) -> None:
    async with origin(answering(answer)) as web, running_master(confdir, modify_body=["/foo/x", "/$/!"]) as run:
        run.master.options.update(modify_body=["/foo/x", "/^$/!"])
        assert ok(b"nothing here").startswith((await ask(run, web, "/nothing")).head)
        assert (await ask(run, web, "/304")).body == b""
        assert b"Content-Length: 25\r\n" in (await ask(run, web, "/", "-I")).head
        assert (await ask(run, web, "/empty")).body == b"!"
        assert not run.logged("modify_body")


async def test_requests_until_there_is_a_response(confdir: Path) -> None:
    rules = ["/~q/foo/bar", "/~s/bar/baz", "/~bs baz/z/Z"]
    async with origin(answering(answer)) as web, running_master(confdir, modify_body=rules) as run:
        assert (await ask(run, web, "/echo", "-d", "a foo")).body == b"a baZ"
        assert web.requests[0].body == b"a bar"
        assert web.requests[0].fields["content-length"] == "5"
        assert (await ask(run, web, "/echo", "-d", "a foo", "-H", "Transfer-Encoding: chunked")).body == b"a baZ"


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
async def test_http2(confdir: Path, origin_ca: OriginCA, trust: dict[str, str], version: str) -> None:
    async def echo(scope: Message, receive: Receive, send: Send) -> None:
        await respond(send, 200, await whole_body(receive), pieces=3)

    rule = {"modify_body": [r"/~q/f(o+)/\\1\n"]}
    async with web_server(echo, tls=origin_ca) as server, running_master(confdir, **rule, **trust) as run:
        done = await curl(
            "--proxy", run.address, "--cacert", str(run.ca), version, "-d", "a foo", server.url()
        )  # fmt: skip
        assert done.body == b"a \\1\n", done.errors


async def test_a_replacement_from_a_file(confdir: Path, tmp_path: Path) -> None:
    file = tmp_path / "new.bin"
    file.write_bytes(b"\\1\n")
    async with (
        origin(answering(answer)) as web,
        running_master(confdir, modify_body=[f"|bar|@{file}", "|line|LINE"]) as run,
    ):
        assert (await ask(run, web)).body == TEXT.replace(b"bar", b"\\1\n").replace(b"line", b"LINE")
        file.write_bytes(b"other")
        assert (await ask(run, web)).body == TEXT.replace(b"bar", b"other").replace(b"line", b"LINE")
        file.unlink()
        for _ in range(3):
            assert (await ask(run, web)).body == TEXT.replace(b"line", b"LINE")
        assert len(run.logged("cannot read its file: no such file or directory")) == 1


async def test_a_change_is_for_the_next_flow_and_a_refused_one_changes_nothing(confdir: Path) -> None:
    async with origin(answering(answer)) as web, running_master(confdir) as run:
        options, bound = run.master.options, run.master.events.response.handlers
        assert (await ask(run, web)).body == TEXT
        options.update(modify_body=["/foo/x"])
        assert b"foo" not in (await ask(run, web)).body
        for bad in ("/(/x", "/a", "/~zz/a/b", "|a|@/nope/none", r"/a/\x"):
            with pytest.raises(OptionsError, match="option modify_body: "):
                options.update(modify_body=["/bar/y", bad])
        assert (await ask(run, web)).body == TEXT.replace(b"foo", b"x")
        options.update(modify_body=[])
        assert (await ask(run, web)).body == TEXT
        assert run.master.events.response.handlers == bound


async def test_what_streams_is_left_alone_and_named(confdir: Path) -> None:
    options = {"stream_large_bodies": "10", "store_streamed_bodies": True}
    async with origin(answering(answer)) as web, running_master(confdir, **options) as run:
        run.master.options.update(modify_body=["/foo/x"])
        assert run.logged("modify_body leaves bodies beyond stream_large_bodies (10) as they are")
        for path in ("/", "/chunked"):
            assert (await ask(run, web, path)).body == TEXT
            flow = run.recorder.last("response")
            assert isinstance(flow, HTTPFlow)
            assert flow.response is not None
            assert flow.response.raw_content == TEXT  # what the client got, and nothing else
        await ask(run, web, "/echo", "-d", "foo " * 10)
        assert web.requests[-1].body == b"foo " * 10
        assert run.logged("the rule /foo/x of modify_body is skipped: the body has streamed by")
        assert not [entry for entry in run.log if entry.level == "error"]


async def test_text_that_would_pass_as_it_comes_is_held_for_a_rule(confdir: Path) -> None:
    async with origin(answering(answer)) as web, running_master(confdir, modify_body=["/~u events|grpc/foo/x"]) as run:
        assert (await ask(run, web, "/events")).body == b"data: x\n\n"
        assert len(run.logged("/events: this event stream is held until it ends, because of modify_body")) == 1
        assert (await ask(run, web, "/grpc")).body == b"\0\0\0\0\3foo"  # its length would be wrong
        assert run.logged("/grpc: the rule /~u events|grpc/foo/x of modify_body is skipped: the body has streamed by")
        run.master.options.update(modify_body=["/~u other/foo/x"])
        await ask(run, web, "/events")
        assert len(run.logged("this event stream is held")) == 1
        run.master.options.update(modify_body=[], stream_endless_bodies=False)
        await ask(run, web, "/events")
        assert len(run.logged("this event stream is held until it ends, because of stream_endless_bodies=false")) == 1


async def test_a_bomb_passes_as_it_came(confdir: Path) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(80)), packer.flush()])
    async with (
        origin(answering(lambda heard: ok(bomb, "Content-Encoding: gzip"))) as web,
        running_master(confdir, modify_body=[r"/\x00/a"]) as run,
    ):
        async with never_held(PROMISED):
            assert (await ask(run, web)).body == bomb
        assert run.logged("is skipped: the decoded body is larger than 64")
