"""The tests of `transparent.py` that need a program of their own."""

import asyncio
import subprocess
from pathlib import Path

from tests.end2end.conftest import *  # noqa: F403  its fixtures
from tests.end2end.namespace.transparent import CLIENT, MODES, echo, host, redirected
from tests.kit.curl import curl
from tests.kit.origins import answering, origin
from tests.kit.program import free_port, middump
from tests.kit.socket_end import connected
from tests.kit.waiting import until

__all__ = ["host"]


async def test_flows_have_the_address_and_the_name(confdir: Path, tmp_path: Path, host: str):
    script = tmp_path / "names.py"
    script.write_text(
        "def request(flow):\n"
        "    r, c = flow.request, flow.client_conn\n"
        "    print('HOST', r.host, 'NAME', r.pretty_host, 'MODE', c.proxy_mode.type_name, 'FROM', c.peername[0],"
        " 'TO', flow.server_conn.address[0])\n"
    )
    async with (
        origin(answering(echo), host=host) as web,
        middump(confdir, "-p", "8080", *MODES, "-s", str(script)) as program,
    ):
        await program.line("listening at [::1]:8080")
        async with redirected(host, web.port) as end:
            end.say(b"GET /as-it-is HTTP/1.1\r\nhost: site.example\r\n\r\n")
            await end.until(b"GET /as-it-is ")
        await program.line(f"HOST {host} NAME site.example MODE transparent FROM {CLIENT[host]} TO {host}")
        assert web.requests[0].head == b"GET /as-it-is HTTP/1.1\r\nhost: site.example\r\n\r\n"


async def test_clients_that_have_to_say_who_they_are(confdir: Path, host: str):
    """They are asked as by the server, which is not dialled before; nor for what is no HTTP."""
    async with (
        origin(answering(echo), host=host) as web,
        middump(confdir, "-p", "8080", *MODES, "--proxyauth", "ann:pw") as program,
    ):
        await program.line("listening at [::1]:8080")
        client = ("--interface", CLIENT[host])
        assert (await curl(*client, web.url("/"))).status == 401
        async with redirected(host, web.port) as end:
            end.say(b"\x00\x01")
            assert await end.rest() == b""
        assert web.connections == []
        assert (await curl(*client, "-u", "ann:pw", web.url("/in"))).body == b"GET /in "


COUNTS = """\
total = here = 0

def client_connected(client):
    global total, here
    total, here = total + 1, here + 1

def client_disconnected(client):
    global here
    here -= 1
    print("CLIENTS", here, "OF", total)
"""


async def test_rules_that_redirect_the_proxy_itself(confdir: Path, tmp_path: Path):
    """Its own connections come back to it; that is noticed instead of filling the memory."""
    rule = "rule inet midstream out ip daddr 127.0.0.81 tcp dport != 8080 redirect to :8080"
    subprocess.run(["nft", "add", *rule.split()], check=True)
    port, script = free_port(), tmp_path / "counts.py"
    script.write_text(COUNTS)
    async with middump(confdir, "-p", "8080", *MODES[:2], "-s", str(script)) as program:

        async def client(number: int) -> None:
            async with connected(port, "127.0.0.81") as end:
                if number % 3 == 0:
                    return
                end.say(b"GET / HTTP/1.1\r\nHost: site.example\r\n\r\n")
                if number % 3 == 1:
                    return
                assert (await end.head()).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
                await end.until(b"the firewall redirects this proxy's own connections")

        def counts() -> list[str]:
            return [line for line in program.lines if line.startswith("CLIENTS")] or ["CLIENTS 1 OF 0"]

        await asyncio.gather(*(client(number) for number in range(60)))
        await until(lambda: counts()[-1].startswith("CLIENTS 0 "), "nobody is there any more")
        assert 60 <= int(counts()[-1].rpartition(" ")[2]) < 300
