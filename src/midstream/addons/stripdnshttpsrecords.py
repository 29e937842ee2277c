"""Takes out of HTTPS records what would lead clients past us: encrypted ClientHellos, and HTTP/3.

Acts on DNS answers. With the keys of Encrypted ClientHello a client would hide from us which host it wants; over HTTP/3
it would speak a protocol that goes nowhere here.
"""

from __future__ import annotations

from midstream.flows.dns import DNSFlow, ResourceRecord, types
from midstream.hub import ctx
from midstream.hub.addons import Loader


class StripDnsHttpsRecords:
    """The addon; see the module."""

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "strip_ech",
            bool,
            True,
            "Remove the keys of Encrypted ClientHello from DNS answers, so that TLS can be read.",
        )

    def dns_response(self, flow: DNSFlow) -> None:
        if flow.response is None:
            return
        for record in [*flow.response.answers, *flow.response.additionals]:
            if record.type == types.HTTPS:
                _strip(record)


def _strip(record: ResourceRecord) -> None:
    try:
        if ctx.options.strip_ech and record.https_ech is not None:
            record.https_ech = None
        offered = record.https_alpn
        if offered is not None and (kept := tuple(name for name in offered if not _is_http3(name))) != offered:
            # An empty list would be no list (RFC 9460 §7.1.1); without one, HTTP/1.1 is what is offered.
            record.https_alpn = kept or None
    except ValueError:
        return  # it is no HTTPS record that a client could use


def _is_http3(name: bytes) -> bool:
    return name == b"h3" or name.startswith(b"h3-")
