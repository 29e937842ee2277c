"""The socks5 mode: curl and Python clients through a real process, by name, IPv4 and IPv6, with and without TLS."""

import asyncio
import socket
import ssl
from pathlib import Path

import pytest

from tests.kit.curl import curl, needs_curl
from tests.kit.dripping import drip
from tests.kit.origins import Heard, OriginCA, answering, ok, origin
from tests.kit.program import Middump, free_port, middump
from tests.kit.running_master import running_master
from tests.kit.socket_end import SocketEnd, connected

pytestmark = pytest.mark.end2end

JUDGE = """\
class Judge:
    async def socks5_auth(self, data):
        data.valid = (data.username, data.password) == ("ann", "s3cret:!")

    def request(self, flow):
        print("SAW", flow.request.pretty_url, flow.client_conn.proxy_mode.type_name)

addons = [Judge()]
"""


def echo(heard: Heard) -> bytes:
    return ok(heard.method.encode() + b" " + heard.target.encode() + b" " + heard.body)


def socks(program: Middump, scheme: str = "socks5h", user: str = "") -> tuple[str, ...]:
    """How curl is told; with socks5 it resolves names itself, with socks5h the proxy does."""
    return "--proxy", f"{scheme}://{user}127.0.0.1:{program.port}", "--cacert", str(program.ca)


async def ask(end: SocketEnd, request: bytes) -> bytes:
    """Greet without a password and ask; the reply's code."""
    end.say(b"\x05\x01\x00")
    await end.expect(b"\x05\x00")
    end.say(b"\x05\x01\x00" + request)
    reply = await end.take(10)
    if reply[3] == 4:
        await end.take(12)
    return reply[1:2]


@needs_curl
@pytest.mark.parametrize("flag", ["--socks5", "--socks5-hostname"])
async def test_curl(confdir: Path, origin_ca: OriginCA, scheme: str, flag: str, trusting: tuple[str, str]):
    tls = origin_ca.context() if scheme == "https" else None
    async with (
        origin(answering(echo), tls=tls) as web,
        middump(confdir, "--mode", "socks5", *trusting) as program,
    ):
        url = f"{scheme}://localhost:{web.port}"
        through = (flag, f"127.0.0.1:{program.port}", "--cacert", str(program.ca))
        done = await curl(*through, f"{url}/one", f"{url}/two", "-o", "/dev/null")
        assert (done.exit, done.status) == (0, 200), done.errors
        upload = await curl(*through, "--data-binary", "@-", f"{url}/up", stdin=b"x" * 300_000)
        assert upload.body == b"POST /up " + b"x" * 300_000
        # A name that the client resolved is no name any more, but for the Host field.
        host = "127.0.0.1" if flag == "--socks5" else "localhost"
        await program.line(f"GET {scheme}://{host}:{web.port}/one")
        assert [one.target for one in web.requests] == ["/one", "/two", "/up"]
        assert web.requests[0].fields["host"] == f"localhost:{web.port}"


@needs_curl
async def test_ipv6(confdir: Path):
    async with origin(answering(echo), host="::1") as web, middump(confdir, "--mode", "socks5") as program:
        done = await curl(*socks(program), web.url("/six"))
        assert (done.status, done.body) == (200, b"GET /six "), done.errors
        await program.line(f"GET http://[::1]:{web.port}/six")


@needs_curl
async def test_passwords_are_judged_by_a_script(confdir: Path, tmp_path: Path):
    script = tmp_path / "judge.py"
    script.write_text(JUDGE)
    async with (
        origin(answering(echo)) as web,
        middump(confdir, "--mode", "socks5", "-s", str(script)) as program,
    ):
        right = await curl(*socks(program, user="ann:s3cret%3A!@"), web.url("/right"))
        assert right.body == b"GET /right "
        await program.line(f"SAW {web.url('/right')} socks5")
        wrong = await curl(*socks(program, user="ann:guess@"), web.url("/wrong"))
        assert wrong.exit == 97  # curl's word for a SOCKS handshake that failed
        none = await curl(*socks(program), web.url("/none"))
        assert none.exit == 97
        assert "guess" not in program.printed()
        assert len(web.requests) == 1


@pytest.mark.parametrize("strategy", ["eager", "lazy"])
async def test_a_python_client_with_tls_inside(
    confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], strategy: str
):
    async with (
        origin(answering(echo), tls=origin_ca.context()) as web,
        middump(confdir, "--mode", "socks5", *trusting, "--set", f"connection_strategy={strategy}") as program,
        connected(program.port) as end,
    ):
        code = await ask(end, b"\x03\x09localhost" + web.port.to_bytes(2, "big"))
        assert code == b"\x00"
        await end.start_tls(ssl.create_default_context(cafile=str(program.ca)), "localhost")
        end.say(b"GET /inside HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await end.head()).startswith(b"HTTP/1.1 200 OK\r\n")
        await end.expect(b"GET /inside ")


async def test_replies_of_a_real_network(confdir: Path):
    with socket.socket() as taken:  # bound and not listening: refuses
        taken.bind(("127.0.0.1", 0))
        closed = taken.getsockname()[1].to_bytes(2, "big")
        async with middump(confdir, "--mode", "socks5") as program:
            async with connected(program.port) as end:
                assert await ask(end, b"\x01\x7f\x00\x00\x01" + closed) == b"\x05"
                await end.expect_closed()
            async with connected(program.port) as end:
                assert await ask(end, b"\x03\x0fnowhere.invalid\x00\x50") == b"\x04"
            async with connected(program.port) as end:  # ourselves
                assert await ask(end, b"\x03\x09localhost" + program.port.to_bytes(2, "big")) == b"\x02"
            await program.line("nothing listens there")
            await program.line("cannot be resolved")
            await program.line("this proxy itself")


GREETING = b"\x05\x03\x00\x01\x02"


@pytest.mark.parametrize(
    "inside", [b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 100, b"\x16\x03\x01\x02\x00\x01" + bytes(500)]
)
async def test_slow_clients_are_closed(confdir: Path, inside: bytes):
    """The whole greeting has as long as a message head, and so has what begins after it."""
    async with (
        origin(answering(echo)) as web,
        running_master(confdir, mode=["socks5"], head_timeout=1) as running,
        connected(running.port) as greeting,
        connected(running.port) as asking,
        asyncio.TaskGroup() as attack,
    ):
        slow = attack.create_task(drip(greeting, GREETING + b"\x05\x01\x00\x03\xff" + b"a" * 100))
        assert await ask(asking, b"\x01\x7f\x00\x00\x01" + web.port.to_bytes(2, "big")) == b"\x00"
        await drip(asking, inside)
        await slow
        await running.idle()


async def test_beside_another_mode(confdir: Path):
    """One process, two modes: each client record names its own."""
    modes = ("--mode", f"regular@127.0.0.1:{free_port()}", "--mode", "socks5")
    async with origin(answering(echo)) as web, middump(confdir, *modes) as program:
        line = await program.line("SOCKS v5 proxy listening at")
        async with connected(int(line.rpartition(":")[2])) as end:
            assert await ask(end, b"\x01\x7f\x00\x00\x01" + web.port.to_bytes(2, "big")) == b"\x00"
            end.say(b"GET /socks HTTP/1.1\r\nHost: x\r\n\r\n")
            await end.until(b"GET /socks ")
        async with connected(program.port) as end:
            end.say(f"GET {web.url('/regular')} HTTP/1.1\r\nHost: {web.authority}\r\n\r\n".encode())
            await end.until(b"GET /regular ")
