"""One accepted client connection from its first event to its last.

`Proxy` starts `serve_client` in a task of its own for each stream that a listener accepts.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from midstream.flows.connection import ConnectionState, Server
from midstream.proxy.client_context import ClientContext
from midstream.proxy.streams.messages import read_message
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tls import ClientTLSFailed
from midstream.proxy.tls_failed import tell_client_failed
from midstream.wire import proxy_protocol

logger = logging.getLogger("midstream.proxy")

# After a last answer the client gets so long to read it before the connection is reset (see `_linger`).
LINGER_TIME = 2.0
LINGER_BYTES = 16 * 1024 * 1024

Serve = Callable[[Stream, ClientContext], Awaitable[None]]


async def serve_client(stream: Stream, serve: Serve, context: ClientContext) -> None:
    """Serve one client. Whatever goes wrong ends here: no connection ever harms another one."""
    client, events = context.client, context.events
    if context.settings.proxy_protocol and stream.transport == "tcp" and not await _is_announced(stream, context):
        return
    try:
        await events.client_connected(client)
        if client.error is not None:
            stream.abort()
            return
        await serve(stream, context)
        await _linger(stream, context)
    except asyncio.CancelledError:
        stream.close()
        if not context.watch.reason:
            raise  # the proxy itself is closing
    except ClientTLSFailed as broken:
        await tell_client_failed(broken, Server(address=None), context)
    except OSError:
        pass  # the client is gone; what it was doing has been told already
    except Exception:
        # The border of a connection task: a mistake of ours is logged, and the other connections go on.
        logger.exception("a connection failed unexpectedly")
    finally:
        stream.close()
        client.timestamp_end = time.time()
        client.state = ConnectionState.CLOSED
        await events.client_disconnected(client)


async def _is_announced(stream: Stream, context: ClientContext) -> bool:
    """Take over what a PROXY protocol header says of the client. Without one there is no client: False, all closed."""
    patience = context.settings.longest_head
    context.watch.expect(patience, f"no whole PROXY protocol header came within {patience:g} s")
    is_announced = False
    try:
        source, _ = await read_message(stream, proxy_protocol.parse)
        context.client.peername = source or context.client.peername
        is_announced = True
    except asyncio.CancelledError:
        if not context.watch.reason:
            raise  # the proxy itself is closing
        if context.watch.expired:
            logger.warning("closed: %s", context.watch.reason, extra={"client": stream.peername})
    except ValueError as broken:
        logger.warning("closed: %s", broken, extra={"client": stream.peername})
    except OSError:
        pass  # whoever it was has left, as those do who only look whether somebody listens
    finally:
        if not is_announced:
            stream.abort()
    return is_announced


async def _linger(stream: Stream, context: ClientContext) -> None:
    """Closing while the client still sends would reset the connection and take our last answer with it (RFC 9112
    §9.6).
    """
    if stream.at_eof:
        return
    stream.write_eof()
    context.watch.expect(context.settings.idle_timeout, "the client stopped reading")
    await stream.flush()
    left = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_TIME):
            while data := await stream.read():
                left -= len(data)
                if left < 0:
                    stream.abort()
    except TimeoutError:
        return
