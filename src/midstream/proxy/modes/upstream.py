"""The upstream mode: an explicit proxy like the regular one, that goes everywhere through one parent proxy.

An HTTP parent, in the clear or over TLS, gets plain http requests as they are, with whole URLs, and a CONNECT for
everything else; a SOCKS5 parent opens a connection for each.
"""

from midstream.flows.proxy_mode import UpstreamMode
from midstream.proxy.client_context import ClientContext
from midstream.proxy.modes.regular import serve_regular
from midstream.proxy.streams.stream import Stream


async def serve_upstream(stream: Stream, context: ClientContext) -> None:
    """Serve one client until it leaves. Raises OSError, ClientTLSFailed, CancelledError."""
    mode = context.client.proxy_mode
    assert isinstance(mode, UpstreamMode)
    context.dialler.via = (mode.scheme, mode.address)
    await serve_regular(stream, context)
