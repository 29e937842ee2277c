"""The transparent mode: connections that the firewall redirected to us, whose clients know of no proxy.

The destination is what the client dialled, an IP address; the name that it wants is said by the Host field and by TLS.
What it speaks is served as inside CONNECT.
"""

import asyncio
import logging

from midstream.flows.connection import Server
from midstream.proxy.client_context import ClientContext
from midstream.proxy.inside import serve_inside
from midstream.proxy.original_destination import original_destination
from midstream.proxy.passage import Passage
from midstream.proxy.streams.stream import Stream
from midstream.proxy.streams.tcp import TCPStream

logger = logging.getLogger("midstream.proxy")

# So long a client may be silent when its server cannot be reached. Who speaks first does so at once and gets told; who
# waits for the server to speak first shall not wait for ever.
FIRST_WORDS = 2.0

# Where the firewall redirects our own connections to us, each dial makes a client here, which dials, and so on. So many
# turns of the loop come before, in which addons are told of the dial that this client may come from, and can refuse it.
TURNS = 3


async def serve_transparent(stream: Stream, context: ClientContext) -> None:
    """Serve one client until it leaves. Raises OSError, ClientTLSFailed, CancelledError."""
    assert isinstance(stream, TCPStream)  # nothing else is listened on
    about = {"client": context.client.peername}
    try:
        destination = original_destination(stream.socket)
    except OSError as problem:
        logger.warning("transparent: %s", problem, extra=about)
        stream.abort()
        return
    passage = Passage(context, stream, Server(address=destination))
    try:
        if context.settings.eager:
            for _ in range(TURNS):
                await asyncio.sleep(0)
            await passage.dial()
        if passage.failure and not await _speaks_first(stream):
            context.repeats.warn(logger, f"transparent: {passage.failure}", client=context.client.peername)
            stream.abort()  # what the client would have met without us
            return
        await serve_inside(passage)
    finally:
        await passage.close()


async def _speaks_first(stream: Stream) -> bool:
    try:
        async with asyncio.timeout(FIRST_WORDS):
            return bool(await stream.peek())
    except TimeoutError:
        return False
