"""The format `har`: one flow as a HAR document (HTTP Archive 1.2), which browsers and other tools open."""

from __future__ import annotations

from midstream import __version__
from midstream.flows.flow import Flow
from midstream.store.exports.outgoing import request_of
from midstream.store.formats.har_write import har_pieces


def har(flow: Flow) -> bytes:
    """The document. CannotExport for what is no HTTP."""
    request_of(flow)
    return b"".join(har_pieces([flow], __version__))
