"""How HTTP/2 is spoken: owns the options for it but `http2` itself, which decides what TLS offers (`tlsconfig`)."""

from __future__ import annotations

from dataclasses import replace

from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.hub.option_kinds import Kind
from midstream.proxy.server import Proxy


class Http2:
    """Compiles the options for the proxy."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    def load(self, loader: Loader) -> None:
        """Declare the options."""
        loader.add_option(
            "http2_ping_keepalive",
            int,
            58,
            "Seconds without a frame from an HTTP/2 server before it is asked by a PING whether it is there; 0: never.",
            kind=Kind("range", editor="range", low=0),
        )
        loader.add_option(
            "normalize_outbound_headers",
            bool,
            True,
            "Send header names over HTTP/2 in lower case, as it demands, however an addon wrote them; off: refuse.",
        )

    def configure(self, updated: set[str]) -> None:
        """Follow the options."""
        options = ctx.options
        self._proxy.settings = replace(
            self._proxy.settings,
            http2=options.http2,
            http2_ping_keepalive=float(options.http2_ping_keepalive),
            normalize_headers=options.normalize_outbound_headers,
        )
