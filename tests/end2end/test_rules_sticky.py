"""stickycookie and stickyauth on real traffic."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from midstream.flows.errors import OptionsError
from tests.kit.curl import Curled, curl, needs_curl
from tests.kit.origins import Heard, Origin, OriginCA, answering, ok, origin
from tests.kit.running_master import RunningMaster, running_master
from tests.kit.web_server import Message, Receive, Send, respond, web_server, whole_body

pytestmark = [pytest.mark.end2end, needs_curl]

COOKIES = {
    "/login": ("Set-Cookie: session=1; HttpOnly", "Set-Cookie: deep=2; Path=/deep", "Set-Cookie: safe=3; Secure"),
    "/logout": ("Set-Cookie: session=; Max-Age=0",),
}


def answer(heard: Heard) -> bytes:
    return ok(b"hello", *COOKIES.get(heard.target, ()))


async def ask(running: RunningMaster, web: Origin, path: str, *arguments: str) -> Curled:
    done = await curl("--proxy", running.address, "--cacert", str(running.ca), *arguments, web.url(path))
    assert done.exit == 0, done.errors
    return done


async def test_cookies_stick(confdir: Path, tls: ssl.SSLContext | None, trust: dict[str, str]) -> None:
    safe = "; safe=3" if tls is not None else ""
    async with (
        origin(answering(answer), tls=tls) as web,
        running_master(confdir, stickycookie="~u want", **trust) as run,
    ):
        for path, sent, wanted in [
            ("/want", "", None),
            ("/login", "", None),
            ("/want", "", f"session=1{safe}"),
            ("/other", "", None),
            ("/deep/want", "", f"deep=2; session=1{safe}"),
            ("/deeper/want", "", f"session=1{safe}"),
            ("/want", 'own="a b"; session=old', f'session=1{safe}; own="a b"'),
            ("/other", "own=1", "own=1"),
            ("/logout", "", None),
            ("/want", "own=1", "safe=3; own=1" if safe else "own=1"),
        ]:
            await ask(run, web, path, *(("-H", f"Cookie: {sent}") if sent else ()))
            assert web.requests[-1].fields.get("cookie") == wanted, path
            assert run.recorder.last("response").metadata == (
                {"stickycookie": True} if wanted and wanted != sent else {}
            )


async def test_cookies_stay_with_their_site(confdir: Path) -> None:
    async with (
        origin(answering(answer)) as one,
        origin(answering(answer)) as other,
        running_master(confdir, stickycookie="~all") as run,
    ):
        await ask(run, one, "/login")
        await ask(run, other, "/")
        assert "cookie" not in other.requests[-1].fields
        await ask(run, one, "/")
        assert one.requests[-1].fields["cookie"] == "session=1"
        run.master.options.update(stickycookie="~u want")  # who narrows the filter stays logged in
        await ask(run, one, "/want", "-H", "Transfer-Encoding: chunked", "-d", "x")
        assert one.requests[-1].fields["cookie"] == "session=1"
        with pytest.raises(OptionsError, match="stickycookie: column 1: ~zz is no operator"):
            run.master.options.update(stickycookie="~zz")
        run.master.options.update(stickycookie=None)
        run.master.options.update(stickycookie="~all")
        await ask(run, one, "/")
        assert "cookie" not in one.requests[-1].fields


async def test_http2(confdir: Path, origin_ca: OriginCA, trust: dict[str, str]) -> None:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await whole_body(receive)
        cookies = b"|".join(value for name, value in scope["headers"] if name == b"cookie")
        await respond(send, 200, cookies, ("set-cookie", "a=1"), ("set-cookie", "b=2"))

    async with (
        web_server(app, tls=origin_ca) as server,
        running_master(confdir, stickycookie="~all", stickyauth="~all", **trust) as run,
    ):
        through = ("--proxy", run.address, "--cacert", str(run.ca), "--http2", server.url())
        assert (await curl(*through)).body == b""
        assert (await curl(*through, "-H", "Cookie: c=3")).body.replace(b"|", b"; ") == b"a=1; b=2; c=3"


async def test_credentials_stick(confdir: Path, tls: ssl.SSLContext | None, trust: dict[str, str]) -> None:
    async with (
        origin(answering(answer), tls=tls) as web,
        running_master(confdir, stickyauth="~u want", **trust) as run,
    ):
        seen = []
        for path, own in [("/want", ""), ("/", "a:b"), ("/want", ""), ("/", ""), ("/want", "c:d"), ("/want", "")]:
            await ask(run, web, path, *(("-u", own) if own else ()))
            seen.append(web.requests[-1].fields.get("authorization"))
        first, second = "Basic YTpi", "Basic Yzpk"
        assert seen == [None, first, first, None, second, second]
        with pytest.raises(OptionsError, match="stickyauth: column 1"):
            run.master.options.update(stickyauth="~zz")
        run.master.options.update(stickyauth=None)
        run.master.options.update(stickyauth="~all")
        await ask(run, web, "/want")
        assert "authorization" not in web.requests[-1].fields


async def test_credentials_stay_with_their_place(confdir: Path, origin_ca: OriginCA, trust: dict[str, str]) -> None:
    async with (
        origin(answering(answer), tls=origin_ca.context()) as secure,
        origin(answering(answer)) as plain,
        running_master(confdir, stickyauth="~all", stream_large_bodies="1", **trust) as run,
    ):
        await ask(run, secure, "/", "-u", "a:b", "-d", "a body that streams")
        await ask(run, plain, "/")
        assert "authorization" not in plain.requests[-1].fields
        await ask(run, secure, "/", "-d", "another one")
        assert secure.requests[-1].fields["authorization"] == "Basic YTpi"
        await ask(run, secure, "/", "-H", "Host: other.example")
        assert "authorization" not in secure.requests[-1].fields
