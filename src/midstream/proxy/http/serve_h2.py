"""The requests of one client connection that speaks HTTP/2: each stream is an exchange in a task of its own.

Called by the modes and by passages with a stream on which the client begins, or will begin, with the preface. The
exchange itself is `exchange.py`, frames and windows are `http2_link.py`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from copy import copy
from functools import partial

from h2.errors import ErrorCodes

from midstream.flows.connection import Client, ConnectionState
from midstream.flows.flow import Error
from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow, Request
from midstream.proxy.client_context import ClientContext
from midstream.proxy.http.assemble import reason_phrase
from midstream.proxy.http.downstream_h2 import DownstreamH2
from midstream.proxy.http.failures import logger
from midstream.proxy.http.http2_link import Http2Failed, Http2Link
from midstream.proxy.http.http2_stream import FieldList, Http2Stream, StreamReset
from midstream.proxy.http.http2_terms import MAX_STREAMS
from midstream.proxy.http.pool import Pool
from midstream.proxy.http.serve import carry
from midstream.proxy.http.sides import Destination
from midstream.proxy.streams.stream import Stream
from midstream.wire.http1 import Refused
from midstream.wire.http2 import HTTP_20

Connect = Callable[[HTTPFlow, DownstreamH2, ClientContext], Awaitable[None]]
"""Serves the tunnel that a CONNECT asks for."""

# So many malformed requests of one connection are logged.
MOST_TOLD = 10
# Enough of the preface (RFC 9113 §3.4) to be nothing else.
_PREFACE = b"PRI * HTTP/2.0\r\n"


async def begins_with_http2(stream: Stream) -> bool:
    """Whether the client speaks HTTP/2 with prior knowledge. Raises OSError."""
    data = await stream.peek()
    while len(data) < len(_PREFACE) and _PREFACE.startswith(data):
        more = await stream.peek(len(data) + 1)
        if len(more) == len(data):
            return False
        data = more
    return data.startswith(_PREFACE)


async def serve_http2(
    stream: Stream,
    upstreams: Pool,
    context: ClientContext,
    destination: Destination | None = None,
    connect: Connect | None = None,
) -> None:
    """Serve until the connection ends. `destination` is set inside tunnels, `connect` where there may be tunnels."""
    async with asyncio.TaskGroup() as group:
        server = _Server(stream, upstreams, context, group)
        server.destination, server.connect = destination, connect
        await server.run()


class _Server:
    """Our end of the connection, and the tasks of its streams."""

    def __init__(self, stream: Stream, upstreams: Pool, context: ClientContext, group: asyncio.TaskGroup) -> None:
        self.destination: Destination | None = None
        self.connect: Connect | None = None
        self._upstreams = upstreams
        self._context = context
        self._group: asyncio.TaskGroup = group
        self._inside_head = False
        self._refused = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._link = Http2Link(stream, context.settings.limits, self._begin)
        self._link.on_read = self._be_patient

    async def run(self) -> None:
        """Read, and let the streams be served, until the client leaves or is told to."""
        context, link = self._context, self._link
        context.watch.busy = False  # that the client leaves is read
        self._be_patient()
        try:
            await link.run()
        except Http2Failed as broken:
            logger.warning("%s", broken, extra={"client": context.client.peername})
            await link.hear_out()
        except OSError:
            pass  # the client is gone, and its streams have been told
        except asyncio.CancelledError:
            if context.watch.expired and link.inside_head:
                logger.warning("closed: %s", context.watch.reason, extra={"client": context.client.peername})
            link.close(context.watch.reason or "midstream is shutting down")
            raise
        finally:
            if self._tasks:
                context.watch.rest()
                # Waited for in here: a group that is left by a failure would cancel what is being told to addons.
                await asyncio.wait(self._tasks)
            link.close()
            link.let_go()

    def _be_patient(self) -> None:
        """An idle connection has so long; one with streams is as patient as these."""
        watch, settings = self._context.watch, self._context.settings
        was_inside, self._inside_head = self._inside_head, self._link.inside_head
        if self._inside_head:
            if not was_inside:  # from its first frame a head has so long, however slowly the others drip in
                watch.expect(settings.longest_head, f"no whole message head came within {settings.longest_head:g} s")
        elif self._tasks:
            watch.rest()
        else:
            watch.expect(settings.idle_timeout, "the connection was idle")

    # -- streams --

    def _begin(self, stream: Http2Stream, fields: FieldList, ends: bool) -> None:
        """The client has opened a stream."""
        if len(self._tasks) >= MAX_STREAMS:
            # Counted by tasks: a stream that was reset is over at once, but what it began may not be.
            stream.reset(ErrorCodes.REFUSED_STREAM)
            return
        context = self._context.branch()
        watch = context.watch
        task = watch.task = self._group.create_task(self._serve(stream, fields, ends, context))
        self._tasks.add(task)
        context.watches.add(watch)
        stream.on_failed = partial(_stream_failed, context)
        task.add_done_callback(partial(self._ended, context))

    def _ended(self, context: ClientContext, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        context.watches.discard(context.watch)
        context.watch.task = None  # no cycle: what is over is freed at once
        if not self._tasks:
            self._be_patient()

    async def _serve(self, stream: Http2Stream, fields: FieldList, ends: bool, context: ClientContext) -> None:
        """One request from its header on."""
        client = DownstreamH2(context.client, stream, context.refresh(), context.watch, self.destination)
        try:
            await self._exchange(client, fields, ends, context)
        except Refused as refusal:
            await self._refuse(refusal, client, stream, fields, context)
        except OSError:
            pass  # the stream is gone; what it was doing has been told already
        except Exception:
            # The border of a stream's task: a mistake of ours is logged, and the other streams go on.
            logger.exception("a stream failed unexpectedly")
        finally:
            client.close()

    async def _exchange(self, client: DownstreamH2, fields: FieldList, ends: bool, context: ClientContext) -> None:
        request = client.read_request(fields, ends=ends)
        is_connect = request.raw_method == b"CONNECT"
        if is_connect and self.connect is None:
            raise Refused("CONNECT inside a tunnel is not supported")
        flow = HTTPFlow(client.client, self._upstreams.expected(request.host, request.port), True)
        flow.request = request
        if is_connect and self.connect is not None:
            await _serve_tunnel(flow, self.connect, client, context)
            return
        context.watch.busy = True
        await carry(flow, client, self._upstreams, context)

    async def _refuse(
        self, refusal: Refused, client: DownstreamH2, stream: Http2Stream, fields: FieldList, context: ClientContext
    ) -> None:
        """A request that is none: nothing of it goes on. A row with the reason, a log line, the end of the stream."""
        text = f"request refused: {refusal.reason}"
        flow = HTTPFlow(client.client, self._upstreams.current, True)
        flow.request = _as_far_as_read(client, fields)
        flow.error = Error(text)
        flow.live = False
        if client.head is None and refusal.status == 400:
            stream.reset(ErrorCodes.PROTOCOL_ERROR)  # RFC 9113 §8.1.1
        else:
            client.refuse(refusal.status, reason_phrase(refusal.status), text, close=False)
        self._refused += 1
        if self._refused <= MOST_TOLD:
            more = "; further ones of this client have rows, but no line here" if self._refused == MOST_TOLD else ""
            logger.warning("%s%s", text, more, extra={"client": flow.client_conn.peername, "flow": flow.id})
        await context.events.error(flow)


async def _serve_tunnel(flow: HTTPFlow, connect: Connect, client: DownstreamH2, context: ClientContext) -> None:
    """What is found out about the client inside of one tunnel is true of no other one; each has its own end, too."""
    flow.client_conn = context.client = same = _same(context.client)
    context.dialler = copy(context.dialler)
    context.dialler.client = same
    try:
        await connect(flow, client, context)
    finally:
        same.timestamp_end = time.time()
        same.state = ConnectionState.CLOSED


def _same(client: Client) -> Client:
    """The same client, about which different things can be known."""
    same = Client.from_state(client.get_state())
    same.state = client.state
    return same


def _stream_failed(context: ClientContext, failure: StreamReset) -> None:
    context.watch.end(str(failure))


def _as_far_as_read(client: DownstreamH2, fields: FieldList) -> Request:
    """What could be read of a request that was refused."""
    scheme, host, port = client.destination or ("", "", 0)
    pseudo = {name: value for name, value in fields if name[:1] == b":"}
    plain = tuple([(name, value) for name, value in fields if name[:1] != b":"])
    method, path = pseudo.get(b":method", b""), pseudo.get(b":path", b"")
    authority = pseudo.get(b":authority", b"")
    now = time.time()
    return Request(host, port, method, scheme.encode(), authority, path, HTTP_20, Headers(plain), b"", None, now, now)
