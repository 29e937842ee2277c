"""curl through the proxy in each version of HTTP that it speaks: the same tour, and many transfers at once."""

from pathlib import Path

import pytest

from tests.kit.curl import curl, needs_curl
from tests.kit.origins import OriginCA
from tests.kit.tour import STEPS, Capture, Step, bodies, capturing, small, tour
from tests.kit.web_server import WebServer, web_server

pytestmark = [pytest.mark.end2end, needs_curl]


class Client:
    """curl, asking what a tour asks; a new process for each step."""

    def __init__(self, proxy: Capture, server: WebServer, *flags: str) -> None:
        self.flags = ("--proxy", proxy.address, "--cacert", str(proxy.ca), "--compressed", *flags)
        self.server = server
        self.first_lines: set[bytes] = set()

    async def __call__(self, step: Step) -> tuple[int, bytes]:
        how = ["--head"] if step.method == "HEAD" else ["-X", step.method]
        if step.in_pieces:
            how += ["-T", "-"]  # curl does not know how long its input will be
        elif step.body:
            how += ["--data-binary", "@-"]
        done = await curl(*self.flags, *how, self.server.url(step.path), stdin=step.body or None)
        assert done.exit == 0, done.errors
        self.first_lines.add(done.head.rpartition(b"\r\n\r\nHTTP/")[2].split(b" ")[0].removeprefix(b"HTTP/"))
        return done.status, b"" if step.method == "HEAD" else done.body


@pytest.mark.parametrize(
    ("flags", "scheme", "version"),
    [
        (["--http1.1"], "http", "HTTP/1.1"),
        (["--http1.1"], "https", "HTTP/1.1"),
        (["--http2"], "https", "HTTP/2.0"),
        (["--http2-prior-knowledge", "--proxytunnel"], "http", "HTTP/2.0"),
        (["--http2-prior-knowledge", "--proxytunnel"], "https", "HTTP/2.0"),
    ],
    ids=["h1", "h1-tls", "h2", "h2-prior-knowledge", "h2-prior-knowledge-tls"],
)
async def test_a_tour(
    confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], flags: list[str], scheme: str, version: str
):
    async with (
        web_server(bodies, tls=origin_ca if scheme == "https" else None) as server,
        capturing(confdir, *trusting) as proxy,
    ):
        client = Client(proxy, server, *flags)
        await tour(client)
    assert client.first_lines == {version.removeprefix("HTTP/").removesuffix(".0").encode()}
    proxy.agrees_with(server, version)
    assert len(proxy.http) == len(STEPS)


async def test_parallel_transfers_on_one_connection(
    tmp_path: Path, confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str]
):
    async with web_server(bodies, tls=origin_ca) as server, capturing(confdir, *trusting) as proxy:
        first, *paths = [f"/small/{number}" for number in range(100)]
        config = tmp_path / "transfers"
        config.write_text("".join(f'url = "{server.url(path)}"\noutput = "{tmp_path}/{path[7:]}"\n' for path in paths))
        through = ("--proxy", proxy.address, "--cacert", str(proxy.ca), "--http2", "--parallel", "--parallel-max", "50")
        done = await curl(*through, server.url(first), "-K", str(config))
        assert (done.exit, done.body) == (0, small(first)), done.errors
        for path in paths:
            assert (tmp_path / path[7:]).read_bytes() == small(path)
    proxy.agrees_with(server, "HTTP/2.0")
    assert len(proxy.http) == 1 + len(paths)
