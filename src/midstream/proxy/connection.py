"""One accepted client connection from its first event to its last.

`Proxy` starts `serve_client` in a task of its own for each stream that a listener accepts.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from midstream.flows.connection import ConnectionState, Server
from midstream.proxy.client_context import ClientContext
from midstream.proxy.streams.stream import Stream
from midstream.proxy.tls import ClientTLSFailed
from midstream.proxy.tls_failed import tell_client_failed

logger = logging.getLogger("midstream.proxy")

# After a last answer the client gets so long to read it before the connection is reset (see `_linger`).
LINGER_TIME = 2.0
LINGER_BYTES = 16 * 1024 * 1024

Serve = Callable[[Stream, ClientContext], Awaitable[None]]


async def serve_client(stream: Stream, serve: Serve, context: ClientContext) -> None:
    """Serve one client. Whatever goes wrong ends here: no connection ever harms another one."""
    client, events = context.client, context.events
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
