"""The requests of one client connection, one after the other.

Called by the modes and by tunnels with an HTTP stream. The exchange itself is `exchange.py`.
"""

import asyncio
import contextlib
import time

from midstream.flows.flow import Error
from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow, Request
from midstream.proxy.client_context import ClientContext
from midstream.proxy.http.assemble import reason_phrase
from midstream.proxy.http.downstream_h1 import DownstreamH1, connect_target
from midstream.proxy.http.exchange import exchange
from midstream.proxy.http.failures import EXPECTED, conclude, logger
from midstream.proxy.http.pool import Pool
from midstream.proxy.http.reader import Truncated
from midstream.proxy.http.sides import Downstream
from midstream.wire.http1 import Refused
from midstream.wire.http1_syntax import TOKEN


async def serve_http(client: DownstreamH1, upstreams: Pool, context: ClientContext) -> HTTPFlow | None:
    """Serve until the connection ends; or until a CONNECT, whose flow is returned for the caller to answer."""
    watch = context.watch
    while client.keep_alive:
        settings = context.refresh()
        watch.busy = False
        watch.expect(settings.idle_timeout, "the connection was idle")
        try:
            request = await client.read_request()
        except Refused as refusal:
            await _refuse(refusal, client, upstreams, context)
            return None
        except Truncated:
            return None
        except asyncio.CancelledError:
            if client.reader.in_head:
                client.refuse(408, b"Request Timeout", watch.reason or "midstream is shutting down", close=True)
            raise
        if request is None:
            return None
        flow = HTTPFlow(client.client, upstreams.expected(request.host, request.port), True)
        flow.request = request
        if request.raw_method == b"CONNECT":
            return flow
        watch.busy = True
        if client.stream.lost:
            watch.client_left()  # it has left while nobody minded; the first wait of the exchange ends it
        await carry(flow, client, upstreams, context)
        del flow, request  # they may be large, and the next request may be a long time coming
    watch.busy = False
    return None


async def carry(flow: HTTPFlow, client: Downstream, upstreams: Pool, context: ClientContext) -> None:
    """One exchange, whatever becomes of it."""
    flow.killed_callback = context.watch.flow_killed
    context.watch.rest()
    try:
        await exchange(flow, client, upstreams, context)
    except asyncio.CancelledError as left:
        if not client.switched:
            await conclude(flow, left, client, context)
        raise
    except Exception as failure:
        if not isinstance(failure, EXPECTED):
            logger.exception("an exchange failed unexpectedly")
        await conclude(flow, failure, client, context)
    finally:
        flow.live = False
        flow.killed_callback = None
        context.holding.release()


async def _refuse(refusal: Refused, client: DownstreamH1, upstreams: Pool, context: ClientContext) -> None:
    """A request that is none: an answer, a row with the reason, a log line, and the end of the connection."""
    flow = HTTPFlow(client.client, upstreams.current, True)
    flow.request = _as_far_as_read(client)
    flow.error = Error(f"request refused: {refusal.reason}")
    client.refuse(refusal.status, reason_phrase(refusal.status), f"request refused: {refusal.reason}", close=True)
    logger.warning("request refused: %s", refusal.reason)
    flow.live = False
    await context.events.error(flow)


def _as_far_as_read(client: DownstreamH1) -> Request:
    """What could be read of a request that was refused."""
    scheme, host, port = client.destination or ("", "", 0)
    if client.head is not None:
        method, target, version, fields = client.head[:4]
    else:
        version, fields = b"HTTP/1.1", ()
        method, _, rest = client.first_line.partition(b" ")
        target = rest.rpartition(b" ")[0] or rest
        if TOKEN.fullmatch(method) is None or not rest:
            method = target = b""
    authority = b""
    if method == b"CONNECT":
        scheme, authority = "", target
        with contextlib.suppress(Refused):
            host, port = connect_target(authority)
    now = time.time()
    return Request(
        host, port, method, scheme.encode(), authority, target, version, Headers(fields), b"", None, now, now
    )  # fmt: skip
