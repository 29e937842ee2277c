"""The socks5 mode: a SOCKS version 5 server for TCP. What the client then speaks is served as inside CONNECT.

RFC 1928 with CONNECT only (BIND and UDP ASSOCIATE get the reply that they are not supported), and RFC 1929: a client
has to give user name and password if an addon handles the event `socks5_auth`, which then decides.
"""

import errno
import logging
import socket

from midstream.flows.connection import Server
from midstream.flows.socks5 import Socks5AuthData
from midstream.proxy.client_context import ClientContext
from midstream.proxy.errors import UpstreamFailed, code_of
from midstream.proxy.inside import serve_inside
from midstream.proxy.passage import Passage
from midstream.proxy.streams.messages import read_message
from midstream.proxy.streams.stream import Stream
from midstream.text.url import hostport
from midstream.wire import socks5
from midstream.wire.socks5 import Command, Malformed, Method, Reply, Target

logger = logging.getLogger("midstream.proxy")

STOPPED = "the client stopped in the middle of its SOCKS request"


class NotServed(Exception):
    """There is nothing to be served; the answer, as bytes, and the reason for the log."""

    def __init__(self, answer: bytes, text: str) -> None:
        super().__init__(text)
        self.answer = answer


async def serve_socks5(stream: Stream, context: ClientContext) -> None:
    """Serve one client until it leaves. Raises OSError, ClientTLSFailed, CancelledError."""
    passage: Passage | None = None
    try:
        target = await _negotiate(stream, context)
        passage = Passage(context, stream, Server(address=(target.host, target.port)))
        await _accept(passage)
        await serve_inside(passage)
    except NotServed as refused:
        stream.write(refused.answer)
        context.repeats.warn(logger, str(refused), client=context.client.peername)
    finally:
        if passage is not None:
            await passage.close()


async def _negotiate(stream: Stream, context: ClientContext) -> Target:
    """Where the client wants to go. Raises NotServed, OSError."""
    context.watch.expect(context.settings.idle_timeout, "the client sent nothing")
    await stream.peek()
    context.watch.expect(context.settings.longest_head, STOPPED)
    try:
        offered = await read_message(stream, socks5.parse_greeting)
    except Malformed as broken:
        raise NotServed(b"", str(broken)) from None
    asks_who = bool(context.events.socks5_auth.handlers)
    method = Method.PASSWORD if asks_who else Method.NONE
    if method not in offered:
        wanted = "user name and password" if asks_who else "no authentication"
        raise NotServed(socks5.choice(Method.NOT_ACCEPTABLE), f"SOCKS: the client does not offer {wanted}")
    stream.write(socks5.choice(method))
    if asks_who:
        await _authenticate(stream, context)
    try:
        target = await read_message(stream, socks5.parse_request)
    except Malformed as broken:
        raise NotServed(socks5.reply(broken.reply), f"SOCKS: {broken}") from None
    context.watch.rest()
    if target.code != Command.CONNECT:
        name = Command(target.code).name if target.code in set(Command) else f"number {target.code}"
        text = f"SOCKS: the client asks for command {name}; only CONNECT is supported"
        raise NotServed(socks5.reply(Reply.COMMAND_NOT_SUPPORTED), text)
    if not target.port:
        raise NotServed(socks5.reply(Reply.GENERAL_FAILURE), f"SOCKS: {target.host} is asked for without a port")
    return target


async def _authenticate(stream: Stream, context: ClientContext) -> None:
    """Ask the addons. Raises NotServed, OSError."""
    try:
        username, password = await read_message(stream, socks5.parse_credentials)
    except Malformed as broken:
        raise NotServed(socks5.verdict(False), f"SOCKS: {broken}") from None
    context.watch.rest()  # an addon works
    shown = username.decode("utf-8", "surrogateescape")
    data = Socks5AuthData(context.client, shown, password.decode("utf-8", "surrogateescape"))
    await context.events.socks5_auth(data)
    if not data.valid:
        raise NotServed(socks5.verdict(False), f"SOCKS: user name and password of {shown!r} are not accepted")
    stream.write(socks5.verdict(True))
    context.watch.expect(context.settings.longest_head, STOPPED)


async def _accept(passage: Passage) -> None:
    """Dial, unless that can wait, and tell the client. Raises NotServed."""
    context, server = passage.context, passage.server
    if context.settings.eager:
        context.watch.busy = True  # whoever leaves now waits for nobody
        try:
            await passage.connect()
        except UpstreamFailed as failed:
            assert server.address is not None
            text = f"SOCKS to {hostport('', *server.address)}: {failed}"
            raise NotServed(socks5.reply(_reply_for(failed)), text) from failed
    passage.client.write(socks5.reply(Reply.SUCCEEDED, *(server.sockname or ())))


def _reply_for(failed: UpstreamFailed) -> Reply:
    """The code that says best why there is no connection."""
    cause = failed.__cause__
    if cause is None:
        return Reply.NOT_ALLOWED  # by an addon, or since it leads back to us
    if isinstance(cause, TimeoutError | socket.gaierror):
        return Reply.HOST_UNREACHABLE
    if isinstance(cause, ConnectionRefusedError):
        return Reply.CONNECTION_REFUSED
    match code_of(cause):
        case errno.ECONNREFUSED:
            return Reply.CONNECTION_REFUSED
        case errno.ENETUNREACH:
            return Reply.NETWORK_UNREACHABLE
        case errno.EHOSTUNREACH:
            return Reply.HOST_UNREACHABLE
    return Reply.GENERAL_FAILURE
