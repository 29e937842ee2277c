"""TLS on either side of a connection: which events fire, what the flow learns, and what a failure is called.

The configuration (certificates, versions, trust) is made by whoever handles `tls_start_client` and `tls_start_server`,
by default the addon `tlsconfig`; the record layer is `streams/tls.py`.
"""

import asyncio
import logging
import ssl
import time
from typing import Any

from midstream.certs.failures import explain_client, explain_leaving, explain_upstream
from midstream.certs.trust import peer_chain
from midstream.flows.certificate import Cert
from midstream.flows.connection import Client, Connection, Server
from midstream.flows.context import Context
from midstream.flows.tls import ClientHello, TlsData
from midstream.hub.events import Events
from midstream.proxy.errors import UpstreamFailed
from midstream.proxy.settings import Settings
from midstream.proxy.streams.stream import Stream
from midstream.proxy.streams.tls import TLSStream
from midstream.wire import client_hello

logger = logging.getLogger(__name__)


AT_ONCE = 1.0
"""Seconds after the handshake, within which a client that leaves without a word rejects us. Browsers open connections
that they may not need, too, but keep them for longer."""

TLS_START = b"\x16\x03"


class ClientTLSFailed(Exception):
    """The client and we could not agree on TLS, or it rejects our certificate."""


def looks_like_tls(data: bytes) -> bool:
    """Whether a connection that begins like this begins a TLS handshake (record type 22, version 3.x)."""
    return len(data) >= 3 and data[0] == 0x16 and data[1] == 0x03 and data[2] <= 0x04


async def begins_with_tls(stream: Stream) -> bool:
    """The same for a stream, on which the first bytes may come one by one. Raises OSError."""
    data = await stream.peek()
    while len(data) < 3 and TLS_START.startswith(data):
        more = await stream.peek(len(data) + 1)
        if len(more) == len(data):
            return False
        data = more
    return looks_like_tls(data)


async def read_client_hello(stream: Stream, client: Client, timeout: float) -> ClientHello:
    """Peek at the whole ClientHello and note on `client` what it asks for. Raises ClientTLSFailed."""
    try:
        async with asyncio.timeout(timeout):
            message = await _whole_hello(stream)
    except ValueError as exc:
        client.error = f"the ClientHello cannot be read: {exc}"
        raise ClientTLSFailed(client.error) from None
    except TimeoutError:
        client.error = f"the client sent no whole ClientHello within {timeout:g} s"
        raise ClientTLSFailed(client.error) from None
    except OSError as exc:
        client.error = "the client closed the connection in the middle of its ClientHello"
        raise ClientTLSFailed(client.error) from exc
    hello = ClientHello(message)
    client.hello = message.raw
    client.fingerprints = None
    client.sni = hello.sni
    client.alpn_offers = tuple(hello.alpn_protocols)
    client.alpn = None  # what was agreed on outside, if this is TLS inside TLS
    return hello


async def _whole_hello(stream: Stream) -> client_hello.ClientHelloMessage:
    """Raises ValueError when it is broken, OSError when its rest never comes."""
    size = 1
    while True:
        data = await stream.peek(size)
        message = client_hello.parse(data)
        if message is not None:
            return message
        if len(data) < size:
            raise ConnectionError("the client closed the connection")
        size = max(client_hello.wanted(data), len(data) + 1)


async def start_client_tls(stream: Stream, context: Context, events: Events, settings: Settings) -> TLSStream:
    """Answer the client's handshake with our certificate. Raises ClientTLSFailed."""
    client = context.client
    data = TlsData(client, context)
    client.tls = True
    try:
        await events.tls_start_client(data)
        engine = _engine(data)
        if engine is None:
            client.error = client.error or "no addon configured TLS with the client (tls_start_client set no ssl_conn)"
            await events.tls_failed_client(data)
            raise ClientTLSFailed(client.error)
        on_lost = stream.on_lost
        tls = TLSStream(stream)
        tls.on_lost = on_lost  # whoever waits for this client to leave waits on
        await tls.handshake(engine, data.incoming, data.outgoing, settings.connect_timeout)
    except (OSError, TimeoutError) as exc:
        client.error = explain_client(exc, _host(context))
        await events.tls_failed_client(data)
        raise ClientTLSFailed(client.error) from exc
    except asyncio.CancelledError:
        client.error = "the connection was closed during the TLS handshake"
        if events.tls_failed_client.handlers:
            await events.tls_failed_client(data)
        raise
    tls.listen_for_goodbye()
    _note_session(client, engine)
    _note_chain(client, engine)  # which most have none of
    if events.tls_established_client.handlers:
        await events.tls_established_client(data)
    return tls


