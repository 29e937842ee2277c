"""gRPC's own client and server (grpcio) through the proxy: the four kinds of calls, each message passed on at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from midstream.certs.authority import Authority
from midstream.flows.http import HTTPFlow
from tests.kit.origins import OriginCA
from tests.kit.tour import MEGABYTE, Capture, capturing
from tests.kit.waiting import PATIENCE
from tests.kit.web_server import digest

pytestmark = pytest.mark.end2end

SERVICE = "midstream.test.Echo"
TRAILER = ("x-counted", "by the server")


class Echo:
    """The server's side. Messages are plain bytes: what is in them is nobody's business on the way."""

    async def unary(self, request: bytes, context: grpc.aio.ServicerContext) -> bytes:
        context.set_trailing_metadata([TRAILER])
        if request == b"refuse me":
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "as you wish: ünïcödé")
        return request[::-1]

    async def down(self, request: bytes, context: grpc.aio.ServicerContext) -> AsyncIterator[bytes]:
        """Number after number, for ever: the client has to leave."""
        for number in range(10**9):
            yield b"%s %d" % (request, number)
            if number == 2:
                await asyncio.sleep(PATIENCE)  # nothing else comes, and nothing has ended: what came must be there

    async def up(self, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> bytes:
        return b" ".join([digest(one).encode() async for one in requests])

    async def both(self, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> AsyncIterator[bytes]:
        async for one in requests:
            yield one[::-1]

    def handler(self) -> grpc.GenericRpcHandler:
        kinds = {
            "unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "down": grpc.unary_stream_rpc_method_handler(self.down),
            "up": grpc.stream_unary_rpc_method_handler(self.up),
            "both": grpc.stream_stream_rpc_method_handler(self.both),
        }
        return grpc.method_handlers_generic_handler(SERVICE, kinds)


@asynccontextmanager
async def grpc_server(identity: Authority | None) -> AsyncIterator[str]:
    """Its host and port."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([Echo().handler()])
    if identity is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        key, chain = identity.private_pem(), identity.public_pem()
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, chain)]))
    await server.start()
    try:
        yield f"localhost:{port}"
    finally:
        await server.stop(0)


Talk = Callable[[grpc.aio.Channel], Awaitable[None]]


async def talk_through(proxy: Capture, target: str, tls: bool, talk: Talk) -> None:
    options = [("grpc.http_proxy", proxy.address)]
    if tls:
        credentials = grpc.ssl_channel_credentials(proxy.ca.read_bytes())
        channel = grpc.aio.secure_channel(target, credentials, options)
    else:
        channel = grpc.aio.insecure_channel(target, options)
    async with channel, asyncio.timeout(PATIENCE):
        await talk(channel)


def called(flow: HTTPFlow, target: str, scheme: str, method: str) -> HTTPFlow:
    """A captured call, after a look at what all of them have."""
    assert flow.request.url == f"{scheme}://{target}/{SERVICE}/{method}"
    assert (flow.request.http_version, flow.request.headers["content-type"]) == ("HTTP/2.0", "application/grpc")
    assert flow.request.headers["te"] == "trailers"
    assert flow.response is not None and flow.response.status_code == 200
    return flow


def framed(*messages: bytes) -> bytes:
    """Messages as they stand in a body."""
    return b"".join(b"\0" + len(one).to_bytes(4, "big") + one for one in messages)


async def test_unary(confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], scheme: str):
    async def talk(channel: grpc.aio.Channel) -> None:
        ask = channel.unary_unary(f"/{SERVICE}/unary")
        for message in (b"", b"hello", MEGABYTE):
            call = ask(message, metadata=[("x-odd-bin", b"\x00\xff")])
            assert await call == message[::-1]
            assert TRAILER in tuple(await call.trailing_metadata())
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ask(b"refuse me")
        assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
        assert refused.value.details() == "as you wish: ünïcödé"

    identity = origin_ca.issue() if scheme == "https" else None
    async with grpc_server(identity) as target, capturing(confdir, *trusting) as proxy:
        await talk_through(proxy, target, scheme == "https", talk)
    flows = [called(flow, target, scheme, "unary") for flow in proxy.http]
    for flow, message in zip(flows, (b"", b"hello", MEGABYTE), strict=False):
        assert flow.response is not None and flow.response.trailers is not None
        assert flow.request.raw_content == framed(message)
        assert flow.response.raw_content == framed(message[::-1])
        assert (flow.response.trailers["grpc-status"], flow.response.trailers["x-counted"]) == ("0", TRAILER[1])
    assert len(flows) == 4
    assert flows[3].response is not None
    assert "9" in (flows[3].response.trailers or flows[3].response.headers)["grpc-status"]


async def test_streams_pass_message_by_message(
    confdir: Path, origin_ca: OriginCA, trusting: tuple[str, str], scheme: str
):
    said = [b"%d " % number * (number + 1) for number in range(20)]

    async def talk(channel: grpc.aio.Channel) -> None:
        call = channel.stream_stream(f"/{SERVICE}/both")()
        for message in said:
            await call.write(message)
            assert await call.read() == message[::-1]  # and the next one is sent only then
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
        assert await call.code() == grpc.StatusCode.OK

        counted = channel.stream_unary(f"/{SERVICE}/up")()
        for message in said:
            await counted.write(message)
        await counted.done_writing()
        assert await counted == b" ".join(digest(message).encode() for message in said)

        numbers = channel.unary_stream(f"/{SERVICE}/down")(b"n")
        assert [await numbers.read() for _ in range(3)] == [b"n 0", b"n 1", b"n 2"]
        numbers.cancel()

    identity = origin_ca.issue() if scheme == "https" else None
    async with grpc_server(identity) as target, capturing(confdir, *trusting) as proxy:
        await talk_through(proxy, target, scheme == "https", talk)
    both, up, down = proxy.http
    for flow, method in ((both, "both"), (up, "up"), (down, "down")):
        called(flow, target, scheme, method)
    assert both.error is None and up.error is None
    assert down.error is not None  # the client left
    assert len({flow.client_conn.id for flow in proxy.http}) == 1
