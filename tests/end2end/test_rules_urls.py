"""map_remote and block_list on real traffic."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from midstream.flows.http import HTTPFlow
from tests.kit.curl import Curled, curl, needs_curl
from tests.kit.origins import Heard, OriginCA, answering, ok, origin
from tests.kit.running_master import RunningMaster, running_master
from tests.kit.web_server import Message, Receive, Send, respond, web_server, whole_body

pytestmark = [pytest.mark.end2end, needs_curl]


def echo(heard: Heard) -> bytes:
    return ok(f"{heard.target} {heard.fields['host']}".encode())


async def ask(running: RunningMaster, *arguments: str) -> Curled:
    return await curl("--proxy", running.address, "--cacert", str(running.ca), *arguments)


async def test_a_request_goes_elsewhere(confdir: Path, origin_ca: OriginCA, trust: dict[str, str]) -> None:
    async with (
        origin(answering(echo)) as plain,
        origin(answering(echo), tls=origin_ca.context()) as secure,
        running_master(confdir, **trust) as run,
    ):
        run.master.options.update(
            map_remote=[
                rf"|//old\.example/(\w+)/(\w+)|//{plain.authority}/\2/\1",
                f"|http://secure[.]example|{secure.url('')}",
                "|~m post|/a|/b",
                "|/chain1|/chain2",
                "|/chain2|/chain3",
            ]
        )
        done = await ask(run, "http://old.example/x/y?q=1")
        assert done.body == f"/y/x?q=1 {plain.authority}".encode()
        done = await ask(run, "http://secure.example/z")
        assert done.body == f"/z {secure.authority}".encode()
        assert (await ask(run, plain.url("/a"))).body.startswith(b"/a ")
        assert (await ask(run, "-d", "x", plain.url("/a"))).body.startswith(b"/b ")
        assert (await ask(run, secure.url("/chain1"))).body.startswith(b"/chain3 ")
        assert isinstance(flow := run.recorder.last("response"), HTTPFlow)
        assert flow.request.url == secure.url("/chain3")


async def test_what_becomes_no_url_is_named_and_goes_where_it_was_meant_to(confdir: Path) -> None:
    async with origin(answering(echo)) as web, running_master(confdir, map_remote=["|^http://|"]) as run:
        for _ in range(2):
            assert (await ask(run, web.url("/x"))).status == 200
        (said,) = run.logged("the rule |^http://| of map_remote is skipped: what it makes is no URL")
        assert f"is no URL: {web.authority}/x (" in said, "what was made tells how the rule is meant"


async def test_http2(confdir: Path, origin_ca: OriginCA, trust: dict[str, str]) -> None:
    async def hello(scope: Message, receive: Receive, send: Send) -> None:
        await whole_body(receive)
        await respond(send, 200, scope["raw_path"] + b" " + scope["http_version"].encode())

    rules = {"map_remote": ["|/old|/new"], "block_list": ["/~u secret/404", ":~u /killed:444"]}
    async with web_server(hello, tls=origin_ca) as server, running_master(confdir, **rules, **trust) as run:
        assert (await ask(run, "--http2", server.url("/old"))).body == b"/new 2"
        done = await ask(run, "--http2", server.url("/secret"))
        assert (done.status, done.body) == (404, b"")
        assert (await ask(run, "--http2", server.url("/killed"))).exit != 0
        assert len(server.exchanges) == 1


async def test_bodies_that_stream_are_mapped_and_blocked_before_they_leave(confdir: Path) -> None:
    rules = {"map_remote": ["|/old|/new"], "block_list": ["/~u secret/403"], "stream_large_bodies": "10"}
    body = "x" * 100
    async with origin(answering(echo)) as web, running_master(confdir, **rules) as run:
        assert (await ask(run, "-d", body, web.url("/old"))).body.startswith(b"/new ")
        assert (await ask(run, "-d", body, web.url("/secret"))).status == 403
        grpc = ("-H", "Content-Type: application/grpc", "-H", "Transfer-Encoding: chunked", "-d", "x")
        assert (await ask(run, *grpc, web.url("/old"))).body.startswith(b"/new ")
        assert (await ask(run, *grpc, web.url("/secret"))).status == 403
        assert [request.target for request in web.requests] == ["/new", "/new"]
        # Nobody could know from the head that this body would be too large to be waited for.
        chunked = ("-H", "Transfer-Encoding: chunked", "-d", body)
        assert (await ask(run, *chunked, web.url("/old"))).body.startswith(b"/old ")
        assert (await ask(run, *chunked, web.url("/secret"))).status == 403
        assert len(run.logged("/old: map_remote was not applied to a request whose body was too large")) == 1


async def test_the_last_rule_decides_but_what_is_closed_is_closed(
    confdir: Path, tls: ssl.SSLContext | None, trust: dict[str, str]
) -> None:
    rules = [
        "/~u twice/404",
        "/~u twice/500",
        "/~u dead/444",
        "/~u dead/444",
        "/~u dead/200",
        "/~u last/200",
        "/~u last/444",
    ]
    async with origin(answering(echo), tls=tls) as web, running_master(confdir, block_list=rules, **trust) as run:
        done = await ask(run, web.url("/twice"))
        assert (done.status, done.body) == (500, b"")
        assert b"Server: midstream\r\n" in done.head
        assert run.recorder.last("response").metadata == {"blocklisted": True}
        for path in ("/dead", "/last"):
            assert (await ask(run, web.url(path))).exit in (52, 56)
            assert str(run.recorder.last("error").error) == "Connection killed."
        assert (await ask(run, web.url("/fine"))).status == 200
        assert len(web.requests) == 1
        assert not [entry for entry in run.log if entry.level == "error"]


async def test_rules_that_look_at_the_body_wait_for_it(confdir: Path) -> None:
    rules = ["/!~bq good/403", "/~u x/200"]
    async with origin(answering(echo)) as web, running_master(confdir, block_list=rules[:1]) as run:
        assert (await ask(run, "-d", "good", web.url())).status == 200
        assert (await ask(run, "-d", "evil", web.url())).status == 403
        run.master.options.update(block_list=rules)
        assert (await ask(run, "-d", "evil", web.url("/x"))).status == 200
        assert len(web.requests) == 1


async def test_an_answer_without_a_body(confdir: Path) -> None:
    async with running_master(confdir, block_list=["/~all/204"]) as run:
        done = await ask(run, "http://a.example/")
        assert done.status == 204
        assert b"content-length" not in done.head.lower()  # RFC 9110 §8.6
