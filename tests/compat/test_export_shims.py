"""`mitmproxy.addons.export` and `.cut`: functions of a flow that scripts call."""

import pytest

from midstream.compat.shims import exports
from midstream.flows.errors import CommandError
from midstream.testing import context, tflow, ttcpflow


def test_the_formats_are_functions_of_a_flow() -> None:
    flow = tflow(resp=True)
    assert exports.curl_command(flow).startswith("curl -q --http1.1 http://address:22/path ")
    assert exports.httpie_command(flow).startswith("printf %s content | http ")
    assert exports.raw_request(flow).startswith(b"GET /path HTTP/1.1\r\n")
    assert exports.raw_response(flow).startswith(b"HTTP/1.1 200 OK\r\n")
    assert exports.raw(flow) == exports.raw_request(flow) + b"\r\n\r\n" + exports.raw_response(flow)
    assert exports.raw(flow, b"|") == exports.raw_request(flow) + b"|" + exports.raw_response(flow)
    for name, export in exports.formats.items():
        assert isinstance(export(flow), bytes if name.startswith("raw") else str)


def test_what_cannot_be_exported_is_a_command_error() -> None:
    with pytest.raises(CommandError, match="a tcp flow is no HTTP request"):
        exports.curl_command(ttcpflow())


async def test_the_option_of_the_master_counts() -> None:
    from midstream.addons.export import Export

    flow = tflow()
    flow.server_conn.peername = ("192.0.2.1", 22)
    async with context(Export()) as tests:
        assert "--resolve" not in exports.curl_command(flow)
        tests.options.export_preserve_original_ip = True
        assert "--resolve address:22:192.0.2.1" in exports.curl_command(flow)
