"""When names are rewritten; how is in tests/proxy/test_reverse.py."""

from __future__ import annotations

from pathlib import Path

from midstream.flows.http import HTTPFlow
from midstream.flows.proxy_mode import ProxyMode
from midstream.testing import tflow, treq
from tests.kit.running_master import running_master

REVERSE = "reverse:http://a.test:81@127.0.0.1:0"


def rewritten(running, mode: str = REVERSE, http_version: str = "HTTP/1.1") -> HTTPFlow:
    flow = tflow(req=treq(host="a.test", port=81))
    flow.client_conn.proxy_mode = ProxyMode.parse(mode)
    flow.request.http_version = http_version
    if http_version == "HTTP/2.0":
        flow.request.authority = "us.test:8080"
        flow.request.headers.pop("host", None)
    running.master.events.requestheaders.sync(flow)
    return flow


async def test_only_where_there_are_reverse_modes(tmp_path: Path) -> None:
    async with running_master(tmp_path) as running:
        handlers = len(running.master.events.requestheaders.handlers)
        assert rewritten(running).request.host_header != "a.test:81"
        running.master.options.update(mode=[REVERSE])
        assert len(running.master.events.requestheaders.handlers) == handlers + 1
        assert rewritten(running).request.host_header == "a.test:81"
        assert rewritten(running, "regular").request.host_header != "a.test:81"
        # Connections of a mode that is gone go on.
        running.master.options.update(mode=["regular"])
        assert rewritten(running).request.host_header == "a.test:81"
        running.master.options.update(keep_host_header=True)
        assert rewritten(running).request.host_header != "a.test:81"
        assert running.proxy.settings.keep_host_header


async def test_http2(tmp_path: Path) -> None:
    async with running_master(tmp_path, mode=[REVERSE]) as running:
        request = rewritten(running, http_version="HTTP/2.0").request
        assert (request.authority, request.headers.get("host")) == ("a.test:81", None)
