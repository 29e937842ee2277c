"""Log server-sent events while they stream, one line each. Nothing is held up, nothing is kept.

middump -q --set termlog_verbosity=info -s examples/addons/sse_watch.py
"""

import logging
from collections.abc import Callable

from midstream import http

LONGEST_EVENT = 64 * 1024


def responseheaders(flow: http.HTTPFlow) -> None:
    assert flow.response is not None
    if flow.response.headers.get("content-type", "").startswith("text/event-stream"):
        # What comes compressed could not be read piece by piece.
        if "content-encoding" in flow.response.headers:
            logging.warning("%s is compressed", flow.request.pretty_url)
        else:
            flow.response.stream = watcher(flow.request.pretty_url)


def watcher(url: str) -> Callable[[bytes], bytes]:
    waiting = b""

    def watch(piece: bytes) -> bytes:
        """Pieces may begin and end anywhere; an empty line ends an event."""
        nonlocal waiting
        *events, waiting = (waiting + piece).replace(b"\r\n", b"\n").split(b"\n\n")
        waiting = waiting[-LONGEST_EVENT:]
        for event in events:
            logging.info("%s: %s", url, event.decode("utf-8", "replace").replace("\n", ", "))
        return piece

    return watch
