"""A parent proxy that speaks HTTP: it is asked by CONNECT for a way to the server (RFC 9110 §9.3.6).

Called by the dialler over an open connection to the parent, TLS included. Plain http requests need no tunnel: the pool
gives such a parent whole URLs.
"""

import asyncio
import base64
import time
from http import HTTPStatus

from midstream.flows.connection import Address, Client, Server
from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow, Request
from midstream.hub.events import Events
from midstream.proxy.errors import Unsendable, UpstreamFailed, is_killed
from midstream.proxy.http.assemble import flaw, request_head
from midstream.proxy.http.reader import MessageReader
from midstream.proxy.settings import Settings
from midstream.proxy.streams.stream import Stream
from midstream.text.url import host_to_bytes, hostport
from midstream.wire.http1 import Refused, ResponseHead, parse_response_head
from midstream.wire.socks5 import Credentials

MAX_INFORMATIONAL = 32


def connect_flow(client: Client, parent: Server, address: Address, *, with_host: bool) -> HTTPFlow:
    """The CONNECT for `address`, as addons see it before it is sent. Raises UpstreamFailed."""
    host, port = address
    try:
        # Unlike in a URL the port is always named (RFC 9112 §3.2.3).
        target = hostport(b"", host_to_bytes(host), port)
    except ValueError as exc:
        raise UpstreamFailed(str(exc)) from None
    fields = ((b"Host", target),) if with_host else ()
    now = time.time()
    flow = HTTPFlow(client, parent)
    flow.request = Request(
        host, port, b"CONNECT", b"", target, b"", b"HTTP/1.1", Headers(fields), b"", None, now, now
    )  # fmt: skip
    return flow


def basic(credentials: Credentials) -> bytes:
    """User name and password as a value of (Proxy-)Authorization (RFC 7617)."""
    return b"Basic " + base64.b64encode(b"%b:%b" % credentials)


async def open_tunnel(stream: Stream, flow: HTTPFlow, events: Events, settings: Settings) -> None:
    """Send the CONNECT; from then on `stream` leads to the server. Raises UpstreamFailed."""
    flow.live = True  # so that it can be killed, while addons see it
    try:
        await events.http_connect_upstream(flow)
    finally:
        flow.resume()  # there is nothing left to hold
        flow.live = False
    if is_killed(flow):
        raise UpstreamFailed("an addon killed the CONNECT to the parent proxy")
    try:
        head, _ = request_head(flow.request, None, 0)
    except Unsendable as exc:
        raise UpstreamFailed(f"{exc}{events.authors.named(exc.at_fault, flaw)}") from None
    stream.write(head)
    answer = await _answer(stream, flow, settings)
    if not 200 <= answer.status < 300:
        raise UpstreamFailed(_refusal(flow, answer))


async def _answer(stream: Stream, flow: HTTPFlow, settings: Settings) -> ResponseHead:
    """The head of the final answer. What came behind it is the server's, and stays in the stream."""
    reader = MessageReader(stream, settings.limits, lambda seconds, why: None, settings.connect_timeout)
    parent = _name(flow)
    try:
        async with asyncio.timeout(settings.connect_timeout):
            for _ in range(MAX_INFORMATIONAL):
                raw = await reader.read_head()
                if not raw:
                    raise UpstreamFailed(f"{parent} closed the connection without an answer to CONNECT")
                head = parse_response_head(raw, b"CONNECT", settings.limits)
                if head.status >= 200 or head.status == HTTPStatus.SWITCHING_PROTOCOLS:
                    stream.unread(reader.take_surplus())
                    return head
    except TimeoutError:
        raise UpstreamFailed(f"{parent} did not answer CONNECT within {settings.connect_timeout:g} s") from None
    except Refused as exc:
        raise UpstreamFailed(f"{parent} sent a malformed answer to CONNECT: {exc.reason}") from None
    except OSError as exc:
        raise UpstreamFailed(f"{parent} broke the connection off before its answer to CONNECT: {exc}") from exc
    raise UpstreamFailed(f"{parent} answers CONNECT with nothing but interim responses")


def _refusal(flow: HTTPFlow, answer: ResponseHead) -> str:
    """What the parent answered, and what can be done about it."""
    reason = answer.reason.decode("utf-8", "replace")
    text = f"{_name(flow)} answered CONNECT {flow.request.authority} with {answer.status} {reason}".rstrip()
    if answer.status != HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return text
    if "proxy-authorization" in flow.request.headers:
        return f"{text}: it does not accept the credentials; check the option upstream_auth"
    return f"{text}: it wants credentials; give them by the option upstream_auth, as user:password"


def _name(flow: HTTPFlow) -> str:
    address = flow.server_conn.address
    return f"the parent proxy {hostport('', *address)}" if address is not None else "the parent proxy"
