"""Clients that have to say who they are: curl through each mode, a directory, and what must not be forwarded before."""

from __future__ import annotations

import asyncio
import base64
import shutil
from pathlib import Path

import pytest

from midstream.flows.http import HTTPFlow
from midstream.flows.server_hooks import ServerConnectionHookData
from tests.kit.curl import curl, needs_curl
from tests.kit.origins import Heard, OriginCA, answering, ok, origin
from tests.kit.program import middump, started
from tests.kit.running_master import RunningMaster, running_master
from tests.kit.slapd import ADMIN, needs_slapd, slapd
from tests.kit.socket_end import connected

pytestmark = pytest.mark.end2end

USER = "ann:s3cret:!"
BASIC = "Basic " + base64.b64encode(USER.encode()).decode()
SILENT = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def echo(heard: Heard) -> bytes:
    return ok(heard.method.encode() + b" " + heard.target.encode() + b" " + heard.body)


class Dials:
    """Notes who is dialled."""

    def __init__(self) -> None:
        self.addresses: list[object] = []

    def server_connected(self, data: ServerConnectionHookData) -> None:
        self.addresses.append(data.server.address)


def through(running: RunningMaster, user: str = "") -> tuple[str, ...]:
    return "--proxy", running.address, "--cacert", str(running.ca), *(("--proxy-user", user) if user else ())


# -- an explicit proxy --


@needs_curl
async def test_curl(confdir: Path, origin_ca: OriginCA, scheme: str, trust: dict[str, str]):
    tls, dials = origin_ca.context() if scheme == "https" else None, Dials()
    async with (
        origin(answering(echo), tls=tls) as web,
        running_master(confdir, dials, proxyauth=USER, **trust) as running,
    ):
        for user in ("", "ann:guess", "eve:s3cret:!"):
            refused = await curl(*through(running, user), web.url("/no"))
            assert b"HTTP/1.1 407 Proxy Authentication Required\r\n" in refused.head, refused.errors
            assert b'Proxy-Authenticate: Basic realm="midstream", charset="UTF-8"\r\n' in refused.head
        assert dials.addresses == [] and web.requests == []
        done = await curl(*through(running, USER), web.url("/one"), web.url("/two"), "-o", "/dev/null")
        assert (done.exit, done.status) == (0, 200), done.errors
        asked = await curl(*through(running, USER), "--proxy-anyauth", "-d", "body", web.url("/three"))
        assert asked.body == b"POST /three body"
        assert [one.target for one in web.requests] == ["/one", "/two", "/three"]
        assert not any("authorization" in name for one in web.requests for name in one.fields)
        flow = running.recorder.last("response")
        assert flow.metadata["proxyauth"] == ("ann", "s3cret:!")
        assert not any("s3cret" in str(value) for entry in running.log for value in (entry.msg, entry))
        assert not any("authorization" in name.lower() for _, flow in running.recorder.seen for name in fields(flow))


def fields(flow: object) -> list[str]:
    return list(flow.request.headers) if isinstance(flow, HTTPFlow) else []


@needs_curl
async def test_what_is_inside_of_a_tunnel_is_the_servers(confdir: Path, origin_ca: OriginCA, trust: dict[str, str]):
    """Credentials for the server pass, and it may ask for some of its own."""

    def answer(heard: Heard) -> bytes:
        if "authorization" not in heard.fields:
            return b'HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm="web"\r\nContent-Length: 0\r\n\r\n'
        return ok(heard.fields["authorization"].encode())

    async with (
        origin(answering(answer), tls=origin_ca.context()) as web,
        running_master(confdir, proxyauth="any", **trust) as running,
    ):
        done = await curl(*through(running, USER), "--anyauth", "-u", "web:pw", web.url("/"))
        assert done.body == b"Basic " + base64.b64encode(b"web:pw"), done.errors
        assert running.recorder.last("response").metadata["proxyauth"] == ("ann", "s3cret:!")


@needs_curl
@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
async def test_clients_of_a_server(confdir: Path, origin_ca: OriginCA, trust: dict[str, str], version: str):
    """Who does not know of a proxy is asked as by the server, before that is dialled."""
    dials = Dials()
    async with origin(answering(echo), tls=origin_ca.context()) as web:
        mode = [f"reverse:https://localhost:{web.port}"]
        async with running_master(confdir, dials, proxyauth=USER, mode=mode, **trust) as running:
            client = (version, "--cacert", str(running.ca), f"https://localhost:{running.port}/")
            refused = await curl(*client)
            assert refused.status == 401, refused.errors
            assert b"www-authenticate: basic" in refused.head.lower()
            assert (await curl("-u", "ann:wrong", *client)).status == 401
            assert dials.addresses == []
            assert (await curl("-u", USER, *client)).status == 200
            assert "authorization" not in web.requests[0].fields