def rejection(tls: TLSStream, context: Context) -> ClientTLSFailed | None:
    """Whether a client whose connection has ended left at once and without a word, although the handshake was done.

    That is how clients reject a certificate that they look at only then, most of all such as pin theirs.
    """
    client = context.client
    if tls.heard or not tls.lost or time.time() - (client.timestamp_tls_setup or 0.0) > AT_ONCE:
        return None
    client.error = explain_leaving(tls.broken, _host(context))
    return ClientTLSFailed(client.error)


def _host(context: Context) -> str | None:
    """What the client wanted to reach."""
    address = context.server.address
    return context.client.sni or (address[0] if address is not None else None)


async def start_server_tls(
    server: Server, stream: Stream, context: Context, events: Events, settings: Settings
) -> TLSStream:
    """Shake hands with the server and verify it. Raises UpstreamFailed; nothing was sent by then."""
    data = TlsData(server, context)
    server.tls = True
    try:
        await events.tls_start_server(data)
        engine = _engine(data)
        if engine is None:
            server.error = server.error or "no addon configured TLS with the server (tls_start_server set no ssl_conn)"
            await events.tls_failed_server(data)
            raise UpstreamFailed(server.error)
        tls = TLSStream(stream)
        await tls.handshake(engine, data.incoming, data.outgoing, settings.connect_timeout)
    except (OSError, TimeoutError) as exc:
        assert engine is not None
        host = server.sni or (server.address[0] if server.address else "the server")
        server.error = explain_upstream(exc, host, peer_chain(engine))
        _note_chain(server, engine)
        await events.tls_failed_server(data)
        raise UpstreamFailed(server.error) from exc
    except asyncio.CancelledError:
        server.error = "the client left, or the flow was killed, during the TLS handshake"
        await events.tls_failed_server(data)
        raise
    _note_session(server, engine)
    _note_chain(server, engine)
    if events.tls_established_server.handlers:
        await events.tls_established_server(data)
    return tls


def _engine(data: TlsData) -> ssl.SSLObject | None:
    """What drives the handshake: what an addon chose, if it is of any use."""
    chosen: Any = data.ssl_conn  # addons set what they like
    if isinstance(chosen, ssl.SSLObject) or chosen is None:
        return chosen
    if type(chosen).__module__ == "OpenSSL.SSL":
        from midstream.certs.openssl_engine import OpenSSLEngine  # here, since it takes a library that few need

        return OpenSSLEngine(chosen, data.incoming, data.outgoing)  # type: ignore[return-value] # it has the methods
    if hasattr(chosen, "do_handshake"):
        return chosen  # type: ignore[no-any-return]
    data.conn.error = f"an addon set ssl_conn to {chosen!r:.60}, which is no engine; data.wrap(ssl_context) makes one"
    logger.error("%s", data.conn.error)
    return None


def _note_session(connection: Connection, session: ssl.SSLObject) -> None:
    connection.timestamp_tls_setup = time.time()
    cipher = session.cipher()
    connection.cipher = cipher[0] if cipher else None
    connection.tls_version = session.version()
    connection.tls_resumed = bool(session.session_reused)
    alpn = session.selected_alpn_protocol()
    connection.alpn = alpn.encode() if alpn is not None else b""


def _note_chain(connection: Connection, session: ssl.SSLObject) -> None:
    try:
        chain = peer_chain(session)
    except (ValueError, ssl.SSLError):  # the handshake ended before a certificate came
        return
    connection.certificate_list = tuple(Cert.from_der(der) for der in chain)
