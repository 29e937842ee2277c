"""modify_headers, anticache and anticomp on real traffic: over HTTP/1 and HTTP/2, streamed and our own answers."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from midstream.flows.errors import OptionsError
from midstream.flows.http import HTTPFlow
from tests.kit.curl import Curled, curl, needs_curl
from tests.kit.origins import Heard, Origin, OriginCA, answering, ok, origin
from tests.kit.running_master import RunningMaster, running_master
from tests.kit.waiting import until
from tests.kit.web_server import Message, Receive, Send, respond, web_server, whole_body

pytestmark = [pytest.mark.end2end, needs_curl]


def answer(_: Heard) -> bytes:
    return ok(b"hello", "X-Old: 1", "X-Old: 2", "Server: origin")


async def ask(running: RunningMaster, web: Origin, *arguments: str, path: str = "/") -> Curled:
    done = await curl("--proxy", running.address, "--cacert", str(running.ca), *arguments, web.url(path))
    assert done.exit == 0, done.errors
    return done


async def test_headers_are_set_and_removed(confdir: Path, tls: ssl.SSLContext | None, trust: dict[str, str]) -> None:
    rules = [
        "/~q/X-New/a",
        "/~q/X-New/b",
        "/~q/user-agent/",
        "|~s|x-old|new: value",
        "|~q & ~hq x-new|X-Seen|1",
        "|~q & ~hq x-seen|X-Not|1",
    ]
    async with origin(answering(answer), tls=tls) as web, running_master(confdir, modify_headers=rules, **trust) as run:
        done = await ask(run, web, "-H", "X-New: of the client")
        lines = web.requests[0].head.split(b"\r\n")
        assert [line for line in lines if line.lower().startswith(b"x-")] == [b"X-New: a", b"X-New: b", b"X-Seen: 1"]
        assert b"user-agent" not in web.requests[0].head.lower()
        assert done.head.count(b"x-old: new: value\r\n") == 1
        assert b"X-Old" not in done.head


async def test_a_change_is_for_the_next_request_and_a_refused_one_changes_nothing(confdir: Path) -> None:
    async with origin(answering(answer)) as web, running_master(confdir) as run:
        options, bound = run.master.options, run.master.events.requestheaders.handlers
        options.update(modify_headers=["/X-New/1"])
        assert b"X-New: 1\r\n" in (await ask(run, web)).head
        with pytest.raises(OptionsError, match=r"option modify_headers: /: X is no rule|is no rule"):
            options.update(modify_headers=["/X"])
        with pytest.raises(OptionsError, match="cannot read /nope/none: no such file"):
            options.update(modify_headers=["|X|@/nope/none"])
        assert b"X-New: 1\r\n" in (await ask(run, web)).head
        options.update(modify_headers=[])
        assert b"X-New" not in (await ask(run, web)).head
        assert run.master.events.requestheaders.handlers == bound


async def test_streamed_messages_and_answers_of_our_own(confdir: Path) -> None:
    options = {
        "modify_headers": ["/X-New/1"],
        "block_list": ["/~u blocked/403"],
        "stream_large_bodies": "1",
    }
    async with origin(answering(answer)) as web, running_master(confdir, **options) as run:
        done = await ask(run, web, "-d", "a body")
        assert b"X-New: 1\r\n" in done.head
        assert b"X-New: 1\r\n" in web.requests[0].head
        # What streams has reached curl before its event.
        await until(lambda: "response" in run.recorder.names(), "the response has been told")
        flow = run.recorder.last("response")
        assert isinstance(flow, HTTPFlow)
        assert flow.response is not None
        assert flow.response.raw_content is None
        done = await ask(run, web, path="/blocked")
        assert done.status == 403
        assert b"X-New: 1\r\n" in done.head


async def test_a_value_from_a_file(confdir: Path, tmp_path: Path) -> None:
    file = tmp_path / "token.txt"
    file.write_text("first\n")
    async with (
        origin(answering(answer)) as web,
        running_master(confdir, modify_headers=[f"|~q|X-Token|@{file}", "|~q|X-Other|1"]) as run,
    ):
        await ask(run, web)
        file.write_text("second\r\n")
        await ask(run, web)
        file.write_text("two\nlines")
        await ask(run, web)
        file.unlink()
        for _ in range(3):
            await ask(run, web)
        tokens = [request.fields.get("x-token") for request in web.requests]
        assert tokens == ["first", "second", None, None, None, None]
        assert {request.fields["x-other"] for request in web.requests} == {"1"}
        assert len(run.logged("|~q|X-Token|@", "contains CR or LF")) == 1
        assert len(run.logged("|~q|X-Token|@", "cannot read its file: no such file or directory")) == 1


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
async def test_another_host(confdir: Path, origin_ca: OriginCA, trust: dict[str, str], version: str) -> None:
    async def hello(scope: Message, receive: Receive, send: Send) -> None:
        await whole_body(receive)
        await respond(send, 200, dict(scope["headers"]).get(b"host", b""))

    async with (
        web_server(hello, tls=origin_ca) as server,
        running_master(confdir, modify_headers=["/~q/Host/other.example"], **trust) as run,
    ):
        done = await curl("--proxy", run.address, "--cacert", str(run.ca), version, server.url())
        assert (done.status, done.body) == (200, b"other.example"), done.errors
        assert not run.logged("authority")


async def test_no_304_and_no_encoding(confdir: Path, tls: ssl.SSLContext | None, trust: dict[str, str]) -> None:
    options = {"anticache": True, "anticomp": True, "stream_large_bodies": "1"}
    sent = ("-H", "If-None-Match: x", "-H", "If-Modified-Since: y", "-H", "Accept-Encoding: gzip", "-d", "body")
    async with origin(answering(answer), tls=tls) as web, running_master(confdir, **options, **trust) as run:
        await ask(run, web, *sent)
        run.master.options.update(anticache=False, anticomp=False)
        await ask(run, web, *sent)
        with_both, without = (request.fields for request in web.requests)
        assert not {"if-none-match", "if-modified-since"} & with_both.keys()
        assert with_both["accept-encoding"] == "identity"
        assert (without["if-none-match"], without["if-modified-since"]) == ("x", "y")
        assert without["accept-encoding"] == "gzip"
