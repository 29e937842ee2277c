"""Bodies in binary formats through the proxy: printed by middump as views show them, encoded again by a script."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import grpc
import pytest

from midstream.contentviews import prettify_message, reencode_message
from midstream.flows.http import HTTPFlow
from tests.kit.curl import curl, needs_curl
from tests.kit.origins import Heard, answering, ok, origin
from tests.kit.program import middump
from tests.kit.running_master import running_master
from tests.kit.waiting import PATIENCE

pytestmark = pytest.mark.end2end

GOLDEN = Path(__file__).parent.parent / "contentviews" / "golden"
SHOP = GOLDEN / "gRPC" / "request" / "shop.proto"
# Of each view that is chosen by the type of a body, what middump prints of a golden sample of it.
PRINTED = {
    "CBOR/everything": "t: !tag0  # date and time",
    "DNS/answer": "data: '192.0.2.1'",
    "Image/png_texts": "# PNG Image",
    "MsgPack/everything": "ext: !ext 5:616263",
    "Protobuf/by_number": "3: !fixed64 2.5  # u64: 4612811918334230528",
    "WBXML/activesync": '<Sync xmlns="AirSync">',
    "ZIP Archive/info_zip": "- dir/b é.txt",
    "gRPC/stream": "2: Ada",
}


@needs_curl
async def test_middump_prints_what_the_views_show(confdir: Path) -> None:
    def answer(heard: Heard) -> bytes:
        folder = GOLDEN / heard.target.strip("/").replace("%20", " ")
        facts = json.loads((folder / "metadata.json").read_text())
        return ok((folder / "sample").read_bytes(), f"content-type: {facts['content_type']}")

    async with (
        origin(answering(answer)) as web,
        middump(confdir, "--flow-detail", "3") as program,
    ):
        for name, line in PRINTED.items():
            await curl("--proxy", program.address, web.url("/" + name.replace(" ", "%20")), "-o", "/dev/null")
            await program.line(line)


async def echo(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    return b"\x08\x07\x12" + bytes([len(request[:100])]) + b"a" * len(request[:100])


async def test_a_call_of_grpc_with_definitions(confdir: Path) -> None:
    order = (GOLDEN / "Protobuf" / "named" / "sample").read_bytes()
    server = grpc.aio.server(compression=grpc.Compression.Gzip)
    handler = grpc.unary_unary_rpc_method_handler(echo)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("shop.Shop", {"Buy": handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with middump(confdir, "--flow-detail", "3", "--set", f"protobuf_definitions={SHOP}") as program:
            options = [("grpc.http_proxy", program.address)]
            async with grpc.aio.insecure_channel(f"localhost:{port}", options) as channel, asyncio.timeout(PATIENCE):
                await channel.unary_unary("/shop.Shop/Buy")(order)
            await program.line("- name: Tea")
            await program.line("kind: FOOD")
            await program.line("# gzip,")
            await program.line("number: 7")
            await program.line(f"text: {'a' * 100}")
    finally:
        await server.stop(0)


class Renaming:
    """Edits what it sees, as a person would."""

    def request(self, flow: HTTPFlow) -> None:
        shown = prettify_message(flow.request, flow)
        assert shown.view_name is not None
        flow.request.content = reencode_message(
            shown.text.replace("Tea", "Coffee"), flow.request, flow, shown.view_name
        )


@needs_curl
@pytest.mark.parametrize(
    ("sample", "content_type"),
    [
        ("Protobuf/by_number", "application/x-protobuf"),
        ("MsgPack/everything", "application/msgpack"),
        ("gRPC/request", "application/grpc"),
    ],
)
async def test_what_a_script_edited_reaches_the_server(tmp_path: Path, sample: str, content_type: str) -> None:
    data = (GOLDEN / sample / "sample").read_bytes()
    body = tmp_path / "body"
    body.write_bytes(data)
    heard: list[bytes] = []

    def answer(request: Heard) -> bytes:
        heard.append(request.body)
        return ok(b"")

    async with origin(answering(answer)) as web, running_master(tmp_path / "conf", Renaming()) as running:
        sent = ("-H", f"content-type: {content_type}", "--data-binary", f"@{body}")
        await curl("--proxy", running.address, web.url("/"), *sent)
    (got,) = heard
    assert got != data
    assert got.count(b"Coffee") == 1
    assert b"Tea" not in got
    # Only lengths differ beside it.
    assert len(got) == len(data) + 3