@needs_curl
async def test_a_web_socket(confdir: Path):
    async with origin(answering(echo)) as web, running_master(confdir, proxyauth=USER) as running:
        upgrade = ("-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13",
                   "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")  # fmt: skip
        assert (await curl(*through(running), *upgrade, web.url("/"))).status == 407
        assert web.requests == []


async def test_each_request_of_a_connection_is_asked(confdir: Path):
    """What is known of one request is not known of the next, which another client of a shared connection may send."""
    async with origin(answering(echo)) as web, running_master(confdir, proxyauth=USER) as running:
        async with connected(running.port) as end:
            head = f"GET {web.url('/')} HTTP/1.1\r\nHost: {web.authority}\r\n"
            end.say(f"{head}Proxy-Authorization: {BASIC}\r\n\r\n".encode())
            assert b" 200 " in await end.head()
            await end.take(6)
            end.say(f"{head}\r\n".encode())
            assert b" 407 " in await end.head()
        assert len(web.requests) == 1


async def test_a_large_body_of_a_stranger_is_not_sent(confdir: Path):
    options = {"stream_large_bodies": "1k", "body_buffer_limit": "2k", "proxyauth": USER}
    async with origin(answering(echo)) as web, running_master(confdir, **options) as running:
        async with connected(running.port) as end:
            end.say(f"POST {web.url('/')} HTTP/1.1\r\nHost: {web.authority}\r\nContent-Length: 100000\r\n\r\n".encode())
            end.say(b"x" * 100_000)
            assert b" 407 " in await end.head()
        assert web.requests == []


# -- where nobody can be asked before --


@pytest.mark.parametrize("strategy", ["eager", "lazy"])
async def test_raw_bytes_do_not_pass(confdir: Path, strategy: str):
    """A reverse mode without HTTP has no way to ask: nothing passes."""
    dials = Dials()
    async with origin(answering(echo)) as web:
        options = {"mode": [f"reverse:tcp://127.0.0.1:{web.port}"], "connection_strategy": strategy}
        async with running_master(confdir, dials, proxyauth=USER, **options) as running:
            async with connected(running.port) as end:
                end.say(SILENT)
                assert await end.rest() == b""
            assert dials.addresses == []
            assert running.recorder.last("tcp_error").error.msg.startswith("the client has not said who it is")  # type: ignore[union-attr]


# -- SOCKS --


@needs_curl
async def test_socks(confdir: Path):
    dials = Dials()
    async with origin(answering(echo)) as web, running_master(confdir, dials, mode=["socks5"]) as running:
        plain = "--proxy", f"socks5h://127.0.0.1:{running.port}"
        assert (await curl(*plain, web.url("/open"))).status == 200
        running.master.options.update(proxyauth=USER)
        dials.addresses.clear()
        assert (await curl(*plain, web.url("/"))).exit == 97
        assert (await curl(*plain, "--proxy-user", "ann:wrong", web.url("/"))).exit == 97
        assert dials.addresses == []
        done = await curl(*plain, "--proxy-user", USER, web.url("/in"))
        assert done.body == b"GET /in ", done.errors
        assert running.recorder.last("response").metadata["proxyauth"] == ("ann", "s3cret:!")


# -- where secrets must not be --

SCRIPT = """\
def response(flow):
    print("WHO", flow.metadata.get("proxyauth", ("", ""))[1] == "s3cret:!", flow.metadata)
"""


