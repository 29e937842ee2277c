"""middump with an addon, curl through it to origins in the clear and over TLS: bodies, the addon's log, dump lines."""

import gzip
import random
import re
from pathlib import Path

import pytest

from tests.kit.curl import curl, needs_curl
from tests.kit.origins import Heard, OriginCA, answering, ok, origin
from tests.kit.program import free_port, middump

pytestmark = [pytest.mark.end2end, needs_curl]

ANATOMY = Path(__file__).resolve().parents[2] / "examples" / "addons" / "anatomy.py"

TEXT = b"some text that packs well\n" * 1000
BODIES = {
    "/empty": b"",
    "/binary": bytes(range(256)) * 8 + b"\r\n\r\n\x00",
    "/1mb": random.Random(2).randbytes(1024 * 1024),
    "/gzip": gzip.compress(TEXT),
}


def serve_bodies(heard: Heard) -> bytes:
    """The body that the path names; for a POST what was posted."""
    if heard.method == "POST":
        return ok(heard.body, "Content-Type: application/octet-stream")
    fields = ["Content-Encoding: gzip", "Content-Type: text/plain"] if heard.target == "/gzip" else []
    return ok(BODIES[heard.target], *fields)


async def test_bodies_arrive_unchanged_and_the_addon_tallies_each(confdir: Path, origin_ca: OriginCA, scheme: str):
    tls = origin_ca.context() if scheme == "https" else None
    port = free_port()
    async with (
        origin(answering(serve_bodies), tls=tls) as web,
        middump(
            confdir, "-p", str(port), "-s", str(ANATOMY), "--set", f"ssl_verify_upstream_trusted_ca={origin_ca.file}"
        ) as program,
    ):
        assert program.port == port
        through = ("--proxy", program.address, "--cacert", str(program.ca))
        for number, (path, body) in enumerate(BODIES.items(), 1):
            done = await curl(*through, web.url(path))
            assert (done.exit, done.status, done.body) == (0, 200, body), done.errors
            await program.line(f"tally: {number} {web.url(path)}: {number}x 200")
        upload = await curl(*through, "--data-binary", "@-", web.url("/up"), stdin=BODIES["/1mb"])
        assert upload.body == BODIES["/1mb"] == web.requests[-1].body
        await program.line(f"tally: 5 {web.url('/up')}: 5x 200")


async def test_a_packed_body_stays_packed_and_can_be_unpacked(confdir: Path):
    async with origin(answering(serve_bodies)) as web, middump(confdir) as program:
        plain = await curl("--proxy", program.address, web.url("/gzip"))
        assert plain.body == BODIES["/gzip"]
        assert b"Content-Encoding: gzip\r\n" in plain.head
        unpacked = await curl("--compressed", "--proxy", program.address, web.url("/gzip"))
        assert unpacked.body == TEXT


async def test_the_head_passes_with_its_order_case_and_duplicates(confdir: Path):
    reply = b"HTTP/1.1 200 All Right\r\nx-b: 1\r\nX-A: 2\r\nx-B: 3\r\nContent-Length: 0\r\nSet-Cookie: a\r\n\r\n"
    async with origin(answering(lambda heard: reply)) as web, middump(confdir) as program:
        done = await curl(
            "--proxy", program.address, "-H", "zZ: 1", "-H", "Aa: 2", "-H", "zz: 3", web.url("/?q=%41%zz")
        )
        assert done.head == reply
        sent = web.requests[0].head
        assert sent.startswith(b"GET /?q=%41%zz HTTP/1.1\r\n")
        assert b"zZ: 1\r\nAa: 2\r\nzz: 3\r\n" in sent
        assert b"Proxy-Connection" not in sent


ASKED = r"127.0.0.1:\d+ POST {url}"
ANSWERED = r"    <- 201 Made {size}b \d+m?s"
ASKED_FIELDS = r"""
        Host: {host}
        User-Agent: curl
        Accept: \*/\*
        Proxy-Connection: Keep-Alive
        X-Odd: <202E>txt\.exe
        Content-Length: 5
        Content-Type: application/x-www-form-urlencoded"""
ANSWERED_FIELDS = r"""
        Content-Type: text/plain
        Content-Encoding: gzip
        Content-Length: {size}"""
ASKED_BODY = r"""

        hello: ''
"""
ANSWERED_BODY = r"""

        line 0
        line 1
        line 2
"""
DUMPED = {
    1: [ASKED, "\n", ANSWERED],
    2: [ASKED, ASKED_FIELDS, "\n", ANSWERED, ANSWERED_FIELDS],
    3: [
        *(ASKED, ASKED_FIELDS, ASKED_BODY, "\n", ANSWERED, ANSWERED_FIELDS, ANSWERED_BODY),
        "        \\(cut off after 3 lines; flow_detail=4 shows everything\\)\n",
    ],
    4: [
        *(ASKED, ASKED_FIELDS, ASKED_BODY, "\n", ANSWERED, ANSWERED_FIELDS, ANSWERED_BODY),
        "        line 3\n        line 4\n",
    ],
}


@pytest.mark.parametrize("detail", [1, 2, 3, 4])
async def test_dump_lines(confdir: Path, detail: int):
    packed = gzip.compress(b"".join(b"line %d\n" % number for number in range(5)), mtime=0)
    reply = ok(packed, "Content-Type: text/plain", "Content-Encoding: gzip", status="201 Made")
    options = ("--flow-detail", str(detail), "--set", "content_view_lines_cutoff=3")
    async with origin(answering(lambda heard: reply)) as web:
        async with middump(confdir, *options) as program:
            sent = ("-A", "curl", "-H", "X-Odd: \u202etxt.exe", "-d", "hello")
            done = await curl("--proxy", program.address, *sent, web.url("/x"))
            assert done.status == 201
        wanted = "".join(DUMPED[detail]).format(
            url=re.escape(web.url("/x")), host=re.escape(web.authority), size=len(packed)
        )
        dumped = [line for line in program.lines if not line.startswith("[")]  # the others are log lines
        printed = "\n".join(dumped)
        assert re.fullmatch(wanted, printed), printed
