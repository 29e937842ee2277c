"""The handshake of a WebSocket, as far as it concerns what comes after it. It is HTTP, and passes like any exchange.

Called where a request is about to be sent, and where a server agrees to what the client asked for. Whether
Sec-WebSocket-Accept is right is for the client to say, who gets it as it came.
"""

import logging

from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow, Request
from midstream.wire.http1 import ResponseHead
from midstream.wire.websocket_deflate import Agreement, agreed, narrow

logger = logging.getLogger("midstream.proxy")

EXTENSIONS = "sec-websocket-extensions"


def narrow_offer(request: Request) -> None:
    """Take out of a client's offer the extensions that would make its frames unreadable here; permessage-deflate stays.

    Not for connections that nobody looks into.
    """
    headers = request.headers
    if "websocket" not in headers.get("upgrade", "").lower() or EXTENSIONS not in headers:
        return
    offers = headers.get_all(EXTENSIONS)
    left = [text for text in map(narrow, offers) if text]
    if left == offers:
        return
    if left:
        headers.set_all(EXTENSIONS, left)
    else:
        del headers[EXTENSIONS]


def opens_websocket(flow: HTTPFlow) -> bool:
    """Whether this 101 opens a WebSocket (RFC 6455 §4.2.2) rather than anything else."""
    asked, answered = flow.request.headers.get("upgrade", ""), flow.response and flow.response.headers.get("upgrade")
    return "websocket" in asked.lower() and (answered or "").strip().lower() == "websocket"


def is_understood(flow: HTTPFlow, accepted: str) -> bool:
    """Whether the frames can be read, given what the server has accepted of extensions."""
    try:
        agreed(accepted)
    except ValueError as unknown:
        url = flow.request.url
        logger.warning("%s: the server accepted WebSocket %s, so its messages cannot be shown", url, unknown)
        return False
    return True


def accepted_by(head: ResponseHead) -> str:
    """What a server accepted of extensions, whatever addons made of its answer."""
    return extensions_in(Headers(head.fields))


def extensions_in(headers: Headers) -> str:
    """All values of Sec-WebSocket-Extensions, as one."""
    return ", ".join(headers.get_all(EXTENSIONS))


def agreement(accepted: str) -> Agreement | None:
    """What is done to messages; None also where an addon wrote something that nobody understands."""
    try:
        return agreed(accepted)
    except ValueError:
        return None
