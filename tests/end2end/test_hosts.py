"""ignore_hosts, allow_hosts and tcp_hosts with real TLS: what is not looked into has the server's own certificate."""

from pathlib import Path

import pytest

from midstream.flows.tcp import TCPFlow
from tests.kit.curl import curl, needs_curl
from tests.kit.origins import Heard, OriginCA, answering, ok, origin
from tests.kit.running_master import RunningMaster, running_master

pytestmark = [pytest.mark.end2end, needs_curl]


def hello(heard: Heard) -> bytes:
    return ok(b"hello")


@pytest.fixture
def ca(tmp_path: Path) -> OriginCA:
    return OriginCA(tmp_path)


async def fetched(running: RunningMaster, url: str, trusted: Path, *more: str) -> tuple[int, bytes]:
    """curl's status and the body, when it trusts only this CA."""
    done = await curl("--proxy", running.address, "--cacert", str(trusted), *more, url)
    return done.exit, done.body


@pytest.mark.parametrize(
    "options",
    [
        {"ignore_hosts": ["^localhost:"]},
        {"ignore_hosts": [r"127\.0\.0\.1"]},
        {"allow_hosts": ["other.test"]},
        {"ignore_hosts": ["^localhost:"], "connection_strategy": "lazy"},
    ],
)
async def test_what_is_ignored_passes_untouched_and_unseen(
    confdir: Path, ca: OriginCA, options: dict[str, object]
) -> None:
    async with (
        origin(answering(hello), tls=ca.context("localhost")) as web,
        running_master(confdir, ssl_verify_upstream_trusted_ca=str(ca.file), **options) as running,
    ):
        assert await fetched(running, web.url("/").replace("127.0.0.1", "localhost"), ca.file) == (0, b"hello")
        assert not [name for name in running.recorder.names() if name in ("request", "tcp_start")]


async def test_what_is_ignored_can_be_shown(confdir: Path, ca: OriginCA) -> None:
    async with (
        origin(answering(hello), tls=ca.context("localhost")) as web,
        running_master(confdir, ignore_hosts=["^localhost:"], show_ignored_hosts=True) as running,
    ):
        assert await fetched(running, web.url("/").replace("127.0.0.1", "localhost"), ca.file) == (0, b"hello")
        await running.idle()
        flow = running.recorder.last("tcp_end")
        assert isinstance(flow, TCPFlow) and flow.messages[0].content[:1] == b"\x16"


async def test_what_is_allowed_is_looked_into(confdir: Path, ca: OriginCA) -> None:
    trusted = {"ssl_verify_upstream_trusted_ca": str(ca.file)}
    async with (
        origin(answering(hello), tls=ca.context("localhost")) as web,
        running_master(confdir, allow_hosts=["^localhost:"], **trusted) as running,
    ):
        assert await fetched(running, web.url("/").replace("127.0.0.1", "localhost"), running.ca) == (0, b"hello")
        assert "response" in running.recorder.names()


async def test_hosts_whose_tls_holds_raw_bytes(confdir: Path, ca: OriginCA) -> None:
    trusted = {"ssl_verify_upstream_trusted_ca": str(ca.file)}
    async with (
        origin(answering(hello), tls=ca.context("localhost")) as web,
        running_master(confdir, tcp_hosts=["^localhost:"], **trusted) as running,
    ):
        assert await fetched(running, web.url("/").replace("127.0.0.1", "localhost"), running.ca) == (0, b"hello")
        await running.idle()
        flow = running.recorder.last("tcp_end")
        assert isinstance(flow, TCPFlow) and flow.messages[0].content.startswith(b"GET / HTTP/1.1\r\n")


async def test_the_option_can_be_set_while_it_runs(confdir: Path, ca: OriginCA) -> None:
    trusted = {"ssl_verify_upstream_trusted_ca": str(ca.file)}
    async with (
        origin(answering(hello), tls=ca.context("localhost")) as web,
        running_master(confdir, **trusted) as running,
    ):
        url = web.url("/").replace("127.0.0.1", "localhost")
        assert await fetched(running, url, running.ca) == (0, b"hello")
        running.master.options.ignore_hosts = ["^localhost:"]
        assert await fetched(running, url, ca.file) == (0, b"hello")
        running.master.options.ignore_hosts = []
        assert await fetched(running, url, running.ca) == (0, b"hello")
        assert len([name for name in running.recorder.names() if name == "response"]) == 2