@needs_curl
async def test_no_file_and_no_line_has_the_password(confdir: Path, tmp_path: Path):
    script, saved, har = tmp_path / "who.py", tmp_path / "flows", tmp_path / "flows.har"
    script.write_text(SCRIPT)
    argv = ("--proxyauth", USER, "-s", str(script), "-w", str(saved), "--set", f"hardump={har}")
    loud = ("--set", "record_changes=true", "--set", "termlog_verbosity=debug", "--set", "flow_detail=4")
    async with origin(answering(echo)) as web:
        async with middump(confdir, *argv, *loud) as program:
            proxy = ("--proxy", program.address)
            assert (await curl(*proxy, "--proxy-user", "ann:s3cret!", web.url("/nearly"))).status == 407
            assert (await curl(*proxy, "--proxy-user", USER, web.url("/right"))).status == 200
            twice = ("-H", "Proxy-Authorization: Digest x", "-H", f"Proxy-Authorization: {BASIC}")
            assert (await curl(*proxy, *twice, web.url("/twice"))).status == 407
            await program.line("WHO True")
        printed = program.printed()
    for file in (saved, har):
        assert b"/right" in file.read_bytes() and b"/nearly" in file.read_bytes()
    files = [path.read_bytes() for path in [*tmp_path.rglob("*")] if path.is_file() and path != script]
    for secret in ("s3cret", base64.b64encode(USER.encode()).decode(), base64.b64encode(b"ann:s3cret!").decode()):
        assert secret not in printed
        assert not any(secret.encode() in one for one in files)


# -- files of users, and directories --


@needs_curl
@pytest.mark.skipif(shutil.which("htpasswd") is None, reason="the program htpasswd (apache2-utils) is not installed")
async def test_a_file_by_the_real_tool(confdir: Path, tmp_path: Path):
    users = tmp_path / "users"
    for flags, user, password in (("-cbB", "ann", "s3cret:!"), ("-bs", "bob", "pässword")):
        made = await asyncio.create_subprocess_exec(
            "htpasswd", flags, str(users), user, password, stderr=asyncio.subprocess.DEVNULL
        )
        assert await made.wait() == 0
    async with origin(answering(echo)) as web, running_master(confdir, proxyauth=f"@{users}") as running:
        for user, status in (("ann:s3cret:!", 200), ("bob:pässword", 200), ("ann:pässword", 407), ("eve:x", 407)):
            assert (await curl(*through(running, user), web.url("/"))).status == status
        made = await asyncio.create_subprocess_exec(
            "htpasswd", "-bm", str(users), "old", "md5", stderr=asyncio.subprocess.DEVNULL
        )
        assert await made.wait() == 0
    text = await refused_start(confdir, f"@{users}")
    assert "line 3: the hash of 'old' is neither of bcrypt (htpasswd -B) nor of SHA-1 (htpasswd -s)" in text


async def refused_start(confdir: Path, proxyauth: str) -> str:
    """What a start says that this option ends."""
    async with started(confdir, "-p", "0", "--listen-host", "127.0.0.1", "--proxyauth", proxyauth) as program:
        assert await program.ended() == 1, program.printed()
        return program.printed()


@needs_curl
@needs_slapd
async def test_a_directory(confdir: Path, tmp_path: Path, origin_ca: OriginCA, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(origin_ca.file))
    async with (
        origin(answering(echo)) as web,
        slapd(tmp_path / "slapd", origin_ca) as directory,
        running_master(confdir, proxyauth=directory.spec()) as running,
    ):
        for user, status in (
            (USER, 200),
            ("ann:wrong", 407),
            ("ann:", 407),
            ("*:s3cret:!", 407),
            ("a*:s3cret:!", 407),
            ("ann)(cn=*:s3cret:!", 407),
            ("a*(b):odd", 200),
            ("twin:twin", 407),  # which of the two?
            ("nobody:x", 407),
        ):
            assert (await curl(*through(running, user), web.url("/"))).status == status, user
        running.master.options.update(proxyauth=directory.spec("ldaps", more="?search_filter_key=sn"))
        assert (await curl(*through(running, "A.:s3cret:!"), web.url("/"))).status == 200
        assert (await curl(*through(running, USER), web.url("/"))).status == 407
        await directory.end()
        assert (await curl(*through(running, "A.:s3cret:!"), web.url("/"))).status == 200  # for a minute
        assert (await curl(*through(running, "B.:s3cret:!"), web.url("/"))).status == 503
        assert running.logged("the LDAP server 127.0.0.1", "cannot be asked")


@needs_slapd
async def test_a_directory_that_cannot_be_asked_ends_the_start(confdir: Path, tmp_path: Path, origin_ca: OriginCA):
    async with slapd(tmp_path / "slapd", origin_ca) as directory:
        text = await refused_start(confdir, directory.spec(password="hunter2"))
        assert f"does not accept the password of {ADMIN}" in text and "hunter2" not in text
        text = await refused_start(confdir, directory.spec("ldaps"))
        assert "its certificate is not trusted" in text
    text = await refused_start(confdir, directory.spec())
    assert "cannot be asked" in text
