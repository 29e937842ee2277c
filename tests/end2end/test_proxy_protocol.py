"""Behind a load balancer: the option proxy_protocol in a real process."""

from pathlib import Path

import pytest

from tests.kit.curl import curl, needs_curl
from tests.kit.origins import Heard, answering, ok, origin
from tests.kit.program import middump
from tests.kit.socket_end import connected

pytestmark = pytest.mark.end2end

NAMES = """\
def client_connected(client):
    print("CLIENT", client.peername[0], client.sockname[1])
"""


def hello(heard: Heard) -> bytes:
    return ok(b"hello")


@needs_curl
async def test_curl_announces_itself_to_a_reverse_proxy(confdir: Path):
    async with (
        origin(answering(hello)) as web,
        middump(confdir, "--mode", f"reverse:{web.url('')}", "--set", "proxy_protocol") as program,
    ):
        done = await curl("--haproxy-protocol", program.address)
        assert (done.exit, done.body) == (0, b"hello"), done.errors
        plain = await curl(program.address)
        assert plain.exit in (52, 56)  # an empty reply, or a reset
        await program.line("closed: the connection starts with 'GET / HTTP/1.1", "instead of a PROXY protocol header")
        assert len(web.requests) == 1


async def test_scripts_and_rows_see_who_was_announced(confdir: Path, tmp_path: Path):
    script = tmp_path / "names.py"
    script.write_text(NAMES)
    async with (
        origin(answering(hello)) as web,
        middump(confdir, "-s", str(script), "--set", "proxy_protocol", "--set", "block_global=false") as program,
        connected(program.port) as end,
    ):
        end.say(b"PROXY TCP4 198.51.100.7 203.0.113.1 4711 443\r\n")
        end.say(f"GET {web.url('/')} HTTP/1.1\r\nHost: {web.authority}\r\n\r\n".encode())
        await end.until(b"hello")
        await program.line(f"CLIENT 198.51.100.7 {program.port}")
        await program.line(f"198.51.100.7:4711 GET {web.url('/')}")


async def test_block_global_looks_at_who_was_announced(confdir: Path):
    async with (
        middump(confdir, "--set", "proxy_protocol") as program,
        connected(program.port) as end,
    ):
        end.say(b"PROXY TCP4 8.8.8.8 203.0.113.1 4711 443\r\nGET http://127.0.0.1/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await end.expect_closed()
        await program.line("8.8.8.8")


async def test_a_header_that_drips_is_closed(confdir: Path):
    async with (
        middump(confdir, "--set", "proxy_protocol", "--set", "head_timeout=1") as program,
        connected(program.port) as silent,
        connected(program.port) as dripping,
    ):
        dripping.say(b"PROXY TCP4 198.51.100.7")
        await silent.expect_closed()
        await dripping.expect_closed()
        await program.line("closed: no whole PROXY protocol header came within 1 s")
