"""Look up the names of the servers' addresses, which blocks: `@concurrent` moves a handler into a thread.

middump -s examples/addons/concurrent_lookup.py

The exchange waits for its name, all others go on. Without the decorator the whole proxy would wait. The name is logged
and stands in the flow's comment.
"""

import functools
import logging
import socket

from midstream import http
from midstream.script import concurrent


@functools.lru_cache(maxsize=4096)
def name_of(address: str) -> str:
    try:
        name = socket.gethostbyaddr(address)[0]  # seconds, where a name server is slow
    except OSError:
        name = "nameless"
    logging.info("%s is %s", address, name)
    return name


@concurrent
def response(flow: http.HTTPFlow) -> None:
    # Answers that an addon gave come from no server.
    if flow.server_conn.peername is not None:
        flow.comment = f"from {name_of(flow.server_conn.peername[0])}"
