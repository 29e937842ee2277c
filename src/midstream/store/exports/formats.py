"""The export formats by name, and the one function that writes any of them.

Called by the addon `export` and by `compat`. HAR files of many flows are the addon savehar's business.
"""

from __future__ import annotations

from collections.abc import Callable

from midstream.flows.flow import Flow
from midstream.store.exports.curl import curl
from midstream.store.exports.har import har
from midstream.store.exports.http_file import http_file
from midstream.store.exports.httpie import httpie
from midstream.store.exports.outgoing import CannotExport, Outgoing, outgoing
from midstream.store.exports.powershell import powershell
from midstream.store.exports.python import python
from midstream.store.exports.raw import raw, raw_request, raw_response
from midstream.store.exports.wget import wget
from midstream.text.suggest import did_you_mean

REQUESTS: dict[str, Callable[[Outgoing], str]] = {
    "curl": curl,
    "httpie": httpie,
    "wget": wget,
    "python": python,
    "powershell": powershell,
    "http_file": http_file,
}
MESSAGES: dict[str, Callable[[Flow], bytes]] = {
    "raw": raw,
    "raw_request": raw_request,
    "raw_response": raw_response,
    "har": har,
}
NAMES = (*REQUESTS, *MESSAGES)


def export(name: str, flow: Flow, keep_address: bool = False) -> bytes:
    """A flow in the format of this name. CannotExport says why not, and what to do."""
    return prepared(name, flow, keep_address)()


def prepared(name: str, flow: Flow, keep_address: bool = False) -> Callable[[], bytes]:
    """What writes the export, also in a thread: it looks at the flow no more. CannotExport; the function raises it too.

    `keep_address`: programs that can should send to the address that the server had.
    """
    if name in REQUESTS:
        request = outgoing(flow)
        if name == "curl":
            return lambda: curl(request, keep_address).encode()
        write = REQUESTS[name]
        return lambda: write(request).encode()
    if name in MESSAGES:
        write_flow, still = MESSAGES[name], flow.copy()
        return lambda: write_flow(still)
    raise CannotExport(f"there is no export format {name!r}{did_you_mean(name, NAMES)}")
